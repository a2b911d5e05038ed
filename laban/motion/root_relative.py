"""A motion as rows that do not say where on the floor it happens: root steps, height, yaw rate, 6-D rotations.

Row of frame t (W = 4 + 6 J):
  forward, sideways   2  velocity of the root in m/s, in the frame that turns with the heading; sideways is to the left
  height              1  of the root, metres
  yaw_rate            1  of the heading, rad/s, counter-clockwise from above
  rotations         6 J  the root without its heading, then each joint to its parent; first two matrix columns
Velocities of frame t are those of the step from t - 1 to t; the first frame repeats the second.
"""

from __future__ import annotations

import numpy as np

from laban.motion import rotation
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton

VELOCITY, HEIGHT, YAW_RATE, ROTATIONS = slice(0, 2), slice(2, 3), slice(3, 4), slice(4, None)


def width(joints: int) -> int:
    """W for J joints."""
    return 4 + 6 * joints


def heading(rotations: np.ndarray) -> np.ndarray:
    """(T, 4) root rotations -> (T,) radians, unwrapped: where the left-to-right axis says that the body faces.

    Unlike the forward axis, it stays defined while a dancer bends over.
    """
    across = rotation.rotate(rotations, np.broadcast_to(np.array([1.0, 0.0, 0.0]), (*rotations.shape[:-1], 3)))
    return np.unwrap(np.arctan2(-across[..., 2], across[..., 0]))


def encode(motion: Motion) -> np.ndarray:
    """(T, W) float64 of a motion of at least two frames."""
    yaw = heading(motion.rotations[:, 0])
    step = np.diff(motion.root, axis=0) * motion.fps
    local = rotation.rotate(rotation.yaw(-yaw[1:]), step)
    turn = np.diff(yaw) * motion.fps
    moved = np.stack([local[:, 2], local[:, 0]], axis=-1)
    rotations = motion.rotations.copy()
    rotations[:, 0] = rotation.multiply(rotation.yaw(-yaw), rotations[:, 0])
    return np.concatenate(
        [
            np.concatenate([moved[:1], moved]),
            motion.root[:, 1:2],
            np.concatenate([turn[:1], turn])[:, None],
            rotation.to_six_d(rotations).reshape(motion.frames, -1),
        ],
        axis=-1,
    )


def decode(
    rows: np.ndarray, skeleton: Skeleton, fps: float, start: tuple[float, float] = (0.0, 0.0), yaw: float = 0.0
) -> Motion:
    """(T, W) -> the motion. The first frame is at `start` (x, z in metres) and faces `yaw` radians.

    6-D rotations need not be orthonormal: they are made so by Gram-Schmidt.
    """
    rows = np.asarray(rows, np.float64)
    turn = rows[:, YAW_RATE][:, 0] / fps
    turn[0] = 0.0
    facing = yaw + np.cumsum(turn)
    local = np.stack([rows[:, 1], np.zeros(len(rows)), rows[:, 0]], axis=-1) / fps
    step = rotation.rotate(rotation.yaw(facing), local)
    step[0] = 0.0
    root = np.cumsum(step, axis=0) + np.array([start[0], 0.0, start[1]])
    root[:, 1] = rows[:, HEIGHT][:, 0]
    rotations = rotation.from_six_d(rows[:, ROTATIONS].reshape(len(rows), -1, 6))
    rotations[:, 0] = rotation.multiply(rotation.yaw(facing), rotations[:, 0])
    return Motion(skeleton, rotation.continuous(rotations), root, fps)
