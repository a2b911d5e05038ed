"""A clip before and after edits, one row of poses each.

python tools/docs/edit_sheet.py CLIP.bvh docs/momask-edit.png [--seed 0]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import laban
from laban.actions.context import Context
from laban.actions.edit import EditOptions, Range, edit
from laban.drawing.picture import contact_sheet
from laban.motion.retarget import retarget

EDITS = (("a person raises the right hand", 1.0, 2.6), ("a person turns left while walking", 3.0, None))


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("clip", type=Path)
    made.add_argument("out", type=Path)
    made.add_argument("--seed", type=int, default=0)
    options = made.parse_args()
    before, context = retarget(laban.read(options.clip)), Context()
    motions, titles = [before], [f"{options.clip.name}, as it is"]
    for text, start, end in EDITS:
        asked = EditOptions(before, (text,), (Range(start, end),), seed=options.seed)
        result = edit(asked, context)
        first, last = asked.ranges[0].frames(before)
        kept = np.r_[0:first, last : before.frames]
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
