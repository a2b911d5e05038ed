"""Captions as numbers of words and letter groups. Its own vocabulary: none, only a hash. Imports no torch."""

from __future__ import annotations

import re
import zlib

import numpy as np

_WORD = re.compile(r"[a-z]+|[0-9]")


def hashed(caption: str, words: int, groups: int, buckets: int) -> np.ndarray:
    """Numbers of the rows of a caption's words in the evaluator's table.

    A word is the sum of the row of itself and the rows of its groups of three letters, its two ends marked, so that
    words never seen in training are near those spelt alike (the idea of fastText, Bojanowski et al. 2017). Rows are
    chosen by CRC-32; two that meet share one.

    Returns: (N, groups) int64, N from 1 to `words`; 0 is no row. A caption without a letter is one empty word.
    """
    found = _WORD.findall(caption.casefold())[:words] or [""]
    rows = np.zeros((len(found), groups), np.int64)
    for i, word in enumerate(found):
        marked = f"<{word}>"
        parts = [marked, *(marked[k : k + 3] for k in range(max(0, len(marked) - 2)))]
        for j, part in enumerate(parts[:groups]):
            rows[i, j] = 1 + zlib.crc32(f"{min(j, 1)}{part}".encode()) % (buckets - 1)
    return rows


def table(captions: list[str], words: int, groups: int, buckets: int) -> np.ndarray:
    """(C, N, groups) int64 of several captions, 0 where a caption has ended."""
    rows = [hashed(caption, words, groups, buckets) for caption in captions]
    out = np.zeros((len(rows), max((len(r) for r in rows), default=1), groups), np.int64)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out
