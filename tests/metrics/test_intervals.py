"""Intervals: against closed forms, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from laban.errors import InputError, ShapeError
from laban.metrics.intervals import Bootstrap, Estimate, wilson


def test_the_bootstrap_of_a_mean_is_near_the_normal_interval() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, size=400)
    found = Bootstrap(400, 2000).mean(values)
    half = 1.96 * values.std() / 20
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_a_ratio_counts_weights() -> None:
    hits, used = np.array([2.0, 0.0, 1.0]), np.array([2.0, 1.0, 1.0])
    found = Bootstrap(3, 500).mean(hits, used)
    assert found.value == 0.75 and 0.0 <= found.low < 0.75 < found.high <= 1.0


def test_the_same_seed_draws_the_same_clips() -> None:
    assert np.array_equal(Bootstrap(9, 20, 1).rows, Bootstrap(9, 20, 1).rows)
    assert not np.array_equal(Bootstrap(9, 20, 1).rows, Bootstrap(9, 20, 2).rows)
    assert (Bootstrap(9, 20).counts.sum(axis=1) == 9).all()


def test_a_biased_figure_is_recentred() -> None:
    values = np.random.default_rng(0).normal(size=50)
    found = Bootstrap(50, 400).apply(lambda rows: float(values[rows].var()), 400)
    assert found.value == pytest.approx(values.var()) and found.low < found.value < found.high
    shifted = Bootstrap(50, 400).apply(lambda rows: len(set(rows)) / 50, 400)  # 1 for the set, 0.63 in a resample
    assert shifted.value == 1.0 and shifted.low == pytest.approx(1.0, abs=0.1)


def test_wilson() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10) == (pytest.approx(0.7225, abs=1e-3), pytest.approx(1.0))
    assert Estimate(1, 0, 2).apart(Estimate(4, 3, 5)) and not Estimate(1, 0, 3).apart(Estimate(4, 3, 5))


def test_what_cannot_be_resampled() -> None:
    with pytest.raises(InputError, match="at least 1"):
        Bootstrap(0)
    boot = Bootstrap(4, 10)
    with pytest.raises(ShapeError, match="expected"):
        boot.mean(np.zeros(5))
    for values, weights in ((np.full(4, np.nan), None), (np.zeros(4), np.zeros(4))):
        with pytest.raises(InputError, match="Leave"):
            boot.mean(values, weights)
