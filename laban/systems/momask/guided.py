"""Fast guided predictions: one packed pass for the conditional and unconditional halves.

There is no padding, tables stand for the projections at the entrance, and only the positions asked for are computed.
Equal to `model(...)` with and without the condition, combined, up to the last bits (tested). Guidance is applied before
the head's last linear map, which is affine, so the weights s and 1 - s give the same logits.
Source: MoMask (Guo et al., CVPR 2024), classifier-free guidance, as released.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from laban.nn.packed import Block, blocks, run
from laban.nn.transformer import Head, Layer, Transformer
from laban.systems.momask.condition import Condition, Prefix
from laban.systems.momask.masked import MaskedTransformer
from laban.systems.momask.residual import ResidualTransformer


@dataclass(frozen=True)
class Positions:
    """Places of a batch: of sample b, `count[b]` of them, ascending, in the first columns of `places` (B, N)."""

    places: Tensor
    count: Tensor
    offset: Tensor
    rows: Tensor  # (M,) flat numbers b * N + n of them all, by sample

    @classmethod
    def of(cls, mask: Tensor) -> Positions:
        """The True places of (B, N)."""
        count = mask.sum(-1)
        places = (~mask).to(torch.uint8).argsort(dim=-1, stable=True)
        return cls(places, count, count.cumsum(0) - count, mask.flatten().nonzero()[:, 0])


class Sequences:
    """The sequences of a guided batch: each sample with its condition and, if guidance is used, once without.

    A sequence is its prefix tokens and then the sample's motion tokens, and nothing else.
    """

    def __init__(self, prefix: Prefix, condition: Condition, lengths: Sequence[int], guidance: float) -> None:
        self.guidance = guidance
        self.samples = len(lengths)
        both = condition if guidance == 1 else condition.doubled()
        tokens, valid = prefix(both)
        counts = [tokens.shape[1]] * len(tokens) if valid is None else valid.sum(-1).tolist()
        self.tokens, self.valid = tokens, valid
        keys = [(p, lengths[i % self.samples]) for i, p in enumerate(counts)]
        self.blocks: list[Block[tuple[int, int]]] = blocks(keys, [p + n for p, n in keys], tokens.device)

    def prefix(self, block: Block[tuple[int, int]]) -> Tensor:
        """(C, P, D) the prefix tokens of a block, hidden ones left out."""
        rows = self.tokens[block.members]
        if self.valid is None:
            return rows
        return rows[self.valid[block.members]].view(len(rows), block.key[0], -1)

    def predict(
        self, trunk: nn.Module, head: Head, before: Tensor | None, x: Tensor, qkv: Tensor, at: Positions
    ) -> Tensor:
        """Outputs of the head at chosen positions, guided.

        Args:
            trunk: the model's transformer.
            head: what gives the outputs.
            before: (D,) a token between prefix and motion, or None.
            x: (B, N, D) motion tokens of each sample.
            qkv: (B, N, 3 D), the first layer's projections of them.
            at: the positions.
        Returns: (M, out), M = the number of positions.
        """
        assert isinstance(trunk, Transformer)
        total = int(at.count.sum())
        halves = [x.new_empty(total, x.shape[-1]) for _ in range(1 if self.guidance == 1 else 2)]
        project = entrance(trunk)
        for block in self.blocks:
            p, n = block.key
            who = block.members % self.samples
            front = self.prefix(block)
            if before is not None:
                front = torch.cat([front, before.expand(len(who), 1, -1)], 1)
                p += 1
            seq = torch.cat([front, x[who, :n]], 1)
            first = torch.cat([project(front).to(qkv.dtype), qkv[who, :n]], 1)
            count = at.count[who]
            most = int(count.max())
            if most == 0:
                continue
            wanted = at.places[who, :most]
            y = run(trunk, seq, first, wanted.clamp_max(n - 1) + p)
            real = torch.arange(most, device=x.device) < count[:, None]
            goal = (at.offset[who][:, None] + torch.arange(most, device=x.device))[real]
            plain = block.members < self.samples
            if bool(plain.all()):
                halves[0][goal] = y[real].to(x.dtype)
            elif not bool(plain.any()):
                halves[1][goal] = y[real].to(x.dtype)
            else:
                for half, which in enumerate((plain, ~plain)):
                    chosen = real & which[:, None]
                    rows = (at.offset[who][:, None] + torch.arange(most, device=x.device))[chosen]
                    halves[half][rows] = y[chosen].to(x.dtype)
        shaped = [head.norm(torch.nn.functional.gelu(head.dense(h))) for h in halves]
        return head.last(shaped[0] if len(shaped) == 1 else torch.lerp(shaped[1], shaped[0], self.guidance))


class Padded:
    """The same for a local trunk, whose layers have no tables: both halves in one padded batch."""

    def __init__(self, condition: Condition, lengths: Sequence[int], guidance: float) -> None:
        self.guidance = guidance
        self.condition = condition if guidance == 1 else condition.doubled()
        places = torch.arange(max(lengths), device=condition.pooled.device)
        self.valid = self.twice(places < torch.tensor(list(lengths), device=places.device)[:, None])

    def twice(self, rows: Tensor) -> Tensor:
        """The batch, and once more where guidance is used."""
        return rows if self.guidance == 1 else torch.cat([rows, rows])

    def mixed(self, logits: Tensor, at: Positions) -> Tensor:
        """(B or 2 B, N, K) -> (M, K) guided, at the chosen positions."""
        if self.guidance == 1:
            return logits.flatten(0, 1)[at.rows]
        conditional, unconditional = logits.chunk(2)
        return torch.lerp(unconditional.flatten(0, 1)[at.rows], conditional.flatten(0, 1)[at.rows], self.guidance)


class GuidedMasked:
    """Logits of the masked transformer for one batch, step after step."""

    def __init__(self, model: MaskedTransformer, condition: Condition, lengths: Sequence[int], guidance: float) -> None:
        self.model = model
        if model.local:
            self.plain = Padded(condition, lengths, guidance)
            return
        self.sequences = Sequences(model.prefix, condition, lengths, guidance)
        self.table, self.table_qkv, self.places, self.places_qkv = _masked_tables(model)

    def logits(self, ids: Tensor, at: Positions) -> Tensor:
        """(B, N) ids -> (M, K) at the chosen positions."""
        if self.model.local:
            plain = self.plain
            return plain.mixed(self.model(plain.twice(ids), plain.condition, plain.valid), at)
        n = ids.shape[1]
        x = self.table[ids] + self.places[:n]
        qkv = self.table_qkv[ids] + self.places_qkv[:n]
        return self.sequences.predict(self.model.trunk, self.model.head, None, x, qkv, at)


class GuidedResidual:
    """Logits of the residual transformer for one batch, layer after layer."""

    def __init__(
        self, model: ResidualTransformer, condition: Condition, lengths: Sequence[int], guidance: float
    ) -> None:
        self.model = model
        self.x: Tensor | None = None
        self.qkv: Tensor | None = None
        if model.local:
            self.plain = Padded(condition, lengths, guidance)
            return
        self.sequences = Sequences(model.prefix, condition, lengths, guidance)
        self.tables, self.tables_qkv, self.places, self.places_qkv = _residual_tables(model)

    def add(self, codes: Tensor, q: int) -> None:
        """Layer q is known: (B, N) ids, the padding class included."""
        if self.model.local:
            added = self.model.embed(codes, q)
            self.x = added if self.x is None else self.x + added
            return
        n = codes.shape[1]
        if self.x is None or self.qkv is None:
            self.x, self.qkv = self.places[:n], self.places_qkv[:n]
        self.x = self.x + self.tables[q][codes]
        self.qkv = self.qkv + self.tables_qkv[q][codes]

    def logits(self, q: int, at: Positions) -> Tensor:
        """(M, K + 1) of layer q at the chosen positions, given the layers that were added."""
        model = self.model
        if model.local:
            assert self.x is not None
            plain = self.plain
            below = plain.twice(self.x)
            which = torch.full((len(below),), q, device=below.device)
            return plain.mixed(model(below, which, plain.condition, plain.valid), at)
        assert self.x is not None and self.qkv is not None
        before = model.layer.weight[:, q] + model.layer.bias
        hidden = self.sequences.predict(model.trunk, model.head, before, self.x, self.qkv, at)
        return hidden @ model.output(q).T


def entrance(trunk: nn.Module) -> nn.Linear:
    """The first layer's fused projection."""
    assert isinstance(trunk, Transformer)
    first = trunk.layers[0]
    assert isinstance(first, Layer)
    return first.attention.qkv


def _masked_tables(model: MaskedTransformer) -> tuple[Tensor, ...]:
    """Embeddings of the ids, what the first layer projects them to, and the same of the positions."""
    qkv = entrance(model.trunk)
    sources = (model.embedding.weight, model.enter.weight, model.enter.bias, qkv.weight, qkv.bias, model.places)
    found = model.folded.current(sources)
    if found:
        return found
    table = model.enter(model.embedding.weight)
    return model.folded.keep(sources, (table, table @ qkv.weight.T, model.places, qkv(model.places)))


def _residual_tables(model: ResidualTransformer) -> tuple[Tensor, ...]:
    """The same for every input layer; the bias at the entrance belongs to the positions, since it is added once."""
    qkv = entrance(model.trunk)
    enter = model.enter
    sources = (model.first, model.shared, enter.weight, enter.bias, qkv.weight, qkv.bias, model.places)
    found = model.folded.current(sources)
    if found:
        return found
    tables = model.inputs() @ enter.weight.T
    places = model.places + enter.bias
    return model.folded.keep(sources, (tables, tables @ qkv.weight.T, places, qkv(places)))
