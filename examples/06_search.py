"""A folder of motions is searched by words; a clip is named; one motion turns into another in steps.

Run: python examples/06_search.py [FOLDER]
"""

import sys
from pathlib import Path

import laban

out = Path(sys.argv[1] if len(sys.argv) > 1 else "demo") / "clips"
out.mkdir(parents=True, exist_ok=True)

motions = {}
for name, text in {"walk": "a person walks forward", "wave": "a person waves", "bow": "a person bows"}.items():
    motions[name] = laban.generate(text, seconds=3, seed=2, model="momask", samples=1)
    laban.write(motions[name], out / f"{name}.npz")

for match in laban.search(out, "someone waves goodbye"):
    print(f"{match.score:+.2f}  {match.path.name}")
print("bow.npz looks like", [guess.label for guess in laban.recognise(motions["bow"], top=2)])

steps = laban.blend(motions["walk"], motions["wave"], steps=3)
for number, step in enumerate(steps, start=1):
    laban.write(step, out.parent / f"blend-{number}.bvh")
