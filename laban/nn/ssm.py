"""A state-space layer in the SSD form: one scalar decay per head and step, written as matrix products over chunks.

Source: Dao and Gu, "Transformers are SSMs", ICML 2024 (Mamba-2): the recurrence
    h[t] = exp(log_decay[t]) h[t-1] + x[t] (outer) b[t],   y[t] = h[t] c[t]
and its chunked evaluation. Plain PyTorch, no compiled extension: the same code runs on the CPU and on CUDA.
Deviations: b and c are shared by all heads (one group); with `backward` a second scan runs from right to left and
starts anew in each block (see `StateSpace`), so that a bidirectional layer can still be streamed block by block.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.errors import InputError, ShapeError


@dataclass(frozen=True)
class StateSpaceConfig:
    """Sizes of one layer."""

    width: int = 256  # D, of the residual stream
    inner: int = 512  # E, of the scan; a multiple of heads
    heads: int = 8  # H, each with its own decay
    state: int = 32  # N, numbers kept per inner channel
    conv: int = 4  # taps of the causal convolution before the scan
    backward: bool = True  # also scan each block from right to left
    chunk: int = 32  # positions per matrix product

    def __post_init__(self) -> None:
        for name in ("width", "inner", "heads", "state", "conv", "chunk"):
            if getattr(self, name) < 1:
                raise InputError(f"StateSpaceConfig.{name}: got {getattr(self, name)}, expected at least 1.")
        if self.inner % self.heads:
            raise InputError(
                f"StateSpaceConfig.inner: got {self.inner} with {self.heads} heads, expected a multiple of heads."
            )


@dataclass
class ScanState:
    """What a scan remembers: `recent` (B, C, conv - 1) inputs of the convolution, `hidden` (B, H, P, N)."""

    recent: Tensor
    hidden: Tensor

    def repeat(self, count: int) -> ScanState:
        """The same for `count` copies of the batch, one after the other."""
        return ScanState(self.recent.repeat(count, 1, 1), self.hidden.repeat(count, 1, 1, 1))


def ssd(
    x: Tensor, log_decay: Tensor, b: Tensor, c: Tensor, state: Tensor | None = None, chunk: int = 32
) -> tuple[Tensor, Tensor]:
    """The recurrence at the head of this file, for a whole sequence.

    Args:
        x: (B, L, H, P). log_decay: (B, L, H), at most 0; a position with log_decay 0 and x 0 is as if absent.
        b, c: (B, L, N). state: (B, H, P, N) to start from; None: zeros.
        chunk: positions per matrix product; the result does not depend on it beyond rounding.
    Returns: y (B, L, H, P) and the state after the last position (B, H, P, N).
    Raises: ShapeError if the shapes do not fit together.
    """
    batch, length, heads, inner = _checked(x, log_decay, b, c, state)
    size = b.shape[-1]
    k = min(chunk, length)
    count = -(-length // k)
    spare = count * k - length
    if spare:
        x, b, c = (F.pad(t, (0, 0) * (t.ndim - 2) + (0, spare)) for t in (x, b, c))
        log_decay = F.pad(log_decay, (0, 0, 0, spare))
    x = x.reshape(batch, count, k, heads, inner)
    b, c = b.reshape(batch, count, k, size), c.reshape(batch, count, k, size)
    total = log_decay.reshape(batch, count, k, heads).permute(0, 1, 3, 2).cumsum(-1)  # (B, C, H, K)

    later = torch.ones(k, k, dtype=torch.bool, device=x.device).triu(1)
    between = (total[..., :, None] - total[..., None, :]).masked_fill(later, float("-inf")).exp()  # (B, C, H, K, K)
    weight = between * (c @ b.transpose(-1, -2))[:, :, None]
    values = x.permute(0, 1, 3, 2, 4)  # (B, C, H, K, P)
    y = weight @ values

    if count > 1 or state is not None:
        whole = total[..., -1]
        left = (whole[..., None] - total).exp()  # (B, C, H, K) decay from a position to the end of its chunk
        gained = (values * left[..., None]).transpose(-1, -2) @ b[:, :, None]  # (B, C, H, P, N)
        hidden = torch.zeros_like(gained[:, 0]) if state is None else state
        before = []
        for i in range(count):
            before.append(hidden)
            hidden = whole[:, i].exp()[..., None, None] * hidden + gained[:, i]
        past = c[:, :, None] @ torch.stack(before, 1).transpose(-1, -2)  # (B, C, H, K, P)
        y = y + total.exp()[..., None] * past
    else:
        left = (total[..., -1:] - total).exp()
        hidden = ((values * left[..., None]).transpose(-1, -2) @ b[:, :, None])[:, 0]
    return y.permute(0, 1, 3, 2, 4).reshape(batch, count * k, heads, inner)[:, :length], hidden


def ssd_step(x: Tensor, log_decay: Tensor, b: Tensor, c: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """One position of `ssd`.

    Args: x: (B, H, P). log_decay: (B, H). b, c: (B, N). state: (B, H, P, N).
    Returns: y (B, H, P) and the next state.
    """
    state = log_decay.exp()[..., None, None] * state + x[..., None] * b[:, None, None, :]
    return (state @ c[:, None, :, None])[..., 0], state


class Scan(nn.Module):
    """One direction: causal convolution, SiLU, scan, skip.

    Source: Mamba-2. The step size is softplus(raw + bias) per head, the decay exp(-step * rate), rate > 0 learned.
    """

    def __init__(self, config: StateSpaceConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.inner + 2 * config.state
        self.taps = nn.Parameter(torch.empty(config.conv, channels).uniform_(-1, 1) / config.conv**0.5)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.log_rate = nn.Parameter(torch.empty(config.heads).uniform_(1, 16).log())
        step = torch.exp(torch.empty(config.heads).uniform_(math.log(1e-3), math.log(0.1)))
        self.step_bias = nn.Parameter(step + torch.log(-torch.expm1(-step)))  # the inverse of softplus
        self.skip = nn.Parameter(torch.ones(config.heads))

    def start(self, batch: int, like: Tensor) -> ScanState:
        """The state before the first position, of the type and device of `like`."""
        g = self.config
        return ScanState(
            like.new_zeros(batch, g.inner + 2 * g.state, g.conv - 1),
            like.new_zeros(batch, g.heads, g.inner // g.heads, g.state),
        )

    def forward(
        self, xbc: Tensor, raw: Tensor, valid: Tensor | None = None, state: ScanState | None = None
    ) -> tuple[Tensor, ScanState]:
        """A stretch of any length, after `state`.

        Args:
            xbc: (B, L, E + 2 N) inputs of the convolution. raw: (B, L, H) before the softplus.
            valid: (B, L) bool, True where real; what is not changes nothing (padding must come last, or first
                without a state). None: all are.
        Returns: (B, L, E), and the state after the last position.
        """
        g = self.config
        batch, length, channels = xbc.shape
        if valid is not None:
            xbc = xbc * valid[..., None]
        behind = xbc.new_zeros(batch, g.conv - 1, channels) if state is None else state.recent.transpose(1, 2)
        row = torch.cat([behind, xbc], 1)
        mixed = self.bias + row[:, :length] * self.taps[0]
        for i in range(1, g.conv):
            mixed = torch.addcmul(mixed, row[:, i : i + length], self.taps[i])
        x, b, c = F.silu(mixed).split([g.inner, g.state, g.state], -1)
        step = F.softplus(raw + self.step_bias)
        if valid is not None:
            step = step * valid[..., None]
        x = x.reshape(batch, length, g.heads, -1)
        y, hidden = ssd(
            x * step[..., None], -step * self.log_rate.exp(), b, c, None if state is None else state.hidden, g.chunk
        )
        y = torch.addcmul(y, x, self.skip[:, None])
        if valid is None or g.conv == 1:
            recent = row[:, length:]
        else:  # the last real inputs
            ends = valid.sum(-1)[:, None] + torch.arange(g.conv - 1, device=xbc.device)
            recent = row.gather(1, ends[..., None].expand(-1, -1, channels))
        return y.reshape(batch, length, g.inner), ScanState(recent.transpose(1, 2), hidden)

    def step(self, xbc: Tensor, raw: Tensor, state: ScanState) -> tuple[Tensor, ScanState]:
        """One position, as a recurrence. Args: xbc: (B, E + 2 N). raw: (B, H). Returns: (B, E), next state."""
        g = self.config
        row = torch.cat([state.recent, xbc[..., None]], -1)
        mixed = self.bias + (row * self.taps.T).sum(-1)
        x, b, c = F.silu(mixed).split([g.inner, g.state, g.state], -1)
        step = F.softplus(raw + self.step_bias)
        x = x.reshape(len(x), g.heads, -1)
        y, hidden = ssd_step(x * step[..., None], -step * self.log_rate.exp(), b, c, state.hidden)
        return (y + x * self.skip[:, None]).flatten(1), ScanState(row[..., 1:], hidden)


class StateSpace(nn.Module):
    """A residual layer: x + out(norm(scans(x) * gate(x))), of one direction or two.

    The forward scan carries its state from block to block without end. The backward scan, where there is one, starts
    at the end of each block and ends at its beginning, alike in training and in generation; both directions read the
    same projected inputs and have their own b, c and step sizes.
    """

    def __init__(self, config: StateSpaceConfig) -> None:
        super().__init__()
        self.config = config
        each = 2 * config.state + config.heads
        ways = 2 if config.backward else 1
        self.norm = nn.RMSNorm(config.width, eps=1e-5)
        self.enter = nn.Linear(config.width, 2 * config.inner + ways * each, bias=False)
        self.ahead = Scan(config)
        self.back = Scan(config) if config.backward else None
        self.gated = nn.RMSNorm(config.inner, eps=1e-5)
        self.out = nn.Linear(config.inner, config.width, bias=False)

    def start(self, batch: int, like: Tensor) -> ScanState:
        """The state before the first position."""
        return self.ahead.start(batch, like)

    def forward(
        self, x: Tensor, valid: Tensor | None = None, state: ScanState | None = None, block: int | None = None
    ) -> tuple[Tensor, ScanState]:
        """A stretch of any length.

        Args:
            x: (B, L, D). valid: (B, L) bool, True where real; padding comes last.
            state: of the forward scan, from what came before.
            block: positions per block of the backward scan; None: the stretch is one block.
        Returns: (B, L, D), and the state of the forward scan after the last real position.
        """
        g = self.config
        gate, inner, ahead, back = self._project(x)
        y, after = self.ahead(torch.cat([inner, ahead[..., g.heads :]], -1), ahead[..., : g.heads], valid, state)
        if self.back is not None:
            y = y + self._backward(torch.cat([inner, back[..., g.heads :]], -1), back[..., : g.heads], valid, block)
        return x + self.out(self.gated(y * F.silu(gate))), after

    def step(self, x: Tensor, state: ScanState) -> tuple[Tensor, ScanState]:
        """One position of a layer without a backward scan, as a recurrence: (B, D) -> (B, D), next state.

        Raises: InputError for a layer with a backward scan: it cannot know what comes later.
        """
        if self.back is not None:
            raise InputError("StateSpace.step: this layer also scans backward; give it whole blocks.")
        heads = self.config.heads
        gate, inner, ahead, _ = self._project(x)
        y, state = self.ahead.step(torch.cat([inner, ahead[..., heads:]], -1), ahead[..., :heads], state)
        return x + self.out(self.gated(y * F.silu(gate))), state

    def _project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        g = self.config
        each = 2 * g.state + g.heads
        sizes = [g.inner, g.inner, each, each if g.backward else 0]
        gate, inner, ahead, back = self.enter(self.norm(x)).split(sizes, -1)
        return gate, inner, ahead, back

    def _backward(self, xbc: Tensor, raw: Tensor, valid: Tensor | None, block: int | None) -> Tensor:
        assert self.back is not None
        batch, length = raw.shape[:2]
        size = length if block is None else min(block, length)
        spare = -length % size
        if spare:
            if valid is None:
                valid = torch.ones(batch, length, dtype=torch.bool, device=raw.device)
            xbc, raw, valid = F.pad(xbc, (0, 0, 0, spare)), F.pad(raw, (0, 0, 0, spare)), F.pad(valid, (0, spare))
        rows = [t.reshape(-1, size, t.shape[-1]).flip(1) for t in (xbc, raw)]
        real = None if valid is None else valid.reshape(-1, size).flip(1)
        y, _ = self.back(rows[0], rows[1], real)
        return y.flip(1).reshape(batch, length + spare, -1)[:, :length]


def _checked(x: Tensor, log_decay: Tensor, b: Tensor, c: Tensor, state: Tensor | None) -> tuple[int, int, int, int]:
    if x.ndim != 4 or x.shape[1] == 0 or log_decay.shape != x.shape[:3] or b.shape != c.shape:
        raise ShapeError(
            f"ssd: x {tuple(x.shape)}, log_decay {tuple(log_decay.shape)}, b {tuple(b.shape)}, c {tuple(c.shape)}; "
            "expected (B, L, H, P), (B, L, H) and twice (B, L, N), L at least 1."
        )
    batch, length, heads, inner = x.shape
    if b.ndim != 3 or b.shape[:2] != (batch, length):
        raise ShapeError(f"ssd: b is {tuple(b.shape)}, expected ({batch}, {length}, N).")
    if state is not None and state.shape != (batch, heads, inner, b.shape[-1]):
        raise ShapeError(
            f"ssd: state is {tuple(state.shape)}, expected {(batch, heads, inner, b.shape[-1])}; it is of another layer."
        )
    return batch, length, heads, inner
