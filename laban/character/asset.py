"""A motion on a character as an `Asset`, for writers that do not carry the character's own file along."""

from __future__ import annotations

import numpy as np

from laban.character.made import Made
from laban.character.skin import colours, parts, triangles
from laban.figure.asset import Asset, to_parents
from laban.figure.mesh import Mesh, normals_of
from laban.motion import rotation


def asset_of(made: Made) -> Asset:
    """The bones that a skin of the character moves, their tracks and the skinned meshes, in the file's units and axes.

    Blend shapes, textures and materials other than a plain colour are not carried over.
    """
    clip, rig = made.clip, made.clip.stance.rig
    bones = [node for node in rig.order if node in rig.joints]
    above = [next((bones.index(a) for a in rig.above(node)[1:] if a in bones), -1) for node in bones]
    rest = rig.world[bones]
    local = to_parents(clip.world()[:, bones], above)
    scales = np.linalg.norm(local[..., :3, :3], axis=-2)
    turns = rotation.continuous(rotation.from_matrix(local[..., :3, :3] / scales[..., None, :]))
    number = np.array([bones.index(n) if n in bones else 0 for n in range(len(rig.names))], np.int32)
    meshes = []
    for part in parts(rig):
        points, faces = part.at(rig.world), triangles(rig, part).astype(np.int32)
        joints = number[part.nodes()]
        meshes.append(Mesh(points, faces, joints, part.weights, normals_of(points, faces), colours(rig, part)))
    return Asset(
        tuple(rig.names[node] for node in bones), tuple(above), rest, to_parents(rest[None], above)[0, :, :3, 3],
        local[..., :3, 3], turns, scales[0], tuple(meshes), clip.fps, clip.name, made.passport,
    )  # fmt: skip
