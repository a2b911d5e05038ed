"""Putting a made stretch into a motion so that the rest stays bit for bit and no seam is felt.

The made frames are drawn towards the kept ones at both ends by an offset in place and rotation that begins with the
gap in pose and in velocity and dies out inside the stretch (inertialisation: Bollo, "Inertialization", GDC 2018; here
with a critically damped spring, which is simpler than its quintic and cannot overshoot). The kept frames are copied.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from laban.errors import InputError
from laban.motion import rotation
from laban.motion.motion import Motion

SETTLE = 12.0  # per second: an offset is down to 3 % after 0.45 s


def inset(kept: Motion, rotations: np.ndarray, root: np.ndarray, first: int) -> Motion:
    """`kept` with the frames from `first` replaced by made ones, blended inside the replaced stretch only.

    Args:
        kept: the motion; its frames outside the stretch are copied bit for bit. Frames inside are not looked at.
        rotations: (M, J, 4), root: (M, 3): the made frames. They may reach to either end of the motion.
        root: (N, 3) metres, the made root positions.
        first: the frame of `kept` at which the made ones begin.
    Returns: Motion of the same frames, fps and skeleton.
    Raises: InputError if the stretch does not lie in the motion.
    """
    count = len(root)
    last = first + count
    if first < 0 or not count or last > kept.frames:
        raise InputError(f"inset: frames {first} to {last} of {kept.frames}; expected a stretch inside the motion.")
    made_root, turns = np.array(root, np.float64), np.array(rotations, np.float64)
    times = np.arange(1, count + 1) / kept.fps
    for ahead in (True, False):  # from the frame before the stretch, and, backwards in time, from the one after it
        edge = first - 1 if ahead else last
        if not 0 <= edge < kept.frames:
            continue
        step = -1 if ahead else 1
        beyond = edge + step if 0 <= edge + step < kept.frames else edge
        near, next_ = (0, min(1, count - 1)) if ahead else (count - 1, max(count - 2, 0))
        fade = times if ahead else times[::-1]
        # The made frame that belongs onto the edge, by the made motion's own velocity.
        here = root[near] - (root[next_] - root[near])
        gap = kept.root[edge] - here
        speed = ((kept.root[edge] - kept.root[beyond]) - (root[next_] - root[near])) * kept.fps
        made_root += _dying(gap, speed, fade, times[-1])
        delta = rotation.multiply(rotations[near], rotation.conjugate(rotations[next_]))
        there = rotation.multiply(delta, rotations[near])
        turn = _vector(kept.rotations[edge], there)
        own = _vector(rotations[next_], rotations[near]) * kept.fps
        moved = _vector(kept.rotations[edge], kept.rotations[beyond]) * kept.fps
        offset = _dying(turn, moved - own, fade, times[-1])
        turns = rotation.multiply(rotation.from_axis_angle(offset), turns)
    everything, places = kept.rotations.copy(), kept.root.copy()
    lead = everything[first - 1 : first] if first else turns[:1]
    turns = rotation.continuous(np.concatenate([lead, turns]))[1:]
    everything[first:last], places[first:last] = turns, made_root
    return replace(kept, rotations=everything, root=places)


def _dying(gap: np.ndarray, speed: np.ndarray, times: np.ndarray, length: float) -> np.ndarray:
    """(M, ...) of a critically damped spring from an offset and its speed, and nothing at the far end."""
    rate = max(SETTLE, 4.0 / max(length, 1e-6))
    limit = 3.0 * rate * np.linalg.norm(gap, axis=-1, keepdims=True) + 1.0
    size = np.linalg.norm(speed, axis=-1, keepdims=True)
    speed = speed * np.minimum(1.0, limit / np.maximum(size, 1e-9))  # a wild velocity must not throw the body far
    t = times.reshape(-1, *([1] * np.ndim(gap)))
    spring = (gap + (speed + rate * gap) * t) * np.exp(-rate * t)
    share = np.clip(1.0 - t / (length + 1e-9 + times.min()), 0.0, 1.0)
    return spring * share * share * (3 - 2 * share) if length > 0 else spring


def _vector(to: np.ndarray, from_: np.ndarray) -> np.ndarray:
    """(..., 3) the world-side turn that takes `from_` to `to`, the short way, as axis times angle."""
    turn = rotation.multiply(to, rotation.conjugate(from_))
    return rotation.to_axis_angle(np.where(turn[..., :1] < 0, -turn, turn))
