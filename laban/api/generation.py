"""Motions and videos from words and music."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.actions.context import Context
from laban.api.call import options_of, surroundings

if TYPE_CHECKING:
    from laban.actions.generate import Generated
    from laban.io.frames import Video
    from laban.language.plan import Plan
    from laban.motion.motion import Motion

PART = 5.0  # seconds of a part of `stream`


def generate(
    text: str,
    *,
    seconds: float | None = None,
    seed: int = 0,
    model: str | Path = "kmm",
    context: Context | None = None,
    **options: Any,
) -> Motion:
    """A motion from a sentence: the best of several candidates.

    Args:
        text: what the person does, in English.
        seconds: its length; None: as the words say, or estimated.
        seed: which of the many motions that fit.
        model: shipped weights by name, or a folder with weights.
        context: models, progress, warnings.
        options: further fields of [`GenerateOptions`][laban.actions.generate.GenerateOptions].
    Raises: InputError for what cannot be asked.
    """
    given = {"seconds": seconds, "seed": seed, "model": str(model), **options, "best": 1}
    return generate_many([text], context=context, **given)[0].motion


def generate_many(
    texts: Sequence[str], *, samples: int | None = None, seed: int = 0, context: Context | None = None, **options: Any
) -> list[Generated]:
    """Motions from several sentences, or several from each, with what is known of them.

    Args:
        texts: sentences; each is sampled as if it were alone.
        samples: candidates per sentence; all are returned, best first, unless `best` says how many.
        seed: of every sentence.
        context: models, progress, warnings.
        options: further fields of [`GenerateOptions`][laban.actions.generate.GenerateOptions].
    Raises: InputError for what cannot be asked.
    """
    from laban.actions import generate as action

    named = {"sentences": tuple(texts), "samples": samples, "seed": seed}
    return action.generate(options_of(action.GenerateOptions, options, named), surroundings(context))


def script(
    lines: Sequence[str], *, seed: int = 0, model: str | Path = "kmm", context: Context | None = None, **options: Any
) -> Motion:
    """One long motion without cuts from several lines.

    Args:
        lines: sentences, each with its seconds: "a person walks forward @4".
        seed: which of the many motions that fit.
        model: shipped weights by name, or a folder with weights.
        context: models, progress, warnings.
        options: further fields of [`ScriptOptions`][laban.actions.script.ScriptOptions].
    Returns: a motion with a segment per line.
    Raises: InputError for what cannot be asked.
    """
    from laban.actions import script as action

    named = {"lines": tuple(lines), "seed": seed, "model": str(model), "parts": None}
    [whole] = action.script(options_of(action.ScriptOptions, options, named), surroundings(context))
    return whole.motion


def stream(
    lines: Sequence[str], *, part: float = PART, seed: int = 0, context: Context | None = None, **options: Any
) -> Iterator[Motion]:
    """As `script`, part after part as they are ready: parts follow each other in one world.

    Args:
        lines: as of `script`.
        part: seconds of a part, at least.
        seed: as of `script`.
        context: models, progress, warnings.
        options: further fields of [`ScriptOptions`][laban.actions.script.ScriptOptions].
    Raises: InputError, when the first part is asked for.
    """
    from laban.actions import script as action

    named = {"lines": tuple(lines), "parts": part, "seed": seed}
    for each in action.stream(options_of(action.ScriptOptions, options, named), surroundings(context)):
        yield each.motion


def dance(
    song: str | Path, *, seconds: float = 30.0, start: float = 0.0, seed: int = 0, context: Context | None = None,
    **options: Any,
) -> Motion:  # fmt: skip
    """A dance to a song.

    Args:
        song: a sound file: wav, flac, ogg, mp3.
        seconds: length of the dance; to the end of the song if that comes first.
        start: second of the song at which it begins.
        seed: which of the dances.
        context: models, progress, warnings.
        options: further fields of [`DanceOptions`][laban.actions.dance.DanceOptions].
    Returns: a motion at 60 fps; its passport keeps the song's beats.
    Raises: InputError for what cannot be asked.
    """
    from laban.actions import dance as action

    named = {"song": song, "seconds": seconds, "start": start, "seed": seed}
    return action.dance(options_of(action.DanceOptions, options, named), surroundings(context)).motion


def video(text: str, *, samples: int = 1, seed: int = 0, context: Context | None = None, **options: Any) -> Video:
    """A small video from a sentence.

    Args:
        text: what is to be seen.
        samples: videos to draw, of which the one that fits best is returned.
        seed: which of the many videos that fit.
        context: models, progress, warnings.
        options: further fields of [`VideoOptions`][laban.actions.video.VideoOptions].
    Raises: InputError for what cannot be asked, or a sentence of which the model knows no word.
    """
    from laban.actions import video as action

    named = {"text": text, "samples": samples, "seed": seed}
    return action.video(options_of(action.VideoOptions, options, named), surroundings(context)).videos[0].video


def plan(text: str) -> Plan:
    """What a sentence asks for, step after step, before any model reads it.

    Args:
        text: one sentence or several.
    """
    from laban.language import planner

    return planner.plan(text)
