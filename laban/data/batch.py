"""What the samplers of several systems share: captions as features, and how often a clip is drawn."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from laban.condition.text import TextEncoder
    from laban.data.corpus import Record


def action_of(record: Record) -> str:
    """The action by which clips are balanced: the corpus's label, else the first caption."""
    return record.labels.get("action") or record.captions[0]


def weights_of(records: Sequence[Record], balance: float) -> np.ndarray:
    """(R,) probabilities: (clips of the same action) ** -balance, normalised, and within an action the same by first
    caption, so that its styles are balanced too.
    """
    actions = Counter(action_of(r) for r in records)
    first = Counter((action_of(r), r.captions[0]) for r in records)
    weight = np.array([first[action_of(r), r.captions[0]] ** -balance for r in records])
    total: dict[str, float] = defaultdict(float)
    for r, w in zip(records, weight, strict=True):
        total[action_of(r)] += w
    share = np.array([actions[action_of(r)] ** (1 - balance) / total[action_of(r)] for r in records])
    weight = weight * share
    return weight / weight.sum()


class CaptionBank:
    """Text features of distinct captions, encoded once."""

    def __init__(self, captions: Sequence[str], encoder: TextEncoder, *, tokens: bool, longest: int) -> None:
        self.index = {text: i for i, text in enumerate(dict.fromkeys(captions))}
        texts = list(self.index)
        pooled: list[Tensor] = []
        self.words: list[Tensor] | None = [] if tokens else None
        for at in range(0, len(texts), 256):
            found = encoder.encode(texts[at : at + 256])
            pooled.append(found.pooled.float().cpu())
            if self.words is not None:
                for row, valid in zip(found.tokens, found.valid, strict=True):
                    self.words.append(row[valid][:longest].float().cpu())
        self.pooled = torch.cat(pooled)
        self.token_width = encoder.token_width

    def gather(self, ids: Sequence[int]) -> dict[str, Tensor]:
        """{"pooled": (B, W)} and, with words, {"words": (B, L, V), "word_valid": (B, L) bool}."""
        batch = {"pooled": self.pooled[list(ids)]}
        if self.words is not None:
            rows = [self.words[i] for i in ids]
            longest = max(1, max(len(r) for r in rows))
            batch["words"] = torch.zeros(len(rows), longest, self.token_width)
            batch["word_valid"] = torch.zeros(len(rows), longest, dtype=torch.bool)
            for b, row in enumerate(rows):
                batch["words"][b, : len(row)] = row
                batch["word_valid"][b, : len(row)] = True
        return batch


class LengthSampler:
    """{"pooled": (B, W), "tokens": (B,) int64}: captions and lengths of clips, at most `longest` tokens."""

    def __init__(self, records: Sequence[Record], bank: CaptionBank, balance: float, stride: int, longest: int) -> None:
        self.records, self.bank = records, bank
        self.weights = weights_of(records, balance)
        self.stride, self.longest = stride, longest

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]:
        picks = rng.choice(len(self.records), size=batch_size, p=self.weights)
        captions, lengths = [], []
        for pick, dice in zip(picks, rng.random(batch_size), strict=True):
            record = self.records[pick]
            captions.append(self.bank.index[record.captions[int(dice * len(record.captions))]])
            lengths.append(min(record.length // self.stride, self.longest))
        return {"pooled": self.bank.gather(captions)["pooled"], "tokens": torch.tensor(lengths, dtype=torch.int64)}
