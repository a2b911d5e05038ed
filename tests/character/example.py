"""Characters made in code: our mannequin in any rest pose, armature and bone frames, for tests and benchmarks.

`hostile` are two rigs of the kinds that break retargeters: an A-pose under an armature that is turned by 90 degrees
and scaled by 100, and one whose bones have random frames and meaningless names, in a file whose up is Z.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from laban.figure.mesh import Mesh, mannequin
from laban.figure.mesh import skin as skinned
from laban.io.gltf_document import Document
from laban.motion import kinematics, rotation
from laban.motion.skeletons import HUMANML22

MIXAMO = {
    "pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2", "neck": "Neck", "head": "Head",
    "hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase", "collar": "Shoulder", "shoulder": "Arm",
    "elbow": "ForeArm", "wrist": "Hand",
}  # fmt: skip


def mixamo(name: str) -> str:
    """A joint of HumanML3D as Mixamo calls it."""
    side, _, base = name.partition("_")
    return "mixamorig:" + (side.capitalize() + MIXAMO[base] if base else MIXAMO[name])


def character(
    *, arms_down: float = 0.0, scale: float = 1.0, z_up: bool = False, lying: bool = False, rolls: int | None = None,
    names: dict[str, str] | None = None, twist: bool = False, size: float = 1.0, mesh: bool = True,
) -> Document:  # fmt: skip
    """A skinned character.

    Args:
        arms_down: degrees by which the arms hang below the T-pose; 45 is an A-pose.
        scale: of the armature node; the bones below are that much smaller.
        z_up: the armature holds a body with Z up and is turned to stand.
        lying: the whole file has Z up, and nothing turns it.
        rolls: seed of random frames for all bones; None leaves them along the axes.
        names: HumanML3D name -> bone name; Mixamo's if not given.
        twist: add a twist bone to each forearm and upper arm.
        size: metres of the file per metre. mesh: with the mannequin, or bones only.
    """
    called = names or {name: mixamo(name) for name in HUMANML22.names}
    pose = np.zeros((22, 4))
    pose[:, 0] = 1.0
    for side, sign in (("left", -1.0), ("right", 1.0)):
        turn = np.array([0.0, 0.0, sign * np.radians(arms_down)])
        pose[HUMANML22.index(f"{side}_shoulder")] = rotation.from_axis_angle(turn)
    shape = mannequin(HUMANML22) if mesh else None
    points = HUMANML22.rest()
    if shape is not None:
        points = skinned(shape, HUMANML22, pose[None], np.zeros((1, 3)))[0].astype(np.float64)
    lift = np.array([0.0, -points[:, 1].min(), 0.0])
    whole = rotation.to_matrix(rotation.from_axis_angle(np.array([np.pi / 2, 0.0, 0.0]))) if lying else np.eye(3)
    points = (points + lift) @ whole.T * size
    turns = rotation.to_matrix(kinematics.global_rotations(HUMANML22, pose))
    places = kinematics.forward(HUMANML22, pose, lift) @ whole.T * size
    generator = np.random.default_rng(0 if rolls is None else rolls)
    bones: list[tuple[str, int, np.ndarray, np.ndarray]] = []  # name, parent, rotation, place
    for joint, name in enumerate(HUMANML22.names):
        own = whole @ turns[joint]
        if rolls is not None:
            own = own @ rotation.to_matrix(rotation.normalise(generator.normal(size=4)))
        bones.append((called[name], HUMANML22.parents[joint], own, places[joint]))
    if twist:
        for side in ("left", "right"):
            for start, end in (("shoulder", "elbow"), ("elbow", "wrist")):
                a, b = (HUMANML22.index(f"{side}_{n}") for n in (start, end))
                middle = (places[a] + places[b]) / 2
                bones.append((called[f"{side}_{start}"] + "Twist", a, bones[a][2], middle))
    return _document(bones, points, shape, scale, z_up)


def hostile() -> dict[str, Document]:
    """Name -> document of the two rigs that the certificate must pass on."""
    numbered = {name: f"bone_{(k * 7) % 22:03}" for k, name in enumerate(HUMANML22.names)}
    return {
        "A-pose, armature turned and scaled by 100": character(arms_down=50, scale=100, z_up=True),
        "random bone frames, no names, Z up": character(arms_down=20, rolls=5, names=numbered, lying=True),
    }


def _document(
    bones: list[tuple[str, int, np.ndarray, np.ndarray]], points: np.ndarray, shape: Mesh | None,
    scale: float, z_up: bool,
) -> Document:  # fmt: skip
    count = len(bones)
    world = np.tile(np.eye(4), (count, 1, 1))
    for k, (_, _, turn, place) in enumerate(bones):
        world[k, :3, :3], world[k, :3, 3] = turn * scale, place
    armature = np.eye(4)
    half = np.sqrt(0.5)
    quaternion = [-half, 0.0, 0.0, half] if z_up else [0.0, 0.0, 0.0, 1.0]
    armature[:3, :3] = rotation.to_matrix(np.array([quaternion[3], *quaternion[:3]])) * scale
    nodes: list[dict[str, Any]] = []
    for k, (name, parent, _, _) in enumerate(bones):
        local = np.linalg.inv(world[parent] if parent >= 0 else armature) @ world[k]
        w, x, y, z = rotation.from_matrix(local[:3, :3]).tolist()
        nodes.append({"name": name, "translation": local[:3, 3].tolist(), "rotation": [x, y, z, w]})
        children = [j for j, bone in enumerate(bones) if bone[1] == k]
        if children:
            nodes[k]["children"] = children
    nodes.append({"name": "Armature", "rotation": quaternion, "scale": [scale] * 3, "children": [0]})
    document = Document(
        {"asset": {"version": "2.0", "generator": "Laban"}, "scene": 0, "scenes": [{"nodes": [count]}], "nodes": nodes},
        [], Path("example.glb"),
    )  # fmt: skip
    skin: dict[str, Any] = {"joints": list(range(count))}
    binds = np.linalg.inv(world).transpose(0, 2, 1).reshape(count, 16)
    skin["inverseBindMatrices"] = document.add_array(binds, "MAT4")
    document.json["skins"] = [skin]
    if shape is not None:
        _add_mesh(document, points, shape)
    document.buffers = [memoryview(bytes(document.extra))]
    document.json["buffers"] = [{"byteLength": len(document.extra)}]
    document.extra = bytearray()
    return document


def _add_mesh(document: Document, points: np.ndarray, shape: Mesh) -> None:
    attributes = {"POSITION": document.add_array(points, "VEC3", bounds=True)}
    accessors = document.json["accessors"]
    for name, values, kind, width in (
        ("JOINTS_0", np.where(shape.weights > 0, shape.joints, 0).astype("u1"), 5121, "VEC4"),
        ("indices", shape.faces.reshape(-1, 1).astype("<u4"), 5125, "SCALAR"),
    ):
        view = document.add_bytes(values.tobytes())
        accessors.append({"bufferView": view, "componentType": kind, "count": len(values), "type": width})
        attributes[name] = len(accessors) - 1
    weights = shape.weights / shape.weights.sum(-1, keepdims=True)
    attributes["WEIGHTS_0"] = document.add_array(weights, "VEC4")
    indices = attributes.pop("indices")
    document.json["materials"] = [{"name": "cloth", "pbrMetallicRoughness": {"baseColorFactor": [0.4, 0.5, 0.7, 1.0]}}]
    document.json["meshes"] = [{"primitives": [{"attributes": attributes, "indices": indices, "material": 0}]}]
    document.json["nodes"].append({"name": "Body", "mesh": 0, "skin": 0})
    document.json["scenes"][0]["nodes"].append(len(document.json["nodes"]) - 1)
