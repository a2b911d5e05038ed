"""Typing errors: `a persn wlaks foward` -> `a person walks forward`. English words are never touched.

Source: Damerau 1964, "A technique for computer detection and correction of spelling errors" (the four kinds of slip:
a letter missing, added, wrong, or two exchanged); candidates are found by deleting letters on both sides, as in the
symmetric-delete method of W. Garbe. Deviation: slips of the hand that are likelier cost a little less.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from laban.condition.wordpiece import SHORT_WORDS, WordPiece
from laban.language.actions import phrases, word_kinds
from laban.language.inflection import gerund, past, third_person
from laban.language.lexicon import DETERMINERS, DIRECTIONS, LINKERS, PEOPLE, PREPOSITIONS, forms

TEXT_WEIGHTS = Path(__file__).resolve().parent.parent / "weights" / "text" / "vocab.txt"
SHORTEST = 3  # letters of a word that is corrected
SHORTEST_OTHER = 5  # letters of a word that is no action word, to be read for another
TWO_SLIPS_FROM = 5  # letters from which on two slips are believed
_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR = {frozenset(pair) for a, b in ((row[:-1], row[1:]) for row in _KEYS) for pair in zip(a, b, strict=True)} | {
    frozenset(pair) for a, b in zip(_KEYS, _KEYS[1:], strict=False) for pair in zip(a, b, strict=False)
}
_VOWELS = frozenset("aeiouy")
DOUBLE = 0.7  # what a letter costs that is to be double and is not, or is and is not to be
MISSING = 0.8  # what a missing letter costs
LIKELY = 0.9  # what a slip costs at most that is believed of a word that is no action word
ACTION_WORD, OTHER_WORD = 0.0, 0.35  # what a candidate costs beside its slips: the words of actions come first


@dataclass(frozen=True)
class Correction:
    """A word as it was typed, and as it is read."""

    typed: str
    read: str

    def __str__(self) -> str:
        return f"{self.typed!r} read as {self.read!r}"


class Speller:
    """Corrects words that are no English by those that an action would be asked for with.

    Args:
        actions: words of actions; they are preferred, and reached over two slips.
        others: other English words, the most frequent first; reached over one slip.
        english: further words that are right as they are.
    """

    def __init__(self, actions: Iterable[str], others: Iterable[str], english: Iterable[str] = ()) -> None:
        self.actions = frozenset(word for word in actions if word.isalpha() and len(word) >= SHORTEST)
        self.rank: Mapping[str, int] = {word: n for n, word in enumerate(others) if word.isalpha()}
        self.english = frozenset(english) | self.actions | self.rank.keys() | SHORT_WORDS
        self._memory: dict[str, str | None] = {}

    @cached_property
    def _deletes(self) -> dict[str, list[str]]:
        """What is left of an action word without one or two letters -> the words."""
        found: dict[str, list[str]] = {}
        for word in sorted(self.actions):
            for shorter in _deletes(word, _most(word)):
                found.setdefault(shorter, []).append(word)
        return found

    @classmethod
    def load(cls, captions: Iterable[str] = (), vocabulary: Path = TEXT_WEIGHTS) -> Speller:
        """The speller of the shipped tables, the text encoder's words, and the words of some captions."""
        pieces = WordPiece.read(vocabulary)
        whole = [p for p in pieces.pieces if p.isalpha() and p.isascii() and len(p) >= SHORTEST]
        said = (word for caption in captions for word in _WORD.findall(caption.lower()))
        return cls({*action_words(), *said}, whole, pieces.words)

    def correct(self, sentence: str) -> tuple[str, tuple[Correction, ...]]:
        """The sentence with its typing errors mended, and what was mended; layout and capitals stay."""
        found: list[Correction] = []
        result, at = [], 0
        for number, match in enumerate(_WORD.finditer(sentence)):
            word = match[0]
            name = word[0].isupper() and number > 0  # Michael
            right = None if name or "'" in word else self.nearest(word.lower())
            if right is None:
                continue
            right = right.capitalize() if word[0].isupper() else right
            found.append(Correction(word, right))
            result += [sentence[at : match.start()], right]
            at = match.end()
        return "".join([*result, sentence[at:]]), tuple(found)

    def is_english(self, word: str) -> bool:
        """Whether a word in lower case is right as it is: listed, or a regular form of a word that is."""
        return word in self.english or any(base in self.english for base in _base_forms(word))

    def nearest(self, word: str) -> str | None:
        """What a word in lower case was meant to be; None for English words and where nothing is near."""
        if word not in self._memory:
            self._memory[word] = self._nearest(word)
        return self._memory[word]

    def _nearest(self, word: str) -> str | None:
        if len(word) < SHORTEST or not word.isascii() or word in self.english:
            return None
        bases = [base for base in _base_forms(word) if base in self.english]
        if any(base in self.actions for base in bases):
            return None
        usual = any(base in self.rank for base in bases)
        found: dict[str, float] = {}
        for shorter in _deletes(word, _most(word)):
            for candidate in self._deletes.get(shorter, ()):
                found[candidate] = ACTION_WORD
        if not bases:
            for candidate in _one_slip(word):
                if candidate in self.rank and len(candidate) >= SHORTEST_OTHER:
                    found.setdefault(candidate, OTHER_WORD)
        best: tuple[float, int, str] | None = None
        for candidate, extra in found.items():
            slips, cost = distance(word, candidate)
            if slips > (1 if bases else min(_most(word), _most(candidate))):
                continue  # a rare word's regular form is only read as another over one slip: lader
            if bases and len(word) < TWO_SLIPS_FROM and cost > MISSING:
                continue  # mows are no mops
            begins = candidate[0] == word[0]
            if slips == 2 and (not begins or word.startswith(candidate)):
                continue  # a wheelie is no wheel
            if extra == OTHER_WORD and not (begins and cost <= LIKELY):
                continue  # pilates are no plates
            cost += extra + (0.0 if begins else 0.3)
            if usual and cost > DOUBLE:
                continue  # a usual word's regular form is only read as one with a letter doubled: runing
            place = (cost, self.rank.get(candidate, len(self.rank)), candidate)
            best = place if best is None or place < best else best
        return None if best is None else best[2]


def action_words() -> set[str]:
    """The words of the shipped tables: forms of verbs, words of phrases, parts of the body, little words."""
    kinds = word_kinds()
    nouns = {word for kind, words in kinds.items() if kind != "acts" for word in words}
    said = {word for phrase in phrases() for words in phrase.words for word in words}
    little = PEOPLE | DETERMINERS | PREPOSITIONS | DIRECTIONS | LINKERS
    counted = kinds["body"] | kinds["people"] | kinds["prop"] | said
    plurals = {third_person(word) for word in counted if not word.endswith("s")}
    adverbs = set("slowly quickly happily sadly angrily proudly goodbye hello while before after both and".split())
    return {*forms(), *nouns, *said, *little, *plurals, *adverbs}


def distance(a: str, b: str) -> tuple[int, float]:
    """Slips between two words (Damerau 1964: restricted edit distance), and their cost.

    A letter exchanged with its neighbour, left out, typed twice or replaced by the key beside it costs less than 1.
    """
    rows = [[(0, 0.0)] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        rows[i][0] = (i, float(i))
    for j in range(1, len(b) + 1):
        rows[0][j] = (j, j * 0.9)
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            if a[i - 1] == b[j - 1]:
                best = rows[i - 1][j - 1]
            else:
                near = frozenset((a[i - 1], b[j - 1])) in _NEAR or {a[i - 1], b[j - 1]} <= _VOWELS
                best = _plus(rows[i - 1][j - 1], 0.9 if near else 1.1)
            double = i > 1 and a[i - 1] == a[i - 2]
            best = min(best, _plus(rows[i - 1][j], DOUBLE if double else 0.85 if a[i - 1] == "e" else 1.0))
            best = min(best, _plus(rows[i][j - 1], DOUBLE if j > 1 and b[j - 1] == b[j - 2] else MISSING))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                best = min(best, _plus(rows[i - 2][j - 2], 0.7))
            rows[i][j] = best
    return rows[-1][-1]


def _most(word: str) -> int:
    """Slips that are believed in a word of that length."""
    return 2 if len(word) >= TWO_SLIPS_FROM else 1


def _base_forms(word: str) -> Iterator[str]:
    """Words whose regular form `word` may be: walks, walking, walked, walker, slowly."""
    for ending in ("s", "es", "ies", "ing", "ed", "d", "ied", "ly", "er", "r", "ers", "ness", "ful", "less", "y"):
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < SHORTEST:
            continue
        for base in (stem, stem + "e", stem + "y", stem[:-1]):
            if len(base) >= SHORTEST and word in _regular(base):
                yield base


def _regular(base: str) -> tuple[str, ...]:
    stem = base[:-1] if base.endswith("e") else base
    return (
        third_person(base), gerund(base), past(base), f"{base}ly", f"{base}ness", f"{stem}er", f"{stem}ers",
        f"{base}ful", f"{base}less", f"{stem}y", f"{base.removesuffix('y')}ily",
    )  # fmt: skip


def _one_slip(word: str) -> set[str]:
    """Every string that one slip makes a word out of."""
    parts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    letters = "abcdefghijklmnopqrstuvwxyz"
    swaps = {a + b[1] + b[0] + b[2:] for a, b in parts if len(b) > 1}
    fewer = {a + b[1:] for a, b in parts if b}
    other = {a + c + b[1:] for a, b in parts if b for c in letters}
    return swaps | fewer | other | {a + c + b for a, b in parts for c in letters}


def _plus(place: tuple[int, float], cost: float) -> tuple[int, float]:
    return place[0] + 1, place[1] + cost


def _deletes(word: str, depth: int) -> set[str]:
    """The word and what is left of it without one or two letters."""
    found, last = {word}, {word}
    for _ in range(depth):
        last = {w[:i] + w[i + 1 :] for w in last for i in range(len(w))}
        found |= last
    return found
