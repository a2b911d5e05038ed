"""Published corpora: fetched, and prepared into arrays to train on."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from laban.actions.context import Context
from laban.actions.options import bounded, check, described
from laban.systems.options import Bounds

if TYPE_CHECKING:
    from laban.data.leaks import Leak
    from laban.data.prepare import PrepareReport


@dataclass(frozen=True)
class PrepareOptions:
    """Which corpus is prepared, and into what."""

    corpus: str = described(
        MISSING,
        "Which corpus: bandai-namco, cmu, humanml3d or kit; films: msrvtt, howto100m; or renders, films of the motions "
        "that were prepared before, whose folder is then the source.",
    )
    source: Path = described(MISSING, "Its folder, or its archive, or a folder of archives.")
    out: Path = described(MISSING, "The folder of prepared corpora; this one goes into a folder of its own in it.")
    frames: int = bounded(10, Bounds(2, 64, whole=True), "Of films: frames of a clip.")
    size: int = bounded(64, Bounds(16, 256, whole=True), "Of films: pixels of its height and width.")
    channels: int = bounded(3, Bounds(1, 3, whole=True), "Of films: 3 for colour, 1 for grey.")
    most: int = bounded(60, Bounds(1, 1_000_000, whole=True), "Of renders: films of one caption in each split.")
    workers: int = bounded(1, Bounds(1, 256, whole=True), "Processes that read files of motions at the same time.")


def prepare(options: PrepareOptions, context: Context) -> PrepareReport:
    """Turns a corpus, as its owners publish it, into memory-mapped arrays with an index.

    Called again after an interruption it goes on: what is finished stays.

    Args:
        options: which corpus, and into what.
        context: told of progress; asked between files whether to go on.
    Returns: what was done, and which files were skipped, why.
    Raises: InputError if the corpus is unknown or the source holds none of its files.
    """
    check(options)
    from laban.data import prepare as preparing

    shape = (options.frames, options.size, 1 if options.channels == 1 else 3)
    settings = preparing.Settings(options.workers, shape, options.most, context.progress, context.check)
    return preparing.prepare(options.corpus, options.source, options.out, settings)


def leaks(folder: Path, context: Context, *, move: bool) -> tuple[list[Leak], int]:
    """Validation and test clips that are, by their motion, clips of the training split.

    Args:
        folder: of prepared corpora, or one of them.
        move: put what is found into the training split, with all that comes from the same files.
        context: told of progress; asked between clips whether to go on.
    Returns: what was found, and how many records were moved.
    Raises: InputError for a folder without a prepared corpus.
    """
    from laban.data import leaks as leaking
    from laban.data.corpus import Corpus

    found = leaking.leaks(Corpus.open(folder), context.progress, context.check)
    return found, leaking.move_to_train(folder, found) if move else 0


def fetch(name: str, out: Path) -> Path:
    """Clones the public source of a corpus, at the commit that Laban is tested with.

    Args:
        name: bandai-namco or cmu.
        out: the folder to clone into.
    Returns: the folder of the corpus.
    Raises: InputError for an unknown name, without git, or when the network fails.
    """
    from laban.data.fetch import fetch as clone

    return clone(name, out)
