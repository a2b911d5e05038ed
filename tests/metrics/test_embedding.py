"""R-precision, MM-Dist, Fréchet, Diversity, MultiModality: by hand, against scipy, and on bad input."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from laban.errors import InputError, LabanError
from laban.metrics.embedding import chance, diversity, multimodal_distance, multimodality, r_precision
from laban.metrics.frechet import FewSamplesWarning, frechet, normalised_by_real

RNG = np.random.default_rng(0)


def test_r_precision_by_hand():
    text = np.arange(4.0)[:, None]
    # Distances of text 1: .9 1.1 .1 8, so two motions are nearer than its own; of text 2 one; of text 3 all three.
    motion = np.array([[0.1], [2.1], [1.1], [9.0]])
    assert r_precision(text, motion, pool=4).tolist() == [0.25, 0.5, 0.75]
    assert r_precision(text, motion, ["a", "B  c", "b C", "d"], pool=4).tolist() == [0.75, 0.75, 0.75]
    assert multimodal_distance(text, motion) == pytest.approx((0.1 + 1.1 + 0.9 + 6) / 4)


def test_r_precision_of_shuffled_texts_is_chance():
    captions = [str(i % 20) for i in range(6400)]
    motion = RNG.normal(size=(6400, 8))
    for rule in (None, captions):
        expected = chance(rule or 6400)
        found = r_precision(RNG.normal(size=(6400, 8)), motion, rule)
        assert abs(found - expected).max() < 4 * np.sqrt(0.25 / 6400)
    assert chance(64).tolist() == pytest.approx([1 / 32, 2 / 32, 3 / 32])


def test_constant_embeddings_score_nothing():
    same = np.ones((64, 3))
    assert r_precision(same, same).tolist() == [0, 0, 0]
    assert diversity(same, 10) == 0 and multimodality(np.ones((2, 5, 3)), 5) == 0
    assert frechet(same, same + 2) == pytest.approx(12)
    with pytest.raises(InputError, match="constant"):
        normalised_by_real(same, same)


@pytest.mark.parametrize(("n", "m", "d"), [(50, 40, 6), (10, 40, 20), (5, 4, 30), (40, 7, 20)])
def test_frechet_is_the_definition(n, m, d):
    linalg = pytest.importorskip("scipy.linalg")
    a, b = RNG.normal(size=(n, d)), RNG.normal(1, 2, size=(m, d))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        found, none = frechet(a, b), frechet(a, a)
    assert (FewSamplesWarning in [w.category for w in seen]) is (min(n, m) <= d)
    half = np.real(linalg.sqrtm(np.cov(a.T)))
    root = np.sqrt(np.clip(np.linalg.eigvalsh(half @ np.cov(b.T) @ half), 0, None)).sum()
    wanted = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(np.cov(a.T)) + np.trace(np.cov(b.T)) - 2 * root
    assert found == pytest.approx(wanted, rel=1e-4) and none == pytest.approx(0, abs=1e-9)


GOOD = RNG.normal(size=(64, 3))


@pytest.mark.parametrize("bad", [GOOD[:0], GOOD[:1], np.where(GOOD > 2, np.nan, GOOD), GOOD[0], GOOD.astype(str)])
def test_sets_that_cannot_be_scored(bad):
    for score in (r_precision, frechet, normalised_by_real):
        with pytest.raises(LabanError):
            score(bad, GOOD)
    with pytest.raises(LabanError):
        diversity(bad, 2)


def test_sets_of_other_lengths():
    with pytest.raises(LabanError, match="equal shapes"):
        r_precision(GOOD, GOOD[:40])
    with pytest.raises(LabanError, match="captions"):
        r_precision(GOOD, GOOD, ["a"])
    with pytest.raises(LabanError, match="dimensions"):
        frechet(GOOD, GOOD[:, :2])
    with pytest.raises(LabanError):
        multimodality(np.zeros((3, 4, 2)), 10)
    with pytest.raises(LabanError):
        diversity(GOOD, 300)
