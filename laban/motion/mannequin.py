"""The shape of the mannequin: a person in a T-pose, modelled in numbers here and polygonised at first use.

The body is a signed field, negative inside: lofts (elliptic cross-sections along an axis, listed in the tables
below) and ellipsoids, joined by smooth unions, so that the skin has no seams. Only the left half is evaluated; the
right half is its mirror image. Surface nets turn the field into quads, one vertex per cell that the surface
crosses, and Newton steps put the vertices exactly on it. The grid is finer at the head, the hands and the feet.

Frame: metres, Y up, +Z forward, the pelvis joint at the origin, `CANONICAL` joints. Source: own work.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

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
    "body": (0.80, 0.795, 0.78), "dark": (0.29, 0.31, 0.35), "left": (0.86, 0.46, 0.30), "right": (0.27, 0.52, 0.74),
}  # fmt: skip

# Cross-sections. Columns: station along the axis, half-width, half-depth, centre across, centre in depth.
# Torso: along Y; width along X, depth along Z.
_TORSO = (
    (-0.100, 0.128, 0.088, 0, -0.018), (-0.050, 0.158, 0.104, 0, -0.022), (0.010, 0.156, 0.106, 0, -0.022),
    (0.070, 0.138, 0.094, 0, -0.016), (0.130, 0.122, 0.084, 0, -0.010), (0.180, 0.121, 0.084, 0, -0.010),
    (0.250, 0.136, 0.094, 0, -0.014), (0.330, 0.158, 0.108, 0, -0.020), (0.400, 0.170, 0.106, 0, -0.028),
    (0.450, 0.160, 0.090, 0, -0.036), (0.485, 0.130, 0.073, 0, -0.042), (0.515, 0.085, 0.063, 0, -0.044),
    (0.545, 0.060, 0.058, 0, -0.038), (0.580, 0.053, 0.055, 0, -0.024), (0.640, 0.053, 0.056, 0, -0.010),
)  # fmt: skip
# Leg: along Y; width along X, depth along Z.
_LEG = (
    (0.000, 0.060, 0.080, 0.080, -0.020), (-0.060, 0.074, 0.094, 0.085, -0.020), (-0.120, 0.081, 0.096, 0.088, -0.018), (-0.200, 0.077, 0.086, 0.088, -0.008),
    (-0.300, 0.067, 0.076, 0.083, 0.000), (-0.400, 0.055, 0.063, 0.078, 0.002), (-0.450, 0.051, 0.058, 0.077, 0.006),
    (-0.490, 0.050, 0.056, 0.076, 0.006), (-0.540, 0.049, 0.054, 0.077, -0.006), (-0.610, 0.052, 0.057, 0.079, -0.020),
    (-0.680, 0.048, 0.052, 0.079, -0.024), (-0.760, 0.038, 0.042, 0.077, -0.022), (-0.840, 0.032, 0.036, 0.076, -0.024),
    (-0.930, 0.034, 0.040, 0.077, -0.026),
)  # fmt: skip
# Arm: along X; width along Z, depth along Y (the first centre is Z, the second Y).
_ARM = (
    (0.130, 0.052, 0.046, -0.050, 0.470), (0.190, 0.062, 0.058, -0.054, 0.474), (0.230, 0.060, 0.057, -0.056, 0.476),
    (0.290, 0.051, 0.049, -0.056, 0.480), (0.350, 0.046, 0.044, -0.055, 0.482), (0.410, 0.042, 0.040, -0.056, 0.483),
    (0.457, 0.039, 0.037, -0.058, 0.483), (0.510, 0.044, 0.040, -0.056, 0.483), (0.560, 0.043, 0.038, -0.055, 0.483),
    (0.640, 0.035, 0.031, -0.055, 0.483), (0.700, 0.030, 0.025, -0.056, 0.483), (0.740, 0.030, 0.023, -0.056, 0.483),
)  # fmt: skip
# Hand: along X, palm down; width along Z, depth along Y.
_HAND = (
    (0.715, 0.027, 0.020, -0.056, 0.483), (0.750, 0.036, 0.019, -0.055, 0.482), (0.785, 0.042, 0.019, -0.055, 0.480),
    (0.820, 0.042, 0.017, -0.056, 0.477), (0.850, 0.038, 0.015, -0.057, 0.473), (0.880, 0.031, 0.013, -0.057, 0.467),
    (0.900, 0.022, 0.011, -0.057, 0.462),
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
        p: (..., 3). axes: which coordinates run along, across and in depth. cap: metres that the ends bulge.
    """
    rows = np.array(sorted(table))
    fine = np.linspace(rows[0, 0], rows[-1, 0], 161)
    kernel = np.hanning(19) / np.hanning(19).sum()
    along = p[..., axes[0]]
    inside = np.clip(along, fine[0], fine[-1])
    across, depth, x, y = (
        np.interp(inside, fine, np.convolve(np.pad(np.interp(fine, rows[:, 0], rows[:, c]), 9, "edge"), kernel, "valid"))
        for c in range(1, 5)
    )
    u, v, w = p[..., axes[1]] - x, p[..., axes[2]] - y, (along - inside) / cap
    size = np.sqrt((u / across) ** 2 + (v / depth) ** 2 + w**2)
    slope = np.sqrt((u / across**2) ** 2 + (v / depth**2) ** 2 + (w / cap) ** 2)
    return np.where(size < 1e-6, -np.minimum(across, depth), size * (size - 1.0) / np.maximum(slope, 1e-9))


def _capsule(p: Array, a: tuple[float, ...], b: tuple[float, ...], ra: float, rb: float) -> Array:
    """Roughly the signed distance to a round-ended cone."""
    start, axis = np.array(a), np.array(b) - np.array(a)
    t = np.clip((p - start) @ axis / (axis @ axis), 0.0, 1.0)
    return np.linalg.norm(p - start - t[..., None] * axis, axis=-1) - (ra + (rb - ra) * t)


def field(points: Array) -> Array:
    """(..., 3) metres -> (...) metres: about the signed distance to the skin, negative inside; any side."""
    p = points * [1.0, 1.0, 1.0]
    p[..., 0] = np.abs(p[..., 0])
    chest = _ellipsoid(p, (0.070, 0.392, 0.014), (0.088, 0.066, 0.052))
    seat = _ellipsoid(p, (0.070, -0.062, -0.062), (0.078, 0.078, 0.066))
    torso = _smooth_min(_smooth_min(_loft(p, _TORSO, (1, 0, 2), 0.05), chest, 0.06), seat, 0.05)
    leg = _loft(p, _LEG, (1, 0, 2), 0.04)
    foot = _loft(p, _FOOT, (2, 0, 1), 0.028)
    foot = -_smooth_min(-foot, p[..., 1] - SOLE, 0.012)
    arm = _loft(p, _ARM, (0, 2, 1), 0.03)
    thumb = _capsule(p, (0.752, 0.477, -0.030), (0.822, 0.468, 0.012), 0.016, 0.010)
    hand = _smooth_min(_loft(p, _HAND, (0, 2, 1), 0.014), thumb, 0.016)
    skull = _ellipsoid(p, (0, 0.728, -0.004), (0.080, 0.088, 0.100))
    jaw = _ellipsoid(p, (0, 0.672, 0.030), (0.060, 0.086, 0.062))
    nose = _capsule(p, (0, 0.700, 0.086), (0, 0.674, 0.100), 0.007, 0.011)
    head = _smooth_min(_smooth_min(skull, jaw, 0.06), nose, 0.022)
    body = _smooth_min(torso, leg, 0.035)
    body = _smooth_min(body, arm, 0.05)
    body = _smooth_min(body, hand, 0.02)
    body = _smooth_min(body, foot, 0.035)
    return _smooth_min(body, head, 0.03)


def _spaced(*runs: tuple[float, float]) -> Array:
    """Grid lines: from the first number on, each run goes to `end` in steps of about `step`."""
    lines = [np.array([runs[0][0]])]
    for (start, _), (end, step) in zip(runs, runs[1:], strict=False):
        lines.append(np.linspace(start, end, max(2, round((end - start) / step) + 1))[1:])
    return np.concatenate(lines)


def sculpt() -> tuple[Array, NDArray[np.int32], Array]:
    """The mannequin's surface: vertices (V, 3) metres, triangles (F, 3), unit normals (V, 3)."""
    half = _spaced((0.0, 0), (0.09, 0.015), (0.26, 0.019), (0.70, 0.027), (0.93, 0.0155))
    x = np.concatenate([-half[:0:-1], half])
    y = _spaced((-1.0, 0), (-0.90, 0.0135), (-0.20, 0.032), (0.44, 0.027), (0.53, 0.0130), (0.84, 0.0165))
    z = _spaced((-0.165, 0), (-0.105, 0.02), (-0.01, 0.0168), (0.22, 0.0175))
    grid = np.stack(np.meshgrid(half, y, z, indexing="ij"), axis=-1)
    value = field(grid)
    value = np.concatenate([value[:0:-1], value])
    vertices, quads = surface_nets(value, (x, y, z))
    for step in range(4):
        if step < 3:
            vertices = _relaxed(vertices, quads, 0.5)
        vertices, normals = _projected(field, vertices)
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
    t = np.clip(0.5 + 0.5 * distance / half, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


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
    lambda p: 1.0 - (p[:, 0] / 0.062) ** 4 - ((p[:, 1] - 0.712) / 0.024) ** 4 - np.maximum(0.02 - p[:, 2], 0) * 1e4,
)


def colours(points: Array) -> Array:
    """(V, 3) metres on the figure -> (V, 3) sRGB in 0..1: a few flat colours."""
    glove, shoe, upper, trunks, waist, visor = (border(points) > 0 for border in _BORDERS)
    out = np.tile(PALETTE["body"], (len(points), 1))
    side = np.where((points[:, 0] > 0)[:, None], PALETTE["left"], PALETTE["right"])
    out[glove | shoe] = side[glove | shoe]
    out[(shoe & ~upper) | (trunks & waist & (np.abs(points[:, 0]) < 0.3)) | visor] = PALETTE["dark"]
    return out


def painted(
    vertices: Array, faces: NDArray[np.int32], normals: Array
) -> tuple[Array, NDArray[np.int32], Array, Array]:
    """Cut the colour borders into the mesh: vertices, triangles, normals and (V, 3) colours.

    A vertex on a border stands once for each colour that meets there.
    """
    for border in _BORDERS:
        vertices, faces, normals = _cut(vertices, faces, normals, border(vertices))
    shade = colours(vertices[faces].mean(axis=1))
    palette, number = np.unique(shade, axis=0, return_inverse=True)
    corner = faces.astype(np.int64) * len(palette) + number.reshape(-1, 1)
    keys, again = np.unique(corner, return_inverse=True)
    old, colour = keys // len(palette), keys % len(palette)
    return vertices[old], again.reshape(-1, 3).astype(np.int32), normals[old], palette[colour]


def _cut(
    vertices: Array, faces: NDArray[np.int32], normals: Array, value: Array
) -> tuple[Array, NDArray[np.int32], Array]:
    """Split the triangles where `value` (V,) changes sign, so that every triangle lies on one side."""
    scale = np.abs(value[faces] - value[np.roll(faces, 1, axis=1)]).max(axis=1)
    near = np.zeros(len(vertices))
    np.maximum.at(near, faces.reshape(-1), np.repeat(scale, 3))
    value = np.where(np.abs(value) < 0.04 * near, 0.0, value)
    first, second = faces, np.roll(faces, -1, axis=1)
    crossing = value[first] * value[second] < 0
    touched = crossing.any(axis=1)
    low, high = np.minimum(first, second)[crossing], np.maximum(first, second)[crossing]
    pairs, number = np.unique(np.stack([low, high], axis=1), axis=0, return_inverse=True)
    a, b = pairs.T
    t = (value[a] / (value[a] - value[b]))[:, None]
    middle = np.full(faces.shape, -1)
    middle[crossing] = len(vertices) + number.reshape(-1)
    out = [faces[~touched]]
    for face, mid in zip(faces[touched], middle[touched], strict=False):
        ring = [int(n) for k in range(3) for n in (face[k], mid[k]) if n >= 0]
        start = next(k for k, n in enumerate(ring) if n >= len(vertices))
        ring = ring[start:] + ring[:start]
        if len(ring) == 4:  # one crossing, opposite a vertex that lies on the border
            out.append(np.array([[ring[0], ring[1], ring[2]], [ring[0], ring[2], ring[3]]]))
        else:
            out.append(np.array([[ring[0], ring[1], ring[2]], [ring[0], ring[2], ring[3]], [ring[0], ring[3], ring[4]]]))
    blend = normals[a] * (1 - t) + normals[b] * t
    return (
        np.concatenate([vertices, vertices[a] * (1 - t) + vertices[b] * t]),
        np.concatenate(out).astype(np.int32),
        np.concatenate([normals, blend / np.linalg.norm(blend, axis=1, keepdims=True)]),
    )


def surface_nets(value: Array, lines: tuple[Array, Array, Array]) -> tuple[Array, NDArray[np.int64]]:
    """The zero surface of a sampled field: (V, 3) vertices and (F, 4) quads, counter-clockwise from outside.

    Args:
        value: (X, Y, Z) samples, negative inside, positive on the border. lines: the grid's coordinates.
    Source: Gibson 1998, "Constrained elastic surface nets" (the cell's vertex is the mean of its edge crossings).
    """
    inside = value < 0
    cells = tuple(n - 1 for n in value.shape)
    total, count = np.zeros((*cells, 3)), np.zeros(cells)
    quads = []
    number = np.full(cells, -1)
    edges = []
    for axis in range(3):
        low, high = (tuple(slice(s, e) if a == axis else slice(None) for a in range(3)) for s, e in ((0, -1), (1, None)))
        at = np.argwhere(inside[low] != inside[high])
        i, j, k = at.T
        up = at + np.eye(3, dtype=int)[axis]
        v0, v1 = value[i, j, k], value[tuple(up.T)]
        t = v0 / (v0 - v1)
        where = np.stack([lines[a][at[:, a]] for a in range(3)], axis=1)
        where[:, axis] += t * (lines[axis][up[:, axis]] - lines[axis][at[:, axis]])
        b, c = (axis + 1) % 3, (axis + 2) % 3
        around = []
        for db, dc in ((-1, -1), (0, -1), (0, 0), (-1, 0)):
            cell = at.copy()
            cell[:, b] += db
            cell[:, c] += dc
            np.add.at(total, tuple(cell.T), where)
            np.add.at(count, tuple(cell.T), 1.0)
            around.append(cell)
        edges.append((np.stack(around, axis=1), v0 < 0))
    used = count > 0
    number[used] = np.arange(int(used.sum()))
    for around, outward in edges:
        quad = number[tuple(np.moveaxis(around, -1, 0))]
        quads.append(np.where(outward[:, None], quad, quad[:, ::-1]))
    return total[used] / count[used][:, None], np.concatenate(quads)


def _relaxed(vertices: Array, quads: NDArray[np.int64], amount: float) -> Array:
    """Vertices moved towards the mean of their neighbours, which evens out the quads."""
    total, count = np.zeros_like(vertices), np.zeros(len(vertices))
    for k in range(4):
        for other in (quads[:, (k + 1) % 4], quads[:, (k + 3) % 4]):
            np.add.at(total, quads[:, k], vertices[other])
            np.add.at(count, quads[:, k], 1.0)
    return vertices + amount * (total / count[:, None] - vertices)


def _projected(of: Callable[[Array], Array], vertices: Array) -> tuple[Array, Array]:
    """Vertices put on the field's zero surface by Newton steps, and the unit normals there."""
    step = np.eye(3) * 1.5e-3
    for _ in range(2):
        probe = of(np.stack([vertices + s for s in step] + [vertices - s for s in step]))
        gradient = (probe[:3] - probe[3:]).T / 3e-3
        square = np.maximum((gradient**2).sum(-1), 0.05)
        move = -(of(vertices) / square)[:, None] * gradient
        vertices = vertices + np.clip(move, -0.01, 0.01)
    return vertices, gradient / np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), 1e-9)
