"""`laban character inspect` and `laban retarget`: a user's own character."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from laban.commands.output import check_number, check_outputs, print_json
from laban.errors import InputError
from laban.formats import WRITERS

if TYPE_CHECKING:
    from laban.character.bonemap import BoneMap
    from laban.character.made import Made
    from laban.character.rig import Rig
    from laban.motion.motion import Motion

CERTIFICATE = ".certificate.json"


def inspect(character: Positional[Path], out: Path | None = None, map: Path | None = None, json: bool = False) -> int:
    """Say which bone of a character is which, why, and what is missing; write a mapping file to edit.

    Exits with 1 if the map is not one to move a person with; the mapping file is written all the same.

    Args:
        character: A rigged humanoid: .glb, .vrm, .gltf, or a .bvh for its skeleton.
        out: The mapping file; CHARACTER.map.json in this folder if not given, which is never overwritten.
        map: A mapping file to check instead of guessing.
        json: Print one JSON object.
    """
    from laban.character import bonemap
    from laban.character.rig import read

    rig = read(character)
    made = bonemap.load(rig, map) if map is not None else bonemap.guess(rig)
    wrong = ""
    try:
        bonemap.check(rig, made)
    except InputError as error:
        wrong = str(error)
    where = out or Path(f"{character.stem}.map.json")
    written = out is not None or not where.exists()
    if written:
        bonemap.save(rig, made, where)
    if json:
        bones = {n: {"bone": rig.names[b.node], "reason": b.reason, "confidence": b.confidence}
                 for n, b in made.all().items()}  # fmt: skip
        print_json({"character": str(character), "bones": bones, "missing": made.missing, "notes": list(made.notes),
                    "confidence": made.confidence, "map": str(where.resolve()), "wrong": wrong or None})  # fmt: skip
        return int(bool(wrong))
    print("\n".join(table(rig, made)))
    print(f"wrong: {wrong}" if wrong else f"usable; the least sure bone: {made.confidence:.0%}")
    print(
        f"{where.resolve()}: " + ("the map, to edit and pass as --map" if written else "is there already, and was kept")
    )
    return int(bool(wrong))


def table(rig: Rig, made: BoneMap) -> list[str]:
    """The map for a person to read."""
    rows = [f"{rig.path}: {len(rig.joints)} bones, {len(made.all())} of them mapped"]
    found = made.all()
    width = max([len(n) for n in (*found, *made.missing)] + [5])
    names = max([len(rig.names[b.node]) for b in found.values()] + [1])
    for name, bone in found.items():
        rows.append(f"  {name:<{width}}  {rig.names[bone.node]:<{names}}  {bone.confidence:4.0%}  {bone.reason}")
    for limb, nodes in made.twist.items():
        rows.append(f"  {limb:<{width}}  twist bones: {', '.join(rig.names[n] for n in nodes)}")
    rows += [f"  {name:<{width}}  missing" for name in made.missing]
    return rows + [f"  note: {note}" for note in made.notes]


def retarget(
    source: Positional[Path],
    character: Path,
    out: tuple[Path, ...],
    map: Path | None = None,
    source_map: Path | None = None,
    clip: str = "",
    name: str = "",
    fps: float | None = None,
    in_place: bool = False,
    append: bool = False,
    hand_reach: bool = False,
    loop: bool = False,
    partial: bool = False,
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Put a motion onto a character, and certify how well it fits.

    Exits with 1 if the certificate says fail; the files are written all the same, so that you can look.

    Args:
        source: The motion: .bvh, .npz, or a .glb, .vrm or .gltf with an animation of a humanoid.
        character: A rigged humanoid: .glb, .vrm, .gltf, or a .bvh for its skeleton.
        out: Files to write: .glb .vrm .vrma .bvh .npz .fbx .usda, or .mp4 .gif .png to look at.
        map: A mapping file for the character, from `laban character inspect`.
        source_map: A mapping file for a source that is a glTF file.
        clip: Which animation of the source, by name or number; the first if not given.
        name: What the animation is called in the file.
        fps: Frames per second of the result; those of the source if not given.
        in_place: Take the path out of the root; the sway stays.
        append: Put the clip behind the character's own animations instead of before them.
        hand_reach: Put the hands as far from the shoulders as the performer's, in arm lengths.
        loop: Judge the seam, too.
        partial: Accept a character without arms or head.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    from laban.character import export
    from laban.character.made import make
    from laban.character.stance import load
    from laban.formats import CHARACTER_WRITERS, read

    check_outputs(out, CHARACTER_WRITERS)
    check_sides(out)
    check_number("--fps", fps, 1, 240)
    stance = load(character, map, partial)
    export.check_ready(out, stance)
    motion = read(source, clip, source_map)
    made = make(
        motion, stance, fps=fps, append=append, loop=loop, name=name, in_place=in_place, hand_reach=hand_reach
    )
    for path in out:
        export.write(made, path)
    if json:
        print_json({"files": [str(p.resolve()) for p in out], "certificate": made.certificate.record()})
    elif not quiet:
        print("\n".join([*(f"{p.resolve()}" for p in out), *story(made)]))
    return int(not made.certificate.passed)


def check_sides(paths: tuple[Path, ...]) -> None:
    """Refuses files beside which no certificate can be written."""
    for path in paths:
        if Path(f"{path}{CERTIFICATE}").is_dir():
            raise InputError(f"{path}{CERTIFICATE} is a folder; the certificate goes there. Name another --out.")


def story(made: Made) -> list[str]:
    """What a person reads: length, and the certificate."""
    clip = made.clip
    return [f"{clip.name!r}: {clip.frames / clip.fps:.2f} s, {clip.frames} frames at {clip.fps:g} fps",
            *made.certificate.lines()]  # fmt: skip


@dataclass(frozen=True)
class Wearing:
    """What `laban generate --character` and others do with a motion: they put it on, write it, and tell.

    Args:
        character: the file, or None for none. map: its mapping file.
    """

    character: Path | None
    map: Path | None
    in_place: bool = False
    append: bool = False

    @property
    def formats(self) -> dict[str, str]:
        """What can be written."""
        if self.character is None:
            return WRITERS
        from laban.formats import CHARACTER_WRITERS

        return CHARACTER_WRITERS

    def check(self, paths: tuple[Path, ...]) -> Any:
        """Refuses what cannot work before a model is loaded. Returns: the character, ready; None without one."""
        if self.character is None:
            if self.map is not None or self.in_place or self.append:
                raise InputError("--map, --in-place and --append are about a character. Give --character FILE too.")
            return None
        from laban.character import export
        from laban.character.stance import load
        from laban.formats import CHARACTER_WRITERS

        check_outputs(paths, CHARACTER_WRITERS)
        check_sides(paths)
        stance = load(self.character, self.map)
        export.check_ready(paths, stance)
        return stance

    def write(
        self, stance: Any, motion: Motion, paths: Sequence[Path], options: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Made:
        """The motion on the character, in files. Args: options: of films and pictures (sound, beats), by suffix."""
        from laban.character import export
        from laban.character.made import make

        made = make(motion, stance, in_place=self.in_place, append=self.append)
        for path in paths:
            export.write(made, path, **(options or {}).get(path.suffix.lower(), {}))
        return made
