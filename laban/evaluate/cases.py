"""What is scored: held-out clips with a caption each, the expectation a judge of joints has of them, and leakage."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from laban.errors import InputError
from laban.metrics import control
from laban.motion.humanml import HUMANML

if TYPE_CHECKING:
    from laban.data.corpus import Corpus, Record

MIN_FRAMES = 17  # frames
MAX_FRAMES = 196  # frames; what follows is cut off in every row, as the field does


@dataclass(frozen=True, eq=False)
class Case:
    """One clip to be matched: joints (T, 22, 3) metres; `expects` is a key of metrics.control.EXPECTATIONS."""

    id: str
    caption: str
    expects: str | None
    joints: np.ndarray

    @property
    def seconds(self) -> float:
        """Length at the layout's frame rate."""
        return len(self.joints) / HUMANML.fps


def case_of(corpus: Corpus, record: Record) -> Case:
    """A record as a case, with its first caption, which is the plainest."""
    joints = np.array(corpus.joints(record)[:MAX_FRAMES], np.float64)
    return Case(record.id, record.captions[0], control.CONTENTS.get(record.labels.get("content", "")), joints)


def choose(corpus: Corpus, split: str, count: int | None, seed: int) -> list[Case]:
    """Cases of a split, in order of length so that batches are dense.

    Args:
        corpus: prepared clips.
        split: of the corpus.
        count: draw that many at random; None takes all.
        seed: of the draw.
    Raises: InputError for another layout, or if no clip can be used.
    """
    if corpus.layout is not HUMANML:
        raise InputError(
            f"evaluate: the corpus is {corpus.layout.name} at {corpus.fps:g} fps, expected {HUMANML.name} at "
            f"{HUMANML.fps:g} fps, which the evaluators were trained on. Open another corpus."
        )
    usable = [r for r in corpus.select(split, mirrored=False) if r.captions and r.length >= MIN_FRAMES]
    if not usable:
        raise InputError(
            f"evaluate: split {split!r} has no clip with a caption and at least {MIN_FRAMES} frames; prepare more data."
        )
    if count is not None and count < len(usable):
        picks = np.random.default_rng([seed, 1]).choice(len(usable), size=count, replace=False)
        usable = [usable[i] for i in sorted(picks)]
    usable.sort(key=lambda r: (r.length, r.id))
    return [case_of(corpus, record) for record in usable]


def mirror_images(corpus: Corpus, split: str, cases: Sequence[Case]) -> list[Case]:
    """The mirror images of cases of a split, in the same order, where the corpus has them."""
    images = {r.mirror_of: r for r in corpus.select(split) if r.mirror_of is not None}
    return [case_of(corpus, images[case.id]) for case in cases if case.id in images]


def leaks(corpus: Corpus, split: str) -> list[str]:
    """What of a split is also in the training split: sources, mirror images, motions that are equal value for value.

    Returns: one line per finding; none if the split is held out.
    """
    train, held = corpus.select("train"), corpus.select(split)
    if split == "train":
        return ["the split is the training split itself"]
    found = []
    sources = {(r.corpus, r.source) for r in train} & {(r.corpus, r.source) for r in held}
    if sources:
        found.append(f"{len(sources)} sources are in both, for example {sorted(sources)[0][1]}")
    names = {r.id for r in train} | {r.mirror_of for r in train if r.mirror_of}
    mirrors = [r.id for r in held if r.id in names or r.mirror_of in names]
    if mirrors:
        found.append(f"{len(mirrors)} clips or their mirror images are in both, for example {mirrors[0]}")

    def prints(records: Sequence[Record]) -> set[bytes]:
        return {hashlib.sha256(corpus.joints(r).tobytes()).digest() for r in records}

    equal = prints(train) & prints(held)
    if equal:
        found.append(f"{len(equal)} motions are equal value for value")
    return found
