"""`laban generate`: sentences become motion files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.actions import generate as actions
from laban.actions.generate import GenerateOptions
from laban.actions.options import flags
from laban.commands.arguments import takes_options
from laban.commands.output import console, origin_lines, out_paths, print_json

if TYPE_CHECKING:
    from laban.actions.context import Clock
    from laban.actions.generate import Generated


@takes_options("text", defaults={"out": (Path("motion.glb"),)})
def generate(
    options: GenerateOptions, strict: bool = False, device: str = "auto", json: bool = False, quiet: bool = False
) -> int:
    """Make a person who does what a sentence says.

    "then", "while", "twice", "for five seconds", "in a circle" and the like become a plan, which is printed. Actions
    that the model was not trained on are named, with the nearest that it knows (`laban vocabulary` lists them all).

    The same words, length and seed give the same motion on the same machine. The passport, which is kept with the
    files, says what was asked, which weights answered and under which licence.

    Args:
        strict: Exit with 1 where the data does not show what is asked, or no motion does it.
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    out_paths(options.out, options.wearing.formats)
    options.checked(flags(options))
    context = console(device, quiet or options.prompts is None)
    results = actions.generate(options, context)
    rows = [record(result) for result in results]
    if json:
        timings = {name: round(seconds, 4) for name, seconds in context.clock.parts.items()}
        print_json({"results": rows, "timings": timings})
    elif not quiet:
        certificates = [line for r in results if r.certificate is not None for line in r.certificate.lines()]
        print("\n".join([*summary_lines(results, rows, context.clock), *certificates]))
    failed = any(r.certificate is not None and not r.certificate.passed for r in results)
    failed = failed or any(r.report is not None and not r.report.ok for r in results)
    return int(failed or (strict and not all(r.known for r in results)))


def record(result: Generated) -> dict[str, Any]:
    """One result for JSON."""
    motion = result.motion
    certificate = {} if result.certificate is None else {"certificate": result.certificate.record()}
    return {
        **certificate,
        **({} if result.report is None else {"report": result.report.record()}),
        "text": result.text,
        "files": [str(path.resolve()) for path in result.files],
        "frames": motion.frames,
        "fps": motion.fps,
        "seconds": round(motion.seconds, 4),
        "reading": None if result.reading is None else result.reading.to_dict(),
        "passport": motion.passport,
    }


def summary_lines(results: list[Generated], rows: list[dict[str, Any]], clock: Clock) -> list[str]:
    """What a person reads at the end: files, plans, times, where it comes from."""
    lines = []
    for made, result in zip(results, rows, strict=True):
        length = f"{result['seconds']:.2f} s, {result['frames']} frames at {result['fps']:g} fps"
        lines.append(f"{result['text']!r}: {length}")
        if made.reading is not None and not made.reading.plan.plain and (made.motion.passport or {}).get("plan"):
            lengths = [round(s.end - s.start, 1) for s in made.motion.segments]
            plan = made.reading.plan
            lines.append(f"  plan: {plan.summary(lengths if len(lengths) == len(plan.steps) else None)}")
        lines += [f"  {path}" for path in result["files"]]
        lines += [] if made.report is None else made.report.lines()
        compared = (result["passport"] or {}).get("library")
        if compared:
            better = ("taken from", "better") if compared["taken"] else ("generated, not", "no better")
            lines.append(
                f"  {better[0]} {compared['file']}: it matches {better[1]} ({compared['score']:.3f}; generated "
                f"{compared['generated_score']:.3f})"
            )
    lines += ["time", *clock.lines()]
    return lines + origin_lines(rows[0]["passport"], rows[0]["files"])
