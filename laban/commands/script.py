"""`laban script`: lines of text become one long motion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from laban.actions import script as actions
from laban.actions.script import ScriptOptions, ScriptPart
from laban.commands.arguments import takes_options
from laban.commands.output import console, origin_lines, out_paths, print_json


@takes_options("lines", defaults={"out": (Path("script.glb"),)})
def script(options: ScriptOptions, device: str = "auto", json: bool = False, quiet: bool = False) -> int:
    """Make a person who does one thing after the other, without a cut.

    A line is what happens and for how many seconds: "a person walks forward @4". Lines follow each other without
    overlap: at 20 frames per second each ends with the token of four frames that its last frame falls into. What lies
    within 0.8 s of a seam is made knowing both lines.

    Args:
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    out_paths(options.out)
    context = console(device, quiet)
    results = [record(part) for part in actions.stream(options, context)]
    if json:
        timings = {name: round(s, 4) for name, s in context.clock.parts.items()}
        print_json({"results": results, "timings": timings})
    elif not quiet:
        if options.only is not None:
            print(f"line {options.only} made again, variation {options.variation}; the other lines are as they were")
        print("\n".join(summary_lines(results, context.clock.lines())))
    return 0


def record(part: ScriptPart) -> dict[str, Any]:
    """One motion for JSON."""
    motion = part.motion
    return {
        "files": [str(path.resolve()) for path in part.files],
        "frames": motion.frames,
        "fps": motion.fps,
        "seconds": round(motion.seconds, 4),
        "segments": [{"text": s.text, "start": round(s.start, 3), "end": round(s.end, 3)} for s in motion.segments],
        "passport": motion.passport,
    }


def summary_lines(results: list[dict[str, Any]], times: list[str]) -> list[str]:
    """What a person reads at the end: lengths, lines, files, times, where it comes from."""
    lines = []
    for result in results:
        lines.append(f"{result['seconds']:.2f} s, {result['frames']} frames at {result['fps']:g} fps")
        lines += [f"  {s['start']:7.2f} to {s['end']:7.2f} s  {s['text']}" for s in result["segments"]]
        lines += [f"  {path}" for path in result["files"]]
    return [*lines, "time", *times, *origin_lines(results[0]["passport"], results[0]["files"])]
