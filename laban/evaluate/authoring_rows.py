"""Rows that cheat: motions that hit what they are asked and are worthless, made from a motion and goals.

A score that does not tell them from the real thing is no score. Each is a pure function of a motion on the 22 joints.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from laban.motion import kinematics, rotation, travel, wanted
from laban.motion.constraints import Effector, EffectorKey, Goals, PathPoint, PoseKey, RootKey, RootPath
from laban.motion.curves import Curve
from laban.motion.motion import Motion

Quaternion = tuple[float, float, float, float]


def goals_of(motion: Motion, moments: list[float], joint: str | None = "right_wrist", *, pose: bool = True) -> Goals:
    """Goals that a motion meets: waypoints at all moments, a joint's place and a whole pose at the middle one."""
    way, joints = travel.of(motion), motion.joints()
    frames = [round(t * motion.fps) for t in moments]
    points = tuple(PathPoint(f / motion.fps, _two(way.xz[f])) for f in frames)
    middle = frames[len(frames) // 2]
    at = middle / motion.fps
    effectors: tuple[Effector, ...] = ()
    if joint is not None:
        place = joints[middle, motion.skeleton.index(joint)]
        effectors = (Effector(joint, (EffectorKey(at, (float(place[0]), float(place[1]), float(place[2]))),)),)
    poses = (pose_of(motion, at),) if pose else ()
    return Goals(poses, (RootPath(points),), effectors)


def pose_of(motion: Motion, at: float) -> PoseKey:
    """A motion's own pose at a moment, with its root, as a key."""
    frame = wanted.frame_of(motion, at)
    turns = {
        name: (float(q[0]), float(q[1]), float(q[2]), float(q[3]))
        for name, q in zip(motion.skeleton.names, motion.rotations[frame], strict=True)
    }
    root = RootKey(
        _two(motion.root[frame][[0, 2]]), float(motion.root[frame, 1]), wanted.facing_of(motion.rotations[frame, 0])
    )
    return PoseKey(at, rotations=turns, root=root)


def _two(xz: np.ndarray) -> tuple[float, float]:
    return float(xz[0]), float(xz[1])


def slide(motion: Motion, path: RootPath) -> Motion:
    """The first pose, carried along the path without a step."""
    places = np.array([p.xz for p in path.points])
    curve = Curve.through(places, np.array([p.at for p in path.points]))
    still = freeze(motion, 0)
    there = curve.at(curve.progress(np.arange(motion.frames) / motion.fps))
    root = still.root.copy()
    root[:, [0, 2]] = there
    return replace(still, root=root)


def teleport(motion: Motion, goals: Goals) -> Motion:
    """The motion, with the keyed frames alone put where they are asked to be."""
    rotations, root = motion.rotations.copy(), motion.root.copy()
    for path in goals.paths:
        asked_path = wanted.path(motion, path)
        for frame, place in zip(asked_path.points, asked_path.places, strict=True):
            root[frame, [0, 2]] = place
    for key in goals.poses:
        asked = wanted.pose(motion, key)
        rotations[asked.frame], root[asked.frame] = asked.rotations, asked.root
    moved = replace(motion, rotations=rotations, root=root)
    for effector in goals.effectors:
        frames, _, places = wanted.effector(motion, effector, travel.of(motion))
        now = moved.joints()[frames, motion.skeleton.index(effector.joint)]
        root[frames] += places - now
    return replace(motion, rotations=rotations, root=root)


def freeze(motion: Motion, frame: int) -> Motion:
    """One pose throughout."""
    count = motion.frames
    return replace(
        motion, rotations=np.repeat(motion.rotations[[frame]], count, 0), root=np.repeat(motion.root[[frame]], count, 0)
    )


def zero_velocity(motion: Motion, first: int, last: int) -> Motion:
    """The frames [first, last) hold the pose before them."""
    rotations, root = motion.rotations.copy(), motion.root.copy()
    rotations[first:last], root[first:last] = rotations[max(first - 1, 0)], root[max(first - 1, 0)]
    return replace(motion, rotations=rotations, root=root)


def interpolate(motion: Motion, keys: list[int]) -> Motion:
    """The poses at the keys, slerped and lerped between them; held beyond."""
    at = np.clip(np.arange(motion.frames), keys[0], keys[-1])
    k = np.clip(np.searchsorted(keys, at, side="right") - 1, 0, len(keys) - 2)
    low, high = np.array(keys)[k], np.array(keys)[k + 1]
    t = (at - low) / (high - low)
    rotations = rotation.slerp(motion.rotations[low], motion.rotations[high], t[:, None])
    root = motion.root[low] * (1 - t[:, None]) + motion.root[high] * t[:, None]
    return replace(motion, rotations=rotation.continuous(rotations), root=root)


def stretched(motion: Motion, effector: Effector) -> np.ndarray:
    """(T, 22, 3) joints whose effector alone is pulled to its places: bones of any length."""
    joints = motion.joints()
    frames, _, places = wanted.effector(motion, effector, travel.of(motion))
    joints[frames, motion.skeleton.index(effector.joint)] = places
    return joints


def broken_spine(key: PoseKey, degrees: float = 80.0) -> PoseKey:
    """A key pose with the chest turned against the spine below it further than backs do."""
    turn = rotation.from_axis_angle(np.array([0.0, np.radians(degrees), 0.0]))
    w, x, y, z = (float(v) for v in turn)
    return replace(key, rotations={**key.rotations, "spine2": (w, x, y, z)})


def shifted(goals: Goals, seconds: float, length: float) -> Goals:
    """The same goals, earlier or later, kept within the motion."""

    def moved(at: float) -> float:
        return float(np.clip(at + seconds, 0.0, length))

    return Goals(
        tuple(replace(k, at=moved(k.at)) for k in goals.poses),
        tuple(replace(p, points=tuple(replace(x, at=moved(x.at)) for x in p.points)) for p in goals.paths),
        tuple(replace(e, keys=tuple(replace(k, at=moved(k.at)) for k in e.keys)) for e in goals.effectors),
    )


def mirrored(goals: Goals) -> Goals:
    """The same goals on the other side: reflected at x = 0, left and right exchanged."""

    def other(name: str) -> str:
        swap = {"left": "right", "right": "left"}
        side, _, rest = name.partition("_")
        return f"{swap[side]}_{rest}" if side in swap else name

    def turn(q: Quaternion) -> Quaternion:
        return q[0], q[1], -q[2], -q[3]

    def root(asked: RootKey | None) -> RootKey | None:
        if asked is None:
            return None
        xz = None if asked.xz is None else (-asked.xz[0], asked.xz[1])
        return RootKey(xz, asked.height, None if asked.heading is None else -asked.heading)

    def point(p: PathPoint) -> PathPoint:
        return PathPoint(p.at, (-p.xz[0], p.xz[1]), None if p.heading is None else -p.heading)

    return Goals(
        tuple(
            replace(k, rotations={other(n): turn(q) for n, q in k.rotations.items()}, root=root(k.root),
                    parts=tuple(other(p) for p in k.parts))
            for k in goals.poses
        ),
        tuple(replace(p, points=tuple(point(x) for x in p.points)) for p in goals.paths),
        tuple(
            replace(e, joint=other(e.joint), keys=tuple(
                replace(k, position=(-k.position[0], k.position[1], k.position[2])) for k in e.keys))
            for e in goals.effectors
        ),
    )  # fmt: skip


def crab(motion: Motion, degrees: float = 90.0) -> Motion:
    """The same travel, faced across: every place is hit, nobody walks like that."""
    way = travel.of(motion)
    turn = rotation.yaw(np.full(motion.frames, np.radians(degrees)))
    rotations = motion.rotations.copy()
    rotations[:, 0] = rotation.multiply(turn, rotations[:, 0])
    return replace(motion, rotations=rotations, root=way.place + rotation.rotate(turn, motion.root - way.place))


def world(motion: Motion) -> np.ndarray:
    """(T, J, 4) rotations, joint to world."""
    return kinematics.global_rotations(motion.skeleton, motion.rotations)
