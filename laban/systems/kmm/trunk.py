"""What mixes over time: state-space layers, or a transformer of the same interface to compare with.

Both work on a stretch of whole blocks after a state. A token sees its own block and everything before it ("causal":
only itself and what is before it), whether the stretch is computed at once or block by block.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.nn.dropout import dropout
from laban.nn.ssm import ScanState, StateSpace, StateSpaceConfig
from laban.systems.kmm.config import TrunkConfig


@dataclass
class Context:
    """Keys and values (B, H, P, D / H) of all tokens so far: what a transformer remembers. It grows."""

    keys: Tensor
    values: Tensor


State = list[ScanState] | list[Context]


class Trunk(nn.Module):
    """A stack of layers and a norm."""

    def __init__(self, config: TrunkConfig) -> None:
        super().__init__()
        self.config = config
        if config.backbone == "transformer":
            self.layers = nn.ModuleList(BlockAttention(config) for _ in range(config.layers))
        else:
            sizes = StateSpaceConfig(
                config.width, config.inner, config.heads, config.state, config.conv, config.backbone == "ssd",
                dropout=config.dropout,
            )  # fmt: skip
            self.layers = nn.ModuleList(StateSpace(sizes) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, eps=1e-5)

    def forward(self, x: Tensor, state: State | None = None, block: int | None = None) -> tuple[Tensor, State]:
        """A stretch.

        Args:
            x: (B, L, D).
            state: after what came before.
            block: tokens per block; None: the stretch is one block.
        Returns: (B, L, D), and the state after the stretch.
        """
        if x.dtype in (torch.bfloat16, torch.float16):
            x = x.float()  # what is added up over layers stays in float32
        after = []
        for i, layer in enumerate(self.layers):
            given = None if state is None else state[i]
            if isinstance(layer, StateSpace):
                x, new = layer(x, None, given, block)
            else:
                x, new = layer(x, given, block)
            after.append(new)
        return self.norm(x), after


class BlockAttention(nn.Module):
    """Pre-norm attention over the own and all earlier blocks, with rotary positions, and a feed-forward layer."""

    def __init__(self, config: TrunkConfig) -> None:
        super().__init__()
        self.config = config
        d = config.width
        self.first, self.second = nn.RMSNorm(d, eps=1e-5), nn.RMSNorm(d, eps=1e-5)
        self.qkv = nn.Linear(d, 3 * d, bias=False)
        self.out = nn.Linear(d, d, bias=False)
        self.up, self.down = nn.Linear(d, config.inner), nn.Linear(config.inner, d)

    def forward(self, x: Tensor, state: Context | None = None, block: int | None = None) -> tuple[Tensor, Context]:
        """(B, L, D) after a context -> (B, L, D) and the longer context."""
        g = self.config
        b, length, d = x.shape
        q, k, v = self.qkv(self.first(x)).reshape(b, length, 3, g.heads, d // g.heads).permute(2, 0, 3, 1, 4)
        past = 0 if state is None else state.keys.shape[2]
        q, k = _turned(q, past), _turned(k, past)
        if state is not None:
            k, v = torch.cat([state.keys, k], 2), torch.cat([state.values, v], 2)
        seen = None
        if block is not None and block < length:
            own = torch.arange(length, device=x.device) // block
            seen = own[:, None] >= own[None]
            if past:
                seen = torch.cat([seen.new_ones(length, past), seen], 1)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        x = x + self._drop(self.out(y.transpose(1, 2).reshape(b, length, d)))
        return x + self._drop(self.down(F.gelu(self.up(self.second(x))))), Context(k, v)

    def _drop(self, x: Tensor) -> Tensor:
        return dropout(x, self.config.dropout, training=self.training)


def _turned(x: Tensor, first: int) -> Tensor:
    """Rotary positions first, first + 1, ... on (B, H, L, P)."""
    half = x.shape[-1] // 2
    rate = 10000.0 ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    angle = torch.arange(first, first + x.shape[2], device=x.device)[:, None] * rate
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    a, b, rest = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
    return torch.cat([a * cos - b * sin, a * sin + b * cos, rest], -1)


def floats(state: State) -> int:
    """How many numbers a state holds."""
    total = 0
    for part in state:
        both = (part.recent, part.hidden) if isinstance(part, ScanState) else (part.keys, part.values)
        total += sum(t.numel() for t in both)
    return total
