"""Motions changed: a stretch regenerated, feet held, one motion turned into another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.actions.context import Context
from laban.api.call import options_of, surroundings

if TYPE_CHECKING:
    from laban.motion.motion import Motion


def edit(
    motion: str | Path | Motion,
    text: str,
    span: tuple[float | None, float | None],
    *,
    seed: int = 0,
    context: Context | None = None,
    **options: Any,
) -> Motion:
    """A motion with one stretch regenerated from a sentence; every other frame stays.

    Args:
        motion: any humanoid, or its file.
        text: what happens in the stretch.
        span: seconds from and to; None stands for an end of the motion.
        seed: which of the many motions that fit.
        context: models, progress, warnings.
        options: further fields of [`EditOptions`][laban.actions.edit.EditOptions].
    Raises: InputError for what cannot be asked.
    """
    from laban.actions.edit import Range

    return _edited(motion, text, options, context, range=(Range(*span),), seed=seed)


def extend(
    motion: str | Path | Motion,
    text: str,
    seconds: float,
    *,
    seed: int = 0,
    context: Context | None = None,
    **options: Any,
) -> Motion:
    """A motion that goes on after its end as a sentence says.

    Args:
        motion: any humanoid, or its file.
        text: what happens after its end.
        seconds: how long.
        seed: which of the many motions that fit.
        context: models, progress, warnings.
        options: further fields of [`EditOptions`][laban.actions.edit.EditOptions].
    Raises: InputError for what cannot be asked.
    """
    return _edited(motion, text, options, context, extend=seconds, seed=seed)


def bridge(
    first: str | Path | Motion,
    second: str | Path | Motion,
    text: str,
    seconds: float,
    *,
    seed: int = 0,
    context: Context | None = None,
    **options: Any,
) -> Motion:
    """Two motions with a generated stretch between them; the second is turned and moved as a whole.

    Args:
        first: any humanoid, or its file.
        second: another.
        text: what happens in between.
        seconds: how long.
        seed: which of the many motions that fit.
        context: models, progress, warnings.
        options: further fields of [`EditOptions`][laban.actions.edit.EditOptions].
    Raises: InputError for what cannot be asked.
    """
    return _edited(first, text, options, context, then=second, gap=seconds, seed=seed)


def clean(
    motion: str | Path | Motion,
    *,
    foot_lock: bool = True,
    ground: bool = True,
    smooth: bool = True,
    context: Context | None = None,
) -> Motion:
    """A humanoid's motion with its feet held while they stand, its floor at 0, and without tremble.

    Args:
        motion: any humanoid, or its file.
        foot_lock: hold each foot in one place while it stands, and bend the leg to suit.
        ground: put the floor at height 0.
        smooth: filter tremble with a Gaussian of 0.04 s.
        context: asked whether to stop.
    Raises: InputError for a motion that cannot be used.
    """
    from laban.actions import clean as action

    named = {"source": motion, "foot_lock": foot_lock, "ground": ground, "smooth": smooth}
    return action.clean(options_of(action.CleanOptions, {}, named), surroundings(context)).motion


def blend(
    first: str | Path | Motion,
    second: str | Path | Motion,
    *,
    steps: int = 5,
    context: Context | None = None,
    **options: Any,
) -> list[Motion]:
    """Steps from one motion to another through a latent space; the ends are the motions as the model knows them.

    Args:
        first: any humanoid, or its file.
        second: another.
        steps: how many motions, both ends counted.
        context: models, progress, warnings.
        options: further fields of [`BlendOptions`][laban.actions.latent.BlendOptions].
    Raises: InputError for a motion that cannot be used.
    """
    from laban.actions import latent as action

    named = {"a": first, "b": second, "steps": steps}
    made = action.blend(options_of(action.BlendOptions, options, named), surroundings(context))
    return [each.motion for each in made]


def mix(
    motion: str | Path | Motion,
    *,
    minus: str | Motion = "",
    plus: str | Motion = "",
    style: str = "",
    strength: float = 1.0,
    context: Context | None = None,
    **options: Any,
) -> Motion:
    """A motion changed by words or by other motions: minus "walk", plus "walk like an old person"; or by a style.

    Args:
        motion: any humanoid, or its file.
        minus: what is taken away.
        plus: what is added.
        style: how the same action should be done, instead of minus and plus.
        strength: 1 for the whole step, less for less.
        context: models, progress, warnings.
        options: further fields of [`MixOptions`][laban.actions.latent.MixOptions].
    Raises: InputError for a motion or words that cannot be used.
    """
    from laban.actions import latent as action

    named = {"file": motion, "minus": minus, "plus": plus, "style": style, "strength": strength, "out": ()}
    return action.mix(options_of(action.MixOptions, options, named), surroundings(context)).motion


def _edited(
    motion: str | Path | Motion, text: str, options: Mapping[str, Any], context: Context | None, **named: Any
) -> Motion:
    from laban.actions import edit as action

    named |= {"source": motion, "text": (text,)}
    return action.edit(options_of(action.EditOptions, options, named), surroundings(context)).motion
