"""`laban convert`, `laban render` and `laban info`: motion files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tyro.conf import Positional

from laban.actions import files
from laban.actions.files import ConvertOptions, RenderOptions, Written
from laban.commands.arguments import takes_options
from laban.commands.output import console, passport_lines, print_json
from laban.formats import SHOWN


@takes_options("source", "out")
def convert(options: ConvertOptions, json: bool = False, quiet: bool = False) -> int:
    """Write a motion file (.bvh, .glb of Laban, .npz) in other formats.

    Args:
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    return print_written(files.convert(options, console(quiet=quiet)), json=json, quiet=quiet)


@takes_options("source", "out")
def render(options: RenderOptions, json: bool = False, quiet: bool = False) -> int:
    """Show a motion file as a film (.mp4, .gif), a sheet of poses (.png) or a page for a browser (.html).

    Args:
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    return print_written(files.render(options, console(quiet=quiet)), json=json, quiet=quiet)


def info(file: Positional[Path], json: bool = False, quiet: bool = False) -> int:
    """Say what is in a motion file: skeleton, length, what it shows, and where it comes from.

    Args:
        file: A .bvh, .glb of Laban, or .npz.
        json: Print one JSON object.
        quiet: Print the answer alone: no joints, no passport.
    """
    found = files.info(file)
    motion, skeleton = found.motion, found.motion.skeleton
    if json:
        print_json(facts_of(file, found))
        return 0
    print(file)
    print(f"  {motion.frames} frames at {motion.fps:g} fps, {motion.seconds:.2f} s")
    print(f"  walks a path of {found.path:.2f} m, between {found.lowest:.2f} m and {found.highest:.2f} m "
          "above the floor")  # fmt: skip
    for note in motion.notes:
        print(f"  note: {note}")
    for segment in motion.segments:
        print(f"  {segment.start:.2f} to {segment.end:.2f} s: {segment.text}")
    if quiet:
        return 0
    print(f"skeleton {skeleton.name}, {len(skeleton)} joints")
    for name, parent in zip(skeleton.names, skeleton.parents, strict=True):
        print(f"  {name}" + (f" < {skeleton.names[parent]}" if parent >= 0 else ""))
    print("\n".join(["passport", *passport_lines(motion.passport)]))
    return 0


def facts_of(file: Path, found: files.Contents) -> dict[str, Any]:
    """What is in a file, for scripts."""
    motion, skeleton = found.motion, found.motion.skeleton
    bones = [
        {"name": name, "parent": parent, "offset": [round(float(x), 6) for x in offset]}
        for name, parent, offset in zip(skeleton.names, skeleton.parents, skeleton.offsets, strict=True)
    ]
    return {
        "file": str(file),
        "skeleton": skeleton.name,
        "joints": len(skeleton),
        "frames": motion.frames,
        "fps": round(motion.fps, 4),
        "seconds": round(motion.seconds, 4),
        "path_metres": round(found.path, 4),
        "lowest_metres": round(found.lowest, 4),
        "highest_metres": round(found.highest, 4),
        "bones": bones,
        "segments": [vars(segment) for segment in motion.segments],
        "notes": list(motion.notes),
        "passport": motion.passport,
    }


def print_written(written: list[Written], *, json: bool, quiet: bool) -> int:
    """Prints what was written. A film or picture has a frame rate of its own, which is not said."""
    rows = []
    for each in written:
        motion = each.motion
        row: dict[str, Any] = {"files": [str(each.path.resolve())], "seconds": round(motion.seconds, 4)}
        rows.append(row if each.path.suffix.lower() in SHOWN else row | {"frames": motion.frames, "fps": motion.fps})
    if json:
        print_json({"results": rows})
    elif not quiet:
        for row in rows:
            frames = f", {row['frames']} frames at {row['fps']:g} fps" if "fps" in row else ""
            print(f"{row['files'][0]}: {row['seconds']:.2f} s{frames}")
    return 0
