"""Does streaming stay flat? An hour of motion, its memory and its time per frame, and a transformer beside it.

    python benchmarks/kmm_stream.py [--model kmm] [--seconds 60 600 3600] [--threads 2] [--json FILE]

Every length runs in a process of its own, so that peak memory is its own. The script repeats twelve lines of 2 to 6 s.
"first tenth" and "last tenth" are milliseconds per frame, everything included: tokens, features, skeleton. The row
"memory" is the peak of resident memory of the process; "state" what is carried from block to block, in thousands of
numbers.

The transformer is KMM with the preset's sizes, the trunk replaced by attention over all tokens so far (keys and values
kept, not computed again), of as many parameters (5 % apart), and untrained: only its time and memory are read.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

from report import goal, model_option, parser, run, table

LINES = (
    "a person walks forward @4", "a person turns left while walking @3", "a person waves both hands @5",
    "a person runs @3", "a person raises the right hand @2", "a person walks backward @4", "a person bows @4",
    "a person walks and turns right @3", "a person dances @6", "a person waves the left hand @4",
    "a person kicks @2", "a person walks forward tiredly @5",
)  # fmt: skip


def script(seconds: float) -> Any:
    """Lines for at least so many seconds, one after the other, never all at once."""
    total = 0.0
    while total < seconds:
        for line in LINES:
            total += float(line.rpartition("@")[2])
            yield line
            if total >= seconds:
                return


def rival(system: Any) -> Any:
    """The system with trunks of attention, of the nearest size, with random weights."""
    from laban.systems.kmm.system import KMM

    def sized(trunk: Any, module: Any) -> Any:
        wanted = sum(p.numel() for p in module.trunk.parameters())
        d, n = trunk.width, trunk.layers
        # per layer: 4 d d of attention, 2 d f + f + d of the feed-forward part, 2 d of norms; d at the end
        inner = max(8, round((wanted / n - 4 * d * d - 3 * d - d / n) / (2 * d + 1)))
        return replace(trunk, backbone="transformer", inner=inner)

    config = replace(
        system.config,
        trunk=sized(system.config.trunk, system.masked),
        residual=sized(system.config.residual, system.residual),
    )
    made = KMM(config, system.stats, system.text_encoder)
    return made.eval()


def worker(options: argparse.Namespace) -> None:
    """One length: prints a JSON object."""
    import torch

    import laban

    torch.set_num_threads(options.threads)
    system: Any = laban.load(options.model)
    if options.rival:
        system = rival(system)
    next(iter(system.stream(["a person walks forward @4"], 0)))  # the first call pays for allocation
    times, frames = [], []
    begin = last = time.perf_counter()
    for part in system.stream(script(options.only), options.seed):
        now = time.perf_counter()
        times.append(now - last)
        frames.append(part.frames)
        last = now
    tenth = max(1, len(times) // 10)
    first = 1000 * sum(times[1 : tenth + 1]) / max(1, sum(frames[1 : tenth + 1]))
    final = 1000 * sum(times[-tenth - 1 : -1]) / max(1, sum(frames[-tenth - 1 : -1]))
    wall = time.perf_counter() - begin
    print(json.dumps({
        "seconds": options.only, "frames": sum(frames), "wall": wall, "first": first, "last": final,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "state": system.carried,
        "parameters": sum(p.numel() for s in system.stages() for p in system.module(s).parameters()),
    }))  # fmt: skip


def measured(options: argparse.Namespace, seconds: float, rival: bool) -> dict[str, Any]:
    """A worker's figures."""
    command = [
        sys.executable, __file__, "--model", options.model, "--threads", str(options.threads), "--only", str(seconds),
        "--seed", str(options.seed), *(["--rival"] if rival else []),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("streaming of long motion")
    model_option(made)
    made.set_defaults(model="kmm")
    made.add_argument("--seconds", type=float, nargs="+", default=[60.0, 300.0, 600.0, 3600.0])
    made.add_argument("--rival-seconds", type=float, nargs="*", default=[60.0, 300.0, 600.0])
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--only", type=float, help=argparse.SUPPRESS)
    made.add_argument("--rival", action="store_true", help=argparse.SUPPRESS)
    options = made.parse_args()
    if options.only:
        worker(options)
        raise SystemExit(0)
    rows, figures = [], []
    for name, lengths in (("KMM", options.seconds), ("transformer", options.rival_seconds)):
        for seconds in lengths:
            found = measured(options, seconds, name == "transformer")
            figures.append({"model": name, **found})
            rows.append([
                f"{name}, {seconds / 60:g} min", str(found["frames"]), f"{found['wall']:.1f}",
                f"{found['frames'] / 20 / found['wall']:.0f}x", f"{found['first']:.2f}", f"{found['last']:.2f}",
                f"{found['peak_mb']:.0f}", f"{found['state'] / 1e3:.0f}", f"{found['parameters'] / 1e6:.2f}",
            ])  # fmt: skip
            print(f"{rows[-1][0]}: {found['wall']:.1f} s", file=sys.stderr, flush=True)
    head = ["", "frames", "wall s", "of real time", "first ms", "last ms", "peak MB", "state k", "parameters M"]
    print(f"{options.threads} threads, 20 fps")
    print(table(head, rows))
    ours = [f for f in figures if f["model"] == "KMM"]
    short, long = ours[0], ours[-1]
    lines = [
        goal("memory, longest against shortest", long["peak_mb"] / short["peak_mb"], 1.10),
        goal("time per frame, last tenth against first", long["last"] / long["first"], 1.15),
        goal("faster than real time", long["frames"] / 20 / long["wall"], 30.0, "x", at_least=True),
    ]  # fmt: skip
    print("\n".join(text for text, _ in lines))
    return {"rows": figures}, all(ok for _, ok in lines), options


if __name__ == "__main__":
    if "--only" in sys.argv:
        main()
    run(main)
