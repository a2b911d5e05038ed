"""How long a motion of these words lasts, in tokens."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.systems.momask.config import MoMaskConfig


class LengthEstimator(nn.Module):
    """Pooled text feature -> logits over 0 ... max_tokens tokens.

    linear, LayerNorm, LeakyReLU 0.2, dropout per width (no dropout after the last), then linear.
    Released key layout -> ours, with widths (512, 256, 128): output.{0,4,8} -> linear.{0,1,2},
    output.{1,5,9} -> norm.{0,1,2}, output.11 -> last.
    """

    def __init__(self, config: MoMaskConfig) -> None:
        super().__init__()
        widths = (config.text.width, *config.length.widths)
        self.linear = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True))
        self.norm = nn.ModuleList(nn.LayerNorm(b) for b in widths[1:])
        self.last = nn.Linear(widths[-1], config.max_tokens + 1)
        self.dropout = config.length.dropout

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
