"""Which tokens are hidden: in training at random, in generation by the cosine schedule."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def random_mask(valid: Tensor, generator: torch.Generator | None, longest: int | None = None) -> Tensor:
    """Training mask: cos(pi u / 2) of the positions with u ~ U(0, 1) per sample, at least one.

    Args:
        valid: (B, N) bool, True where real.
        longest: count over this many positions, padding included, and then keep those that are real (MoMask's
            released trainer); None: count over each sample's own positions.
    Returns: (B, N) bool, True where hidden; always a subset of `valid`.
    """
    b, n = valid.shape
    device = valid.device
    share = torch.cos(torch.rand(b, generator=generator, device=device) * (math.pi / 2))
    if longest is not None:
        count = (share * longest).round().clamp_min(1)
        rank = torch.rand(b, max(n, longest), generator=generator, device=device).argsort(-1)
        return (rank[:, :n] < count[:, None]) & valid
    count = (share * valid.sum(-1)).round().clamp_min(1)
    noise = torch.rand(b, n, generator=generator, device=device).masked_fill(~valid, 2.0)
    return (noise.argsort(-1).argsort(-1) < count[:, None]) & valid


def remaining(lengths: Tensor, step: int, steps: int) -> Tensor:
    """How many tokens are hidden at a step of generation: round(cos(pi t / 2) L), at least 1, t = step / (steps - 1).

    Args: lengths: (B,) ints. Returns: (B,) int64. Halves are rounded to even.
    """
    t = torch.linspace(0, 1, steps)[step].to(lengths.device)
    return (torch.cos(t * math.pi * 0.5) * lengths).round().clamp_min(1).to(torch.int64)


def lowest(scores: Tensor, count: Tensor) -> Tensor:
    """(B, N) scores, (B,) counts -> (B, N) bool: True at each row's `count` smallest scores."""
    return scores.argsort(-1).argsort(-1) < count[:, None]
