"""Gait by phase: where a walk or run is in its stride, and two motions on their feet blended without losing the steps.

A blend of joints at equal times puts one's standing foot on the other's swinging one, and nobody walks. Here both
clips are first put on one clock of strides, as registration curves do (Kovar and Gleicher, "Flexible automatic motion
blending with registration curves", SCA 2003, section 3). Deviation: the clock comes from the forward peaks of the
ankles and not from a search over poses, and the path is blended as steps in the frame of the heading, so that stride,
turn and posture all go evenly from one to the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from laban.errors import InputError
from laban.motion import rotation, warp
from laban.motion.motion import Motion

ROOT, LEFT_HIP, RIGHT_HIP, LEFT_SHOULDER, RIGHT_SHOULDER = 0, 1, 2, 16, 17
ANKLES = (7, 8)
LEAST = 4  # forward peaks of both ankles that make a gait: two strides
UNEVEN = 0.3  # standard deviation over mean of the times between them up to which they do
REACH = 0.2  # metres that an ankle goes forward and back at least
UPRIGHT = 0.75  # of the standing height of the root: whoever is lower sits, lies or kneels


@dataclass(frozen=True, eq=False)
class Clock:
    """The strides of one clip.

    Attributes:
        frames: (K,) of the forward peaks of either ankle, ascending.
        phase: (K,) strides: whole at the left ankle's peaks, halves at the right one's.
    """

    frames: np.ndarray
    phase: np.ndarray

    def at(self, phase: np.ndarray) -> np.ndarray:
        """Frames at which the clip is at given phases; beyond the peaks at its mean pace."""
        return _line(self.phase, self.frames, phase)

    def of(self, frames: np.ndarray) -> np.ndarray:
        """Phases at given frames."""
        return _line(self.frames, self.phase, frames)

    @property
    def stride(self) -> float:
        """Frames of a stride, mean."""
        return float((self.frames[-1] - self.frames[0]) / (self.phase[-1] - self.phase[0]))


def _line(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    pace = (y[-1] - y[0]) / (x[-1] - x[0])
    before, after = np.minimum(at - x[0], 0.0), np.maximum(at - x[-1], 0.0)
    return np.interp(at, x, y) + pace * (before + after)


def heading(joints: np.ndarray) -> np.ndarray:
    """(T,) radians about Y, 0 at +Z, unwrapped, of the normal of hips and shoulders of (T, 22, 3) joints."""
    across = joints[:, LEFT_HIP] - joints[:, RIGHT_HIP] + joints[:, LEFT_SHOULDER] - joints[:, RIGHT_SHOULDER]
    return np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))


def reach(joints: np.ndarray, side: int) -> np.ndarray:
    """(T,) metres of an ankle (side 0 left, 1 right) before the root, along the heading."""
    angle = heading(joints)
    forward = np.stack([np.sin(angle), np.cos(angle)], -1)
    return ((joints[:, ANKLES[side]] - joints[:, ROOT])[:, [0, 2]] * forward).sum(-1)


def peaks(joints: np.ndarray, fps: float, side: int) -> np.ndarray:
    """Frames of the forward peaks of one ankle."""
    smooth = np.convolve(reach(joints, side), np.ones(3) / 3, "same")
    rising = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:])
    found: list[int] = []
    for at in np.flatnonzero(rising & (smooth[1:-1] > smooth.mean() + 0.3 * smooth.std())) + 1:
        if not found or at - found[-1] > 0.25 * fps:
            found.append(int(at))
    return np.array(found, int)


def clock(motion: Motion) -> Clock | None:
    """The strides of a motion on HUMANML22; None for one that does not walk or run.

    Both ankles take turns, evenly, and go at least REACH forward and back.
    """
    if motion.frames < 8:
        return None
    joints = motion.joints()
    marks = sorted((int(at), side) for side in (0, 1) for at in peaks(joints, motion.fps, side))
    runs: list[list[tuple[int, int]]] = [[]]
    for at, side in marks:  # the longest run in which the sides take turns
        if runs[-1] and runs[-1][-1][1] == side:
            runs.append([])
        runs[-1].append((at, side))
    turns = max(runs, key=len)
    frames = np.array([at for at, _ in turns], float)
    gaps = np.diff(frames)
    swing = min(float(np.ptp(np.quantile(reach(joints, side), [0.05, 0.95]))) for side in (0, 1))
    if len(turns) < LEAST or gaps.min() <= 0 or gaps.std() > UNEVEN * gaps.mean() or swing < REACH:
        return None
    return Clock(frames, 0.5 * turns[0][1] + 0.5 * np.arange(len(turns)))


def on_feet(motion: Motion) -> bool:
    """Whether a motion stays upright: its root never lower than UPRIGHT of the standing height."""
    legs = motion.skeleton.lengths[[motion.skeleton.index(f"left_{name}") for name in ("knee", "ankle")]].sum()
    return bool(np.quantile(motion.root[:, 1], 0.05) > UPRIGHT * legs)


def blended(a: Motion, b: Motion, share: float) -> Motion:
    """A motion between two of which at least one walks or runs; its steps stay steps.

    Two gaits are put on one clock of strides. A gait and someone who stands are put on one clock of seconds: the steps
    grow shorter. What is longer is cut to the length of the other.

    Args:
        a: on HUMANML22, upright.
        b: at the same rate on the same skeleton.
        share: 0 gives `a` and 1 gives `b`, as they are.
    Returns: begins where `a` does, facing as it does.
    Raises: InputError if neither walks, one of them is not on the feet, or skeletons or rates differ.
    """
    if share in (0.0, 1.0):
        return (a, b)[int(share)]
    if a.skeleton.names != b.skeleton.names or abs(a.fps - b.fps) > 1e-6:
        raise InputError("blend: both motions must stand on one skeleton and run at one rate.")
    for number, each in enumerate((a, b), start=1):
        if not on_feet(each):
            raise InputError(
                f"blend: motion {number} sits, kneels or lies and the other one walks; there are no steps in between. "
                "Lead from one into the other with `laban edit --then`."
            )
    places = _places(a, b, share)
    parts = [warp.sampled(each, at) for each, at in zip((a, b), places, strict=True)]
    turned, level, steps, yaws = zip(*(_local(part) for part in parts), strict=True)
    yaw = yaws[0][0] + np.concatenate([[0.0], np.cumsum(_mean(np.diff(yaws[0]), np.diff(yaws[1]), share))])
    moves = _turn(_mean(steps[0], steps[1], share), yaw[:-1])
    root = np.zeros((len(yaw), 3))
    root[:, [0, 2]] = parts[0].root[0, [0, 2]] + np.concatenate([np.zeros((1, 2)), np.cumsum(moves, 0)])
    root[:, 1] = _mean(level[0], level[1], share)
    rotations = rotation.slerp(turned[0], turned[1], np.full((len(yaw), 1), share))
    rotations[:, 0] = rotation.multiply(rotation.yaw(yaw), rotations[:, 0])
    return replace(parts[0], rotations=rotation.continuous(rotations), root=root)


def _places(a: Motion, b: Motion, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Frames of both motions that belong together."""
    first, second = clock(a), clock(b)
    if first is None and second is None:
        raise InputError("blend: neither motion walks or runs.")
    if first is None or second is None:
        count = np.arange(min(a.frames, b.frames), dtype=float)
        return count, count
    begin = [float(each.of(np.array(0.0))) for each in (first, second)]
    end = [float(each.of(np.array(m.frames - 1.0))) for each, m in ((first, a), (second, b))]
    late = (begin[0] - begin[1]) % 1.0  # of the second, until it is where the first begins
    late = 0.0 if late > 1 - 1e-6 else late
    strides = min(end[0] - begin[0], end[1] - begin[1] - late)
    if strides < 1.0:
        raise InputError("blend: the motions have less than a stride in common; give longer ones.")
    frames = max(2, round(strides * _mean(first.stride, second.stride, share)) + 1)
    way = np.linspace(0.0, strides, frames)
    return first.at(begin[0] + way), second.at(begin[1] + late + way)


def _local(motion: Motion) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rotations without heading, height, steps (T - 1, 2) in the frame of the heading, heading (T,)."""
    yaw = heading(motion.joints())
    turned = motion.rotations.copy()
    turned[:, 0] = rotation.multiply(rotation.yaw(-yaw), turned[:, 0])
    moves = np.diff(motion.root[:, [0, 2]], axis=0)
    return turned, motion.root[:, 1], _turn(moves, -yaw[:-1]), yaw


def _turn(vectors: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """(N, 2) x and z turned about Y by (N,) radians."""
    x, z = vectors[:, 0], vectors[:, 1]
    return np.stack([x * np.cos(yaw) + z * np.sin(yaw), -x * np.sin(yaw) + z * np.cos(yaw)], -1)


def _mean(a: Any, b: Any, share: float) -> Any:
    return (1 - share) * a + share * b
