"""What a 6-second motion costs: CPU time after load, and peak memory of `laban generate`.

    python benchmarks/generate_speed.py [--model momask] [--seconds 6]

Goals: below 2 s of CPU (all threads together) after load, the first motion included; below 1.5 GB of peak memory
of the command that writes walk.glb and walk.bvh, as the operating system counts it (ru_maxrss).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from report import ROOT, goal, model_option, parser, run

TEXT = "a person walks forward and turns left"


def command(model: str, seconds: float, folder: Path) -> tuple[float, float, float]:
    """Run `laban generate` in its own process: peak MB, wall seconds, CPU seconds.

    Raises: SystemExit with what it printed, if it fails.
    """
    words = [sys.executable, "-m", "laban", "generate", TEXT, "--seconds", str(seconds), "--seed", "7",
             "--model", model, "--out", str(folder / "walk.glb"), str(folder / "walk.bvh")]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    start = time.perf_counter()
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"laban generate failed ({process.returncode}): {(folder / 'log').read_text()[-2000:]}")
    unit = 1.0 if sys.platform == "darwin" else 1024.0  # bytes there, KiB on Linux
    return usage.ru_maxrss * unit / 1e6, wall, usage.ru_utime + usage.ru_stime


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("time and memory of generation")
    model_option(made)
    made.add_argument("--seconds", type=float, default=6.0)
    options = made.parse_args()
    start = time.process_time()
    import laban
    from laban.systems.requests import TextRequest

    system: Any = laban.load(options.model)
    loading = time.process_time() - start
    cpu, wall = [], []
    for seed in range(5):
        a, b = time.process_time(), time.perf_counter()
        system.generate([TextRequest(TEXT, options.seconds)], seed=seed, clean=True)
        cpu.append(time.process_time() - a)
        wall.append(time.perf_counter() - b)
    with tempfile.TemporaryDirectory() as folder:
        peak, total, total_cpu = command(options.model, options.seconds, Path(folder))
    print(f"load, torch included: {loading:.2f} s CPU")
    print(f"{options.seconds:g} s of motion, CPU: {cpu[0]:.2f} s, then {min(cpu[1:]):.2f} to {max(cpu[1:]):.2f} s")
    print(f"{options.seconds:g} s of motion, wall: first {wall[0]:.2f} s, then {min(wall[1:]):.2f} s")
    print(f"laban generate, GLB and BVH: {total:.1f} s wall, {total_cpu:.1f} s CPU, peak {peak:.0f} MB")
    first, a_ok = goal("CPU of a motion after load", max(cpu), 2.0, " s")
    second, b_ok = goal("peak memory of laban generate", peak, 1500, " MB")
    print(first, second, sep="\n")
    figures = {"load_cpu_s": loading, "cpu_s": cpu, "wall_s": wall, "command_wall_s": total, "peak_mb": peak}
    return figures, a_ok and b_ok, options


if __name__ == "__main__":
    run(main)
