"""A stretch of a motion is regenerated from a sentence; a motion is extended; feet are held.

Run: python examples/04_edit.py [FOLDER]
"""

import sys
from pathlib import Path

import laban

out = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
out.mkdir(exist_ok=True)

walk = laban.generate("a person walks forward", seconds=4, seed=1, model="momask")
raised = laban.edit(walk, "a person raises the right hand", (1.2, 2.8), seed=5, samples=2)
longer = laban.extend(walk, "a person bows", 2.0, seed=5, samples=2)

wrist = walk.skeleton.index("right_wrist")
print(f"the right wrist rises to {walk.joints()[:, wrist, 1].max():.2f} m in the walk,")
print(f"to {raised.joints()[:, wrist, 1].max():.2f} m after the edit; extended, it lasts {longer.seconds:.1f} s")
laban.write(raised, out / "raised.glb")
laban.write(laban.clean(longer), out / "longer.glb")
