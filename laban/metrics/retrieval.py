"""Retrieval and recognition scores on matrices of similarities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from laban.errors import InputError, ShapeError


def recall_at(scores: np.ndarray, matches: np.ndarray, ks: Sequence[int]) -> dict[int, float]:
    """Share of queries with a match among their k best.

    Args:
        scores: (Q, N), higher is nearer.
        matches: (Q, N) bool, which items answer which query.
        ks: how many are looked at.
    Returns: k -> share. An item that is no match goes before a match of the same score, so constant scores gain
        nothing. A query that nothing answers is an error: it would count as a miss whatever the model does.
    Raises: ShapeError, InputError.
    """
    scores, matches = np.asarray(scores, np.float64), np.asarray(matches, bool)
    if scores.ndim != 2 or scores.shape != matches.shape or not scores.size:
        raise ShapeError(
            f"metrics.recall_at: scores {scores.shape} and matches {matches.shape}; expected equal (Q, N)."
        )
    if not np.isfinite(scores).all():
        raise InputError("metrics.recall_at: scores hold NaN or infinity. Leave those samples out, and say how many.")
    if not matches.any(1).all():
        raise InputError("metrics.recall_at: a query has no answer in the gallery. Leave it out, and say how many.")
    best = np.where(matches, scores, -np.inf).max(1)
    rank = ((scores >= best[:, None]) & ~matches).sum(1)
    return {int(k): float((rank < k).mean()) for k in ks}


def chance_at(matches: np.ndarray, ks: Sequence[int]) -> dict[int, float]:
    """What random order would give, on average: hypergeometric. Args as `recall_at`."""
    matches = np.asarray(matches, bool)
    total, own = matches.shape[1], matches.sum(1)
    out = {}
    for k in ks:
        miss = np.ones(len(matches))
        for i in range(min(k, total)):
            miss *= np.clip((total - own - i) / (total - i), 0, 1)
        out[int(k)] = float((1 - miss).mean())
    return out
