"""One motion on several characters, one row each: a picture for the docs.

python tools/docs/character_sheet.py MOTION docs/character-sheet.png HERO.glb OTHER.glb THIRD.glb
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from laban import formats
from laban.character import stance
from laban.character.made import make


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("motion", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("characters", type=Path, nargs="+")
    parser.add_argument("--size", type=int, nargs=2, default=[1100, 260])
    options = parser.parse_args()
    motion = formats.read(options.motion)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for path in options.characters:
            made = make(motion, stance.load(path), name=path.stem)
            picture = Path(folder) / f"{path.stem}.png"
            formats.write(made, picture, width=options.size[0], height=options.size[1], poses_shown=7)
            rows.append(np.asarray(Image.open(picture).convert("RGB")))
            print("\n".join([path.name, *made.certificate.lines()]))
    Image.fromarray(np.concatenate(rows)).save(options.out, optimize=True)


if __name__ == "__main__":
    main()
