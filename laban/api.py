"""What Laban does, as functions of Python: `laban.generate`, `laban.edit`, `laban.dance` and the others.

Each is a thin form of an action (`laban.actions`): what most callers give are its arguments, and whatever else the
action's options dataclass has may be given by name. Models are loaded once in a process and shared by all calls. What a
person should read comes as a Python warning; give a `Context` of your own for progress, to stop, or for a device.

Importing this module imports no torch.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from laban.actions.context import Context, Models
from laban.config import nearest
from laban.errors import InputError

if TYPE_CHECKING:
    from laban.actions.evaluate import Evaluation
    from laban.actions.generate import Generated
    from laban.character.bonemap import BoneMap
    from laban.character.made import Made
    from laban.data.prepare import PrepareReport
    from laban.io.frames import Video
    from laban.language.plan import Plan
    from laban.motion.motion import Motion
    from laban.systems.motionclip.library import Match
    from laban.systems.motionclip.space import Guess
    from laban.train.loop import Outcome

_Kind = TypeVar("_Kind")
PART = 5.0  # seconds of a part of `stream`

PACKAGE = Path(__file__).parent
_models = Models()


@dataclass(frozen=True)
class Character:
    """A rigged humanoid of your own, for `retarget`.

    Attributes:
        file: .glb, .vrm, .gltf, or a .bvh for its skeleton.
        bone_map: a mapping file, where its bones are not recognised (`laban character inspect` writes one).
        partial: accept one without arms or head.
    """

    file: str | Path
    bone_map: str | Path | None = None
    partial: bool = False

    def bones(self) -> BoneMap:
        """Which bone is which, checked. Raises: InputError for a file that holds no humanoid."""
        from laban.character.stance import load

        return load(Path(self.file), None if self.bone_map is None else Path(self.bone_map), self.partial).map


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
    return action.generate(_options(action.GenerateOptions, options, named), _context(context))


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
    [whole] = action.script(_options(action.ScriptOptions, options, named), _context(context))
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
    for each in action.stream(_options(action.ScriptOptions, options, named), _context(context)):
        yield each.motion


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
    return action.dance(_options(action.DanceOptions, options, named), _context(context)).motion


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
    return action.video(_options(action.VideoOptions, options, named), _context(context)).videos[0].video


def retarget(
    motion: str | Path | Motion,
    character: str | Path | Character,
    *,
    fps: float | None = None,
    context: Context | None = None,
    **options: Any,
) -> Made:
    """A motion on a character, with the certificate of how well it fits; `laban.write` writes it.

    Args:
        motion: any humanoid, or its file.
        character: a rigged humanoid.
        fps: frames per second of the result; None: the motion's.
        context: asked whether to stop.
        options: further fields of [`RetargetOptions`][laban.actions.character.RetargetOptions].
    Raises: InputError for a motion or character that cannot be used.
    """
    from laban.actions import character as action

    body = character if isinstance(character, Character) else Character(character)
    named = {"source": motion, "character": body.file, "map": body.bone_map, "partial": body.partial, "fps": fps}
    return action.retarget(_options(action.RetargetOptions, options, named), _context(context))


def search(
    folder: str | Path,
    text: str = "",
    *,
    like: str | Path | Motion | None = None,
    top: int = 10,
    context: Context | None = None,
    **options: Any,
) -> list[Match]:
    """The clips of a folder, and the moments in long ones, that fit a sentence or a motion, best first.

    Args:
        folder: of .bvh, .glb and .npz files, with all folders in it; it keeps an index.
        text: what to find.
        like: find what is like this motion, instead of a text.
        top: how many at most.
        context: models, progress, warnings.
        options: further fields of [`SearchOptions`][laban.actions.library.SearchOptions].
    Raises: InputError for neither or both of text and like, or a folder that cannot be used.
    """
    from laban.actions import library as action

    named = {"folder": folder, "text": text, "like": like, "top": top}
    return action.search(_options(action.SearchOptions, options, named), _context(context)).found


def recognise(
    motion: str | Path | Motion,
    classes: Sequence[str] = (),
    *,
    top: int = 5,
    context: Context | None = None,
    **options: Any,
) -> list[Guess]:
    """What happens in a motion: the likeliest classes, best first.

    Args:
        motion: any humanoid, or its file.
        classes: names or phrases to choose from; the contents of the training corpus if none are given.
        top: how many at most.
        context: models, progress, warnings.
        options: further fields of [`RecogniseOptions`][laban.actions.latent.RecogniseOptions].
    Raises: InputError for a motion or class that cannot be used.
    """
    from laban.actions import latent as action

    named = {"file": motion, "classes": tuple(classes), "top": top}
    return action.recognise(_options(action.RecogniseOptions, options, named), _context(context))


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
    return [each.motion for each in action.blend(_options(action.BlendOptions, options, named), _context(context))]


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
    return action.mix(_options(action.MixOptions, options, named), _context(context)).motion


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
    return action.clean(_options(action.CleanOptions, {}, named), _context(context)).motion


def render(
    content: str | Path | Motion | Made, out: str | Path, *, context: Context | None = None, **options: Any
) -> None:
    """A film (.mp4, .gif), a sheet of poses (.png) or a page that plays (.html).

    Args:
        content: a motion, a motion on a character, or a file of either.
        out: the file to write.
        context: told of progress.
        options: of the format's writer: width, height, fps, beats and more.
    Raises: InputError for a file that cannot be read or written.
    """
    from laban.actions import files
    from laban.actions.outputs import write
    from laban.formats import SHOWN, check_suffix

    check_suffix(out, SHOWN)
    if isinstance(content, str | Path):
        named = {"source": content, "out": (out,)}
        files.render(_options(files.RenderOptions, options, named), _context(context))
    else:
        write(content, Path(out), _context(context), **options)


def plan(text: str) -> Plan:
    """What a sentence asks for, step after step, before any model reads it.

    Args:
        text: one sentence or several.
    """
    from laban.language import planner

    return planner.plan(text)


def prepare_data(
    corpus: str, source: str | Path, out: str | Path, *, context: Context | None = None, **options: Any
) -> PrepareReport:
    """Turns a corpus, as its owners publish it, into memory-mapped arrays to train on.

    Args:
        corpus: its name; "folder" for any motion files with a captions.tsv.
        source: its folder or archive.
        out: the folder of prepared corpora.
        context: told of progress; asked between files whether to stop.
        options: further fields of [`PrepareOptions`][laban.actions.data.PrepareOptions].
    Returns: what was done, and which files were skipped, why.
    Raises: InputError for an unknown corpus, or a source that holds none of its files.
    """
    from laban.actions import data as action

    named = {"corpus": corpus, "source": source, "out": out}
    return action.prepare(_options(action.PrepareOptions, options, named), _context(context))


def train_model(
    system: str, data: str | Path, out: str | Path, *, preset: str = "small", seed: int = 0,
    context: Context | None = None, **options: Any,
) -> Outcome:  # fmt: skip
    """Trains a system on prepared corpora; called again it goes on where it stood.

    Args:
        system: its name.
        data: the folder that `laban data prepare` wrote.
        out: the folder of the run, which `laban.load` opens when all stages are done.
        preset: size of the model: small, paper, tiny.
        seed: of weights, data order and dropout.
        context: told of steps; asked after each whether to stop.
        options: further fields of [`TrainOptions`][laban.actions.train.TrainOptions].
    Raises: InputError for an unknown system, preset or stage, or a folder that holds another run.
    """
    from laban.actions import train as action

    named = {"system": system, "data": data, "out": out, "preset": preset, "seed": seed}
    return action.train(_options(action.TrainOptions, options, named), _context(context))


def score_model(
    system: str | Path, data: str | Path, out: str | Path, *, seed: int = 0, context: Context | None = None,
    **options: Any,
) -> Evaluation:  # fmt: skip
    """Scores a system on held-out clips, next to real motion and rows that a score has to tell from it.

    Args:
        system: shipped weights by name, or a folder with weights.
        data: the folder that `laban data prepare` wrote.
        out: the folder of the report.
        seed: of motions, pools and bootstrap.
        context: told of progress.
        options: further fields of [`EvaluateOptions`][laban.actions.evaluate.EvaluateOptions].
    Raises: InputError for a system or data that cannot be scored.
    """
    from laban.actions import evaluate as action

    named = {"system": str(system), "data": data, "out": out, "seed": seed}
    return action.evaluate(_options(action.EvaluateOptions, options, named), _context(context))


def _edited(
    motion: str | Path | Motion, text: str, options: Mapping[str, Any], context: Context | None, **named: Any
) -> Motion:
    from laban.actions import edit as action

    named |= {"source": motion, "text": (text,)}
    return action.edit(_options(action.EditOptions, options, named), _context(context)).motion


def _context(context: Context | None) -> Context:
    return context or Context(models=_models, warn=_warn)


def _warn(text: str) -> None:
    """A Python warning at the line that called into this package."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and Path(frame.f_code.co_filename).is_relative_to(PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, stacklevel=level)


def _options(kind: type[_Kind], options: Mapping[str, Any], named: Mapping[str, Any]) -> _Kind:
    """An options dataclass; text becomes a Path where a field holds one. InputError for an option that it has not."""
    types = {each.name: str(each.type) for each in fields(kind)}  # type: ignore[arg-type]
    for name in options:
        if name not in types or name in named:
            near = nearest(name, sorted(set(types) - set(named)))
            hope = f"did you mean {near!r}?" if near else f"known: {', '.join(sorted(set(types) - set(named)))}."
            raise InputError(f"there is no option {name!r}; {hope}")
    return kind(**{name: _fitting(value, types[name]) for name, value in (named | dict(options)).items()})


def _fitting(value: Any, kind: str) -> Any:
    if isinstance(value, list):
        value = tuple(value)
    if "Path" not in kind:
        return value
    if isinstance(value, tuple):
        return tuple(Path(each) if isinstance(each, str) else each for each in value)
    return Path(value) if isinstance(value, str) else value
