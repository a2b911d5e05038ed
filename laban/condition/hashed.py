"""A text encoder without weights, for tests and the tiny presets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import torch
from torch import Tensor

from laban.condition.text import TextFeatures


class HashedText:
    """Words as fixed random vectors, seeded by their letters. No weights and no meaning: for the tiny preset."""

    def __init__(self, width: int) -> None:
        self.width = self.token_width = width
        self.fingerprint = f"hashed-{width}"

    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """Texts -> features; every word counts as understood."""
        rows = [[self._word(w) for w in re.findall(r"[a-z']+", text.lower())] for text in texts]
        longest = max(1, *(len(r) for r in rows))
        tokens = torch.zeros(len(rows), longest, self.width)
        valid = torch.zeros(len(rows), longest, dtype=torch.bool)
        for i, row in enumerate(rows):
            if row:
                tokens[i, : len(row)] = torch.stack(row)
                valid[i, : len(row)] = True
        pooled = tokens.sum(1) / valid.sum(1, keepdim=True).clamp_min(1)
        return TextFeatures(pooled=pooled, tokens=tokens, valid=valid, known=valid.any(1).float())

    def _word(self, word: str) -> Tensor:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:7], "big")
        return torch.randn(self.width, generator=torch.Generator().manual_seed(seed))
