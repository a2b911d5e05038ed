"""Generation of tokens: the base layer by iterative unmasking, then the residual layers one by one.

Every sample has its own generator and draws noise only for its own positions, and padding is masked, so what a
sample becomes does not depend on its batch-mates (beyond the last bits of float32 sums).
Source: MoMask (Guo et al., CVPR 2024), as released. Deviations: categorical draws are Gumbel maxima with one
generator per sample (the released stream depends on the batch); the residual layers cannot emit their padding class
unless `pad_class` is set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from laban.nn.masking import lowest, remaining
from laban.nn.sampling import batch_gumbel, keep_top
from laban.systems.momask.condition import Condition
from laban.systems.momask.masked import MaskedTransformer
from laban.systems.momask.residual import ResidualTransformer

KEPT = 1e5
"""Score of a token that is final."""


@dataclass(frozen=True)
class Draw:
    """How tokens are drawn: guidance scale, temperature, and the share of classes that are never drawn."""

    guidance: float
    temperature: float = 1.0
    filter: float = 0.9


def validity(lengths: Sequence[int], device: torch.device) -> Tensor | None:
    """(B, max) bool, True where real; None when all lengths are equal."""
    if len(set(lengths)) == 1:
        return None
    places = torch.arange(max(lengths), device=device)
    return places < torch.tensor(list(lengths), device=device)[:, None]


@torch.no_grad()
def sample_base(
    model: MaskedTransformer,
    condition: Condition,
    lengths: Sequence[int],
    sources: Sequence[torch.Generator],
    steps: int,
    draw: Draw,
    known: Tensor | None = None,
    editable: Tensor | None = None,
) -> Tensor:
    """Tokens of the base layer.

    Args:
        lengths: tokens per sample. sources: one CPU generator per sample.
        known, editable: in-painting: (B, N) int64 tokens to start from, and (B, N) bool positions to replace.
    Returns: (B, max(lengths)) int64, -1 beyond a sample's length.
    """
    device = condition.pooled.device
    valid = validity(lengths, device)
    b, n = len(lengths), max(lengths)
    real = torch.ones(b, n, dtype=torch.bool, device=device) if valid is None else valid
    free = real if editable is None else real & editable
    ids = torch.full((b, n), model.mask_id, device=device) if known is None else known.clone()
    ids[free] = model.mask_id
    ids[~real] = model.pad_id
    scores = torch.full((b, n), KEPT, device=device).masked_fill(free, 0.0)
    count = free.sum(-1)
    double = condition.doubled() if draw.guidance != 1 else condition
    for step in range(steps):
        hidden = lowest(scores, remaining(count, step, steps)) & free
        ids = torch.where(hidden, model.mask_id, ids)
        if draw.guidance == 1:
            logits = model(ids, condition, valid)
        else:
            both = model(ids.repeat(2, 1), double, None if valid is None else valid.repeat(2, 1))
            logits = torch.lerp(both[b:], both[:b], draw.guidance)
        noise = batch_gumbel(lengths, model.codes, sources, device)
        drawn = (keep_top(logits, draw.filter) / draw.temperature + noise).argmax(-1)
        sure = logits.softmax(-1).gather(-1, drawn[..., None])[..., 0]
        ids = torch.where(hidden, drawn, ids)
        scores = torch.where(hidden, sure, KEPT)
    return ids.masked_fill(~real, -1)


@torch.no_grad()
def sample_residual(
    model: ResidualTransformer,
    base: Tensor,
    condition: Condition,
    lengths: Sequence[int],
    sources: Sequence[torch.Generator],
    draw: Draw,
    pad_class: bool = False,
) -> Tensor:
    """All layers, given the base layer.

    Args: base: (B, N) int64, -1 beyond a sample's length.
    Returns: (B, N, Q) int64; -1 beyond the length (and, with pad_class, where the model said nothing).
    """
    valid = validity(lengths, base.device)
    b = len(lengths)
    pad = model.pad_id
    layers = [torch.where(base < 0, pad, base)]
    below = torch.zeros((), device=base.device)
    double = condition.doubled() if draw.guidance != 1 else condition
    for q in range(1, model.quantizers):
        below = below + model.embed(layers[-1], q - 1)
        which = torch.full((b,), q, device=base.device)
        if draw.guidance == 1:
            logits = model(below, which, condition, valid)
        else:
            twice = None if valid is None else valid.repeat(2, 1)
            both = model(below.repeat(2, 1, 1), which.repeat(2), double, twice)
            logits = torch.lerp(both[b:], both[:b], draw.guidance)
        noise = batch_gumbel(lengths, pad + 1, sources, base.device)
        if not pad_class:
            logits[..., pad] = float("-inf")
        drawn = (keep_top(logits, draw.filter) / draw.temperature + noise).argmax(-1)
        layers.append(torch.where(base < 0, pad, drawn))
    codes = torch.stack(layers, -1)
    return codes.masked_fill(codes == pad, -1)


def draw_lengths(logits: Tensor, sources: Sequence[torch.Generator], how: str) -> list[int]:
    """(B, C) logits over token counts -> a count of at least 1 each, sampled or the rounded expectation."""
    logits = logits.float().cpu().clone()
    logits[:, 0] = float("-inf")
    if how == "expected":
        classes = torch.arange(logits.shape[1], dtype=logits.dtype)
        return [max(1, round(float(v))) for v in (logits.softmax(-1) * classes).sum(-1)]
    noise = batch_gumbel([1] * len(logits), logits.shape[1], sources, "cpu")[:, 0]
    return (logits + noise).argmax(-1).tolist()
