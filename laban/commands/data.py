"""`laban data`: from published corpora to arrays to train on."""

from __future__ import annotations

import sys
from pathlib import Path

from tyro.conf import Positional

from laban.commands.output import check_number, print_json


def prepare(
    corpus: Positional[str],
    source: Positional[Path],
    out: Positional[Path],
    frames: int = 10,
    size: int = 64,
    channels: int = 3,
    most: int = 60,
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Turn a corpus, as its owners publish it, into memory-mapped arrays with an index.

    Run it again after an interruption: what is finished stays. A broken file is named, skipped and counted.

    Args:
        corpus: Which corpus: bandai-namco, cmu, humanml3d or kit; films: msrvtt, howto100m; or renders, films of the
            motions that were prepared before, whose folder is then the source.
        source: Its folder, or its archive, or a folder of archives.
        out: The folder of prepared corpora; this one goes into a folder of its own in it.
        frames: Of films: frames of a clip.
        size: Of films: pixels of its height and width.
        channels: Of films: 3 for colour, 1 for grey.
        most: Of renders: films of one caption in each split.
        json: Print one JSON object.
        quiet: No progress bar, and print only what was skipped.
    """
    for name, value, low, high in (
        ("frames", frames, 2, 64), ("size", size, 16, 256), ("channels", channels, 1, 3), ("most", most, 1, 1_000_000),
    ):  # fmt: skip
        check_number(f"--{name}", value, low, high)
    from laban.data.prepare import prepare as prepare_corpus

    report = prepare_corpus(corpus, source, out, quiet, (frames, size, 1 if channels == 1 else 3), most)
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
    from laban.data.fetch import fetch as fetch_corpus

    folder = fetch_corpus(name, out)
    if json:
        print_json({"folder": str(folder)})
    elif not quiet:
        print(f"{folder}: fetched; `laban data prepare {name} {folder} DST` comes next")
    return 0
