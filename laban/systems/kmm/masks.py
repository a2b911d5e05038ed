"""Which tokens are hidden in training: at random, by key frames, by their inverse, by speed, or matched at random.

All kinds hide the same number of tokens, so that a comparison of two is one of where, not of how many.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from laban.errors import InputError
from laban.systems.kmm.keyframes import choose

Kind = Literal["random", "keyframe", "inverse", "speed", "matched"]
KINDS: tuple[str, ...] = get_args(Kind)
CANDIDATES = 8
"""Arrangements among which a matched mask takes the one with the nearest count of repeated tokens."""


def counts(rows: int, length: int, ratio: float | None, source: torch.Generator | None, device: torch.device) -> Tensor:
    """(rows,) how many of `length` tokens to hide: a fixed share, or cos(pi u / 2) of them with u ~ U(0, 1); >= 1."""
    if ratio is None:
        share = torch.cos(torch.rand(rows, generator=source, device=device) * (math.pi / 2))
    else:
        share = torch.full((rows,), ratio, device=device)
    return (share * length).round().clamp(1, length).to(torch.int64)


def mask(
    kind: str,
    count: Tensor,
    score: Tensor,
    speed: Tensor,
    codes: Tensor,
    source: torch.Generator | None,
) -> Tensor:
    """Hidden positions of rows of equal length.

    Args:
        kind: of KINDS: "keyframe" hides the highest scores (the paper's), "inverse" the lowest, "speed" the fastest
            tokens, "random" any, and "matched" as many runs of the same lengths as "keyframe", laid out at random,
            with about as many tokens that repeat the one before them.
        count: (B,) how many.
        score: (B, N) of key frames.
        speed: (B, N).
        codes: (B, N) tokens of the base layer.
        source: of the random numbers; None: torch's global one.
    Returns: (B, N) bool with count[b] True in each row.
    Raises: InputError for an unknown kind.
    """
    if kind not in KINDS:
        raise InputError(f"kmm: unknown mask {kind!r}; expected one of {', '.join(KINDS)}.")
    b, n = codes.shape
    noise = torch.rand(b, n, generator=source, device=codes.device)
    if kind == "random":
        return choose(noise, count)
    if kind == "inverse":
        return choose(-score, count)
    if kind == "speed":
        return choose(speed, count)
    chosen = choose(score, count)
    return chosen if kind == "keyframe" else matched(chosen, codes, source)


def matched(chosen: Tensor, codes: Tensor, source: torch.Generator | None) -> Tensor:
    """A random arrangement of the runs of a mask: the same run lengths in another order, with other gaps.

    Args:
        chosen: (B, N) bool.
        codes: (B, N) tokens, whose repeats among the hidden ones are kept alike.
    Returns: (B, N) bool.
    """
    repeats = torch.zeros_like(chosen)
    repeats[:, 1:] = codes[:, 1:] == codes[:, :-1]
    rows = []
    for row, again in zip(chosen, repeats, strict=True):
        wanted = int((row & again).sum())
        tries = [_arranged(row, source) for _ in range(CANDIDATES)]
        rows.append(min(tries, key=lambda t: abs(int((t & again).sum()) - wanted)))
    return torch.stack(rows)


def runs(row: Tensor) -> list[int]:
    """(N,) bool -> lengths of the stretches of True, in order."""
    lengths, open_ = [], 0
    for value in [*row.tolist(), False]:
        if value:
            open_ += 1
        elif open_:
            lengths.append(open_)
            open_ = 0
    return lengths


def _arranged(row: Tensor, source: torch.Generator | None) -> Tensor:
    lengths = runs(row)
    free = len(row) - sum(lengths)
    # Between two runs at least one visible token; the others fall into the gaps, ends included, at random.
    device = row.device if source is None else source.device
    order = torch.randperm(len(lengths), generator=source, device=device).tolist()
    spare = free - (len(lengths) - 1)
    cuts = torch.randint(0, spare + 1, (len(lengths),), generator=source, device=device).sort().values.tolist()
    result = torch.zeros_like(row)
    at = before = 0
    for i, which in enumerate(order):
        at += cuts[i] - before + (1 if i else 0)
        before = cuts[i]
        result[at : at + lengths[which]] = True
        at += lengths[which]
    return result
