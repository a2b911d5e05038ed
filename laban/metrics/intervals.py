"""Intervals of 95 %: how far a figure would move with other clips."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from laban.errors import InputError, ShapeError

LEVEL = (2.5, 97.5)  # percentiles


@dataclass(frozen=True)
class Estimate:
    """A value and the ends of its interval; no unit of its own."""

    value: float
    low: float
    high: float

    def apart(self, other: Estimate) -> bool:
        """Whether the two intervals have nothing in common."""
        return self.high < other.low or other.high < self.low


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927); (0, 1) of nothing. Not empty at 0 and 1, as a bootstrap's is."""
    if total == 0:
        return 0.0, 1.0
    share = hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return max(0.0, middle - half), min(1.0, middle + half)


class Bootstrap:
    """Draws of clips with replacement, the same for every figure that is made with one object.

    Args:
        clips: how many there are, at least 1.
        draws: resamples.
        seed: of the draws.
    Source: Efron 1979; percentile intervals. Weakness: clips of one person or take are drawn as if they were
        independent, so intervals are too narrow where a set has few people.
    """

    def __init__(self, clips: int, draws: int = 1000, seed: int = 0) -> None:
        if clips < 1 or draws < 1:
            raise InputError(f"metrics.Bootstrap: {clips} clips, {draws} draws; expected at least 1 of each.")
        self.rows = np.random.default_rng([seed, clips]).integers(clips, size=(draws, clips))
        self.counts = np.zeros((draws, clips))
        np.add.at(self.counts, (np.arange(draws)[:, None], self.rows), 1.0)

    def mean(self, values: np.ndarray, weights: np.ndarray | None = None) -> Estimate:
        """Of sum(values) / sum(weights).

        Args:
            values: (clips,), one per clip; with weights, its share of the numerator.
            weights: (clips,) >= 0.
        Raises: ShapeError for another length; InputError if all weights are 0 or a value is not finite.
        """
        values = np.asarray(values, np.float64)
        weights = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
        if values.shape != weights.shape or values.shape != self.rows.shape[1:]:
            raise ShapeError(f"metrics.Bootstrap: {values.shape} values, expected ({self.rows.shape[1]},).")
        if not np.isfinite(values).all() or not weights.sum() > 0:
            raise InputError("metrics.Bootstrap: values are not finite or have no weight. Leave those clips out.")
        below = self.counts @ weights
        ratios = (self.counts @ values)[below > 0] / below[below > 0]
        low, high = np.percentile(ratios, LEVEL)
        return Estimate(float(values.sum() / weights.sum()), float(low), float(high))

    def apply(self, function: Callable[[np.ndarray], float], draws: int) -> Estimate:
        """Of a figure of the whole set that resampling biases, as it does a Fréchet distance: spread, recentred.

        Args:
            function: from clip numbers (clips,) to the figure.
            draws: how many of the draws are used.
        Returns: the figure of the set itself, and its interval moved by the difference between it and the mean of
            the resamples; not below 0.
        """
        value = function(np.arange(self.rows.shape[1]))
        found = np.array([function(rows) for rows in self.rows[:draws]])
        low, high = np.percentile(found, LEVEL) - found.mean()
        return Estimate(value, max(0.0, value + float(low)), max(0.0, value + float(high)))
