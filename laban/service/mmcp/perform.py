"""A request performed: by the actions that the command line calls, then put onto the client's skeleton."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from laban.actions.context import Context
from laban.actions.dance import DanceOptions, dance
from laban.actions.generate import GenerateOptions, generate
from laban.actions.script import ScriptOptions, script
from laban.motion.motion import Motion
from laban.service.mmcp.answer import FILE, document
from laban.service.mmcp.body import Body
from laban.service.mmcp.models import FPS
from laban.service.mmcp.schema import Generate, parsed, unknown_members
from laban.systems.kmm.script import Line

SHORTEST = 0.4  # seconds that are made at least; the rest is cut off
MOST_STEPS = 50
DRAWN = 4  # candidates per sample, where goals are to be met
IDLE = "a person stands still"

Note = dict[str, Any]


def perform(order: dict[str, Any], folder: Path, context: Context) -> dict[str, Any]:
    """The task of a worker: writes the answer into the job's folder.

    Args:
        order: what the worker was told; `args` is the request.
        folder: where the answer goes.
        context: models, progress, warnings; asked whether to stop.
    Raises: InputError, Refused.
    """
    request = parsed(order["args"])
    fps = request.timing.fps if request.timing is not None else FPS
    notes: list[Note] = []
    warned = context.warn

    def warn(text: str) -> None:
        warned(text)
        notes.append(_note("warning", "warning", text))

    context = replace(context, warn=warn)
    for name in unknown_members(request):
        notes.append(_note("unknown_field", "info", f"{name} is not known here, and was ignored."))
    body = Body(request.skeleton.model_dump())
    if not body.canonical:
        _ = body.stance  # which refuses what is no body, before any work
    motions = _made(request, body, fps, order["files"], notes, context)
    boundaries = np.cumsum([segment.duration_frames for segment in request.segments])[:-1].tolist()
    made = document(
        order["args"]["skeleton"], [body.worn(_cut(motion, fps, request.frames)) for motion in motions], fps,
        request.model, boundaries, notes, None if body.canonical else body.ours, loop=_loops(request),
    )  # fmt: skip
    (folder / FILE).write_text(json.dumps(made), encoding="utf-8")
    passport = {key: (motions[0].passport or {}).get(key) for key in ("system", "weights", "licence")}
    return {"model": request.model, "frames": request.frames, "fps": fps, "samples": len(motions), "passport": passport}


def _made(
    request: Generate, body: Body, fps: float, files: dict[str, str], notes: list[Note], context: Context
) -> list[Motion]:
    """The motions, on our joints."""
    options = request.options
    count = options.num_samples if options is not None else 1
    seed = abs(options.seed or 0) if options is not None else 0
    if request.model == "laban-dance":
        return [_danced(request, fps, seed + number, files, context) for number in range(count)]
    texts = [segment for segment in request.segments if segment.type == "text"]
    if not request.constraints and not _loops(request) and len(texts) == len(request.segments):
        if len(texts) == 1:
            return _sentence(request, texts[0], fps, seed, count, context)
        return [_script(request, fps, seed + number, context) for number in range(count)]
    if request.model == "laban-script":
        return [_script(request, fps, seed + number, context) for number in range(count)]
    return _authored(request, body, fps, seed, notes, context)


def _loops(request: Generate) -> bool:
    return request.options is not None and request.options.loop


def _settings(request: Generate) -> dict[str, Any]:
    """Options of the actions that the protocol's stand for."""
    options = request.options
    if options is None:
        return {}
    found: dict[str, Any] = {"raw": not options.post_processing}
    if "diffusion_steps" in options.model_fields_set:
        found["steps"] = min(options.diffusion_steps, MOST_STEPS)
    if options.guidance is not None and options.guidance.type == "regular":
        found["guidance"] = min(100.0, max(0.0, options.guidance.weight[0]))
    if options.guidance is not None and options.guidance.type == "nocfg":
        found["guidance"] = 1.0
    return found


def _sentence(request: Generate, segment: Any, fps: float, seed: int, count: int, context: Context) -> list[Motion]:
    seed = seed if segment.seed is None else abs(segment.seed)
    seconds = max(SHORTEST, segment.duration_frames / fps)
    chosen: dict[str, Any] = {"samples": count} if count > 1 else {}
    asked = GenerateOptions(text=segment.prompt, seconds=seconds, seed=seed, fps=30.0, **chosen, **_settings(request))
    return [result.motion for result in generate(asked, context)]


def _script(request: Generate, fps: float, seed: int, context: Context) -> Motion:
    lines = tuple(
        Line(
            segment.prompt if segment.type == "text" else IDLE, max(SHORTEST, segment.duration_frames / fps),
            None if segment.seed is None else abs(segment.seed),
        )
        for segment in request.segments
    )  # fmt: skip
    return script(ScriptOptions(lines=lines, seed=seed, fps=30.0, **_settings(request)), context)[0].motion


def _danced(request: Generate, fps: float, seed: int, files: dict[str, str], context: Context) -> Motion:
    dials = (request.options.model_options if request.options is not None else None) or {}
    song = Path(files[SONG])
    asked = {name: dials[name] for name in ("bpm", "lock_beats") if name in dials}
    seconds = max(1.0, request.frames / fps)
    return dance(DanceOptions(song=song, seconds=seconds, seed=seed, **asked), context).motion


SONG = "song"
"""How a worker is told the file of the song."""


def _authored(
    request: Generate, body: Body, fps: float, seed: int, notes: list[Note], context: Context
) -> list[Motion]:
    """Motions that meet goals: a timeline, as `laban author` performs it."""
    from laban.authoring.author import author
    from laban.authoring.importing import of_mmcp

    plain = request.model_dump(exclude_none=True)
    plain["constraints"], left_out = body.our_goals(plain["constraints"])
    for name in left_out:
        notes.append(_note("goal_ignored", "warning", f"{name} stands for no joint that can be led, and was ignored."))
    plain["timing"] = {"fps": fps}
    if _loops(request):  # whose last frame is its first again
        plain["segments"][0]["duration_frames"] = max(1, request.frames - 1)
    options = request.options
    count = options.num_samples if options is not None else 1
    motions = []
    for number in range(count):
        context.check()
        timeline = replace(of_mmcp(plain), seed=seed + number, samples=DRAWN)
        made = author(timeline, context)
        motions.append(made.motion)
        for reason in made.report.reasons:
            notes.append(_note("goal_infeasible", "warning", f"sample {number}: {reason}"))
        for goal in made.report.goals:
            if not goal.hit:
                notes.append(_note("goal_missed", "warning", f"sample {number}: {_missed(goal)}"))
    return motions


def _missed(goal: Any) -> str:
    facts = {key: value for key, value in goal.record().items() if value is not None}
    return json.dumps(facts)[:400]


def _cut(motion: Motion, fps: float, frames: int) -> Motion:
    """Exactly so many frames: at the asked rate, what is too long cut off, the last frame held where it is short."""
    if motion.fps != fps:
        motion = motion.resample(fps)
    places = np.minimum(np.arange(frames), motion.frames - 1)
    return replace(motion, rotations=motion.rotations[places], root=motion.root[places])


def _note(code: str, severity: str, message: str) -> Note:
    return {"code": code, "severity": severity, "message": message}
