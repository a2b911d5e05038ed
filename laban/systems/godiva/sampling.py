"""Tokens of videos, drawn one by one with caches, or by full recomputation for comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from laban.nn.sampling import gumbel
from laban.systems.godiva.decoder import Decoder
from laban.systems.godiva.streams import Grid


def places(grid: Grid) -> Iterator[Grid]:
    """Every (l, i, j) in raster order."""
    for l in range(grid[0]):  # noqa: E741
        for i in range(grid[1]):
            for j in range(grid[2]):
                yield l, i, j


def draw(logits: Tensor, sources: Sequence[torch.Generator], top_k: int, temperature: float) -> Tensor:
    """(B, K) logits -> (B,) codes among each row's `top_k` best; row b draws from its own generator.

    Temperature 0 takes the best.
    """
    top = logits.float().topk(min(top_k, logits.shape[-1]), dim=-1)
    if temperature == 0:
        return top.indices[:, 0]
    noise = torch.stack([gumbel((top.values.shape[1],), source, "cpu") for source in sources]).to(logits.device)
    pick = (top.values / temperature + noise).argmax(-1)
    return top.indices.gather(1, pick[:, None])[:, 0]


@torch.no_grad()
def sample(
    decoder: Decoder,
    words: Tensor,
    valid: Tensor,
    sources: Sequence[torch.Generator],
    top_k: int,
    temperature: float,
    given: Tensor | None = None,
    stop: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Tensor:
    """Codes of a batch, each place run once through cached layers.

    Args:
        words: (B, N) int64. valid: (B, N) bool. sources: one generator per video.
        given: (B, l, h, w) int64, the first l frames, kept as they are.
        stop: how many places to draw; None: all.
        progress: called with the number of places done.
    Returns: (B, L, h, w) int64; places that were not drawn are 0.
    """
    batch, grid = len(words), decoder.grid
    codes = torch.zeros(batch, *grid, dtype=torch.int64, device=words.device)
    kept = 0 if given is None else given.shape[1]
    if given is not None:
        codes[:, :kept] = given
    state = decoder.begin(words, valid)
    for n, place in enumerate(places(grid)):
        if n == stop:
            break
        logits = state.logits(place)
        if place[0] >= kept:
            codes[(slice(None), *place)] = draw(logits, sources, top_k, temperature)
        state.put(place, codes[(slice(None), *place)])
        if progress is not None:
            progress(n + 1)
    return codes


@torch.no_grad()
def sample_naive(
    decoder: Decoder,
    words: Tensor,
    valid: Tensor,
    sources: Sequence[torch.Generator],
    top_k: int,
    temperature: float,
    stop: int | None = None,
) -> Tensor:
    """As `sample`, but every place runs the whole video through the network: what caching is compared with."""
    codes = torch.zeros(len(words), *decoder.grid, dtype=torch.int64, device=words.device)
    for n, place in enumerate(places(decoder.grid)):
        if n == stop:
            break
        index = (slice(None), *place)
        logits = decoder.head(decoder.hidden(codes, words, valid)[index])
        codes[index] = draw(logits, sources, top_k, temperature)
    return codes
