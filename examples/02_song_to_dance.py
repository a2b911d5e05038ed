"""A song becomes a dance on its beats.

Run: python examples/02_song_to_dance.py [FOLDER]
"""

import sys
from pathlib import Path

import laban

out = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
out.mkdir(exist_ok=True)
song = Path(__file__).with_name("song.ogg")

dance = laban.dance(song, seconds=4, start=1.0, seed=2)

print(f"{dance.seconds:.1f} s at {dance.fps:g} fps, {dance.frames} frames")
laban.write(dance, out / "dance.glb")
laban.render(dance, out / "dance.png", width=640, height=240, beats=True)  # music above, the dance's rests below
