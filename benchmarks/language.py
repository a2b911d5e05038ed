"""What `laban.language` gets right: plans, typing errors, and which sentences ask for what the data does not show.

    python benchmarks/language.py                                   # the sentences of tests/language
    python benchmarks/language.py --model momask                    # against the vocabulary of shipped weights
    python benchmarks/language.py --model runs/mine --sentences everyday.tsv   # and a verdict on each line of a file

A file of --sentences has one sentence a line, or columns with a header that names `prompt` or `sentence`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "language"
sys.path.insert(0, str(CASES))

import numpy as np  # noqa: E402

from laban.language.known import Reader  # noqa: E402
from laban.language.planner import plan  # noqa: E402
from laban.language.spelling import Speller  # noqa: E402
from laban.language.vocabulary import Vocabulary  # noqa: E402
from laban.metrics.intervals import wilson  # noqa: E402

SPLITS = {
    "tune": "rules and threshold were made with them",
    "held": "held out",
    "later": "written later, then learnt from",
    "last": "written after that, then learnt from",
    "final": "written after that, then learnt from",
    "wild": "as people write, then learnt from",
    "unseen": "as people write, never looked at",
    "twist": "known verbs made into other actions",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="shipped weights by name, or a folder, with vocabulary.json")
    parser.add_argument("--sentences", type=Path, help="a file of sentences to judge one by one")
    parser.add_argument("--words", action="store_true", help="words alone, without the text encoder")
    arguments = parser.parse_args()
    vocabulary = None
    if arguments.model:
        shipped = ROOT / "laban" / "weights" / arguments.model
        vocabulary = Vocabulary.read(shipped if shipped.is_dir() else Path(arguments.model))
    embed = None if arguments.words else encoder()
    speller = Speller.load()
    reader = Reader(vocabulary, embed, speller)
    plans()
    spelling(speller)
    known(reader)
    if arguments.sentences:
        verdicts(reader, arguments.sentences)


def encoder() -> Callable[[Sequence[str]], np.ndarray]:
    """The shipped text encoder's unit vectors."""
    from laban.condition.text import SmallTextEncoder

    small = SmallTextEncoder.load()
    return lambda texts: small.encode(list(texts)).pooled.numpy()


def rows(name: str) -> list[list[str]]:
    return [line.split("\t") for line in (CASES / name).read_text("utf-8").splitlines()[1:]]


def plans() -> None:
    from test_planner import told

    cases = [(row + ["", ""])[:3] for row in rows("plans.tsv")]
    start = time.process_time()
    found = [plan(row[0]) for row in cases]
    spent = (time.process_time() - start) / len(cases) * 1000
    right = sum(
        " | ".join(told(step) for step in p.steps) == row[1] and bool(p.warnings) == bool(row[2])
        for p, row in zip(found, cases, strict=True)
    )
    print(f"plans: {right} of {len(cases)} as wanted, {spent:.2f} ms of CPU a sentence")


def spelling(speller: Speller) -> None:
    cases = rows("spelling.tsv")
    speller.correct("wamr up")  # its index is made with the first error
    start = time.process_time()
    right = sum(speller.correct(typed)[0] == read for typed, read in cases)
    spent = (time.process_time() - start) / len(cases) * 1000
    print(f"typing errors: {right} of {len(cases)} sentences read rightly, {spent:.2f} ms of CPU a sentence")


def known(reader: Reader) -> None:
    print(f"{'':34s} {'false alarms on known actions':38s} warned of others")
    for split, what in SPLITS.items():
        told = []
        for name, good in (("known.tsv", False), ("unknown.tsv", True)):
            sentences = [row[1] for row in rows(name) if row[0] == split]
            if not sentences:
                told.append("")
                continue
            warned = [not reader.understand(sentence).known for sentence in sentences]
            low, high = wilson(sum(warned), len(warned))
            told.append(
                f"{sum(warned):3d} of {len(warned):3d}, {sum(warned) / len(warned):5.1%} [{low:.1%}, {high:.1%}]"
            )
            told[-1] += "" if good else "   "
        print(f"{split + ': ' + what:44s} {told[0]:38s} {told[1]}")
    if reader.embed is None:
        return
    print("cosine to the nearest caption (least, 5 %, median, 95 %, most):")
    for name in ("known.tsv", "unknown.tsv"):
        found = []
        for row in rows(name):
            if row[0] == "tune":
                found.append(max((reader.similarities(row[1]) or {"": 0.0}).values()))
        marks = np.percentile(found, [0, 5, 50, 95, 100])
        print(f"  {name:12s} " + " ".join(f"{mark:.2f}" for mark in marks))
    spent = []
    for row in rows("known.tsv"):
        start = time.process_time()
        reader.understand(row[1])
        spent.append((time.process_time() - start) * 1000)
    print(f"understanding takes {statistics.median(spent):.1f} ms of CPU a sentence (median)")


def verdicts(reader: Reader, path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    head = lines[0].split("\t")
    at = next((head.index(name) for name in ("prompt", "sentence") if name in head), None)
    sentences = [line.split("\t")[at] for line in lines[1:]] if at is not None else lines
    for sentence in sentences:
        found = reader.understand(sentence)
        print(f"{'known  ' if found.known else 'UNKNOWN'}  {sentence}")
        print(f"         {plan(found.corrected).summary()}")
        if found.warning:
            print(f"         {found.warning}")


if __name__ == "__main__":
    main()
