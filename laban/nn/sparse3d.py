"""Three-dimensional sparse attention: a token of a video attends along time, along its row or along its column.

A grid of tokens is (B, L, h, w, D): L frames of h rows and w columns, in raster order n = (l h + i) w + j. One layer
looks along one axis:

    T  same row and column, other frames      keys (l', i, j)
    R  same frame and row, other columns      keys (l, i, j')
    C  same frame and column, other rows      keys (l, i', j)

and how far is its `reach`: "before" (strictly earlier), "upto" (earlier and itself) or "all". The words of the caption
are further keys of every query in every layer, under one softmax, so no query has an empty key set.

Source: GODIVA (Wu et al. 2021, arXiv 2104.14806), Eq. 10, and for "all" Axial Transformers (Ho et al. 2019).
Deviations: the paper leaves open how the text enters and writes "row" with a running first index; row and column here
are as above. The cost of a layer is L h w (S + N) for an axis of S places and N words: L h w (L + h + w) in all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Axis = Literal["T", "R", "C"]
Reach = Literal["before", "upto", "all"]

# of a (B, L, h, w, H, d) array: heads to the front, the axis last but one
_FORTH = {"T": (0, 4, 2, 3, 1, 5), "R": (0, 4, 1, 2, 3, 5), "C": (0, 4, 1, 3, 2, 5)}
_BACK = {"T": (0, 4, 2, 3, 1, 5), "R": (0, 2, 3, 4, 1, 5), "C": (0, 2, 4, 3, 1, 5)}


def visible(length: int, reach: Reach, device: torch.device | str = "cpu") -> Tensor:
    """(length, length) bool: whether the query of a row may see the key of a column, along one axis."""
    every = torch.ones(length, length, dtype=torch.bool, device=device)
    if reach == "all":
        return every
    return every.tril(-1 if reach == "before" else 0)


@dataclass
class TextKeys:
    """Keys and values (B, H, N, d) of the words for one layer, and valid (B, N) bool, True where there is a word."""

    keys: Tensor
    values: Tensor
    valid: Tensor


def attend(q: Tensor, k: Tensor, v: Tensor, text: TextKeys, mask: Tensor | None) -> Tensor:
    """Softmax attention over the words and the keys of an axis together.

    Args:
        q: (B, H, P, S, d) queries, P lines of S places.
        k: (B, H, P, K, d), K may be 0.
        v: (B, H, P, K, d), K may be 0.
        text: keys and values of the words.
        mask: (S, K) bool, True where visible; None: all are.
    Returns: (B, H, P, S, d).
    """
    b, heads, lines, places, d = q.shape
    q = q * (1.0 / math.sqrt(d))
    words = torch.matmul(q.reshape(b, heads, lines * places, d), text.keys.transpose(-1, -2))
    words = words.float().masked_fill(~text.valid[:, None, None], float("-inf"))
    words = words.reshape(b, heads, lines, places, -1)
    n = words.shape[-1]
    if k.shape[3] == 0:
        weights = words.softmax(-1).to(v.dtype)
    else:
        own = torch.matmul(q, k.transpose(-1, -2)).float()
        if mask is not None:
            own = own.masked_fill(~mask, float("-inf"))
        weights = torch.cat([words, own], -1).softmax(-1).to(v.dtype)
    told = weights[..., :n].reshape(b, heads, lines * places, n)
    result = torch.matmul(told, text.values).reshape(q.shape)
    if k.shape[3]:
        result = result + torch.matmul(weights[..., n:], v)
    return result


class AxisLayer(nn.Module):
    """Pre-norm layer: x + attention along one axis, then x + feed-forward.

    With `tokens` the keys and values are made of x + token, the queries of x alone. A stream that starts without
    tokens and only looks "before" thus never holds what it is to predict, whatever the depth.
    """

    def __init__(self, width: int, heads: int, feedforward: int, axis: Axis, reach: Reach) -> None:
        super().__init__()
        self.axis: Axis = axis
        self.reach: Reach = reach
        self.heads = heads
        self.norm_query = nn.LayerNorm(width)
        self.norm_key = nn.LayerNorm(width)
        self.norm_feedforward = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.text_key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, feedforward)
        self.down = nn.Linear(feedforward, width)

    def forward(self, x: Tensor, tokens: Tensor | None, words: Tensor, valid: Tensor) -> Tensor:
        """The layer for whole videos.

        Args:
            x: (B, L, h, w, D).
            tokens: (B, L, h, w, D), added to x in keys and values; None: nothing.
            words: (B, N, D).
            valid: (B, N) bool.
        Returns: (B, L, h, w, D).
        """
        q = self._split(self.query(self.norm_query(x)))
        k, v = self.keys(x if tokens is None else x + tokens)
        q, k, v = (t.permute(_FORTH[self.axis]) for t in (q, k, v))
        b, heads, *lines, places, d = q.shape
        q, k, v = (t.reshape(b, heads, lines[0] * lines[1], places, d) for t in (q, k, v))
        mask = None if self.reach == "all" else visible(places, self.reach, x.device)
        y = attend(q, k, v, self.text(words, valid), mask)
        y = y.reshape(b, heads, *lines, places, d).permute(_BACK[self.axis])
        return self.finish(x, y.reshape(x.shape))

    def keys(self, content: Tensor) -> tuple[Tensor, Tensor]:
        """(..., D) -> keys and values, (..., H, d) each."""
        k, v = self.key_value(self.norm_key(content)).chunk(2, -1)
        return self._split(k), self._split(v)

    def text(self, words: Tensor, valid: Tensor) -> TextKeys:
        """Keys and values of the words (B, N, D)."""
        k, v = self.text_key_value(words).chunk(2, -1)
        return TextKeys(self._split(k).transpose(1, 2), self._split(v).transpose(1, 2), valid)

    def finish(self, x: Tensor, y: Tensor) -> Tensor:
        """What follows the attention y of queries x, both (..., D)."""
        x = x + self.out(y)
        return x + self.down(F.gelu(self.up(self.norm_feedforward(x))))

    def step(self, x: Tensor, k: Tensor, v: Tensor, text: TextKeys) -> Tensor:
        """The layer for P places, one on each of P lines, that see all of the keys given.

        Args:
            x: (B, P, D).
            k: (B, H, P, K, d).
            v: (B, H, P, K, d).
            text: keys and values of the words.
        Returns: (B, P, D).
        """
        q = self._split(self.query(self.norm_query(x))).transpose(1, 2).unsqueeze(3)
        y = attend(q, k, v, text, None)
        return self.finish(x, y.squeeze(3).transpose(1, 2).reshape(x.shape))

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:-1], self.heads, x.shape[-1] // self.heads)


class AxisCache:
    """Keys and values of a grid of tokens for one layer, written as they become known.

    Args:
        grid: (L, h, w) of the places that are kept; an axis that is never looked along may be 1.
    """

    def __init__(self, batch: int, heads: int, grid: tuple[int, int, int], width: int, like: Tensor) -> None:
        shape = (batch, heads, *grid, width // heads)
        self.keys = torch.zeros(shape, dtype=like.dtype, device=like.device)
        self.values = torch.zeros(shape, dtype=like.dtype, device=like.device)

    def put(self, place: tuple[int | slice, int | slice, int | slice], k: Tensor, v: Tensor) -> None:
        """Write keys and values (B, *places, H, d) at a place; a slice covers the whole of its axis."""
        order = (0, k.ndim - 2, *range(1, k.ndim - 2), k.ndim - 1)
        self.keys[(slice(None), slice(None), *place)] = k.permute(order)
        self.values[(slice(None), slice(None), *place)] = v.permute(order)

    def line(self, axis: Axis, l: int, i: int, j: int) -> tuple[Tensor, Tensor]:  # noqa: E741
        """Keys and values (B, H, 1, K, d) before place (l, i, j) along an axis."""
        lines: dict[Axis, tuple[int | slice, ...]] = {
            "T": (slice(l), i, j), "R": (l, i, slice(j)), "C": (l, slice(i), j)
        }  # fmt: skip
        where = lines[axis]
        index = (slice(None), slice(None), *where)
        return self.keys[index].unsqueeze(2), self.values[index].unsqueeze(2)


def initialise(module: nn.Module, layers: int, width: int) -> None:
    """Linear and Embedding weights N(0, 0.55 / sqrt(width)) (0.017 at 1024), biases 0; what adds to the residual
    stream smaller by sqrt(2 layers).
    """
    std = 0.55 / math.sqrt(width)
    for name, part in module.named_modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            small = name.endswith((".out", ".down"))
            nn.init.normal_(part.weight, std=std / math.sqrt(2 * layers) if small else std)
            if isinstance(part, nn.Linear) and part.bias is not None:
                nn.init.zeros_(part.bias)
