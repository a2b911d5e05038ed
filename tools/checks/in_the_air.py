"""Does anyone hang in the air? One motion of every known action, as `laban generate` makes it.

    python tools/checks/in_the_air.py [--model kmm] [--seed 1] [--keep FOLDER] [--clips FOLDER]

Prints the longest spell without a foot near the floor (`laban.metrics.gait.airborne`) of each action that has one over
0.3 s, and exits 1 if any is longer than 0.8 s, which no jump is. --keep writes the motions as .npz; --clips judges the
.npz of such a folder and generates nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from laban.metrics.gait import LONGEST_JUMP, airborne


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="kmm")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--clips", type=Path)
    options = parser.parse_args()
    found = {}
    for action, motion in made(options):
        found[action] = airborne(motion.resample(20.0).joints(), 20.0)
        if found[action] > 0.3:
            print(f"{action:20s} {found[action]:.2f} s", flush=True)
    hanging = [action for action, seconds in found.items() if seconds > LONGEST_JUMP]
    longest = max(found.values())
    print(
        f"{len(hanging)} of {len(found)} hang in the air for more than {LONGEST_JUMP:g} s; the longest {longest:.2f} s"
    )
    return bool(hanging)


def made(options):  # type: ignore[no-untyped-def]
    """(action, motion) of each known action."""
    import laban
    from laban.actions.context import Context
    from laban.actions.generate import GenerateOptions, generate
    from laban.actions.vocabulary import VocabularyOptions, vocabulary

    if options.clips:
        for path in sorted(options.clips.glob("*.npz")):
            yield path.stem, laban.read(path)
        return
    context = Context()
    for entry in vocabulary(VocabularyOptions(options.model)):
        asked = GenerateOptions(text=entry.example, model=options.model, seed=options.seed)
        motion = generate(asked, context)[0].motion
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            laban.write(motion, options.keep / f"{entry.action}.npz")
        yield entry.action, motion


if __name__ == "__main__":
    sys.exit(main())
