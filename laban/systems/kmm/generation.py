"""From a script to motion: as a stream, as a whole, and with one line made again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from laban.motion import cleanup
from laban.motion.motion import Motion, Segment
from laban.motion.skeletons import HUMANML22, KIT21
from laban.nn.frozen import DecoderStream, FrozenTokenizer
from laban.nn.modes import evaluating
from laban.systems.kmm import placing
from laban.systems.kmm.blocks import BlockMaker, Memory, SamplingOptions, line_source
from laban.systems.kmm.config import KMMConfig
from laban.systems.kmm.networks import MaskedModel, ResidualModel
from laban.systems.kmm.script import Counted, Line, Planner, Span, spans

States = list[tuple[int, Memory]]
"""The first token of each block, and the memory before it."""


@dataclass(frozen=True)
class Parts:
    """What generation needs of a KMM.

    Attributes:
        config: see config.py.
        frozen: the tokenizer.
        masked: the network of the base layer.
        residual: the network of the residual layers.
        pooled: a function from text to its (W,) feature.
    """

    config: KMMConfig
    frozen: FrozenTokenizer
    masked: MaskedModel
    residual: ResidualModel
    pooled: Callable[[str], Tensor]

    @property
    def stride(self) -> int:
        """Frames of a token."""
        return self.frozen.config.stride

    def spans(self, lines: Iterable[Line]) -> Iterator[Span]:
        """The spans of lines as they come, on the grid of tokens."""
        return spans(lines, self.config.fps, self.stride, self.config.sampling.seconds, self.config.part)

    def planner(self, lines: Iterable[Line]) -> Planner:
        """Blocks of lines that may still be arriving."""
        return Planner(self.spans(lines), self.config.block, self.config.margin)

    def maker(self, seed: int, options: SamplingOptions, index: int) -> BlockMaker:
        """What makes the blocks of one stream of draws."""
        return BlockMaker(self.masked, self.residual, self.pooled, options, seed, index)

    def placer(self) -> placing.Placer:
        """What puts decoded features into one world."""
        layout = self.frozen.layout
        skeleton = HUMANML22 if layout.joints == len(HUMANML22) else KIT21
        return placing.Placer(layout, skeleton, self.config.fps)


def stream(
    parts: Parts, lines: Counted, seed: int, options: SamplingOptions, index: int, passport: Mapping[str, Any],
    carried: Callable[[int], None] | None = None,
) -> Iterator[Motion]:  # fmt: skip
    """Motion as it becomes ready; see `KMM.stream`.

    Args:
        parts: of the system.
        lines: of the script, read as far as is needed.
        seed: of the draws.
        options: how tokens are sampled.
        index: which stream of draws.
        passport: of every part; its `first_frame` is added here.
        carried: called after each block with how many numbers the states hold.
    """
    fps, stride = parts.config.fps, parts.stride
    planner, maker = parts.planner(lines), parts.maker(seed, options, index)
    decoder, placer = DecoderStream(parts.frozen), parts.placer()
    window: list[Span] = []

    def part(frames: Tensor) -> Motion:
        first = placer.frames
        last = first + len(frames)
        segments = tuple(
            Segment(s.text, max(0, s.start * stride - first) / fps, min(len(frames), s.stop * stride - first) / fps)
            for s in window
            if s.stop * stride > first and s.start * stride < last
        )
        return placer.put(frames.numpy(), segments=segments, passport={**passport, "first_frame": first})

    with evaluating([parts.masked, parts.residual]):
        while (block := planner.next()) is not None:
            window = [s for s in window if s.stop * stride > placer.frames]
            window += [s for s in planner.spans if not window or s.start >= window[-1].stop]
            frames = decoder.push(maker.make(planner.spans, *block))
            if carried is not None:
                carried(maker.carried)
            if len(frames):
                yield part(frames)
        frames = decoder.finish()[: max(0, lines.frames - placer.frames)]
        if len(frames):
            yield part(frames)


def tokens(
    parts: Parts, lines: Sequence[Line], seed: int, options: SamplingOptions, index: int, *, keep: bool
) -> tuple[Tensor, States]:
    """All tokens (N, Q) of a script and, if they are to be kept, the memories before each block."""
    planner, maker = parts.planner(lines), parts.maker(seed, options, index)
    blocks, states = [], []
    with evaluating([parts.masked, parts.residual]):
        while (block := planner.next()) is not None:
            if keep:
                states.append((block[0], maker.memory.copy()))
            blocks.append(maker.make(planner.spans, *block))
    return torch.cat(blocks), states


def again(
    parts: Parts, codes: Tensor, states: States, lines: Sequence[Line], maker: BlockMaker, line: int, variation: int,
) -> tuple[Tensor, States, tuple[int, int]]:  # fmt: skip
    """One line regenerated between the others.

    Args:
        parts: of the system.
        codes: all tokens, as `tokens` gave them.
        states: the memories before each block, as `tokens` gave them.
        lines: of the script, the new text in place.
        maker: a new one, of the same seed, options and index as made the tokens.
        line: its number, from 0.
        variation: which draws; 0 are those of the first time.
    Returns: the tokens, the memories that then hold, and the frames [first, last) of the line.
    """
    found = list(parts.spans(lines))
    mine = [s for s in found if s.line == line]
    first, last = mine[0].start, mine[-1].stop
    maker.sources[line] = line_source(maker.seed, line, lines[line].seed, variation, maker.index)
    fresh = codes.clone()
    free = torch.zeros(len(codes), dtype=torch.bool)
    free[first:last] = True
    stops = [*(start for start, _ in states[1:]), len(codes)]
    kept = [state for state, stop in zip(states, stops, strict=True) if stop <= first]
    maker.memory = states[len(kept)][1].copy()
    with evaluating([parts.masked, parts.residual]):
        for (start, _), stop in list(zip(states, stops, strict=True))[len(kept) :]:
            kept.append((start, maker.memory.copy()))
            fresh[start:stop] = maker.make(found, start, stop, fresh[start:stop], free[start:stop])
    return fresh, kept, (first * parts.stride, last * parts.stride)


def decoded(parts: Parts, codes: Tensor, lines: Sequence[Line], *, clean: bool) -> Motion:
    """All tokens -> the motion with a segment per line, decoded and placed part by part as a stream is."""
    fps, stride = parts.config.fps, parts.stride
    seconds = [parts.config.sampling.seconds if x.seconds is None else x.seconds for x in lines]
    total = round(sum(seconds) * fps)
    decoder, placer, motions = DecoderStream(parts.frozen), parts.placer(), []
    for at in range(0, len(codes), 64):
        frames = decoder.push(codes[at : at + 64])
        if len(frames):
            motions.append(placer.put(frames.numpy()))
    frames = decoder.finish()[: max(0, total - placer.frames)]
    if len(frames):
        motions.append(placer.put(frames.numpy()))
    ends = {s.line: min(s.stop * stride, total) / fps for s in parts.spans(lines)}
    segments = tuple(Segment(x.text, ends.get(i - 1, 0.0), ends[i]) for i, x in enumerate(lines))
    motion = placing.joined(motions, segments, {})
    return cleanup.clean(motion) if clean else motion
