"""The verbs that the planner and the list of known actions share: their forms, and what the body does in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from laban.language.inflection import FOLDER, gerund, irregular, past, third_person

KINDS = ("travel", "turn", "stop", "posture", "arms", "body", "light", "phase", "other")


@dataclass(frozen=True)
class Form:
    """One reading of a word: the verb's base form and `base`, `third`, `gerund` or `past`."""

    lemma: str
    form: str


PEOPLE = frozenset(
    "person persons people man men woman women guy guys boy boys girl girls kid kids child children baby toddler adult "
    "teenager lady gentleman human character figure subject actor performer dancer athlete soldier worker player robot "
    "zombie fighter boxer gymnast acrobat student pupil teacher traveler traveller hero warrior knight guard king "
    "queen someone somebody he she it they one everybody everyone anybody anyone nobody couple monk waiter referee "
    "policeman i you we who runner hiker".split()
)
PRONOUNS = frozenset("he she it they".split())
DETERMINERS = frozenset(
    "a an the this that these those his her their its my your our each every some any no another both all one two "
    "three four five six seven eight nine ten several few many other what which half".split()
)
PREPOSITIONS = frozenset(
    "with of in on at to from by for into onto over under through across along around about behind between against "
    "near toward towards like as off without upon above below beside past per via".split()
)
PARTICLES = frozenset("up down out off away over around about back forward forwards backward backwards on in".split())
DIRECTIONS = frozenset(
    "forward forwards backward backwards left right back ahead sideways up down upward upwards downward downwards "
    "straight leftward leftwards rightward rightwards clockwise counterclockwise anticlockwise around away on".split()
)
LINKERS = frozenset(
    "then first firstly finally lastly next afterwards afterward later subsequently eventually initially again also "
    "immediately suddenly now just once secondly thirdly meanwhile please simultaneously".split()
)
MANNERS = frozenset("fast slow very quite really so too almost together alone once twice thrice still".split())


@cache
def kinds() -> dict[str, tuple[str, ...]]:
    """Base form -> its kinds, in the order of the table."""
    found: dict[str, tuple[str, ...]] = {}
    for line in (FOLDER / "verbs.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, verbs = line.split("\t")
            for verb in verbs.split():
                found[verb] = (*found.get(verb, ()), kind)
    return found


@cache
def forms() -> dict[str, tuple[Form, ...]]:
    """Word -> its readings as a verb. `left` is no past form here: it is a side."""
    found: dict[str, list[Form]] = {}

    def add(word: str, base: str, form: str) -> None:
        if Form(base, form) not in found.setdefault(word, []):
            found[word].append(Form(base, form))

    for base in kinds():
        rows = irregular().get(base, [(third_person(base), gerund(base), past(base))])
        if base != "back":  # "and back" is a way
            add(base, base, "base")
        for third, progressive, before in rows:
            add(third, base, "third")
            add(progressive, base, "gerund")
            if before not in ("left", "felt", "ground"):
                add(before, base, "past")
    return {word: tuple(readings) for word, readings in found.items()}


def lemma(word: str) -> str | None:
    """The base form of a listed verb's form, or None."""
    readings = forms().get(word)
    return readings[0].lemma if readings else None


def is_kind(verb: str, *wanted: str) -> bool:
    """Whether a base form is of one of the kinds."""
    return any(kind in wanted for kind in kinds().get(verb, ()))


def is_adverb(word: str) -> bool:
    """Words between a subject and its verb that are neither: slowly, then, still, never."""
    return word in LINKERS or word in MANNERS or (word.endswith("ly") and len(word) > 3 and word not in kinds())


def verb_at(words: tuple[str, ...] | list[str], at: int) -> Form | None:
    """The reading of a word as a verb where it can be one: not behind a, the, two, with, of, or left.

    `to` before it makes it no verb of its own clause ("starts to run": the clause's verb is `starts`).
    """
    readings = forms().get(words[at])
    if not readings:
        return None
    if at and (words[at - 1] in DETERMINERS or words[at - 1] in PREPOSITIONS or words[at - 1] in ("left", "right")):
        # "on" and the like may also end the clause before, but then a comma or a linking word stands between
        return None
    return readings[0]
