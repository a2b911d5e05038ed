"""The figures of one row: what the evaluators say of it, what physics says, and whether it does what was asked."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from laban.metrics import control, embedding, physics
from laban.metrics.frechet import FewSamplesWarning, frechet
from laban.metrics.intervals import Bootstrap, wilson
from laban.motion import humanml
from laban.systems.evaluator.system import Evaluator

FPS = humanml.HUMANML.fps
DISTANCE_DRAWS = 100  # bootstrap draws of a Fréchet distance, which costs more than a mean
SMALLEST = {"skate": 1e-3, "jerk": 1e-3, "penetration": 1e-3, "floating": 1e-3}
"""Below these means of real motion (in the figure's unit) a ratio to it says nothing and is left out."""
GROUPS: dict[str, tuple[str, ...]] = {
    "side": ("raise_left", "raise_right", "wave_left", "wave_right", "walk_left", "walk_right"),
    "turn": ("turn_left", "turn_right"),
    "speed": ("walk", "run", "walk_backward"),
    "all": tuple(control.EXPECTATIONS),
}
Figures = dict[str, Any]


@dataclass(eq=False)
class VariantRow:
    """Motions with captions, to be scored.

    Attributes:
        kind: "real", "control" or "model".
        clips: joints (T, 22, 3) metres each.
        expects: per clip a key of metrics.control.EXPECTATIONS, or None where the caption names none.
        aligned: clip i is meant to be case i of the reference: distances to it are of interest.
        seconds: of CPU per clip to make it.
        axis: where it stands on a curve.
        at: where it stands on a curve.
        many: motions of one text each, for MultiModality: per text a list of clips.
        deal: deal the captions to the clips again in each repeat; intervals are then over these, not over clips.
    """

    name: str
    kind: str
    clips: list[np.ndarray]
    captions: list[str]
    expects: list[str | None]
    aligned: bool = False
    seconds: float | None = None
    axis: str = ""
    at: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)
    many: list[list[np.ndarray]] = field(default_factory=list)
    deal: bool = False


class Scorer:
    """Scores rows against one set of real clips with the same evaluators, repeats and bootstrap.

    Args:
        judges: the evaluators by name.
        reference: the real clips.
        repeats: draws of pools of 32.
        seed: of pools and bootstrap.
    """

    def __init__(
        self, judges: dict[str, Evaluator], reference: Sequence[np.ndarray], repeats: int, draws: int, seed: int
    ) -> None:
        self.judges, self.repeats, self.draws, self.seed = judges, repeats, draws, seed
        self.reference = list(reference)
        features = encoded(self.reference)
        self.real = {name: judge.embed_motions(features) for name, judge in judges.items()}
        self.plain = physical(self.reference)
        self.place = {id(clip): i for i, clip in enumerate(self.reference)}
        self.texts: dict[tuple[str, str], np.ndarray] = {}

    def score(self, row: VariantRow) -> Figures:
        """All figures of a row, JSON-able; an interval is {"value", "low", "high"}, None where undefined."""
        boot = Bootstrap(len(row.clips), self.draws, self.seed)
        known = [self.place.get(id(clip), -1) for clip in row.clips]
        if min(known) >= 0:  # the real clips themselves, in any order
            embedded = {name: self.real[name][known] for name in self.judges}
            measured = {name: values[known] for name, values in self.plain.items()}
        else:
            features = encoded(row.clips)
            embedded = {name: judge.embed_motions(features) for name, judge in self.judges.items()}
            measured = physical(row.clips)
        out: Figures = {
            "name": row.name, "kind": row.kind, "clips": len(row.clips), "settings": row.settings,
            "axis": row.axis, "at": row.at, "seconds_per_clip": row.seconds,
            "evaluators": {name: self._matched(name, row, embedded[name], boot) for name in self.judges},
            "physics": {},
            "control": followed(row),
        }  # fmt: skip
        for name, values in measured.items():
            base = float(self.plain[name].mean())
            ratio = float(values.mean()) / base if base > SMALLEST[name] else None
            out["physics"][name] = {**asdict(boot.mean(values)), "of_real": ratio}
        if row.aligned:
            pairs = zip(row.clips, self.reference, strict=True)
            error = [np.linalg.norm(a[: len(b)] - b[: len(a)], axis=-1).mean() for a, b in pairs]
            out["physics"]["joint_error"] = {**asdict(boot.mean(np.array(error))), "of_real": None}
        return out

    def _matched(self, name: str, row: VariantRow, motions: np.ndarray, boot: Bootstrap) -> Figures:
        texts = self._texts(name, row.captions)
        out: Figures = {"r_precision": None, "old_rule": None, "chance": None}
        count = len(motions)
        rng = np.random.default_rng([self.seed, 2])
        hits, old, used = np.zeros((3, count)), np.zeros((3, count)), np.zeros(count)
        chance, single = np.zeros(3), []  # single: figures of each repeat alone
        for _ in range(self.repeats):
            order = rng.permutation(count)
            told = rng.permutation(count) if row.deal else order
            said = [row.captions[i] for i in told]
            near = np.linalg.norm(texts[told] - motions[order], axis=-1).mean()
            shares = np.zeros(6)
            if count >= embedding.POOL:
                kept = order[: count // embedding.POOL * embedding.POOL]
                used[kept] += 1
                for at, store, rule in ((0, hits, said), (3, old, None)):
                    found = embedding.ranks(texts[told], motions[order], rule) < np.arange(1, 4)[:, None]
                    store[:, kept] += found
                    shares[at : at + 3] = found.mean(axis=1)
                chance += embedding.chance(said) / self.repeats
            single.append([*shares, near])
        dealt = [_spread(values) for values in zip(*single, strict=True)] if row.deal else []
        if count >= embedding.POOL:
            out["r_precision"] = dealt[:3] or [asdict(boot.mean(h, used)) for h in hits]
            out["old_rule"] = dealt[3:6] or [asdict(boot.mean(h, used)) for h in old]
            out["chance"] = chance.tolist()
        out["mm_dist"] = dealt[6] if dealt else asdict(boot.mean(np.linalg.norm(texts - motions, axis=-1)))
        out["fid"] = self._distance(self.real[name], motions, boot)
        pairs = min(300, count)
        apart = [embedding.diversity(motions, pairs, seed) for seed in range(self.repeats)] if count > 1 else []
        out["diversity"] = _spread(apart)
        out["multimodality"] = self._many(self.judges[name], row)
        return out

    def _distance(self, real: np.ndarray, made: np.ndarray, boot: Bootstrap) -> Figures | None:
        if len(made) < 2 or len(real) < 2:
            return None

        def distance(rows: np.ndarray) -> float:
            return frechet(real[rows] if len(real) == len(made) else real, made[rows])

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FewSamplesWarning)  # the report says how many of how many dimensions
            return asdict(boot.apply(distance, min(DISTANCE_DRAWS, self.draws)))

    def _many(self, judge: Evaluator, row: VariantRow) -> Figures | None:
        if not row.many:
            return None
        flat = judge.embed_motions(encoded([clip for clips in row.many for clip in clips]))
        grouped = flat.reshape(len(row.many), -1, flat.shape[-1])
        pairs = min(10, grouped.shape[1])
        return _spread([embedding.multimodality(grouped, pairs, seed) for seed in range(self.repeats)])

    def _texts(self, name: str, captions: list[str]) -> np.ndarray:
        missing = list(dict.fromkeys(c for c in captions if (name, c) not in self.texts))
        for caption, row in zip(missing, self.judges[name].embed_texts(missing), strict=True):
            self.texts[name, caption] = row
        return np.stack([self.texts[name, caption] for caption in captions])


def encoded(clips: Sequence[np.ndarray], batch: int = 32) -> list[np.ndarray]:
    """`humanml.encode` of clips (T, 22, 3) of any lengths, several at once: per clip (T - 1, 263).

    Shorter clips are filled up with their last frame, which changes none of their rows: the heading's smoothing
    repeats the last frame itself, and a row looks at most one frame ahead.
    """
    out: list[np.ndarray] = [np.empty(0)] * len(clips)
    order = sorted(range(len(clips)), key=lambda i: len(clips[i]))
    for at in range(0, len(order), batch):
        picks = order[at : at + batch]
        longest = len(clips[picks[-1]])
        filled = [np.concatenate([clips[i], np.repeat(clips[i][-1:], longest - len(clips[i]), axis=0)]) for i in picks]
        for i, features in zip(picks, humanml.encode(np.stack(filled)), strict=True):
            out[i] = features[: len(clips[i]) - 1]
    return out


def physical(clips: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Per clip (N,): skate m/s, jerk m/s^3, penetration and floating in metres."""
    return {
        "skate": np.array([physics.skate(clip, FPS) for clip in clips]),
        "jerk": np.array([physics.jerk(clip, FPS) for clip in clips]),
        "penetration": np.array([physics.penetration(clip) for clip in clips]),
        "floating": np.array([physics.floating(clip) for clip in clips]),
    }


def followed(row: VariantRow) -> Figures:
    """Per group of expectations: hits, trials, their share and its Wilson interval; None where nothing is asked."""
    asked = [(e, clip) for e, clip in zip(row.expects, row.clips, strict=True) if e is not None]
    told = [(e, bool(control.judge(e, clip, FPS))) for e, clip in asked]
    out: Figures = {}
    for group, names in GROUPS.items():
        trials = [ok for expects, ok in told if expects in names]
        if trials:
            low, high = wilson(sum(trials), len(trials))
            out[group] = {
                "value": sum(trials) / len(trials), "low": low, "high": high, "hits": sum(trials),
                "trials": len(trials),
            }  # fmt: skip
        else:
            out[group] = None
    return out


def control_chance(row: VariantRow) -> float | None:
    """The share of expectations that hold on average when captions are dealt to the clips at random."""
    asked = [e for e in row.expects if e is not None]
    clips = [clip for e, clip in zip(row.expects, row.clips, strict=True) if e is not None]
    if not asked:
        return None
    share = {e: float(np.mean([bool(control.judge(e, clip, FPS)) for clip in clips])) for e in set(asked)}
    return float(np.mean([share[e] for e in asked]))


def _spread(values: Sequence[float]) -> Figures | None:
    """Mean over draws of pairs, and the range that 95 % of the draws are in."""
    if not values:
        return None
    low, high = np.percentile(values, (2.5, 97.5))
    return {"value": float(np.mean(values)), "low": float(low), "high": float(high)}
