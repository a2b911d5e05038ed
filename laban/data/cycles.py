"""Short and cyclic clips: loops repeated, travel put back under a walk that was taken to the spot.

Joints are (T, 22, 3) metres at 20 fps, Y up; joint numbers are HUMANML22's.
"""

from __future__ import annotations

import numpy as np

from laban.motion import humanml, rotation

FEET = (7, 8, 10, 11)
MIN_FRAMES = 24  # frames that a clip is brought to: 1.2 s
CYCLE = 64  # frames that a loop is brought to, or the next whole number of turns: 3.2 s
_BLEND = 4  # frames over which the seam of a loop is closed


def lengthened(joints: np.ndarray, *, loop: bool) -> np.ndarray:
    """A loop repeated to 3.2 s or more; any other clip under 1.2 s with its first and last pose held a little.

    Held and not slowed down: a punch that takes twice as long is no punch.
    """
    if loop and len(joints) < CYCLE:
        return repeated(joints, -(-CYCLE // (len(joints) - 1)))
    spare = max(0, MIN_FRAMES - len(joints))
    return np.concatenate([joints[:1].repeat(spare // 2, 0), joints, joints[-1:].repeat(spare - spare // 2, 0)])


def repeated(joints: np.ndarray, times: int) -> np.ndarray:
    """A loop `times` over: each turn begins where the last one ended, in place and heading.

    What is left between last and first pose is spread over the last frames of each turn.
    """
    rest = joints[-1] - _aligned(joints, joints[-1])[0]
    weight = np.clip((np.arange(len(joints)) - (len(joints) - 1 - _BLEND)) / _BLEND, 0, 1)
    closed = joints - weight[:, None, None] * rest
    parts, last = [closed], closed
    for _ in range(times - 1):
        last = _aligned(closed, last[-1])
        parts.append(last[1:])
    return np.concatenate(parts)


def _aligned(joints: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """The clip turned about the vertical and moved so that its first pose stands and faces as `pose` does."""
    turn = rotation.between(_facing(joints[0]), _facing(pose))
    turned = rotation.rotate(turn, joints)
    shift = (pose[0] - turned[0, 0]) * np.array([1.0, 0.0, 1.0])
    return turned + shift


def _facing(pose: np.ndarray) -> np.ndarray:
    across = pose[2] - pose[1] + pose[17] - pose[16]
    facing = np.cross([0.0, 1.0, 0.0], across)
    facing[1] = 0.0
    return facing


def with_travel(joints: np.ndarray) -> np.ndarray:
    """A walk or run on the spot, moved so that its standing foot stays where it is.

    In each frame the lower foot is taken to stand; its horizontal velocity, smoothed over five frames, is taken from
    the whole body. Where no foot is near the floor (the flight of a run) the last known velocity goes on.
    """
    feet = joints[:, FEET]
    lowest = feet[..., 1].min(1)
    floor = np.percentile(lowest, 10)
    velocity = np.diff(feet, axis=0)
    which = feet[:-1, :, 1].argmin(1)
    standing = velocity[np.arange(len(velocity)), which][:, [0, 2]]
    grounded = lowest[:-1] < floor + 0.06
    if not grounded.any():
        return joints
    known = np.flatnonzero(grounded)
    steps = np.stack([np.interp(np.arange(len(velocity)), known, standing[known, axis]) for axis in (0, 1)], -1)
    kernel = np.ones(5) / 5
    padded = np.pad(steps, ((2, 2), (0, 0)), mode="edge")
    steps = np.stack([np.convolve(padded[:, axis], kernel, mode="valid") for axis in (0, 1)], -1)
    path = np.concatenate([np.zeros((1, 2)), np.cumsum(-steps, 0)])
    moved = joints.copy()
    moved[..., 0] += path[:, None, 0]
    moved[..., 2] += path[:, None, 1]
    return moved


def longest_hover(joints: np.ndarray, fps: float = humanml.HUMANML.fps, height: float = 0.15) -> float:
    """Seconds of the longest spell in which no joint is within `height` metres of the floor.

    The floor is y = 0, or the clip's own 5 % of the lowest joint where that is lower. A jump takes less than 0.8 s.
    """
    low = joints[..., 1].min(1)
    above = low > min(0.0, float(np.percentile(low, 5))) + height
    best = run = 0
    for value in above:
        run = run + 1 if value else 0
        best = max(best, run)
    return best / fps


def unsupported(joints: np.ndarray, fps: float = humanml.HUMANML.fps, speed: float = 0.35) -> float:
    """Share of frames in which the slowest of ankles and toes moves faster than `speed` m/s: nobody stands."""
    moves = np.linalg.norm(joints[2:, FEET] - joints[:-2, FEET], axis=-1) * fps / 2
    return float((moves.min(-1) > speed).mean())
