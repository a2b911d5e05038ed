"""Recall at k against a count by hand, ties, and chance against drawing."""

from __future__ import annotations

import numpy as np
import pytest

from laban.errors import InputError, ShapeError
from laban.metrics.retrieval import chance_at, recall_at


def test_recall_counts_the_best_match() -> None:
    scores = np.array([[0.9, 0.1, 0.5], [0.2, 0.8, 0.7], [0.3, 0.2, 0.1]])
    matches = np.array([[True, False, True], [True, False, False], [False, False, True]])
    assert recall_at(scores, matches, (1, 2, 3)) == {1: pytest.approx(1 / 3), 2: pytest.approx(1 / 3), 3: 1.0}


def test_ties_gain_nothing() -> None:
    matches = np.eye(6, dtype=bool)
    assert recall_at(np.ones((6, 6)), matches, (1, 5, 6)) == {1: 0.0, 5: 0.0, 6: 1.0}


def test_chance_is_what_random_order_gives() -> None:
    rng = np.random.default_rng(0)
    matches = rng.random((40, 12)) < 0.2
    matches[:, 0] = True
    drawn = [recall_at(rng.random((40, 12)), matches, (1, 3, 12)) for _ in range(400)]
    expected = chance_at(matches, (1, 3, 12))
    for k in (1, 3, 12):
        assert abs(np.mean([d[k] for d in drawn]) - expected[k]) < 0.02


def test_what_cannot_be_scored_is_an_error() -> None:
    with pytest.raises(ShapeError):
        recall_at(np.ones((2, 3)), np.ones((3, 2), bool), (1,))
    with pytest.raises(InputError, match="no answer"):
        recall_at(np.ones((2, 3)), np.zeros((2, 3), bool), (1,))
    with pytest.raises(InputError, match="NaN"):
        recall_at(np.full((1, 2), np.nan), np.ones((1, 2), bool), (1,))
