"""Store a finished run as shipped weights in fp16: `python tools/ship_motionclip.py RUN laban/weights/motionclip`."""

from __future__ import annotations

import argparse
from pathlib import Path

import laban
from laban.data.corpora import bandai_namco, cmu

LIMIT = 12_000_000  # bytes
TERMS = f"""
## Licence

CC BY-NC 4.0: attribution, non-commercial. The weights are trained on data under that licence.

- {bandai_namco.ACKNOWLEDGEMENT}
- CMU mocap: {cmu.ACKNOWLEDGEMENT}

## Use and limits

A latent of motion on HumanML3D's 22 joints at 20 fps, up to 9.8 s at once, in the space of the small text encoder of
this package. It knows the actions and styles of the two corpora (config.json lists the captions) and English that
means the same; anything else becomes the nearest of them. Scores, control rows and failures: `docs/motionclip.md`.
Stored in fp16.
"""


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("run", type=Path)
    made.add_argument("out", type=Path)
    options = made.parse_args()
    system = laban.load(str(options.run))
    card = (options.run / "README.md").read_text().rstrip() + "\n" + TERMS
    system.save(options.out, half=True, card=card)
    for path in sorted(options.out.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.3f} MB  {path}")
    total = sum(p.stat().st_size for p in options.out.iterdir())
    print(f"{total / 1e6:8.3f} MB  in all")
    if total > LIMIT:
        raise SystemExit(f"more than {LIMIT / 1e6:g} MB")


if __name__ == "__main__":
    main()
