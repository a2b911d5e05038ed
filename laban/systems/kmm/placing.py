"""From features that come in parts to motions in one world, and the exchange of a stretch of a motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from laban.motion import humanml, legs, rotation
from laban.motion.easing import smoothstep
from laban.motion.humanml import Layout
from laban.motion.motion import Motion, Segment
from laban.motion.skeleton import Skeleton


class Placer:
    """Carries the place and heading of the last frame from part to part."""

    def __init__(self, layout: Layout, skeleton: Skeleton, fps: float) -> None:
        self.layout, self.skeleton, self.fps = layout, skeleton, fps
        self.half = 0.0  # radians: half of the yaw so far, as the features count it
        self.place = np.zeros(3)
        self.last: np.ndarray | None = None  # features of the last frame, whose velocities lead to the next
        self.frames = 0
        self.signs: np.ndarray | None = None  # the last rotations, so that signs go on without a jump

    def put(self, features: np.ndarray, **fields: Any) -> Motion:
        """(F, W) features in their own units, F >= 1 -> the next F frames."""
        rows = np.asarray(features, np.float64)
        if self.last is not None:
            rows = np.concatenate([self.last[None], rows])
        back = np.array([np.cos(self.half), 0.0, -np.sin(self.half), 0.0])
        joints = rotation.rotate(np.broadcast_to(back, (*rows.shape[:1], self.layout.joints, 4)),
                                 humanml.decode(rows, self.layout))  # fmt: skip
        joints = joints + self.place
        self.half = float(self.half + rows[:-1, self.layout.yaw_rate].sum())
        self.place = np.array([joints[-1, 0, 0], 0.0, joints[-1, 0, 2]])
        if self.last is not None:
            joints = joints[1:]
        self.last = rows[-1]
        self.frames += len(joints)
        joints = joints * self.layout.unit
        motion = legs.plant(Motion.from_joints(joints, self.fps, self.skeleton, **fields), joints)
        if self.signs is not None:
            flip = np.where((motion.rotations[0] * self.signs).sum(-1) < 0, -1.0, 1.0)
            motion = replace(motion, rotations=motion.rotations * flip[:, None])
        self.signs = motion.rotations[-1]
        return motion


def joined(parts: Sequence[Motion], segments: tuple[Segment, ...], passport: dict[str, Any]) -> Motion:
    """Parts of one world, end to end."""
    return replace(
        parts[0],
        rotations=np.concatenate([p.rotations for p in parts]),
        root=np.concatenate([p.root for p in parts]),
        segments=segments,
        passport=passport,
    )


def exchange(old: Motion, new: Motion, first: int, last: int, fade: int = 8) -> Motion:
    """`old` with its frames [first, last) taken from `new`.

    Before `first` nothing changes, and after `last` no joint's local rotation does: all of it is moved and turned
    about the vertical as one, so that it goes on from where the new stretch ends. What the new stretch lacks to meet
    its neighbours fades out over `fade` frames inside it.

    Args:
        old: of any length.
        new: of the same skeleton, frames and rate, and outside [first, last) alike but for place and rounding.
        first: frame from which on the new one is taken.
        last: frame after these.
        fade: frames.
    """
    if first >= last:
        return old
    # The new stretch, brought to where the old one stood at its first frame (or its own start).
    place = _between(new, old, max(first - 1, 0))
    inner = _moved(new, place)
    rotations, root = old.rotations.copy(), old.root.copy()
    rotations[first:last], root[first:last] = inner.rotations[first:last], inner.root[first:last]
    length = last - first
    weights = np.zeros(length)
    if first > 0:
        n = min(fade, length // 2)
        weights[:n] = smoothstep(1 - np.arange(1, n + 1) / (n + 1))
        _fade(rotations, root, old, inner, first - 1, slice(first, last), weights)
    if last < old.frames:
        after = _moved(old, _between(old, inner, last))
        n = min(fade, length // 2)
        weights = np.zeros(length)
        weights[length - n :] = smoothstep(np.arange(1, n + 1) / (n + 1))
        _fade(rotations, root, after, inner, last, slice(first, last), weights)
        rotations[last:, 0], root[last:] = after.rotations[last:, 0], after.root[last:]
    return replace(old, rotations=rotations, root=root, segments=new.segments, passport=new.passport)


def _fade(
    rotations: np.ndarray, root: np.ndarray, target: Motion, source: Motion, at: int, part: slice, weights: np.ndarray
) -> None:
    """Add to frames `part`, by weight, what frame `at` of the source lacks to be that of the target."""
    lacks = rotation.multiply(rotation.conjugate(source.rotations[at]), target.rotations[at])
    lacks = np.where(lacks[:, :1] < 0, -lacks, lacks)
    identity = np.broadcast_to(np.array(rotation.IDENTITY), (len(weights), *lacks.shape))
    share = rotation.slerp(identity, np.broadcast_to(lacks, identity.shape), weights[:, None])
    rotations[part] = rotation.multiply(rotations[part], share)
    root[part] += weights[:, None] * (target.root[at] - source.root[at])


def _yaw(quaternion: np.ndarray) -> float:
    """Yaw of a root rotation (4,), radians."""
    forward = rotation.rotate(quaternion, np.array([0.0, 0.0, 1.0]))
    return float(np.arctan2(forward[0], forward[2]))


def _between(source: Motion, target: Motion, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """The turn (4,) about the vertical and the shift (3,) that take the source's root to the target's at a frame."""
    turn = rotation.yaw(np.array(_yaw(target.rotations[frame, 0]) - _yaw(source.rotations[frame, 0])))
    shift = target.root[frame] - rotation.rotate(turn, source.root[frame])
    return turn, shift * np.array([1.0, 0.0, 1.0])


def _moved(motion: Motion, move: tuple[np.ndarray, np.ndarray]) -> Motion:
    turn, shift = move
    rotations = motion.rotations.copy()
    rotations[:, 0] = rotation.multiply(np.broadcast_to(turn, rotations[:, 0].shape), rotations[:, 0])
    root = rotation.rotate(np.broadcast_to(turn, (motion.frames, 4)), motion.root) + shift
    return replace(motion, rotations=rotations, root=root)
