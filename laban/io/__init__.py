"""Reading and writing motions: the suffix says the format."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.errors import InputError

if TYPE_CHECKING:
    from laban.io.frames import Video
    from laban.motion.motion import Motion

READERS = {".bvh": "laban.io.bvh", ".glb": "laban.io.gltf", ".npz": "laban.io.arrays"}
WRITERS = READERS | {
    ".mp4": "laban.drawing.film",
    ".gif": "laban.drawing.film",
    ".png": "laban.drawing.picture",
    ".html": "laban.drawing.page",
}

VIDEO_WRITERS = {suffix: "laban.io.frames" for suffix in (".mp4", ".gif", ".png")}


def check_suffix(path: str | Path, formats: dict[str, str]) -> str:
    """The lower-case suffix of `path` if `formats` has it. Raises InputError that lists what it has."""
    suffix = Path(path).suffix.lower()
    if suffix not in formats:
        raise InputError(f"{path}: unknown suffix {suffix or '(none)'!r}; expected one of {' '.join(sorted(formats))}.")
    return suffix


def read(path: str | Path) -> Motion:
    """The motion in a .bvh, .glb (made by Laban) or .npz file.

    Raises: InputError if the file is absent or its suffix unknown; FormatError if it cannot be read.
    """
    suffix = check_suffix(path, READERS)
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file.")
    return importlib.import_module(READERS[suffix]).read(path)


def write(motion: Motion | Video, path: str | Path, **options: Any) -> None:
    """Write `motion` (or a video's frames) as what the suffix of `path` says; `options` go to the format's writer.

    Raises: InputError if the suffix is unknown or the folder cannot be written to.
    """
    if hasattr(motion, "pixels"):
        importlib.import_module(VIDEO_WRITERS[check_suffix(path, VIDEO_WRITERS)]).write(motion, Path(path), **options)
        return
    suffix = check_suffix(path, WRITERS)
    importlib.import_module(WRITERS[suffix]).write(motion, Path(path), **options)
