"""What a timeline's words make, before any goal is looked at: lines, their clock, candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from laban.authoring.timeline import Timeline
from laban.errors import InputError
from laban.motion import loops, warp
from laban.motion.motion import Motion, Segment

if TYPE_CHECKING:
    from laban.systems.base import System

GRID = 20.0  # frames per second at which bodies are drawn and steered
TOKEN = 4  # frames: a cycle is of whole tokens
SHORTEST_LINE = 0.4  # seconds
LEAD = 0.8  # seconds drawn before and after a cycle of several prompts, to choose its cut from
SPARE = 1.6  # seconds more than its length that a cycle of one prompt is chosen from
STANDS = "a person stands still"
WALKS = "a person walks forward"
RUNS = "a person runs forward"
RUNNING = 2.0  # m/s
STANDING = 0.15  # m/s


@dataclass(frozen=True)
class Line:
    """What the whole body does between two moments of the timeline; `seed` for its draws, if not the timeline's."""

    text: str
    start: float
    end: float
    seed: int | None = None


def lines_of(timeline: Timeline) -> tuple[list[Line], list[str]]:
    """Lines from the first to the last moment, and notes on what fills gaps.

    A gap takes the words of a prompt for parts of the body that covers it, of its neighbour, or, where there are no
    words at all, of how fast the path goes.
    """
    found: list[Line] = []
    notes: list[str] = []
    at = 0.0
    for prompt in [*timeline.whole, None]:
        start = timeline.length if prompt is None else prompt.start
        if start - at >= SHORTEST_LINE:
            text = _filling(timeline, found, at, start)
            notes.append(f"{at:g} to {start:g} s has no prompt for the whole body; {text!r} fills it")
            found.append(Line(text, at, start))
        elif start > at and found:
            found[-1] = replace(found[-1], end=start)
        if prompt is not None:
            found.append(
                Line(" ".join(prompt.text.split()), min(at, start) if not found else start, prompt.end, prompt.seed)
            )
            at = prompt.end
    if found and found[-1].end < timeline.length:
        found[-1] = replace(found[-1], end=timeline.length)
    return found, notes


def _filling(timeline: Timeline, before: Sequence[Line], start: float, end: float) -> str:
    for prompt in timeline.layers:
        if prompt.start < end - 0.2 and prompt.end > start + 0.2:
            return prompt.text
    if before:
        return before[-1].text
    if timeline.whole:
        return timeline.whole[0].text
    speeds = [
        float(np.hypot(b.xz[0] - a.xz[0], b.xz[1] - a.xz[1])) / (b.at - a.at)
        for path in timeline.paths
        for a, b in zip(path.points, path.points[1:], strict=False)
    ]
    fastest = max(speeds, default=0.0)
    return RUNS if fastest > RUNNING else WALKS if fastest > STANDING else STANDS


@dataclass(frozen=True, eq=False)
class Clock:
    """How drawn time runs against the timeline's.

    Attributes:
        moments: (K,) seconds of the timeline, from 0 to its length.
        drawn: (K,) seconds of what is drawn.
    """

    moments: np.ndarray
    drawn: np.ndarray

    @classmethod
    def of(cls, timeline: Timeline, lines: Sequence[Line], paces: Sequence[float]) -> Clock:
        """The rates of `speed` times the paces of the lines."""
        edges = {0.0, timeline.length, *(x for line in lines for x in (line.start, line.end))}
        edges |= {x for s in timeline.speed for x in (s.start, s.end)}
        moments = np.array(sorted(x for x in edges if 0 <= x <= timeline.length))
        moments = moments[np.concatenate([[True], np.diff(moments) > 1e-6])]
        middle = (moments[1:] + moments[:-1]) / 2
        rates = np.ones(len(middle))
        for k, moment in enumerate(middle):
            for line, pace in zip(lines, paces, strict=True):
                rates[k] *= pace if line.start <= moment < line.end else 1.0
            for speed in timeline.speed:
                rates[k] *= speed.rate if speed.start <= moment < speed.end else 1.0
        return cls(moments, np.concatenate([[0.0], np.cumsum(rates * np.diff(moments))]))

    def at(self, seconds: np.ndarray) -> np.ndarray:
        """Drawn seconds of timeline seconds, smooth where the rate changes."""
        return warp.smooth_through(self.drawn, self.moments, np.asarray(seconds))

    @property
    def plain(self) -> bool:
        """Whether both run alike."""
        return bool(np.abs(self.drawn - self.moments).max() < 1e-6)


def lengths(lines: Sequence[Line], clock: Clock, *, loop: bool, most: float | None) -> list[float]:
    """Seconds to draw of each line; more at both ends of a cycle.

    Args:
        lines: of the timeline.
        clock: of the timeline.
        loop: whether a cycle is to be cut out.
        most: seconds that the system can draw at once; None: no end.
    """
    found = [float(np.diff(np.interp([x.start, x.end], clock.moments, clock.drawn))[0]) for x in lines]
    if loop and len(lines) == 1:
        found[0] = max(found[0] * 1.2, found[0] + SPARE)
    elif loop:
        found[0] += LEAD
        found[-1] += LEAD
    if most is not None and sum(found) > most:
        found = [x * most / sum(found) for x in found]
    return [max(SHORTEST_LINE, round(x, 3)) for x in found]


def draw(
    system: System, lines: Sequence[Line], seconds: Sequence[float], seed: int, count: int, first: int = 0
) -> list[Motion]:
    """Candidates at the grid's rate, uncleaned.

    Args:
        system: composes scripts, or makes one motion of one line.
        lines: the words.
        seconds: of each.
        seed: of all.
        count: candidates.
        first: number of the first.
    Raises: InputError for several lines of a system that performs one.
    """
    from laban.systems.capabilities import Composes
    from laban.systems.kmm.script import Line as ScriptLine
    from laban.systems.requests import TextRequest

    if isinstance(system, Composes):
        script = [ScriptLine(x.text, s, x.seed) for x, s in zip(lines, seconds, strict=True)]
        return [system.compose(script, seed, index=first + k) for k in range(count)]
    if len(lines) > 1:
        raise InputError(f"a {system.name} model performs one prompt; the timeline has {len(lines)}. Leave model auto.")
    request = TextRequest(lines[0].text, seconds[0])
    own = seed if lines[0].seed is None else lines[0].seed
    return system.generate([request] * count, own, first_index=first)


def timed(drawn: Motion, timeline: Timeline, lines: Sequence[Line], clock: Clock) -> Motion:
    """A candidate on the timeline's clock: a frame per grid step; of a cycle, whole tokens and one frame."""
    segments = tuple(Segment(x.text, x.start, x.end) for x in lines)
    if timeline.loop is None:
        moments = np.arange(max(2, round(timeline.length * GRID))) / GRID
        made = warp.sampled(drawn, clock.at(moments) * drawn.fps)
        return replace(made, segments=segments, passport=drawn.passport, fps=GRID)
    seconds = float(clock.drawn[-1])
    latest = LEAD if len(lines) > 1 else None
    first, last = loops.cut(drawn, seconds, 0.12 if timeline.length > 4 else loops.SLACK, latest=latest)
    made = loops.closed(
        drawn, first, last, cycle_frames(timeline), turning=timeline.loop == "turn", straight=not timeline.paths
    )
    return replace(made, segments=segments, passport=drawn.passport, fps=(made.frames - 1) / timeline.length)


def cycle_frames(timeline: Timeline) -> int:
    """Frames of a cycle on the grid: whole tokens. Its true rate is frames / length, near the grid's."""
    return max(2, round(timeline.length * GRID / TOKEN)) * TOKEN


def with_layers(system: Any, motion: Motion, timeline: Timeline, lines: Sequence[Line]) -> tuple[Motion, list[str]]:
    """The motion with its parts made by the prompts that are for them, and notes."""
    from laban.motion.layers import joints_over
    from laban.motion.parts import joints_of

    notes = []
    for number, prompt in enumerate(timeline.layers):
        if any(line.text == prompt.text and line.start <= prompt.start + 0.2 for line in lines):
            continue  # the whole body does it already
        first = round(prompt.start * motion.fps)
        last = min(motion.frames, round(prompt.end * motion.fps))
        seed = timeline.seed if prompt.seed is None else prompt.seed
        line = Line(" ".join(prompt.text.split()), 0.0, (last - first + 1) / motion.fps)
        [over] = draw(system, [line], [line.end], seed, 1, number)
        over = warp.sampled(over, np.arange(last - first) * over.fps / motion.fps, motion.fps)
        joints = [j for j in joints_of(prompt.parts, motion.skeleton) if j != 0]
        motion = joints_over(motion, over, joints, first, last, fade=0.25)
        notes.append(f"{', '.join(prompt.parts)} from {prompt.text!r}")
    return motion, notes
