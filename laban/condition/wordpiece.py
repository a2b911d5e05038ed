"""A small WordPiece tokenizer: BERT-uncased's rules on a vocabulary of our own.

On a text all of whose pieces are in our vocabulary, the pieces equal BERT-uncased's (without [CLS] and [SEP]).
Source: the algorithm as described in Devlin et al. 2019, section 3, and Wu et al. 2016, section 4 (greedy
longest match). Deviation: none but the smaller vocabulary.
"""

from __future__ import annotations

import lzma
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

UNKNOWN = "[UNK]"
MAX_WORD_CHARACTERS = 100
ENDINGS = ("s", "es", "ed", "ing", "er", "ers", "ly", "wards", "ward", "wise", "y", "ies", "ied", "ily", "ness", "est")


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

    def __init__(self, pieces: Sequence[str], words: Iterable[str] = ()) -> None:
        self.pieces = tuple(pieces)
        self.words = frozenset(words)  # English words beside the pieces; only `understood` looks at them
        self.index = {piece: i for i, piece in enumerate(self.pieces)}
        self.unknown = self.index[UNKNOWN]

    @classmethod
    def read(cls, path: Path) -> WordPiece:
        """Read a vocabulary file, one piece per line, and `words.txt.xz` beside it if there is one."""
        words = path.with_name("words.txt.xz")
        listed = lzma.decompress(words.read_bytes()).decode("ascii").split() if words.is_file() else []
        return cls(path.read_text("utf-8").splitlines(), listed)

    def split(self, word: str) -> list[str]:
        """Pieces of one word, or [UNKNOWN]."""
        if len(word) > MAX_WORD_CHARACTERS:
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

        A word counts when it is one piece of three or more letters or a common short word, when it or its stem is
        in the list of English words, or when sub-words of three or more letters make up most of it. Numbers and
        punctuation do not count; without any other word the result is 0.
        """
        words = [w for w in split_words(text) if not re.fullmatch(r"[\d.]+", w) and not _is_punctuation(w[0])]
        return sum(map(self._is_word, words)) / len(words) if words else 0.0

    def _is_word(self, word: str) -> bool:
        first, *rest = self.split(word)
        if first == UNKNOWN:
            return False
        if not rest:
            return len(word) >= 3 or word in SHORT_WORDS
        if self._known(word) or any(self._known(stem) for stem in _stems(word)):
            return True
        lengths = [len(piece.removeprefix("##")) for piece in (first, *rest)]
        return max(lengths) >= 4 and sum(n for n in lengths if n >= 3) >= 0.6 * len(word)

    def _known(self, word: str) -> bool:
        return len(word) >= 3 and (word in self.words or word in self.index)


def _stems(word: str) -> list[str]:
    """What is left of a word without its ending, in the spellings that English allows."""
    stems = []
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: -len(ending)]
            stems += [stem, stem + "e", stem + "y"] + ([stem[:-1]] if stem[-1] == stem[-2] else [])
    return stems


SHORT_WORDS = frozenset(
    "a i o an am as at be by do go he hi ho if in is it me my no of oh ok on or ox so to up us we s t".split()
)


def missing_letters(pieces: Iterable[str]) -> list[str]:
    """Letters without a piece of their own, alone or in continuation; a usable vocabulary has none."""
    have = set(pieces)
    return [c for c in "abcdefghijklmnopqrstuvwxyz" if c not in have or f"##{c}" not in have]
