"""From a timeline to a motion: candidates, path, steering, finish, cycle, report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from laban.actions import best_of
from laban.actions.context import Context
from laban.authoring import feasible, leading
from laban.authoring.base import (
    GRID,
    Clock,
    Line,
    draw,
    lengths,
    lines_of,
    timed,
    with_layers,
)  # fmt: skip
from laban.authoring.report import Report
from laban.authoring.resolved import resolved
from laban.authoring.timeline import Timeline
from laban.metrics import constraints
from laban.motion import cleanup, finish, loops, pathwarp, travel, warp
from laban.motion.motion import Motion

FINISHED = 2  # candidates that are taken to the end, if the first of them is not good
PACED = 0.05  # log of a pace that is worth drawing again for
LARGEST_DOCUMENT = 256 << 10  # bytes of a document that the passport keeps whole
SOLVERS = ("full", "warp")


@dataclass(frozen=True, eq=False)
class Authored:
    """An authored motion.

    Attributes:
        motion: at the timeline's rate; a cycle has one frame more than its period.
        report: what became of what was asked.
        candidates: per candidate drawn its number and cost, least first.
    """

    motion: Motion
    report: Report
    candidates: tuple[dict[str, Any], ...]


@dataclass(frozen=True, eq=False)
class Candidate:
    """One draw on the timeline's clock: as it is, and led along its path."""

    index: int
    own: Motion
    led: Motion
    cost: float


def author(
    timeline: Timeline, context: Context, *, solver: str = "full", folder: Path = Path(), allow_outside: bool = False
) -> Authored:
    """The motion of a timeline.

    Args:
        timeline: what is asked.
        context: models, progress, warnings; asked between steps whether to stop.
        solver: "full"; or "warp", without steering: milliseconds, to preview.
        folder: where files that the timeline names lie.
        allow_outside: whether they may lie elsewhere.
    Raises: InputError for what cannot be asked; Cancelled.
    """
    begin = time.process_time()
    source: Motion | None = None
    timeline = resolved(timeline, folder, allow_outside=allow_outside)
    if timeline.source is not None or timeline.music is not None:
        from laban.authoring.given import given

        source, base, notes = given(timeline, folder, allow_outside=allow_outside, context=context)
        candidates, frozen = (
            [Candidate(0, base, leading.led(base, timeline.goals, circular=bool(timeline.loop), free=False), 0.0)],
            None,
        )
        lines = [Line(s.text, s.start, s.end) for s in base.segments]
    else:
        candidates, lines, notes, system = _drawn(timeline, context)
        frozen = getattr(system, "frozen", None)
    goals, circular = timeline.goals, timeline.loop is not None
    path = leading.merged(candidates[0].own, goals)
    called = " / ".join(dict.fromkeys(repr(line.text) for line in lines)) or "the source"
    why = feasible.reasons([c.own for c in candidates], candidates[0].led, goals, path, called)
    results: list[tuple[tuple[Any, ...], Motion, Report]] = []
    for candidate in candidates[: 1 if why else FINISHED]:
        context.check()
        steering = (
            _tokenizer(timeline, frozen, context) if solver == "full" and not why and (goals or circular) else None
        )
        motion, report = _finished(timeline, candidate, source, steering, why)
        report = replace(report, notes=(*notes, *report.notes), solver="none" if why else solver)
        misses = sum(not goal.hit for goal in report.goals)
        results.append(((misses, len(report.faults), candidate.cost), motion, report))
        if report.ok and not report.faults:
            break
    _, motion, report = min(results, key=lambda r: r[0])
    report = replace(report, cpu_s=time.process_time() - begin)
    listed = tuple({"index": c.index, "cost": round(c.cost, 4)} for c in candidates)
    return Authored(_told(timeline, motion, report, listed), report, listed)


def _tokenizer(timeline: Timeline, frozen: Any, context: Context) -> Any:
    if frozen is not None:
        return frozen
    from laban.systems.capabilities import Steers

    name = "momask" if timeline.model == "auto" else timeline.model
    return context.models.load(Steers, name, context.device).frozen


# Candidates


def _drawn(timeline: Timeline, context: Context) -> tuple[list[Candidate], list[Line], list[str], Any]:
    """Candidates, best first, each as fast as its path wants; the lines, notes and the system."""
    from laban.systems.capabilities import Composes, MakesMotion

    lines, notes = lines_of(timeline)
    clock = Clock.of(timeline, lines, [1.0] * len(lines))
    name, limit = timeline.model, 9.8
    if name == "auto":
        wanted = sum(lengths(lines, clock, loop=timeline.loop is not None, most=None))
        name = "momask" if len(lines) == 1 and wanted <= limit else "kmm"
    with context.clock.part(f"load {name}"):
        system = context.models.load(MakesMotion, name, context.device)
    most = None if isinstance(system, Composes) else float(getattr(system.config, "max_frames", 196)) / GRID
    paces = [1.0] * len(lines)
    chosen: list[Candidate] = []
    with context.clock.part("draw"):
        for second in (False, True):
            context.check()
            clock = Clock.of(timeline, lines, paces)
            seconds = lengths(lines, clock, loop=timeline.loop is not None, most=most)
            clock = replace(clock, drawn=clock.drawn * min(1.0, (sum(seconds) - 0.1) / float(clock.drawn[-1])))
            numbers = [c.index for c in chosen[:FINISHED]] if second else list(range(timeline.samples))
            first = draw(system, lines, seconds, timeline.seed, timeline.samples) if not second else []
            made = [first[n] if first else draw(system, lines, seconds, timeline.seed, 1, n)[0] for n in numbers]
            again = [
                _candidate(timeline, n, timed(m, timeline, lines, clock), lines)
                for n, m in zip(numbers, made, strict=True)
            ]
            chosen = sorted([*again, *(chosen[FINISHED:] if second else [])], key=lambda c: c.cost)
            paces = _paces(timeline, chosen[0].own, lines)
            if max(abs(np.log(p)) for p in paces) < PACED:
                break
    if timeline.layers:
        with context.clock.part("parts"):
            chosen = [_layered(system, timeline, lines, c, notes) for c in chosen[:FINISHED]] + chosen[FINISHED:]
    notes.append(f"drawn by {name}: {timeline.samples} candidates")
    return chosen, lines, notes, system


def _layered(
    system: Any, timeline: Timeline, lines: Sequence[Line], candidate: Candidate, notes: list[str]
) -> Candidate:
    own, told = with_layers(system, candidate.own, timeline, lines)
    notes += [note for note in told if note not in notes]
    return replace(candidate, own=own, led=leading.led(own, timeline.goals, circular=timeline.loop is not None))


def _candidate(timeline: Timeline, index: int, own: Motion, lines: Sequence[Line]) -> Candidate:
    """A draw and what speaks against it: metres that goals are missed by, a wrong speed, and what `best_of` counts."""
    circular = timeline.loop is not None
    led = leading.led(own, timeline.goals, circular=circular)
    off = [each.error_m for each in constraints.reached(led, timeline.goals, circular=circular)]
    judged = best_of.judge(own, lines[0].text if len(lines) == 1 else "")
    cost = float(np.mean(off)) if off else 0.0
    cost += 0.3 * judged.score + (1.0 if judged.does is False else 0.0)
    path = leading.merged(own, timeline.goals)
    if path is not None and len(path.points) > 1:
        asked = sum(length for *_, length in leading.spans(path))
        own_length = feasible.moving_speed(own, path) * (path.points[-1].at - path.points[0].at)
        cost += abs(float(np.log(max(asked, 0.05) / max(own_length, 0.05))))
    if circular:
        cost += loops.report(own).loop_error / 20
    return Candidate(index, own, led, cost)


def _paces(timeline: Timeline, own: Motion, lines: Sequence[Line]) -> list[float]:
    """How much faster or slower each line is to be played so that its steps fit the path."""
    path = leading.merged(own, timeline.goals)
    if path is None or len(path.points) < 2:
        return [1.0] * len(lines)
    way = travel.of(own)
    steps = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(way.xz, axis=0), axis=-1))])
    times = np.arange(len(steps)) / own.fps
    knots = np.concatenate([[0.0], np.cumsum([length for *_, length in leading.spans(path)])])
    at = np.array([p.at for p in path.points])
    paces = []
    for line in lines:
        a, b = max(line.start, at[0]), min(line.end, at[-1])
        if b - a < 0.5:
            paces.append(1.0)
            continue
        asked = float(np.diff(np.interp([a, b], at, knots))[0])
        done = float(np.diff(np.interp([a, b], times, steps))[0])
        ratio = asked / done if asked > 0.1 and done > 0.1 else 1.0
        paces.append(float(np.clip(ratio, 1 / pathwarp.MOST_PACE, pathwarp.MOST_PACE)))
    return paces


# To the end


def _finished(
    timeline: Timeline, candidate: Candidate, source: Motion | None, frozen: Any, why: Sequence[str]
) -> tuple[Motion, Report]:
    """One candidate at the timeline's rate, with its goals met, and what that cost it.

    Where nothing is asked of what was given, it is left alone; so is a candidate that does by itself what is asked.
    """
    goals, circular = timeline.goals, timeline.loop is not None
    steps, beyond = 0, frozenset[int]()
    if source is not None and not goals and not circular and candidate.own.fps == timeline.fps:
        reference = made = candidate.own
    else:
        reference = made = _at_rate(timeline, candidate.own)
        if why:
            made = reference if source is not None else _at_rate(timeline, leading.placed(candidate.own, goals))
        elif circular or not all(each.hit for each in constraints.reached(reference, goals)):
            motion, steps = _steered(timeline, candidate.led, frozen)
            done = finish.finish(_at_rate(timeline, motion), goals, circular=circular)
            made, beyond = done.motion, done.unreachable
            made = loops.sealed(made, turning=timeline.loop == "turn") if circular else made
    if source is not None and timeline.keep:
        from laban.authoring.given import kept

        made = kept(timeline, source, made)
    found = list(constraints.reached(made, goals, circular=circular))
    start = len(goals.poses) + len(goals.paths)
    for k in beyond:
        found[start + k] = replace(found[start + k], unreachable=not found[start + k].hit)
    quality = constraints.quality(made, reference)
    faults = constraints.faults(quality, dense=finish.is_dense(goals.paths))
    loop = loops.report(made) if circular else None
    return made, Report(not why, tuple(why), tuple(found), quality, faults, loop, iterations=steps)


def _steered(timeline: Timeline, motion: Motion, frozen: Any) -> tuple[Motion, int]:
    """A led candidate, its seam decoded around where that is better, its joints steered; and the steps of that."""
    if frozen is None:
        return motion, 0
    from laban.authoring.steered import closed_around, missed, steered

    circular = timeline.loop is not None
    if circular:
        around = closed_around(motion, frozen)
        motion = around if loops.report(around).loop_error < loops.report(motion).loop_error else motion
    left = missed(motion, timeline.goals, circular=circular)
    return steered(motion, left, frozen, circular=circular) if left.poses or left.effectors else (motion, 0)


def _at_rate(timeline: Timeline, motion: Motion) -> Motion:
    """A motion of the grid at the timeline's rate, with held feet."""
    if timeline.loop is None:
        if abs(motion.fps - timeline.fps) < 1e-9:
            return cleanup.clean(motion)
        count = max(2, round(timeline.length * timeline.fps))
        made = warp.sampled(motion, np.arange(count) * motion.fps / timeline.fps, timeline.fps)
        return replace(cleanup.clean(made), segments=motion.segments)
    frames, size = max(4, round(timeline.length * timeline.fps)), motion.frames - 1
    three = loops.repeated(motion, 3)
    made = warp.sampled(three, size + np.arange(frames + 1) * size / frames, timeline.fps)
    made = replace(made, segments=motion.segments)
    made = pathwarp.placed(made, made.root[0] * [1, 0, 1], motion.root[0] * [1, 0, 1],
                           float(travel.facing(motion)[0] - travel.facing(made)[0]))  # fmt: skip
    return loops.cleaned(loops.sealed(made, turning=timeline.loop == "turn"))


def travel_of(timeline: Timeline, motion: Motion) -> travel.Travel:
    """The travel of an authored motion: smoothed over a second, of a cycle over all of it."""
    circular = timeline.loop is not None
    return travel.of(motion, timeline.length if circular else travel.WINDOW, circular=circular)


def _told(timeline: Timeline, motion: Motion, report: Report, candidates: Sequence[dict[str, Any]]) -> Motion:
    """The motion with its travel as asked and its passport."""
    way = travel_of(timeline, motion)
    passport = dict(motion.passport or {})
    document = timeline.record()
    facts: dict[str, Any] = {
        "timeline_sha256": timeline.sha256,
        "report": report.record(),
        "candidates": list(candidates),
    }
    if len(str(document)) <= LARGEST_DOCUMENT:
        facts["timeline"] = document
    if timeline.root != "travel":
        facts["travel"] = {
            "position": np.round(way.xz, 5).tolist(), "yaw": np.round(way.yaw, 5).tolist(),
            "speed": round(float(way.speed.mean()), 4), "fps": motion.fps,
        }  # fmt: skip
        if timeline.root == "in_place":
            motion = travel.taken_out(motion, way)
    return replace(motion, passport={**passport, "authoring": facts})
