"""Multi-head self-attention with one fused projection."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Bidirectional attention over (B, S, D).

    Released key layout -> ours: self_attn.in_proj_weight|in_proj_bias -> qkv.weight|bias (rows q, k, v in order),
    self_attn.out_proj -> out.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.qkv.weight)  # released: a raw parameter, which the N(0, 0.02) does not reach
        nn.init.zeros_(self.qkv.bias)

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """Args:
            x: (B, S, D).
            valid: (B, S) bool, True where real; None: all are.
        Returns: (B, S, D).
        """
        b, s, d = x.shape
        q, k, v = self.qkv(x).reshape(b, s, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mask = None if valid is None else valid[:, None, None, :]
        dropout = self.dropout if self.training else 0.0
        y = attend(q, k, v, mask, dropout)
        return self.out(y.transpose(1, 2).reshape(b, s, d))


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, dropout: float = 0.0) -> Tensor:
    """Scaled dot-product attention over (B, H, S, P); mask: bool, True where a key may be seen.

    In bfloat16 on a CPU, torch's fused kernel takes five times as long backward as three plain products (measured on
    AVX512-BF16), so training there uses those.
    """
    if q.dtype != torch.bfloat16 or q.device.type != "cpu" or dropout or not q.requires_grad:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout)
    scores = (q @ k.transpose(-1, -2)) * (q.shape[-1] ** -0.5)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    return scores.softmax(-1).to(v.dtype) @ v


def sinusoids(length: int, width: int) -> Tensor:
    """(length, width) sines in even and cosines in odd columns, wavelengths 2 pi to 10000 * 2 pi."""
    place = torch.arange(length, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-torch.log(torch.tensor(10000.0)) / width))
    table = torch.zeros(length, width)
    table[:, 0::2] = torch.sin(place * rate)
    table[:, 1::2] = torch.cos(place * rate)
    return table
