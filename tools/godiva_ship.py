"""Store a finished GODIVA run as shipped weights in fp16: `python tools/godiva_ship.py RUN laban/weights/godiva`."""

from __future__ import annotations

import argparse
from pathlib import Path

import laban

LIMIT = 12e6  # bytes of all files
TERMS = """
## Licence

The weights are trained on the 10,000 images of MNIST's test half (Y. LeCun, C. Cortes, C. Burges), of which 6,500 were
seen by this model. The images are not in this repository and are not part of the weights. MNIST is commonly distributed
under CC BY-SA 3.0; the copy that was used states no licence. The weights are offered under CC BY-SA 3.0.

## Use and limits

One or two digits on a black square of 64 x 64 pixels, ten frames: `digit 3 is moving up then down`, `digit 7 moves
right then left while digit 3 moves down then up`, `digit 4 is moving left and right`. Nothing else. Digit d was never
trained with motion (d + 2) mod 4. Preset `tiny`: 640 tokens, mask `axial_full`, which is ours; the paper's mask is
`godiva`. Scores, controls and failures: `docs/godiva.md`. Stored in fp16; what only training needs is left out.
"""


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("run", type=Path)
    made.add_argument("out", type=Path)
    options = made.parse_args()
    system = laban.load(str(options.run))
    system.provenance.licence = "CC BY-SA 3.0 (MNIST)"
    card = (options.run / "README.md").read_text().rstrip() + "\n" + TERMS
    system.save(options.out, half=True, card=card)
    total = sum(p.stat().st_size for p in options.out.iterdir())
    for path in sorted(options.out.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.3f} MB  {path}")
    print(f"{total / 1e6:8.3f} MB  in all, limit {LIMIT / 1e6:g} MB: {'ok' if total <= LIMIT else 'TOO LARGE'}")


if __name__ == "__main__":
    main()
