"""Stretches of a clip regenerated from sentences by a system that in-paints, and clips extended or bridged by it.

The clip becomes tokens, those of the stretch are hidden and filled in (in-painting), and the result is put back into
the clip so that every other frame stays as it was, bit for bit. Source: MoMask (Guo et al., CVPR 2024), section on
in-painting, as released. Deviations: the released code draws the residual tokens of the whole clip again and decodes
all of it, which changes what was not edited; here only the stretch is drawn, in every layer, its path through the room
is bent so that it arrives where the kept part begins, and the seams are blended inside the stretch. A clip longer than
the model's longest is seen through a window around the stretch. Where the clip walks and the words need no legs, only
trunk, arms and head of the stretch are taken, and the steps of the clip go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from laban.actions import best_of
from laban.actions.context import Context
from laban.errors import InputError
from laban.language.planner import arms_alone
from laban.metrics.transitions import seam_error
from laban.motion import blend, humanml, layers, legs, stretch
from laban.motion.motion import Motion, Segment
from laban.motion.retarget import retarget
from laban.motion.skeletons import HUMANML22, KIT21
from laban.systems.capabilities import Inpaints
from laban.systems.options import check_sampling
from laban.systems.requests import Stretch, TextRequest

MIN_FRAMES = 2  # of a stretch
TRAVELS = 0.45  # m/s: whoever moves faster is walking, and goes on walking through a gesture


@dataclass(frozen=True)
class Draws:
    """How stretches are drawn.

    Attributes:
        seed: which of the many motions that fit.
        samples: drawn per stretch, of which the best is taken: least detour, least skating, and what was asked.
        options: steps, guidance, residual_guidance, temperature, residual_temperature; None: the system's own.
    """

    seed: int = 0
    samples: int = 4
    options: Mapping[str, float | None] = field(default_factory=dict)

    def settings(self, system: Inpaints) -> dict[str, Any]:
        """All options of the system's draws. Raises: InputError for an unknown one, or one out of bounds."""
        settings = system.inpainting_options()
        for name, value in self.options.items():
            if name not in settings:
                raise InputError(f"edit: unknown option {name!r}; expected one of {', '.join(settings)}.")
            if value is not None:
                settings[name] = value
        check_sampling("edit", settings)
        return settings


@dataclass(frozen=True)
class Seam:
    """How the step across a join departs from its neighbours, metres, and what is usual in the kept frames."""

    seconds: float
    error: float
    median: float
    highest: float


def replace_stretches(
    system: Inpaints, clip: Motion, stretches: Sequence[Stretch], draws: Draws, context: Context
) -> tuple[Motion, tuple[Seam, ...]]:
    """Replace stretches of a clip, one after the other.

    Args:
        system: fills them in.
        clip: any humanoid. On another skeleton it is retargeted first; frames outside the stretches are then those of
            `retarget(clip)`, bit for bit.
        stretches: that do not overlap.
        draws: how they are drawn.
        context: told how many are done, asked between them whether to go on.
    Returns: the motion, at the clip's frame rate, and its seams.
    Raises: InputError for a stretch outside the clip, too short, too long for the model, overlapping, or all of it.
    """
    clip = onto_skeleton(system, clip)
    ordered = sorted(stretches, key=lambda s: s.first)
    for one, two in zip(ordered, ordered[1:], strict=False):
        if two.first < one.last:
            raise InputError(f"edit: frames {two.first} to {one.last} are in two ranges; expected ranges apart.")
    for each in stretches:
        _check(each, clip)
    settings = draws.settings(system)
    motion = clip
    for number, each in enumerate(stretches):
        context.check()
        context.progress(number, len(stretches), "stretches")
        motion = _replaced(system, motion, each, draws, settings, first_index=number * draws.samples)
    return _recorded(system, motion, clip, clip, ordered, draws, settings)


def extend(
    system: Inpaints, clip: Motion, text: str, seconds: float, then: Motion | None, draws: Draws, context: Context
) -> tuple[Motion, tuple[Seam, ...]]:
    """Go on after a clip, and, if another is given, lead over into it.

    The clip's frames stay bit for bit; `then` is turned about the vertical and moved over the floor, as a whole, to
    where the made stretch leads.

    Args:
        system: makes the stretch.
        clip: any humanoid, as in `replace_stretches`.
        text: what happens in the stretch.
        seconds: how long it is.
        then: what follows; None for nothing.
        draws: how the stretch is drawn.
        context: asked before the work whether to go on.
    Returns: the motion, at the clip's frame rate, and its seams.
    Raises: InputError for a length that the model cannot make, or two clips of different frame rates.
    """
    clip = onto_skeleton(system, clip)
    count = round(seconds * clip.fps)
    settings = draws.settings(system)
    place = Stretch(text, clip.frames, clip.frames + count)
    if then is not None:
        then = onto_skeleton(system, then)
        if abs(then.fps - clip.fps) > 1e-6:
            raise InputError(
                f"edit: the clips run at {clip.fps:g} and {then.fps:g} fps; expected one rate. Convert one with "
                "laban convert --fps."
            )
        then = stretch.continue_from(clip, then)
    whole = stretch.bridge(clip, count, then)
    _check(place, whole)
    context.check()
    motion = _replaced(system, whole, place, draws, settings, follow=then is not None)
    return _recorded(system, motion, whole, clip, [place], draws, settings)


def onto_skeleton(system: Inpaints, clip: Motion) -> Motion:
    """The clip on the skeleton that the system makes; as it is, if it already stands on it."""
    skeleton = HUMANML22 if system.layout is humanml.HUMANML else KIT21
    same = clip.skeleton.names == skeleton.names and np.allclose(clip.skeleton.offsets, skeleton.offsets, atol=1e-6)
    return clip if same else retarget(clip, skeleton)


def _check(each: Stretch, clip: Motion) -> None:
    where = f"edit: range {each.first / clip.fps:g} to {each.last / clip.fps:g} s"
    if not 0 <= each.first <= each.last <= clip.frames:
        raise InputError(f"{where} of a clip of {clip.seconds:.2f} s; expected a range inside it, start before end.")
    if each.last - each.first < MIN_FRAMES:
        raise InputError(
            f"{where} holds {each.last - each.first} frames; expected at least {MIN_FRAMES}. Make it longer."
        )
    if each.first == 0 and each.last == clip.frames:
        raise InputError(f"{where} covers the whole clip; nothing would be kept. Use laban generate.")
    if not each.text.strip():
        raise InputError(f"{where} has an empty text; say what the person does.")


def _replaced(
    system: Inpaints, clip: Motion, each: Stretch, draws: Draws, settings: dict[str, Any], first_index: int = 0,
    *, follow: bool = False,
) -> Motion:  # fmt: skip
    """The clip with one stretch regenerated; with `follow` what comes after it is moved to where it leads."""
    grid = system.grid
    seen = stretch.window(clip, each.first, each.last, grid)
    view = stretch.View.of(clip, seen, system.layout, grid.fps)
    candidates = system.inpaint(
        view.features, Stretch(each.text, seen.before, seen.before + seen.gap), draws.seed, first_index=first_index,
        samples=draws.samples, options=settings,
    )  # fmt: skip
    times = np.arange(each.first, each.last) / clip.fps - seen.start
    walks_on = not follow and _travels(clip, each) and arms_alone(each.text)
    best: tuple[tuple[bool, float], Motion] | None = None
    for features in candidates:
        filled = stretch.fill(view, features, follow)
        joints, shift, rest = view.to_world(filled.joints), filled.shift, clip
        inside = legs.plant(Motion.from_joints(joints, grid.fps, clip.skeleton), joints)
        if shift is not None:
            rest = stretch.move(
                clip, each.last, stretch.Shift(shift.turn, view.to_world(shift.about), view.to_world(shift.to))
            )
        rotations, root = inside.at(times)
        result = blend.inset(rest, rotations, root, each.first)
        if walks_on:  # the words need no legs: those of the clip go on with their steps
            span = slice(each.first, each.last)
            arms = replace(result, rotations=result.rotations[span], root=result.root[span])
            result = layers.upper_over(clip, arms, each.first, each.last)
        low, high = max(0, each.first - 4), min(result.frames, each.last + 4)
        part = replace(result, rotations=result.rotations[low:high], root=result.root[low:high])
        judged = best_of.judge(part, each.text)
        key = (judged.does is False and part.seconds > 1.0, judged.score + filled.detour)
        if best is None or key < best[0]:
            best = (key, result)
    assert best is not None
    return best[1]


def _travels(clip: Motion, each: Stretch) -> bool:
    """Whether the clip goes somewhere where the stretch is: faster than TRAVELS on the mean."""
    path = clip.root[max(0, each.first - 1) : each.last + 1][:, [0, 2]]
    return len(path) > 2 and float(np.linalg.norm(np.diff(path, axis=0), axis=-1).mean()) * clip.fps > TRAVELS


def _recorded(
    system: Inpaints, motion: Motion, whole: Motion, source: Motion, stretches: Sequence[Stretch], draws: Draws,
    settings: dict[str, Any],
) -> tuple[Motion, tuple[Seam, ...]]:  # fmt: skip
    """The motion with its texts and passport, and its seams."""
    passport = system.passport(
        TextRequest("; ".join(each.text for each in stretches), None), draws.seed, options=settings,
        samples=draws.samples, text_encoder=system.text_encoder.fingerprint,
        edits=[{"text": s.text, "start": s.first / source.fps, "end": s.last / source.fps} for s in stretches],
    )  # fmt: skip
    passport |= {"source": source.passport or {"frames": source.frames, "fps": source.fps}}
    return replace(motion, segments=segments(whole, stretches), passport=passport), seams(motion, stretches)


def segments(clip: Motion, stretches: Sequence[Stretch]) -> tuple[Segment, ...]:
    """The clip's texts, cut where a stretch was made, and those of the stretches."""
    parts = list(clip.segments)
    for each in stretches:
        start, end = each.first / clip.fps, each.last / clip.fps
        kept: list[Segment] = []
        for s in parts:
            kept += [Segment(s.text, s.start, min(s.end, start))] if s.start < start else []
            kept += [Segment(s.text, max(s.start, end), s.end)] if s.end > end else []
        parts = [*kept, Segment(each.text, start, end)]
    return tuple(sorted(parts, key=lambda s: s.start))


def seams(motion: Motion, stretches: Sequence[Stretch]) -> tuple[Seam, ...]:
    """The error at every join, beside that of the frames that stayed (at the same frame rate)."""
    inner = sorted({f for each in stretches for f in (each.first, each.last) if 2 <= f <= motion.frames - 2})
    if motion.frames < 5 or not inner:
        return ()
    joints = motion.joints()
    usual = [
        f for f in range(2, motion.frames - 1) if all(not (each.first - 1 <= f <= each.last + 1) for each in stretches)
    ]
    errors = seam_error(joints, inner)
    level = seam_error(joints, usual) if usual else np.array([np.nan])
    return tuple(
        Seam(f / motion.fps, float(e), float(np.median(level)), float(level.max()))
        for f, e in zip(inner, errors, strict=True)
    )
