"""Where a motion goes: the same steps bent into a circle, turned by an angle, along a zigzag, or on the spot.

Bending turns each frame about the vertical by an angle that grows along the path, and rotates each step of the root by
it, so limbs, heights and timing stay. A standing foot 0.3 m from the root slides by at most 0.3 m per radian of it; the
clean-up (`laban.motion.cleanup`) holds it again. Angles are radians about Y, positive to the left (counter-clockwise
from above); stretches are [first, last) frames.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from laban.errors import InputError
from laban.motion import rotation
from laban.motion.cleanup import filtered
from laban.motion.motion import Motion

SWAY = 0.35  # seconds: what of a root's path is shorter than this is no travel
LEG = 1.6  # seconds of a zigzag's leg
CORNER = 0.35  # half of the angle between a zigzag's legs and the path, in radians of pi


def heading(motion: Motion) -> np.ndarray:
    """(T,) the way that the root's rotation faces, unwrapped, without its sway."""
    forward = rotation.rotate(motion.rotations[:, 0], np.array([0.0, 0.0, 1.0]))
    angle = np.unwrap(np.arctan2(forward[:, 0], forward[:, 2]))
    return filtered(angle[:, None], SWAY * motion.fps)[:, 0] if motion.frames > 8 else angle


def bent(motion: Motion, angle: np.ndarray) -> Motion:
    """The motion with each frame turned by `angle` (T,) besides, and its path bent with it; frame 0 stays in place."""
    if angle.shape != (motion.frames,):
        raise InputError(f"bent: {angle.shape} angles for {motion.frames} frames; expected one each.")
    turn = rotation.yaw(angle)
    steps = np.diff(motion.root, axis=0)
    middle = (angle[1:] + angle[:-1]) / 2
    moved = rotation.rotate(rotation.yaw(middle), steps)
    root = motion.root.copy()
    root[1:] = motion.root[0] + np.cumsum(moved, 0)
    root[:, 1] = motion.root[:, 1]
    rotations = motion.rotations.copy()
    rotations[:, 0] = rotation.multiply(turn, motion.rotations[:, 0])
    return replace(motion, rotations=rotations, root=root)


def circled(motion: Motion, turns: float, first: int = 0, last: int | None = None) -> Motion:
    """A stretch that turns `turns` times around (negative: to the right), evenly along its path.

    What it turns by itself counts: a walk that turns left by 90 degrees is bent by the other 270.
    """
    return _turned_by(motion, 2 * np.pi * turns, first, last, along=True)


def turned(motion: Motion, degrees: float, first: int = 0, last: int | None = None) -> Motion:
    """A stretch that has turned by `degrees` (negative: to the right) when it ends, smoothly over its time."""
    return _turned_by(motion, np.radians(degrees), first, last, along=False)


def _turned_by(motion: Motion, goal: float, first: int, last: int | None, along: bool) -> Motion:
    first, last = _stretch(motion, first, last)
    own = heading(motion)[first:last]
    if along:
        steps = np.linalg.norm(np.diff(motion.root[first:last][:, [0, 2]], axis=0), axis=-1)
        share = np.concatenate([[0.0], np.cumsum(steps + 1e-4)])
        share /= share[-1]
        extra = goal * share - (own - own[0])  # exactly even: its own turning is taken out
    else:
        t = np.linspace(0, 1, last - first)
        extra = (goal - (own[-1] - own[0])) * t * t * (3 - 2 * t)
    return bent(motion, _held(extra, motion.frames, first))


def zigzag(motion: Motion, first: int = 0, last: int | None = None) -> Motion:
    """A stretch along legs of 1.6 s that lead to the left and to the right of its path by turns."""
    first, last = _stretch(motion, first, last)
    seconds = np.arange(last - first) / motion.fps
    wave = np.tanh(3 * np.sin(np.pi * (seconds / LEG + 0.5)))
    wave *= np.minimum(1, np.minimum(seconds, seconds[::-1]) / 0.4)
    return bent(motion, _held(CORNER * np.pi * wave, motion.frames, first, end=0.0))


def straight(motion: Motion, first: int = 0, last: int | None = None) -> Motion:
    """A stretch without its slow turning: it goes on as it began."""
    first, last = _stretch(motion, first, last)
    own = heading(motion)[first:last]
    return bent(motion, _held(own[0] - own, motion.frames, first))


def in_place(motion: Motion, first: int = 0, last: int | None = None) -> Motion:
    """A stretch without its travel: the root sways where it was, and what follows goes on from there."""
    first, last = _stretch(motion, first, last)
    root = motion.root.copy()
    part = root[first:last][:, [0, 2]]
    travel = filtered(part, SWAY * motion.fps) if len(part) > 8 else part
    travel = travel - travel[0]
    for column, axis in enumerate((0, 2)):
        root[first:last, axis] -= travel[:, column]
        root[last:, axis] -= travel[-1, column]
    return replace(motion, root=root)


def _stretch(motion: Motion, first: int, last: int | None) -> tuple[int, int]:
    last = motion.frames if last is None else last
    if not 0 <= first < last <= motion.frames or last - first < 2:
        raise InputError(f"paths: frames {first} to {last} of {motion.frames}; expected a stretch of two or more.")
    return first, last


def _held(values: np.ndarray, frames: int, first: int, end: float | None = None) -> np.ndarray:
    """(frames,) zeros, then `values` from `first` on, then the last of them (or `end`) for ever."""
    out = np.full(frames, values[-1] if end is None else end)
    out[:first] = 0.0
    out[first : first + len(values)] = values
    return out
