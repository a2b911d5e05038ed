"""A six-line script, each line judged from joints, then one line made again: `python tools/checks/script_check.py`."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import laban
from laban.metrics import composition, control

SCRIPT = (
    ("a person walks forward @4", "walk"),
    ("a person walks and turns left @4", "turn_left"),
    ("a person waves both hands @4", "wave_both"),
    ("a person runs @3", "run"),
    ("a person raises the right hand @3", "raise_right"),
    ("a person walks backward @4", "walk_backward"),
)


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--model", default="kmm")
    made.add_argument("--seed", type=int, default=3)
    made.add_argument("--only", type=int, default=2)
    options = made.parse_args()
    system: Any = laban.load(options.model)
    lines = [line for line, _ in SCRIPT]

    def judged(motion: Any) -> None:
        joints, fps = motion.joints(), motion.fps
        for segment, (_, expect) in zip(motion.segments, SCRIPT, strict=True):
            verdict = control.judge(expect, joints[round(segment.start * fps) : round(segment.end * fps)], fps)
            said = "yes" if verdict else verdict.reason
            print(f"  {segment.start:5.1f} to {segment.end:5.1f} s  {segment.text:34s} {said}")
        seams = composition.windows(joints, [round(s.start * fps) for s in motion.segments[1:]])
        measures = composition.seam_measures(seams, fps)
        print("  seams: peak jerk", np.round(measures.jerk, 3), "m/frame^3")
        print("  seams: foot step", np.round(measures.foot_step, 2), "m")

    before = system.compose(lines, options.seed, clean=True)
    print("six lines:")
    judged(before)
    after = system.compose(lines, options.seed, clean=True, edits=[{"line": options.only, "variation": 1}])
    print(f"line {options.only} made again:")
    judged(after)
    segment = before.segments[options.only - 1]
    first, last = (round(t * before.fps) for t in (segment.start, segment.end))
    same = np.array_equal(before.rotations[:first], after.rotations[:first])
    print("before the line, bit-equal:", same and np.array_equal(before.root[:first], after.root[:first]))
    same = np.array_equal(before.rotations[last:, 1:], after.rotations[last:, 1:])
    print("after it, local rotations bit-equal:", same)
    dot = np.abs((before.rotations[first:last, 1:] * after.rotations[first:last, 1:]).sum(-1))
    apart = np.degrees(2 * np.arccos(np.clip(dot, 0, 1))).mean()
    print(f"in it, mean distance of local rotations: {apart:.1f} degrees")


if __name__ == "__main__":
    main()
