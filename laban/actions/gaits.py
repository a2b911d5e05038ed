"""Walks and runs in `blend` and `mix`: a latent of a whole clip keeps no steps, so they are kept here by phase."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from laban.errors import InputError
from laban.motion import cleanup, layers, phase
from laban.motion.motion import Motion, Segment
from laban.motion.retarget import retarget

if TYPE_CHECKING:
    from collections.abc import Sequence

RATE = 30.0  # frames per second at which two motions are put on one clock


def blended(a: Motion, b: Motion, steps: int) -> list[Motion] | None:
    """Even steps from one motion to another of which at least one walks or runs; None where neither does.

    The ends are the clips themselves. What lies between begins where `a` does, see `laban.motion.phase.blended`.

    Args:
        a: any humanoid.
        b: any humanoid.
        steps: how many, both ends counted.
    Raises: InputError where one walks and the other one sits, kneels or lies.
    """
    ends = [retarget(each).resample(RATE) for each in (a, b)]
    gaits = [phase.clock(each) is not None for each in ends]
    if not any(gaits):
        return None
    made = []
    for number in range(steps):
        motion = phase.blended(ends[0], ends[1], number / (steps - 1))
        if 0 < number < steps - 1 and all(gaits):
            motion = cleanup.clean(motion)
        passport = {"blend": {"step": number, "steps": steps}, "clock": "strides", "of": [a.passport, b.passport]}
        segments = (Segment(f"step {number + 1} of {steps}", 0.0, motion.seconds),)
        made.append(replace(motion, segments=segments, passport=passport))
    return made


def walks(source: Motion) -> bool:
    """Whether a humanoid walks or runs."""
    return phase.clock(retarget(source).resample(RATE)) is not None


def steps_kept(source: Motion, made: Motion) -> Motion:
    """What a latent made of a walk, with the legs and the path of the walk under it.

    Args:
        source: the walk, any humanoid.
        made: on HUMANML22; its trunk, arms and head are taken.
    """
    base = retarget(source).resample(made.fps)
    count = min(base.frames, made.frames)
    cut = [replace(each, rotations=each.rotations[:count], root=each.root[:count]) for each in (base, made)]
    whole = layers.upper_over(cut[0], cut[1])
    return replace(whole, segments=made.segments, passport={**(made.passport or {}), "legs": "of the clip"})


def check_same_legs(texts: Sequence[str | Motion]) -> None:
    """Raises InputError where a walk is to be mixed towards words that ask for other legs.

    Args:
        texts: minus and plus; motions may be anything, since only their upper bodies count.
    """
    from laban.language.planner import arms_alone, verb_of

    if not all(isinstance(text, str) for text in texts):
        return
    minus, plus = (verb_of(f"a person {text}") for text in texts)
    if plus not in (None, minus) and not arms_alone(f"a person {texts[1]}"):
        raise InputError(
            f"mix: the clip walks, and {texts[1]!r} asks for other legs, of which a latent of the whole clip keeps no "
            "steps. Blend the clip with a motion that does so, or use `laban edit`."
        )
