"""What a model's data shows of a sentence, and the sentence as a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from laban.errors import WeightsError

if TYPE_CHECKING:
    import numpy as np

    from laban.language.known import Reader, Understanding
    from laban.language.plan import Plan
    from laban.language.spelling import Speller
    from laban.systems.base import System


@dataclass(frozen=True)
class Reading:
    """A sentence as it was read.

    Attributes:
        corrected: with its typing errors mended.
        understanding: what of it the data shows.
        plan: its steps.
    """

    corrected: str
    understanding: Understanding
    plan: Plan

    @property
    def known(self) -> bool:
        """Whether the data shows all that is asked for."""
        return self.understanding.known

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for a person: mended words, unknown words, and what of a plan cannot be obeyed."""
        said = []
        if self.understanding.corrections:
            mended = ", ".join(f"{c.typed!r} as {c.read!r}" for c in self.understanding.corrections)
            said.append(f"read {mended}; --as-is takes the words as they are.")
        if self.understanding.warning:
            said.append(self.understanding.warning)
        return (*said, *self.plan.warnings)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.understanding.to_dict(), "plan": self.plan.to_dict()}


class SentenceReader:
    """Reads sentences for one model: spelling, then what is known, then the plan."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def read(self, sentence: str) -> Reading:
        """The reading of one sentence."""
        from laban.language.planner import plan

        understanding = self.reader.understand(sentence)
        steps = plan(understanding.corrected, self.reader.vocabulary.captions)
        return Reading(understanding.corrected, understanding, steps)


def reader_of(system: System, name: str) -> SentenceReader | None:
    """The reader for a model's vocabulary; None for weights that have none (imported, or of an earlier Laban).

    Args:
        system: the model; its text encoder compares sentences with captions.
        name: of its weights, or their folder.
    """
    from laban.language.known import Reader
    from laban.language.vocabulary import Vocabulary
    from laban.systems.registry import locate
    from laban.systems.texts import ReadsText

    try:
        vocabulary = Vocabulary.read(locate(name))
    except WeightsError:
        return None
    embed = None
    if isinstance(system, ReadsText):
        encoder = system.text_encoder

        def embed(texts: Sequence[str]) -> np.ndarray:
            return encoder.encode(list(texts)).pooled.cpu().numpy()

    return SentenceReader(Reader(vocabulary, embed, _speller()))


@lru_cache(maxsize=1)
def _speller() -> Speller:
    from laban.language.spelling import Speller

    return Speller.load()
