"""Random draws that depend only on the generator they are given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def gumbel(shape: tuple[int, ...], generator: torch.Generator | None, device: torch.device | str) -> Tensor:
    """Standard Gumbel noise -log(-log u) of a shape, drawn where the generator lives."""
    source = device if generator is None else generator.device
    return gumbel_of(torch.rand(shape, generator=generator, device=source)).to(device)


def gumbel_of(u: Tensor) -> Tensor:
    """Uniform noise -> standard Gumbel noise -log(-log u)."""
    exponential = (-torch.log(u.clamp_min(1e-20))).clamp_min(1e-20)
    return -torch.log(exponential)


def generators(seed: int, count: int, first: int = 0) -> list[torch.Generator]:
    """One CPU generator per sample, seeded from (seed, first + i) alone: a sample does not depend on the
    batch it is drawn in.
    """
    result = []
    for i in range(first, first + count):
        state = np.random.SeedSequence(entropy=seed, spawn_key=(i,)).generate_state(1, np.uint64)
        result.append(torch.Generator().manual_seed(int(state[0] >> np.uint64(1))))
    return result


def batch_gumbel(
    lengths: Sequence[int], classes: int, sources: Sequence[torch.Generator], device: torch.device | str
) -> Tensor:
    """(B, max(lengths), classes) Gumbel noise; row b draws lengths[b] positions from its own generator."""
    noise = torch.zeros(len(lengths), max(lengths), classes)
    for b, (length, source) in enumerate(zip(lengths, sources, strict=True)):
        noise[b, :length] = gumbel((length, classes), source, "cpu")
    return noise.to(device)


def uniform_rows(
    lengths: Sequence[int], classes: int, sources: Sequence[torch.Generator], device: torch.device | str
) -> Tensor:
    """(B * max(lengths), classes) uniform noise; sample b draws lengths[b] positions from its own generator."""
    most = max(lengths)
    noise = torch.full((len(lengths) * most, classes), 0.5)
    for b, (length, source) in enumerate(zip(lengths, sources, strict=True)):
        torch.rand((length, classes), generator=source, out=noise[b * most : b * most + length])
    return noise.to(device)


def top(logits: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """(..., K) -> values and classes (..., k) of the largest k = ceil((1 - share) * K)."""
    count = max(1, int(np.ceil((1.0 - share) * logits.shape[-1])))
    found = logits.topk(count, dim=-1)
    return found.values, found.indices


def keep_top(logits: Tensor, share: float) -> Tensor:
    """(..., K) logits with all but the largest ceil((1 - share) * K) set to -inf."""
    values, classes = top(logits, share)
    return torch.full_like(logits, float("-inf")).scatter(-1, classes, values)
