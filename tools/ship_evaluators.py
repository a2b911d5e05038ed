"""Store two trained evaluators in fp16: `python tools/ship_evaluators.py RUN0 RUN1 [--out laban/weights/evaluator]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from laban.data.corpora import bandai_namco, cmu
from laban.systems.evaluator.system import SHIPPED, Evaluator

TERMS = f"""
## Licence

CC BY-NC 4.0: attribution, non-commercial. The weights are trained on data under that licence.

- {bandai_namco.ACKNOWLEDGEMENT}
- CMU mocap: {cmu.ACKNOWLEDGEMENT}

## Use and limits

A judge for `laban evaluate`: motions of HumanML3D's 22 joints at 20 fps (263 features) and English captions to unit
vectors of 64 numbers. It shares no weights, no text encoder and no vocabulary with a generator. It knows the actions
and styles of the two corpora and nothing else: its scores of other data mean nothing, and may not be compared with
those of another evaluator. What its figures see and what they do not: `docs/evaluation.md`. Stored in fp16.
"""


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("runs", type=Path, nargs=2, help="finished runs of two seeds")
    made.add_argument("--out", type=Path, default=SHIPPED[0].parent)
    options = made.parse_args()
    total = 0
    hashes = set()
    for run, name in zip(options.runs, (folder.name for folder in SHIPPED), strict=True):
        system = Evaluator.load(run)
        hashes.add(system.provenance.hash)
        folder = options.out / name
        system.save(folder, half=True, card=(run / "README.md").read_text().rstrip() + "\n" + TERMS)
        size = sum(path.stat().st_size for path in folder.iterdir())
        total += size
        print(f"{size / 1e6:8.3f} MB  {folder}  sha256 {Evaluator.load(folder).provenance.hash}")
    if len(hashes) < 2:
        raise SystemExit("error: both runs hold the same weights; give runs of two seeds.")
    print(f"{total / 1e6:8.3f} MB  in all")


if __name__ == "__main__":
    main()
