"""Generation of tokens block by block: the base layer by iterative unmasking, then the residual layers.

A block is made after the state of everything before it and is committed once, from its final tokens: the state is
carried, never computed again, and does not grow (with the transformer of the comparison it does). Every line draws
from a generator of its own, so a line's draws depend on its seed and number alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from laban.nn.masking import lowest, remaining
from laban.nn.sampling import gumbel, keep_top
from laban.systems.kmm.networks import Conditions, MaskedModel, ResidualModel
from laban.systems.kmm.script import Span
from laban.systems.kmm.trunk import State, floats

KEPT = 1e5
"""Score of a token that is final."""


@dataclass(frozen=True)
class SamplingOptions:
    """How tokens are drawn."""

    steps: int
    guidance: float
    residual_guidance: float
    temperature: float
    residual_temperature: float
    filter: float


@dataclass
class Memory:
    """Recurrent states after the tokens so far, with and without the text: of the base, and one per residual layer."""

    base: State | None = None
    residual: list[State | None] = field(default_factory=list)

    def copy(self) -> Memory:
        """The same states; making further blocks does not change them."""
        return Memory(self.base, list(self.residual))


def line_source(seed: int, line: int, own: int | None = None, variation: int = 0, index: int = 0) -> torch.Generator:
    """The generator of a line: of the script's seed and the line's number, or of its own seed."""
    if own is None:
        sequence = np.random.SeedSequence(entropy=seed, spawn_key=(index, line, variation))
    else:
        sequence = np.random.SeedSequence(entropy=own, spawn_key=(variation,))
    return torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1)))


class BlockMaker:
    """Makes blocks in order.

    Args:
        masked: the network of the base layer.
        residual: the network of the residual layers.
        pooled: a function from text to its (W,) feature.
        options: how tokens are sampled.
        seed: of all lines that have none of their own.
        index: which stream of samples.
    """

    def __init__(
        self,
        masked: MaskedModel,
        residual: ResidualModel,
        pooled: Callable[[str], Tensor],
        options: SamplingOptions,
        seed: int,
        index: int = 0,
    ) -> None:
        self.masked, self.residual, self.pooled = masked, residual, pooled
        self.options, self.seed, self.index = options, seed, index
        self.sources: dict[int, torch.Generator] = {}
        self.memory = Memory(None, [None] * (residual.quantizers - 1))
        self.device = masked.embedding.weight.device
        self._latents: dict[str, tuple[Tensor, Tensor]] = {}

    @property
    def carried(self) -> int:
        """How many numbers the states hold."""
        return sum(floats(s) for s in (self.memory.base, *self.memory.residual) if s is not None)

    @torch.inference_mode()
    def make(
        self, spans: Sequence[Span], start: int, stop: int, known: Tensor | None = None, free: Tensor | None = None
    ) -> Tensor:
        """The tokens [start, stop).

        Args:
            spans: they cover the tokens, in order.
            start: number of the first token.
            stop: number of the token after the last.
            known: in-painting: (N, Q) int64 tokens.
            free: in-painting: (N,) bool, those that are sampled again.
        Returns: (N, Q) int64 on the CPU.
        """
        spans = [s for s in spans if s.stop > start and s.start < stop]
        first = min(s.line for s in spans)
        self.sources = {k: v for k, v in self.sources.items() if k >= first}
        for span in spans:
            if span.line not in self.sources:
                self.sources[span.line] = line_source(self.seed, span.line, span.seed, 0, self.index)
        parts = [(max(s.start, start), min(s.stop, stop), s) for s in spans]
        texts = {s.text for s in spans}
        self._latents = {k: v for k, v in self._latents.items() if k in texts}
        for text in texts - self._latents.keys():
            pooled = self.pooled(text).to(self.device)
            self._latents[text] = self.masked.text(pooled), self.residual.text(pooled)
        base = self._base(parts, start, stop, known, free)
        return self._residual(parts, base, known, free).cpu()

    def _conditions(self, parts: list[tuple[int, int, Span]], which: int, blank: Tensor) -> Conditions:
        """Of all tokens, twice: with their texts, and with none."""
        rows = torch.cat([self._latents[s.text][which].expand(b - a, -1) for a, b, s in parts])
        latent = torch.stack([rows, blank.to(rows.dtype).expand_as(rows)])
        places = torch.cat([torch.arange(a, b) for a, b, _ in parts])
        since = places - torch.cat([torch.full((b - a,), s.start) for a, b, s in parts])
        left = torch.cat([torch.full((b - a,), s.stop) for a, b, s in parts]) - places
        return Conditions(latent, *(t.expand(2, -1).to(self.device) for t in (since, left)))

    def _noise(self, parts: list[tuple[int, int, Span]], classes: int) -> Tensor:
        """(N, K) standard Gumbel noise, each line's from its own generator."""
        rows = [gumbel((b - a, classes), self.sources[s.line], "cpu") for a, b, s in parts]
        return torch.cat(rows).to(self.device)

    def _base(
        self, parts: list[tuple[int, int, Span]], start: int, stop: int, known: Tensor | None, free: Tensor | None
    ) -> Tensor:
        model, options = self.masked, self.options
        n = stop - start
        conditions = self._conditions(parts, 0, model.text.blank)
        open_ = torch.ones(n, dtype=torch.bool) if free is None else free
        open_ = open_.to(self.device)
        ids = torch.full((n,), model.mask_id, device=self.device)
        if known is not None:
            ids = torch.where(open_, ids, known[:, 0].to(self.device))
        scores = torch.full((n,), KEPT, device=self.device).masked_fill(open_, 0.0)
        count = open_.sum()[None]
        if bool(open_.any()):
            for step in range(options.steps):
                hidden = lowest(scores[None], remaining(count, step, options.steps))[0] & open_
                ids = torch.where(hidden, model.mask_id, ids)
                logits = self._guided(model(ids.expand(2, -1), conditions, self.memory.base)[0], options.guidance)
                noise = self._noise(parts, model.codes)
                drawn = (keep_top(logits, options.filter) / options.temperature + noise).argmax(-1)
                sure = logits.softmax(-1).gather(-1, drawn[:, None])[:, 0]
                ids = torch.where(hidden, drawn, ids)
                scores = torch.where(hidden, sure, KEPT)
        self.memory.base = model(ids.expand(2, -1), conditions, self.memory.base)[1]
        return ids

    def _residual(
        self, parts: list[tuple[int, int, Span]], base: Tensor, known: Tensor | None, free: Tensor | None
    ) -> Tensor:
        model, options = self.residual, self.options
        conditions = self._conditions(parts, 1, model.text.blank)
        layers = [base]
        below = torch.zeros((), device=self.device)
        for q in range(1, model.quantizers):
            below = below + model.embed(layers[-1], q - 1)
            which = torch.full((2,), q, device=self.device)
            logits, after = model(below.expand(2, -1, -1), which, conditions, self.memory.residual[q - 1])
            self.memory.residual[q - 1] = after
            logits = self._guided(logits, options.residual_guidance)
            noise = self._noise(parts, model.codes)
            drawn = (keep_top(logits, options.filter) / options.residual_temperature + noise).argmax(-1)
            if known is not None and free is not None:
                drawn = torch.where(free.to(self.device), drawn, known[:, q].to(self.device))
            layers.append(drawn)
        return torch.stack(layers, -1)

    def _guided(self, both: Tensor, scale: float) -> Tensor:
        """(2, N, K) conditional and unconditional logits -> (N, K)."""
        return both[0] if scale == 1 else torch.lerp(both[1], both[0], scale)
