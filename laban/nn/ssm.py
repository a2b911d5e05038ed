"""A state-space layer in the SSD form: one scalar decay per head and step, written as matrix products over chunks.

Source: Dao and Gu, "Transformers are SSMs", ICML 2024 (Mamba-2): the recurrence
    h[t] = exp(log_decay[t]) h[t-1] + step[t] x[t] (outer) b[t],   y[t] = h[t] c[t] + skip x[t]
and its chunked evaluation. Plain PyTorch, no compiled extension: the same code runs on the CPU and on CUDA.
Deviations: b and c are shared by all heads (one group); with `backward` a second scan runs from right to left and
starts anew in each block (see `StateSpace`), so that a bidirectional layer can still be streamed block by block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.errors import InputError, ShapeError
from laban.nn.dropout import dropout


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
    dropout: float = 0.0  # of what the layer adds

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


def ssd(
    x: Tensor,
    step: Tensor,
    log_decay: Tensor,
    b: Tensor,
    c: Tensor,
    state: Tensor | None = None,
    chunk: int = 32,
    skip: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """The recurrence at the head of this file, for a whole sequence.

    Args:
        x: (B, L, H, P).
        step: (B, L, H).
        log_decay: (B, L, H), at most 0; a position with step and log_decay 0 is as if absent.
        b: (B, L, N).
        c: (B, L, N).
        state: (B, H, P, N) to start from; None: zeros.
        chunk: positions per matrix product; the result does not depend on it beyond rounding.
        skip: (H,), added to y as skip * x; None: nothing.
    Returns: y (B, L, H, P) and the state after the last position (B, H, P, N).
    Raises: ShapeError if the shapes do not fit together.
    """
    batch, length, heads, inner = _checked(x, step, log_decay, b, c, state)
    k = min(chunk, length)
    count = -(-length // k)
    spare = count * k - length
    if spare:
        x, step, log_decay, b, c = (F.pad(t, (0, 0) * (t.ndim - 2) + (0, spare)) for t in (x, step, log_decay, b, c))
    values = x.reshape(batch, count, k, heads, inner).permute(0, 1, 3, 2, 4)  # (B, C, H, K, P)
    b, c = b.reshape(batch, count, k, -1), c.reshape(batch, count, k, -1)
    step, log_decay = (t.reshape(batch, count, k, heads).permute(0, 1, 3, 2) for t in (step, log_decay))  # (B, C, H, K)
    total = log_decay.cumsum(-1)
    y = _inside(values, step, total, b, c, skip, later=False)

    left = (total[..., -1:] - total).exp() * step  # from a position to the end of its chunk
    gained = values.transpose(-1, -2) @ (b[:, :, None] * left[..., None])  # (B, C, H, P, N)
    hidden = torch.zeros_like(gained[:, 0]) if state is None else state
    whole = total[..., -1].exp()[..., None, None]
    before = []
    for i in range(count):
        before.append(hidden)
        hidden = torch.addcmul(gained[:, i], whole[:, i], hidden)
    if count > 1 or state is not None:
        past = torch.stack(before, 1).transpose(-1, -2)  # (B, C, H, N, P)
        y = y + (c[:, :, None] * total.exp()[..., None]) @ past
    return y.permute(0, 1, 3, 2, 4).reshape(batch, count * k, heads, inner)[:, :length], hidden


def ssd_reversed(
    x: Tensor, step: Tensor, log_decay: Tensor, b: Tensor, c: Tensor, skip: Tensor | None = None
) -> Tensor:
    """`ssd` from the last position to the first, without a state, as one matrix product; shapes as there."""
    _checked(x, step, log_decay, b, c, None)
    step, log_decay = (t.permute(0, 2, 1)[:, None] for t in (step, log_decay))
    total = log_decay.flip(-1).cumsum(-1).flip(-1)
    y = _inside(x.permute(0, 2, 1, 3)[:, None], step, total, b[:, None], c[:, None], skip, later=True)
    return y[:, 0].permute(0, 2, 1, 3)


def _inside(
    values: Tensor, step: Tensor, total: Tensor, b: Tensor, c: Tensor, skip: Tensor | None, later: bool
) -> Tensor:
    """What positions of one chunk get from those before them (or, if `later`, after them) and from themselves.

    Args:
        values: (B, C, H, K, P).
        step: (B, C, H, K).
        total: (B, C, H, K), the running sum of log decays in the direction of the scan.
        b: (B, C, K, N).
        c: (B, C, K, N).
        skip: (H,), added as skip * value; None: nothing.
        later: from the positions after instead of before.
    Returns: (B, C, H, K, P).
    """
    unseen, same = _squares(total.shape[-1], later=later, device=total.device, dtype=total.dtype)
    between = (total[..., :, None] - total[..., None, :]).masked_fill(unseen, float("-inf")).exp()
    weight = between * (c @ b.transpose(-1, -2))[:, :, None] * step[..., None, :]  # (B, C, H, K, K)
    if skip is not None:
        weight = torch.addcmul(weight, skip[:, None, None], same)
    return weight @ values


@lru_cache(maxsize=64)
@torch.inference_mode(False)
def _squares(size: int, *, later: bool, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """What a position of a chunk does not see, and the unit matrix."""
    every = torch.ones(size, size, dtype=torch.bool, device=device)
    return every.tril(-1) if later else every.triu(1), torch.eye(size, dtype=dtype, device=device)


def ssd_step(
    x: Tensor, step: Tensor, log_decay: Tensor, b: Tensor, c: Tensor, state: Tensor, skip: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """One position of `ssd`.

    Args:
        x: (B, H, P).
        step: (B, H).
        log_decay: (B, H).
        b: (B, N).
        c: (B, N).
        state: (B, H, P, N).
        skip: (H,) or None.
    Returns: y (B, H, P) and the next state.
    """
    state = log_decay.exp()[..., None, None] * state + (x * step[..., None])[..., None] * b[:, None, None, :]
    y = (state @ c[:, None, :, None])[..., 0]
    return (y if skip is None else y + x * skip[:, None]), state


def convolved(row: Tensor, taps: Tensor, bias: Tensor, length: int) -> Tensor:
    """Each channel convolved over time: row (B, L + taps - 1, C), taps (taps, C), bias (C,) -> (B, L, C)."""
    out = torch.addcmul(bias, row[:, :length], taps[0])
    for i in range(1, len(taps)):
        out.addcmul_(row[:, i : i + length], taps[i])
    return out


class Taps(torch.autograd.Function):
    """Convolution of each channel over time, out[t] = bias + sum over i of row[t + i] taps[i].

    The same as torch's grouped convolution; in place and without intermediate tensors, so that a training step on the
    CPU does not spend a quarter of its time here.
    """

    @staticmethod
    def forward(ctx: Any, row: Tensor, taps: Tensor, bias: Tensor, length: int) -> Tensor:
        """Args:
            row: (B, L + taps - 1, C).
            taps: (taps, C).
            bias: (C,).
            length: L.
        Returns: (B, L, C).
        """
        ctx.save_for_backward(row, taps)
        ctx.length = length
        return convolved(row, taps, bias, length)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Gradients of row, taps and bias."""
        row, taps = ctx.saved_tensors
        (grad,), length = grads, ctx.length
        to_row = torch.zeros_like(row)
        to_taps = []
        for i in range(len(taps)):
            to_row[:, i : i + length].addcmul_(grad, taps[i])
            to_taps.append((grad * row[:, i : i + length]).sum((0, 1)))
        return to_row, torch.stack(to_taps), grad.sum((0, 1)), None


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
        self, x: Tensor, bc: Tensor, raw: Tensor, valid: Tensor | None = None, state: ScanState | None = None
    ) -> tuple[Tensor, ScanState]:
        """A stretch of any length, after `state`.

        Args:
            x: (B, L, E), input of the convolution.
            bc: (B, L, 2 N), input of the convolution.
            raw: (B, L, H) before the softplus.
            valid: (B, L) bool, True where real; what is not changes nothing. Padding comes last. None: all are.
            state: after what came before; None: zeros.
        Returns: (B, L, E), and the state after the last real position.
        """
        g = self.config
        batch, length = raw.shape[:2]
        if valid is not None:
            x, bc = x * valid[..., None], bc * valid[..., None]
        step = self._step(raw, valid)
        old = raw.new_zeros(batch, g.inner + 2 * g.state, g.conv - 1) if state is None else state.recent
        behind = old.transpose(1, 2).split([g.inner, 2 * g.state], -1)
        rows = [torch.cat([a, t], 1) for a, t in zip(behind, (x, bc), strict=True)]
        x, bc = self._mix(rows, length, range(g.conv))
        b, c = bc.split([g.state, g.state], -1)
        y, hidden = ssd(
            x.reshape(batch, length, g.heads, -1), step, -step * self.log_rate.exp(), b, c,
            None if state is None else state.hidden, g.chunk, self.skip,
        )  # fmt: skip
        if valid is None or g.conv == 1:
            last = [row[:, length:] for row in rows]
        else:
            ends = (valid.sum(-1)[:, None] + torch.arange(g.conv - 1, device=raw.device))[..., None]
            last = [row.gather(1, ends.expand(-1, -1, row.shape[-1])) for row in rows]
        return y.reshape(batch, length, g.inner), ScanState(torch.cat(last, -1).transpose(1, 2), hidden)

    def reverse(self, x: Tensor, bc: Tensor, raw: Tensor, valid: Tensor | None = None) -> Tensor:
        """The same from the last position to the first, starting anew: (B, L, E). Padding comes last."""
        g = self.config
        batch, length = raw.shape[:2]
        if valid is not None:
            x, bc = x * valid[..., None], bc * valid[..., None]
        step = self._step(raw, valid)
        rows = [F.pad(t, (0, 0, 0, g.conv - 1)) for t in (x, bc)]
        x, bc = self._mix(rows, length, range(g.conv - 1, -1, -1))
        b, c = bc.split([g.state, g.state], -1)
        y = ssd_reversed(
            x.reshape(batch, length, g.heads, -1), step, -step * self.log_rate.exp(), b, c, self.skip
        )  # fmt: skip
        return y.reshape(batch, length, g.inner)

    def _step(self, raw: Tensor, valid: Tensor | None) -> Tensor:
        step = F.softplus(raw + self.step_bias)
        return step if valid is None else step * valid[..., None]

    def _mix(self, rows: list[Tensor], length: int, order: Sequence[int]) -> list[Tensor]:
        """The convolution and SiLU over rows (B, L + conv - 1, E) and (B, L + conv - 1, 2 N)."""
        g = self.config
        sizes = [g.inner, 2 * g.state]
        if not torch.is_grad_enabled():  # few and small: one call instead of two
            return list(
                F.silu(convolved(torch.cat(rows, -1), self.taps[list(order)], self.bias, length)).split(sizes, -1)
            )
        parts = zip(rows, self.taps.split(sizes, -1), self.bias.split(sizes), strict=True)
        return [F.silu(Taps.apply(row, taps[list(order)], bias, length)) for row, taps, bias in parts]

    def step(self, xbc: Tensor, raw: Tensor, state: ScanState) -> tuple[Tensor, ScanState]:
        """One position, as a recurrence.

        Args:
            xbc: (B, E + 2 N).
            raw: (B, H).
            state: after the positions before.
        Returns: (B, E), next state.
        """
        g = self.config
        row = torch.cat([state.recent, xbc[..., None]], -1)
        mixed = self.bias + (row * self.taps.T).sum(-1)
        x, b, c = F.silu(mixed).split([g.inner, g.state, g.state], -1)
        step = F.softplus(raw + self.step_bias)
        x = x.reshape(len(x), g.heads, -1)
        y, hidden = ssd_step(x, step, -step * self.log_rate.exp(), b, c, state.hidden, self.skip)
        return y.flatten(1), ScanState(row[..., 1:], hidden)


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
            x: (B, L, D).
            valid: (B, L) bool, True where real; padding comes last.
            state: of the forward scan, from what came before.
            block: positions per block of the backward scan; None: the stretch is one block.
        Returns: (B, L, D), and the state of the forward scan after the last real position.
        """
        g = self.config
        gate, inner, ahead, back = self._project(x)
        with torch.autocast(x.device.type, enabled=False):  # decays in float32: bf16 would forget in steps
            y, after = self.ahead(inner, ahead[..., g.heads :], ahead[..., : g.heads], valid, state)
            if self.back is not None:
                y = y + self._backward(inner, back[..., g.heads :], back[..., : g.heads], valid, block)
            added = self.gated(y * F.silu(gate))
        added = self.out(added)
        return x + dropout(added, g.dropout, training=self.training), after

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
        projected = self.enter(self.norm(x))
        if projected.dtype in (torch.bfloat16, torch.float16):
            projected = projected.float()
        gate, inner, ahead, back = projected.split(sizes, -1)
        return gate, inner, ahead, back

    def _backward(self, x: Tensor, bc: Tensor, raw: Tensor, valid: Tensor | None, block: int | None) -> Tensor:
        assert self.back is not None
        batch, length = raw.shape[:2]
        size = length if block is None else min(block, length)
        spare = -length % size
        if spare:
            if valid is None:
                valid = torch.ones(batch, length, dtype=torch.bool, device=raw.device)
            x, bc, raw = (F.pad(t, (0, 0, 0, spare)) for t in (x, bc, raw))
            valid = F.pad(valid, (0, spare))
        x, bc, raw = (t.reshape(-1, size, t.shape[-1]) for t in (x, bc, raw))
        y = self.back.reverse(x, bc, raw, None if valid is None else valid.reshape(-1, size))
        return y.reshape(batch, length + spare, -1)[:, :length]


def _checked(
    x: Tensor, step: Tensor, log_decay: Tensor, b: Tensor, c: Tensor, state: Tensor | None
) -> tuple[int, int, int, int]:
    fits = x.ndim == 4 and x.shape[1] > 0 and step.shape == log_decay.shape == x.shape[:3] and b.shape == c.shape
    if not fits:
        raise ShapeError(
            f"ssd: x {tuple(x.shape)}, step {tuple(step.shape)}, log_decay {tuple(log_decay.shape)}, b "
            f"{tuple(b.shape)}, c {tuple(c.shape)}; expected (B, L, H, P), twice (B, L, H) and twice (B, L, N), L >= 1."
        )
    batch, length, heads, inner = x.shape
    if b.ndim != 3 or b.shape[:2] != (batch, length):
        raise ShapeError(f"ssd: b is {tuple(b.shape)}, expected ({batch}, {length}, N).")
    if state is not None and state.shape != (batch, heads, inner, b.shape[-1]):
        raise ShapeError(
            f"ssd: state is {tuple(state.shape)}, expected {(batch, heads, inner, b.shape[-1])}, as of this layer."
        )
    return batch, length, heads, inner
