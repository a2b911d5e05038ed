"""Ten prompts, one row of poses each: `python tools/docs/contact_sheet.py docs/momask-sheet.png [--seed 7]`.

With `--prompts FILE`, one per line, those instead: `... docs/momask-outside.png --prompts tools/docs/outside.txt`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import laban
from laban.drawing.picture import contact_sheet

PROMPTS = (
    "a person walks forward and turns left",
    "a person walks backward, timidly",
    "a person runs",
    "a person raises the right hand, proudly",
    "a person waves both hands, happily",
    "a person bows",
    "a person kicks",
    "an old woman ambles along",
    "someone lifts her left arm",
    "a tired soldier marches and veers right",
)


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("out", type=Path)
    made.add_argument("--seed", type=int, default=7)
    made.add_argument("--model", default="momask")
    made.add_argument("--prompts", type=Path)
    options = made.parse_args()
    system = laban.load(options.model)
    prompts = PROMPTS if options.prompts is None else tuple(options.prompts.read_text().splitlines())
    requests = [laban.TextRequest(prompt) for prompt in prompts]
    motions = system.generate(requests, seed=options.seed, clean=True)
    contact_sheet(motions, prompts, options.out)
    print(options.out)


if __name__ == "__main__":
    main()
