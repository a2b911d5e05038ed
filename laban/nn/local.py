"""A transformer encoder that reads its neighbours from the first step on.

Pre-norm layers of a gated convolution over time (as in Gulati et al., "Conformer", 2020, section 2.2), attention with
rotary positions (Su et al., "RoFormer", 2021, section 3.2) and a feed-forward part. Ours, for small data: with
sinusoids
added once at the entrance, the released trunk learnt captions and positions by heart before it learnt to look at the
tokens beside a hidden one. A convolution inside the attention's input did not cure it, since attention averages what it
has not yet learnt to tell apart (docs/method/momask.md).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.nn.attention import attend
from laban.nn.config import TransformerConfig
from laban.nn.dropout import dropout


class LocalLayer(nn.Module):
    """x + mixed(norm(x)), then x + attention(norm(x)), then x + down(gelu(up(norm(x))))."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        d = config.width
        self.heads, self.dropout, self.attention_dropout = config.heads, config.dropout, config.attention_dropout
        self.norm_mix, self.norm_attention, self.norm_feedforward = nn.LayerNorm(d), nn.LayerNorm(d), nn.LayerNorm(d)
        self.gate = nn.Linear(d, 2 * d)
        self.mix = nn.Conv1d(d, d, config.kernel, padding=config.kernel // 2, groups=d)
        self.mixed = nn.Linear(d, d)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.up, self.down = nn.Linear(d, config.feedforward), nn.Linear(config.feedforward, d)

    def forward(self, x: Tensor, valid: Tensor | None, front: int, turn: tuple[Tensor, Tensor]) -> Tensor:
        """Args:
        x: (B, S, D).
        valid: (B, S) bool or None.
        front: rows before the sequence, which are not mixed.
        """
        x = self._mix(x, valid, front)
        b, s, d = x.shape
        h = self.norm_attention(x)
        q, k, v = self.qkv(h).reshape(b, s, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mask = None if valid is None else valid[:, None, None, :]
        y = attend(_turned(q, turn), _turned(k, turn), v, mask, self.attention_dropout if self.training else 0.0)
        x = x + dropout(self.out(y.transpose(1, 2).reshape(b, s, d)), self.dropout, training=self.training)
        h = dropout(F.gelu(self.up(self.norm_feedforward(x))), self.dropout, training=self.training)
        return x + dropout(self.down(h), self.dropout, training=self.training)

    def _mix(self, x: Tensor, valid: Tensor | None, front: int) -> Tensor:
        """The gated convolution over the rows of the sequence; padding counts as zero."""
        row = F.glu(self.gate(self.norm_mix(x[:, front:])), -1)
        if valid is not None:
            row = row * valid[:, front:, None].to(row.dtype)
        row = F.silu(self.mix(row.transpose(1, 2)).transpose(1, 2))
        row = dropout(self.mixed(row), self.dropout, training=self.training)
        return torch.cat([x[:, :front], x[:, front:] + row], 1) if front else x + row


class LocalTransformer(nn.Module):
    """A stack of such layers and a norm, called as `nn.transformer.Transformer` is."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.width = config.width // config.heads
        self.layers = nn.ModuleList(LocalLayer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, valid: Tensor | None = None, front: int = 0) -> Tensor:
        """Args:
            x: (B, S, D).
            valid: (B, S) bool, True where real.
            front: rows at the beginning without a place.

        Returns: (B, S, D).
        """
        if x.dtype in (torch.bfloat16, torch.float16):
            x = x.float()  # what is added up over layers stays in float32
        turn = _turn(x.shape[1], front, self.width, x)
        for layer in self.layers:
            x = layer(x, valid, front, turn)
        return self.norm(x)


def _turn(length: int, front: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines (S, P / 2) of rotary positions; rows in front have none, which is position 0."""
    place = (torch.arange(length, device=like.device) - front).clamp_min(0)
    rate = 1000.0 ** (-torch.arange(width // 2, device=like.device, dtype=torch.float32) / (width // 2))
    angle = place[:, None] * rate
    return angle.cos(), angle.sin()


def _turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    cos, sin = (t.to(x.dtype) for t in turn)
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)
