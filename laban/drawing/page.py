"""A motion as one self-contained web page (.html): a player that needs no network and no other file."""

from __future__ import annotations

import base64
import html
import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from laban.drawing import scene
from laban.errors import InputError
from laban.io.atomic import replacing
from laban.motion import rotation
from laban.motion.motion import Motion


def write(motion: Motion, path: str | Path, fps: float = 30.0, title: str | None = None, yaw: float = 38.0) -> None:
    """Write a page that plays the motion in any browser: orbit camera, scrub bar, captions, passport.

    The page holds the skeleton, the local rotations (int16 quaternions, 0.01 degrees), the root path and the
    skinned mannequin; it skins, lights and shadows in WebGL 2, or draws a stick figure where that is missing. Its
    content security policy forbids every request. `#t=1.5` after its address opens it paused at that second.

    Args:
        motion: what to show; rates above `fps` are brought down to it, the page interpolates between frames.
        path: ends in .html or .htm.
        fps: frames per second that are stored at most.
        title: of the page; by default the first segment's text.
        yaw: degrees that the camera first stands off the character's mean facing, towards its left.
    Raises: InputError for another suffix, a rate that is not positive, or a place that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"page: {path.name} ends in {path.suffix or 'nothing'}; expected .html.")
    if not fps > 0:
        raise InputError(f"page: fps is {fps}; expected a positive number.")
    if title is None:
        title = motion.segments[0].text if motion.segments else "A motion"
    data = _data(motion.resample(fps) if motion.fps > fps + 1e-6 else motion, yaw) | {"facts": _facts(motion)}
    template = resources.files("laban.drawing").joinpath("preview.html").read_text(encoding="utf-8")
    head, rest = template.split("{{title}}")
    middle, tail = rest.split("{{data}}")
    page = head + html.escape(f"{title} · Laban") + middle + _script(data) + tail
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _data(motion: Motion, yaw: float) -> dict[str, Any]:
    """Everything that the page's script reads, JSON-able; arrays are base64 of little-endian bytes, row-major."""
    figure = scene.Figure(motion)
    mesh = figure.mesh
    facing = scene.heading(motion.skeleton, np.asarray(motion.joints(), dtype=np.float64))
    targets = scene.follow(np.asarray(motion.root, dtype=np.float64)[:, [0, 2]], motion.fps)
    shot = scene.frame_shot(figure.outline(), targets, 4, 3, facing + np.radians(yaw))
    offsets = np.array(motion.skeleton.offsets)
    offsets[0] = 0.0
    around = np.zeros((len(mesh.vertices), 4))  # four bytes per vertex keep WebGL's rows aligned
    normals, colours = around.copy(), around.copy()
    normals[:, :3], colours[:, :3] = mesh.normals, mesh.colours
    return {
        "fps": motion.fps,
        "frames": motion.frames,
        "parents": list(motion.skeleton.parents),
        "offsets": _pack(offsets, "<f4"),
        "rotations": _pack(np.round(rotation.normalise(motion.rotations) * 32767), "<i2"),
        "root": _pack(motion.root, "<f4"),
        "targets": _pack(targets, "<f4"),
        "yaw": shot.yaw,
        "pitch": shot.pitch,
        "field": shot.field,
        "distance": shot.distance,
        "level": shot.level,
        "reach": max(shot.reach),
        "mesh": {
            "vertices": _pack(mesh.vertices, "<f4"),
            "normals": _pack(np.round(normals * 127), "i1"),
            "colours": _pack(np.round(np.clip(colours, 0, 1) * 255), "u1"),
            "joints": _pack(mesh.joints, "<u2"),
            "weights": _pack(np.round(mesh.weights * 65535), "<u2"),
            "faces": _pack(mesh.faces, "<u4"),
        },
        "segments": [{"text": s.text, "start": s.start, "end": s.end} for s in motion.segments],
    }


def _script(data: dict[str, Any]) -> str:
    """JSON that may stand inside a script element: without "<", nothing in it can end the element."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _pack(array: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array).astype(kind).tobytes()).decode("ascii")


def _facts(motion: Motion) -> list[tuple[str, str]]:
    """The passport as names and values, nested names joined by dots, then what the clip itself says."""
    rows: list[tuple[str, str]] = []

    def walk(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{name}.{key}" if name else str(key), inner)
        elif value is not None:
            rows.append((name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))

    if motion.passport:
        walk("", motion.passport)
    else:
        rows.append(("passport", "none: this clip does not say where it comes from"))
    rows.append(("length", f"{motion.seconds:.2f} s, {motion.frames} frames at {motion.fps:g} per second"))
    rows.append(("skeleton", f"{motion.skeleton.name}, {len(motion.skeleton)} joints"))
    return rows
