"""Store a finished run as shipped weights in fp16: `python tools/ship_weights.py RUN laban/weights/SYSTEM`."""

from __future__ import annotations

import argparse
from pathlib import Path

import laban
from laban.data.corpora import bandai_namco, cmu

LICENCE = f"""
## Licence

CC BY-NC 4.0: attribution, non-commercial. The weights are trained on data under that licence.

- {bandai_namco.ACKNOWLEDGEMENT}
- CMU mocap: {cmu.ACKNOWLEDGEMENT}
"""

MNIST = """
## Licence

The weights are trained on the 10,000 images of MNIST's test half (Y. LeCun, C. Cortes, C. Burges), of which 6,500 were
seen by this model. The images are not in this repository and are not part of the weights. MNIST is commonly distributed
under CC BY-SA 3.0; the copy that was used states no licence. The weights are offered under CC BY-SA 3.0.
"""
LICENCES = {"godiva": MNIST}  # of other data than the two corpora
LIMITS = {"godiva": 12e6}  # bytes of all files

USE = {
    "momask": """
## Use and limits

Text to motion on HumanML3D's 22 joints at 20 fps, up to 9.8 s. It knows the actions and styles of the two corpora
(`bandai_namco.py` and `cmu.py` in `laban/data/corpora`) and English that means the same; anything else becomes the
nearest of them. No hands, faces, objects or second person. Scores, control rows and failures: `docs/momask.md`.
Stored in fp16; the codebooks' running sums, which only training needs, are left out.
""",
    "kmm": """
## Use and limits

Long motion from a script of lines on HumanML3D's 22 joints at 20 fps, without end. It knows the actions and styles of
the two corpora (`bandai_namco.py` and `cmu.py` in `laban/data/corpora`) and English that means the same. Trained on
clips joined by a program: nobody moved like that. Scores, control rows and failures: `docs/kmm.md`.
The motion tokenizer is MoMask's (`weights/momask/tokenizer.safetensors`) and is not stored again: config.json holds its
digest, and other tokenizers are refused. Stored in fp16.
""",
    "fact": """
## Use and limits

Music and two seconds of motion to dance on HumanML3D's 22 joints at 60 fps. It was trained on phrases of the labelled
dances and of lively clips of the two corpora (`laban/data/synthesis/choreography.py`), 137 seconds, put on the beats of
synthesised tracks; it repeats them. One dancer, no hands or face. Scores, control rows and failures: `docs/fact.md`.
Stored in fp16.
""",
    "godiva": """
## Use and limits

One or two digits on a black square of 64 x 64 pixels, ten frames: `digit 3 is moving up then down`, `digit 7 moves
right then left while digit 3 moves down then up`, `digit 4 is moving left and right`. Nothing else. Digit d was never
trained with motion (d + 2) mod 4; digits moved in steps of 8 pixels from places on a lattice of 4, which flatters every
figure. Preset `tiny`: 640 tokens, mask `axial_full`, which is ours; the paper's mask is `godiva`. Scores, controls and
failures: `docs/godiva.md`. Stored in fp16; what only training needs is left out.
""",
}


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("run", type=Path)
    made.add_argument("out", type=Path)
    options = made.parse_args()
    system = laban.load(str(options.run))
    terms = LICENCES.get(system.name, LICENCE)
    card = (options.run / "README.md").read_text().rstrip() + "\n" + terms + USE.get(system.name, "")
    system.save(options.out, half=True, card=card)
    for path in sorted(options.out.iterdir()):
        print(f"{path.stat().st_size / 1e6:8.3f} MB  {path}")
    total, limit = sum(p.stat().st_size for p in options.out.iterdir()), LIMITS.get(system.name, 90e6)
    print(f"{total / 1e6:8.3f} MB  in all")
    if total > limit:
        raise SystemExit(f"more than {limit / 1e6:g} MB")


if __name__ == "__main__":
    main()
