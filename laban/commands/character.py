"""`laban character inspect` and `laban retarget`: a user's own character."""

from __future__ import annotations

from typing import TYPE_CHECKING

from laban.actions.character import InspectOptions, RetargetOptions
from laban.actions.character import inspect as inspect_character
from laban.actions.character import retarget as retarget_motion
from laban.commands.arguments import REQUIRED, takes_options
from laban.commands.output import console, out_paths, print_json
from laban.formats import CHARACTER_WRITERS

if TYPE_CHECKING:
    from laban.character.bonemap import BoneMap
    from laban.character.made import Made
    from laban.character.rig import Rig


@takes_options("character")
def inspect(options: InspectOptions, json: bool = False, quiet: bool = False) -> int:
    """Say which bone of a character is which, why, and what is missing; write a mapping file to edit.

    Exits with 1 if the map is not one to move a person with; the mapping file is written all the same.

    Args:
        json: Print one JSON object.
        quiet: Print the answer alone: usable, or what is wrong.
    """
    found = inspect_character(options, console(quiet=quiet))
    rig, made, where = found.rig, found.bones, found.map.resolve()
    if json:
        bones = {n: {"bone": rig.names[b.node], "reason": b.reason, "confidence": b.confidence}
                 for n, b in made.all().items()}  # fmt: skip
        print_json({"character": str(options.character), "bones": bones, "missing": made.missing,
                    "notes": list(made.notes), "confidence": made.confidence, "map": str(where),
                    "wrong": found.wrong or None})  # fmt: skip
        return int(bool(found.wrong))
    if not quiet:
        print("\n".join(table(rig, made)))
    print(f"wrong: {found.wrong}" if found.wrong else f"usable; the least sure bone: {made.confidence:.0%}")
    if not quiet:
        print(
            f"{where}: " + ("the map, to edit and pass as --map" if found.written else "is there already, and was kept")
        )
    return int(bool(found.wrong))


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


@takes_options("source", defaults={"out": REQUIRED})
def retarget(options: RetargetOptions, json: bool = False, quiet: bool = False) -> int:
    """Put a motion onto a character, and certify how well it fits.

    Exits with 1 if the certificate says fail; the files are written all the same, so that you can look.

    Args:
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    files = out_paths(options.out, CHARACTER_WRITERS)
    made = retarget_motion(options, console(quiet=quiet))
    if json:
        print_json({"files": files, "certificate": made.certificate.record()})
    elif not quiet:
        print("\n".join([*files, *summary_lines(made)]))
    return int(not made.certificate.passed)


def summary_lines(made: Made) -> list[str]:
    """What a person reads: length, and the certificate."""
    clip = made.clip
    return [f"{clip.name!r}: {clip.frames / clip.fps:.2f} s, {clip.frames} frames at {clip.fps:g} fps",
            *made.certificate.lines()]  # fmt: skip
