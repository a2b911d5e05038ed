"""Dance: beat alignment beside its controls, bodies beside real dance, 60 seconds without freezing or drift.

The paper's protocol by default: 40 dances of 1,200 frames, on synthesised songs in tempi and grooves that training
does not have. The figures come from `laban.systems.fact.evaluation.evaluate`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from report import data_option, goal, parser, run


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser(__doc__ or "")
    data_option(made)
    made.add_argument("--model", default="fact", help="shipped weights by name, or a checkpoint folder")
    made.add_argument("--dances", type=int, default=40)
    made.add_argument("--frames", type=int, default=1200)
    made.add_argument("--block", type=int, default=None, help="frames per pass; the model's own by default")
    made.add_argument("--own-beats", action="store_true", help="the tracker finds the beats, without a hint")
    made.add_argument("--aist", type=Path, help="score on the test and validation songs of this AIST++ copy instead")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--long", type=int, default=10, help="inputs of 60 seconds; 0 for none")
    made.add_argument("--sheet", default="", help="write the four songs of one seed motion as a picture there")
    options = made.parse_args()

    from tqdm import tqdm

    import laban
    from laban.data.corpora.aist import Aist
    from laban.data.corpus import Corpus
    from laban.systems.fact import evaluation, tables

    corpus = Corpus.open(options.data)
    system = laban.load(options.model)
    with tqdm(total=options.dances, unit=" dances", disable=None, file=sys.stderr) as bar:
        facts = evaluation.evaluate(
            system, corpus, evaluation.Programme(options.dances, options.frames, options.seed, options.own_beats),
            block=options.block, progress=lambda done: bar.update(done - bar.n),
            given=evaluation.of_aist(Aist(options.aist), options.frames, options.dances) if options.aist else None,
        )  # fmt: skip
    rows = facts["rows"]
    real, made_row, locked = rows["clips"], rows["made"], rows["locked"]
    goals = [
        goal("as made above shifted music, low end of the interval", facts["differences"]["made - shifted"]["low"], 0.0,
             at_least=True),
        goal("locking raises it, low end of the interval", facts["differences"]["locked - made"]["low"], 0.0,
             at_least=True),
        goal("locked, FACT's definition", locked["fact"], 0.45, at_least=True),
        goal("locked, kinematic beats per second over real dance's", locked["per_second"] / real["per_second"], 0.5,
             at_least=True),
        goal("locked, kinematic beats per second over real dance's", locked["per_second"] / real["per_second"], 2.0),
        goal("skate over real dance's", locked["skate"] / real["skate"], 1.5),
        goal("jerk over real dance's", locked["jerk"] / real["jerk"], 1.5),
        goal("as made, jerk over real dance's", made_row["jerk"] / real["jerk"], 1.5),
    ]  # fmt: skip
    told: list[str] = []
    if options.long:
        long = evaluation.endurance(system, corpus, options.long)
        facts["long"] = long
        if all("real slowest" in row for row in long):
            low, high = min(row["real slowest"] for row in long), max(row["real fastest"] for row in long)
            told.append(f"choreography on the same songs: slowest window {low:.2f}, fastest {high:.2f}")
        goals += [
            goal("slowest window over training's mean speed", min(r["slowest"] for r in long), 0.5, at_least=True),
            goal("fastest window over training's mean speed", max(r["fastest"] for r in long), 2.0),
            goal("farthest from where it began", max(r["farthest"] for r in long), 4.0, " m"),
        ]
        four = evaluation.variety(system, corpus)
        motions = four.pop("motions")
        facts["variety"] = four
        goals.append(goal("dances to other songs over dances by other seeds",
                          four["between songs"] / max(four["between seeds"], 1e-9), 1.0, at_least=True))  # fmt: skip
        if options.sheet:
            from laban.drawing import picture

            picture.contact_sheet(motions, four["songs"], options.sheet)
    print("\n".join([*tables.lines(facts), "## Goals", ""]))
    print("\n".join([*(line for line, _ in goals), *told]))
    return facts, all(ok for _, ok in goals), options


if __name__ == "__main__":
    run(main)
