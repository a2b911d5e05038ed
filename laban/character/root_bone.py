"""A bone on the floor that carries travel and heading, as Unreal, Godot and Unity's generic rigs want it.

A character whose pelvis hangs on another bone has one already; others get a bone called `root` between the pelvis and
what it hangs on, which moves no vertex.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from laban.character.rig import Rig, inverse_binds, rig_of
from laban.io.gltf_document import Document
from laban.motion import rotation

if TYPE_CHECKING:
    from laban.character.stance import Stance

NAME = "root"
SMOOTH = 0.25  # seconds: standard deviation of the filter of way and heading
ROOTS = ("travel", "in-place", "root-bone")
"""What may become of the way that a performer covers: it stays in the hips, is taken out, or is carried by a bone."""


def with_root(rig: Rig, pelvis: int) -> Rig:
    """The rig with a bone above its pelvis; itself if there is one."""
    if root_of(rig, pelvis) is not None:
        return rig
    document = Document(copy.deepcopy(rig.document.json), list(rig.document.buffers), rig.document.path)
    document.chunks, document.notes = rig.document.chunks, list(rig.document.notes)
    nodes, number = document.json["nodes"], len(rig.names)
    taken, name = set(rig.names), NAME
    while name in taken:
        name += "_bone"
    parent = rig.parents[pelvis]
    holder = nodes[parent]["children"] if parent >= 0 else None
    nodes.append({"name": name, "children": [pelvis]})
    for items in [holder] if holder is not None else [scene.get("nodes", []) for scene in document.items("scenes")]:
        items[:] = [number if item == pelvis else item for item in items]
    above = rig.world[parent] if parent >= 0 else np.eye(4)
    for skin in document.items("skins"):
        if pelvis in skin["joints"] and "inverseBindMatrices" in skin:
            binds = np.concatenate([inverse_binds(rig.document, skin), np.linalg.inv(above)[None]])
            skin["inverseBindMatrices"] = document.add_array(binds.transpose(0, 2, 1).reshape(-1, 16), "MAT4")
        if pelvis in skin["joints"]:
            skin["joints"] = [*skin["joints"], number]
    return rig_of(document)


def root_of(rig: Rig, pelvis: int) -> int | None:
    """The topmost bone above a pelvis; None if there is none."""
    above = [node for node in rig.above(pelvis)[1:] if node in rig.joints]
    return above[-1] if above else None


def tracks(stance: Stance, turn: np.ndarray, root: np.ndarray, fps: float, unit: float) -> dict[str, Any]:
    """How the root bone moves: under the hips on the floor, heading where they do, both without their sway.

    Args:
        stance: the character, with a root bone.
        turn: (T, 4) the pelvis' turns away from the T-pose, our axes.
        root: (T, 3) the pelvis, performer's metres.
        fps: frames per second.
        unit: file units per metre of the performer.
    Returns: `node`; `world` (T, 4, 4) the node to the world; `rotation` (T, 4) and `translation` (T, 3), to its parent.
    """
    from laban.motion.cleanup import filtered

    rig = stance.rig
    node = root_of(rig, stance.map.node("pelvis"))
    if node is None:
        raise ValueError("the character has no root bone; with_root gives it one")
    left = rotation.rotate(turn, np.broadcast_to([1.0, 0.0, 0.0], root.shape))
    heading = filtered(np.unwrap(np.arctan2(-left[:, 2], left[:, 0]))[:, None], SMOOTH * fps)[:, 0]
    place = filtered(root, SMOOTH * fps) * np.array([1.0, 0.0, 1.0]) * unit
    frame = rotation.to_matrix(stance.frame)
    moved = np.tile(np.eye(4), (len(root), 1, 1))
    moved[:, :3, :3] = frame.T @ rotation.to_matrix(rotation.yaw(heading)) @ frame
    moved[:, :3, 3] = place @ frame
    world = moved @ rig.world[node]
    above = rig.world[rig.parents[node]] if rig.parents[node] >= 0 else np.eye(4)
    local = np.linalg.inv(above) @ world
    scales = np.linalg.norm(local[:, :3, :3], axis=-2)
    turns = rotation.continuous(rotation.from_matrix(local[:, :3, :3] / scales[:, None, :]))
    return {"node": node, "world": world, "moved": moved, "rotation": turns, "translation": local[:, :3, 3]}
