"""Systems with codebooks ship them without what only training uses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch

from laban.nn.quantize import RUNNING
from laban.systems.base import System

if TYPE_CHECKING:
    from laban import checkpoint


class ShipsCodebooks(System):
    """A system whose stages hold codebooks (laban.nn.quantize.Codebook); the stage "tokenizer" does."""

    def counts_are_used(self) -> bool:
        """Whether the choice of a code depends on how often codes were used (TokenizerConfig.rate)."""
        return False

    def save(self, folder: str | Path, *, half: bool = False, card: str | None = None) -> None:
        """As every system; with `half`, for shipping, the codebooks' running sums are left out, and their counts where
        they decide nothing: `load` starts them again.
        """
        if not half:
            return super().save(folder, half=half, card=card)
        from laban import checkpoint

        dropped = RUNNING[:1] if self.counts_are_used() else RUNNING
        tensors = {
            stage: {k: v for k, v in self.module(stage).state_dict().items() if not k.endswith(dropped)}
            for stage in self.stages()
        }
        checkpoint.save(folder, self.manifest(), tensors, self.stats, card, half=half)
        return None

    @classmethod
    def restore(cls, found: checkpoint.Checkpoint, where: str) -> Self:
        """As every system; running sums and counts that were left out are those of one use per code."""
        tokenizer = found.stages.get("tokenizer", {})
        for name in [k for k in tokenizer if k.endswith(".codes")]:
            codes, stem = tokenizer[name], name.removesuffix("codes")
            tokenizer.setdefault(stem + "code_sum", codes.clone())
            tokenizer.setdefault(stem + "code_count", torch.ones(codes.shape[:1]))
        return super().restore(found, where)
