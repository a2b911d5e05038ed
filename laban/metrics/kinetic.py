"""72 kinetic features of a dance: per joint, horizontal and vertical energy and mean acceleration."""

from __future__ import annotations

import numpy as np

from laban.errors import InputError
from laban.metrics.samples import poses, require_metres

REACH = 2  # frames to each side of the window


def check_mode(where: str, mode: str, fps: float) -> None:
    """Raises InputError unless `mode` is compat or fixed, and fps a positive number."""
    if mode not in ("compat", "fixed"):
        raise InputError(f"{where}: mode is {mode!r}, expected compat or fixed. Name one of them.")
    if not (np.isfinite(fps) and fps > 0):
        raise InputError(f"{where}: fps is {fps}, expected a positive number. Pass the frame rate of the clip.")


def kinetic(joints: np.ndarray, fps: float = 60.0, mode: str = "compat") -> np.ndarray:
    """Mean squared velocities and mean acceleration of every joint.

    Velocities are averaged over up to 5 frame steps (two to each side; fewer at the ends), then squared and
    averaged over frames 1 ... T-1. Per joint: horizontal m^2/s^2, vertical m^2/s^2, norm of acceleration m/s^2.

    Args:
        joints: (T, J, 3) metres, world, Y up; T >= 3. Any J; 24 SMPL joints give the 72 of the literature.
        fps: frames per second of the clip. `compat` with the released code means 60 for any clip.
        mode: "compat" repeats the released code's misplaced bracket (the earlier velocity is p[t] - p[t-1]/dt), so the
            third number is about 3600 |position| at 60 fps: it says where the dancer stands. "fixed" is the
            acceleration, and refuses bodies that are not in metres.
    Returns: (3 J,) float64.
    Raises: ShapeError, InputError for too few frames, NaN, centimetres ("fixed"), an unknown mode.
    Source: Li et al. 2021 (aistplusplus_api, after Onuma et al. 2008).
    Weakness: 72 strongly correlated numbers: a covariance of 40 dances is singular; jitter looks like energy.
    """
    where = "metrics.kinetic"
    check_mode(where, mode, fps)
    joints = poses(where, joints, None, 3)
    if mode == "fixed":
        require_metres(where, joints)
    if joints.ndim != 3:
        raise InputError(f"{where}: joints have shape {joints.shape}, expected one clip (T, J, 3). Call it per clip.")
    frames, count, _ = joints.shape
    flat = np.ascontiguousarray(joints.reshape(frames, count * 3))
    dt = 1.0 / fps
    step = np.diff(flat, axis=0)  # step[s] leads from frame s to s + 1
    velocity = _windowed(step, 1) / dt
    energy = (velocity**2).mean(axis=0).reshape(count, 3)

    earlier = (flat[1:-1] - flat[:-2] / dt) if mode == "compat" else step[:-1] / dt
    bend = (step[1:] / dt - earlier) / dt  # bend[s] is at frame s + 1
    acceleration = _windowed(bend, 2).reshape(frames - 1, count, 3)
    size = np.sqrt(np.einsum("tjk,tjk->tj", acceleration, acceleration)).mean(axis=0)
    return np.stack([energy[:, 0] + energy[:, 2], energy[:, 1], size], axis=-1).ravel()


def _windowed(differences: np.ndarray, lost: int) -> np.ndarray:
    """Means over windows of five around each of the frames 1 ... T-1, cut at the ends.

    Args:
        differences: (T - lost, D); row s belongs to frame s + 1.
        lost: frames that have no difference.
    Returns: (T - 1, D).
    """
    rows, width = differences.shape
    frames = rows + lost - 1  # frames 1 ... T-1
    padded = np.zeros((frames + 2 * REACH, width))
    padded[REACH : REACH + rows] = differences
    total = padded[:frames].copy()
    for shift in range(1, 2 * REACH + 1):
        total += padded[shift : shift + frames]
    at = np.arange(frames)
    held = np.minimum(at + REACH, rows - 1) - np.maximum(at - REACH, 0) + 1
    return total / held[:, None]
