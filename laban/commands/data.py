"""`laban data`: from published corpora to arrays to train on."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import Positional


def prepare(corpus: Positional[str], source: Positional[Path], out: Positional[Path], quiet: bool = False) -> int:
    """Turn a corpus, as its owners publish it, into memory-mapped arrays with an index.

    Run it again after an interruption: what is finished stays. A broken file is named, skipped and counted.

    Args:
        corpus: Which corpus: bandai-namco, cmu, humanml3d or kit.
        source: Its folder or archive.
        out: The folder of prepared corpora; this one goes into a folder of its own in it.
        quiet: No progress bar.
    """
    from laban.data.prepare import prepare as prepare_corpus

    prepare_corpus(corpus, source, out, quiet)
    return 0


def fetch(name: Positional[str], out: Positional[Path]) -> int:
    """Clone the public source of a corpus, at the commit that Laban is tested with.

    Args:
        name: Which corpus: bandai-namco or cmu.
        out: The folder to clone into.
    """
    from laban.data.fetch import fetch as fetch_corpus

    fetch_corpus(name, out)
    return 0
