"""`laban train`: a system, stage by stage."""

from __future__ import annotations

import sys

import tyro

from laban.actions.train import TrainOptions
from laban.actions.train import train as train_system
from laban.commands.arguments import takes_options
from laban.commands.output import console, print_json, set_threads


@takes_options("system", preview=tyro.conf.arg(help="render no samples into OUT/previews."))
def train(
    options: TrainOptions, device: str = "auto", threads: int | None = None, json: bool = False, quiet: bool = False
) -> int:
    """Trains a system on prepared corpora, stage by stage.

    Started again with the same options it skips what is finished and goes on exactly where a killed run
    stood. Ctrl-C saves and ends. Once the first stage is finished, two processes may train two other stages.

    Args:
        device: cpu, cuda, or auto.
        threads: CPU threads of torch.
        json: print one JSON object on stdout at the end.
        quiet: no progress bar.
    """
    set_threads(threads)
    outcome = train_system(options, console(device, quiet, logged=True))
    if json:
        print_json({"out": str(options.out), **vars(outcome)})
    elif outcome.stopped:
        again = f"{options.out} holds its state; the same command goes on from there."
        print(f"stopped in stage {outcome.stopped} at step {outcome.step}; {again}", file=sys.stderr)
    elif not quiet:
        done = ", ".join(outcome.finished) or "nothing (all finished before)"
        print(f"trained {done}; {options.out}")
    return 0
