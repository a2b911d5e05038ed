"""The body that is shown: a mannequin mesh for a skeleton, and linear blend skinning. Pure numpy.

`mannequin(skeleton)` gives one closed surface shaped like a person (see `laban.figure.mannequin`) when the skeleton
is a humanoid whose rest pose stands upright, and one tapered capsule per bone for any other skeleton.
`skin` moves it. Both the GLB writer and the renderers use them, so that every picture shows the same body.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from laban.errors import LabanError, ShapeError
from laban.figure import mannequin as sculpture
from laban.figure.look import Look, Material
from laban.motion import anatomy, joint_names, kinematics, retarget, rotation
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Mesh:
    """A skinned surface in the skeleton's rest pose, the root joint at the origin.

    Attributes:
        vertices: (V, 3) float64 metres, Y up, +Z forward.
        faces: (F, 3) int32 triangles, counter-clockwise seen from outside.
        joints: (V, 4) int32 indices of the joints that move a vertex; unused places are 0 with weight 0.
        weights: (V, 4) float64, not negative, each row sums to 1.
        normals: (V, 3) float64 unit, outwards.
        colours: (V, 3) float64 sRGB in 0..1.
        look: materials, pictures and blend shapes, where there is more than colours.
    """

    vertices: Array
    faces: NDArray[np.int32]
    joints: NDArray[np.int32]
    weights: Array
    normals: Array
    colours: Array
    look: Look | None = None


def mannequin(skeleton: Skeleton) -> Mesh:
    """The mesh that stands for a person with this skeleton.

    Args:
        skeleton: any skeleton; humanoids that rest upright facing +Z, at best in a T-pose, get the smooth body.
    Returns: a `Mesh` with read-only arrays, the same object for the same skeleton (it is cached).
    """
    offsets = np.asarray(skeleton.offsets, dtype=np.float64)
    return _cached(tuple(skeleton.names), tuple(int(p) for p in skeleton.parents), offsets.tobytes())


@lru_cache(maxsize=16)
def _cached(names: tuple[str, ...], parents: tuple[int, ...], offsets: bytes) -> Mesh:
    skeleton = Skeleton("mannequin", names, parents, np.frombuffer(offsets).reshape(-1, 3))
    known = landmarks(skeleton)
    mesh = capsules(skeleton) if known is None else person(*known)
    for array in (mesh.vertices, mesh.faces, mesh.joints, mesh.weights, mesh.normals, mesh.colours):
        array.setflags(write=False)
    return mesh


def skin(mesh: Mesh, skeleton: Skeleton, rotations: Array, root: Array) -> NDArray[np.float32]:
    """Linear blend skinning.

    Args:
        mesh: a mesh in the skeleton's rest pose.
        skeleton: that moves the mesh.
        rotations: (..., T, J, 4) unit wxyz, joint to parent.
        root: (..., T, 3) metres, world.
    Returns: (..., T, V, 3) float32 metres, world.
    Raises: ShapeError if J is not the skeleton's.
    """
    matrices = skin_matrices(skeleton, rotations, root).astype(np.float32)
    lead = matrices.shape[:-3]
    flat = matrices.reshape(-1, len(skeleton), 12)
    dense = np.zeros((len(mesh.vertices), len(skeleton)), dtype=np.float32)
    np.add.at(dense, (np.arange(len(dense))[:, None], mesh.joints), mesh.weights.astype(np.float32))
    points = np.concatenate([mesh.vertices, np.ones((len(dense), 1))], axis=1).astype(np.float32)
    out = np.empty((len(flat), len(dense), 3), dtype=np.float32)
    for t, frame in enumerate(flat):
        blended = (dense @ frame).reshape(-1, 3, 4)
        out[t] = np.einsum("vij,vj->vi", blended, points)
    return out.reshape(*lead, len(dense), 3)


def skin_matrices(skeleton: Skeleton, rotations: Array, root: Array) -> Array:
    """What moves a rest-pose point with each joint.

    Args:
        skeleton: that moves the mesh.
        rotations: (..., J, 4) unit wxyz, joint to parent.
        root: (..., 3) metres, world.
    Returns: (..., J, 3, 4) [R | t], rest pose (root at the origin) to world.
    Raises: ShapeError if J is not the skeleton's.
    """
    rotations = np.asarray(rotations, dtype=np.float64)
    if rotations.shape[-2:] != (len(skeleton), 4):
        raise ShapeError(
            f"body.skin: rotations end in {rotations.shape[-2:]}; {skeleton.name} needs ({len(skeleton)}, 4). "
            "Pass the skeleton that the motion has."
        )
    turn = rotation.to_matrix(kinematics.global_rotations(skeleton, rotations))
    place = kinematics.forward(skeleton, rotations, np.asarray(root, dtype=np.float64))
    shift = place - np.einsum("...jab,jb->...ja", turn, skeleton.rest())
    return np.concatenate([turn, shift[..., None]], axis=-1)


def landmarks(skeleton: Skeleton) -> tuple[dict[str, Array], dict[str, int]] | None:
    """Where HumanML3D's 22 joints lie in a skeleton's rest pose, and which of its joints moves each.

    Returns: ({name: (3,) metres, root at the origin}, {name: joint number}), or None if the names are not a
        humanoid's or the rest pose does not stand upright facing +Z.
    """
    rest = skeleton.rest()
    if set(sculpture.joints()) <= set(skeleton.names):
        moves = {name: skeleton.index(name) for name in sculpture.joints()}
        at = {name: rest[joint] for name, joint in moves.items()}
    else:
        still = np.zeros((1, len(skeleton), 4))
        still[..., 0] = 1.0
        try:
            found = anatomy.match(skeleton)
            places = retarget.landmarks(Motion(skeleton, still, np.zeros((1, 3)), 1.0))
        except LabanError:
            return None
        at = {name: places[name][0] for name in sculpture.joints()}
        spine = found.spine[: found.spine.index(found.chest) + 1] if found.chest in found.spine else (found.chest,)
        moves = {"spine1": spine[0], "spine2": spine[len(spine) // 2], "spine3": spine[-1], "neck": found.chest}
        for side in ("left", "right"):
            moves |= {f"{side}_collar": found.chest, f"{side}_foot": found.joints[f"{side}_ankle"]}
        moves |= found.joints
    height = max(float(at["head"][1] - at["left_ankle"][1]), 1e-9)
    upright = at["head"][1] > at["neck"][1] > at["spine1"][1] > at["left_knee"][1] > at["left_ankle"][1]
    thigh, shin = at["left_knee"] - at["left_hip"], at["left_ankle"] - at["left_knee"]
    straight = all(-leg[1] > 0.8 * np.linalg.norm(leg) > 0.02 * height for leg in (thigh, shin))
    forward = at["left_hip"][0] > at["right_hip"][0] and at["left_foot"][2] > at["left_ankle"][2] - 0.02 * height
    return (at, moves) if upright and straight and forward else None


def person(at: dict[str, Array], moves: dict[str, int]) -> Mesh:
    """The sculpted figure, fitted to a rest pose.

    Each part of the figure follows its joint, is scaled with the skeleton's stature, stretched along its bone to
    the bone's length, and turned from the T-pose to the direction that the bone has in the skeleton's rest pose.

    Args:
        at: {name: (3,) metres}, the places of `mannequin.joints()`.
        moves: {name: joint number} that moves the part.
    """
    vertices, faces, normals, colours = sculpture.painted(*sculpture.sculpt())
    own = sculpture.joints()
    weights = sculpture.weights(vertices)
    spine = ("left_knee", "left_hip"), ("left_ankle", "left_knee"), ("spine2", "pelvis"), ("neck", "spine2")
    stature = sum(float(np.linalg.norm(at[a] - at[b])) for a, b in spine)
    stature /= sum(float(np.linalg.norm(own[a] - own[b])) for a, b in spine)
    # Rigs differ in where pelvis and head joints lie: the hips place the one part, the neck limits the other.
    hips, own_hips = ((p["left_hip"] + p["right_hip"]) / 2 for p in (at, own))
    neck, own_neck = at["head"] - at["neck"], own["head"] - own["neck"]
    reach = stature * float(np.linalg.norm(own_neck)) / max(float(np.linalg.norm(neck)), 1e-9)
    at = at | {"pelvis": hips - stature * own_hips, "head": at["neck"] + min(reach, 1.0) * neck}
    place, turned = np.zeros_like(vertices), np.zeros_like(normals)
    for column, name in enumerate(own):
        matrix, turn = np.eye(3) * stature, np.eye(3)
        if name in sculpture.BONES:
            old, new = own[sculpture.BONES[name]] - own[name], at[sculpture.BONES[name]] - at[name]
            before, after = float(np.linalg.norm(old)), max(float(np.linalg.norm(new)), 1e-6 * stature)
            old = old / before
            turn = rotation.to_matrix(rotation.between(old, new / after))
            matrix = turn @ (matrix + (after / before - stature) * np.outer(old, old))
        share = weights[:, column, None]
        place += share * (at[name] + (vertices - own[name]) @ matrix.T)
        turned += share * (normals @ turn.T)
    order = np.argsort(-weights, axis=1)[:, :4]
    four = np.take_along_axis(weights, order, axis=1)
    number = np.array([moves[name] for name in own], dtype=np.int32)
    return Mesh(
        place,
        faces,
        np.where(four > 0, number[order], 0).astype(np.int32),
        four / four.sum(axis=1, keepdims=True),
        turned / np.linalg.norm(turned, axis=1, keepdims=True),
        colours,
    )


def normals_of(points: Array, faces: NDArray[np.int32]) -> Array:
    """(V, 3) unit normals: the faces' around each vertex, weighted by area; zero where there is no face.

    Args:
        points: (V, 3).
        faces: (F, 3), counter-clockwise seen from outside.
    """
    a, b, c = (points[faces[:, k]] for k in range(3))
    across = np.cross(b - a, c - a)
    sums = [np.bincount(faces.ravel(), np.repeat(across[:, k], 3), len(points)) for k in range(3)]
    normals = np.stack(sums, -1)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def colour_name(colour: Array) -> str:
    """What a material of this colour is called."""
    for name, known in sculpture.PALETTE.items():
        if np.abs(np.asarray(colour) - known).max() < 1e-6:
            return name
    return "#" + "".join(f"{round(float(c) * 255):02x}" for c in colour)


def look_of(mesh: Mesh, name: str) -> Look:
    """The look of a mesh that has colours alone: a material for each of them, called `name` as a whole."""
    if mesh.look is not None:
        return mesh.look
    palette, number = np.unique(mesh.colours, axis=0, return_inverse=True)
    materials = []
    for colour in palette:
        red, green, blue = np.round(linear(colour), 4).tolist()
        materials.append(Material(colour_name(colour), (red, green, blue, 1.0)))
    return Look(name, tuple(materials), number.reshape(-1)[mesh.faces[:, 0]])


def linear(colour: Array) -> Array:
    """Linear light of sRGB values, both 0 to 1."""
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def side_colours(skeleton: Skeleton) -> Array:
    """(J, 3) a colour per joint: warm for the left, cool for the right, light between; names tell the side."""
    sides = [joint_names.part(name)[0] for name in skeleton.names]
    return np.array([sculpture.PALETTE[side or "body"] for side in sides])


def capsules(skeleton: Skeleton, sides: int = 10) -> Mesh:
    """One tapered capsule per bone, for skeletons whose shape is not known. Leaf joints get a small ball.

    Each capsule moves with the joint at its upper end; the caps at both ends overlap, so that no gap opens.
    """
    rest, colours = skeleton.rest(), side_colours(skeleton)
    size = max(float(np.ptp(rest, axis=0).max()), 1e-3)
    parts: list[tuple[Array, NDArray[np.int32], Array, int]] = []
    for j, parent in enumerate(skeleton.parents):
        length = 0.0 if parent < 0 else float(np.linalg.norm(rest[j] - rest[parent]))
        if parent >= 0 and length > 1e-4 * size:
            width = float(np.clip(0.17 * length, 0.008 * size, 0.05 * size))
            points, faces, normals = _capsule(rest[parent], rest[j], width, 0.75 * width, sides)
            parts.append((points, faces, normals, parent))
        if not skeleton.children(j):
            width = float(np.clip(0.2 * length, 0.008 * size, 0.06 * size))
            points, faces, normals = _capsule(rest[j], rest[j] + [0, 1e-3 * size, 0], width, width, sides)
            parts.append((points, faces, normals, j))
    starts = np.cumsum([0] + [len(p[0]) for p in parts])
    owner = np.concatenate([np.full(len(p[0]), p[3]) for p in parts]).astype(np.int32)
    joints = np.zeros((len(owner), 4), dtype=np.int32)
    joints[:, 0] = owner
    weights = np.zeros((len(owner), 4))
    weights[:, 0] = 1.0
    return Mesh(
        np.concatenate([p[0] for p in parts]),
        np.concatenate([p[1] + s for p, s in zip(parts, starts, strict=False)]).astype(np.int32),
        joints,
        weights,
        np.concatenate([p[2] for p in parts]),
        colours[owner],
    )


def _capsule(a: Array, b: Array, ra: float, rb: float, sides: int) -> tuple[Array, NDArray[np.int32], Array]:
    """Points, triangles and normals of a round-ended cone from a (radius ra) to b (radius rb)."""
    axis = (b - a) / np.linalg.norm(b - a)
    across = np.cross(axis, [0, 0, 1.0] if abs(axis[2]) < 0.8 else [1.0, 0, 0])
    across /= np.linalg.norm(across)
    other = np.cross(axis, across)
    tilt = np.array([-90, -60, -25, 0, 0, 25, 60, 90]) * np.pi / 180
    centre, radius = np.array([a] * 4 + [b] * 4), np.array([ra] * 4 + [rb] * 4)
    around = np.arange(sides) * 2 * np.pi / sides
    ring = np.cos(around)[:, None] * across + np.sin(around)[:, None] * other
    normals = np.cos(tilt)[:, None, None] * ring + np.sin(tilt)[:, None, None] * axis
    points = centre[:, None] + radius[:, None, None] * normals
    i, k = np.meshgrid(np.arange(7) * sides, np.arange(sides), indexing="ij")
    p, q = i + k, i + (k + 1) % sides
    quads = np.stack([p, q, q + sides, p, q + sides, p + sides], axis=-1).reshape(-1, 3)
    flat = points.reshape(-1, 3)
    keep = (
        np.linalg.norm(np.cross(flat[quads[:, 1]] - flat[quads[:, 0]], flat[quads[:, 2]] - flat[quads[:, 0]]), axis=1)
        > 1e-12
    )
    return flat, quads[keep].astype(np.int32), normals.reshape(-1, 3)
