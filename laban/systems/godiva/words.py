"""Captions as word ids. No torch but in the ids themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SPECIAL = ("<pad>", "<start>", "<unknown>")
PAD, START, UNKNOWN = range(3)


def split(text: str) -> list[str]:
    """Lower-case words and numbers; punctuation separates and is dropped."""
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)?", text.lower())


def vocabulary(captions: Iterable[str], most: int = 30_000) -> tuple[str, ...]:
    """The words of captions, sorted; of more than `most` the most frequent ones."""
    counts: dict[str, int] = {}
    for caption in captions:
        for word in split(caption):
            counts[word] = counts.get(word, 0) + 1
    kept = sorted(counts, key=lambda w: (-counts[w], w))[:most]
    return tuple(sorted(kept))


@dataclass(frozen=True)
class Reading:
    """A caption as the model reads it: ids with <start> first, the words it does not know, the words it cut off."""

    ids: list[int]
    unknown: list[str]
    cut: list[str]

    @property
    def understood(self) -> float:
        """Share of the words that are known and not cut."""
        total = len(self.ids) - 1 + len(self.cut)
        return 0.0 if total == 0 else 1 - (len(self.unknown) + len(self.cut)) / total


class Vocabulary:
    """Word -> id, for captions of at most `longest` words."""

    def __init__(self, words: Sequence[str], longest: int) -> None:
        self.index = {word: i for i, word in enumerate(words, start=len(SPECIAL))}
        self.longest = longest

    def read(self, caption: str) -> Reading:
        """The caption's ids. An empty caption is <start> alone."""
        words = split(caption)
        kept, cut = words[: self.longest], words[self.longest :]
        ids = [START, *(self.index.get(word, UNKNOWN) for word in kept)]
        return Reading(ids, [word for word in kept if word not in self.index], cut)

    def pack(self, captions: Sequence[str]) -> list[list[int]]:
        """Ids of several captions, padded with PAD to the longest."""
        rows = [self.read(caption).ids for caption in captions]
        longest = max(map(len, rows), default=1)
        return [row + [PAD] * (longest - len(row)) for row in rows]
