"""The shape of the mannequin: a person in a T-pose, modelled in numbers here and polygonised at first use.

The body is a signed field, negative inside: lofts (elliptic cross-sections along an axis, listed in the tables
below) and ellipsoids, joined by smooth unions, so that the skin has no seams. Only the left half is evaluated; the
right half is its mirror image. Surface nets turn the field into quads, one vertex per cell that the surface
crosses, and Newton steps put the vertices exactly on it. The grid is finer at the head, the hands and the feet.

Frame: metres, Y up, +Z forward, the pelvis joint at the origin, `CANONICAL` joints. Source: own work.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from laban.figure import surface
from laban.motion.easing import smoothstep

Array = NDArray[np.float64]

# The joints of the sculpted figure: HUMANML22 made symmetric. Left side only; the right is mirrored.
CANONICAL: dict[str, tuple[float, float, float]] = {
    "pelvis": (0, 0, 0), "left_hip": (0.064, -0.085, 0), "spine1": (0, 0.129, -0.027),
    "left_knee": (0.076, -0.477, 0), "spine2": (0, 0.272, -0.027), "left_ankle": (0.076, -0.9055, -0.026),
    "spine3": (0, 0.329, -0.021), "left_foot": (0.094, -0.967, 0.106), "neck": (0, 0.547, -0.047),
    "left_collar": (0.074, 0.444, -0.05), "head": (0, 0.636, 0.005), "left_shoulder": (0.197, 0.483, -0.056),
    "left_elbow": (0.457, 0.483, -0.056), "left_wrist": (0.7245, 0.483, -0.056),
}  # fmt: skip
SOLE = -0.983

BONES = {  # the bone whose direction and length a part follows; other parts only move and scale
    f"{side}_{a}": f"{side}_{b}"
    for side in ("left", "right")
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
}

# Where one part hands over to the next: joint, parent, a point on the cut, the direction across it (towards the
# joint's side), and half the width of the blend. The next two tables keep a cut from reaching other limbs.
_CUTS = (
    ("spine1", "pelvis", (0, 0.105, 0), (0, 1, 0), 0.075), ("spine2", "spine1", (0, 0.235, 0), (0, 1, 0), 0.070),
    ("spine3", "spine2", (0, 0.315, 0), (0, 1, 0), 0.060), ("neck", "spine3", (0, 0.530, -0.04), (0, 0.95, 0.3), 0.035),
    ("head", "neck", (0, 0.607, -0.01), (0, 0.93, 0.36), 0.028),
    ("left_collar", "spine3", (0.075, 0.440, 0), (0.9, 0.44, 0), 0.055),
    ("left_shoulder", "left_collar", (0.183, 0.465, 0), (0.93, 0.37, 0), 0.055),
    ("left_elbow", "left_shoulder", (0.457, 0, 0), (1, 0, 0), 0.052),
    ("left_wrist", "left_elbow", (0.7245, 0, 0), (1, 0, 0), 0.030),
    ("left_hip", "pelvis", (0.085, -0.085, 0), (0.50, -0.87, 0), 0.075),
    ("left_knee", "left_hip", (0, -0.477, 0), (0, -1, 0), 0.060),
    ("left_ankle", "left_knee", (0, -0.893, -0.026), (0, -0.95, 0.31), 0.032),
    ("left_foot", "left_ankle", (0, 0, 0.100), (0, 0, 1), 0.030),
)  # fmt: skip

PALETTE = {  # sRGB; warm is the character's own left, cool its right
    "body": (0.83, 0.80, 0.76), "shirt": (0.56, 0.60, 0.65), "dark": (0.25, 0.27, 0.31),
    "left": (0.88, 0.46, 0.28), "right": (0.22, 0.52, 0.78),
}  # fmt: skip

# Cross-sections. Columns: station along the axis, half-width, half-depth, centre across, centre in depth.
# Torso: along Y; width along X, depth along Z.
_TORSO = (
    (-0.100, 0.128, 0.088, 0, -0.018), (-0.050, 0.158, 0.104, 0, -0.022), (0.010, 0.156, 0.106, 0, -0.022),
    (0.070, 0.138, 0.094, 0, -0.016), (0.130, 0.122, 0.084, 0, -0.010), (0.180, 0.121, 0.084, 0, -0.010),
    (0.250, 0.136, 0.094, 0, -0.014), (0.330, 0.158, 0.108, 0, -0.020), (0.400, 0.170, 0.106, 0, -0.028),
    (0.450, 0.160, 0.090, 0, -0.036), (0.485, 0.130, 0.073, 0, -0.042), (0.515, 0.085, 0.063, 0, -0.044),
    (0.545, 0.057, 0.056, 0, -0.038), (0.580, 0.049, 0.051, 0, -0.026), (0.650, 0.050, 0.053, 0, -0.018),
)  # fmt: skip
# Leg: along Y; width along X, depth along Z.
_LEG = (
    (0.000, 0.060, 0.080, 0.080, -0.020), (-0.060, 0.074, 0.094, 0.085, -0.020), (-0.120, 0.081, 0.096, 0.088, -0.018),
    (-0.200, 0.077, 0.086, 0.088, -0.008),
    (-0.300, 0.067, 0.076, 0.083, 0.000), (-0.400, 0.055, 0.063, 0.078, 0.002), (-0.450, 0.051, 0.058, 0.077, 0.006),
    (-0.490, 0.050, 0.056, 0.076, 0.006), (-0.540, 0.049, 0.054, 0.077, -0.006), (-0.610, 0.052, 0.057, 0.079, -0.020),
    (-0.680, 0.048, 0.052, 0.079, -0.024), (-0.760, 0.038, 0.042, 0.077, -0.022), (-0.840, 0.032, 0.036, 0.076, -0.024),
    (-0.930, 0.034, 0.040, 0.077, -0.026),
)  # fmt: skip
# Arm: along X; width along Z, depth along Y (the first centre is Z, the second Y).
_ARM = (
    (0.130, 0.052, 0.043, -0.050, 0.466), (0.190, 0.060, 0.052, -0.054, 0.472), (0.230, 0.059, 0.054, -0.056, 0.476),
    (0.290, 0.051, 0.049, -0.056, 0.480), (0.350, 0.046, 0.044, -0.055, 0.482), (0.410, 0.042, 0.040, -0.056, 0.483),
    (0.457, 0.039, 0.037, -0.058, 0.483), (0.510, 0.044, 0.040, -0.056, 0.483), (0.560, 0.043, 0.038, -0.055, 0.483),
    (0.640, 0.035, 0.031, -0.055, 0.483), (0.700, 0.030, 0.025, -0.056, 0.483), (0.740, 0.030, 0.023, -0.056, 0.483),
)  # fmt: skip
# Hand: along X, palm down; width along Z, depth along Y.
_HAND = (
    (0.715, 0.027, 0.021, -0.056, 0.483), (0.750, 0.036, 0.021, -0.055, 0.482), (0.785, 0.042, 0.021, -0.055, 0.480),
    (0.820, 0.043, 0.020, -0.056, 0.477), (0.850, 0.040, 0.019, -0.057, 0.473), (0.875, 0.035, 0.017, -0.057, 0.468),
    (0.890, 0.031, 0.016, -0.057, 0.464),
)  # fmt: skip
# Foot: along Z; width along X, depth along Y. The sole is cut flat afterwards.
_FOOT = (
    (-0.070, 0.032, 0.046, 0.076, -0.952), (-0.030, 0.038, 0.056, 0.077, -0.948), (0.010, 0.037, 0.056, 0.080, -0.952),
    (0.050, 0.041, 0.046, 0.085, -0.962), (0.100, 0.047, 0.036, 0.092, -0.970), (0.140, 0.045, 0.030, 0.095, -0.974),
    (0.165, 0.036, 0.026, 0.095, -0.976),
)  # fmt: skip


def _smooth_min(a: Array, b: Array, reach: float) -> Array:
    """The smaller of two fields, rounded where they are nearer than `reach` metres (quadratic)."""
    mix = np.maximum(reach - np.abs(a - b), 0.0)
    return np.minimum(a, b) - mix * mix / (4.0 * reach)


def _ellipsoid(p: Array, centre: tuple[float, ...], radii: tuple[float, ...]) -> Array:
    """Near the surface, the signed distance to an ellipsoid; p is (..., 3)."""
    scaled = (p - centre) / radii
    size = np.sqrt((scaled**2).sum(-1))
    slope = np.sqrt(((scaled / radii) ** 2).sum(-1))
    return np.where(size < 1e-6, -min(radii), size * (size - 1.0) / np.maximum(slope, 1e-9))


def _loft(p: Array, table: tuple[tuple[float, ...], ...], axes: tuple[int, int, int], cap: float) -> Array:
    """Near the surface, the signed distance to a tube with elliptic sections and half-ellipsoid ends.

    Args:
        p: (..., 3).
        table: rows of the tube's sections along its axis.
        axes: which coordinates run along, across and in depth.
        cap: metres that the ends bulge.
    """
    fine, sections = _sections(table)
    along = p[..., axes[0]]
    inside = np.clip(along, fine[0], fine[-1])
    across, depth, x, y = (np.interp(inside, fine, column) for column in sections)
    u, v, w = p[..., axes[1]] - x, p[..., axes[2]] - y, (along - inside) / cap
    size = np.sqrt((u / across) ** 2 + (v / depth) ** 2 + w**2)
    slope = np.sqrt((u / across**2) ** 2 + (v / depth**2) ** 2 + (w / cap) ** 2)
    return np.where(size < 1e-6, -np.minimum(across, depth), size * (size - 1.0) / np.maximum(slope, 1e-9))


@lru_cache(maxsize=8)
def _sections(table: tuple[tuple[float, ...], ...]) -> tuple[Array, tuple[Array, ...]]:
    """A table's stations and its four columns, resampled and smoothed along the axis."""
    rows = np.array(sorted(table))
    fine = np.linspace(rows[0, 0], rows[-1, 0], 161)
    kernel = np.hanning(19) / np.hanning(19).sum()
    columns = [np.pad(np.interp(fine, rows[:, 0], rows[:, c]), 9, "edge") for c in range(1, 5)]
    return fine, tuple(np.convolve(column, kernel, "valid") for column in columns)


def _capsule(p: Array, a: tuple[float, ...], b: tuple[float, ...], ra: float, rb: float) -> Array:
    """Roughly the signed distance to a round-ended cone."""
    start, axis = np.array(a), np.array(b) - np.array(a)
    t = np.clip((p - start) @ axis / (axis @ axis), 0.0, 1.0)
    return np.linalg.norm(p - start - t[..., None] * axis, axis=-1) - (ra + (rb - ra) * t)


def _near(p: Array, low: tuple[float, ...], high: tuple[float, ...], part: Callable[[Array], Array]) -> Array:
    """`part` where it matters: in a box, with 8 cm around it; 8 cm elsewhere (no union reaches that far)."""
    inside = ((p > np.array(low) - 0.08) & (p < np.array(high) + 0.08)).all(axis=-1)
    out = np.full(p.shape[:-1], 0.08)
    out[inside] = part(p[inside])
    return out


def _torso(p: Array) -> Array:
    chest = _ellipsoid(p, (0.070, 0.392, 0.014), (0.088, 0.066, 0.052))
    seat = _ellipsoid(p, (0.070, -0.062, -0.062), (0.078, 0.078, 0.066))
    return _smooth_min(_smooth_min(_loft(p, _TORSO, (1, 0, 2), 0.05), chest, 0.06), seat, 0.05)


def _foot(p: Array) -> Array:
    return -_smooth_min(-_loft(p, _FOOT, (2, 0, 1), 0.028), p[..., 1] - SOLE, 0.012)


def _hand(p: Array) -> Array:
    thumb = _capsule(p, (0.752, 0.477, -0.034), (0.818, 0.468, 0.010), 0.019, 0.0155)
    return _smooth_min(_loft(p, _HAND, (0, 2, 1), 0.022), thumb, 0.018)


def _head(p: Array) -> Array:
    skull = _ellipsoid(p, (0, 0.729, -0.006), (0.078, 0.087, 0.099))
    jaw = _ellipsoid(p, (0, 0.668, 0.034), (0.058, 0.080, 0.060))
    chin = _ellipsoid(p, (0, 0.610, 0.062), (0.028, 0.022, 0.028))
    nose = _capsule(p, (0, 0.702, 0.088), (0, 0.674, 0.102), 0.007, 0.010)
    return _smooth_min(_smooth_min(skull, _smooth_min(jaw, chin, 0.05), 0.06), nose, 0.022)


def field(points: Array) -> Array:
    """(..., 3) metres -> (...) metres: about the signed distance to the skin, negative inside; any side."""
    p = points * [1.0, 1.0, 1.0]
    p[..., 0] = np.sqrt(p[..., 0] ** 2 + 0.01**2)  # |x|, without a crease in the middle
    body = _near(p, (0, -0.15, -0.14), (0.18, 0.70, 0.10), _torso)
    leg = _near(p, (0, -0.97, -0.12), (0.18, 0.04, 0.08), lambda q: _loft(q, _LEG, (1, 0, 2), 0.04))
    arm = _near(p, (0.10, 0.40, -0.12), (0.77, 0.55, 0.02), lambda q: _loft(q, _ARM, (0, 2, 1), 0.03))
    body = _smooth_min(body, leg, 0.035)
    body = _smooth_min(body, arm, 0.05)
    body = _smooth_min(body, _near(p, (0.70, 0.44, -0.10), (0.92, 0.51, 0.02), _hand), 0.02)
    body = _smooth_min(body, _near(p, (0.03, -0.99, -0.10), (0.14, -0.88, 0.20), _foot), 0.035)
    return _smooth_min(body, _near(p, (0, 0.57, -0.11), (0.08, 0.82, 0.115), _head), 0.022)


def _spaced(*runs: tuple[float, float]) -> Array:
    """Grid lines: from the first number on, each run goes to `end` in steps of about `step`."""
    lines = [np.array([runs[0][0]])]
    for (start, _), (end, step) in zip(runs, runs[1:], strict=False):
        lines.append(np.linspace(start, end, max(2, round((end - start) / step) + 1))[1:])
    return np.concatenate(lines)


def sculpt() -> tuple[Array, NDArray[np.int32], Array]:
    """The mannequin's surface: vertices (V, 3) metres, triangles (F, 3), unit normals (V, 3)."""
    half = _spaced((0.0, 0), (0.09, 0.0165), (0.26, 0.021), (0.70, 0.031), (0.94, 0.0150))
    x = np.concatenate([-half[:0:-1], half])
    y = _spaced((-1.0, 0), (-0.89, 0.0145), (-0.20, 0.036), (0.44, 0.030), (0.53, 0.0125), (0.84, 0.0165))
    z = _spaced((-0.165, 0), (-0.105, 0.021), (0.0, 0.0150), (0.22, 0.0185))
    grid = np.stack(np.meshgrid(half, y, z, indexing="ij"), axis=-1)
    value = field(grid)
    value = np.concatenate([value[:0:-1], value])
    vertices, quads = surface.surface_nets(value, (x, y, z))
    for _ in range(3):
        vertices, normals = _projected(surface.relaxed(vertices, quads, 0.5))
    vertices, normals = _projected(vertices)
    a, b, c, d = quads.T
    short = np.linalg.norm(vertices[a] - vertices[c], axis=1) <= np.linalg.norm(vertices[b] - vertices[d], axis=1)
    one = np.where(short[:, None], np.stack([a, b, c], 1), np.stack([a, b, d], 1))
    two = np.where(short[:, None], np.stack([a, c, d], 1), np.stack([b, c, d], 1))
    return vertices, np.concatenate([one, two]).astype(np.int32), normals


def joints() -> dict[str, Array]:
    """The figure's 22 joints by name: (3,) metres."""
    out = {name: np.array(place, dtype=np.float64) for name, place in CANONICAL.items()}
    for name, place in CANONICAL.items():
        if name.startswith("left_"):
            out["right_" + name[5:]] = np.array([-place[0], *place[1:]])
    return out


def _step(distance: Array, half: float) -> Array:
    """0 before -half, 1 after +half, smooth between."""
    return smoothstep(np.clip(0.5 + 0.5 * distance / half, 0.0, 1.0))


def weights(points: Array) -> Array:
    """How much each of `joints()` moves each point of the figure: (V, 3) metres -> (V, 22), rows sum to 1.

    Every joint's cut says how much of its parent's share goes to its own sub-tree, so shares always sum to 1.
    """
    names = list(joints())
    share = {"pelvis": np.ones(len(points))}
    tree: list[tuple[str, str]] = []
    for name, parent, at, across, half in _CUTS:
        for side in ("left", "right") if name.startswith("left_") else ("",):
            flip = np.array([-1.0 if side == "right" else 1.0, 1.0, 1.0])
            p = points * flip
            part = _step((p - at) @ (np.array(across) / np.linalg.norm(across)), half)
            if name == "left_hip":
                part = part * _step(p[:, 0], 0.035)
            if name in ("left_collar", "left_shoulder"):
                above_armpit = _step(p[:, 1] - (0.39 if name == "left_collar" else 0.415), 0.05)
                part = part * np.maximum(above_armpit, _step(p[:, 0] - 0.25, 0.04))
            if name == "left_collar":
                part = part * (1.0 - share["neck"] / np.maximum(share["spine3"], 1e-9))
            if name == "neck":
                part = part * np.maximum(_step(0.105 - np.abs(p[:, 0]), 0.035), _step(p[:, 1] - 0.60, 0.04))
            own, above = (n.replace("left", side) if side else n for n in (name, parent))
            share[own] = part * share[above]
            tree.append((own, above))
    left = {name: value.copy() for name, value in share.items()}
    for own, above in tree:
        left[above] = left[above] - np.minimum(share[own], share[above])
    out = np.maximum(np.stack([left[name] for name in names], axis=1), 0.0)
    return out / out.sum(axis=1, keepdims=True)


# The borders between colours: each is positive on one side. They are cut into the mesh, so they are sharp.
_BORDERS: tuple[Callable[[Array], Array], ...] = (
    lambda p: np.abs(p[:, 0]) - 0.715,  # gloves
    lambda p: -0.872 - p[:, 1] + 0.25 * p[:, 2],  # shoes
    lambda p: np.maximum(p[:, 1] + 0.965, np.abs(p[:, 0]) - 0.3),  # their soles
    lambda p: p[:, 1] + 0.205 + 0.35 * np.abs(p[:, 0]),  # legs of the trunks
    lambda p: 0.075 - p[:, 1] - 0.12 * p[:, 2],  # waistband
    lambda p: np.minimum(  # visor
        0.025 * (1.0 - ((p[:, 0] / 0.070) ** 2 + (np.abs(p[:, 1] - 0.712 + 2.0 * p[:, 0] ** 2) / 0.025) ** 3) ** 0.4),
        p[:, 2],
    ),
    lambda p: 0.315 - np.abs(p[:, 0]) + 0.3 * (p[:, 1] - 0.483),  # sleeves
    lambda p: np.linalg.norm((p - (0.0, 0.575, 0.0)) / (1.0, 1.0, 1.25), axis=1) - 0.082,  # neckline
)


def painted(vertices: Array, faces: NDArray[np.int32], normals: Array) -> tuple[Array, NDArray[np.int32], Array, Array]:
    """Cut the colour borders into the mesh: vertices, triangles, normals and (V, 3) sRGB colours.

    A vertex on a border stands once for each colour that meets there.
    """
    sides = np.zeros((len(vertices), len(_BORDERS)))
    for number, border in enumerate(_BORDERS):
        vertices, faces, normals, sides = surface.cut(vertices, faces, normals, sides, number, border)
    glove, shoe, upper, trunks, waist, visor, sleeve, neckline = (sides[faces].sum(axis=1) > 0).T
    side = vertices[faces][:, :, 0].mean(axis=1) > 0
    names = np.full(len(faces), "body", dtype="<U5")
    names[~waist & sleeve & neckline & (vertices[faces][:, :, 1].mean(axis=1) < 0.6)] = "shirt"
    names[trunks & waist & (np.abs(vertices[faces][:, :, 0]).max(axis=1) < 0.3)] = "dark"
    names[glove | shoe] = np.where(side, "left", "right")[glove | shoe]
    names[(shoe & ~upper) | visor] = "dark"
    palette, paint = np.unique(names, return_inverse=True)
    corner = faces.astype(np.int64) * len(palette) + paint.reshape(-1, 1)
    keys, again = np.unique(corner, return_inverse=True)
    old, colour = keys // len(palette), keys % len(palette)
    shades = np.array([PALETTE[str(name)] for name in palette])
    return vertices[old], again.reshape(-1, 3).astype(np.int32), normals[old], shades[colour]


def _projected(vertices: Array) -> tuple[Array, Array]:
    """Vertices put on the field's zero surface by a Newton step, and the unit normals there."""
    step = np.eye(3) * 1.5e-3
    probe = field(np.stack([vertices, *(vertices + s for s in step), *(vertices - s for s in step)]))
    gradient = (probe[1:4] - probe[4:]).T / 3e-3
    square = np.maximum((gradient**2).sum(-1), 0.05)
    move = -(probe[0] / square)[:, None] * gradient
    normals = gradient / np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), 1e-9)
    return vertices + np.clip(move, -0.01, 0.01), normals
