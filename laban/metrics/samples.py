"""What samples must be before a number is made of them: shape, finite, enough of them, in metres.

Every metric calls these first, so that a set that cannot be scored is an error in one line and never a number.
"""

from __future__ import annotations

import numpy as np

from laban.errors import InputError, ShapeError

BODY = (0.3, 4.0)  # metres: the largest side of the box around a person, whatever the pose


def vectors(where: str, name: str, array: np.ndarray, at_least: int = 1) -> np.ndarray:
    """The array as float64 (N, D).

    Raises: ShapeError if it is not (N, D) with D >= 1; InputError if N < at_least or a value is not finite.
    """
    array = np.asarray(array)
    if array.ndim != 2 or array.shape[1] == 0 or array.dtype.kind not in "biuf":
        raise ShapeError(
            f"{where}: {name} has shape {array.shape} of {array.dtype}, expected (samples, dimensions) of numbers. "
            "Pass one row per sample."
        )
    if len(array) < at_least:
        raise InputError(f"{where}: {name} has {len(array)} samples, expected at least {at_least}. Pass more clips.")
    return finite(where, name, array)


def pairs(where: str, texts: np.ndarray, motions: np.ndarray, at_least: int) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of vectors whose rows belong together.

    Raises: as `vectors`; ShapeError if the two differ in length or width.
    """
    texts = vectors(where, "text embeddings", texts, at_least)
    motions = vectors(where, "motion embeddings", motions, at_least)
    if texts.shape != motions.shape:
        raise ShapeError(
            f"{where}: {texts.shape} text and {motions.shape} motion embeddings, expected equal shapes. "
            "Pass one motion per text, embedded by the same evaluator."
        )
    return texts, motions


def poses(where: str, joints: np.ndarray, count: int | None, frames: int) -> np.ndarray:
    """Joints of one clip or of several of one length, as float64 (..., T, J, 3).

    Args:
        where: the caller, for messages.
        joints: (T, J, 3), or (B, T, J, 3).
        count: how many joints there must be; None takes any.
        frames: the fewest frames that the metric is defined for.
    Raises: ShapeError for another shape or too few frames; InputError for a value that is not finite.
    """
    joints = np.asarray(joints)
    wanted = "J" if count is None else str(count)
    if (
        joints.ndim < 3
        or joints.shape[-1] != 3
        or joints.shape[-2] != (count or joints.shape[-2])
        or joints.shape[-3] < frames
        or joints.size == 0
        or joints.dtype.kind not in "biuf"
    ):
        raise ShapeError(
            f"{where}: joints have shape {joints.shape}, expected (..., T >= {frames}, {wanted}, 3). "
            "Pass positions in metres, frames before joints."
        )
    return finite(where, "joints", joints)


def finite(where: str, name: str, array: np.ndarray) -> np.ndarray:
    """The array as float64. Raises: InputError if a value is NaN or infinite."""
    array = np.asarray(array, np.float64)
    bad = array.size - int(np.isfinite(array).sum())
    if bad:
        raise InputError(
            f"{where}: {bad} of {array.size} values of {name} are NaN or infinite, expected numbers. "
            "Leave those samples out, and say how many."
        )
    return array


def require_metres(where: str, joints: np.ndarray) -> None:
    """Refuse bodies that are no bodies in metres: centimetres, millimetres, inches, normalised features.

    Args:
        where: the caller, for messages.
        joints: (..., T, J, 3) of one or several clips.
    Raises: InputError if the median over frames of the longest side of the box around the joints is not
        between 0.3 and 4 m.
    """
    box = np.ptp(np.asarray(joints, np.float64), axis=-2).max(axis=-1)
    size = float(np.median(box))
    if not BODY[0] <= size <= BODY[1]:
        raise InputError(
            f"{where}: bodies are {size:.4g} units long, expected {BODY[0]} to {BODY[1]} m. "
            "Convert the joints to metres (centimetres: divide by 100)."
        )
