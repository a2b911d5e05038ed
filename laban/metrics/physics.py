"""Physical plausibility of HumanML3D-22 joints: foot skate, jerk, floor penetration, floating.

The definitions are the project's own and are used everywhere under these names.
All functions take joints (..., T, 22, 3) in metres, world, Y up, floor at y = 0, and return one number
per clip, shape (...). Compare figures only between clips at the same frame rate (20 fps in this project):
jerk in particular grows with the frame rate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from laban.errors import ShapeError
from laban.metrics.samples import finite
from laban.motion.skeletons import HUMANML22

FEET: tuple[int, ...] = tuple(
    HUMANML22.index(name) for name in ("left_ankle", "right_ankle", "left_foot", "right_foot")
)
CONTACT_BAND = 0.05  # metres above the joint's own low height
CONTACT_PERCENTILE = 5.0


@dataclass(frozen=True)
class Physics:
    """Means over clips: skate m/s, jerk m/s^3, penetration metres, and how many clips they are of."""

    skate: float
    jerk: float
    penetration: float
    clips: int


def contacts(joints: np.ndarray) -> np.ndarray:
    """Frames in which a foot joint is within 5 cm of its own 5th-percentile height.

    Args:
        joints: (..., T, 22, 3) metres, world.
    Returns: (..., T, 4) bool, joints in the order of FEET (ankles left, right; feet left, right).
    Raises: ShapeError if the last axes are not (22, 3).
    Source: ours, as defined above.
    """
    height = _checked(joints, 1)[..., FEET, 1]
    low = np.percentile(height, CONTACT_PERCENTILE, axis=-2, keepdims=True)
    return height <= low + CONTACT_BAND


def skate(joints: np.ndarray, fps: float) -> np.ndarray:
    """Mean horizontal speed of the foot joints over their frames in contact.

    The speed of frame t is that of the step from t to t+1; the last frame has none. Each of the four foot
    joints is averaged over its own frames in contact, then the four (those ever in contact) are averaged.

    Args:
        joints: (..., T, 22, 3) metres, world; T >= 2.
        fps: frames per second.
    Returns: (...) metres per second.
    Raises: ShapeError if the shape is another.
    Source: ours, as defined above.
    """
    joints = _checked(joints, 2)
    touching = contacts(joints)[..., :-1, :]
    feet = joints[..., FEET, :]
    speed = np.linalg.norm(np.diff(feet[..., [0, 2]], axis=-3), axis=-1) * fps
    frames = touching.sum(axis=-2)
    mean = (speed * touching).sum(axis=-2) / np.maximum(frames, 1)
    return mean.sum(axis=-1) / np.maximum((frames > 0).sum(axis=-1), 1)


def jerk(joints: np.ndarray, fps: float) -> np.ndarray:
    """Mean norm of the third difference of the joint positions, times fps^3.

    Args:
        joints: (..., T, J, 3) metres, world; T >= 4.
        fps: frames per second.
    Returns: (...) metres per second cubed, averaged over frames and joints.
    Raises: ShapeError if there are fewer than four frames.
    Source: ours, as defined above.
    """
    joints = _checked(joints, 4)
    third = np.diff(joints, n=3, axis=-3)
    return np.linalg.norm(third, axis=-1).mean(axis=(-2, -1)) * float(fps) ** 3


def penetration(joints: np.ndarray) -> np.ndarray:
    """Mean over frames of how far the lowest joint is below the floor (y = 0).

    Args:
        joints: (..., T, J, 3) metres, world.
    Returns: (...) metres, 0 where nothing is below the floor.
    Raises: ShapeError if the last axes are not (22, 3).
    Source: ours, as defined above.
    """
    lowest = _checked(joints, 1)[..., 1].min(axis=-1)
    return np.maximum(0.0, -lowest).mean(axis=-1)


def floating(joints: np.ndarray) -> np.ndarray:
    """Mean over frames of how far the lowest joint is above the floor (y = 0).

    Args:
        joints: (..., T, 22, 3) metres, world.
    Returns: (...) metres, 0 where something touches or is below the floor in every frame.
    Raises: ShapeError if the last axes are not (22, 3).
    Source: ours. Weakness: jumps count, and joints are inside the foot, so real motion has some (about 2 cm):
        read the ratio to real motion.
    """
    lowest = _checked(joints, 1)[..., 1].min(axis=-1)
    return np.maximum(0.0, lowest).mean(axis=-1)


def summary(clips: Iterable[np.ndarray], fps: float) -> Physics:
    """Skate, jerk and penetration averaged over clips of any lengths.

    Args:
        clips: arrays (T, 22, 3) metres, world; clips of fewer than four frames are left out.
        fps: frames per second of all of them.
    Returns: Physics; NaN figures when no clip is long enough.
    Raises: ShapeError if a clip has another shape.
    """
    rows = [
        (float(skate(clip, fps)), float(jerk(clip, fps)), float(penetration(clip)))
        for clip in clips
        if np.ndim(clip) != 3 or len(clip) >= 4
    ]
    if not rows:
        return Physics(float("nan"), float("nan"), float("nan"), 0)
    means = np.mean(rows, axis=0)
    return Physics(float(means[0]), float(means[1]), float(means[2]), len(rows))


def _checked(joints: np.ndarray, frames: int) -> np.ndarray:
    """The joints as float64 (..., T >= frames, 22, 3); ShapeError, or InputError: NaN has no contacts, so no skate."""
    joints = np.asarray(joints)
    if joints.ndim < 3 or joints.shape[-2:] != (len(HUMANML22), 3) or joints.shape[-3] < frames:
        raise ShapeError(
            f"metrics.physics: joints have shape {joints.shape}, expected (..., T >= {frames}, "
            f"{len(HUMANML22)}, 3). Pass HumanML3D-22 joints in metres, frames before joints."
        )
    return finite("metrics.physics", "joints", joints)
