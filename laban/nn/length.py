"""How long a motion of these words lasts, in tokens."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.nn.sampling import batch_gumbel


class LengthEstimator(nn.Module):
    """Pooled text feature -> logits over 0 ... max_tokens tokens.

    linear, LayerNorm, LeakyReLU 0.2, dropout per width (no dropout after the last), then linear.
    Released key layout -> ours, with widths (512, 256, 128): output.{0,4,8} -> linear.{0,1,2},
    output.{1,5,9} -> norm.{0,1,2}, output.11 -> last.
    Source: MoMask (Guo et al., CVPR 2024), length estimator, as released.

    Args:
        text: width of the pooled feature.
        hidden: widths of the layers between.
        most: the largest number of tokens.
        dropout: after each of them but the last.
    """

    def __init__(self, text: int, hidden: Sequence[int], most: int, dropout: float) -> None:
        super().__init__()
        widths = (text, *hidden)
        self.linear = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True))
        self.norm = nn.ModuleList(nn.LayerNorm(b) for b in widths[1:])
        self.last = nn.Linear(widths[-1], most + 1)
        self.dropout = dropout

    def forward(self, pooled: Tensor) -> Tensor:
        """(B, W) -> (B, max_tokens + 1) logits."""
        x = pooled
        for i, (linear, norm) in enumerate(zip(self.linear, self.norm, strict=True)):
            x = F.leaky_relu(norm(linear(x)), 0.2)
            if self.dropout and i < len(self.linear) - 1:
                x = F.dropout(x, self.dropout, self.training)
        return self.last(x)

    def loss(self, pooled: Tensor, tokens: Tensor) -> dict[str, Tensor]:
        """Cross entropy, and the mean error of the expected length in tokens."""
        logits = self(pooled)
        classes = torch.arange(logits.shape[-1], device=logits.device, dtype=logits.dtype)
        with torch.no_grad():
            error = ((logits.softmax(-1) * classes).sum(-1) - tokens).abs().mean()
        return {"loss": F.cross_entropy(logits, tokens), "error": error}


def draw_lengths(logits: Tensor, sources: Sequence[torch.Generator], how: str) -> list[int]:
    """Token counts of at least 1 from logits over 0, 1, 2, ... tokens.

    Args:
        logits: (B, C).
        sources: one CPU generator per row.
        how: "sample"; "middle", sampled from the middle half of the distribution, since an action may be recorded in a
            second and in thirteen; or "expected", the rounded expectation.
    """
    logits = logits.float().cpu().clone()
    logits[:, 0] = float("-inf")
    if how == "expected":
        classes = torch.arange(logits.shape[1], dtype=logits.dtype)
        return [max(1, round(float(v))) for v in (logits.softmax(-1) * classes).sum(-1)]
    if how == "middle":
        share = logits.softmax(-1)
        below = share.cumsum(-1)
        outside = (below < 0.25) | (below - share > 0.75)
        logits = logits.masked_fill(outside, float("-inf"))
    noise = batch_gumbel([1] * len(logits), logits.shape[1], sources, "cpu")[:, 0]
    return (logits + noise).argmax(-1).tolist()
