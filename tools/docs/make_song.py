"""Write the example song: `python tools/docs/make_song.py examples/song.ogg`. Made from formulas: free for any use."""

from __future__ import annotations

import argparse
from pathlib import Path

from laban.data.synthesis import tracks
from laban.io import audio


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("out", type=Path)
    made.add_argument("--groove", default="house", choices=tracks.GROOVES)
    made.add_argument("--bpm", type=float, default=118.0)
    made.add_argument("--seconds", type=float, default=24.0)
    made.add_argument("--seed", type=int, default=3)
    options = made.parse_args()
    track = tracks.synthesise(options.groove, options.bpm, options.seconds, options.seed)
    audio.write(track.samples, tracks.RATE, options.out)
    print(f"{options.out}: {options.groove}, {options.bpm:g} bpm, {options.seconds:g} s, "
          f"{options.out.stat().st_size / 1e3:.0f} kB")  # fmt: skip


if __name__ == "__main__":
    main()
