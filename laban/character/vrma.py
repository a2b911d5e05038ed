"""`.vrma`: a clip as a VRM animation, which any VRM model plays.

A VRM animation is a glTF binary whose nodes form a humanoid in the T-pose, facing +Z, with unrotated bones; the
extension says which node is which bone, and a model takes rotations as they are and the hips' travel by the ratio of
hip heights. The nodes here are the character's joints in the T-pose, in the performer's metres.

Source: VRM Consortium, VRMC_vrm_animation-1.0. Deviation: expressions and look-at are not written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from laban.character.bonemap import VRM
from laban.character.certificate import turns_of
from laban.character.made import Made
from laban.errors import InputError
from laban.io import gltf_document
from laban.io.gltf_document import Document
from laban.motion import kinematics, rotation
from laban.motion.legs import SIDES

SPECIFICATION = "1.0"
NEEDED = ("hips", "spine", "head", *(f"{s}{b}" for s in SIDES for b in (
    "UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")))  # fmt: skip
_SPINE = {1: ("spine",), 2: ("spine", "chest"), 3: ("spine", "chest", "upperChest")}


def write(made: Made, path: str | Path) -> None:
    """Write a clip as a VRM animation.

    Raises: InputError for a character without the bones that VRM needs.
    """
    path = Path(path)
    gltf_document.write(document_of(made, path), path)


def document_of(made: Made, path: Path) -> Document:
    """The VRM animation as a document."""
    stance, clip = made.clip.stance, made.clip
    skeleton = stance.skeleton
    keep = [j for j, node in enumerate(stance.nodes) if node >= 0]
    bones = human_bones(made, [skeleton.names[j] for j in keep])
    missing = [name for name in NEEDED if name not in bones]
    if missing:
        raise InputError(f"{path}: a VRM animation needs {', '.join(missing)}, which the character's map lacks.")
    turns, root = turns_of(clip)
    local = rotation.continuous(kinematics.local_rotations(skeleton, turns))
    rest = skeleton.rest() / clip.unit
    lowest = min(rest[skeleton.index(f"{s}_ankle"), 1] for s in SIDES) - stance.height[0] / clip.unit
    hips = np.mean([rest[skeleton.index(f"{s}_hip")] for s in SIDES], axis=0)
    shift = (
        hips if hips[1] > 0.3 * clip.performance.leg else np.zeros(3)
    )  # a pelvis on the floor: VRM scales by its height
    root = root + rotation.rotate(turns[:, 0], np.broadcast_to(shift, root.shape))
    nodes: list[dict[str, Any]] = []
    for joint in keep:
        place = skeleton.offsets[joint] / clip.unit - (shift if skeleton.parents[joint] == 0 else 0.0)
        place = place if joint else np.array([0.0, -lowest, 0.0]) + shift
        node: dict[str, Any] = {"name": skeleton.names[joint], "translation": place.tolist()}
        children = [keep.index(c) for c in skeleton.children(joint) if c in keep]
        nodes.append(node | ({"children": children} if children else {}))
    extension = {"specVersion": SPECIFICATION, "humanoid": {"humanBones": {n: {"node": k} for n, k in bones.items()}}}
    about = {"laban": {"passport": made.passport, "certificate": made.certificate.record()}}
    document = Document(
        {
            "asset": {"version": "2.0", "generator": "Laban", "extras": about}, "scene": 0, "scenes": [{"nodes": [0]}],
            "nodes": nodes, "extensionsUsed": ["VRMC_vrm_animation"], "extensions": {"VRMC_vrm_animation": extension},
        },
        [], path,
    )  # fmt: skip
    times = document.add_array(np.arange(clip.frames) / clip.fps, "SCALAR", bounds=True)
    samplers: list[dict[str, Any]] = [{"input": times, "output": document.add_array(root, "VEC3")}]
    channels: list[dict[str, Any]] = [{"sampler": 0, "target": {"node": 0, "path": "translation"}}]
    for number, joint in enumerate(keep):
        output = document.add_array(local[:, joint][:, [1, 2, 3, 0]], "VEC4")
        samplers.append({"input": times, "output": output})
        channels.append({"sampler": len(samplers) - 1, "target": {"node": number, "path": "rotation"}})
    document.json["animations"] = [{"name": clip.name, "channels": channels, "samplers": samplers}]
    return document


def human_bones(made: Made, names: list[str]) -> dict[str, int]:
    """VRM's name -> number of the node."""
    ours = {theirs: name for name, theirs in VRM.items()}
    found = {ours[name]: k for k, name in enumerate(names) if name in ours}
    count = len(made.clip.stance.map.spine)
    chain = list(range(1, count + 1))
    if count > 3:
        chain = [1, (count + 1) // 2, count]
    for name, place in zip(_SPINE.get(len(chain), ()), chain, strict=False):
        found[name] = names.index(f"spine{place}")
    if "neck1" in names:
        found["neck"] = names.index("neck1")
    return found
