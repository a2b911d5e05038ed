"""Clips in a latent that motions and words share: recognised, captioned, blended and mixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from laban.actions.context import Context
from laban.actions.inputs import motion_of, open_space, sentences
from laban.actions.options import bounded, check, described
from laban.actions.outputs import FPS, check_outputs, check_sheet, write, write_sheet
from laban.errors import InputError
from laban.systems.options import Bounds

if TYPE_CHECKING:
    from laban.motion.motion import Motion
    from laban.systems.capabilities import Embeds
    from laban.systems.motionclip.space import Guess

MODEL = "motionclip"
TOP = Bounds(1, 1000, whole=True)
MODEL_HELP = "Weights by name, or a folder with weights."
ENCODER_HELP = "CLIP's weights, for a released model: a Hugging Face folder, or a .pt of OpenAI or open_clip."


@dataclass(frozen=True)
class RecogniseOptions:
    """Which file, and what it may show."""

    file: Path | Motion = described(MISSING, ".bvh .glb .npz.")
    classes: tuple[str, ...] = described(
        (), "Names or phrases to choose from; the contents of the training corpus if not given."
    )
    top: int = bounded(5, TOP, "How many to print.")
    model: str = described(MODEL, MODEL_HELP)
    text_encoder: Path | None = described(None, ENCODER_HELP)


def recognise(options: RecogniseOptions, context: Context) -> list[Guess]:
    """What happens in a motion file: the likeliest classes, best first.

    Args:
        options: which file, and the classes.
        context: its models are used.
    Raises: InputError for a file, class or model that cannot be used.
    """
    check(options)
    motion = motion_of(options.file, context)
    system = open_space(options.model, context, options.text_encoder)
    from laban.systems.motionclip import space

    return space.recognise(system, motion, list(options.classes) or None, options.top)


@dataclass(frozen=True)
class CaptionOptions:
    """Which file, and the phrases that may describe it."""

    file: Path | Motion = described(MISSING, ".bvh .glb .npz.")
    phrases: Path | None = described(
        None, "A file with one phrase per line; the captions of the training corpus if not given."
    )
    top: int = bounded(5, TOP, "How many to print.")
    model: str = described(MODEL, MODEL_HELP)
    text_encoder: Path | None = described(None, ENCODER_HELP)


def caption(options: CaptionOptions, context: Context) -> list[Guess]:
    """The phrases nearest to a motion file, best first.

    Args:
        options: which file, and the phrases.
        context: its models are used.
    Raises: InputError for a file, phrase or model that cannot be used.
    """
    check(options)
    motion = motion_of(options.file, context)
    lines = list(dict.fromkeys(sentences("", options.phrases))) if options.phrases is not None else None
    system = open_space(options.model, context, options.text_encoder)
    from laban.systems.motionclip import space

    return space.caption(system, motion, lines, options.top)


@dataclass(frozen=True)
class Variation:
    """A motion out of the latent.

    Attributes:
        motion: at the frame rate that was asked for.
        files: where it was written.
        label: what it is recognised as; None where the weights carry no classes.
    """

    motion: Motion
    files: tuple[Path, ...]
    label: str | None


@dataclass(frozen=True)
class BlendOptions:
    """Which two clips, in how many steps, and what is written."""

    a: Path | Motion = described(MISSING, "A motion file: .bvh .glb .npz.")
    b: Path | Motion = described(MISSING, "Another.")
    out: tuple[Path, ...] = described((), "Files to write; blend.glb becomes blend-1.glb, blend-2.glb and so on.")
    steps: int = bounded(5, Bounds(2, 64, whole=True), "How many results, both ends counted.")
    sheet: Path | None = described(None, "A .png with one row per result.")
    fps: float = bounded(30.0, FPS, "Frames per second of the files.")
    raw: bool = described(False, "Leave out the clean-up of feet.")
    model: str = described(MODEL, MODEL_HELP)


def blend(options: BlendOptions, context: Context) -> list[Variation]:
    """Goes from one clip to another in even steps of the latent; the ends are the clips as the model knows them.

    Where one of them walks or runs the latent, which keeps no steps, is left out: clips are blended by the phase of
    their strides, and the ends are the clips themselves.

    Args:
        options: between what, and how.
        context: its models are used; told of progress; asked whether to go on before each result is written.
    Raises: InputError for a file or model that cannot be used, or a walk and someone who sits, kneels or lies.
    """
    check(options)
    if options.out:
        check_outputs(options.out)
    check_sheet(options.sheet)
    ends = [motion_of(options.a, context), motion_of(options.b, context)]
    system = open_space(options.model, context)
    from laban.actions import gaits
    from laban.systems.motionclip import space

    made = gaits.blended(ends[0], ends[1], options.steps)
    if made is None:
        made = space.blend(system, ends[0], ends[1], steps=options.steps, clean=not options.raw)
    results = []
    for i, motion in enumerate(made):
        context.check()
        files = tuple(p.with_name(f"{p.stem}-{i + 1}{p.suffix}") for p in options.out)
        results.append(_written(system, motion, files, options.fps, context))
    if options.sheet is not None:
        titles = [f"{i + 1}: {each.label or ''}" for i, each in enumerate(results)]
        write_sheet(made, titles, options.sheet)
    return results


@dataclass(frozen=True)
class MixOptions:
    """Which clip, how it is changed, and what is written."""

    file: Path | Motion = described(MISSING, "The motion to change: .bvh .glb .npz.")
    minus: str | Motion = described("", "What is taken away: words, or a motion file.")
    plus: str | Motion = described("", "What is added: words, or a motion file.")
    style: str = described("", "How the same action should be done, instead of --minus and --plus.")
    strength: float = bounded(1.0, Bounds(-10, 10), "1 for the whole step, less for less.")
    out: tuple[Path, ...] = described((), "Files to write.")
    sheet: Path | None = described(None, "A .png with the clip, what the model keeps of it, and the result.")
    fps: float = bounded(30.0, FPS, "Frames per second of the files.")
    raw: bool = described(False, "Leave out the clean-up of feet.")
    model: str = described(MODEL, MODEL_HELP)


def mix(options: MixOptions, context: Context) -> Variation:
    """Changes a clip by what leads from one text or clip to another.

    A clip that walks or runs keeps its legs and its path, and trunk, arms and head are changed.

    Args:
        options: what is changed, and by what: minus and plus, or style alone.
        context: its models are used; told of progress; asked whether to go on before anything is written.
    Raises: InputError for a file, direction or model that cannot be used, or a walk that is to do something else.
    """
    check(options)
    if options.out:
        check_outputs(options.out)
    check_sheet(options.sheet)
    style, minus, plus = options.style.strip(), _given(options.minus), _given(options.plus)
    if bool(style) == (minus or plus) or minus != plus:
        raise InputError("mix: give --minus and --plus, both, or --style alone.")
    from laban.actions import gaits

    source = motion_of(options.file, context)
    ends = [_text_or_motion(x, context) for x in (options.minus, options.plus)]
    walks = gaits.walks(source)
    if walks and not style:
        gaits.check_same_legs(ends)
    system = open_space(options.model, context)
    from laban.motion.retarget import retarget
    from laban.systems.motionclip import space

    if style:
        made = space.restyle(system, source, options.style, options.strength, clean=not options.raw)
    else:
        made = space.mix(system, source, ends[0], ends[1], options.strength, clean=not options.raw)
    made = gaits.steps_kept(source, made) if walks else made
    context.check()
    result = _written(system, made, options.out, options.fps, context)
    if options.sheet is not None:
        title = made.segments[0].text if made.segments else "result"
        shown = [retarget(source), space.reconstruct(system, source), made]
        write_sheet(shown, ["the clip", "as the latent keeps it", title], options.sheet)
    return result


def _given(what: str | Motion) -> bool:
    return not isinstance(what, str) or bool(what.strip())


def _text_or_motion(given: str | Motion, context: Context) -> str | Motion:
    """A motion if `said` is one or names a file with a motion file's suffix; else the words."""
    from laban.formats import CHARACTER_READERS, READERS

    if not isinstance(given, str):
        return given
    path = Path(given)
    if path.suffix.lower() in READERS | CHARACTER_READERS and " " not in path.suffix:
        return motion_of(path, context)
    return given


def _written(system: Embeds, made: Motion, files: Sequence[Path], fps: float, context: Context) -> Variation:
    from laban.systems.motionclip import space

    best = space.recognise(system, made, top=1) if system.vocabulary["classes"] else []
    motion = made.resample(fps)
    for path in files:
        write(motion, path, context, fps)
    return Variation(motion, tuple(files), best[0].label if best else None)
