"""Post-norm transformer encoder, weight for weight that of torch's nn.TransformerEncoder with GELU.

Released key layout -> ours: seqTransEncoder.layers.{i}.self_attn.* -> layers.{i}.attention.* (see attention.py),
linear1 -> up, linear2 -> down, norm1 -> norm_attention, norm2 -> norm_feedforward.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from laban.nn.attention import SelfAttention
from laban.nn.config import TransformerConfig
from laban.nn.dropout import dropout


class Layer(nn.Module):
    """norm(x + attention(x)), then norm(x + down(gelu(up(x)))); exact (erf) GELU, LayerNorm eps 1e-5."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        d = config.width
        self.attention = SelfAttention(d, config.heads, config.attention_dropout)
        self.up = nn.Linear(d, config.feedforward)
        self.down = nn.Linear(config.feedforward, d)
        self.norm_attention = nn.LayerNorm(d)
        self.norm_feedforward = nn.LayerNorm(d)
        self.dropout = config.dropout

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        """(B, S, D), (B, S) bool or None -> (B, S, D)."""
        x = self.norm_attention(x + self._drop(self.attention(x, valid)))
        h = self._drop(F.gelu(self.up(x)))
        return self.norm_feedforward(x + self._drop(self.down(h)))

    def _drop(self, x: Tensor) -> Tensor:
        return dropout(x, self.dropout, training=self.training)


class Transformer(nn.Module):
    """A stack of layers, no final norm. `front` is what nn/local.py needs to know, and means nothing here."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))

    def forward(self, x: Tensor, valid: Tensor | None = None, front: int = 0) -> Tensor:
        """Args:
            x: (B, S, D).
            valid: (B, S) bool, True where real.
        Returns: (B, S, D).
        """
        del front
        for layer in self.layers:
            x = layer(x, valid)
        return x


class Head(nn.Module):
    """linear, GELU, LayerNorm (eps 1e-12), linear.

    Released: output_process.dense -> dense, output_process.LayerNorm -> norm, output_process.poseFinal -> last.
    """

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.last = nn.Linear(width, out)

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., out)."""
        return self.last(self.norm(F.gelu(self.dense(x))))


def initialise(module: nn.Module, std: float = 0.02) -> None:
    """Linear and Embedding weights N(0, std), biases 0; attention's fused projection keeps its Xavier weights."""
    fused = {id(m.qkv) for m in module.modules() if isinstance(m, SelfAttention)}
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Embedding) and id(part) not in fused:
            nn.init.normal_(part.weight, std=std)
            if isinstance(part, nn.Linear) and part.bias is not None:
                nn.init.zeros_(part.bias)
