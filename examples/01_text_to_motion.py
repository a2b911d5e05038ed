"""A sentence becomes a motion: numbers, a GLB for a game engine, a BVH for a rig, a picture to look at.

Run: python examples/01_text_to_motion.py [FOLDER]
"""

import sys
from pathlib import Path

import laban

out = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
out.mkdir(exist_ok=True)

motion = laban.generate("a person walks forward and turns left", seconds=4, seed=7)

joints = motion.joints()  # (T, 22, 3) metres, Y up, +Z forward
print(f"{motion.seconds:.1f} s at {motion.fps:g} fps, {len(motion.skeleton)} joints; ends at {joints[-1, 0].round(2)}")
print("made by", motion.passport["system"], "with seed", motion.passport["seed"])

for name in ("walk.glb", "walk.bvh", "walk.npz"):
    laban.write(motion, out / name)
laban.render(motion, out / "walk.png", width=640, height=240)
