"""Every action that a model knows, one strip each: `python tools/docs/action_sheets.py OUT_FOLDER [--model kmm]`.

Each action's example sentence is generated as `laban generate` does it (best of four) and drawn as eight poses; a page
holds ten of them. Look at the pages strip by strip: a figure that is right and a person who slides is not.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from laban.actions.context import Context
from laban.actions.generate import MODEL, GenerateOptions, generate
from laban.actions.vocabulary import VocabularyOptions, vocabulary
from laban.drawing.picture import contact_sheet


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("out", type=Path)
    made.add_argument("--model", default=MODEL)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--rows", type=int, default=10)
    options = made.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    entries = sorted(vocabulary(VocabularyOptions(options.model)), key=lambda entry: entry.action)
    context = Context(device="cpu")
    for page, at in enumerate(range(0, len(entries), options.rows), start=1):
        sentences = tuple(entry.example for entry in entries[at : at + options.rows])
        settings = GenerateOptions(sentences, model=options.model, seed=options.seed, fps=20.0, as_is=True)
        motions = [result.motion for result in generate(settings, context)]
        titles = [f"{e.action}: {e.example} ({m.seconds:.1f} s)" for e, m in zip(entries[at:], motions, strict=False)]
        path = options.out / f"actions-{page:02d}.png"
        contact_sheet(motions, titles, path)
        print(path, flush=True)


if __name__ == "__main__":
    main()
