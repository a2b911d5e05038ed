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
from laban.nn.sampling import gumbel_of, top, uniform_rows
from laban.nn.tokenizer import Tokenizer
from laban.systems.momask.condition import Condition
from laban.systems.momask.guided import GuidedMasked, GuidedResidual, Positions
from laban.systems.momask.masked import MaskedTransformer
from laban.systems.momask.residual import ResidualTransformer

KEPT = 1e5
"""Score of a token that is final."""


@dataclass(frozen=True)
class SamplingOptions:
    """How tokens of one network are sampled.

    Attributes:
        guidance: classifier-free guidance scale; 1: none.
        temperature: logits are divided by it.
        filter: the share of classes, the least likely ones, that are never sampled.
    """

    guidance: float
    temperature: float = 1.0
    filter: float = 0.9


@dataclass(frozen=True, eq=False)
class Inpainting:
    """Tokens to start from, and which of them are replaced; the others stay.

    Attributes:
        tokens: (B, N) int64 for the base layer, (B, N, Q) for all layers.
        editable: (B, N) bool.
    """

    tokens: Tensor
    editable: Tensor


@torch.no_grad()
def sample_base(
    model: MaskedTransformer,
    condition: Condition,
    lengths: Sequence[int],
    sources: Sequence[torch.Generator],
    steps: int,
    options: SamplingOptions,
    inpainting: Inpainting | None = None,
) -> Tensor:
    """Tokens of the base layer.

    Args:
        model: the masked transformer.
        condition: of B texts.
        lengths: tokens per sample.
        sources: one CPU generator per sample.
        steps: rounds of unmasking.
        options: how tokens are sampled.
        inpainting: (B, N) tokens of which only some are sampled; None: all are.
    Returns: (B, max(lengths)) int64, -1 beyond a sample's length.
    """
    device = condition.pooled.device
    b, n = len(lengths), max(lengths)
    real = real_places(lengths, device)
    free = real if inpainting is None else real & inpainting.editable
    ids = torch.full((b, n), model.mask_id, device=device) if inpainting is None else inpainting.tokens.clone()
    ids[free] = model.mask_id
    ids[~real] = model.pad_id
    scores = torch.full((b, n), KEPT, device=device).masked_fill(free, 0.0)
    count = free.sum(-1)
    guided = GuidedMasked(model, condition, lengths, options.guidance)
    for step in range(steps):
        hidden = lowest(scores, remaining(count, step, steps)) & free
        ids = torch.where(hidden, model.mask_id, ids)
        at = Positions.of(hidden)
        noise = uniform_rows(lengths, model.codes, sources, device)
        logits = guided.logits(ids, at).float()
        drawn = sampled_classes(logits, options, noise, at.rows)
        sure = logits.softmax(-1).gather(-1, drawn[:, None])[:, 0]
        ids.view(-1)[at.rows] = drawn
        scores = torch.full_like(scores, KEPT)
        scores.view(-1)[at.rows] = sure
    return ids.masked_fill(~real, -1)


@torch.no_grad()
def sample_residual(
    model: ResidualTransformer,
    base: Tensor,
    condition: Condition,
    lengths: Sequence[int],
    sources: Sequence[torch.Generator],
    options: SamplingOptions,
    *,
    pad_class: bool = False,
    inpainting: Inpainting | None = None,
) -> Tensor:
    """All layers, given the base layer.

    Args:
        model: the residual transformer.
        base: (B, N) int64, -1 beyond a sample's length.
        condition: of B texts.
        lengths: tokens per sample.
        sources: one CPU generator per sample.
        options: how tokens are sampled.
        pad_class: let the padding class be sampled, as the released code does.
        inpainting: (B, N, Q) tokens of which only some positions are sampled, in every layer (the released code
            samples the whole clip again); None: all are.
    Returns: (B, N, Q) int64; -1 beyond the length (and, with pad_class, where padding was sampled).
    """
    pad = model.pad_id
    real = real_places(lengths, base.device)
    free = real if inpainting is None else real & inpainting.editable
    known = None if inpainting is None else inpainting.tokens
    at = Positions.of(free)
    guided = GuidedResidual(model, condition, lengths, options.guidance)
    layers = [torch.where(real, base, pad)]
    for q in range(1, model.quantizers):
        guided.add(layers[-1], q - 1)
        noise = uniform_rows(lengths, pad + 1, sources, base.device)
        logits = guided.logits(q, at).float()
        if not pad_class:
            logits[..., pad] = float("-inf")
        drawn = sampled_classes(logits, options, noise, at.rows)
        layer = (
            torch.full_like(base, pad)
            if known is None
            else torch.where(real & (known[..., q] >= 0), known[..., q], pad)
        )
        layer.view(-1)[at.rows] = drawn
        layers.append(layer)
    codes = torch.stack(layers, -1)
    return codes.masked_fill(codes == pad, -1)


def real_places(lengths: Sequence[int], device: torch.device) -> Tensor:
    """(B, max) bool, True where real."""
    places = torch.arange(max(lengths), device=device)
    return places < torch.tensor(list(lengths), device=device)[:, None]


def sampled_classes(logits: Tensor, options: SamplingOptions, noise: Tensor, rows: Tensor) -> Tensor:
    """One of the likeliest classes per row: (M, K) logits, (B * N, K) uniform noise, (M,) rows of it -> (M,).

    The maximum of logits / temperature + Gumbel noise over the classes that are kept. Noise is drawn for every position
    of a sample, so its stream does not depend on how many are hidden, and shaped only where it is used.
    """
    values, index = top(logits, options.filter)
    used = gumbel_of(noise[rows].gather(-1, index))
    best = (values / options.temperature + used).argmax(-1, keepdim=True)
    return index.gather(-1, best)[:, 0]


def decode_ragged(tokenizer: Tokenizer, codes: Tensor, lengths: Sequence[int]) -> list[Tensor]:
    """(B, N, Q) codes -> one (stride * length, W) of normalised features per sample.

    Each clip at its own length, so no padding leaks in (the released decoder pads, which reaches into the clip);
    clips of one length together.
    """
    out: dict[int, Tensor] = {}
    for length in sorted(set(lengths)):
        rows = [i for i, n in enumerate(lengths) if n == length]
        out.update(zip(rows, tokenizer.decode(codes[rows, :length]), strict=True))
    return [out[i] for i in range(len(lengths))]
