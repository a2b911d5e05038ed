"""The actions that a model was trained on."""

from __future__ import annotations

from dataclasses import dataclass

from laban.actions.generate import MODEL, model_of
from laban.actions.options import described
from laban.language.vocabulary import Entry, Vocabulary
from laban.systems.registry import locate


@dataclass(frozen=True)
class VocabularyOptions:
    """Which model is asked."""

    model: str = described(MODEL, "shipped weights by name, or a folder with weights")
    licence: str = described("any", "any, or commercial")


def vocabulary(options: VocabularyOptions) -> tuple[Entry, ...]:
    """The actions, those with the most minutes first.

    Args:
        options: see VocabularyOptions.
    Raises: InputError for a model that is not there; WeightsError if its folder does not say.
    """
    return Vocabulary.read(locate(model_of(options.model, options.licence))).entries
