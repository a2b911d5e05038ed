"""The transformer of nn/transformer.py without padding, for generation: sequences side by side by length.

The same numbers as `Transformer.forward` up to the last bits of float32 sums (tested), for less work: sequences of one
length form a block, so nothing is padded and nothing is masked; blocks are as small as fits a core's cache, since
sequences do not see each other; the first layer's projections may be given, where they come from a table; and the
last layer only works out the positions that are wanted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from laban.nn.transformer import Layer, Transformer

ROWS = 256
"""Rows of a block on a CPU: 256 rows of 1,024 float32 are 1 MiB. Larger blocks were slower there (measured)."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Block(Generic[Key]):
    """Sequences of one kind: their numbers, and what they have in common."""

    members: Tensor
    key: Key


def blocks(keys: Sequence[Key], lengths: Sequence[int], device: torch.device) -> list[Block[Key]]:
    """Group sequences by key (which must fix the length), at most ROWS rows to a block on a CPU.

    Args:
        keys: one per sequence.
        lengths: one per sequence.
        device: where the blocks will be run.
    Returns: blocks whose members are sequence numbers, ascending.
    """
    groups: dict[Key, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        groups[key].append(number)
    found = []
    for key, members in groups.items():
        size = max(1, ROWS // lengths[members[0]]) if device.type == "cpu" else len(members)
        for at in range(0, len(members), size):
            found.append(Block(torch.tensor(members[at : at + size], device=device), key))
    return found


def run(trunk: Transformer, x: Tensor, qkv: Tensor | None, wanted: Tensor | None) -> Tensor:
    """The trunk over one block.

    Args:
        trunk: the transformer.
        x: (C, S, D), every row real.
        qkv: (C, S, 3 D), what the first layer's fused projection would make of x.
        wanted: (C, M) positions whose output is needed; None: all.
    Returns: (C, M, D), or (C, S, D).
    """
    last = len(trunk.layers) - 1
    for number, layer in enumerate(trunk.layers):
        assert isinstance(layer, Layer)
        if number == last and wanted is not None and wanted.shape[1] < x.shape[1]:
            x = _partial(layer, x, qkv, wanted)
        else:
            x = _feedforward(layer, _attend(layer, x, qkv))
            x = x if number < last or wanted is None else _picked(x, wanted)
        qkv = None
    return x


def _attend(layer: Layer, x: Tensor, qkv: Tensor | None) -> Tensor:
    attention = layer.attention
    c, s, d = x.shape
    z = attention.qkv(x) if qkv is None else qkv
    q, k, v = z.view(c, s, 3, attention.heads, d // attention.heads).permute(2, 0, 3, 1, 4)
    y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(c, s, d)
    return layer.norm_attention(attention.out(y) + x)


def _partial(layer: Layer, x: Tensor, qkv: Tensor | None, wanted: Tensor) -> Tensor:
    """The layer at the wanted positions: keys and values of every row, queries and the rest of those only."""
    attention = layer.attention
    c, s, d = x.shape
    m, heads = wanted.shape[1], attention.heads
    some = _picked(x, wanted)
    weight, bias = attention.qkv.weight, attention.qkv.bias
    if qkv is None:
        q, kv = F.linear(some, weight[:d], bias[:d]), F.linear(x, weight[d:], bias[d:])
    else:
        q, kv = _picked(qkv[..., :d], wanted), qkv[..., d:]
    k, v = kv.view(c, s, 2, heads, d // heads).permute(2, 0, 3, 1, 4)
    y = F.scaled_dot_product_attention(q.view(c, m, heads, d // heads).transpose(1, 2), k, v)
    y = y.transpose(1, 2).reshape(c, m, d)
    return _feedforward(layer, layer.norm_attention(attention.out(y) + some))


def _feedforward(layer: Layer, x: Tensor) -> Tensor:
    return layer.norm_feedforward(layer.down(F.gelu(layer.up(x))) + x)


def _picked(x: Tensor, wanted: Tensor) -> Tensor:
    return x.gather(1, wanted[..., None].expand(-1, -1, x.shape[-1]))


class Folded:
    """Tables worked out from weights once, and again when the weights have changed."""

    def __init__(self) -> None:
        self._key: tuple[tuple[int, int], ...] = ()
        self._sources: list[Tensor] = []  # held, so that no other tensor gets their addresses
        self._tables: tuple[Tensor, ...] = ()

    def current(self, sources: Sequence[Tensor]) -> tuple[Tensor, ...] | None:
        """The tables, if `sources` are the tensors that they were made from, unchanged."""
        return self._tables if self._key == _versions(sources) else None

    def keep(self, sources: Sequence[Tensor], tables: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Remember tables made from `sources`."""
        self._key, self._tables = _versions(sources), tables
        self._sources = [t.detach() for t in sources]
        return tables

    def __deepcopy__(self, memo: object) -> Folded:
        return Folded()  # a copy has weights of its own


def _versions(sources: Sequence[Tensor]) -> tuple[tuple[int, int], ...]:
    return tuple((t.data_ptr(), -1 if t.is_inference() else t._version) for t in sources)
