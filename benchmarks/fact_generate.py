"""Speed of dancing: frame by frame against blocks of k, `paper` and `small`, and memory against the song's length.

The paper's own loop predicts 20 frames and keeps one. It is timed on fewer frames and scaled, and said so; `paper`
has random weights here, whose speed is that of trained ones.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from report import ROOT, goal, parser, run, table

FRAMES = 1200
SONG_MINUTES = (1, 10, 120)


def per_frame(system: Any, block: int, frames: int) -> float:
    """CPU seconds per frame of dance, this process's threads together."""
    import torch

    from laban.systems.requests import MusicRequest

    music = np.random.default_rng(0).normal(0, 1, (frames + 240, 35)).astype(np.float32)
    request = MusicRequest(music, frames / 60)
    torch.manual_seed(0)
    system.generate([MusicRequest(music, max(block, 2) / 60)], 0, block=block, clean=False)
    before, wall = time.process_time(), time.perf_counter()
    system.generate([request], 0, block=block, clean=False)
    spent = time.process_time() - before
    per_frame.wall = (time.perf_counter() - wall) / frames  # type: ignore[attr-defined]
    return spent / frames


def peak(model: str, minutes: int) -> float:
    """MiB of `laban dance` for 10 s in the middle of a song of so many minutes."""
    import soundfile

    from laban.data.synthesis import tracks

    with tempfile.TemporaryDirectory() as name:
        song = Path(name) / "song.flac"
        track = tracks.synthesise("rock", 118.0, 60.0, 1)
        with soundfile.SoundFile(song, "w", tracks.RATE, 1) as file:
            for _ in range(minutes):
                file.write(track.samples[: 60 * tracks.RATE])
        code = (
            "import resource, sys; from laban import cli\n"
            f"code = cli.main(['dance', {str(song)!r}, '--model', {model!r}, '--seconds', '10', '--start',"
            f" '{minutes * 30}', '--bpm', '118', '--quiet', '--out', {str(Path(name) / 'd.npz')!r}])\n"
            "print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        place = {**os.environ, "LABAN_CACHE": name, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=place)
    code_said, kib = done.stdout.split()[-2:]
    if code_said != "0":
        raise SystemExit(done.stderr)
    return int(kib) / 1024


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser(__doc__ or "")
    made.add_argument("--model", default="fact", help="shipped weights by name, or a checkpoint folder")
    made.add_argument("--paper-frames", type=int, default=20, help="frames that the paper's loop is timed on")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--no-memory", action="store_true")
    options = made.parse_args()

    import torch

    import laban
    from laban.systems.fact.config import PAPER
    from laban.systems.fact.system import Fact

    torch.set_num_threads(options.threads)
    rows, seconds = [], {}
    for name, system in (("small", laban.load(options.model)), ("paper", Fact(PAPER, {}))):
        for block in (1, 5, 10, 20):
            few = options.paper_frames if name == "paper" else (60 if block == 1 else FRAMES)
            frames = max(few, block) if block == 1 else max(few, 2 * block)
            cost = per_frame(system, block, frames)
            seconds[name, block] = cost
            wall = per_frame.wall  # type: ignore[attr-defined]
            rows.append([f"{name} k={block}", frames, f"{1000 * cost:.2f}", f"{FRAMES * cost:.1f}",
                         f"{FRAMES * wall:.1f}", f"{seconds[name, 1] / cost:.1f}"])  # fmt: skip
    print(table(["", "timed on frames", "CPU ms/frame", "CPU s for 20 s", "wall s for 20 s", "times k=1"], rows))
    goals = [
        goal("small, k=10, CPU seconds for 20 s of dance", FRAMES * seconds["small", 10], 20.0, " s"),
        goal("paper, k=20, over its own loop", seconds["paper", 1] / seconds["paper", 20], 15.0, at_least=True),
    ]
    facts: dict[str, Any] = {"cpu_seconds_per_frame": {f"{n} k={k}": v for (n, k), v in seconds.items()}}
    if not options.no_memory:
        memory = {minutes: peak(options.model, minutes) for minutes in SONG_MINUTES}
        facts["peak_mib"] = memory
        for minutes, mib in memory.items():
            print(f"10 s of dance from the middle of {minutes} min: peak {mib:.0f} MiB")
        goals.append(goal("peak memory, longest over shortest song", memory[120] / memory[1], 1.1))
    for line, _ in goals:
        print(line)
    facts["here_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return facts, all(ok for _, ok in goals), options


if __name__ == "__main__":
    run(main)
