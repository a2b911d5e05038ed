"""`laban data`: from published corpora to arrays to train on."""

from __future__ import annotations

import sys
from pathlib import Path

from tyro.conf import Positional

from laban.actions import data
from laban.actions.data import PrepareOptions
from laban.commands.arguments import takes_options
from laban.commands.output import console, print_json


@takes_options("corpus", "source", "out")
def prepare(options: PrepareOptions, json: bool = False, quiet: bool = False) -> int:
    """Turn a corpus, as its owners publish it, into memory-mapped arrays with an index.

    Run it again after an interruption: what is finished stays. A broken file is named, skipped and counted.

    Args:
        json: Print one JSON object.
        quiet: No progress bar, and print only what was skipped.
    """
    report = data.prepare(options, console(quiet=quiet))
    for name, reason in report.skipped.items():
        print(f"skipped {name}: {reason}", file=sys.stderr)
    if json:
        print_json(vars(report))
    elif not quiet:
        done = "was prepared before" if report.already_done else "prepared"
        skipped = f"{len(report.skipped)} files skipped"
        print(f"{report.folder}: {done}, {report.clips} clips, {report.hours:.2f} h, {skipped}")
    return 0


def fetch(name: Positional[str], out: Positional[Path], json: bool = False, quiet: bool = False) -> int:
    """Clone the public source of a corpus, at the commit that Laban is tested with. Needs git and the network.

    Args:
        name: Which corpus: bandai-namco or cmu.
        out: The folder to clone into.
        json: Print one JSON object.
        quiet: Print only errors.
    """
    folder = data.fetch(name, out)
    if json:
        print_json({"folder": str(folder)})
    elif not quiet:
        print(f"{folder}: fetched; `laban data prepare {name} {folder} DST` comes next")
    return 0
