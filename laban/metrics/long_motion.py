"""FlowMDM's protocol for long motion: scores per segment, and of the transitions between them.

Source: Barquero et al., "Seamless Human Motion Composition", CVPR 2024 (FlowMDM), as specs/kmm.md, section 2, has it:
32 compositions of 32 (text, length) pairs, segments of 30 to 200 frames, transitions of 30 frames centred on each
boundary, R-precision in pools of 32 after removing duplicate captions, 10 repeats, 1.96 sigma / sqrt(n).
Deviations: what embeds motions and texts is passed in (theirs is PriorMDM's, which BABEL's licence keeps from us), so
values compare only with others of the same encoder; the jerk of real motion is measured on the real motions given
instead of the constants .016383 (BABEL) and .033031 (HumanML3D), which hold at their frame rates alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from laban.errors import InputError
from laban.metrics.composition import WINDOW, inside, peak_and_area, windows
from laban.metrics.embedding import diversity, multimodal_distance, r_precision
from laban.metrics.frechet import frechet

POOL = 32


class Embedder(Protocol):
    """A text-motion co-embedding. Motions are joints (T, J, 3), metres, world, each of any length."""

    def motions(self, motions: Sequence[np.ndarray]) -> np.ndarray: ...

    def texts(self, texts: Sequence[str]) -> np.ndarray: ...


@dataclass(frozen=True)
class Performance:
    """One composition as it was performed: joints (T, J, 3), texts in order, bounds the frames where each ends."""

    joints: np.ndarray
    texts: tuple[str, ...]
    bounds: tuple[int, ...]

    def __post_init__(self) -> None:
        ends = (0, *self.bounds)
        rising = all(a < b for a, b in zip(ends[:-1], ends[1:], strict=True))
        if len(self.texts) != len(self.bounds) or not rising or ends[-1] > len(self.joints):
            raise InputError(
                f"Performance: {len(self.texts)} texts with bounds {self.bounds[:4]}... of {len(self.joints)} frames; "
                "expected one rising end per text, none beyond the last frame."
            )

    def parts(self) -> list[np.ndarray]:
        """The frames of each text."""
        ends = (0, *self.bounds)
        return [self.joints[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)]


@dataclass(frozen=True)
class Interval:
    """A mean over repeats and 1.96 standard errors (0 for one repeat)."""

    mean: float
    half: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Interval:
        """Of at least one value."""
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        return cls(float(np.mean(values)), 1.96 * spread / math.sqrt(len(values)))


def unique_rows(texts: Sequence[str], rng: np.random.Generator) -> list[int]:
    """Indexes in random order, cut to pools of 32 without a caption twice in a pool (case and spacing aside)."""
    keys = [" ".join(t.lower().split()) for t in texts]
    left = [int(i) for i in rng.permutation(len(texts))]
    chosen: list[int] = []
    while len(left) >= POOL:
        pool: list[int] = []
        seen: set[str] = set()
        for i in left:
            if keys[i] not in seen and len(pool) < POOL:
                seen.add(keys[i])
                pool.append(i)
        if len(pool) < POOL:
            break
        chosen += pool
        taken = set(pool)
        left = [i for i in left if i not in taken]
    return chosen


def protocol(
    repeats: Sequence[Sequence[Performance]], real: Sequence[tuple[np.ndarray, str]], embedder: Embedder, seed: int = 0
) -> dict[str, Interval]:
    """All scores.

    Args:
        repeats: performances of the same compositions, each repeat with other seeds.
        real: held-out motions (T, J, 3) with their texts, at the same frame rate.
    Returns: "R-precision" (top 3), "FID", "diversity", "MM-distance" of segments; "transition FID", "transition
        diversity", "PJ", "AUJ"; the same of real motion with "real " before it, FIDs of real being those of one half
        against the other; "R-precision shuffled", the control. R-precision is absent where fewer than 32 different
        captions are left.
    Raises: InputError for nothing to score.
    """
    if not repeats or not all(repeats) or len(real) < 4:
        raise InputError("long_motion: nothing to score; give performances and at least four real motions.")
    rng = np.random.default_rng(seed)
    long_enough = [m for m, _ in real if len(m) >= WINDOW]
    level = float(np.mean([np.abs(np.diff(m, n=3, axis=0)).sum(-1).max(-1).mean() for m in long_enough]))
    count = sum(len(p.bounds) - 1 for p in repeats[0])
    real_windows = inside(long_enough, rng, max(40, count))
    real_motion, real_text = embedder.motions([m for m, _ in real]), embedder.texts([t for _, t in real])
    real_seams = embedder.motions(list(real_windows))
    rows: dict[str, list[float]] = {}

    def add(name: str, value: float) -> None:
        rows.setdefault(name, []).append(float(value))

    def segment_scores(prefix: str, motion: np.ndarray, text: np.ndarray, texts: Sequence[str]) -> None:
        index = unique_rows(texts, rng)
        if index:
            add(f"{prefix}R-precision", r_precision(text[index], motion[index])[-1])
            moved = [*index[1:], index[0]]
            add(f"{prefix}R-precision shuffled", r_precision(text[moved], motion[index])[-1])
        add(f"{prefix}MM-distance", multimodal_distance(text, motion))
        add(f"{prefix}diversity", diversity(motion, min(300, len(motion) // 2), seed))

    for performances in repeats:
        parts = [part for p in performances for part in p.parts()]
        texts = [t for p in performances for t in p.texts]
        motion, text = embedder.motions(parts), embedder.texts(texts)
        segment_scores("", motion, text, texts)
        add("FID", frechet(real_motion, motion))
        found = [windows(p.joints, p.bounds[:-1]) for p in performances]
        around = np.concatenate(found)
        if len(around):
            embedded = embedder.motions(list(around))
            add("transition FID", frechet(real_seams, embedded))
            add("transition diversity", diversity(embedded, min(300, len(embedded) // 2), seed))
            peak, area = peak_and_area(around, level)
            add("PJ", peak)
            add("AUJ", area)
    segment_scores("real ", real_motion, real_text, [t for _, t in real])
    order = rng.permutation(len(real_motion))
    add("real FID", frechet(real_motion[order[::2]], real_motion[order[1::2]]))
    peak, area = peak_and_area(real_windows, level)
    add("real PJ", peak)
    add("real AUJ", area)
    return {name: Interval.of(values) for name, values in rows.items()}
