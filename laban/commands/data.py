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


def leaks(folder: Positional[Path], move: bool = False, json: bool = False, quiet: bool = False) -> int:
    """Find validation and test clips that are training clips: the same motion, whatever its name.

    Motions are compared, not names: mirrored, shifted, cut and slowed copies are found too. Exits with 1 if any are
    left in place.

    Args:
        folder: A folder of prepared corpora, or one of them.
        move: Put them into the training split, with all clips of the same files.
        json: Print one JSON object.
        quiet: No progress bar.
    """
    found, moved = data.leaks(folder, console(quiet=quiet), move=move)
    rows = [
        {
            "clip": each.clip.id, "split": each.clip.split, "corpus": each.clip.corpus, "twin": each.twin.id,
            "twin_corpus": each.twin.corpus, "distance": round(each.distance, 4), "mirrored": each.mirrored,
            "tempo": round(each.tempo, 3), "shift": round(each.shift, 2),
        }
        for each in found
    ]  # fmt: skip
    if json:
        print_json({"leaks": rows, "moved": moved})
        return bool(rows) and not move
    for each in found:
        how = f"{each.distance * 100:.1f} cm apart, from {each.shift:.1f} s on, at {1 / each.tempo:.2f} of its pace"
        mirror = ", mirrored" if each.mirrored else ""
        print(
            f"{each.clip.split} {each.clip.corpus}/{each.clip.id} is {each.twin.corpus}/{each.twin.id}: {how}{mirror}"
        )
    done = f"; {moved} clips were moved to the training split" if move else ""
    print(f"{len(found)} held-out clips are training clips{done}")
    return bool(found) and not move


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
