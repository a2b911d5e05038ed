"""What jobs there are: for each kind its action, options dataclass, and the files that it writes. Imports no torch."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban import formats
from laban.actions.fields import flat, from_json, holds_files, schema
from laban.config import nearest
from laban.errors import InputError
from laban.service.settings import MAX_FRAMES
from laban.systems.registry import SYSTEMS, shipped, unknown_model

if TYPE_CHECKING:
    from laban.authoring.timeline import Timeline

MAY_NAME_FILES = ("model", "minus", "plus", "start_pose", "end_pose", "pose")
"""Fields of texts that actions read as a file or folder, or that hold the name of one (see `named`)."""
WRITTEN = frozenset({"out", "sheet", "index", "rebuild", "report", "save_timeline", "allow_outside"})
"""Fields that are not given in a request: the service says where results go, and what may be read."""
TEXT_SECONDS = 10.0  # taken as the length where nobody says, for MAX_FRAMES


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes:
        name: as clients write it.
        about: one line.
        place: "module:Options:function" of the action.
        suffixes: of the files that it writes, the first if nobody says; none for answers without files.
    """

    name: str
    about: str
    place: str
    suffixes: tuple[str, ...] = ()

    @property
    def options(self) -> type:
        """The options dataclass."""
        module, options, _ = self.place.split(":")
        return getattr(importlib.import_module(module), options)

    @property
    def action(self) -> Callable[..., Any]:
        """The function of the floor of actions."""
        module, _, function = self.place.split(":")
        return getattr(importlib.import_module(module), function)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of `args`."""
        return schema(self.options, WRITTEN)

    def read(self, args: Mapping[str, Any], file_of: Callable[[str], Path], out: tuple[Path, ...] = ()) -> Any:
        """The options of a request's `args`.

        Args:
            args: field -> value.
            file_of: name of a file -> path.
            out: files to write.
        Raises: InputError for whatever cannot be.
        """
        given = dict(args)
        for name in MAY_NAME_FILES:
            if isinstance(given.get(name), str):
                given[name] = named(name, given[name], file_of)
            elif isinstance(given.get(name), list):
                given[name] = [named(name, each, file_of) if isinstance(each, str) else each for each in given[name]]
        options = from_json(self.options, given, file_of, WRITTEN, {"out": out})
        if self.name == "author":
            return replace(options, timeline=with_files(options.timeline, file_of))
        return options

    def check(self, options: Any) -> None:
        """Raises InputError for options that the action would refuse before any work, or that ask for too much."""
        if hasattr(options, "script"):
            lines = options.script()
            options.check(lines)
            _check_frames(sum(line.seconds or TEXT_SECONDS for line in lines) * options.fps)
            return
        for name in ("checked", "check"):
            if hasattr(options, name):
                getattr(options, name)()
        seconds, samples = getattr(options, "seconds", None) or TEXT_SECONDS, getattr(options, "samples", None) or 1
        _check_frames(seconds * (getattr(options, "fps", None) or 30.0) * samples * len(getattr(options, "lines", "x")))

    def files(self, wanted: tuple[str, ...], folder: Path) -> tuple[Path, ...]:
        """The files of the formats that were asked for.

        Args:
            wanted: suffixes without their dot; none for the usual one.
            folder: where they go.
        Raises: InputError for a format that this kind does not write.
        """
        if not self.suffixes:
            if wanted:
                raise InputError(f"a {self.name} job writes no files. Leave formats out.")
            return ()
        names = [folder / f"{self.name}.{suffix}" for suffix in wanted or (self.suffixes[0].lstrip("."),)]
        for name in names:
            formats.check_suffix(name.name, dict.fromkeys(self.suffixes, ""))
        if len(set(names)) < len(names):
            raise InputError("a format is named twice in formats. Name each once.")
        return tuple(names)


_ALL = (".glb", *sorted({*formats.WRITERS, *formats.CHARACTER_WRITERS} - {".glb"}))
_PLAIN = (".glb", *sorted(set(formats.WRITERS) - {".glb"}))
_WORN = (".glb", *sorted(set(formats.CHARACTER_WRITERS) - {".glb"}))
_ACTIONS = "laban.actions."

KINDS = {
    kind.name: kind
    for kind in (
        Kind("generate", "a sentence to a motion", f"{_ACTIONS}generate:GenerateOptions:generate", _ALL),
        Kind("script", "lines of text to one long motion", f"{_ACTIONS}script:ScriptOptions:script", _PLAIN),
        Kind("author", "a timeline to a motion", f"{_ACTIONS}author:AuthorOptions:author", _ALL),
        Kind("dance", "a song to a dance", f"{_ACTIONS}dance:DanceOptions:dance", _ALL),
        Kind("edit", "a stretch of a motion made anew by words", f"{_ACTIONS}edit:EditOptions:edit", _ALL),
        Kind("retarget", "a motion onto a character", f"{_ACTIONS}character:RetargetOptions:retarget", _WORN),
        Kind("clean", "feet, floor and tremble mended", f"{_ACTIONS}clean:CleanOptions:clean", _ALL),
        Kind("blend", "steps from one clip to another", f"{_ACTIONS}latent:BlendOptions:blend", _PLAIN),
        Kind("mix", "a clip changed by words or clips", f"{_ACTIONS}latent:MixOptions:mix", _PLAIN),
        Kind("video", "a sentence to a small video", f"{_ACTIONS}video:VideoOptions:video", (".mp4", ".gif", ".png")),
        Kind("convert", "a motion file into other formats", f"{_ACTIONS}files:ConvertOptions:convert", _PLAIN),
        Kind("render", "a motion as picture, film or page", f"{_ACTIONS}files:RenderOptions:render",
             (".png", ".gif", ".html", ".mp4")),
        Kind("search", "the clips of a folder that fit words", f"{_ACTIONS}library:SearchOptions:search"),
        Kind("recognise", "what happens in a motion file", f"{_ACTIONS}latent:RecogniseOptions:recognise"),
        Kind("caption", "the phrases nearest to a motion", f"{_ACTIONS}latent:CaptionOptions:caption"),
        Kind("models", "the models that are there, and what they can do", f"{_ACTIONS}models:ModelsOptions:models"),
        Kind("measure", "skate, floor, tremble and seams of a motion", f"{_ACTIONS}measure:MeasureOptions:measure"),
    )
}  # fmt: skip


def kind_of(name: Any) -> Kind:
    """The kind of that name. Raises: InputError, naming the nearest."""
    if isinstance(name, str) and name in KINDS:
        return KINDS[name]
    near = nearest(str(name), KINDS)
    hope = f"Did you mean {near!r}?" if near else f"Known: {', '.join(KINDS)}."
    raise InputError(f"there is no kind of job {name!r}. {hope}")


def named(field: str, text: str, file_of: Callable[[str], Path]) -> str:
    """What a field of MAY_NAME_FILES stands for: a path where it names a file, else the text itself."""
    if field == "model":
        if text in SYSTEMS or text in shipped():
            return text
        try:
            return str(file_of(text))
        except InputError:
            raise unknown_model(text) from None
    if field in ("start_pose", "end_pose"):
        return _pose_file(text, file_of)
    if field == "pose":
        file, equals, at = text.rpartition("=")
        return f"{_pose_file(file, file_of)}={at}" if equals else text
    suffix = Path(text).suffix.lower()
    return str(file_of(text)) if suffix in formats.READERS or text.startswith(("asset:", "job:")) else text


def _pose_file(text: str, file_of: Callable[[str], Path]) -> str:
    """FILE or FILE@SECONDS with the path of the file."""
    file, at_sign, seconds = text.rpartition("@")
    return f"{file_of(file)}@{seconds}" if at_sign else str(file_of(text))


def with_files(document: Path, file_of: Callable[[str], Path]) -> Timeline:
    """The timeline in a document, in which the files that it names are those that its owner may name.

    Raises: InputError for a document that is none, or a file that may not be read.
    """
    from laban.authoring.timeline import Timeline

    made = Timeline.read(document)

    def found(part: Any, *names: str) -> Any:
        files = {name: getattr(part, name, None) for name in names}
        return part and replace(part, **{name: str(file_of(file)) for name, file in files.items() if file is not None})

    return replace(
        made, source=found(made.source, "file"), music=found(made.music, "file"),
        character=found(made.character, "file", "map"),
        poses=tuple(replace(pose, source=found(pose.source, "file")) for pose in made.poses),
        model=made.model if made.model == "auto" else named("model", made.model, file_of),
    )  # fmt: skip


def files_of(kind: Kind) -> list[str]:
    """The fields that name files which are read."""
    return [field.name for field, hint in flat(kind.options) if holds_files(hint) and field.name not in WRITTEN]


def _check_frames(frames: float) -> None:
    if frames > MAX_FRAMES:
        raise InputError(
            f"{frames:.0f} frames of motion were asked for; expected at most {MAX_FRAMES} in one job. Ask for fewer "
            "samples, fewer seconds or fewer frames per second."
        )
