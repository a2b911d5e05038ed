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

READERS = {".bvh": "laban.io.bvh", ".glb": "laban.io.gltf", ".npz": "laban.io.arrays"}
"""Files that are motions."""

CHARACTER_READERS = dict.fromkeys((".glb", ".gltf", ".vrm", ".vrma"), "laban.character.animation")
"""Files of rigged characters, whose animations are read as motions."""

SHOWN = {
    ".mp4": "laban.drawing.film",
    ".gif": "laban.drawing.film",
    ".png": "laban.drawing.picture",
    ".html": "laban.drawing.page",
}
"""What a motion is looked at in."""

WRITERS = READERS | SHOWN
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


def read(path: str | Path, animation: str = "", bone_map: str | Path | None = None) -> Motion:
    """The motion in a .bvh or .npz file, in a .glb that Laban wrote, or an animation of any rigged glTF file.

    Args:
        path: .bvh, .npz, .glb, .gltf, .vrm or .vrma.
        animation: of a character's file: its name, or its number as text; the first if empty.
        bone_map: of a character's file: a mapping file, where its bones are not recognised (`laban character inspect`).
    Returns: metres, Y up; of a character's file the joints that are mapped, at 30 fps, in the file's units.
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
            return importlib.import_module(CHARACTER_READERS[suffix]).read(path, animation, bone_map)
        suffix = ".glb"
    return importlib.import_module(READERS[suffix]).read(path)


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
