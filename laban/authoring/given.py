"""Timelines that begin with something given: a motion file of which stretches are made anew, or a song."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from laban.actions.context import Context
from laban.actions.inpainting import Draws, Stretch, replace_stretches
from laban.authoring.base import GRID, Clock, timed
from laban.authoring.resolved import ours
from laban.authoring.timeline import Timeline, located
from laban.errors import InputError
from laban.motion import blend, layers, warp
from laban.motion.motion import Motion, Segment
from laban.motion.parts import joints_of

FADE = 0.25  # seconds in which a part made anew gives way


def given(
    timeline: Timeline, folder: Path, *, allow_outside: bool, context: Context
) -> tuple[Motion, Motion, list[str]]:
    """The source, or the dance, with its prompts performed, the same on the timeline's clock, and notes.

    The first is at the timeline's rate; the second at the grid's, or, where nothing else is asked, the first itself.

    Raises: InputError for files that cannot be used, or moments that no prompt fills.
    """
    base, notes = (
        _danced(timeline, folder, allow_outside=allow_outside, context=context)
        if timeline.music
        else _source(timeline, folder, allow_outside=allow_outside)
    )
    base = _prompted(timeline, base, context)
    if not timeline.goals and timeline.loop is None and not timeline.speed:
        return base, base, notes
    clock = Clock.of(timeline, [], [])
    if timeline.loop is None:
        count = max(2, round(timeline.length * GRID))
        made = warp.sampled(base, clock.at(np.arange(count) / GRID) * base.fps, GRID)
        return base, replace(made, segments=base.segments, passport=base.passport), notes
    grid = replace(warp.at_rate(base, GRID), segments=base.segments, passport=base.passport)
    return base, replace(timed(grid, timeline, [], clock), segments=base.segments), notes


def _source(timeline: Timeline, folder: Path, *, allow_outside: bool) -> tuple[Motion, list[str]]:
    from laban import formats

    source = timeline.source
    assert source is not None
    clip = ours(formats.read(located(source.file, folder, allow_outside=allow_outside, sha256=source.sha256)))
    notes = []
    if abs(clip.fps - timeline.fps) > 1e-6:
        notes.append(f"{source.file} runs at {clip.fps:g} fps; it was resampled to {timeline.fps:g}")
        clip = clip.resample(timeline.fps)
    before, whole = round(source.at * clip.fps), round(timeline.length * clip.fps)
    if timeline.loop is not None and not timeline.prompts:
        return clip, notes  # a cycle is cut out of all of it
    frames = np.clip(np.arange(whole) - before, 0, clip.frames - 1)
    for start, end in ((0.0, source.at), (source.at + clip.seconds, timeline.length)):
        filled = any(p.start <= start + 0.1 and p.end >= end - 0.1 for p in timeline.whole)
        if end - start > 1.5 / clip.fps and not filled:
            raise InputError(
                f"{source.file}: covers {source.at:g} to {source.at + clip.seconds:.2f} s of the timeline; nothing "
                f"says what happens from {start:g} to {end:g} s. Add a prompt there, or change length."
            )
    shown = replace(clip, rotations=clip.rotations[frames], root=clip.root[frames])
    segments = tuple(Segment(s.text, s.start + source.at, s.end + source.at) for s in clip.segments if s.end > s.start)
    return replace(shown, segments=segments), notes


def _danced(timeline: Timeline, folder: Path, *, allow_outside: bool, context: Context) -> tuple[Motion, list[str]]:
    from laban.actions.dance import DanceOptions, dance

    music = timeline.music
    assert music is not None
    if music.at > 0.1 or timeline.source is not None:
        raise InputError(
            "music: is heard from the timeline's beginning and without a source; set at to 0, or use two timelines."
        )
    song = located(music.file, folder, allow_outside=allow_outside, sha256=music.sha256)
    options = DanceOptions(
        song, seconds=timeline.length, start=music.start, seed=timeline.seed, bpm=music.bpm, lock_beats=music.lock_beats
    )
    made = ours(dance(options, context).motion)
    if made.seconds < timeline.length - 0.1:
        raise InputError(
            f"{music.file}: ends after {made.seconds:.1f} s of the {timeline.length:g} s. Make length shorter."
        )
    return warp.at_rate(made, timeline.fps), ["drawn by fact: a dance"]


def _prompted(timeline: Timeline, base: Motion, context: Context) -> Motion:
    """Stretches made anew by prompts, the whole body or parts of it."""
    if not timeline.prompts:
        return base
    from laban.systems.capabilities import Inpaints

    name = "momask" if timeline.model == "auto" else timeline.model
    system = context.models.load(Inpaints, name, context.device)

    def stretch(prompt: object) -> Stretch:
        first, last = round(prompt.start * base.fps), min(base.frames, round(prompt.end * base.fps))  # type: ignore[attr-defined]
        return Stretch(prompt.text, first, last)  # type: ignore[attr-defined]

    whole = [stretch(p) for p in timeline.whole]
    for keep in timeline.keep:
        for one in whole:
            if "all" in keep.parts and one.first < keep.end * base.fps - 0.5 and one.last > keep.start * base.fps + 0.5:
                raise InputError(
                    f"keep {keep.start:g} to {keep.end:g} s overlaps the prompt {one.text!r}. Move one of them."
                )
    if whole:
        base, _ = replace_stretches(system, base, whole, Draws(timeline.seed), context)
    for prompt in timeline.layers:
        one = stretch(prompt)
        seed = timeline.seed if prompt.seed is None else prompt.seed
        made, _ = replace_stretches(system, base, [one], Draws(seed), context)
        part = replace(made, rotations=made.rotations[one.first : one.last], root=made.root[one.first : one.last])
        joints = [j for j in joints_of(prompt.parts, base.skeleton) if j != 0]
        base = layers.joints_over(base, part, joints, one.first, one.last, FADE)
        base = replace(base, passport=made.passport)
    return base


def kept(timeline: Timeline, source: Motion, made: Motion) -> Motion:
    """`made` with the frames that are to be kept copied from the source, and drawn towards them beside them."""
    whole = np.zeros(made.frames, bool)
    for keep in timeline.keep:
        span = slice(round(keep.start * made.fps), min(made.frames, round(keep.end * made.fps)))
        if "all" in keep.parts:
            whole[span] = True
        else:
            joints = joints_of(keep.parts, made.skeleton)
            rotations = made.rotations.copy()
            rotations[span][:, joints] = source.rotations[span][:, joints]
            made = replace(made, rotations=rotations)
    if not whole.any():
        return made
    result = replace(
        made, rotations=np.where(whole[:, None, None], source.rotations, made.rotations),
        root=np.where(whole[:, None], source.root, made.root),
    )  # fmt: skip
    edges = np.flatnonzero(np.diff(np.concatenate([[1], whole.astype(int), [1]])))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        result = blend.inset(result, made.rotations[first:last], made.root[first:last], int(first))
    return result
