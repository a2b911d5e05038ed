"""What a run's data shows, for the warning about what it does not (`vocabulary.json` beside the weights)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laban.data.batch import action_of
from laban.language.vocabulary import Row, Vocabulary, build

if TYPE_CHECKING:
    from laban.data.corpus import Corpus


def vocabulary_of(corpus: Corpus) -> Vocabulary | None:
    """The actions of the training split, mirror images left out; None where no clip has a caption.

    Args:
        corpus: prepared clips.
    """
    rows = [
        Row(action_of(r), r.captions, r.length / corpus.fps, r.labels.get("licence") or r.licence)
        for r in corpus.select("train", mirrored=False)
        if r.captions
    ]
    return build(rows) if rows else None
