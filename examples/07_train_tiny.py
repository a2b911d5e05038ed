"""A model of your own: captioned motion files are prepared, and a tiny MoMask is trained on them for a few steps.

The steps are far too few to learn from; they show the way. Run: python examples/07_train_tiny.py [FOLDER]
"""

import sys
from pathlib import Path

import laban

out = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
clips = out / "captioned"
clips.mkdir(parents=True, exist_ok=True)

# Motion files of any make, and a table that says what each shows (docs/data.md).
rows = ["file\tcaptions\taction"]
for number in range(12):
    motion = laban.generate("a person walks forward", seconds=3, seed=number, model="momask", samples=1)
    laban.write(motion, clips / f"walk-{number}.bvh")
    rows.append(f"walk-{number}.bvh\ta person walks forward|someone walks\twalk")
(clips / "captions.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")

report = laban.prepare_data("folder", clips, out / "prepared")
print(f"{report.clips} clips, {report.hours * 3600:.0f} s of motion, mirror images included")

outcome = laban.train_model("momask", out / "prepared", out / "run", preset="tiny", steps=3, preview=False)
print("trained:", ", ".join(outcome.finished))
mine = laban.generate("a person walks forward", seconds=2, model=out / "run")
print(f"{mine.seconds:.1f} s by {mine.passport['system']}, trained on {', '.join(mine.passport['data'])}")
