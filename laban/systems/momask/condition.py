"""From text features to the tokens that stand before the motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.condition.hashed import HashedText as HashedText
from laban.nn.attention import sinusoids
from laban.systems.momask.config import TextConfig

if TYPE_CHECKING:
    from laban.condition.text import TextFeatures


@dataclass
class Condition:
    """pooled (B, W) float; words (B, L, V) float and valid (B, L) bool, or None where only pooled is used."""

    pooled: Tensor
    words: Tensor | None = None
    valid: Tensor | None = None

    @classmethod
    def of(cls, features: TextFeatures, config: TextConfig, device: torch.device) -> Condition:
        """What an encoder returned, cut to what the transformers see."""
        if not config.tokens:
            return cls(features.pooled.to(device))
        n = config.max_tokens
        return cls(features.pooled.to(device), features.tokens[:, :n].to(device), features.valid[:, :n].to(device))

    def select(self, rows: Sequence[int]) -> Condition:
        """Some of the samples; words are cut to the longest that remains."""
        index = torch.tensor(list(rows), device=self.pooled.device)
        if self.words is None or self.valid is None:
            return Condition(self.pooled[index])
        valid = self.valid[index]
        places = torch.arange(1, valid.shape[1] + 1, device=valid.device)
        longest = int((valid * places).amax()) if valid.numel() else 0
        return Condition(self.pooled[index], self.words[index, :longest], valid[:, :longest])

    def noisy(self, config: TextConfig, generator: torch.Generator | None) -> Condition:
        """Training's augmentation: noise of a fraction of the norm, and hidden words."""

        def perturbed(x: Tensor, fraction: float) -> Tensor:
            if fraction == 0:
                return x
            size = fraction * x.norm(dim=-1, keepdim=True) / x.shape[-1] ** 0.5
            return x + size * torch.randn(x.shape, generator=generator, device=x.device)

        valid = self.valid
        if valid is not None and config.token_dropout > 0:
            dice = torch.rand(valid.shape, generator=generator, device=valid.device)
            valid = valid & (dice >= config.token_dropout)
        words = None if self.words is None else perturbed(self.words, config.noise)
        pooled = perturbed(self.pooled, config.pooled_noise)
        if config.pooled_noise > 0:
            pooled = F.normalize(pooled, dim=-1) * self.pooled.norm(dim=-1, keepdim=True)
        return Condition(pooled, words, valid)

    def dropped(self, drop: Tensor) -> Condition:
        """The same with samples where drop (B,) is True unconditioned: pooled zero, words hidden."""
        keep = ~drop
        return Condition(
            self.pooled * keep[:, None], self.words, None if self.valid is None else self.valid & keep[:, None]
        )

    def doubled(self) -> Condition:
        """(2 B) the condition, then the same unconditioned."""
        none = self.dropped(torch.ones(len(self.pooled), dtype=torch.bool, device=self.pooled.device))

        def both(a: Tensor | None, b: Tensor | None) -> Tensor | None:
            return None if a is None or b is None else torch.cat([a, b])

        return Condition(
            torch.cat([self.pooled, none.pooled]), both(self.words, none.words), both(self.valid, none.valid)
        )


class Prefix(nn.Module):
    """Condition -> memory tokens before the motion: the pooled feature (released: it alone, without position), and
    with `TextConfig.tokens` one token per word, with sinusoidal positions of their own.

    A zeroed pooled feature leaves the bias: that is the unconditioned token. With `TextConfig.pooled` off a learned
    token stands in its place. Released: cond_emb -> pooled.
    """

    places: Tensor

    def __init__(self, config: TextConfig, width: int) -> None:
        super().__init__()
        self.pooled = nn.Linear(config.width, width) if config.pooled else None
        if self.pooled is None:
            self.blank = nn.Parameter(torch.zeros(width))
        self.words = nn.Linear(config.token_width, width) if config.tokens else None
        self.register_buffer("places", sinusoids(config.max_tokens, width), persistent=False)

    def forward(self, condition: Condition) -> tuple[Tensor, Tensor | None]:
        """Returns: (B, P, D) and (B, P) bool valid, None if all are."""
        if self.pooled is None:
            first = self.blank.expand(len(condition.pooled), 1, -1)
        else:
            first = self.pooled(condition.pooled)[:, None]
        if self.words is None or condition.words is None or condition.valid is None:
            return first, None
        words = self.words(condition.words) + self.places[: condition.words.shape[1]]
        always = condition.valid.new_ones(len(first), 1)
        return torch.cat([first, words], 1), torch.cat([always, condition.valid], 1)


def joint_validity(prefix: Tensor, prefix_valid: Tensor | None, valid: Tensor | None) -> Tensor | None:
    """(B, P + N) validity of a prefix followed by N motion tokens; None if everything is real."""
    if prefix_valid is None and valid is None:
        return None
    b, p = prefix.shape[:2]
    if prefix_valid is None:
        prefix_valid = torch.ones(b, p, dtype=torch.bool, device=prefix.device)
    if valid is None:
        raise AssertionError("motion validity must be given when the prefix has padding")
    return torch.cat([prefix_valid, valid], 1)
