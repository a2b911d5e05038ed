"""Files and numbers that actions are asked for: refused before any work is done, written with progress."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.actions.context import Context
from laban.errors import InputError
from laban.formats import WRITERS, check_suffix
from laban.systems.options import Bounds

if TYPE_CHECKING:
    from laban.character.made import Made
    from laban.motion.motion import Motion

FPS = Bounds(1, 240)
"""Frames per second of what is written."""
FILMS = (".mp4", ".gif")
SHEETS = {".png": "laban.drawing.picture"}
"""What a sheet of poses, one row per motion, is written as."""


def check_outputs(paths: Sequence[Path], formats: dict[str, str] = WRITERS) -> None:
    """Refuses files that could not be written, before any work is done.

    Raises: InputError for no file, an unknown suffix, the same file twice, a folder that is absent or read-only.
    """
    if not paths:
        raise InputError(f"no file to write was named. Give at least one, ending in {' '.join(sorted(formats))}.")
    for path in paths:
        check_suffix(path, formats)
        if paths.count(path) > 1:
            raise InputError(f"{path} is to be written twice. Name each file once.")
        if path.is_dir():
            raise InputError(f"{path} is a folder. Name a file in it.")
        folder = path.parent
        if not folder.is_dir():
            raise InputError(f"{path}: there is no folder {folder}. Create it, or name another file.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputError(f"{path}: the folder {folder} is not writable. Name a file elsewhere.")


def check_number(name: str, value: float | None, low: float, high: float) -> None:
    """Raises InputError unless `value` is None or a finite number from `low` to `high`."""
    if value is not None and not (math.isfinite(value) and low <= value <= high):
        raise InputError(f"{name} is {value}; expected a number from {low} to {high}.")


def check_option(name: str, value: float | None, bounds: Bounds) -> None:
    """`check_number` for an option whose bounds are those of `generate`."""
    check_number(name, value, bounds.low, bounds.high)


def write(content: Motion | Made, path: Path, context: Context, fps: float | None = None, **options: Any) -> None:
    """Writes a motion, also one on a character; a film at `fps` and with progress, because it takes seconds.

    Args:
        content: what is written.
        path: where; the suffix says the format.
        context: told how many frames of a film are done, and asked whether to go on.
        fps: of a film; the motion's own if not given.
        options: of the format's writer.
    """
    from laban import formats

    if path.suffix.lower() not in FILMS:
        formats.write(content, path, **options)
        return
    if fps is not None:
        options["fps"] = fps
    formats.write(content, path, progress=lambda done: context.advance(done, None, path.name), **options)


def write_all(motion: Motion, paths: Sequence[Path], context: Context, fps: float) -> None:
    """Writes a motion in several formats.

    Args:
        motion: what is written.
        paths: where; the suffixes say the formats.
        context: told of the frames of films; its clock times each file.
        fps: of films.
    """
    for path in paths:
        with context.clock.part(f"write {path.suffix[1:]}"):
            write(motion, path, context, fps)


def check_sheet(path: Path | None) -> None:
    """Refuses a sheet of poses that could not be written. Raises: InputError as `check_outputs`."""
    if path is not None:
        check_outputs([path], SHEETS)


def write_sheet(motions: Sequence[Motion], titles: Sequence[str], path: Path) -> None:
    """Writes a sheet of poses: one row per motion, with its title."""
    from laban.drawing.picture import contact_sheet

    contact_sheet(motions, titles, path)
