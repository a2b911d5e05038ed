"""A motion on a character as an `Asset`, for writers that do not carry the character's own file along."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from laban.character.looks import Looks, joined
from laban.character.made import Made
from laban.character.rig import Rig
from laban.character.skin import Part, colours, parts, triangles
from laban.figure.asset import Asset, to_parents
from laban.figure.mesh import Mesh, normals_of
from laban.motion import rotation


def asset_of(made: Made) -> Asset:
    """The bones of the character, their tracks and the skinned meshes, in the file's units and axes.

    Bones are what a skin or the clip moves; other nodes between them are taken into the places of those below. Meshes
    are in the rest pose, with their materials, pictures and blend shapes.
    """
    clip, rig = made.clip, made.clip.stance.rig
    moved = {*rig.joints, *clip.rotations, *clip.translations}
    bones = [node for node in rig.order if node in moved]
    above = [next((bones.index(a) for a in rig.above(node)[1:] if a in bones), -1) for node in bones]
    rest = rig.world[bones]
    local = to_parents(clip.world()[:, bones], above)
    scales = np.linalg.norm(local[..., :3, :3], axis=-2)
    turns = rotation.continuous(rotation.from_matrix(local[..., :3, :3] / scales[..., None, :]))
    return Asset(
        tuple(rig.names[node] for node in bones), tuple(above), rest, to_parents(rest[None], above)[0, :, :3, 3],
        local[..., :3, 3], turns, scales[0], _meshes(rig, bones), clip.fps, clip.name, made.passport,
    )  # fmt: skip


def _meshes(rig: Rig, bones: list[int]) -> tuple[Mesh, ...]:
    """A mesh for each node that carries one; its primitives become one surface of several materials."""
    looks = Looks(rig.document)
    places = {bone: number for number, bone in enumerate(bones)}
    number = np.array(
        [next((places[a] for a in rig.above(n) if a in places), 0) for n in range(len(rig.names))], np.int32
    )
    whole = [part for part in parts(rig) if len(triangles(rig, part))]
    return tuple(_mesh(rig, looks, number, list(own)) for _, own in groupby(whole, key=lambda part: part.node))


def _mesh(rig: Rig, looks: Looks, number: np.ndarray, own: list[Part]) -> Mesh:
    points, faces, joints, weights, normals, tints, seen = [], [], [], [], [], [], []
    width = max(part.weights.shape[1] for part in own)
    count = 0
    for part in own:
        at, corners, turns = part.at(rig.world), triangles(rig, part).astype(np.int32), part.turns(rig.world)
        used, places = np.unique(corners, return_inverse=True)  # primitives may share their vertices
        points.append(at[used])
        faces.append(places.reshape(corners.shape).astype(np.int32) + count)
        spare = ((0, 0), (0, width - part.weights.shape[1]))
        joints.append(np.pad(number[part.nodes(used)], spare))
        weights.append(np.pad(part.weights[used].astype(np.float64), spare))
        normals.append(_normals(rig, part, turns, at, corners)[used])
        tints.append(colours(rig, part)[used])
        seen.append(looks.look(part, len(corners), turns).of_vertices(used))
        count += len(used)
    look = joined(seen, [len(mesh) for mesh in points])
    vertices, sides, nodes, shares, outward, colour = (
        np.concatenate(rows) for rows in (points, faces, joints, weights, normals, tints)
    )
    return Mesh(vertices, sides, nodes, shares, outward, colour, look)


def _normals(rig: Rig, part: Part, turns: np.ndarray, points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) unit: the file's normals at rest, or those of the faces where it has none."""
    given = part.primitive["attributes"].get("NORMAL")
    if given is None:
        return normals_of(points, faces)
    found = rig.document.array(given).astype(np.float64)
    if found.shape != points.shape or not np.isfinite(found).all():
        return normals_of(points, faces)
    return rotation.unit(np.einsum("vab,vb->va", turns, found))
