"""The words of one clause: subject and verb found, put into the present tense, completed from the clause before."""

from __future__ import annotations

import re

from laban.language.clauses import AUXILIARIES, subject_end
from laban.language.inflection import singular, third_person
from laban.language.lexicon import (
    DETERMINERS,
    DIRECTIONS,
    LINKERS,
    PEOPLE,
    PREPOSITIONS,
    PRONOUNS,
    forms,
    is_adverb,
    is_kind,
    verb_at,
)
from laban.language.quantities import NUMBER, NUMBERS, number

_LIGHT_COUNT = re.compile(
    r"^(?P<adverb>(?:\w+ly )*)(?P<verb>do|does|doing|did|makes?|making|throws?|throwing|takes?|gives?|performs?)"
    rf" (?P<n>{NUMBER}) (?P<noun>[a-z-]+)\b"
)
_LIGHT_ONE = re.compile(r"^(?:throw|throws|make|makes|give|gives|take|takes) an? (?P<noun>[a-z-]+)$")
_SIDES = ("left", "right", "both")
MODALS = frozenset("will would can could do does did".split())


def subject_and_rest(words: list[str]) -> tuple[list[str], list[str]]:
    """Cut a clause before the adverbs of its verb: [the, man], [slowly, walks, forward]. No subject: [], words."""
    at = 0
    while at < len(words) and (words[at] in LINKERS or words[at] == ","):
        at += 1
    words = words[at:]
    end = subject_end(words, 0)
    goes_on = end < len(words) and (words[end] in PREPOSITIONS | {",", "and", "or", "who"} or _numbered(words, end))
    if 0 < end < len(words) and not goes_on:
        return words[:end], words[end:]
    place = _verb_place(words)
    if place is None:
        return [], words
    start = place
    while start and is_adverb(words[start - 1]):
        start -= 1
    before = words[:start]
    if "," in before:
        last = len(before) - 1 - before[::-1].index(",")
        first = before.index(",")
        tail = before[last + 1 :]
        before = tail if tail else before[:first]
    if not any(word in DETERMINERS | PEOPLE | PRONOUNS for word in before):
        before = [] if not before or before[0] in PREPOSITIONS else before
    return before, words[start:]


def verb_place(rest: list[str]) -> int | None:
    """Where the verb of what was asked stands in a clause without its subject: behind adverbs, is, begins to, keeps."""
    at = 0
    while at < len(rest) and (is_adverb(rest[at]) or rest[at] == ","):
        at += 1
    if at < len(rest) and rest[at] in AUXILIARIES:
        behind = at + 1
        while behind < len(rest) and is_adverb(rest[behind]):
            behind += 1
        form = "past" if rest[at] in ("has", "have", "had") else "base" if rest[at] in MODALS else "gerund"
        if behind < len(rest) and any(f.form == form for f in forms().get(rest[behind], ())):
            at = behind
        elif rest[at] in ("do", "does", "did", "has", "have", "had"):
            return at
        else:
            return None
    if at >= len(rest):
        return None
    return _inner(rest, at) if forms().get(rest[at]) else at if at < len(rest) and rest[at].endswith("s") else None


def _inner(rest: list[str], at: int) -> int:
    """Behind `starts to`, `keeps`, `ends by`, `goes on`: the verb that is the action."""
    lemma = forms()[rest[at]][0].lemma
    if not is_kind(lemma, "phase"):
        return at
    behind = at + 1
    if behind < len(rest) and rest[behind] in ("on", "off", "out", "up", "by", "with"):
        behind += 1
    infinitive = behind < len(rest) and rest[behind] == "to"
    behind += infinitive
    while behind < len(rest) - 1 and is_adverb(rest[behind]):
        behind += 1
    if behind < len(rest):
        readings = forms().get(rest[behind], ())
        wanted = "base" if infinitive else "gerund"
        if any(form.form == wanted for form in readings):
            return _inner(rest, behind)
    return at


def lemma_of(rest: list[str]) -> str | None:
    """Base form of the clause's verb; the word itself where it is not listed; None without one."""
    place = verb_place(rest)
    if place is None:
        return None
    readings = forms().get(rest[place])
    return readings[0].lemma if readings else singular(rest[place])


def present(rest: list[str], plural: bool = False) -> list[str]:
    """The clause in the present tense: [was, slowly, walking] -> [slowly, walks]; `stops walking` -> `stops`."""
    place = verb_place(rest)
    adverbs = [word for word in rest[: place or 0] if is_adverb(word) and word not in LINKERS]
    if place is None:
        words = [word for word in rest if word not in LINKERS]
        if words and words[0] in ("is", "are", "was", "were"):
            words[0] = "are" if plural else "is"
        return words
    readings = forms().get(rest[place])
    base = readings[0].lemma if readings else None
    verb = rest[place] if base is None else base if plural else third_person(base)
    behind = [word for word in rest[place + 1 :] if word != "finally"]
    if behind and behind[-1] == "again" and behind[-2:-1] != ["and"]:
        behind = behind[:-1]
    if base == "stop" and behind and any(f.form == "gerund" for f in forms().get(behind[0], ())):
        behind = []
    return [*adverbs, verb, *behind]


def nominal(words: list[str]) -> list[str] | None:
    """`a quick walk` -> [walks]; None where the clause is no such noun."""
    at = 0
    while at < len(words) and (words[at] in DETERMINERS or words[at] in ("quick", "slow", "short", "long", "with")):
        at += 1
    if not at or at >= len(words):
        return None
    form = next((f for f in forms().get(words[at], ()) if f.form in ("base", "third")), None)
    if form is None or is_kind(form.lemma, "other") and not is_kind(form.lemma, "body", "travel", "arms"):
        return None
    return [third_person(form.lemma), *words[at + 1 :]]


def counted(text: str) -> tuple[str, int | None]:
    """`throws two punches` -> (`punches`, 2); `does three squats` -> (`does a squat`, 3)."""
    match = _LIGHT_COUNT.match(text)
    if match is None or match["n"] in ("half a", "half an"):
        return text, None
    times = max(1, round(number(match["n"])))
    noun = singular(match["noun"])
    readings = forms().get(noun) or forms().get(match["noun"], ())
    rest = text[match.end() :]
    if noun.endswith("ing") and rest.strip():  # jumping jacks
        head, _, rest = rest.strip().partition(" ")
        noun, readings, rest = f"{noun} {singular(head)}", (), f" {rest}" if rest else ""
    form = next((f for f in readings if f.form in ("base", "third")), None)
    light = match["verb"].startswith(("do", "perform", "did"))
    if form is not None and not light:
        return f"{match['adverb']}{third_person(form.lemma)}{rest}", times
    article = "an" if noun[0] in "aeiou" else "a"
    return f"{match['adverb']}{match['verb']} {article} {noun}{rest}", times


def light_one(text: str) -> str:
    """`makes a bow` -> `bows`, for a step among others."""
    match = _LIGHT_ONE.match(text)
    form = next((f for f in forms().get(match["noun"], ()) if f.form == "base"), None) if match else None
    return third_person(form.lemma) if form is not None and not is_kind(form.lemma, "light") else text


def ellipsis(words: list[str], before: str) -> str | None:
    """What a clause without a verb asks for, said with the verb of the clause before.

    `then backward` behind `walks forward` -> `walks backward`; `with the right hand` behind `waves with the left hand`.
    None: nothing that changes an action.
    """
    words = [word for word in words if word not in LINKERS and word != ","]
    if not words:
        return None
    said = before.split()
    directions = [word for word in words if word in DIRECTIONS]
    if len(directions) == len(words) or (words[0] == "to" and words[-1] in _SIDES):
        kept = re.sub(r"\b(?:to|towards?) (?:the|his|her|their) (?:left|right)\b", "", before).split()
        level = not {"up", "down"} & set(words)
        kept = [word for word in kept if word not in DIRECTIONS or (level and word in ("up", "down", "on"))]
        return " ".join([*kept, *words])
    if all(is_adverb(word) or word in ("faster", "slower") for word in words):
        return " ".join([w for i, w in enumerate(said) if not i or not is_adverb(w)] + words)
    for side in _SIDES:
        if side in words and any(other in said for other in _SIDES if other != side):
            other = next(o for o in _SIDES if o != side and o in said)
            return re.sub(rf"\b{other}\b", side, before, count=1)
    if words[0] in PREPOSITIONS:
        place = next((i for i, w in enumerate(said) if w == words[0]), None)
        return " ".join(said[:place] if place else said) + " " + " ".join(words)
    if words[0] in DETERMINERS and len(words) > 1:
        return " ".join([*said[:1], *words])
    return None


def _verb_place(words: list[str]) -> int | None:
    """The finite verb of a clause: an auxiliary or a third person first, then any reading, then what looks like one."""
    for at in range(len(words)):
        if words[at] in AUXILIARIES and words[at] not in ("do", "have"):
            return at
        reading = verb_at(words, at)
        if reading is None:
            continue
        if reading.form == "past" and at and not subject_end(words, 0) == at:
            continue
        return at
    for at in range(1, len(words)):
        word = words[at]
        behind = words[at - 1] not in DETERMINERS | PREPOSITIONS
        if behind and word.endswith("s") and not word.endswith("ss") and word.isalpha() and len(word) > 3:
            return at
    return None


def _numbered(words: list[str], end: int) -> bool:
    return words[end] in NUMBERS and words[end] not in ("a", "an")
