"""`laban search`: a folder of motions by words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import tyro

from laban.actions import library
from laban.actions.context import Context, ignore
from laban.actions.library import Search, SearchOptions
from laban.commands.arguments import takes_options
from laban.commands.output import console, print_json


@takes_options("text", folder=tyro.conf.arg(name="in"))
def search(
    options: SearchOptions, show: bool = False, device: str = "auto", json: bool = False, quiet: bool = False
) -> int:
    """Find the clips of a folder, and the moments in long ones, that fit a sentence best.

    The first search of a folder reads every file and keeps an index in it; later ones read only what is new.

    Args:
        show: Open the contact sheet in the system's viewer (search.png if --sheet names no other).
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print the answer alone: the files, best first.
    """
    if show and options.sheet is None:
        options = replace(options, sheet=Path("search.png"))
    context = console(device, quiet)
    if quiet:
        context.warn = ignore
    done = library.search(options, context)
    if json:
        print_json(facts_of(done, options.sheet, context))
    elif quiet:
        print("\n".join(str(m.path) for m in done.found))
    else:
        print("cosine  from    to      file")
        for m in done.found:
            print(f"{m.score:+.3f}  {m.start:6.2f}  {m.end:6.2f}  {m.path}")
        report = done.report
        changes = f"{report.added} read, {report.kept} as they were, {len(report.skipped)} skipped"
        print(f"{done.clips} clips ({changes}); query {1000 * context.clock.parts['query']:.1f} ms")
        if options.sheet is not None:
            print(options.sheet.resolve())
    if show and options.sheet is not None:
        import webbrowser

        webbrowser.open(options.sheet.resolve().as_uri())
    return 0


def facts_of(done: Search, sheet: Path | None, context: Context) -> dict[str, object]:
    """What was found, for scripts."""
    report = done.report
    return {
        "results": [{"file": str(m.path), "start": m.start, "end": m.end, "score": m.score} for m in done.found],
        "index": {"added": report.added, "kept": report.kept, "removed": report.removed, "skipped": report.skipped},
        "timings": {name: round(s, 4) for name, s in context.clock.parts.items()},
        "sheet": str(sheet) if sheet else None,
    }
