"""Ten seams of a script, a row of poses each, 1 s before to 1 s after: `python tools/docs/seam_strip.py OUT.png`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from PIL import Image

import laban
from laban.drawing.picture import contact_sheet

SCRIPT = (
    "a person walks forward @4",
    "a person turns left while walking @3",
    "a person waves both hands @4",
    "a person runs @4",
    "a person raises the right hand @3",
    "a person walks backward @4",
    "a person bows @4",
    "a person waves the left hand @4",
    "a person walks and turns right @3",
    "a person dances @5",
    "a person walks forward tiredly @5",
)


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("out", type=Path)
    made.add_argument("--seed", type=int, default=3)
    made.add_argument("--model", default="kmm")
    options = made.parse_args()
    system: Any = laban.load(options.model)
    motion = system.compose(SCRIPT, options.seed, clean=True)
    seams = [(a, b) for a, b in zip(motion.segments[:-1], motion.segments[1:], strict=True)]
    clips = [motion.crop(a.end - 1.0, a.end + 1.0) for a, _ in seams]
    titles = [f"{a.text}  |  {b.text}" for a, b in seams]
    contact_sheet(clips, titles, options.out, row_height=170, poses_shown=9)
    Image.open(options.out).quantize(96, dither=Image.Dither.NONE).save(options.out, optimize=True)  # for the page
    print(options.out)


if __name__ == "__main__":
    main()
