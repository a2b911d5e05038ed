"""`laban convert`, `laban render` and `laban info`: motion files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from laban.commands.output import check_number, check_outputs, passport_lines, print_json, write
from laban.errors import InputError
from laban.formats import READERS, WRITERS, check_suffix

if TYPE_CHECKING:
    from laban.motion.motion import Motion

CHARACTERS = (".glb", ".vrm", ".gltf")
SHOWN = {suffix: WRITERS[suffix] for suffix in (".mp4", ".gif", ".png", ".html")}


def convert(
    source: Positional[Path],
    out: Positional[tuple[Path, ...]],
    fps: float | None = None,
    retarget: bool = False,
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Write a motion file (.bvh, .glb of Laban, .npz) in other formats.

    Args:
        source: The file to read.
        out: Files to write; the suffix says the format: .glb .bvh .npz .mp4 .gif .png .html.
        fps: Frames per second of the result; those of the source if not given.
        retarget: Put the motion on the 22 joints of HumanML3D first, which .glb dresses with a mannequin; other
            skeletons get capsules.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    check_outputs(out)
    check_source(source)
    check_number("--fps", fps, 1, 1000)

    import laban

    motion = laban.read(source)
    motion = motion if fps is None else motion.resample(fps)
    if retarget:
        from laban.motion.retarget import retarget as to_22_joints

        motion = to_22_joints(motion)
    written = []
    for path in out:
        write(motion, path, fps, quiet)
        written.append(described(motion, path))
    tell(written, json=json, quiet=quiet)
    return 0


def render(
    source: Positional[Path],
    out: Positional[tuple[Path, ...]],
    width: int | None = None,
    height: int | None = None,
    fps: float | None = None,
    clip: str = "",
    beats: bool = False,
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Show a motion file as a film (.mp4, .gif), a sheet of poses (.png) or a page for a browser (.html).

    Args:
        source: The file to read: .bvh, .npz, or a .glb, .vrm or .gltf: a character is drawn with its own mesh.
        out: Files to write; the suffix says the format.
        width: Pixels, of films and pictures.
        height: Pixels, of films and pictures.
        fps: Frames per second of a film; 30 for .mp4 and 20 for .gif if not given.
        beats: Draw kinematic beats at the foot of films and pictures, and the music's beats and onsets where the
            file comes from `laban dance`.
        clip: Which animation of a character, by name or number; the first if not given.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    check_outputs(out, SHOWN)
    if source.suffix.lower() not in CHARACTERS:
        check_source(source)
    check_number("--fps", fps, 1, 240)
    check_number("--width", width, 32, 8192)
    check_number("--height", height, 32, 8192)

    import laban

    asked = {"width": width, "height": height}
    if source.suffix.lower() in CHARACTERS:
        from laban.character import drawing
        from laban.io import gltf

        if not gltf.is_ours(source):
            wanted = {name: value for name, value in (asked | {"fps": fps}).items() if value is not None}
            check_outputs(out, {suffix: SHOWN[suffix] for suffix in SHOWN if suffix != ".html"})
            shown = [(drawing.draw_file(source, path, clip, **wanted), path) for path in out]
            tell([described(motion, path) for motion, path in shown], json=json, quiet=quiet)
            return 0
    motion = laban.read(source)
    written = []
    for path in out:
        page = path.suffix.lower() == ".html"
        options: dict[str, Any] = {} if page else {k: v for k, v in asked.items() if v is not None}
        if beats and not page:
            options["beats"] = True
        write(motion, path, fps, quiet, **options)
        written.append(described(motion, path))
    tell(written, json=json, quiet=quiet)
    return 0


def info(file: Positional[Path], json: bool = False) -> int:
    """Say what is in a motion file: skeleton, length, what it shows, and where it comes from.

    Args:
        file: A .bvh, .glb of Laban, or .npz.
        json: Print one JSON object.
    """
    check_source(file)

    import numpy as np

    import laban

    motion = laban.read(file)
    joints = motion.joints()
    steps = np.linalg.norm(np.diff(motion.root[:, [0, 2]], axis=0), axis=-1)
    facts: dict[str, Any] = {
        "file": str(file),
        "skeleton": motion.skeleton.name,
        "joints": len(motion.skeleton),
        "frames": motion.frames,
        "fps": round(motion.fps, 4),
        "seconds": round(motion.seconds, 4),
        "path_metres": round(float(steps.sum()), 4),
        "lowest_metres": round(float(joints[..., 1].min()), 4),
        "highest_metres": round(float(joints[..., 1].max()), 4),
    }
    if json:
        bones = [
            {"name": name, "parent": parent, "offset": [round(float(x), 6) for x in offset]}
            for name, parent, offset in zip(
                motion.skeleton.names, motion.skeleton.parents, motion.skeleton.offsets, strict=True
            )
        ]
        segments = [vars(segment) for segment in motion.segments]
        print_json(facts | {"bones": bones, "segments": segments, "passport": motion.passport})
        return 0
    print(file)
    print(f"  {motion.frames} frames at {motion.fps:g} fps, {motion.seconds:.2f} s")
    print(f"  walks a path of {facts['path_metres']:.2f} m, between {facts['lowest_metres']:.2f} m "
          f"and {facts['highest_metres']:.2f} m above the floor")  # fmt: skip
    for segment in motion.segments:
        print(f"  {segment.start:.2f} to {segment.end:.2f} s: {segment.text}")
    print(f"skeleton {motion.skeleton.name}, {len(motion.skeleton)} joints")
    for name, parent in zip(motion.skeleton.names, motion.skeleton.parents, strict=True):
        print(f"  {name}" + (f" < {motion.skeleton.names[parent]}" if parent >= 0 else ""))
    print("\n".join(["passport", *passport_lines(motion.passport)]))
    return 0


def check_source(path: Path) -> None:
    """Raises InputError if `path` is not a file with a suffix that can be read."""
    check_suffix(path, READERS)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")


def described(motion: Motion, path: Path) -> dict[str, Any]:
    """What was written, for people and for scripts; a film or picture has a frame rate of its own."""
    facts: dict[str, Any] = {"file": str(path.resolve()), "seconds": round(motion.seconds, 4)}
    return facts if path.suffix.lower() in SHOWN else facts | {"frames": motion.frames, "fps": motion.fps}


def tell(written: list[dict[str, Any]], *, json: bool, quiet: bool) -> None:
    """Prints what was written."""
    if json:
        print_json({"written": written})
    elif not quiet:
        for item in written:
            frames = f", {item['frames']} frames at {item['fps']:g} fps" if "fps" in item else ""
            print(f"{item['file']}: {item['seconds']:.2f} s{frames}")
