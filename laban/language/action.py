"""One action of a sentence while the planner reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from laban.language import wording
from laban.language.plan import Route

SOMEONE = "a person"


@dataclass
class Action:
    """One action of the sentence while it is being read: what stays as text, and what was taken out of it."""

    subject: str  # "" for an imperative or a fragment
    text: str  # from the verb on, adverbs before it included, as written
    verb: str  # base form
    link: str
    seconds: float | None = None
    repeats: int = 1
    route: Route | None = None
    tempo: float | None = None
    changed: bool = False  # the sentence is not the text any more
    plural: bool = False
    form: str = "third"
    who: str = SOMEONE  # the subject that holds, from the clause itself or one before

    def present(self) -> str:
        """A sentence in the present tense with its subject."""
        said = " ".join(wording.present(self.text.replace(",", " ,").split(), self.plural))
        return tidied(f"{self.who} {wording.light_one(said)}")

    def spoken(self) -> str:
        """A sentence as it was written, with a subject in any case."""
        return tidied(f"{self.who} {self.text}") if self.subject else self.present()


def tidied(text: str) -> str:
    """Single spaces, none before a comma, no comma at either end."""
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"(?: ?, ?)+", ", ", text)
    return text.strip(" ,")
