"""A small WordPiece tokenizer: BERT-uncased's rules on a vocabulary of our own.

On a text all of whose pieces are in our vocabulary, the pieces equal BERT-uncased's (without [CLS] and [SEP]).
Source: the algorithm as described in Devlin et al. 2019, section 3, and Wu et al. 2016, section 4 (greedy
longest match). Deviation: none but the smaller vocabulary.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

UNKNOWN = "[UNK]"
LONGEST_WORD = 100
# Endings that make an English word out of a known stem ("right" + "##wards").
ENDINGS = frozenset(
    "s es ed er ers ing ly y al ally able ish ness less ful fully ment ments ward wards wise ways like d r n t en est "
    "ier iest ily ies ied in g ted ting ter ped ping per ned ning ner ged ging ger bed bing led ling ler lling red "
    "ring rer ised ized ise ize ising izing ling ity ty ive ion ions tion ation or ors ist ists ism ic ical some "
    "side hand handed foot footed leg legged arm arms head".split()
)


def _is_cjk(char: str) -> bool:
    code = ord(char)
    return (
        0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0x20000 <= code <= 0x2CEAF
        or 0xF900 <= code <= 0xFAFF or 0x2F800 <= code <= 0x2FA1F
    )  # fmt: skip


def _is_punctuation(char: str) -> bool:
    code = ord(char)
    if 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126:
        return True
    return unicodedata.category(char).startswith("P")


def split_words(text: str) -> list[str]:
    """Words and punctuation marks of a text: lower case, accents stripped, CJK characters one by one."""
    cleaned = []
    for char in text:
        category = unicodedata.category(char)
        if char in "\t\n\r" or category == "Zs":
            cleaned.append(" ")
        elif ord(char) in (0, 0xFFFD) or category.startswith("C"):
            continue
        elif _is_cjk(char):
            cleaned.append(f" {char} ")
        else:
            cleaned.append(char)
    words: list[str] = []
    for token in "".join(cleaned).split():
        token = "".join(c for c in unicodedata.normalize("NFD", token.lower()) if unicodedata.category(c) != "Mn")
        word = ""
        for char in token:
            if _is_punctuation(char):
                words += [word, char] if word else [char]
                word = ""
            else:
                word += char
        if word:
            words.append(word)
    return words


class WordPiece:
    """Greedy longest-match tokenizer over a list of pieces; continuation pieces begin with `##`."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        self.index = {piece: i for i, piece in enumerate(self.pieces)}
        self.unknown = self.index[UNKNOWN]

    @classmethod
    def read(cls, path: Path) -> WordPiece:
        """Read a vocabulary file, one piece per line."""
        return cls(path.read_text("utf-8").splitlines())

    def split(self, word: str) -> list[str]:
        """Pieces of one word, or [UNKNOWN]."""
        if len(word) > LONGEST_WORD:
            return [UNKNOWN]
        found, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = word[start:end] if start == 0 else "##" + word[start:end]
                if piece in self.index:
                    break
            else:
                return [UNKNOWN]
            found.append(piece)
            start = end
        return found

    def tokenize(self, text: str) -> list[str]:
        """Pieces of a text."""
        return [piece for word in split_words(text) for piece in self.split(word)]

    def encode(self, text: str) -> list[int]:
        """Piece numbers of a text."""
        return [self.index[piece] for piece in self.tokenize(text)]

    def understood(self, text: str) -> float:
        """Fraction of the words of a text that look like English words; 0 if the text has no word.

        A word counts when it is one piece of three or more letters (or a common short word), or a known stem of
        three or more letters with a usual ending, or two whole words of four or more letters. Numbers and
        punctuation do not count, unless there is nothing else (then 0).
        """
        words = [w for w in split_words(text) if not re.fullmatch(r"[\d.]+", w) and not _is_punctuation(w[0])]
        return sum(map(self._is_word, words)) / len(words) if words else 0.0

    def _is_word(self, word: str) -> bool:
        first, *rest = self.split(word)
        if first == UNKNOWN:
            return False
        if not rest:
            return len(word) >= 3 or word in SHORT_WORDS or not word.isascii()
        if len(first) < 3 or not first.isalpha():
            return False
        endings = all(piece[2:] in ENDINGS for piece in rest)
        compound = len(rest) == 1 and len(first) >= 4 and len(rest[0]) >= 6 and rest[0][2:] in self.index
        # Long words keep enough of a stem even when their ending is unusual ("pirouett" + "##ing").
        return endings or compound or self._regular(word)

    def _regular(self, word: str) -> bool:
        """Whether taking a usual ending off (or undoing its spelling) gives a whole piece of the vocabulary."""
        for ending in ("s", "es", "ed", "ing", "er", "ers", "ly", "wards", "ward", "y", "ies", "ied", "ily", "ness"):
            if word.endswith(ending) and len(word) - len(ending) >= 3:
                stem = word[: -len(ending)]
                if any(s in self.index for s in (stem, stem + "e", stem + "y")):
                    return True
                if stem[-1] == stem[-2] and stem[:-1] in self.index:
                    return True
        return False


SHORT_WORDS = frozenset(
    "a i o an am as at be by do go he hi ho if in is it me my no of oh ok on or ox so to up us we s t".split()
)


def missing_letters(pieces: Iterable[str]) -> list[str]:
    """Letters without a piece of their own, alone or in continuation; a usable vocabulary has none."""
    have = set(pieces)
    return [c for c in "abcdefghijklmnopqrstuvwxyz" if c not in have or f"##{c}" not in have]
