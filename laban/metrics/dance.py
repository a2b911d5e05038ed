"""Dance metrics on sets and on single dances: FID and Dist of features, beats, PFC, freezing.

`compat` reproduces the released code, errors included, for comparison with published tables; `fixed` is what was
meant. Never put the two in one column.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from laban.errors import InputError, ShapeError
from laban.metrics.frechet import frechet, normalised_by_real
from laban.metrics.kinetic import check_mode
from laban.metrics.samples import finite, poses, require_metres, vectors
from laban.motion.motion import Motion
from laban.motion.warp import at_rate

ANKLES, TOES = (7, 8), (10, 11)  # left, right; SMPL's 24 and HumanML3D's 22 agree
STILL = 0.05  # m/s
GRAVITY = 9.81  # m/s^2


def feature_frechet(real: np.ndarray, generated: np.ndarray, mode: str = "fixed") -> float:
    """FID_k or FID_g: the Fréchet distance of kinetic or geometric features, z-scored by the real set.

    Args:
        real: (N, 72 or 32), one row per dance.
        generated: (M, the same).
        mode: see `normalised_by_real`.
    Returns: no unit, >= 0.
    Raises, warns: as `frechet`.
    Source: Li et al. 2021.
    Weakness: 40 dances against 72 dimensions: singular, so the value is mostly bias (a warning says so). Published
        tables take all real dances, training ones included, of any length, against 1200 generated frames; real
        dances then score 17.1, and some systems better. It does not rank quality.
    """
    return frechet(*normalised_by_real(real, generated, mode))


def feature_distance(real: np.ndarray, generated: np.ndarray, mode: str = "fixed") -> float:
    """Dist_k or Dist_g: mean distance between all pairs of generated dances, features z-scored by the real set.

    Args:
        real: as in `feature_frechet`.
        generated: as in `feature_frechet`; at least two dances.
        mode: see `normalised_by_real`.
    Returns: no unit; 0 if all are the same.
    Raises: as `normalised_by_real`; InputError for fewer than two generated dances.
    Source: Li et al. 2021.
    Weakness: an exploding dance is far from all others, so failure reads as variety.
    """
    vectors("metrics.feature_distance", "the generated set", generated, 2)
    _, z = normalised_by_real(real, generated, mode)
    total = sum(float(np.linalg.norm(z[i + 1 :] - z[i], axis=-1).sum()) for i in range(len(z) - 1))
    return total / (len(z) * (len(z) - 1) / 2)


def kinematic_beats(joints: np.ndarray, definition: str = "fact", mode: str = "compat") -> np.ndarray:
    """Frames in which a dance comes to rest: local minima of the summed joint speed.

    Args:
        joints: (T, J, 3), any unit, T >= 3.
        definition: "fact": strict minima among the 10 frames to each side, unsmoothed. "bailando": smoothed with a
            Gaussian of 5 frames, strict minima among direct neighbours.
        mode: "compat" gives the first frame the speed 0 that it has for lack of an earlier one, so "fact" finds no beat
            in the first ten frames; "fixed" leaves that frame out.
    Returns: (K,) ascending frame numbers; the step that ends in that frame is the slowest. Empty if none.
    Raises: ShapeError, InputError for another shape, NaN, an unknown definition or mode.
    Source: Li et al. 2021 and Siyao et al. 2022, released code.
    Weakness: noisy joints have minima everywhere; a frozen dance has none.
    """
    where = "metrics.kinematic_beats"
    check_mode(where, mode, 1.0)
    if definition not in ("fact", "bailando"):
        raise InputError(f"{where}: definition is {definition!r}, expected fact or bailando. Name one of them.")
    joints = poses(where, joints, None, 3)
    if joints.ndim != 3:
        raise InputError(f"{where}: joints have shape {joints.shape}, expected one clip (T, J, 3). Call it per clip.")
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1).sum(axis=-1)
    first = 1
    if mode == "compat":
        speed, first = np.concatenate([[0.0], speed]), 0
    if definition == "bailando":
        speed = _smoothed(speed, 5.0)
    return _minima(speed, 10 if definition == "fact" else 1) + first


def rests(motion: Motion) -> np.ndarray:
    """(K,) frames in which a motion comes to rest: its kinematic beats, FACT's definition, "fixed".

    A motion that is not at 60 fps is brought there first, and frames are counted at its own rate (fractions possible).
    None of a motion of fewer than four frames at 60 fps.
    """
    joints = at_rate(motion, 60.0).joints()
    if len(joints) < 4:
        return np.zeros(0)
    frames = kinematic_beats(joints, "fact", "fixed")
    return frames if motion.fps == 60.0 else frames * motion.fps / 60.0


def _smoothed(values: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian of four sigmas to each side, the ends mirrored with the end value repeated."""
    reach = int(4 * sigma + 0.5)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.convolve(np.pad(values, reach, mode="symmetric"), taps / taps.sum(), mode="valid")


def _minima(values: np.ndarray, order: int) -> np.ndarray:
    """Places that are smaller than all others within `order`, the two ends excepted."""
    padded = np.pad(values, order, constant_values=np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * order + 1).copy()
    windows[:, order] = np.inf
    found = np.flatnonzero(values < windows.min(axis=-1))
    return found[(found > 0) & (found < len(values) - 1)]


def beat_alignment(
    kinematic: np.ndarray,
    music: np.ndarray,
    over: Literal["kinematic", "music"] = "kinematic",
    sigma: float = 3.0,
) -> float:
    """Mean of exp(-d^2 / 2 sigma^2), d the distance from each beat to the nearest one of the other kind.

    Args:
        kinematic: (K,), (M,) beats in frames, any order.
        music: (K,), (M,) beats in frames, any order.
        over: "kinematic" is FACT's definition, "music" Bailando's; their values are not comparable.
        sigma: frames; 3 at 60 fps is 50 ms. Scale it with another frame rate.
    Returns: 0 to 1; 0 when either kind has no beat.
    Raises: ShapeError if one is not a list of numbers; InputError for NaN, an unknown `over`, sigma <= 0.
    Source: Li et al. 2021; Siyao et al. 2022.
    Weakness: FACT's ignores missed music beats, so one good beat scores 1; Bailando's rewards many beats, as of
        jitter. Real dances score .29 and randomly paired ones .21: print both beside the value.
    """
    where = "metrics.beat_alignment"
    if over not in ("kinematic", "music"):
        raise InputError(f"{where}: over is {over!r}, expected kinematic or music. Name one of them.")
    if not (np.isfinite(sigma) and sigma > 0):
        raise InputError(f"{where}: sigma is {sigma}, expected a positive number of frames. Use 3 at 60 fps.")
    beats = []
    for name, values in (("kinematic", kinematic), ("music", music)):
        array = np.asarray(values)
        if array.ndim != 1 or array.dtype.kind not in "iuf":
            raise ShapeError(f"{where}: {name} beats have shape {array.shape}, expected (beats,). Pass frame numbers.")
        beats.append(np.sort(finite(where, f"{name} beats", array)))
    asked, other = beats if over == "kinematic" else beats[::-1]
    if not len(asked) or not len(other):
        return 0.0
    right = np.searchsorted(other, asked)
    near = [np.abs(asked - other[np.clip(right + shift, 0, len(other) - 1)]) for shift in (-1, 0)]
    return float(np.exp(-(np.minimum(*near) ** 2) / (2.0 * sigma**2)).mean())


def foot_contact(joints: np.ndarray, fps: float = 30.0, mode: str = "compat") -> float:
    """PFC: the root accelerates only while a foot stands, or physics is broken.

    Mean over frames of (slower of left ankle and toes) x (the same, right) x (root acceleration, its downward part
    set to 0).

    Args:
        joints: (T, J >= 12, 3) metres, world, Y up, SMPL's order; T >= 3.
        fps: frames per second of the clip; `compat` with the released code means 30.
        mode: "compat": feet in metres per frame, acceleration over the clip's largest, times 10^4. "fixed": feet in m/s
            and acceleration in units of gravity, m^2/s^2, so neither one bad frame nor the length of the clip nor the
            rate scales it.
    Returns: >= 0; 0 for a clip whose root never accelerates.
    Raises: ShapeError, InputError for other shapes, NaN, centimetres ("fixed"), an unknown mode.
    Source: Tseng et al. 2023 (EDGE), released code. Deviation: Y is up here.
    Weakness: freezing scores 0, the best; "compat" falls with the length of the clip: use equal lengths.
    """
    where = "metrics.foot_contact"
    check_mode(where, mode, fps)
    joints = poses(where, joints, None, 3)
    if joints.ndim != 3 or joints.shape[1] <= max(TOES):
        raise ShapeError(f"{where}: joints have shape {joints.shape}, expected (T, J >= 12, 3). Pass SMPL's joints.")
    if mode == "fixed":
        require_metres(where, joints)
    root = np.diff(joints[:, 0], n=2, axis=0) * fps**2
    root[:, 1] = np.maximum(root[:, 1], 0.0)
    force = np.linalg.norm(root, axis=-1)
    feet = joints[1:, [*ANKLES, *TOES]][..., [0, 2]]
    moved = np.linalg.norm(np.diff(feet, axis=0), axis=-1)
    left, right = np.minimum(moved[:, 0], moved[:, 2]), np.minimum(moved[:, 1], moved[:, 3])
    if mode == "fixed":
        return float((left * right * fps**2 * force / GRAVITY).mean())
    largest = force.max()
    return float((left * right * force / largest).mean() * 1e4) if largest > 0 else 0.0


def freezing(joints: np.ndarray, fps: float, speed: float = STILL) -> float:
    """Share of frame steps in which the body stands still: mean joint speed below a threshold.

    Args:
        joints: (T, J, 3) metres, world; T >= 2.
        fps: frames per second.
        speed: metres per second.
    Returns: 0 to 1.
    Raises: ShapeError, InputError for other shapes, NaN, centimetres.
    Source: our own, for the freezing after the seed that users of FACT report; TM2D has one
        on joint velocity too. One definition, so there are no modes.
    Weakness: dancers hold poses: read it beside the value of real dances. A statue that slides is not frozen.
    """
    where = "metrics.freezing"
    check_mode(where, "fixed", fps)
    joints = poses(where, joints, None, 2)
    if joints.ndim != 3:
        raise InputError(f"{where}: joints have shape {joints.shape}, expected one clip (T, J, 3). Call it per clip.")
    require_metres(where, joints)
    mean = np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean(axis=-1) * fps
    return float((mean < speed).mean())
