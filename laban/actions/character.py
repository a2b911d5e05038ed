"""A user's own character: which bone is which, a motion put onto it, and the files and certificate of that."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from laban.actions.context import Context
from laban.actions.options import bounded, check, described
from laban.actions.outputs import FPS, check_outputs, write
from laban.actions.reading import ReadOptions, read
from laban.actions.wearing import Root, check_certificates
from laban.errors import InputError

if TYPE_CHECKING:
    from laban.character.bonemap import BoneMap
    from laban.character.made import Made
    from laban.character.rig import Rig
    from laban.motion.motion import Motion


@dataclass(frozen=True)
class InspectOptions:
    """What `inspect` reads and writes."""

    character: Path = described(MISSING, "A rigged humanoid: .glb, .vrm, .gltf, .fbx, or a .bvh for its skeleton.")
    out: Path | None = described(
        None, "The mapping file; CHARACTER.map.json in this folder if not given, which is never overwritten."
    )
    map: Path | None = described(None, "A mapping file to check instead of guessing.")


@dataclass(frozen=True)
class Inspected:
    """What `inspect` found.

    Attributes:
        rig: the character.
        bones: which bone is which, why, and what is missing.
        map: the mapping file.
        written: False where the mapping file was there already, and was kept.
        wrong: why the map is not one to move a person with; empty if it is.
    """

    rig: Rig
    bones: BoneMap
    map: Path
    written: bool
    wrong: str


def inspect(options: InspectOptions, context: Context) -> Inspected:
    """Recognises the bones of a character, checks them, and writes a mapping file to edit.

    Args:
        options: which character.
        context: asked whether to go on.
    Raises: InputError if the file is no character or the mapping file cannot be read or written.
    """
    from laban.character import bonemap
    from laban.character.rig import read as read_rig

    context.check()
    rig = read_rig(options.character)
    for note in rig.notes:
        context.warn(f"{options.character.name}: {note}")
    made = bonemap.load(rig, options.map) if options.map is not None else bonemap.guess(rig)
    wrong = ""
    try:
        bonemap.check(rig, made)
    except InputError as error:
        wrong = str(error)
    where = options.out or Path(f"{options.character.stem}.map.json")
    written = options.out is not None or not where.exists()
    if written:
        bonemap.save(rig, made, where)
    return Inspected(rig, made, where, written, wrong)


@dataclass(frozen=True)
class RetargetOptions:
    """What `retarget` reads, how it transfers, and what it writes."""

    source: Path | Motion = described(MISSING, "The motion: any file that `laban convert` reads.")
    character: Path = described(MISSING, "A rigged humanoid: .glb, .vrm, .gltf, .fbx, or a .bvh for its skeleton.")
    out: tuple[Path, ...] = described(
        (), "Files to write: .glb .vrm .vrma .bvh .npz .fbx .usda, or .mp4 .gif .png to look at."
    )
    map: Path | None = described(None, "A mapping file for the character, from `laban character inspect`.")
    source_map: Path | None = described(None, "A mapping file for the source, from `laban character inspect`.")
    clip: str = described("", "Which animation of the source, by name or number; the first if not given.")
    name: str = described("", "What the animation is called in the file.")
    fps: float | None = bounded(None, FPS, "Frames per second of the result; those of the source if not given.")
    in_place: bool = described(False, "The same as --root in-place.")
    root: Root = described(
        "travel",
        "Who covers the way: the hips (travel), nobody (in-place), or a bone on the floor (root-bone), for engines.",
    )
    append: bool = described(False, "Put the clip behind the character's own animations instead of before them.")
    hand_reach: bool = described(False, "Put the hands as far from the shoulders as the performer's, in arm lengths.")
    loop: bool = described(False, "Judge the seam, too.")
    partial: bool = described(False, "Accept a character without arms or head.")
    reading: ReadOptions = ReadOptions()


def retarget(options: RetargetOptions, context: Context) -> Made:
    """Puts a motion onto a character, and certifies how well it fits; writes both, if files are named.

    Args:
        options: what onto what.
        context: told of progress; asked whether to go on before anything is written.
    Returns: the motion on the character, and its certificate, which may say that it failed.
    Raises: InputError for a motion, character, map or file that cannot be used.
    """
    from laban.character import export
    from laban.character.made import make
    from laban.character.stance import load
    from laban.formats import CHARACTER_WRITERS

    check(options)
    if options.out:
        check_outputs(options.out, CHARACTER_WRITERS)
        check_certificates(options.out)
    stance = load(options.character, options.map, partial=options.partial)
    export.check_ready(options.out, stance)
    for note in stance.rig.notes:
        context.warn(f"{options.character.name}: {note}")
    motion = read(options.source, options.reading, context, options.clip, options.source_map)
    context.check()
    named = options.name
    if not named and isinstance(options.source, Path) and not any(segment.text for segment in motion.segments):
        named = options.source.stem
    made = make(
        motion, stance, fps=options.fps, append=options.append, loop=options.loop, name=named,
        root="in-place" if options.in_place else options.root, hand_reach=options.hand_reach,
    )  # fmt: skip
    for path in options.out:
        write(made, path, context)
    return made
