"""Which tokens are hidden: in training at random, in generation by the cosine schedule."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def random_mask(valid: Tensor, generator: torch.Generator | None, longest: int | None = None) -> Tensor:
    """Training mask: cos(pi u / 2) of the positions with u ~ U(0, 1) per sample, at least one.

    Args:
        valid: (B, N) bool, True where real.
        generator: the source of randomness; None: torch's own.
        longest: count over this many positions, padding included, and then keep those that are real (MoMask's released
            trainer); None: count over each sample's own positions.
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


def mixed_mask(valid: Tensor, near: float, generator: torch.Generator | None) -> Tensor:
    """`random_mask` for most samples; for a share `near` of them one run of 1 to 8 tokens, whose neighbours are seen.

    With random masks alone a model of few steps learns what the text says and not what stands beside a token.
    Args:
        valid: (B, N) bool.
        near: the share of samples with one run.
        generator: the source of randomness; None: torch's own.
    Returns: (B, N) bool, at least one True per sample with a valid token.
    """
    far = random_mask(valid, generator)
    dice = torch.rand(3, len(valid), 1, generator=generator, device=valid.device)
    count = valid.sum(-1, keepdim=True)
    size = (1 + (dice[1] * 8).floor()).minimum((count / 2).ceil()).clamp_min(1)
    start = (dice[2] * (count - size + 1)).floor()
    place = torch.arange(valid.shape[1], device=valid.device)
    run = (place >= start) & (place < start + size) & valid
    return torch.where(dice[0] < near, run, far)


def probe_masks(valid: Tensor, generator: torch.Generator | None) -> dict[str, Tensor]:
    """Masks that ask how much a model reads its context: one token, a run of four, a random half, all."""
    count = valid.sum(-1, keepdim=True)
    place = torch.arange(valid.shape[1], device=valid.device)
    dice = torch.rand(len(valid), 1, generator=generator, device=valid.device)
    rank = torch.rand(valid.shape, generator=generator, device=valid.device).masked_fill(~valid, 2.0).argsort(-1)
    one = (dice * count).floor()
    four = (dice * (count - 3).clamp_min(1)).floor()
    return {
        "one": (place == one) & valid,
        "four": (place >= four) & (place < four + 4) & valid,
        "half": (rank.argsort(-1) < (count / 2).ceil()) & valid,
        "all": valid,
    }


def remaining(lengths: Tensor, step: int, steps: int) -> Tensor:
    """How many tokens are hidden at a step of generation: round(cos(pi t / 2) L), at least 1, t = step / (steps - 1).

    Args:
        lengths: (B,) ints.
        step: from 0.
        steps: in all.
    Returns: (B,) int64. Halves are rounded to even.
    """
    t = torch.linspace(0, 1, steps)[step].to(lengths.device)
    return (torch.cos(t * math.pi * 0.5) * lengths).round().clamp_min(1).to(torch.int64)


def lowest(scores: Tensor, count: Tensor) -> Tensor:
    """(B, N) scores, (B,) counts -> (B, N) bool: True at each row's `count` smallest scores."""
    return scores.argsort(-1).argsort(-1) < count[:, None]
