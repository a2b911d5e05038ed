"""32 geometric features of a dance: the share of frames in which a relation between joints holds."""

from __future__ import annotations

import numpy as np

from laban.errors import InputError
from laban.metrics.kinetic import check_mode
from laban.metrics.samples import poses, require_metres

HL, SW, HW = 0.256838, 0.390848, 0.119247  # metres: upper arm, shoulders, hips of the reference body
COMPAT_RATE = 120.0  # the released code's 1/dt, at 60 fps data

(ROOT, LHIP, RHIP, BELLY, LKNEE, RKNEE, _, LANKLE, RANKLE, CHEST, LTOES, RTOES, NECK, _, _, _, LSHOULDER, RSHOULDER,
 LELBOW, RELBOW, LWRIST, RWRIST, _, _) = range(24)  # fmt: skip
UP = np.array([[0.0], [1.0], [0.0]])

# Rows of (kind, joints, threshold); the numbers beside them are their places in the result.
NMOVE = ((0, NECK, RHIP, LHIP, RWRIST, 1.8 * HL), (1, NECK, LHIP, RHIP, LWRIST, 1.8 * HL))
NPLANE = (
    (2, CHEST, NECK, NECK, RWRIST, 0.2 * HL),
    (3, CHEST, NECK, NECK, LWRIST, 0.2 * HL),
    (8, LSHOULDER, RSHOULDER, LWRIST, RWRIST, 2.5 * SW),
    (18, LHIP, RHIP, LANKLE, RANKLE, 2.1 * HW),
)
MOVE = (
    (9, LWRIST, RWRIST, RWRIST, 1.4 * HL),
    (10, RWRIST, ROOT, LWRIST, 1.4 * HL),
    (11, LWRIST, ROOT, RWRIST, 1.4 * HL),
)
MOVE_COMPAT = ((4, BELLY, CHEST, CHEST, 1.8 * HL), (5, BELLY, CHEST, CHEST, 1.8 * HL))
MOVE_FIXED = ((4, BELLY, CHEST, RWRIST, 1.8 * HL), (5, BELLY, CHEST, LWRIST, 1.8 * HL))
ANGLE = (
    (6, RELBOW, RSHOULDER, RELBOW, RWRIST, 0, 110),
    (7, LELBOW, LSHOULDER, LELBOW, LWRIST, 0, 110),
    (19, RKNEE, RHIP, RKNEE, RANKLE, 0, 110),
    (20, LKNEE, LHIP, LKNEE, LANKLE, 0, 110),
    (23, NECK, ROOT, RSHOULDER, RELBOW, 25, 180),
    (24, NECK, ROOT, LSHOULDER, LELBOW, 25, 180),
    (25, NECK, ROOT, RHIP, RKNEE, 50, 180),
    (26, NECK, ROOT, LHIP, LKNEE, 50, 180),
)
PLANE = (
    (14, ROOT, LHIP, LTOES, RANKLE, 0.38 * HL),
    (15, ROOT, RHIP, RTOES, LANKLE, 0.38 * HL),
    (27, RANKLE, NECK, LANKLE, ROOT, 0.5 * HL),
)
FAST = ((12, RWRIST, 2.5 * HL), (13, LWRIST, 2.5 * HL), (21, RANKLE, 2.5 * HL), (22, LANKLE, 2.5 * HL),
        (31, ROOT, 2.3 * HL))  # fmt: skip
HIGH = ((16, RANKLE, 1.2 * HL), (17, LANKLE, 1.2 * HL))  # above the lowest joint
LOW = ((29, RWRIST, 1.2 * HL), (30, LWRIST, 1.2 * HL))  # less than that above it


def geometric(joints: np.ndarray, fps: float = 60.0, mode: str = "compat") -> np.ndarray:
    """Shares of the frames 1 ... T-1 in which each of 32 conditions holds (in the released order).

    Args:
        joints: (T, 24, 3) metres, world, Y up, SMPL's 24 joints; T >= 2.
        fps: frames per second of the clip; used by "fixed" only.
        mode: "compat" repeats the released code: dt is 1/120 s whatever the rate, which doubles every speed at 60 fps,
            and conditions 4 and 5 look at the chest. "fixed" uses the rate of the clip, conditions 4 and 5 look at the
            wrists, and bodies that are not in metres are refused.
    Returns: (32,) float64, shares from 0 to 1.
    Raises: ShapeError, InputError for another skeleton, too few frames, NaN, centimetres ("fixed"), unknown mode.
    Source: Müller et al. 2005; Li et al. 2021 (aistplusplus_api).
    Weakness: thresholds are of one body and do not scale with the dancer; a condition whose plane or direction has
        no length in a frame does not hold in it, silently.
    """
    where = "metrics.geometric"
    check_mode(where, mode, fps)
    joints = poses(where, joints, 24, 2)
    if joints.ndim != 3:
        raise InputError(f"{where}: joints have shape {joints.shape}, expected one clip (T, 24, 3). Call it per clip.")
    if mode == "fixed":
        require_metres(where, joints)
    rate = COMPAT_RATE if mode == "compat" else fps
    everything = np.ascontiguousarray(joints.transpose(1, 2, 0))  # (24, 3, T)
    p, d = everything[..., 1:], np.diff(everything, axis=-1)
    lowest = p[:, 1].min(axis=0)
    holds = np.zeros((32, p.shape[-1]), bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        for i, a, b, c, q, threshold in NMOVE:
            n = _cross(p[c] - p[a], p[b] - p[a])
            holds[i] = _dot(d[q] - d[a], n) / _size(n) * rate > threshold
        for i, a, b, c, q, threshold in NPLANE:
            n = p[b] - p[a]
            holds[i] = _dot(n, p[q] - p[c]) / _size(n) > threshold
        for i, a, b, c, threshold in (*MOVE, *(MOVE_COMPAT if mode == "compat" else MOVE_FIXED)):
            n = p[b] - p[a]
            holds[i] = _dot(d[c] - d[a], n) / _size(n) * rate > threshold
        for i, a, b, c, e, low, high in ANGLE:
            holds[i] = _between(p[b] - p[a], p[e] - p[c], low, high)
        for i, a, b, c, q, threshold in PLANE:
            n = _cross(p[c] - p[a], p[b] - p[a])
            holds[i] = _dot(n, p[q] - p[a]) / _size(n) > threshold
        holds[28] = _between(p[ROOT] - p[NECK], np.broadcast_to(UP, p[ROOT].shape), 70, 110)
        for i, a, threshold in FAST:
            holds[i] = _size(d[a]) * rate > threshold
        for i, a, threshold in HIGH:
            holds[i] = p[a, 1] - lowest > threshold
        for i, a, threshold in LOW:
            holds[i] = lowest - p[a, 1] > -threshold
    return holds.mean(axis=-1)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _size(a: np.ndarray) -> np.ndarray:
    return np.sqrt(_dot(a, a))


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def _between(a: np.ndarray, b: np.ndarray, low: float, high: float) -> np.ndarray:
    """Whether the angle of two directions lies strictly between two numbers of degrees."""
    degrees = np.degrees(np.arccos(np.clip(_dot(a, b) / (_size(a) * _size(b)), -1.0, 1.0)))
    return (degrees > low) & (degrees < high)
