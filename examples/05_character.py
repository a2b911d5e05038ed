"""A motion on a rigged character, with a certificate of how well it fits.

Run: python examples/05_character.py [FOLDER [CHARACTER.glb]]. Without a character it dresses Laban's own mannequin.
"""

import sys
from pathlib import Path

import laban

out = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
out.mkdir(exist_ok=True)

wave = laban.generate("a person waves with the right hand", seconds=3, seed=4)
hero = Path(sys.argv[2]) if len(sys.argv) > 2 else out / "mannequin.glb"
if not hero.exists():
    laban.write(wave, hero)

character = laban.Character(hero)
for name, bone in sorted(character.bones().bones.items())[:4]:
    print(f"{name}: node {bone.node}, {bone.reason}")

worn = laban.retarget(wave, character, fps=60)
print("certificate:", "passed" if worn.certificate.passed else "failed")
laban.write(worn, out / "hero_wave.glb")
