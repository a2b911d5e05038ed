"""The answer: a glTF 2.0 document with the request's joints as nodes, a skin, and an animation per sample."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from laban.service.mmcp.body import Tracks
from laban.service.mmcp.models import VERSION
from laban.service.mmcp.trajectory import trajectory

EXTENSION = "MMCP_motion"
FILE = "answer.gltf"  # in the job's folder
JSON, BINARY = "model/gltf+json", "model/gltf-binary"
_FLOAT = 5126


def document(
    skeleton: dict[str, Any], samples: Sequence[Tracks], fps: float, model: str, boundaries: Sequence[int] = (),
    notes: Sequence[dict[str, Any]] = (), ours: dict[str, str] | None = None, *, loop: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The glTF document as JSON, its buffer a data URI.

    Args:
        skeleton: of the request.
        samples: motions on it.
        fps: of their frames.
        model: id.
        boundaries: frames at which one segment's stretch ends and the next begins.
        notes: code, severity and message of what the client should know.
        loop: whether the motions are cycles.
        ours: our joint -> the request's, where the motion was put onto another skeleton.
    """
    joints = skeleton["joints"]
    names = [joint["name"] for joint in joints]
    nodes: list[dict[str, Any]] = []
    for joint in joints:
        node: dict[str, Any] = {"name": joint["name"], "translation": list(joint["rest_translation"])}
        if list(joint["rest_rotation"]) != [0.0, 0.0, 0.0, 1.0]:
            node["rotation"] = list(joint["rest_rotation"])
        children = [k for k, child in enumerate(joints) if child["parent"] == joint["name"]]
        nodes.append(node | ({"children": children} if children else {}))
    root = next(k for k, joint in enumerate(joints) if joint["parent"] is None)
    buffer = _Buffer()
    animations = []
    for number, sample in enumerate(samples):
        times = buffer.add((np.arange(len(sample.root)) / fps)[:, None], bounds=True)
        outputs = [(k, "rotation", buffer.add(sample.rotations[:, k])) for k in range(len(names))]
        outputs.append((root, "translation", buffer.add(sample.root)))
        animations.append({
            "name": f"sample_{number}",
            "samplers": [{"input": times, "output": out, "interpolation": "LINEAR"} for _, _, out in outputs],
            "channels": [
                {"sampler": k, "target": {"node": node, "path": path}} for k, (node, path, _) in enumerate(outputs)
            ],
        })  # fmt: skip
    told = {
        "version": VERSION, "model": model, "fps": fps,
        "samples": [
            _sample(number, sample, boundaries) | {"trajectory": trajectory(sample.root, fps, loop=loop)}
            for number, sample in enumerate(samples)
        ],
    }  # fmt: skip
    told |= {"canonical_to_request": ours} if ours else {}
    told |= {"notes": list(notes)} if notes else {}
    uri = "data:application/octet-stream;base64," + base64.b64encode(buffer.data).decode("ascii")
    return {
        "asset": {"version": "2.0", "generator": "Laban"}, "scene": 0, "scenes": [{"nodes": [root]}], "nodes": nodes,
        "skins": [{"joints": list(range(len(nodes))), "skeleton": root}], "animations": animations,
        "accessors": buffer.accessors, "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data), "uri": uri}],
        "extensionsUsed": [EXTENSION], "extensions": {EXTENSION: told},
    }  # fmt: skip


def binary(made: dict[str, Any]) -> bytes:
    """The same document as GLB."""
    content = dict(made)
    data = base64.b64decode(content["buffers"][0]["uri"].partition(",")[2])
    content["buffers"] = [{"byteLength": len(data)}]
    text = json.dumps(content, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    data += b"\0" * (-len(data) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _sample(number: int, sample: Tracks, boundaries: Sequence[int]) -> dict[str, Any]:
    contacts = {name: stands.astype(bool).tolist() for name, stands in sample.contacts.items()}
    facts = {"name": f"sample_{number}", "num_frames": len(sample.root), "chunk_boundaries": list(boundaries)}
    return facts | ({"foot_contacts": contacts} if contacts else {})


class _Buffer:
    """Arrays one behind the other, each an accessor."""

    def __init__(self) -> None:
        self.data = b""
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: np.ndarray, *, bounds: bool = False) -> int:
        """The number of the accessor of (N, W) values."""
        floats = np.ascontiguousarray(values, "<f4")
        kind = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}[floats.shape[1]]
        accessor = {"bufferView": len(self.views), "componentType": _FLOAT, "count": len(floats), "type": kind}
        if bounds:
            accessor |= {"min": floats.min(axis=0).tolist(), "max": floats.max(axis=0).tolist()}
        self.views.append({"buffer": 0, "byteOffset": len(self.data), "byteLength": floats.nbytes})
        self.accessors.append(accessor)
        self.data += floats.tobytes()
        return len(self.accessors) - 1
