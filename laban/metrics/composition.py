"""Long motion made of parts: what happens at its seams, and which side of the body does what.

Pure geometry on joints; no learned judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from laban.errors import InputError
from laban.metrics import control
from laban.metrics.samples import poses
from laban.motion.skeletons import HUMANML22

WINDOW = 30  # frames around a seam, as FlowMDM's protocol takes them
SIDED: dict[str, int] = {
    "raise_left": 1, "wave_left": 1, "turn_left": 1, "walk_left": 1,
    "raise_right": -1, "wave_right": -1, "turn_right": -1, "walk_right": -1,
}  # fmt: skip
"""Expectations that name a side: 1 left, -1 right."""
FEET = tuple(HUMANML22.index(f"{side}_{part}") for side in ("left", "right") for part in ("ankle", "foot"))


def windows(joints: np.ndarray, seams: Iterable[int], width: int = WINDOW) -> np.ndarray:
    """The frames around each seam.

    Args:
        joints: (T, J, 3).
        seams: first frames of the later parts.
        width: frames, half of them before the seam.
    Returns: (S, width, J, 3), without seams nearer than half a width to an end; S may be 0.
    """
    joints = np.asarray(joints)
    half = width // 2
    rows = [joints[s - half : s - half + width] for s in seams if s >= half and s - half + width <= len(joints)]
    return np.stack(rows) if rows else np.empty((0, width, *joints.shape[1:]), joints.dtype)


def jerk_peaks(windows_: np.ndarray) -> np.ndarray:
    """(S, width, J, 3) -> (S,) the highest jerk of each window: third difference, L1 over xyz, largest joint.

    In metres per frame^3, as `transitions.jerk_curve`, but the maximum over time of each window by itself: a mean over
    windows first, as FlowMDM's PJ takes it, hides a jump in one of them.
    """
    windows_ = poses("metrics.jerk_peaks", windows_, None, 4)
    return np.abs(np.diff(windows_, n=3, axis=1)).sum(-1).max(-1).max(-1)


@dataclass(frozen=True)
class SeamMeasures:
    """Of each window: peak jerk (m/frame^3), largest change of the root's horizontal velocity from one frame to the
    next (m/s), largest step of a foot joint in one frame (m).
    """

    jerk: np.ndarray
    root_change: np.ndarray
    foot_step: np.ndarray


def seam_measures(windows_: np.ndarray, fps: float) -> SeamMeasures:
    """Of (S, width, J, 3) windows, metres, world; HumanML3D's 22 joints."""
    windows_ = poses("metrics.seam_measures", windows_, None, 4)
    root = windows_[:, :, 0][..., [0, 2]]
    change = np.linalg.norm(np.diff(root, n=2, axis=1), axis=-1) * fps
    step = np.linalg.norm(np.diff(windows_[:, :, list(FEET)], axis=1), axis=-1)
    return SeamMeasures(jerk_peaks(windows_), change.max(1), step.max((1, 2)))


def side_of(expectation: str, joints: np.ndarray, fps: float) -> float:
    """How much more the left is at work, by the kind of action; positive: left.

    Turns: net yaw, radians. Walking aside: metres to the left of the facing. Hands: how much longer the left wrist's
    path is, seen from the pelvis, as a share of both.

    Args:
        expectation: of SIDED.
        joints: (T, 22, 3) metres, world.
        fps: frames per second.
    Raises: InputError for an expectation that names no side.
    Source: the definition above, the project's own.
    """
    if expectation not in SIDED:
        raise InputError(f"metrics.side_of: {expectation!r} names no side; expected one of {', '.join(SIDED)}.")
    if expectation.startswith("turn"):
        return control.net_yaw(joints)
    forward = control.facing(joints)
    left = np.stack([forward[:, 2], forward[:, 1], -forward[:, 0]], -1)
    if expectation.startswith("walk"):
        step = np.diff(joints[:, 0], axis=0)
        return float((step * left[:-1]).sum())
    paths = []
    for name in ("left_wrist", "right_wrist"):
        arm = joints[:, HUMANML22.index(name)] - joints[:, 0]
        local = np.stack([(arm * forward).sum(-1), arm[:, 1], (arm * left).sum(-1)], -1)
        paths.append(float(np.linalg.norm(np.diff(local, axis=0), axis=-1).sum()))
    return (paths[0] - paths[1]) / max(sum(paths), 1e-9)


def right_side(expectation: str, joints: np.ndarray, fps: float) -> bool:
    """Whether the named side is the one at work. Chance is one half."""
    return side_of(expectation, joints, fps) * SIDED[expectation] > 0


def peak_and_area(windows_: np.ndarray, real: float) -> tuple[float, float]:
    """FlowMDM's PJ and AUJ over windows (S, width, J, 3): the maximum over time of the mean jerk, and the sum of its
    distance from `real`, the mean jerk of real motion at the same rate.
    """
    from laban.metrics import transitions

    return transitions.peak_jerk(windows_), transitions.area_under_jerk(windows_, real)


def inside(clips: Sequence[np.ndarray], rng: np.random.Generator, count: int, width: int = WINDOW) -> np.ndarray:
    """`count` windows from anywhere inside clips (T, J, 3), longer ones more often: (count, width, J, 3).

    Raises: InputError if no clip has `width` frames.
    """
    room = np.array([max(0, len(c) - width + 1) for c in clips], np.float64)
    if not room.sum():
        raise InputError(f"metrics.inside: none of {len(clips)} clips has {width} frames.")
    picks = rng.choice(len(clips), size=count, p=room / room.sum())
    starts = [int(rng.integers(int(room[i]))) for i in picks]
    return np.stack([np.asarray(clips[i][s : s + width]) for i, s in zip(picks, starts, strict=True)])
