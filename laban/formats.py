"""Which suffix is which format, and reading and writing by it: the one table of suffixes."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.errors import InputError

if TYPE_CHECKING:
    from laban.character.made import Made
    from laban.io.frames import Video
    from laban.motion.motion import Motion

ROUND_TRIP = {".bvh": "laban.io.bvh", ".glb": "laban.io.gltf", ".npz": "laban.io.arrays"}
"""What is written comes back: the same skeleton, rotations, segments and passport."""

READERS = ROUND_TRIP | dict.fromkeys((".npy", ".pkl"), "laban.io.poses") | {".amc": "laban.io.asf"}
"""Files that are motions."""

CHARACTER_READERS = dict.fromkeys((".glb", ".gltf", ".vrm", ".vrma", ".fbx"), "laban.character.animation")
"""Files of rigged characters, whose animations are read as motions."""

SHOWN = {
    ".mp4": "laban.drawing.film",
    ".gif": "laban.drawing.film",
    ".png": "laban.drawing.picture",
    ".html": "laban.drawing.page",
}
"""What a motion is looked at in."""

WRITERS = ROUND_TRIP | {".fbx": "laban.io.fbx.write"} | SHOWN
"""What a motion is written as."""

VIDEO_WRITERS = dict.fromkeys((".mp4", ".gif", ".png"), "laban.io.frames")
"""What a video's frames are written as."""

CHARACTER_WRITERS = {
    **dict.fromkeys((".glb", ".vrm", ".bvh", ".npz", ".vrma", ".usda", ".fbx"), "laban.character.export"),
    **dict.fromkeys((".mp4", ".gif", ".png"), "laban.character.drawing"),
}
"""What a motion on a character is written as."""


VIEWED = {"laban.drawing.film", "laban.drawing.picture", "laban.character.drawing"}
"""Writers that take a `view`."""


def check_suffix(path: str | Path, formats: Mapping[str, str]) -> str:
    """The lower-case suffix of `path` if `formats` has it. Raises InputError that lists what it has."""
    suffix = Path(path).suffix.lower()
    if suffix not in formats:
        raise InputError(f"{path}: unknown suffix {suffix or '(none)'!r}; expected one of {' '.join(sorted(formats))}.")
    return suffix


def read(
    path: str | Path, animation: str = "", bone_map: str | Path | None = None, *, up: str = "", units: str = "",
    person: str = "",
) -> Motion:  # fmt: skip
    """The motion in a file: a capture, a clip of any rigged glTF or FBX file, or arrays of the field.

    Args:
        path: .bvh, .amc beside its .asf, .glb, .gltf, .vrm, .vrma, .fbx, .npz, .npy or .pkl.
        animation: of a character's file: its name, or its number as text; the first if empty.
        bone_map: a mapping file, where joints are not recognised (`laban character inspect` writes one).
        up: the axis that is up, of `bearings.AXES`; found from the body if empty. glTF files say it themselves.
        units: of `bearings.UNITS`, or how many make a metre; found from the body if empty.
        person: of a file with several: a root's name, or its number as text; the first if empty.
    Returns: metres, Y up; of a character's file the joints that are mapped, at the rate of its keys. `notes` say what
        was assumed.
    Raises: InputError if the file is absent, its suffix unknown, or it holds no humanoid or no such animation;
        FormatError if it cannot be read.
    """
    suffix = check_suffix(path, READERS | CHARACTER_READERS)
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file.")
    if suffix in CHARACTER_READERS:
        from laban.io import gltf

        if not gltf.is_ours(path):
            return importlib.import_module(CHARACTER_READERS[suffix]).read(path, animation, bone_map, units, person)
        suffix = ".glb"
    module = importlib.import_module(READERS[suffix])
    if suffix == ".bvh":
        motion = module.read(path, up=up, units=units, person=person)
    elif suffix != ".glb":
        motion = module.read(path, up=up, units=units)
    else:
        motion = module.read(path)
        if up or units:
            from laban.motion.bearings import settled

            motion = settled(motion, up or "y", units or "m")
    if bone_map is not None:
        from laban.character.bonemap import renamed

        motion = renamed(motion, Path(bone_map))
    return motion


def write(content: Motion | Video | Made, path: str | Path, **options: Any) -> None:
    """Write a motion, a video's frames, or a motion on a character as what the suffix of `path` says.

    Args:
        content: what to write.
        path: where to; the file is replaced as a whole or not at all.
        options: of the format's writer; of films and pictures also the fields of `laban.drawing.scene.View`.
    Raises: InputError if the suffix is unknown or the folder cannot be written to.
    """
    formats = writers(content)
    writer = formats[check_suffix(path, formats)]
    if writer in VIEWED and "view" not in options:
        options = viewed(options)
    importlib.import_module(writer).write(content, Path(path), **options)


def viewed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a film or picture, those on how it looks together as its `view`."""
    from laban.drawing.scene import View

    look = {f.name for f in fields(View)}
    rest = {name: value for name, value in options.items() if name not in look}
    return {**rest, "view": View(**{name: value for name, value in options.items() if name in look})}


def writers(content: Motion | Video | Made) -> Mapping[str, str]:
    """Suffix -> module of what can be written of `content`."""
    from laban.io.frames import Video
    from laban.motion.motion import Motion

    if isinstance(content, Motion):
        return WRITERS
    return VIDEO_WRITERS if isinstance(content, Video) else CHARACTER_WRITERS
