"""A script performed: as a stream, as a whole, and with one line made again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from laban.motion.motion import Motion, Segment
from laban.motion.skeletons import HUMANML22, KIT21
from laban.nn.frozen import DecoderStream
from laban.systems.base import TextRequest
from laban.systems.kmm import placing
from laban.systems.kmm.blocks import BlockMaker, Draw, Memory, line_source
from laban.systems.kmm.script import Counted, Line, Planner, Span, spans

if TYPE_CHECKING:
    from laban.systems.kmm.system import KMM

States = list[tuple[int, Memory]]
"""The first token of each block, and the memory before it."""


def spans_of(system: KMM, lines: Iterable[Line]) -> Iterator[Span]:
    """The spans of lines as they come, on the system's grid of tokens."""
    config = system.config
    return spans(lines, config.fps, system.frozen.config.stride, config.sampling.seconds, config.part)


def stream(system: KMM, lines: Counted, seed: int, draw: Draw, index: int) -> Iterator[Motion]:
    """See `KMM.stream`."""
    config, stride = system.config, system.frozen.config.stride
    planner = Planner(spans_of(system, lines), config.block, config.margin)
    maker = _maker(system, seed, draw, index)
    decoder, placer = DecoderStream(system.frozen), _placer(system)
    passport = system.passport(TextRequest("", None), seed, options=asdict(draw), fps=config.fps)
    window: list[Span] = []

    def part(frames: Tensor) -> Motion:
        first = placer.frames
        last = first + len(frames)
        segments = tuple(
            Segment(
                s.text,
                max(0, s.start * stride - first) / config.fps,
                min(len(frames), s.stop * stride - first) / config.fps,
            )
            for s in window
            if s.stop * stride > first and s.start * stride < last
        )
        return placer.put(frames.numpy(), segments=segments, passport={**passport, "first_frame": first})

    with _evaluating(system):
        while (block := planner.next()) is not None:
            window = [s for s in window if s.stop * stride > placer.frames]
            window += [s for s in planner.spans if not window or s.start >= window[-1].stop]
            frames = decoder.push(maker.make(planner.spans, *block))
            system.carried = maker.carried
            if len(frames):
                yield part(frames)
        frames = decoder.finish()[: max(0, lines.frames - placer.frames)]
        if len(frames):
            yield part(frames)


def tokens(system: KMM, lines: Sequence[Line], seed: int, draw: Draw, index: int, keep: bool) -> tuple[Tensor, States]:
    """All tokens (N, Q) of a script and, if they are to be kept, the memories before each block."""
    planner = Planner(spans_of(system, iter(lines)), system.config.block, system.config.margin)
    maker = _maker(system, seed, draw, index)
    parts, states = [], []
    with _evaluating(system):
        while (block := planner.next()) is not None:
            if keep:
                states.append((block[0], maker.memory.copy()))
            parts.append(maker.make(planner.spans, *block))
    return torch.cat(parts), states


def again(
    system: KMM, codes: Tensor, states: States, lines: Sequence[Line], seed: int, draw: Draw, index: int, line: int,
    variation: int,
) -> tuple[Tensor, States, tuple[int, int]]:  # fmt: skip
    """One line made again between the others.

    Args: codes, states: as `tokens` gave them. line: from 0.
    Returns: the tokens, the memories that then hold, and the frames [first, last) of the line.
    """
    found = list(spans_of(system, lines))
    mine = [s for s in found if s.line == line]
    first, last = mine[0].start, mine[-1].stop
    maker = _maker(system, seed, draw, index)
    maker.sources[line] = line_source(seed, line, lines[line].seed, variation, index)
    fresh = codes.clone()
    free = torch.zeros(len(codes), dtype=torch.bool)
    free[first:last] = True
    stops = [*(start for start, _ in states[1:]), len(codes)]
    kept = [state for state, stop in zip(states, stops, strict=True) if stop <= first]
    maker.memory = states[len(kept)][1].copy()
    with _evaluating(system):
        for (start, _), stop in list(zip(states, stops, strict=True))[len(kept) :]:
            kept.append((start, maker.memory.copy()))
            fresh[start:stop] = maker.make(found, start, stop, fresh[start:stop], free[start:stop])
    stride = system.frozen.config.stride
    return fresh, kept, (first * stride, last * stride)


def performed(system: KMM, codes: Tensor, lines: Sequence[Line], clean: bool) -> Motion:
    """All tokens -> the motion with a segment per line, decoded and placed part by part as a stream is."""
    stride, fps = system.frozen.config.stride, system.config.fps
    seconds = [system.config.sampling.seconds if x.seconds is None else x.seconds for x in lines]
    total = round(sum(seconds) * fps)
    decoder, placer, parts = DecoderStream(system.frozen), _placer(system), []
    for at in range(0, len(codes), 64):
        frames = decoder.push(codes[at : at + 64])
        if len(frames):
            parts.append(placer.put(frames.numpy()))
    frames = decoder.finish()[: max(0, total - placer.frames)]
    if len(frames):
        parts.append(placer.put(frames.numpy()))
    ends = {s.line: min(s.stop * stride, total) / fps for s in spans_of(system, lines)}
    segments = tuple(Segment(x.text, ends.get(i - 1, 0.0), ends[i]) for i, x in enumerate(lines))
    motion = placing.joined(parts, segments, {})
    if clean:
        from laban.motion import cleanup

        motion = cleanup.clean(motion)
    return motion


def _maker(system: KMM, seed: int, draw: Draw, index: int) -> BlockMaker:
    def feature(text: str) -> Tensor:
        return system.text_encoder.encode([text]).pooled[0].float()

    return BlockMaker(system.masked, system.residual, feature, draw, seed, index)


def _placer(system: KMM) -> placing.Placer:
    skeleton = HUMANML22 if system.layout.joints == len(HUMANML22) else KIT21
    return placing.Placer(system.layout, skeleton, system.config.fps)


@contextmanager
def _evaluating(system: KMM) -> Iterator[Any]:
    """Both networks in evaluation mode, and as before afterwards."""
    modes = [(system.module(stage), system.module(stage).training) for stage in system.stages()]
    system.eval()
    try:
        yield system
    finally:
        for module, training in modes:
            module.train(training)
