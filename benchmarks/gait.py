"""Do people walk, turn and run on their feet? By class, beside real takes and the tokenizer's round trip.

    python benchmarks/gait.py [--models kmm momask] [--data data/prepared] [--seeds 4] [--drawn]

Definitions in laban/metrics/gait.py, at 20 fps. Sentences are fixed below; motions are as `laban generate` writes them
(best of four, cleaned), or with --drawn single draws. Each row: the mean with a 95 % bootstrap interval over clips,
and the mean of the worst tenth. Control row: a statue that slides along real paths.
Goals: walks, turns and backward no standing foot 0.06, stride CV 0.10, knees 58 degrees, slide 15 cm, and no standing
foot at most 0.15 in 9 of 10 clips; runs knees 90 degrees, CV 0.12; nobody in the air for 0.8 s.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from report import data_option, parser, run, table

SENTENCES: dict[str, tuple[str, ...]] = {
    "walk": (
        "a person walks forward", "a person walks", "someone is walking", "a man walks ahead, exhausted",
        "a woman walks in a feminine manner", "a person walks forward, like an old person", "he walks energetically",
    ),
    "turn": ("a person walks and turns left", "she turns right while walking", "a person walks forward and turns left"),
    "backward": ("a person walks backward", "a man is walking backward"),
    "run": ("a person runs", "a person is running forward", "a man runs, energetically", "a person jogs"),
}  # fmt: skip
ACTIONS = {
    "walk": {"walk"}, "turn": {"walk-turn-left", "walk-turn-right"}, "backward": {"walk-back"}, "run": {"run", "dash"},
}  # fmt: skip
SECONDS = {"walk": 6.0, "turn": 6.0, "backward": 6.0, "run": 4.0}
MEASURES = ("no_standing_foot", "stride_cv", "knee_range", "slide", "hover", "speed")
WORST_IS_LOW = {"knee_range", "speed"}


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("gait of generated and real motions, by class")
    data_option(made)
    made.add_argument("--models", nargs="*", default=["kmm", "momask"], help="weights by name or folder")
    made.add_argument("--seeds", type=int, default=4)
    made.add_argument("--drawn", action="store_true", help="single draws, uncleaned")
    options = made.parse_args()

    from laban.data.corpus import Corpus
    from laban.metrics.gait import gait

    corpus = Corpus.open(options.data)
    result: dict[str, Any] = {}
    passed = True
    for kind, sentences in SENTENCES.items():
        records = [
            r
            for r in corpus.select("test", mirrored=False)
            if r.labels.get("action") in ACTIONS[kind] and r.length > 50 and "#in-place" not in r.id
        ][:60]
        real = [np.array(corpus.joints(r), np.float64) for r in records]
        rows: dict[str, list[np.ndarray]] = {"real, held out": real}
        rows["control: sliding statue"] = [j[:1] + (j[:, :1] - j[:1, :1]) * [1, 0, 1] for j in real]
        for name in options.models:
            system = loaded(name)
            trips = [system.reconstruct(np.array(corpus.features(r))) for r in records]
            if all(trip is not None for trip in trips):
                rows[f"{name}, round trip"] = [trip.joints() for trip in trips]
            rows[name] = [
                motion.joints()
                for text in sentences
                for motion in drawn(system, text, SECONDS[kind], options.seeds, options.drawn)
            ]
        figures = {name: [gait(j, corpus.fps) for j in clips if len(j) > 30] for name, clips in rows.items()}
        print(f"\n{kind}: mean [95 % interval], worst tenth")
        cells = [[name, str(len(g)), *(cell(g, m) for m in MEASURES)] for name, g in figures.items() if g]
        print(table(["", "clips", *MEASURES], cells))
        for name in options.models:
            passed &= reaches(kind, name, figures[name])
        result[kind] = {name: {m: summary(g, m)[0] for m in MEASURES} for name, g in figures.items() if g}
    return result, passed, options


_SYSTEMS: dict[str, Any] = {}


def loaded(name: str) -> Any:
    """A system, loaded once."""
    import laban

    if name not in _SYSTEMS:
        _SYSTEMS[name] = laban.load(name)
    return _SYSTEMS[name]


def drawn(system: Any, text: str, seconds: float, seeds: int, single: bool) -> list[Any]:
    """Motions of a sentence, one per seed."""
    from laban.actions.best_of import DRAWN, draw_best
    from laban.systems.requests import TextRequest

    count = 1 if single else DRAWN
    return [
        draw_best(system, TextRequest(text, seconds), seed, count, 1, {"clean": not single})[0]
        for seed in range(1, seeds + 1)
    ]


def summary(figures: list[Any], measure: str) -> tuple[float, float, float, float]:
    """Mean, interval, and the mean of the worst tenth."""
    values = np.array([getattr(g, measure) for g in figures])
    values = values[np.isfinite(values)]
    if not len(values):
        return (float("nan"),) * 4
    rng = np.random.default_rng(0)
    means = rng.choice(values, (1000, len(values))).mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    tenth = max(1, len(values) // 10)
    ordered = np.sort(values)
    worst = ordered[:tenth] if measure in WORST_IS_LOW else ordered[-tenth:]
    return float(values.mean()), float(low), float(high), float(worst.mean())


def cell(figures: list[Any], measure: str) -> str:
    """One cell of the table."""
    mean, low, high, worst = summary(figures, measure)
    digits = 0 if measure == "knee_range" else 2
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}] {worst:.{digits}f}"


def reaches(kind: str, name: str, figures: list[Any]) -> bool:
    """Print which goals a model reaches, and whether it is all."""
    mean = {m: summary(figures, m)[0] for m in MEASURES}
    goals = {"hover": max(g.hover for g in figures) <= 0.8}
    if kind == "run":
        goals |= {"stride_cv": mean["stride_cv"] <= 0.12, "knee_range": mean["knee_range"] >= 90}
    else:
        firm = np.mean([g.no_standing_foot <= 0.15 for g in figures])
        goals |= {
            "no_standing_foot": mean["no_standing_foot"] <= 0.06 and firm >= 0.9, "slide": mean["slide"] <= 0.15,
            "stride_cv": mean["stride_cv"] <= 0.10, "knee_range": mean["knee_range"] >= 58,
        }  # fmt: skip
    missed = [goal for goal, reached in goals.items() if not reached]
    print(f"{kind}, {name}: " + ("every goal reached" if not missed else f"misses {', '.join(missed)}"))
    return not missed


if __name__ == "__main__":
    run(main)
