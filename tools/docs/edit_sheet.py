"""A clip before and after edits, one row of poses each.

    python tools/docs/edit_sheet.py CLIP.bvh docs/momask-edit.png [--seed 0]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import laban
from laban.drawing.picture import contact_sheet
from laban.systems.momask.editing import Edit, edit, onto_skeleton

EDITS = (("a person raises the right hand", 1.0, 2.6), ("a person turns left while walking", 3.0, None))


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("clip", type=Path)
    made.add_argument("out", type=Path)
    made.add_argument("--seed", type=int, default=0)
    options = made.parse_args()
    system = laban.load("momask")
    before = onto_skeleton(system, laban.read(options.clip))
    motions, titles = [before], [f"{options.clip.name}, as it is"]
    for text, start, end in EDITS:
        last = before.frames if end is None else round(end * before.fps)
        chosen = Edit(text, round(start * before.fps), last)
        result = edit(system, before, [chosen], options.seed)
        kept = np.r_[0 : chosen.first, chosen.last : before.frames]
        same = np.array_equal(result.motion.rotations[kept], before.rotations[kept])
        same = same and np.array_equal(result.motion.root[kept], before.root[kept])
        motions.append(result.motion)
        titles.append(f"{start:g} s to {'the end' if end is None else f'{end:g} s'}: {text}")
        seams = ", ".join(f"{1000 * s.error:.1f} mm (usual {1000 * s.median:.1f})" for s in result.seams)
        print(f"{titles[-1]}; {len(kept)} other frames {'bit-equal' if same else 'CHANGED'}; seams {seams}")
    contact_sheet(motions, titles, options.out, poses_shown=10)
    print(options.out)


if __name__ == "__main__":
    main()
