"""A small evaluation of one's own: two models, some prompts, and three figures for each motion.

The whole protocol, next to real motion and control rows, is `laban evaluate`.

Run: python examples/08_own_evaluation.py [FOLDER]
"""

import csv
import sys
from pathlib import Path

import laban
from laban.metrics import physics

out = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
out.mkdir(exist_ok=True)
prompts = {"walk": "a person walks forward", "bow": "a person bows"}

with (out / "scores.csv").open("w", newline="", encoding="utf-8") as file:
    table = csv.writer(file)
    table.writerow(["model", "prompt", "recognised as", "skate m/s", "jerk m/s3"])
    for model in ("momask", "kmm"):
        for text in prompts.values():
            motion = laban.generate(text, seconds=3, seed=0, model=model, samples=1)
            joints = motion.joints()
            best = laban.recognise(motion, top=1)[0]
            row = [model, text, best.label, physics.skate(joints, motion.fps), physics.jerk(joints, motion.fps)]
            table.writerow(row)
            print(f"{row[0]:7} {row[1]:24} {row[2]:16} skate {row[3]:.3f}  jerk {row[4]:.0f}")
