"""The table of actions and of the words that mean them, and how they are found in a clause."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from functools import cache

from laban.language.clauses import tokens
from laban.language.inflection import FOLDER, singular
from laban.language.lexicon import (
    DETERMINERS,
    DIRECTIONS,
    LINKERS,
    MANNERS,
    PREPOSITIONS,
    forms,
    is_kind,
    verb_at,
)
from laban.language.wording import subject_and_rest

GAP = 4  # words that may stand between two words of a phrase, if they are of the kinds that change nothing
OBJECT, NO_PROP, NO_PERSON = (
    "*",
    "+",
    "-",
)  # what may follow a phrase: an object of any kind; any but a prop; but a person
UNKNOWN = "!"  # begins the name of an action that no data has, so that its words are not taken for another one


@dataclass(frozen=True)
class Phrase:
    """Words that mean an action, in base form, each with its alternatives; it `takes` an object, `props`, `people`."""

    action: str
    words: tuple[frozenset[str], ...]
    takes: bool
    props: bool
    people: bool


@dataclass(frozen=True)
class Found:
    """An action in a clause and the places of the words that say so."""

    action: str
    places: tuple[int, ...]
    takes: bool
    props: bool
    people: bool


@cache
def table() -> dict[str, str]:
    """Action -> an example sentence, in the order of `actions.tsv`."""
    return {action: example for action, example, _ in _rows() if not action.startswith(UNKNOWN)}


@cache
def phrases() -> tuple[Phrase, ...]:
    """All phrases, those of more words first."""
    found = []
    for action, _, said in _rows():
        for text in said.split(", "):
            parts = text.split()
            marks = (OBJECT, NO_PROP, NO_PERSON)
            words = tuple(frozenset(part.split("/")) for part in parts if part not in marks)
            props = OBJECT in parts or NO_PERSON in parts
            found.append(Phrase(action, words, len(words) < len(parts), props, OBJECT in parts))
    return tuple(sorted(found, key=lambda phrase: (-len(phrase.words), not phrase.takes)))


@cache
def word_kinds() -> dict[str, frozenset[str]]:
    """Kind -> words, from `words.tsv`."""
    found: dict[str, frozenset[str]] = {}
    for line in (FOLDER / "words.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, words = line.split("\t")
            found[kind] = found.get(kind, frozenset()) | frozenset(words.split())
    return found


@cache
def bases(word: str) -> frozenset[str]:
    """The word, its singular, and the base forms that it can be a form of."""
    return frozenset({word, singular(word), *(form.lemma for form in forms().get(word, ()))})


def find(words: list[str], among: Container[str] | None = None) -> list[Found]:
    """The actions of one clause: the longest phrases first, no word used twice.

    Args:
        words: the clause in lower case, punctuation as words of their own.
        among: actions that are looked for; None: all of the table.
    """
    said = [bases(word) for word in words]
    used: set[int] = set()
    found: list[Found] = []
    verbs = {at for at in range(len(words)) if _can_be_verb(words, at)}
    begins = frozenset().union(*said) if said else frozenset()
    for phrase in phrases():
        if not phrase.words[0] & begins:
            continue
        if among is not None and phrase.action not in among and not phrase.action.startswith(UNKNOWN):
            continue
        for start in range(len(words)):
            places = _match(phrase, said, words, start, used, verbs)
            if places:
                used |= set(places)
                found.append(Found(phrase.action, places, phrase.takes, phrase.props, phrase.people))
    return sorted(found, key=lambda f: f.places)


def _match(
    phrase: Phrase, said: list[frozenset[str]], words: list[str], start: int, used: set[int], verbs: set[int]
) -> tuple[int, ...]:
    if start in used or not phrase.words[0] & said[start]:
        return ()
    listed = any(word in forms() for word in phrase.words[0])
    if listed and start not in verbs:
        return ()
    barred = phrase.action.startswith(UNKNOWN)
    places = [start]
    for wanted in phrase.words[1:]:
        at, gap = places[-1] + 1, 0
        while at < len(words) and not (wanted & said[at] and at not in used):
            if not (_fills(words[at], barred) or phrase.takes) or gap >= GAP:
                return ()
            at, gap = at + 1, gap + 1
        if at >= len(words):
            return ()
        places.append(at)
    return tuple(places)


def _can_be_verb(words: list[str], at: int) -> bool:
    """A verb, or a noun that a light verb makes one: takes a bow, goes for a walk, with a wave."""
    if verb_at(words, at) is not None:
        return True
    readings = forms().get(words[at], ())
    if not readings:
        return False
    light = [i for i in range(max(0, at - 5), at) if any(is_kind(f.lemma, "light") for f in forms().get(words[i], ()))]
    if light and any(f.form in ("base", "third") for f in readings):
        return True
    if any(f.form == "gerund" for f in readings):
        return at > 0 and words[at - 1] in PREPOSITIONS - {"of"} | {"the", "a"}
    return at > 0 and words[at - 1] == "to" and any(f.form == "base" for f in readings)


def _fills(word: str, narrow: bool) -> bool:
    """Whether a word may stand inside a phrase; `narrow`: only what may stand before a noun."""
    kinds = word_kinds()
    if narrow:
        return word in DETERMINERS | MANNERS or word in ("left", "right") or word in kinds["manner"]
    base = singular(word)
    return (
        word in DETERMINERS | PREPOSITIONS | DIRECTIONS | LINKERS | MANNERS
        or word == "and"
        or word.endswith("ly")
        or any(base in kinds[kind] for kind in ("body", "people", "thing", "measure", "manner", "scenery"))
    )


def action_of(caption: str) -> str | None:
    """The main action of a caption, for data that has no label: the first one that is more than standing."""
    found = [f.action for f in find(subject_and_rest(tokens(caption))[1]) if not f.action.startswith(UNKNOWN)]
    return next((action for action in found if action != "idle"), found[0] if found else None)


@cache
def _rows() -> tuple[tuple[str, str, str], ...]:
    lines = (FOLDER / "actions.tsv").read_text("utf-8").splitlines()
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))  # type: ignore[misc]
