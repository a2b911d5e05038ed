"""The Fréchet distance between two sets of vectors, seen as two normal distributions."""

from __future__ import annotations

import warnings

import numpy as np

from laban.errors import InputError, ShapeError
from laban.metrics.samples import vectors

FLAT = 1e-10  # added to a standard deviation in `compat`, as the released dance code does


class FewSamplesWarning(UserWarning):
    """A covariance was estimated from fewer samples than it has dimensions, so it is singular."""


def frechet(real: np.ndarray, generated: np.ndarray) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2), covariances with ddof 1.

    With A and B the centred samples over sqrt(n - 1), C1 = A'A and C2 = B'B, and the trace of the square root is
    the nuclear norm of A B'. That needs no matrix square root, no eps on the diagonal, is never complex, and costs
    a decomposition of min(n, d) rows only. Identical sets give 0 to rounding.

    Args:
        real: (N, D) embeddings, no unit.
        generated: (M, D) embeddings of the same evaluator; N and M may differ.
    Returns: the squared distance, in squared units of the embedding, >= 0. A set of equal vectors is a point:
        its covariance is 0, and the value is still exact.
    Raises: ShapeError if the widths differ; InputError for fewer than two samples, NaN or infinity.
    Warns: FewSamplesWarning if a set has no more samples than dimensions.
    Source: Dowson and Landau 1982; Heusel et al. 2017 for its use. Deviation: none in value.
    Weakness: biased upwards for small sets, so compare only between sets of equal size; it barely sees jitter, and
        the same two sets are near or far as the evaluator decides.
    """
    real, generated = _sets("metrics.frechet", real, generated, 2)
    fewest = min(len(real), len(generated))
    if fewest <= real.shape[1]:
        warnings.warn(
            f"metrics.frechet: {fewest} samples for {real.shape[1]} dimensions make a singular covariance; "
            "the distance is biased. Use more clips, or compare only with sets of this size.",
            FewSamplesWarning,
            stacklevel=2,
        )
    middle, other = real.mean(axis=0), generated.mean(axis=0)
    a, b = _factor(real - middle), _factor(generated - other)
    common = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    distance = ((middle - other) ** 2).sum() + (a**2).sum() + (b**2).sum() - 2.0 * common
    return float(max(distance, 0.0))


def _sets(where: str, real: np.ndarray, generated: np.ndarray, fewest: int) -> tuple[np.ndarray, np.ndarray]:
    """Both sets, checked: two real vectors at least, `fewest` generated ones, and the same dimensions."""
    real, generated = vectors(where, "the real set", real, 2), vectors(where, "the generated set", generated, fewest)
    if real.shape[1] != generated.shape[1]:
        raise ShapeError(
            f"{where}: {real.shape[1]} dimensions against {generated.shape[1]}, expected the same. Embed both sets "
            "with one evaluator."
        )
    return real, generated


def _factor(centred: np.ndarray) -> np.ndarray:
    """R with R'R the covariance, and no more rows than dimensions."""
    scaled = centred / np.sqrt(len(centred) - 1)
    return np.asarray(np.linalg.qr(scaled, mode="r")) if len(scaled) > scaled.shape[1] else scaled


def normalised_by_real(real: np.ndarray, generated: np.ndarray, mode: str = "fixed") -> tuple[np.ndarray, np.ndarray]:
    """Both sets, z-scored with the mean and standard deviation (ddof 0) of the real one.

    Args:
        real: (N, D).
        generated: (M, D).
        mode: "compat" divides by the deviation + 1e-10, so that a dimension which is constant in the real set
            multiplies any difference by 1e10; "fixed" leaves those dimensions out of both.
    Returns: two arrays (N, D') and (M, D'), no unit; D' < D only in "fixed".
    Raises: ShapeError, InputError as `frechet`; InputError in "fixed" if every dimension is constant.
    Source: Li et al. 2021 (released evaluation).
    """
    real, generated = _sets("metrics.normalised_by_real", real, generated, 1)
    if mode not in ("compat", "fixed"):
        raise InputError(f"metrics.normalised_by_real: mode is {mode!r}, expected compat or fixed. Name one of them.")
    mean, deviation = real.mean(axis=0), real.std(axis=0)
    if mode == "fixed":
        # Equal values may leave a deviation of rounding size.
        varies = deviation > 1e-12 * np.maximum(1.0, np.abs(real).max(axis=0))
        if not varies.any():
            raise InputError(
                "metrics.normalised_by_real: the real set is constant, expected samples that differ. "
                "Check that the features were computed."
            )
        return (real - mean)[:, varies] / deviation[varies], (generated - mean)[:, varies] / deviation[varies]
    return (real - mean) / (deviation + FLAT), (generated - mean) / (deviation + FLAT)
