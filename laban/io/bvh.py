"""BVH: `read` any humanoid or other single-character file, `write` one that Blender, Unity and Unreal take.

Files are in centimetres unless they say otherwise by their size (see `read`). Y is up; a file made with Z up keeps
its axes. End Sites become joints called `<parent>_end`, so that toe tips and head tops are not lost; leaf joints
of that name are written as End Sites again.
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
from laban.io.bvh_parse import MAX_BYTES, Layout, Node, parse
from laban.motion import rotation
from laban.motion.motion import Motion, Segment
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import SKELETONS

CENTIMETRES = 100.0
MAX_SIDECAR = 16 * 2**20  # bytes
STILL = 1e-4  # metres: a joint whose position channels stay within this is a joint of fixed offset
_AXES = "XYZ"
_END = re.compile(r"(.+)_end\d*")


def read(path: str | Path, scale: float | None = None) -> Motion:
    """Read a BVH file.

    Position channels replace OFFSET, axis by axis; they are never added to it. Where a chain of joints leads to the
    first real one and carries its travel (`joint_Root > Hips`, both with six channels), the chain is folded: the
    root of the result is that joint, with its world position and rotation. Below it a joint with position channels
    must keep still in its parent's frame (within 0.1 mm); its place there becomes its offset.

    Args:
        path: the file. `<path>.passport.json` beside it gives passport and segments, if it is there.
        scale: file units per metre (100 for centimetres, 1 for metres). By default 100, except for a body of ten or
            more joints whose longest way from joint to joint is under 3 units (taken as metres) or over 400
            (millimetres).
    Returns: Motion in metres, float64. A file with the names and the tree of a built-in skeleton (HumanML3D, SMPL,
        KIT) comes back in that skeleton's joint order, without End Sites.
    Raises: FormatError, one line, for anything that is not a BVH file, and for joints that move within the body;
        InputError if the file is missing or `scale` is not a positive number.
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
    motion = _assemble(layout, scale, str(path), path.stem)
    passport, segments = _read_sidecar(path)
    return replace(motion, passport=passport, segments=segments)


def _assemble(layout: Layout, scale: float | None, what: str, name: str) -> Motion:
    nodes, values = layout.nodes, layout.values
    frames = len(values)
    offsets = np.array([node.offset for node in nodes], dtype=np.float64)
    units = _units(nodes, layout, offsets) if scale is None else scale
    offsets /= units
    places = {j: _place(node, offsets[j], values, units) for j, node in enumerate(nodes) if _moves(node)}
    rotations = _rotations(nodes, values)

    first = 0  # the joint that becomes the root
    root = places.get(0, np.broadcast_to(offsets[0], (frames, 3)))
    children: list[list[int]] = [[] for _ in nodes]
    for joint, node in enumerate(nodes):
        if node.parent >= 0:
            children[node.parent].append(joint)
    while len(children[first]) == 1 and children[first][0] in places:
        child = children[first][0]
        idle = not root.any() and np.allclose(rotations[:, first, 1:], 0, atol=1e-12) and len(children[child]) > 1
        if not idle and np.ptp(places[child], axis=0).max() <= 2 * STILL:
            break
        root = root + rotation.rotate(rotations[:, first], places.pop(child))
        rotations[:, child] = rotation.multiply(rotations[:, first], rotations[:, child])
        first = child
    for joint, place in places.items():
        if joint <= first:
            continue
        low, high = place.min(0), place.max(0)
        if (high - low).max() > 2 * STILL:
            raise FormatError(
                f"{what}: joint {nodes[joint].name!r} moves by {(high - low).max() * 1000:.1f} mm inside the body; "
                "only the root may travel. Export it with fixed bone lengths."
            )
        offsets[joint] = (low + high) / 2
    offsets[first] = 0.0
    skeleton = Skeleton(
        name,
        tuple(node.name for node in nodes[first:]),
        (-1, *(node.parent - first for node in nodes[first + 1 :])),
        offsets[first:],
    )
    fps = 1.0 / layout.frame_time
    if abs(fps - round(fps)) < 1e-4 * fps:  # 0.0333333 means 30
        fps = float(round(fps))
    return _builtin_order(Motion(skeleton, rotations[:, first:], np.array(root), fps), nodes[first:])


def _moves(node: Node) -> bool:
    return any(not turn for turn, _ in node.channels)


def _place(node: Node, offset: np.ndarray, values: np.ndarray, units: float) -> np.ndarray:
    place = np.repeat(offset[None], len(values), axis=0)
    for column, (turn, axis) in enumerate(node.channels, start=node.first):
        if not turn:
            place[:, axis] = values[:, column] / units
    return place


def _units(nodes: list[Node], layout: Layout, offsets: np.ndarray) -> float:
    """Units per metre, from the longest way through the tree (a person's is 1.5 to 2.2 m); the root's do not count."""
    if sum(not node.end for node in nodes) < 10:
        return CENTIMETRES
    lengths = np.linalg.norm(offsets, axis=-1)
    below = np.zeros(len(nodes))
    longest = 0.0
    for joint in range(len(nodes) - 1, 0, -1):
        node = nodes[joint]
        if _moves(node):
            first = _place(node, offsets[joint], layout.values[:1], 1.0)[0]
            lengths[joint] = np.linalg.norm(first)
        if nodes[node.parent].parent < 0 and _moves(node):
            lengths[joint] = 0.0  # Hips under a travelling root: that is a place in the world, not a bone
        reach = below[joint] + lengths[joint]
        longest = max(longest, below[node.parent] + reach)
        below[node.parent] = max(below[node.parent], reach)
    if 0 < longest < 3.0:
        return 1.0
    return 1000.0 if longest > 400.0 else CENTIMETRES


def _rotations(nodes: list[Node], values: np.ndarray) -> np.ndarray:
    """(T, J, 4) joint to parent: the product of a joint's rotation channels in the order of the file."""
    out = np.zeros((len(values), len(nodes), 4))
    out[..., 0] = 1.0
    groups: dict[tuple[int, ...], list[tuple[int, list[int]]]] = {}
    for joint, node in enumerate(nodes):
        turns = [(axis, node.first + i) for i, (turn, axis) in enumerate(node.channels) if turn]
        if turns:
            groups.setdefault(tuple(axis for axis, _ in turns), []).append((joint, [c for _, c in turns]))
    for axes, members in groups.items():
        joints = [joint for joint, _ in members]
        columns = np.array([c for _, c in members])
        half = values[:, columns] * (np.pi / 360.0)
        cosine, sine = np.cos(half), np.sin(half)
        q = [np.ones(half.shape[:2]), *(np.zeros(half.shape[:2]) for _ in range(3))]  # w x y z, apart for speed
        for slot, axis in enumerate(axes):  # q times (cosine + sine e_axis), written out
            a, b, c = 1 + axis, 1 + (axis + 1) % 3, 1 + (axis + 2) % 3
            cos, sin = cosine[..., slot], sine[..., slot]
            q[0], q[a] = q[0] * cos - q[a] * sin, q[a] * cos + q[0] * sin
            q[b], q[c] = q[b] * cos + q[c] * sin, q[c] * cos - q[b] * sin
        out[:, joints] = np.stack(q, -1)
    return out


def _builtin_order(motion: Motion, nodes: list[Node]) -> Motion:
    """The motion in the joint order of a built-in skeleton if it has exactly its names and tree."""
    joints = [j for j, node in enumerate(nodes) if not node.end]
    names = motion.skeleton.names
    tree = {names[j]: names[motion.skeleton.parents[j]] if j else "" for j in joints}
    for builtin in SKELETONS.values():
        theirs = {n: builtin.names[p] if p >= 0 else "" for n, p in zip(builtin.names, builtin.parents, strict=True)}
        if theirs != tree:
            continue
        order = [motion.skeleton.index(n) for n in builtin.names]
        offsets = motion.skeleton.offsets[order]
        near = np.abs(offsets - builtin.offsets)[1:].max() < 2e-6
        skeleton = builtin if near else Skeleton(motion.skeleton.name, builtin.names, builtin.parents, offsets)
        return Motion(skeleton, motion.rotations[:, order], motion.root, motion.fps)
    return motion


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
