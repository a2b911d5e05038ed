"""Tokens of videos, sampled one by one with caches, or by full recomputation for comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from laban.nn.sampling import gumbel
from laban.systems.godiva.decoder import Decoder
from laban.systems.godiva.streams import Grid
from laban.systems.godiva.words import START


@dataclass(frozen=True)
class SamplingOptions:
    """How codes are sampled.

    Attributes:
        top_k: codes that may be sampled at each place.
        temperature: below 1, likelier codes; 0: the likeliest.
        guidance: classifier-free guidance scale; 1: none, as in the paper.
    """

    top_k: int
    temperature: float
    guidance: float = 1.0


def places(grid: Grid) -> Iterator[Grid]:
    """Every (l, i, j) in raster order."""
    for l in range(grid[0]):  # noqa: E741
        for i in range(grid[1]):
            for j in range(grid[2]):
                yield l, i, j


def sampled_codes(logits: Tensor, sources: Sequence[torch.Generator], options: SamplingOptions) -> Tensor:
    """(B, K) logits -> (B,) codes among each row's `top_k` best; row b draws from its own generator."""
    top = logits.float().topk(min(options.top_k, logits.shape[-1]), dim=-1)
    if options.temperature == 0:
        return top.indices[:, 0]
    noise = torch.stack([gumbel((top.values.shape[1],), source, "cpu") for source in sources]).to(logits.device)
    pick = (top.values / options.temperature + noise).argmax(-1)
    return top.indices.gather(1, pick[:, None])[:, 0]


def with_blank(words: Tensor, valid: Tensor, guidance: float) -> tuple[Tensor, Tensor]:
    """Captions (B, N), and where they are to guide, the empty caption as often after them: (2 B, N)."""
    if guidance == 1:
        return words, valid
    return torch.cat([words, words]), torch.cat([valid, valid & (words == START)])


def guided(logits: Tensor, guidance: float) -> Tensor:
    """(B, K) logits; with guidance (2 B, K), of captions and of none -> (B, K), beyond the one away from the other.

    Source: ours; classifier-free guidance (Ho and Salimans 2022). The model must have seen empty captions in training.
    """
    if guidance == 1:
        return logits
    conditional, unconditional = logits.chunk(2)
    return unconditional + guidance * (conditional - unconditional)


@torch.no_grad()
def sample(
    decoder: Decoder,
    words: Tensor,
    valid: Tensor,
    sources: Sequence[torch.Generator],
    options: SamplingOptions,
    *,
    given: Tensor | None = None,
    stop: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Tensor:
    """Codes of a batch, each place run once through cached layers.

    Args:
        decoder: the trained decoder.
        words: (B, N) int64.
        valid: (B, N) bool.
        sources: one generator per video.
        options: how codes are sampled.
        given: (B, l, h, w) int64, the first l frames, kept as they are.
        stop: how many places to sample; None: all.
        progress: called with the number of places done.
    Returns: (B, L, h, w) int64; places that were not sampled are 0.
    """
    batch, grid, guidance = len(words), decoder.grid, options.guidance
    codes = torch.zeros(batch, *grid, dtype=torch.int64, device=words.device)
    kept = 0 if given is None else given.shape[1]
    if given is not None:
        codes[:, :kept] = given
    state = decoder.begin(*with_blank(words, valid, guidance))
    for n, place in enumerate(places(grid)):
        if n == stop:
            break
        logits = guided(state.logits(place), guidance)
        if place[0] >= kept:
            codes[(slice(None), *place)] = sampled_codes(logits, sources, options)
        put = codes[(slice(None), *place)]
        state.put(place, put if guidance == 1 else torch.cat([put, put]))
        if progress is not None:
            progress(n + 1)
    return codes


@torch.no_grad()
def sample_naive(
    decoder: Decoder,
    words: Tensor,
    valid: Tensor,
    sources: Sequence[torch.Generator],
    options: SamplingOptions,
    stop: int | None = None,
) -> Tensor:
    """As `sample`, but every place runs the whole video through the network: what caching is compared with."""
    codes = torch.zeros(len(words), *decoder.grid, dtype=torch.int64, device=words.device)
    guidance = options.guidance
    words, valid = with_blank(words, valid, guidance)
    for n, place in enumerate(places(decoder.grid)):
        if n == stop:
            break
        index = (slice(None), *place)
        seen = codes if guidance == 1 else torch.cat([codes, codes])
        logits = guided(decoder.head(decoder.hidden(seen, words, valid)[index]), guidance)
        codes[index] = sampled_codes(logits, sources, options)
    return codes
