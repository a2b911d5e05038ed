"""The pictures of docs/method/motionclip.md: `python tools/docs/motionclip_sheets.py PREPARED docs`.

A small library is written from held-out clips of the corpus into a temporary folder, and searched, blended and edited.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import laban
from laban import formats
from laban.data.corpus import Corpus
from laban.drawing.picture import contact_sheet
from laban.systems.motionclip import evaluation, space
from laban.systems.motionclip.library import Library
from laban.systems.motionclip.system import MotionCLIP

QUERIES = ("someone waves goodbye", "an old man on a walk", "a person jogs", "surrender")
EDITS = (
    ("dataset-2_walk_normal_012", "a person walks forward", "a person walks forward, like an old person"),
    ("dataset-2_walk_normal_012", "a person walks forward", "a person runs"),
    ("dataset-2_raise-up-right-hand_normal_012", "a person raises the right hand", "a person raises both hands"),
)
BLEND = ("dataset-2_walk_normal_012", "dataset-2_wave-both-hands_normal_012")


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("data", type=Path)
    made.add_argument("out", type=Path)
    made.add_argument("--model", default="motionclip")
    options = made.parse_args()
    corpus, system = Corpus.open(options.data), laban.load(options.model)
    assert isinstance(system, MotionCLIP)
    records = {r.id: r for r in evaluation.held_out(corpus)}

    def clip(name: str) -> laban.Motion:
        return laban.Motion.from_joints(np.asarray(corpus.joints(records[name]), np.float64), corpus.fps)

    with tempfile.TemporaryDirectory(prefix="laban-sheets-") as place:
        for name in records:
            formats.write(clip(name), Path(place) / f"{name}.npz")
        library = Library.open(place, system)
        library.update(system)
        rows, titles = [], []
        for query in QUERIES:
            for m in library.search(system.text_directions([query])[0].numpy(), 3):
                rows.append(formats.read(m.path).crop(m.start, m.end))
                titles.append(f"“{query}”  {m.score:+.2f}  {m.path.stem}")
    contact_sheet(rows, titles, options.out / "motionclip-search.png", row_height=150)
    steps = space.blend(system, *(clip(n) for n in BLEND), steps=5, clean=True)
    said = [space.recognise(system, m, top=2) for m in steps]
    contact_sheet(
        steps,
        [
            f"step {i + 1}: " + ", ".join(f"{g.label} {g.probability:.2f}" for g in guesses)
            for i, guesses in enumerate(said)
        ],
        options.out / "motionclip-blend.png",
        row_height=170,
    )
    rows, titles = [], []
    for name, minus, plus in EDITS:
        rows += [clip(name), space.mix(system, clip(name), minus, plus, clean=True)]
        titles += [name, f"minus “{minus}” plus “{plus}”"]
    contact_sheet(rows, titles, options.out / "motionclip-edit.png", row_height=170)
    for path in sorted(options.out.glob("motionclip-*.png")):
        print(path)


if __name__ == "__main__":
    main()
