"""The network of the small text encoder: a few pre-norm transformer layers over a factored token table."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class StudentConfig:
    """Sizes of the text encoder."""

    vocabulary: int  # WordPiece pieces
    table: int = 128  # width of the token table, the leading principal components of the teacher's
    width: int = 192
    heads: int = 4
    layers: int = 2
    feed: int = 768
    length: int = 64  # tokens; longer texts are cut
    pooled: int = 384  # the teacher's sentence embedding
    tokens: int = 128  # principal components of the teacher's last hidden states


class Layer(nn.Module):
    """Pre-norm self-attention and feed-forward."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.norm_attend = nn.LayerNorm(config.width)
        self.mix = nn.Linear(config.width, 3 * config.width)
        self.join = nn.Linear(config.width, config.width)
        self.norm_feed = nn.LayerNorm(config.width)
        self.widen = nn.Linear(config.width, config.feed)
        self.narrow = nn.Linear(config.feed, config.width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, L, D), mask (B, 1, 1, L) True where real -> (B, L, D)."""
        b, n, d = x.shape
        q, k, v = self.mix(self.norm_attend(x)).view(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.join(y.transpose(1, 2).reshape(b, n, d))
        return x + self.narrow(functional.gelu(self.widen(self.norm_feed(x)), approximate="tanh"))


class Student(nn.Module):
    """Token numbers -> (pooled unit vector, token features)."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.config = config
        self.table = nn.Embedding(config.vocabulary, config.table)
        self.enter = nn.Linear(config.table, config.width)
        self.position = nn.Parameter(torch.randn(config.length, config.width) * 0.02)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.weigh = nn.Linear(config.width, 4)  # four learned weightings of the tokens, beside the plain mean
        self.pool = nn.Linear(5 * config.width, config.pooled)
        self.leave = nn.Linear(config.width, config.tokens)

    def forward(self, ids: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Encode.

        Args:
            ids: (B, L) token numbers, anything where not valid.
            valid: (B, L) True where real; at least one per row.
        Returns: (B, 384) unit vectors, (B, L, tokens) features, zero where not valid.
        """
        x = self.enter(self.table(ids)) + self.position[: ids.shape[1]]
        mask = valid[:, None, None]
        for layer in self.layers:
            x = layer(x, mask)
        x = self.norm(x)
        real = valid[..., None]
        weights = self.weigh(x).masked_fill(~real, -1e4).softmax(1)
        mean = (x * real).sum(1) / real.sum(1)
        pooled = torch.cat([mean, (weights.transpose(1, 2) @ x).flatten(1)], dim=1)
        return functional.normalize(self.pool(pooled), dim=-1), self.leave(x) * real


def pack(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors for the file: the token table as int8 with one scale per row, everything else as fp16."""
    packed = {k: v.detach().half().contiguous() for k, v in state.items() if k != "table.weight"}
    table = state["table.weight"].detach().float()
    scale = (table.abs().amax(1, keepdim=True).clamp_min(1e-6) / 127).half()
    packed["table.weight"] = (table / scale.float()).round().clamp(-127, 127).to(torch.int8)
    packed["table.scale"] = scale
    return packed


def unpack(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The fp32 state that `pack` stored."""
    state = {k: v.float() for k, v in tensors.items() if k != "table.scale"}
    state["table.weight"] = state["table.weight"] * tensors["table.scale"].float()
    return state
