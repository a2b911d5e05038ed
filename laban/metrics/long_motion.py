"""FlowMDM's protocol for long motion: scores of the segments, and of the transitions between them.

Source: Barquero et al., "Seamless Human Motion Composition", CVPR 2024 (FlowMDM), as released:
32 compositions of 32 (text, length) pairs, segments of 30 to 200 frames, transitions of 30 frames centred on each
boundary, R-precision in pools of 32 after removing duplicate captions, 10 repeats, 1.96 sigma / sqrt(n).
Deviations: what embeds motions and texts is passed in (theirs is PriorMDM's, which BABEL's licence keeps from us), so
values compare only with others of the same embedding; the jerk of real motion is measured on the real motions given
instead of the constants .016383 (BABEL) and .033031 (HumanML3D), which hold at their frame rates alone; windows of 30
frames last longer at 20 fps than at BABEL's 30.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from laban.errors import InputError
from laban.metrics.composition import WINDOW, inside, peak_and_area, windows
from laban.metrics.embedding import POOL, diversity, multimodal_distance, r_precision
from laban.metrics.frechet import FewSamplesWarning, frechet
from laban.metrics.transitions import jerk_curve

PAIRS = 300  # of diversity


class Embedder(Protocol):
    """One or more text-motion co-embeddings by name. Motions are joints (T, J, 3), metres, world, of any length."""

    def motions(self, motions: Sequence[np.ndarray]) -> Mapping[str, np.ndarray]: ...

    def texts(self, texts: Sequence[str]) -> Mapping[str, np.ndarray]: ...


@dataclass(frozen=True)
class PerformedScript:
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


@dataclass
class CompositionScores:
    """Of one row, over repeats.

    seams: "PJ" and "AUJ". judged: per embedding "R-precision" (top 3), "R-precision shuffled" (the control),
    "MM-distance", "FID", "diversity", "transition FID", "transition diversity". R-precision is absent where fewer than
    32 different captions are left, all of the transitions where no boundary has 15 frames on both sides.
    """

    seams: dict[str, Interval] = field(default_factory=dict)
    judged: dict[str, dict[str, Interval]] = field(default_factory=dict)


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


class Reference:
    """Real motions, against which rows are scored with the same embeddings, windows and draws.

    Args:
        real: motions (T, J, 3) with their texts, at the frame rate of what is scored.
        transitions: how many windows from inside real motions stand for real transitions.
        seed: of windows, pools and pairs.
    Raises: InputError for fewer than four motions, or none of 30 frames.
    """

    def __init__(
        self, real: Sequence[tuple[np.ndarray, str]], embedder: Embedder, transitions: int = 1000, seed: int = 0
    ) -> None:
        if len(real) < 4:
            raise InputError(f"long_motion: {len(real)} real motions, expected at least four to compare with.")
        self.embedder, self.seed = embedder, seed
        self.joints, self.texts = [m for m, _ in real], [t for _, t in real]
        self.level = float(np.mean([jerk_curve(m[None]).mean() for m in self.joints if len(m) >= WINDOW] or [0.0]))
        """Mean jerk of real motion, metres per frame^3: what AUJ measures the distance from."""
        around = inside(self.joints, np.random.default_rng([seed, 1]), max(40, transitions))
        self.motion, self.text = embedder.motions(self.joints), embedder.texts(self.texts)
        self.seam = embedder.motions(list(around))

    def score(self, repeats: Sequence[Sequence[PerformedScript]]) -> CompositionScores:
        """A row.

        Args:
            repeats: performances of the same compositions, each repeat with other seeds.
        Raises: InputError for nothing to score.
        """
        if not repeats or not all(repeats):
            raise InputError("long_motion: nothing to score; give at least one performance per repeat.")
        rows = _Rows()
        for number, performances in enumerate(repeats):
            rng = np.random.default_rng([self.seed, 2, number])
            parts = [part for p in performances for part in p.parts()]
            texts = [t for p in performances for t in p.texts]
            motion, text = self.embedder.motions(parts), self.embedder.texts(texts)
            index = unique_rows(texts, rng)
            for name in motion:
                rows.segments(name, motion[name], text[name], index, self.seed + number)
                rows.add(name, "FID", distance(self.motion[name], motion[name]))
            found = [windows(p.joints, p.bounds[:-1]) for p in performances if len(p.bounds) > 1]
            around = np.concatenate(found) if found else np.empty((0,))
            if len(around) > 1:
                self._transitions(rows, around, number)
        return rows.scores()

    def itself(self, repeats: int) -> CompositionScores:
        """The real motions as a row: other pools each time, FIDs of one half against the other, other windows."""
        rows = _Rows()
        for number in range(repeats):
            rng = np.random.default_rng([self.seed, 3, number])
            index = unique_rows(self.texts, rng)
            order = rng.permutation(len(self.texts))
            for name, motion in self.motion.items():
                rows.segments(name, motion, self.text[name], index, self.seed + number)
                rows.add(name, "FID", distance(motion[order[::2]], motion[order[1::2]]))
            count = len(next(iter(self.seam.values())))
            self._transitions(rows, inside(self.joints, rng, count), number)
        return rows.scores()

    def _transitions(self, rows: _Rows, around: np.ndarray, number: int) -> None:
        for name, seam in self.embedder.motions(list(around)).items():
            rows.add(name, "transition FID", distance(self.seam[name], seam))
            pairs = min(PAIRS, max(1, len(seam) // 2))
            rows.add(name, "transition diversity", diversity(seam, pairs, self.seed + number))
        peak, area = peak_and_area(around, self.level)
        rows.add("", "PJ", peak)
        rows.add("", "AUJ", area)


def distance(real: np.ndarray, made: np.ndarray) -> float:
    """The Fréchet distance, also of few samples: who prints it says how many there are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewSamplesWarning)
        return frechet(real, made)


class _Rows:
    """Values of each repeat, by embedding ("" for none) and name."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, list[float]]] = {}

    def add(self, embedding: str, name: str, value: float) -> None:
        self.values.setdefault(embedding, {}).setdefault(name, []).append(float(value))

    def segments(self, name: str, motion: np.ndarray, text: np.ndarray, index: list[int], seed: int) -> None:
        if index:
            self.add(name, "R-precision", r_precision(text[index], motion[index])[-1])
            moved = [*index[1:], index[0]]
            self.add(name, "R-precision shuffled", r_precision(text[moved], motion[index])[-1])
        self.add(name, "MM-distance", multimodal_distance(text, motion))
        self.add(name, "diversity", diversity(motion, min(PAIRS, max(1, len(motion) // 2)), seed))

    def scores(self) -> CompositionScores:
        made = {e: {n: Interval.of(v) for n, v in names.items()} for e, names in self.values.items()}
        return CompositionScores(made.pop("", {}), made)
