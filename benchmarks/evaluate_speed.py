"""CPU time and peak memory of a full report on 500 clips, the making of motions excluded.

    python benchmarks/evaluate_speed.py [--data data/prepared] [--clips 500]

Every control row that needs no model, and a row that stands for a model's motions (real clips, 5 mm of noise), with
both shipped evaluators, bootstrap and 20 draws of pools. Clips are of all splits, since the test split may have
fewer: nothing is claimed of them. Goals: less than 60 s of CPU, less than 2 GB.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from report import data_option, goal, parser, run


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("speed of a full report")
    data_option(made)
    made.add_argument("--clips", type=int, default=500)
    made.add_argument("--evaluator", type=Path, nargs="*", help="folders instead of the shipped ones")
    options = made.parse_args()

    import torch

    from laban.data.corpus import SPLITS, Corpus
    from laban.evaluate import cases, report
    from laban.evaluate.machine import peak_megabytes
    from laban.evaluate.run import SHIPPED, Settings, every_row
    from laban.evaluate.score import Scorer, control_chance
    from laban.systems.evaluator.system import Evaluator
    from laban.work import Counter, ignore

    torch.set_num_threads(1)
    corpus = Corpus.open(options.data)
    held = [case for split in SPLITS for case in cases.choose(corpus, split, None, 0)]
    images = [case for split in SPLITS for case in cases.mirror_images(corpus, split, held)]
    chosen = np.random.default_rng(0).permutation(len(held))[: options.clips]
    held, images = [held[i] for i in chosen], [images[i] for i in chosen]
    noise = np.random.default_rng(1)
    given = [replace(case, joints=case.joints + noise.normal(scale=0.005, size=case.joints.shape)) for case in held]
    begin = time.process_time()
    judges = {f"evaluator {i}": Evaluator.load(path) for i, path in enumerate(options.evaluator or SHIPPED)}
    settings = Settings()
    scorer = Scorer(judges, [case.joints for case in held], settings.repeats, settings.draws, settings.seed)
    counter = Counter(ignore, None, "evaluate")
    found = [scorer.score(row) for row in every_row(held, images, given, None, (), settings, Path(), counter)]
    control_chance(next(every_row(held, images, given, None, (), settings, Path(), counter)))
    report.distinguishing_metrics(found)
    seconds, peak = time.process_time() - begin, peak_megabytes() or float("nan")
    print(f"{len(held)} clips, {len(found)} rows, {len(judges)} evaluators")
    reached = []
    for name, value, limit, unit in (("CPU", seconds, 60.0, " s"), ("peak memory", peak, 2000.0, " MB")):
        line, ok = goal(name, value, limit, unit)
        print(line)
        reached.append(ok)
    return {"clips": len(held), "seconds": seconds, "peak_megabytes": peak}, all(reached), options


if __name__ == "__main__":
    run(main)
