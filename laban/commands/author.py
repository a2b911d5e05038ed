"""`laban author`: a timeline of prompts, poses, paths and places becomes a motion; other people's become timelines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from laban.actions import author as actions
from laban.actions.author import AuthorOptions
from laban.commands.arguments import takes_options
from laban.commands.output import console, out_paths, print_json


@takes_options("timeline", defaults={"out": (Path("authored.glb"),)}, timeline=tyro.conf.arg(metavar="FILE"))
def author(options: AuthorOptions, device: str = "auto", json: bool = False, quiet: bool = False) -> int:
    """Perform a timeline: what happens when, key poses, a path, places for hands and feet, a loop.

    First it is looked at whether the action can do what is asked; if not, one line says what was asked, what the action
    does and what to change, and the exit code is 1. So it is where a goal is missed. The motion is written in any
    case, as the action does it by itself where it cannot do what is asked.

    Args:
        options: The timeline and the files to write.
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    files, context = out_paths(options.out, options.wearing.formats), console(device, quiet)
    made = actions.author(options, context)
    if json:
        print_json(record(made, files))
    elif not quiet:
        print("\n".join(summary_lines(made, files, context.clock.lines())))
    elif not made.report.ok:
        print("\n".join(made.report.lines()))
    return int(not made.report.ok)


def record(made: Any, files: list[str]) -> dict[str, Any]:
    """The result for JSON."""
    motion = made.motion
    return {
        "files": files, "frames": motion.frames, "fps": motion.fps, "seconds": round(motion.seconds, 4),
        "report": made.report.record(), "candidates": list(made.candidates),
    }  # fmt: skip


def summary_lines(made: Any, files: list[str], times: list[str]) -> list[str]:
    """What a person reads at the end: length, files, goals, times."""
    motion = made.motion
    lines = [f"{motion.seconds:.2f} s, {motion.frames} frames at {motion.fps:g} fps", *(f"  {path}" for path in files)]
    return [*lines, *made.report.lines(), "time", *times]


def import_timeline(
    kind: Annotated[Literal["kimodo", "mmcp", "script"], tyro.conf.Positional],
    source: Annotated[Path, tyro.conf.Positional],
    out: Annotated[Path, tyro.conf.Positional],
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Make a timeline of another kind of document.

    Args:
        kind: kimodo: its constraints, with meta.json beside them. mmcp: a request. script: lines for `laban script`.
        source: The document.
        out: The timeline to write, a .json file.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    made = actions.import_timeline(kind, source, out)
    counts = {name: len(getattr(made, name)) for name in ("prompts", "poses", "paths", "effectors")}
    if json:
        print_json({"files": [str(out)], "seconds": made.length, **counts, "notes": dict(made.notes)})
    elif not quiet:
        print(f"{out}: {made.length:g} s, " + ", ".join(f"{count} {name}" for name, count in counts.items()))
        for key, value in made.notes.items():
            print(f"  note: {key}: {value}")
    return 0
