"""A plan of steps becomes one motion: lines of a script, then their paths and tempi."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from laban.actions import best_of
from laban.actions.context import Context
from laban.language.plan import Step
from laban.motion import cleanup, layers, paths, warp
from laban.motion.motion import Motion, Segment

if TYPE_CHECKING:
    from laban.language.plan import Plan, Route
    from laban.systems.base import System

MAX_STEP_SECONDS = 4.5  # seconds of a step without a length of its own, where others follow or came before
MIN_STEP_SECONDS = 1.2
MIN_LINE_SECONDS = 0.4
DEFAULT_SECONDS = 4.0
STEPS = "steps"  # what the ranking is told of several actions of which one walks
STANDS = "a person stands still"  # what somebody does who stops: the line before it leads over
STANCE = 1.0  # seconds
_GOES_DOWN = re.compile(
    r"\b(sit|sits|lie|lies|lay|lays|kneel|kneels|crouch|crouches|squat|squats|duck|ducks|get|gets|drop|drops) down\b"
    r"|\btakes? a seat\b|\b(falls?|collapses?)\b|\b(sitting|lying|kneeling|crouching) down\b"
)
_STOPS = re.compile(r".*\b(stops|pauses|halts|comes to a stop|stops moving|stops walking|stops running)")
TEMPO = (0.5, 1.8)  # how much slower or faster a step is played


def begins_standing(plan: Plan) -> bool:
    """Whether the first step goes down from a stance: sits down, lies down, kneels down, falls.

    Its clips are a second long and begin while the body goes down already, so a second of standing comes before.
    """
    return _GOES_DOWN.search(plan.steps[0].text.lower()) is not None


@dataclass(frozen=True)
class Request:
    """What is asked of a plan as a whole: the seed, motions drawn and kept, and seconds in all, None where not said."""

    seed: int = 0
    drawn: int = 1
    kept: int = 1
    seconds: float | None = None


@dataclass(frozen=True)
class Part:
    """A stretch of the script that one step asks for: its text, its seconds as performed, and where it goes."""

    text: str
    seconds: float
    step: Step

    @property
    def legs(self) -> str:
        """What the model is asked for: all of it, or the legs' share where the arms have one of their own."""
        return self.step.parts[0] if self.arms is not None else self.text

    @property
    def arms(self) -> str | None:
        """The arms' share, of a step in which they do something else than the legs."""
        return self.step.parts[1] if len(self.step.parts) == 2 else None


def parts_of(plan: Plan, estimate: Callable[[str], float], *, stance: bool = True) -> list[Part]:
    """The lines of a plan, repeats written out.

    Args:
        plan: the steps.
        estimate: seconds that a sentence lasts where the plan does not say.
        stance: whether a second of standing comes before a step that goes down from it.
    """
    alone = len(plan.steps) == 1 and plan.steps[0].repeats == 1
    parts: list[Part] = []
    if stance and begins_standing(plan):
        parts.append(Part(STANDS, STANCE, Step(STANDS)))
    for step in plan.steps:
        seconds = step.seconds
        if seconds is None:
            seconds = estimate(step.text) / (step.tempo or 1.0)
            seconds = seconds if alone else min(max(seconds, MIN_STEP_SECONDS), MAX_STEP_SECONDS)
            if step.route is not None and step.route.kind == "circle":
                seconds = max(seconds, 5.0 * abs(step.route.turns or 1.0))
        text = STANDS if parts and _STOPS.fullmatch(step.text.strip().rstrip(".").lower()) else step.text
        if step.route is not None and step.route.kind == "turn" and "around" in text:
            text = f"a person turns {step.route.side or 'left'} on the spot"  # as the data says it
        parts += [Part(text, round(seconds, 2), step)] * step.repeats
    return parts


def performed(
    plan: Plan,
    system: System,
    request: Request,
    options: Mapping[str, Any],
    context: Context,
) -> list[Motion]:
    """The best performances of a plan, best first.

    Args:
        plan: with one step or, if the system composes scripts, several.
        system: makes motions; estimates lengths where the plan does not say them.
        request: the seed, how many are drawn and kept, and the seconds of the whole, if they were said.
        options: of generation; `clean` also holds the feet after a path was bent.
        context: asked between draws whether to stop.
    Returns: motions with a segment per line and, in their passports, the plan and the choice.
    """
    from laban.systems.capabilities import Composes

    lines = parts_of(plan, lambda text: estimated(system, text, request.seed), stance=isinstance(system, Composes))
    parts = scaled(lines, request.seconds)
    clean = bool(options.get("clean"))
    rest = {name: value for name, value in options.items() if name != "clean"}
    candidates = []
    for index in range(request.drawn):
        context.check()
        motion = rerouted(retimed(composed(system, parts, request.seed, index, rest), parts), parts)
        candidates.append(cleanup.clean(motion) if clean else motion)
    chosen = []
    judged_by = plan.sentence if len(parts) == 1 else STEPS if best_of.STEPS.search(plan.sentence.lower()) else ""
    for judged in best_of.best(candidates, judged_by, request.kept):  # no rule holds of several actions at once
        motion = candidates[judged.index]
        facts = {"plan": plan.to_dict(), "selection": judged.facts(request.drawn)}
        chosen.append(replace(motion, passport={**(motion.passport or {}), **facts}))
    return chosen


def composed(system: System, parts: Sequence[Part], seed: int, index: int, options: Mapping[str, Any]) -> Motion:
    """One draw of the lines, each as long as it is before its tempo is applied.

    Where a step names what legs and arms do at once, both are drawn and laid over each other.
    """
    from laban.systems.capabilities import Composes
    from laban.systems.kmm.script import Line
    from laban.systems.requests import TextRequest

    lengths = [max(MIN_LINE_SECONDS, part.seconds * _tempo(part.step)) for part in parts]
    if isinstance(system, Composes):
        lines = [Line(part.legs, seconds) for part, seconds in zip(parts, lengths, strict=True)]
        motion = system.compose(lines, seed, index=index, **options)
        for segment, part in zip(motion.segments, parts, strict=True):
            if part.arms is not None:
                first, last = round(segment.start * motion.fps), min(motion.frames, round(segment.end * motion.fps))
                over = system.compose([Line(part.arms, (last - first) / motion.fps)], seed, index=index, **options)
                motion = layers.upper_over(motion, over, first, min(last, first + over.frames))
        named = [replace(s, text=part.text) for s, part in zip(motion.segments, parts, strict=True)]
        return replace(motion, segments=tuple(named))
    [part], [seconds] = parts, lengths
    return system.generate([TextRequest(part.text, seconds)], seed, first_index=index, **options)[0]


def estimated(system: System, text: str, seed: int) -> float:
    """Seconds of a sentence by the system's own estimate, or DEFAULT_SECONDS where it has none."""
    from laban.systems.capabilities import EstimatesLength

    return system.seconds_of(text, seed) if isinstance(system, EstimatesLength) else DEFAULT_SECONDS


def scaled(parts: list[Part], seconds: float | None) -> list[Part]:
    """The parts, as long together as was asked; those whose length the sentence says keep it where they can."""
    if seconds is None:
        return parts
    said = sum(part.seconds for part in parts if part.step.seconds is not None)
    open_ = sum(part.seconds for part in parts if part.step.seconds is None)
    if open_ == 0 or said >= seconds:
        rate = seconds / (said + open_)
        return [replace(part, seconds=part.seconds * rate) for part in parts]
    rate = (seconds - said) / open_
    return [p if p.step.seconds is not None else replace(p, seconds=p.seconds * rate) for p in parts]


def retimed(motion: Motion, parts: Sequence[Part]) -> Motion:
    """Each part played at its tempo: it was composed longer or shorter by that factor."""
    if all(_tempo(part.step) == 1.0 for part in parts):
        return motion
    places, segments, start = [], [], 0.0
    for segment, part in zip(motion.segments, parts, strict=True):
        first, last = segment.start * motion.fps, segment.end * motion.fps
        count = max(1, round((last - first) / _tempo(part.step)))
        places.append(first + np.arange(count) * (last - first) / count)
        segments.append(Segment(part.text, start, start + count / motion.fps))
        start = segments[-1].end
    every = np.minimum(np.concatenate(places), motion.frames - 1)
    return replace(warp.sampled(motion, every), segments=tuple(segments))


def rerouted(motion: Motion, parts: Sequence[Part]) -> Motion:
    """Each part along its route."""
    for segment, part in zip(motion.segments, parts, strict=True):
        first, last = round(segment.start * motion.fps), min(motion.frames, round(segment.end * motion.fps))
        if part.step.route is not None and last - first > 1:
            motion = _along(motion, part.step.route, first, last)
    return motion


def _along(motion: Motion, route: Route, first: int, last: int) -> Motion:
    sign = -1.0 if route.side == "right" else 1.0
    if route.kind == "in_place":
        return paths.in_place(motion, first, last)
    if route.kind == "circle":
        return paths.circled(motion, sign * (route.turns or 1.0), first, last)
    if route.kind == "turn":
        return paths.turned(motion, sign * (route.degrees or 180.0), first, last)
    if route.kind == "zigzag":
        return paths.zigzag(motion, first, last)
    return paths.straight(motion, first, last)


def _tempo(step: Step) -> float:
    return min(max(step.tempo or 1.0, TEMPO[0]), TEMPO[1])
