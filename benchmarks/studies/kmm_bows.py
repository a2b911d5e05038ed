"""Why are some bows of KMM shallow? Bows alone and in scripts, by length, beside MoMask's and the real ones.

    python benchmarks/studies/kmm_bows.py --data data/prepared [--scripts 60]

The judge (laban/metrics/control.py) wants the head to go down by 20 cm. A script is another line of 4 s, the bow of 3
to 7 s, and a third line; the same cases stand in every row. The real bows are those of the training split: what the
model could learn from.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the benchmarks, whose helpers these studies share

from control import vocabulary
from report import data_option, model_option, parser, run, share, table

LENGTHS = (("under 4 s", 0.0, 4.0), ("4 to 5 s", 4.0, 5.0), ("5 s and more", 5.0, 100.0))


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("bows in scripts")
    data_option(made)
    model_option(made)
    made.set_defaults(model="kmm")
    made.add_argument("--scripts", type=int, default=60)
    made.add_argument("--seed", type=int, default=5)
    options = made.parse_args()

    import laban
    from laban.data.corpus import Corpus
    from laban.metrics.control import judge
    from laban.systems.requests import TextRequest

    corpus = Corpus.open(options.data)
    system: Any = laban.load(options.model)
    rival: Any = laban.load("momask")
    phrases = vocabulary()
    bows, others = ([t for t, e in phrases if (e == "bow") == wanted] for wanted in (True, False))
    rng = np.random.default_rng(1)
    rows: dict[str, list[tuple[float, bool, float]]] = {}

    def add(name: str, seconds: float, joints: np.ndarray) -> None:
        found = judge("bow", joints, corpus.fps)
        rows.setdefault(name, []).append((seconds, found.ok, found.measures["head_drop"]))

    for number in range(options.scripts):
        text, seconds = bows[number % len(bows)], float(np.round(rng.uniform(3, 7), 1))
        before, after = (TextRequest(others[i], 4.0) for i in rng.integers(len(others), size=2))
        line = TextRequest(text, seconds)
        childish = TextRequest(f"{text}, like a child", seconds)
        for name, script, extra in (
            ("alone", [line], {}), ("in a script", [before, line, after], {}),
            ("in a script, guidance 1.5", [before, line, after], {"guidance": 1.5}),
            ("in a script, guidance 4", [before, line, after], {"guidance": 4.0}),
            ("in a script, 16 steps", [before, line, after], {"steps": 16}),
            ("in a script, like a child", [before, childish, after], {}),
        ):  # fmt: skip
            motion = system.compose(script, options.seed, index=number, **extra)
            part = motion.segments[len(script) // 2]
            add(name, seconds, motion.joints()[round(part.start * motion.fps) : round(part.end * motion.fps)])
        add("MoMask, single", seconds, rival.generate([line], options.seed, first_index=number)[0].joints())
    for record in corpus.select("train", mirrored=False):
        if record.labels.get("content") == "bow":
            add("real, training split", record.length / corpus.fps, np.asarray(corpus.joints(record), np.float64))
    cells = []
    for name, found in rows.items():
        parts = [[ok for s, ok, _ in found if low <= s < high] for _, low, high in LENGTHS]
        every = [ok for _, ok, _ in found]
        cells.append([
            name, share(sum(every), len(every)), f"{np.median([d for *_, d in found]):.2f}",
            *(f"{sum(p)}/{len(p)}" for p in parts),
        ])  # fmt: skip
    print(f"bows: the head goes down 20 cm; {options.scripts} cases, seed {options.seed}")
    print(table(["", "share", "median m", *(name for name, *_ in LENGTHS)], cells))
    return {"rows": rows}, True, options


if __name__ == "__main__":
    run(main)
