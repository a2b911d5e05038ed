"""BVH: `read` any humanoid or other single-character file, `write` one that Blender, Unity and Unreal take.

Units and the axis that is up are those of a person who stands (see `read`). End Sites become joints called
`<parent>_end`, so that toe tips and head tops are not lost; leaf joints of that name are written as End Sites again.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from laban.errors import FormatError, InputError
from laban.io import about
from laban.io.atomic import replacing
from laban.io.bvh_body import as_builtin, assembled, usual_units
from laban.io.bvh_parse import MAX_BYTES, parse
from laban.motion import rotation
from laban.motion.bearings import settled
from laban.motion.motion import Motion, Segment
from laban.motion.skeleton import Skeleton

CENTIMETRES = 100.0
MAX_SIDECAR = 16 * 2**20  # bytes
_AXES = "XYZ"
_END = re.compile(r"(.+)_end\d*")


def read(path: str | Path, scale: float | None = None, *, up: str = "", units: str = "", person: str = "") -> Motion:
    """Read a BVH file.

    Position channels replace OFFSET, axis by axis; they are never added to it. Where a joint under the root carries
    the body and its travel (`joint_Root > Hips`, also beside IK bones and props), the root of the result is that
    joint, with its world position and rotation, and what is beside it is left out. Joints that stretch or wander in
    the body get one place each. Rows that do not match `Frames:` are used as far as they are whole. What was mended or
    assumed stands in the motion's `notes`.

    Args:
        path: the file. `<path>.passport.json` beside it gives passport and segments, if it is there; such a file is
            ours, in centimetres and with Y up.
        scale: file units per metre (100 for centimetres, 1 for metres), in place of `units`.
        up: which axis is up in the file (y, z, x, -y, -z, -x); found from the body if empty.
        units: m, cm, mm, in, ft, dm or cmu; found from the size of the body if empty.
        person: of several roots the name, or the number from 0; the first if empty.
    Returns: Motion in metres, Y up, float64. A file with the names and the tree of a built-in skeleton (HumanML3D,
        SMPL, KIT) comes back in that skeleton's joint order, without End Sites.
    Raises: FormatError, one line, for anything that is not a BVH file, and for joints that move about in the body;
        InputError if the file is missing, `scale` is not a positive number, or there is no such axis, unit or person.
    """
    path = Path(path)
    if scale is not None and not (np.isfinite(scale) and scale > 0):
        raise InputError(f"bvh.read: scale is {scale}; units per metre above 0 were expected, as 100 for centimetres.")
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise FormatError(f"{path}: {size / 2**20:.0f} MiB; up to {MAX_BYTES >> 20} MiB are read. Cut the take.")
        layout = parse(path.read_bytes(), str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None
    passport, segments = _read_sidecar(path)
    raw = assembled(layout, path.stem, str(path), person)
    if passport is not None and scale is None and not (up or units):
        scale, up = CENTIMETRES, "y"
    given = units if scale is None else repr(scale)
    motion = as_builtin(settled(raw, up, given, usual_units(raw)))
    return replace(motion, passport=passport, segments=segments) if passport or segments else motion


def write(motion: Motion, path: str | Path, order: str = "ZXY", scale: float = CENTIMETRES) -> None:
    """Write a BVH file, and `<path>.passport.json` beside it if the motion has a passport or segments.

    The root has six channels, every other joint three rotations in `order`; leaves get a short End Site. Joints come
    back from `read` to 0.01 mm.

    Args:
        motion: any skeleton.
        path: ends in .bvh.
        order: Euler order of all joints, as 'ZXY' or 'XYZ'.
        scale: units per metre; 100 writes centimetres.
    Raises: InputError if the order, the scale or the folder will not do, a value is not finite, or JSON cannot hold
        the passport (then nothing is written).
    """
    path = Path(path)
    order = str(order).upper()
    if sorted(order) != list(_AXES):
        raise InputError(f"bvh.write: order {order!r}; X, Y and Z once each were expected, as 'ZXY'.")
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(f"bvh.write: scale is {scale}; units per metre above 0 were expected, as 100 for centimetres.")
    root = np.asarray(motion.root, dtype=np.float64) * scale
    quaternions = np.asarray(motion.rotations, dtype=np.float64)
    if len(root) == 0 or not (np.isfinite(root).all() and np.isfinite(quaternions).all()):
        raise InputError("bvh.write: the motion is empty or holds NaN or infinite values; finite frames were expected.")
    header, joints = _header(motion.skeleton, order, scale)
    angles = rotation.to_euler(rotation.normalise(quaternions[:, joints]), order, degrees=True)
    rows = np.concatenate([root, angles.reshape(len(root), -1)], axis=1)
    digits = max(4, 6 - int(np.floor(np.log10(scale))))  # the root to 0.0001 cm, whatever the unit
    said = about.dumps(about.about(motion), sidecar(path), indent=2)  # before anything is written
    line = " ".join([f"%.{digits}f"] * 3 + ["%.5f"] * (rows.shape[1] - 3)) + "\n"
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
        file.write(header)
        file.write(f"MOTION\nFrames: {len(rows)}\nFrame Time: {1.0 / motion.fps:.10g}\n")
        for start in range(0, len(rows), 256):
            chunk = rows[start : start + 256]
            file.write(line * len(chunk) % tuple(chunk.ravel().tolist()))
    if motion.passport is None and not motion.segments:
        sidecar(path).unlink(missing_ok=True)  # one of an older file would now be untrue
        return
    with replacing(sidecar(path)) as temporary:
        temporary.write_bytes(said + b"\n")


def _is_end(skeleton: Skeleton, joint: int) -> bool:
    parent = skeleton.parents[joint]
    match = _END.fullmatch(skeleton.names[joint])
    return parent >= 0 and not skeleton.children(joint) and match is not None and match[1] == skeleton.names[parent]


def _header(skeleton: Skeleton, order: str, scale: float) -> tuple[str, list[int]]:
    """The hierarchy, depth first, and the joints in the order of its channels."""
    turns = " ".join(f"{axis}rotation" for axis in order)
    lines, joints = ["HIERARCHY"], []
    stack: list[tuple[int, int]] = [(0, 0)]  # (joint, depth); ~joint closes it
    while stack:
        joint, depth = stack.pop()
        tab = "\t" * depth
        if joint < 0:
            lines.append(tab + "}")
            continue
        x, y, z = skeleton.offsets[joint] * scale if joint else np.zeros(3)
        offset = f"{tab}\tOFFSET {x:.6f} {y:.6f} {z:.6f}"
        if _is_end(skeleton, joint):
            lines += [f"{tab}End Site", tab + "{", offset, tab + "}"]
            continue
        joints.append(joint)
        name = re.sub(r"[{}\s]+", " ", skeleton.names[joint]).strip() or f"joint{joint}"
        places = "6 Xposition Yposition Zposition" if joint == 0 else "3"
        keyword = "JOINT" if joint else "ROOT"
        lines += [f"{tab}{keyword} {name}", tab + "{", offset, f"{tab}\tCHANNELS {places} {turns}"]
        children = skeleton.children(joint)
        if not children:
            x, y, z = _tip(skeleton, joint) * scale
            lines += [f"{tab}\tEnd Site", tab + "\t{", f"{tab}\t\tOFFSET {x:.6f} {y:.6f} {z:.6f}", tab + "\t}"]
        stack.append((~joint, depth))
        stack += [(child, depth + 1) for child in reversed(children)]
    return "\n".join(lines) + "\n", joints


def _tip(skeleton: Skeleton, joint: int) -> np.ndarray:
    """(3,) metres: an End Site that goes on along the bone, for half its length and at most 10 cm."""
    bone = skeleton.offsets[joint] if joint else np.zeros(3)
    length = float(np.linalg.norm(bone))
    if length < 1e-6:
        return np.array([0.0, 0.05, 0.0])
    return bone / length * min(0.1, 0.5 * length)


def sidecar(path: str | Path) -> Path:
    """Where passport and segments of a BVH file stand: walk.bvh -> walk.bvh.passport.json."""
    return Path(f"{path}.passport.json")


def _read_sidecar(path: Path) -> tuple[dict[str, Any] | None, tuple[Segment, ...]]:
    beside = sidecar(path)
    if not beside.is_file():
        return None, ()
    try:
        if beside.stat().st_size > MAX_SIDECAR:
            raise ValueError("too large")
        content = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise FormatError(f"{beside}: not a passport that Laban wrote. Repair it or take it away.") from None
    return about.parse(content, beside)
