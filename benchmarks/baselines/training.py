"""One training step of each transformer with the released trainer's habits: the clips are encoded by the tokenizer in
every step, with gradients on, and everything is padded to 196 frames. Written from the published facts.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from baselines.momask import Baseline, padding
from torch import Tensor


def masked_step(made: Baseline, motion: Tensor, text: Tensor, lengths: Tensor) -> Tensor:
    """(B, 196, W), (B, D), (B,) tokens -> the loss; the caller goes backward."""
    codes = made.vq.encode(motion)[..., 0]
    b, n = codes.shape
    pad = padding(lengths, n)
    count = torch.cos(torch.rand(b) * math.pi / 2).mul(n).round().clamp(min=1)
    hidden = (torch.rand(b, n).argsort(-1) < count[:, None]) & ~pad
    scramble = hidden & (torch.rand(b, n) < 0.1)
    blank = hidden & ~scramble & (torch.rand(b, n) < 0.88)
    ids = torch.where(pad, made.sizes.codes + 1, codes)
    ids = torch.where(scramble, torch.randint(0, made.sizes.codes, (b, n)), ids)
    ids = torch.where(blank, made.sizes.codes, ids)
    text = text * (torch.rand(b) >= 0.1)[:, None]
    return masked_loss(made, ids, codes, hidden, text, pad)


def masked_loss(made: Baseline, ids: Tensor, codes: Tensor, hidden: Tensor, text: Tensor, pad: Tensor) -> Tensor:
    logits = made.masked(ids, text, pad)
    return F.cross_entropy(logits.permute(0, 2, 1), torch.where(hidden, codes, -1), ignore_index=-1)


def residual_step(made: Baseline, motion: Tensor, text: Tensor, lengths: Tensor) -> Tensor:
    codes = made.vq.encode(motion)
    b, n = codes.shape[:2]
    u = torch.rand(b)
    q = ((1 - torch.cos(u * math.pi / 2)) * (made.sizes.quantizers - 2)).round().long() + 1
    text = text * (torch.rand(b) >= 0.2)[:, None]
    return residual_loss(made, codes, q, text, padding(lengths, n))


def residual_loss(made: Baseline, codes: Tensor, q: Tensor, text: Tensor, pad: Tensor) -> Tensor:
    ids = torch.where(pad[..., None], made.sizes.codes, codes)
    logits = made.residual(made.residual.sums(ids, q), q, text, pad)
    target = ids.gather(2, q[:, None, None].expand(-1, ids.shape[1], 1))[..., 0]
    return F.cross_entropy(logits.permute(0, 2, 1), target, ignore_index=made.sizes.codes)
