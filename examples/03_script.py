"""Several lines become one motion without cuts; then only the second line is made again.

Run: python examples/03_script.py [FOLDER]
"""

import sys
from pathlib import Path

import numpy as np

import laban

out = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
out.mkdir(exist_ok=True)
lines = ["a person walks forward @3", "a person waves with the right hand @2", "a person walks forward @2"]

motion = laban.script(lines, seed=3)
for segment in motion.segments:
    print(f"{segment.start:5.2f} to {segment.end:5.2f} s  {segment.text}")
laban.write(motion, out / "script.bvh")

again = laban.script(lines, seed=3, only=2)
first = round(motion.segments[0].end * motion.fps) - 1
print("the first line is the same:", np.allclose(motion.rotations[:first], again.rotations[:first], atol=1e-5))
