"""Does streaming stay flat? An hour of motion, its memory and its time per frame, and a transformer beside it.

    python benchmarks/kmm_stream.py [--model kmm] [--seconds 60 600 3600] [--threads 2] [--json FILE]

Every length runs in a process of its own, so that peak memory is its own, after a warm-up of a minute. The script
repeats twelve lines of 2 to 6 s. Times are of whole parts, everything included: tokens, features, skeleton. "peak MB"
is the peak of resident memory of the process, "state" what is carried from block to block, in thousands of numbers.

A machine that does other work is fast at one time and slow at another, also in CPU time, as cores share their units.
So in the first and in the last tenth (half a minute where a tenth is less) a second stream, just begun, takes turns
with the measured one, part for part. "first" and "last" are the measured stream's CPU milliseconds per frame, medians
over parts; "new" the other's at the same time; "ratio" is last / new against first / new, which the goal is on. "of
real time" is by the wall clock, "by CPU" by the CPU time of all threads; both of the measured stream alone, whole. With
one thread the goal of speed is on its CPU time, which is what it takes on a core of its own.

The transformer is KMM with the preset's sizes, the trunk replaced by attention over all tokens so far (keys and values
kept, not computed again), of as many parameters (to 5 %; it has fewer layers), and untrained: only its time and memory
are read.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from report import goal, model_option, parser, run, table

LINES = (
    "a person walks forward @4", "a person turns left while walking @3", "a person waves both hands @5",
    "a person runs @3", "a person raises the right hand @2", "a person walks backward @4", "a person bows @4",
    "a person walks and turns right @3", "a person dances @6", "a person waves the left hand @4",
    "a person kicks @2", "a person walks forward tiredly @5",
)  # fmt: skip


SKIPPED = 3  # parts of a stream just begun: fewer frames come out until the decoder's look-ahead is full
SHORTEST = 600  # frames of what counts as a tenth of a short stream


def script(seconds: float) -> Iterator[str]:
    """Lines for at least so many seconds, one after the other, never all at once."""
    total = 0.0
    while total < seconds:
        for line in LINES:
            total += float(line.rpartition("@")[2])
            yield line
            if total >= seconds:
                return


class Timed:
    """A stream whose parts are timed: wall and CPU seconds, and frames."""

    def __init__(self, system: Any, seconds: float, seed: int) -> None:
        self.source = system.stream(script(seconds), seed, carried=self.seen)
        self.wall = self.busy = 0.0
        self.frames = self.parts = self.carried = 0

    def seen(self, carried: int) -> None:
        """Keeps the most that was carried from block to block."""
        self.carried = max(self.carried, carried)

    def next(self) -> float | None:
        """Makes a part; CPU seconds per frame of it, None where the script is over."""
        wall, busy = time.perf_counter(), time.process_time()
        part = next(self.source, None)
        if part is None:
            return None
        cost = time.process_time() - busy
        self.wall, self.busy = self.wall + time.perf_counter() - wall, self.busy + cost
        self.frames, self.parts = self.frames + part.frames, self.parts + 1
        return cost / part.frames


def rival(system: Any) -> Any:
    """The system with trunks of attention, of the nearest size, with random weights."""
    from baselines.trunks import equal_size

    from laban.systems.kmm.system import KMM

    config = replace(
        system.config,
        trunk=equal_size(system.config.trunk, "transformer"),
        residual=equal_size(system.config.residual, "transformer"),
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
    for _ in system.stream(script(60.0), options.seed):  # every text is read once, and every shape allocated
        pass
    stream, total = Timed(system, options.only, options.seed), options.only * 20
    tenth = max(0.1 * total, SHORTEST)
    beside: dict[str, Timed] = {}
    costs: dict[str, list[float]] = {"first": [], "new first": [], "last": [], "new last": []}
    while True:
        place = "first" if stream.frames < tenth else "last" if stream.frames >= total - tenth else ""
        cost = stream.next()
        if cost is None:
            break
        if place and place not in beside:
            beside[place] = Timed(system, 1e9, options.seed + 1)
        if place:
            other = beside[place].next()
            if beside[place].parts > SKIPPED and stream.parts > SKIPPED and other is not None:
                costs[place].append(cost)
                costs[f"new {place}"].append(other)
    figures = {name: 1000 * statistics.median(values) for name, values in costs.items()}
    figures["flat"] = (figures["last"] / figures["new last"]) / (figures["first"] / figures["new first"])
    print(json.dumps({
        "seconds": options.only, "frames": stream.frames, "wall": stream.wall, "busy": stream.busy, **figures,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "state": stream.carried,
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
                *(f"{found['frames'] / 20 / found[k]:.0f}x" for k in ("wall", "busy")),
                *(f"{found[k]:.2f}" for k in ("first", "new first", "last", "new last", "flat")),
                f"{found['peak_mb']:.0f}", f"{found['state'] / 1e3:.0f}", f"{found['parameters'] / 1e6:.2f}",
            ])  # fmt: skip
            print(f"{rows[-1][0]}: {found['wall']:.1f} s", file=sys.stderr, flush=True)
    head = ["", "frames", "wall s", "of real time", "by CPU", "first ms", "new", "last ms", "new", "ratio", "peak MB",
            "state k", "parameters M"]  # fmt: skip
    print(f"{options.threads} threads, 20 fps")
    print(table(head, rows))
    ours = [f for f in figures if f["model"] == "KMM"]
    short, long = ours[0], ours[-1]
    # one thread's CPU time is what it takes on a core of its own; that of several also counts their waiting
    key, clock = ("busy", "CPU time of one thread") if options.threads == 1 else ("wall", "the wall clock")
    lines = [
        goal("memory, longest against shortest", long["peak_mb"] / short["peak_mb"], 1.10),
        goal("CPU per frame, last tenth against first, each against a stream just begun", long["flat"], 1.15),
        goal("the same", long["flat"], 0.85, at_least=True),
        goal(f"faster than real time, by {clock}", long["frames"] / 20 / long[key], 30.0, "x", at_least=True),
    ]
    print(f"not corrected for the machine: last {long['last'] / long['first']:.3f} of first")
    print("\n".join(text for text, _ in lines))
    return {"rows": figures}, all(ok for _, ok in lines), options


if __name__ == "__main__":
    if "--only" in sys.argv:
        main()
    run(main)
