"""How actions read motion files: what to say where a file does not, and telling what was assumed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from laban.actions.context import Context
from laban.actions.options import bounded, described
from laban.errors import InputError
from laban.systems.options import Bounds

if TYPE_CHECKING:
    from laban.motion.motion import Motion

RATE = Bounds(0.1, 10000)
SECONDS = Bounds(0, 1e6)


@dataclass(frozen=True)
class ReadOptions:
    """What a file does not say of itself, and which part of it is meant."""

    up: str = described("", "Which axis is up in the source: y, z, x, -y, -z or -x; found from the body if not given.")
    units: str = described(
        "",
        "Units of the source: m, cm, mm, in, ft, dm, cmu, or how many make a metre; found from the body if not given.",
    )
    person: str = described("", "Whose motion, where a file holds several people: a root's name, or its number from 0.")
    source_fps: float | None = bounded(None, RATE, "Frames per second of the source, where its file is wrong.")
    start: float | None = bounded(None, SECONDS, "Seconds into the source at which to begin.")
    end: float | None = bounded(None, SECONDS, "Seconds into the source at which to end.")


def read(
    source: Path | Motion, options: ReadOptions, context: Context, clip: str = "", bone_map: Path | None = None
) -> Motion:
    """A motion, read if it is a file, and what its reader assumed told.

    Args:
        source: the file, or a motion, of which a part is taken.
        options: how to read it.
        context: warned of what was assumed.
        clip: which animation of a file that holds several.
        bone_map: a mapping file for the source.
    Raises: InputError, FormatError as `laban.formats.read`; InputError if `start` and `end` leave nothing.
    """
    from dataclasses import replace

    from laban import formats

    if isinstance(source, Path):
        motion = formats.read(source, clip, bone_map, up=options.up, units=options.units, person=options.person)
        for note in motion.notes:
            context.warn(f"{source.name}: {note}")
        motion = replace(motion, notes=())
    else:
        motion = source
    if options.source_fps is not None:
        motion = replace(motion, fps=options.source_fps)
    if options.start is not None or options.end is not None:
        if (options.start or 0.0) >= (motion.seconds if options.end is None else options.end):
            raise InputError(
                f"--start and --end leave nothing of the source, which lasts {motion.seconds:.2f} s. Choose others."
            )
        motion = motion.crop(options.start or 0.0, options.end)
    return motion
