"""A sentence into clauses: words, the links between them, and where one action ends and the next begins."""

from __future__ import annotations

import re
from dataclasses import dataclass

from laban.language.lexicon import (
    DETERMINERS,
    LINKERS,
    PEOPLE,
    PREPOSITIONS,
    PRONOUNS,
    Form,
    forms,
    is_adverb,
    is_kind,
    verb_at,
)

_CONTRACTIONS = (
    (re.compile(r"[’`]"), "'"),
    (re.compile(r"\bcan't\b|\bcannot\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"(\w)n't\b"), r"\1 not"),
    (re.compile(r"\b(he|she|it|they|we|i|you)'(?:s|re|m)\b"), r"\1 is"),
    (re.compile(r"\s*(?:->|=>|→|>|;)\s*"), " . "),
    (re.compile(r"\s*&\s*"), " and "),
    (re.compile(r"(\d)\s*°"), r"\1 degrees"),
    (re.compile(r"(\d)\s*[-–]\s*(\d)"), r"\1 to \2"),
    (re.compile(r"\b(\d+(?:\.\d+)?)(s|secs?|seconds?|minutes?|mins?|x|times)\b"), r"\1 \2"),
    (re.compile(r"\b(\w+)-(second|minute|degree)s?\b"), r"\1 \2"),
    (re.compile(r"\b(\d+) x\b|\bx ?(\d+)\b"), r"\1\2 times"),
)
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+(?:[-'][^\W_]+)*'?|[^\W_]+|[,.!?:]")
HARD = {".", "!", "?", ":"}
# Words that end one action and begin the next, wherever they stand; longest first.
SEQUENCE = (
    "and right after that", "and right after", "and after that", "right after that", "after that", "after which",
    "followed by", "and afterwards", "and afterward", "and finally", "and lastly", "and next", "and then", "but then",
    "afterwards", "afterward", "subsequently", "thereafter", "before finally", "until", "then", "finally", "lastly",
)  # fmt: skip
AUXILIARIES = frozenset("is are was were am do does did has have had will would can could".split())
NEGATIONS = frozenset("not never".split())
_PAUSE = re.compile(r"\b(?:and )?(?:then )?,? ?after (?:a|an|another) (?:\w+ )?(?:pause|break|rest)\b ?,?")
_WAYS = (({"forward", "forwards"}, {"backward", "backwards"}), ({"left"}, {"right"}))
OPPOSITES = {word: other for a, b in _WAYS for one, other in ((a, b), (b, a)) for word in one}
_OPENERS = frozenset("before after while whilst as instead when once".split())


@dataclass
class Clause:
    """Words of one action. `link` is how it follows: "", then, and, comma, while, as, participle, opened."""

    words: list[str]
    link: str = ""
    alone: bool = False  # what stood beside it was not to be done

    @property
    def text(self) -> str:
        return " ".join(self.words).replace(" ,", ",")


def tokens(text: str) -> list[str]:
    """Words and punctuation in lower case; contractions written out, arrows and & as words."""
    said = text.lower()
    for pattern, other in _CONTRACTIONS:
        said = pattern.sub(other, said)
    return _TOKEN.findall(said)


def split(text: str) -> list[Clause]:
    """The clauses of a text in the order in which they happen.

    `before` and `after` are resolved into that order; the first clause's link is "".
    """
    said = _PAUSE.sub(" . stand still for 2 seconds . ", " ".join(tokens(text)))
    result: list[Clause] = []
    mode = ""
    for segment in _segments(said.split()):
        clauses, mode = _clauses(segment, mode)
        if result and clauses:
            clauses[0].link = "then"
        result += clauses
    return result


def _segments(words: list[str]) -> list[list[str]]:
    """Cut at punctuation that ends a sentence."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word in HARD:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if any(word != "," for word in part)]


def _clauses(words: list[str], mode: str) -> tuple[list[Clause], str]:
    opener = _opener(words)
    if opener is not None:
        link, length, comma = opener
        sub, _ = _coordinated(words[length:comma], mode)
        main, mode = _coordinated(words[comma + (words[comma] == ",") :], mode)
        if not main or not sub:
            return main or sub, mode
        if link == "before":
            sub[0].link = "then"
            return main + sub, mode
        if link in ("when", "once") and subject_end(sub[0].words, 0) == 0:
            main[0].alone = True  # when the music starts
            return main, mode
        if link in ("after", "when", "once"):
            main[0].link = "then"
            return sub + main, mode
        if link == "instead":
            main[0].alone = True
            return main, mode
        sub[0].link = ""
        main[0].link = "opened"  # what happens at once was told first: "while walking, the man waves"
        return sub + main, mode
    return _coordinated(words, mode)


def _opener(words: list[str]) -> tuple[str, int, int] | None:
    """(word, its length, place of the comma) of a leading subordinate clause."""
    if _is_gerund(words) and "," in words and _finite_behind_subject(words, words.index(",") + 1):
        return "while", 0, words.index(",")  # "crouching, the man moves on"
    if not words or words[0] not in _OPENERS:
        return None
    comma = next((at for at in range(2, len(words)) if words[at] == "," or _told_by(words, at)), len(words))
    if comma >= len(words) - 1:
        return None
    length = 2 if words[:2] == ["instead", "of"] else 1
    inner = words[length:comma]
    if not any(forms().get(word) for word in inner) or inner[0].isdigit() or comma == len(words) - 1:
        return None
    if inner[0] in DETERMINERS and words[0] not in ("when", "once") and not _clause_start(inner, 0, "third"):
        return None
    return words[0], length, comma


def _told_by(words: list[str], at: int) -> bool:
    """`while running | he claps`: a pronoun and its verb behind a participle."""
    return words[at] in PRONOUNS and _is_gerund(words[1:]) and _finite_behind_subject(words, at)


def _coordinated(words: list[str], mode: str) -> tuple[list[Clause], str]:
    """Cut at linking words, and at commas and `and` where a verb phrase begins."""
    result: list[Clause] = []
    current: list[str] = []
    link, at = "", 0
    swapped: list[Clause] = []

    def close(next_link: str) -> None:
        nonlocal current, link
        if any(word != "," for word in current):
            result.append(Clause(_stripped(current), link))
            link = next_link
        elif not link or next_link == "then":
            link = next_link if result else link
        current = []

    while at < len(words):
        found = _boundary(words, at, mode, current, bool(result))
        if found is None:
            current.append(words[at])
            if not mode:
                mode = _mode(current)
            at += 1
            continue
        name, length = found
        if name == "after":  # "waves after bowing": what comes first is told last
            close("then")
            sub, _ = _coordinated(words[at + length :], mode)
            first = result.pop() if result else None
            if sub and first:
                sub[0].link, first.link = first.link, "then"
                swapped = [*sub, first]
            else:
                swapped = sub + ([first] if first else [])
            result += swapped
            return result, mode
        close("then" if name == "before" else name)
        at += length
    close("")
    return result, mode


def _boundary(words: list[str], at: int, mode: str, current: list[str], later: bool) -> tuple[str, int] | None:
    """(link, words it takes) where a clause ends at `at`, else None."""
    for phrase in SEQUENCE:
        parts = phrase.split()
        if words[at : at + len(parts)] == parts and at + len(parts) < len(words):
            if parts == ["then"] and any(w in LINKERS for w in words[at - 1 : at]):
                return None
            if parts[0] in ("then", "finally", "lastly") and _is_before_verb(current):
                return None  # "the person then starts": the verb of this clause comes now
            return "then", len(parts)
    word = words[at]
    rest = at + 1
    if word in ("while", "whilst") and rest < len(words) and current and current[-1] not in ("a", "short", "long"):
        return "while", 1
    if word == "as" and current and _finite_behind_subject(words, rest):
        return "as", 1
    if word in ("before", "after") and current and rest < len(words):
        reading = verb_at(words, rest) if words[rest] not in DETERMINERS else None
        behind = forms().get(words[rest], ())
        if any(form.form == "gerund" for form in behind) or (reading and reading.form == "gerund"):
            return word, 1
        if _finite_behind_subject(words, rest):
            return word, 1
        return None
    if word not in (",", "and", "but"):
        return None
    while rest < len(words) and words[rest] in (",", "and", "but"):
        rest += 1
    if _opposite(current, words, rest):
        return "and", rest - at
    if not _has_verb(current, mode) and not (later and current) and mode != "gerund":
        nominal = _is_nominal(words, rest) and any(forms().get(w) for w in current)
        if not nominal:
            return None
    if _listed_nouns(current):
        return None
    start = _clause_start(words, rest, mode)
    if start == "gerund" and word == "," and rest == at + 1 and mode != "gerund":
        return "participle", rest - at
    if start == "gerund" and word == "and" and mode != "gerund" and _is_gerund(current):
        return "also", rest - at
    if start:
        return ("comma" if word == "," else "and"), rest - at
    if word != "," and _light(current) and _is_nominal(words, rest):
        return "and", rest - at
    return None


def _is_gerund(words: list[str]) -> bool:
    reading = verb_at(words, 0) if words else None
    return reading is not None and reading.form == "gerund"


def _opposite(current: list[str], words: list[str], at: int) -> bool:
    """`walks forward and | backward`: two ways that nobody goes at once."""
    if not current or at >= len(words) or current[-1] not in OPPOSITES or words[at] not in OPPOSITES[current[-1]]:
        return False
    verb = next((form for i in range(len(current)) if (form := verb_at(current, i))), None)
    return verb is None or is_kind(verb.lemma, "travel", "turn") or verb.lemma in ("jump", "hop", "leap")


def _clause_start(words: list[str], at: int, mode: str) -> str:
    """The form of the verb of a clause that begins at `at`, "" where none begins there."""
    place = at
    while place < len(words) and (is_adverb(words[place]) or words[place] in NEGATIONS):
        place += 1
    if place >= len(words):
        return ""
    subject = subject_end(words, place)
    if subject > place:
        place = subject
        while place < len(words) and is_adverb(words[place]):
            place += 1
        if place >= len(words):
            return ""
    if words[place] in AUXILIARIES and not (words[place] in ("do", "does", "has", "have") and not _aux(words, place)):
        return "third"
    reading = _reading(words, place, subject > at, mode)
    return reading.form if reading else ""


def _aux(words: list[str], place: int) -> bool:
    return place + 1 < len(words) and words[place + 1] in NEGATIONS


def _reading(words: list[str], place: int, has_subject: bool, mode: str) -> Form | None:
    for form in forms().get(words[place], ()):
        if form.form in ("third", "gerund"):
            return form
        if form.form == "base" and (mode in ("base", "plural") or has_subject):
            return form
        if form.form == "past" and (mode == "past" or has_subject) and not words[place].endswith("left"):
            return form
    return None


def subject_end(words: list[str], at: int) -> int:
    """Where a subject that begins at `at` ends; `at` itself where there is none."""
    if at < len(words) and words[at] in PRONOUNS | {"someone", "somebody", "i", "you", "we"}:
        return at + 1
    if at < len(words) and words[at] in DETERMINERS:
        for end in range(at + 1, min(at + 4, len(words))):
            if words[end] in PEOPLE or words[end] in ("other", "others"):
                return end + 1
    return at + 1 if at < len(words) and words[at] in PEOPLE and words[at] not in ("one",) else at


def _finite_behind_subject(words: list[str], at: int) -> bool:
    end = subject_end(words, at)
    if end == at or end >= len(words):
        return False
    while end < len(words) - 1 and is_adverb(words[end]):
        end += 1
    return words[end] in AUXILIARIES or any(f.form in ("third", "base", "past") for f in forms().get(words[end], ()))


def _has_verb(words: list[str], mode: str = "") -> bool:
    if any(word in AUXILIARIES for word in words):
        return True
    for at in range(len(words)):
        reading = verb_at(words, at)
        if reading is not None and (reading.form != "past" or mode == "past" or at == subject_end(words, 0)):
            return True
    return False


def _is_before_verb(words: list[str]) -> bool:
    """Whether the words so far are a subject that waits for its verb."""
    return bool(words) and not _has_verb(words) and subject_end(words, 0) >= len(words)


def _light(words: list[str]) -> bool:
    return any((form := verb_at(words, i)) is not None and is_kind(form.lemma, "light") for i in range(len(words)))


def _is_nominal(words: list[str], at: int) -> bool:
    """`a kick`, `two bows`: a determiner and a noun that is a verb."""
    return (
        at + 1 < len(words)
        and words[at] in DETERMINERS
        and any(form.form in ("base", "third") for form in forms().get(words[at + 1], ()))
        and (at + 2 >= len(words) or words[at + 2] in PREPOSITIONS | LINKERS | {",", "and", "then"})
    )


def _listed_nouns(words: list[str]) -> bool:
    """Whether the last word is a plural noun behind with, of or a number: `with punches, blocks and kicks`."""
    if len(words) < 2 or not forms().get(words[-1]):
        return False
    at = len(words) - 2
    while at > 1 and words[at] == "," and forms().get(words[at - 1]):
        at -= 2
    return words[at] in ("with", "of") and not any(f.form == "gerund" for f in forms()[words[-1]])


def _mode(words: list[str]) -> str:
    """The form of the first clause's verb: third, base (imperative), plural, past or gerund."""
    at = len(words) - 1
    word = words[at]
    if word in AUXILIARIES:
        return "plural" if word in ("are", "were", "do") and at else "base" if word == "do" else "third"
    reading = verb_at(words, at)
    if reading is None:
        return ""
    before = [w for w in words[:at] if not is_adverb(w) and w != ","]
    if reading.form == "base" and any(f.form == "third" for f in forms()[word]):
        reading = next(f for f in forms()[word] if f.form == "third")
    if reading.form == "base":
        return "plural" if before else "base"
    if reading.form == "past":
        return "past" if not before or subject_end(before, 0) == len(before) else ""
    if reading.form == "gerund" and before:
        return ""
    return reading.form


def _stripped(words: list[str]) -> list[str]:
    while words and words[0] in (",", "and", "but"):
        words = words[1:]
    while words and words[-1] in (",", "and", "but"):
        words = words[:-1]
    return words
