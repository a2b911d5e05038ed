"""Text-to-motion metrics on the embeddings of an evaluator: R-precision, MM-Dist, Diversity, MultiModality.

Numbers of different evaluators, pools or rules for equal captions must not stand in one table.
Source of all: Guo et al., "Generating Diverse and Natural 3D Human Motions from Text", CVPR 2022, as released.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np

from laban.errors import InputError, ShapeError
from laban.metrics.samples import finite, pairs, vectors

POOL = 32
CHUNK = 1 << 24  # elements of the largest temporary array


def r_precision(
    texts: np.ndarray,
    motions: np.ndarray,
    captions: Sequence[str] | None = None,
    top: int = 3,
    pool: int = POOL,
) -> np.ndarray:
    """Share of texts with a matching motion among the k nearest of their pool, for k = 1 ... top.

    Pools are taken in the order given; the last N mod pool pairs are dropped. Shuffle before, with a seed.

    Args:
        texts: (N, D) text embeddings.
        motions: (N, D), row for row.
        captions: N strings: motions whose caption is the same (case and spacing aside) match too. None is the old
            convention, under which another clip of the very same caption counts as a miss.
        top: the largest k.
        pool: texts of one pool.
    Returns: (top,) shares, no unit, ascending. Exact ties count against: constant embeddings give 0.
    Raises: ShapeError, InputError for fewer than `pool` pairs, unequal lengths, NaN, top not in 1 ... pool.
    Weakness: generated motion can beat real motion, since generators and evaluators learn the same shortcuts;
        always read it beside `chance` and the row of shuffled captions.
    """
    if not 1 <= top <= pool:
        raise InputError(f"metrics.r_precision: top is {top}, expected 1 to {pool}. Pass a smaller one.")
    found = ranks(texts, motions, captions, pool)
    return (found[:, None] < np.arange(1, top + 1)).mean(axis=0)


def ranks(
    texts: np.ndarray, motions: np.ndarray, captions: Sequence[str] | None = None, pool: int = POOL
) -> np.ndarray:
    """How many motions of its pool that do not match are at least as near to each text as the nearest that does.

    Arguments as of `r_precision`.

    Returns: (N - N mod pool,) int64, 0 is a hit at k = 1.
    Raises: as `r_precision`.
    """
    texts, motions = pairs("metrics.r_precision", texts, motions, pool)
    matches = _matches("metrics.r_precision", captions, len(texts), pool)
    whole = len(matches)
    width = texts.shape[1]
    texts, motions = (x[: whole * pool].reshape(whole, pool, width) for x in (texts, motions))
    found = np.empty((whole, pool), np.int64)
    step = max(1, CHUNK // (pool * pool * width))
    for at in range(0, whole, step):
        part = slice(at, at + step)
        distance = ((texts[part, :, None] - motions[part, None]) ** 2).sum(axis=-1)
        match = matches[part]
        nearest = np.where(match, distance, np.inf).min(axis=-1, keepdims=True)
        found[part] = ((distance <= nearest) & ~match).sum(axis=-1)
    return found.ravel()


def chance(captions: Sequence[str] | int, top: int = 3, pool: int = POOL) -> np.ndarray:
    """What `r_precision` gives on average for a random order of each pool, under the same rule for captions.

    Args:
        captions: as passed to `r_precision`, or the number of pairs for the old convention.
        top: the largest k.
        pool: texts of one pool.
    Returns: (top,) shares, exact (no draws).
    Raises: InputError for fewer than `pool` captions.
    """
    count = captions if isinstance(captions, int) else len(captions)
    if count < pool or not 1 <= top <= pool:
        raise InputError(f"metrics.chance: {count} pairs, top {top}; expected at least {pool}, and top within it.")
    matches = _matches("metrics.chance", None if isinstance(captions, int) else captions, count, pool)
    found = matches.sum(axis=-1).ravel()
    miss = np.array([[comb(pool - m, k) / comb(pool, k) for k in range(1, top + 1)] for m in range(pool + 1)])
    return 1.0 - miss[found].mean(axis=0)


def multimodal_distance(texts: np.ndarray, motions: np.ndarray, pool: int | None = None) -> float:
    """Mean distance between each text and its own motion (MM-Dist).

    Args:
        texts: (N, D), row for row.
        motions: (N, D), row for row.
        pool: drop the last N mod pool pairs, as the released code does; None uses all.
    Returns: in units of the embedding.
    Raises: ShapeError, InputError for no pair, unequal lengths, NaN.
    Weakness: has no scale of its own; an evaluator that maps everything to one point scores 0.
    """
    texts, motions = pairs("metrics.multimodal_distance", texts, motions, pool or 1)
    used = len(texts) // pool * pool if pool else len(texts)
    return float(np.linalg.norm(texts[:used] - motions[:used], axis=-1).mean())


def diversity(embeddings: np.ndarray, pairs: int = 300, seed: int = 0) -> float:
    """Mean distance between `pairs` random pairs of motions.

    Two draws without replacement from numpy's legacy generator, as released, so that seeds mean the same there;
    a motion may meet itself.

    Args:
        embeddings: (N, D).
        pairs: how many.
        seed: of the pairs.
    Returns: in units of the embedding; 0 for constant embeddings.
    Raises: ShapeError, InputError if N < pairs or a value is NaN.
    Weakness: noise raises it as variety does; near the value of real motion is better than high.
    """
    if pairs < 1:
        raise InputError(f"metrics.diversity: {pairs} pairs, expected at least 1. Ask for 300, as the field does.")
    embeddings = vectors("metrics.diversity", "embeddings", embeddings, max(2, pairs))
    first, second = _draws(len(embeddings), pairs, seed)
    return float(np.linalg.norm(embeddings[first] - embeddings[second], axis=-1).mean())


def multimodality(embeddings: np.ndarray, pairs: int = 10, seed: int = 0) -> float:
    """Mean distance between `pairs` random pairs of motions made from one text, averaged over texts.

    One pair of draws is shared by all texts, as released.

    Args:
        embeddings: (texts, motions per text, D).
        pairs: how many per text.
        seed: of the pairs.
    Returns: in units of the embedding; 0 for a system that always makes the same motion of a text.
    Raises: ShapeError if it is not three-dimensional; InputError for no text, fewer motions than `pairs`, NaN.
    Weakness: rewards motions that leave the text; few pairs, so a wide interval.
    """
    embeddings = np.asarray(embeddings)
    if embeddings.ndim != 3 or embeddings.dtype.kind not in "biuf":
        raise ShapeError(
            f"metrics.multimodality: embeddings have shape {embeddings.shape}, expected (texts, motions, dimensions). "
            "Pass the motions of one text along the second axis."
        )
    texts, motions, width = embeddings.shape
    if texts < 1 or width < 1 or pairs < 1 or motions < max(2, pairs):
        raise InputError(
            f"metrics.multimodality: {texts} texts of {motions} motions, {pairs} pairs; expected at least one text, "
            "one pair, and as many motions as pairs. Generate more per text."
        )
    embeddings = finite("metrics.multimodality", "embeddings", embeddings)
    first, second = _draws(motions, pairs, seed)
    return float(np.linalg.norm(embeddings[:, first] - embeddings[:, second], axis=-1).mean())


def _draws(count: int, pairs: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    legacy = np.random.RandomState(seed)
    return legacy.choice(count, pairs, replace=False), legacy.choice(count, pairs, replace=False)


def _matches(where: str, captions: Sequence[str] | None, count: int, pool: int) -> np.ndarray:
    """(pools, text, motion) bool: which motions of a pool match which texts."""
    whole = count // pool
    if captions is None:
        return np.broadcast_to(np.eye(pool, dtype=bool), (whole, pool, pool))
    if isinstance(captions, str) or len(captions) != count:
        raise ShapeError(f"{where}: {len(captions)} captions for {count} pairs. Pass one string per pair.")
    numbers: dict[str, int] = {}
    ids = [numbers.setdefault(" ".join(caption.casefold().split()), len(numbers)) for caption in captions]
    group = np.array(ids[: whole * pool]).reshape(whole, pool)
    return group[:, :, None] == group[:, None, :]
