"""How smooth a motion is where parts meet: peak jerk, area under the jerk, seam error of joins and loops."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from laban.errors import InputError
from laban.metrics.samples import poses

REAL_JERK_BABEL = 0.016383  # metres per frame^3 at 30 fps: the real motion's, as FlowMDM prints it
REAL_JERK_HUMANML3D = 0.033031  # the same, at 20 fps


def jerk_curve(joints: np.ndarray) -> np.ndarray:
    """Third difference of the positions, summed over x, y, z without sign, largest joint, mean over clips.

    Args:
        joints: (B, T, J, 3) metres, world; B transitions of one length, T >= 4.
    Returns: (T-3,) metres per frame^3. Not scaled by the frame rate: compare at one rate only.
    Raises: ShapeError, InputError for another shape, no clip, NaN.
    Source: Barquero et al., CVPR 2024 (FlowMDM), as released. Deviation: none.
    """
    joints = poses("metrics.jerk_curve", joints, None, 4)
    if joints.ndim != 4:
        raise InputError(
            f"metrics.jerk_curve: joints have shape {joints.shape}, expected (transitions, T, J, 3). "
            "Stack the transitions, cut to one length."
        )
    return np.abs(np.diff(joints, n=3, axis=1)).sum(axis=-1).max(axis=-1).mean(axis=0)


def peak_jerk(joints: np.ndarray) -> float:
    """PJ: the largest value of `jerk_curve`; metres per frame^3; arguments and errors are its own.

    Weakness: the mean over clips comes before the maximum, so a jump in one clip at a time is hidden; and a statue
    scores best.
    """
    return float(jerk_curve(joints).max())


def area_under_jerk(joints: np.ndarray, real: float) -> float:
    """AUJ: sum over frames of |jerk_curve - real|.

    Args:
        joints: as `jerk_curve`.
        real: the mean of `jerk_curve` for real motion at the same frame rate, from the same data.
    Returns: metres per frame^3, summed over frames: it grows with the length, so compare equal lengths.
    Raises: as `jerk_curve`; InputError if `real` is not a number >= 0.
    Source: as `jerk_curve`.
    """
    if not (np.isfinite(real) and real >= 0):
        raise InputError(f"metrics.area_under_jerk: real is {real}, expected a number >= 0. Measure it on real motion.")
    return float(np.abs(jerk_curve(joints) - real).sum())


def seam_error(joints: np.ndarray, seams: Iterable[int]) -> np.ndarray:
    """How far the step across each join departs from the steps before and after it.

    |(p[s] - p[s-1]) - ((p[s-1] - p[s-2]) + (p[s+1] - p[s])) / 2|, mean over joints. 0 at constant velocity.

    Args:
        joints: (T, J, 3) metres, world.
        seams: first frames s of the later part, 2 <= s <= T - 2.
    Returns: (seams,) metres.
    Raises: ShapeError, InputError for another shape, NaN, no seam, or one too near an end.
    Source: ours. Weakness: fast true motion has some too: compare with the same measure at every frame of real clips
        (pass range(2, T - 1)).
    """
    joints = poses("metrics.seam_error", joints, None, 4)
    if joints.ndim != 3:
        raise InputError(f"metrics.seam_error: joints have shape {joints.shape}, expected one clip (T, J, 3).")
    at = np.array(list(seams))
    if not at.size or at.dtype.kind not in "iu" or at.min() < 2 or at.max() > len(joints) - 2:
        raise InputError(
            f"metrics.seam_error: seams {at.tolist()[:5]} of {len(joints)} frames, expected frame numbers from 2 to "
            f"{len(joints) - 2}. Give the first frame of each later part."
        )
    step = np.diff(joints, axis=0)  # step[s - 1] crosses the seam s
    off = step[at - 1] - 0.5 * (step[at - 2] + step[at])
    return np.linalg.norm(off, axis=-1).mean(axis=-1)


def loop_error(joints: np.ndarray) -> float:
    """`seam_error` where a clip that is played in a loop begins again; its horizontal travel is taken out.

    Args:
        joints: (T, J, 3) metres, world, root first; T >= 4.
    Returns: metres.
    Raises: ShapeError, InputError for another shape or NaN.
    Source: ours. Weakness: a clip that ends turned away from its beginning counts as open, since it is.
    """
    joints = poses("metrics.loop_error", joints, None, 4)
    if joints.ndim != 3:
        raise InputError(f"metrics.loop_error: joints have shape {joints.shape}, expected one clip (T, J, 3).")
    still = joints - joints[:, :1] * [1.0, 0.0, 1.0]
    around = np.concatenate([still[-2:], still[:2]])
    return float(seam_error(around, [2])[0])


def ends(joints: np.ndarray, frames: int = 3) -> tuple[float, float]:
    """How hard a motion begins and ends: acceleration at either end, over the median inside.

    Args:
        joints: (T, J, 3) of one motion, T of 12 or more; taken relative to the root.
        frames: of either end, of which the hardest counts.
    Returns: at the beginning and at the end.
    """
    local = joints - joints[:, :1]
    size = np.linalg.norm(np.diff(local, 2, axis=0), axis=-1).mean(-1)
    inside = max(float(np.median(size[frames:-frames])), 1e-9)
    return float(size[:frames].max()) / inside, float(size[-frames:].max()) / inside
