"""Everyday sentences scored by eye, blind to which weights made them.

    python tools/checks/everyday.py sheets PROMPTS.tsv OUT --models kmm old/momask [--seed 1]
    python tools/checks/everyday.py count OUT SCORES.tsv

`sheets` makes one motion per sentence and model as `laban generate` does it, shuffles all of them and draws ten
strips of eight poses a page; OUT/key.tsv says which strip is whose and is not to be opened before the scores stand.
SCORES.tsv has the columns strip and score: 2 right, 1 recognisable but something asked for is missing or wrong, 0 a
user would throw it away. `count` prints per model the mean over the sentences that no warning was given for (whose
actions the data has) and over the others. PROMPTS.tsv has the columns group and prompt.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

from laban.actions.context import Context
from laban.actions.generate import GenerateOptions, generate
from laban.drawing.picture import contact_sheet


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))


def sheets(prompts: Path, out: Path, models: list[str], seed: int, rows: int) -> None:
    out.mkdir(parents=True, exist_ok=True)
    made = []
    for row in table(prompts):
        for model in models:
            warnings: list[str] = []
            context = Context(device="cpu", warn=warnings.append)
            settings = GenerateOptions((row["prompt"],), model=model, seed=seed, fps=20.0)
            motion = next(iter(generate(settings, context))).motion
            made.append((row["group"], row["prompt"], model, bool(warnings), motion))
    order = np.random.default_rng(seed).permutation(len(made))
    with (out / "key.tsv").open("w", newline="", encoding="utf-8") as handle:
        key = csv.writer(handle, delimiter="\t")
        key.writerow(["strip", "group", "prompt", "model", "warned"])
        for strip, index in enumerate(order, start=1):
            key.writerow([strip, *made[index][:3], int(made[index][3])])
    for page, at in enumerate(range(0, len(order), rows), start=1):
        part = [made[i] for i in order[at : at + rows]]
        titles = [f"{at + k}: {m[1]} ({m[4].seconds:.1f} s)" for k, m in enumerate(part, start=1)]
        path = out / f"strips-{page:02d}.png"
        contact_sheet([m[4] for m in part], titles, path)
        print(path, flush=True)


def count(out: Path, scores: Path) -> None:
    given = {row["strip"]: float(row["score"]) for row in table(scores)}
    by_model: dict[str, dict[bool, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in table(out / "key.tsv"):
        by_model[row["model"]][row["warned"] == "1"].append(given[row["strip"]])
    for model, found in by_model.items():
        for warned, values in sorted(found.items()):
            shares = ", ".join(f"{int(v)}: {values.count(v)}" for v in (2.0, 1.0, 0.0))
            what = "warned about" if warned else "not warned about"
            print(f"{model}: {len(values)} sentences {what}, mean {np.mean(values):.2f} of 2 ({shares})")


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = made.add_subparsers(dest="verb", required=True)
    drawn = verbs.add_parser("sheets")
    drawn.add_argument("prompts", type=Path)
    drawn.add_argument("out", type=Path)
    drawn.add_argument("--models", nargs="+", default=["kmm"])
    drawn.add_argument("--seed", type=int, default=1)
    drawn.add_argument("--rows", type=int, default=10)
    counted = verbs.add_parser("count")
    counted.add_argument("out", type=Path)
    counted.add_argument("scores", type=Path)
    options = made.parse_args()
    if options.verb == "sheets":
        sheets(options.prompts, options.out, options.models, options.seed, options.rows)
    else:
        count(options.out, options.scores)


if __name__ == "__main__":
    main()
