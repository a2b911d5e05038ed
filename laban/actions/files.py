"""Motion files: into another format, into something to look at, and what is in one."""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from laban.actions.context import Context
from laban.actions.options import bounded, check, described
from laban.actions.outputs import FPS, check_outputs, write
from laban.actions.reading import ReadOptions, read
from laban.errors import InputError
from laban.formats import CHARACTER_READERS, READERS, SHOWN, check_suffix
from laban.systems.options import Bounds

if TYPE_CHECKING:
    from laban.drawing.scene import View
    from laban.motion.motion import Motion

CHARACTERS = (".glb", ".vrm", ".gltf", ".vrma", ".fbx")
PIXELS = Bounds(32, 8192, whole=True)
MOST_POSES = 64


@dataclass(frozen=True)
class Written:
    """A file that was written, and the motion in it."""

    path: Path
    motion: Motion


@dataclass(frozen=True)
class ConvertOptions:
    """What `convert` reads and writes."""

    source: Path = described(MISSING, "The file to read.")
    out: tuple[Path, ...] = described(
        MISSING, "Files to write; the suffix says the format: .glb .bvh .npz .fbx .mp4 .gif .png .html."
    )
    fps: float | None = bounded(
        None, Bounds(1, 1000), "Frames per second of the result; those of the source if not given."
    )
    retarget: bool = described(
        False,
        "Put the motion on the 22 joints of HumanML3D first, which .glb dresses with a mannequin; other skeletons get "
        "capsules.",
    )
    reading: ReadOptions = ReadOptions()


def convert(options: ConvertOptions, context: Context) -> list[Written]:
    """Writes a motion file in other formats.

    Args:
        options: what into what.
        context: told of progress; asked whether to go on before each file.
    Raises: InputError for a file that cannot be read or written.
    """
    check(options)
    check_outputs(options.out)
    check_source(options.source)
    motion = read(options.source, options.reading, context)
    motion = motion if options.fps is None else motion.resample(options.fps)
    if options.retarget:
        from laban.motion.retarget import retarget

        motion = retarget(motion)
    written = []
    for path in options.out:
        context.check()
        write(motion, path, context, options.fps)
        written.append(Written(path, motion))
    return written


@dataclass(frozen=True)
class RenderOptions:
    """What `render` reads, and how it is shown."""

    source: Path = described(
        MISSING, "The file to read: .bvh, .npz, or a .glb, .vrm or .gltf: a character is drawn with its own mesh."
    )
    out: tuple[Path, ...] = described(MISSING, "Files to write; the suffix says the format.")
    width: int | None = bounded(None, PIXELS, "Pixels, of films and pictures.")
    height: int | None = bounded(None, PIXELS, "Pixels, of films and pictures.")
    fps: float | None = bounded(None, FPS, "Frames per second of a film; 30 for .mp4 and 20 for .gif if not given.")
    at: tuple[float, ...] = described((), "Seconds of the poses in a picture; eight spread evenly if not given.")
    clip: str = described("", "Which animation of a character, by name or number; the first if not given.")
    beats: bool = described(
        False,
        "Draw kinematic beats at the foot of films and pictures, and the music's beats and onsets where the file comes "
        "from `laban dance`.",
    )
    reading: ReadOptions = ReadOptions()

    @property
    def view(self) -> View:
        """How films and pictures look. Raises: InputError for too many moments, or none."""
        from laban.drawing.scene import View

        if len(self.at) > MOST_POSES or not all(math.isfinite(second) and second >= 0 for second in self.at):
            raise InputError(f"--at holds {len(self.at)} times; expected 1 to {MOST_POSES} of 0 s or later.")
        return View(self.width, self.height, beats=self.beats, at=self.at)


def render(options: RenderOptions, context: Context) -> list[Written]:
    """Shows a motion file as films, sheets of poses or pages for a browser.

    Args:
        options: what is shown, and how.
        context: told of progress; asked whether to go on before each file.
    Raises: InputError for a file that cannot be read or written.
    """
    check(options)
    check_outputs(options.out, SHOWN)
    source = options.source
    if source.suffix.lower() not in CHARACTERS:
        check_source(source)
    else:
        from laban.io import gltf

        if not gltf.is_ours(source):
            return _render_character(options, context)
    motion = read(source, options.reading, context)
    written = []
    for path in options.out:
        context.check()
        view = {} if path.suffix.lower() == ".html" else {"view": options.view}
        write(motion, path, context, options.fps, **view)
        written.append(Written(path, motion))
    return written


def _render_character(options: RenderOptions, context: Context) -> list[Written]:
    from laban.character import drawing

    check_outputs(options.out, {suffix: module for suffix, module in SHOWN.items() if suffix != ".html"})
    view = replace(options.view, beats=False)  # a file of a character has no passport that names music
    written = []
    for path in options.out:
        context.check()
        written.append(Written(path, drawing.render_file(options.source, path, options.clip, view, options.fps)))
    return written


@dataclass(frozen=True)
class Contents:
    """What is in a motion file.

    Attributes:
        motion: as it was read.
        path: metres that the root travels over the floor.
        lowest: metres; the lowest joint of all frames.
        highest: metres; the highest.
    """

    motion: Motion
    path: float
    lowest: float
    highest: float


def info(file: Path) -> Contents:
    """Reads a motion file and measures it. Raises: InputError, FormatError if it cannot be read."""
    check_source(file)

    import numpy as np

    from laban import formats

    motion = formats.read(file)
    joints = motion.joints()
    steps = np.linalg.norm(np.diff(motion.root[:, [0, 2]], axis=0), axis=-1)
    return Contents(motion, float(steps.sum()), float(joints[..., 1].min()), float(joints[..., 1].max()))


def check_source(path: Path) -> None:
    """Raises InputError if `path` is not a file with a suffix that can be read."""
    check_suffix(path, READERS | CHARACTER_READERS)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
