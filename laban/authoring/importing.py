"""Other people's descriptions of what a motion is to do, as timelines: Kimodo's constraints, MMCP requests, scripts.

Written against the formats' published documentation; what has no place in a timeline is refused by name or noted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from laban.authoring.timeline import LARGEST, Prompt, Timeline, checked
from laban.errors import InputError
from laban.motion import rotation
from laban.motion.constraints import Effector, EffectorKey, PathPoint, PoseKey, RootKey, RootPath
from laban.motion.kinematics import forward
from laban.motion.skeletons import HUMANML22
from laban.motion.wanted import facing_of
from laban.systems.kmm import script

KIMODO_FPS = 30.0
MMCP_FPS = 30.0
HANDS = {
    "left-hand": ("left_wrist",), "right-hand": ("right_wrist",), "left-foot": ("left_ankle", "left_foot"),
    "right-foot": ("right_ankle", "right_foot"),
}  # fmt: skip
NEVER = {"ground_height": "the floor is flat", "motion_reference": "motions cannot be quoted yet",
         "video_reference": "videos cannot be quoted"}  # fmt: skip
KINDS = ("kimodo", "mmcp", "script")


def read(kind: str, path: Path) -> Timeline:
    """The timeline of a file of another kind.

    Args:
        kind: one of KINDS.
        path: of the file; of kimodo, its constraints, with a `meta.json` beside it where there is one.
    Raises: InputError for a file that cannot be read or says what cannot be done here.
    """
    if kind == "script":
        return of_script(script.read(path))
    values = _json(path)
    meta = path.with_name("meta.json")
    try:
        if kind == "mmcp":
            return of_mmcp(values)
        return of_kimodo(values, _json(meta) if meta.is_file() and meta != path else {})
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(f"{path}: is no {kind} document ({type(error).__name__}: {error}).") from None


def _json(path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path}: is larger than {LARGEST >> 20} MiB.")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{path}: is no JSON ({error}).") from None


# Scripts


def of_script(lines: Sequence[script.Line]) -> Timeline:
    """Lines of a script as prompts one after the other; a line without a length lasts 4 seconds."""
    prompts, at = [], 0.0
    for line in lines:
        end = at + (4.0 if line.seconds is None else line.seconds)
        prompts.append(Prompt(at, end, line.text, seed=line.seed))
        at = end
    return checked(Timeline(at, prompts=tuple(prompts)))


# Kimodo


def of_kimodo(constraints: Any, meta: Mapping[str, Any] | None = None) -> Timeline:
    """Kimodo's constraints (a list of objects with `type` and `frame_indices`, 30 per second) and its meta.json.

    Its smoothed root is our travel; its poses of 22 joints (SMPL's order) are ours. Of bodies with other joints only
    the places of the root are taken. Raises: InputError for anything else.
    """
    meta = meta or {}
    if not isinstance(constraints, list):
        raise InputError("kimodo: expected a list of constraints, each with type and frame_indices.")
    paths: list[RootPath] = []
    poses: list[PoseKey] = []
    effectors: list[Effector] = []
    notes: dict[str, Any] = {k: meta[k] for k in ("cfg", "diffusion_steps", "num_steps", "steps") if k in meta}
    last = 0
    for number, item in enumerate(constraints):
        place = f"kimodo: constraint {number}"
        if not isinstance(item, Mapping) or "type" not in item or "frame_indices" not in item:
            raise InputError(f"{place}: expected an object with type and frame_indices.")
        frames = [int(f) for f in item["frame_indices"]]
        last = max([last, *frames])
        kind = str(item["type"]).replace("_", "-")
        if kind == "root2d":
            paths.append(_kimodo_root(item, frames, place))
        elif kind == "fullbody":
            poses += _kimodo_poses(item, frames, place, notes)
        elif kind in HANDS or kind == "end-effector":
            names = HANDS.get(kind) or tuple(str(n) for n in item.get("joint_names", ()))
            effectors += _kimodo_effectors(item, frames, names, place)
        else:
            raise InputError(
                f"{place}: unknown type {item['type']!r}; known: root2d, fullbody, {', '.join(HANDS)}, end-effector."
            )
    seconds = float(meta.get("duration", 0) or (last + 1) / KIMODO_FPS)
    text = meta.get("text", "")
    texts = [text] if isinstance(text, str) else list(text)
    lengths = [seconds / max(len(texts), 1)] * len(texts)
    prompts, at = [], 0.0
    for sentence, length in zip(texts, lengths, strict=True):
        if sentence.strip():
            prompts.append(Prompt(at, at + length, sentence))
        at += length
    return checked(
        Timeline(
            max(seconds, (last + 1) / KIMODO_FPS), fps=KIMODO_FPS, seed=int(meta.get("seed", 0) or 0),
            samples=max(1, min(64, int(meta.get("num_samples", 8) or 8))), prompts=tuple(prompts), poses=tuple(poses),
            paths=tuple(paths), effectors=tuple(effectors), notes=notes,
        ),
        "kimodo: ",
    )  # fmt: skip


def _array(item: Mapping[str, Any], name: str, shape: tuple[int | None, ...], place: str) -> np.ndarray:
    try:
        values = np.array(item[name], np.float64)
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{place}: {name} is missing or no array of numbers.") from None
    fits = values.ndim == len(shape) and all(b is None or a == b for a, b in zip(values.shape, shape, strict=True))
    if not fits or not np.isfinite(values).all():
        raise InputError(f"{place}: {name} has shape {values.shape}; expected {shape}, of finite numbers.")
    return values


def _kimodo_root(item: Mapping[str, Any], frames: list[int], place: str) -> RootPath:
    xz = _array(item, "smooth_root_2d", (len(frames), 2), place)
    headings: list[float | None] = [None] * len(frames)
    if item.get("global_root_heading") is not None:
        turned = _array(item, "global_root_heading", (len(frames), 2), place)
        headings = [math.atan2(s, c) for c, s in turned]
    points = tuple(
        PathPoint(f / KIMODO_FPS, (float(x), float(z)), h) for f, (x, z), h in zip(frames, xz, headings, strict=True)
    )
    span = frames[-1] - frames[0] + 1
    return RootPath(points, kind="path" if len(frames) > max(2, span / 2) else "waypoints")


def _kimodo_turns(item: Mapping[str, Any], frames: list[int], place: str) -> np.ndarray:
    turns = _array(item, "local_joints_rot", (len(frames), None, 3), place)
    return rotation.from_axis_angle(turns)


def _kimodo_poses(item: Mapping[str, Any], frames: list[int], place: str, notes: dict[str, Any]) -> list[PoseKey]:
    turns = _kimodo_turns(item, frames, place)
    places = _array(item, "root_positions", (len(frames), 3), place)
    own = turns.shape[1] == len(HUMANML22)
    if not own:
        notes["joints"] = f"poses of {turns.shape[1]} joints: their root places alone were taken"
    keys = []
    for frame, turn, root in zip(frames, turns, places, strict=True):
        named = {n: _wxyz(q) for n, q in zip(HUMANML22.names, turn, strict=False)} if own else {}
        heading = facing_of(turn[0]) if own else None
        keys.append(
            PoseKey(
                frame / KIMODO_FPS,
                rotations=named,
                root=RootKey((float(root[0]), float(root[2])), float(root[1]), heading),
            )
        )
    return keys


def _kimodo_effectors(item: Mapping[str, Any], frames: list[int], names: Sequence[str], place: str) -> list[Effector]:
    turns = _kimodo_turns(item, frames, place)
    if turns.shape[1] != len(HUMANML22):
        raise InputError(
            f"{place}: has {turns.shape[1]} joints; hands and feet are taken from poses of 22 (SMPL-X's body)."
        )
    if not names:
        raise InputError(f"{place}: joint_names is missing.")
    joints = forward(HUMANML22, turns, _array(item, "root_positions", (len(frames), 3), place))
    made = []
    for name in names:
        if name not in HUMANML22.names:
            raise InputError(f"{place}: unknown joint {name!r}; expected names of the 22 joints.")
        keys = tuple(
            EffectorKey(f / KIMODO_FPS, _three(p[HUMANML22.index(name)])) for f, p in zip(frames, joints, strict=True)
        )
        made.append(Effector(name, keys))
    return made


def _wxyz(q: np.ndarray) -> tuple[float, float, float, float]:
    return float(q[0]), float(q[1]), float(q[2]), float(q[3])


def _three(p: np.ndarray) -> tuple[float, float, float]:
    return float(p[0]), float(p[1]), float(p[2])


# MMCP


def of_mmcp(request: Any) -> Timeline:
    """A request of the Motion Model Context Protocol, on our 22 joints.

    Frames are those of `timing.fps`, or 30. Quaternions come xyzw. Raises: InputError for segments or constraints that
    cannot be met here, named, and for anything that is no request.
    """
    if not isinstance(request, Mapping):
        raise InputError("mmcp: expected a request object with segments or constraints.")
    fps = float((request.get("timing") or {}).get("fps") or MMCP_FPS)
    options = request.get("options") or {}
    notes = {k: options[k] for k in ("transition_frames", "diffusion_steps", "guidance") if k in options}
    prompts, frames = [], 0
    for number, segment in enumerate(request.get("segments") or ()):
        kind = segment.get("type")
        if kind in NEVER:
            raise InputError(f"mmcp: segment {number} is a {kind}; {NEVER[kind]}.")
        if kind not in ("text", "unconditioned"):
            raise InputError(f"mmcp: segment {number} has the type {kind!r}; expected text or unconditioned.")
        count = int(segment.get("duration_frames", 0))
        if kind == "text":
            prompts.append(
                Prompt(frames / fps, (frames + count) / fps, str(segment.get("prompt", "")), seed=segment.get("seed"))
            )
        frames += count
    frames = frames or int(request.get("duration_frames") or 0)
    paths: list[RootPath] = []
    poses: list[PoseKey] = []
    effectors: list[Effector] = []
    for number, item in enumerate(request.get("constraints") or ()):
        place, kind = f"mmcp: constraint {number}", item.get("type")
        if kind in NEVER:
            raise InputError(f"{place} is a {kind}; {NEVER[kind]}.")
        if kind == "root_path":
            xz = _array(item, "positions_xz", (len(item["frames"]), 2), place)
            turned = item.get("heading_radians") or [None] * len(xz)
            points = zip(item["frames"], xz, turned, strict=True)
            paths.append(
                RootPath(
                    tuple(
                        PathPoint(f / fps, (float(p[0]), float(p[1])), None if h is None else float(h))
                        for f, p, h in points
                    )
                )
            )
        elif kind == "effector_target":
            xyz = _array(item, "positions", (len(item["frames"]), 3), place)
            keys = tuple(EffectorKey(f / fps, _three(p)) for f, p in zip(item["frames"], xyz, strict=True))
            effectors.append(Effector(str(item["joint"]), keys))
            poses += [
                PoseKey(f / fps, rotations={str(item["joint"]): _from_xyzw(q)})
                for f, q in zip(item["frames"], item.get("rotations") or (), strict=False)
            ]
        elif kind == "pose_keyframe":
            poses.append(_mmcp_pose(item, fps))
        else:
            raise InputError(f"{place} has the type {kind!r}; expected root_path, effector_target or pose_keyframe.")
    return checked(
        Timeline(
            frames / fps, fps=fps, seed=int(options.get("seed") or 0),
            samples=max(1, int(options.get("num_samples") or 8)),
            prompts=tuple(prompts), poses=tuple(poses), paths=tuple(paths), effectors=tuple(effectors),
            loop="cycle" if options.get("loop") else None, notes=notes,
        ),
        "mmcp: ",
    )  # fmt: skip


def _mmcp_pose(item: Mapping[str, Any], fps: float) -> PoseKey:
    named = {str(name): _from_xyzw(q) for name, q in (item.get("joint_rotations") or {}).items()}
    if item.get("fill_mode") == "rest":
        named = {**{name: (1.0, 0.0, 0.0, 0.0) for name in HUMANML22.names}, **named}
    heading = facing_of(np.array(named["pelvis"])) if "pelvis" in named else None
    root, place = None, item.get("root_position")
    if place is not None:
        root = RootKey((float(place[0]), float(place[2])), float(place[1]), heading)
    elif heading is not None:
        root = RootKey(heading=heading)
    return PoseKey(item["frame"] / fps, rotations=named, root=root)


def _from_xyzw(q: Sequence[float]) -> tuple[float, float, float, float]:
    x, y, z, w = (float(v) for v in q)
    return w, x, y, z


def to_mmcp(timeline: Timeline) -> dict[str, Any]:
    """What of a timeline an MMCP request can say; the rest is left out. `of_mmcp` takes it back."""
    fps, segments, at = timeline.fps, [], 0

    def frame(seconds: float) -> int:
        return round(seconds * fps)

    for prompt in timeline.whole:
        if frame(prompt.start) > at:
            segments.append({"type": "unconditioned", "duration_frames": frame(prompt.start) - at})
        seed = {} if prompt.seed is None else {"seed": prompt.seed}
        at = frame(prompt.end)
        segments.append({"type": "text", "prompt": prompt.text, "duration_frames": at - frame(prompt.start), **seed})
    if segments and at < frame(timeline.length):
        segments.append({"type": "unconditioned", "duration_frames": frame(timeline.length) - at})
    constraints: list[dict[str, Any]] = []
    for path in timeline.paths:
        row: dict[str, Any] = {
            "type": "root_path", "frames": [frame(p.at) for p in path.points],
            "positions_xz": [list(p.xz) for p in path.points],
        }  # fmt: skip
        if all(p.heading is not None for p in path.points):
            row["heading_radians"] = [p.heading for p in path.points]
        constraints.append(row)
    for effector in timeline.effectors:
        constraints.append(
            {"type": "effector_target", "joint": effector.joint, "frames": [frame(k.at) for k in effector.keys],
             "positions": [list(k.position) for k in effector.keys]}
        )  # fmt: skip
    for pose in timeline.poses:
        turns = {n: [q[1], q[2], q[3], q[0]] for n, q in pose.rotations.items()}
        item: dict[str, Any] = {"type": "pose_keyframe", "frame": frame(pose.at), "joint_rotations": turns}
        if pose.root is not None and pose.root.xz is not None and pose.root.height is not None:
            item["root_position"] = [pose.root.xz[0], pose.root.height, pose.root.xz[1]]
        constraints.append(item)
    options = {"seed": timeline.seed, "num_samples": timeline.samples, **({"loop": True} if timeline.loop else {})}
    length = {} if segments else {"duration_frames": frame(timeline.length)}
    return {
        "protocol_version": "1.0", "model": "laban-text", "segments": segments, "constraints": constraints, **length,
        "timing": {"fps": fps}, "options": options,
    }  # fmt: skip


def to_kimodo(timeline: Timeline) -> list[dict[str, Any]]:
    """What of a timeline Kimodo's constraints can say: paths, and whole poses with their roots."""
    rows: list[dict[str, Any]] = []
    for path in timeline.paths:
        row: dict[str, Any] = {
            "type": "root2d", "frame_indices": [round(p.at * KIMODO_FPS) for p in path.points],
            "smooth_root_2d": [list(p.xz) for p in path.points],
        }  # fmt: skip
        if all(p.heading is not None for p in path.points):
            row["global_root_heading"] = [[math.cos(p.heading or 0), math.sin(p.heading or 0)] for p in path.points]
        rows.append(row)
    whole = [k for k in timeline.poses if set(k.rotations) == set(HUMANML22.names) and k.root and k.root.xz]
    if whole:
        turns = np.array([[k.rotations[n] for n in HUMANML22.names] for k in whole])
        rows.append(
            {"type": "fullbody", "frame_indices": [round(k.at * KIMODO_FPS) for k in whole],
             "local_joints_rot": rotation.to_axis_angle(turns).tolist(),
             "root_positions": [
                 [k.root.xz[0], k.root.height or 0.9, k.root.xz[1]] for k in whole if k.root and k.root.xz
             ]}
        )  # fmt: skip
    return rows
