"""`laban search`: a folder of motions by words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import Positional

from laban.commands.inputs import checked, open_space, refreshed
from laban.commands.latent import PICTURES
from laban.commands.output import Clock, check_number, check_outputs, print_json
from laban.errors import InputError

if TYPE_CHECKING:
    from laban.systems.motionclip.library import Match


def search(
    text: Positional[str] = "",
    *,
    folder: Annotated[Path, tyro.conf.arg(name="in")],
    like: Path | None = None,
    top: int = 10,
    sheet: Path | None = None,
    show: bool = False,
    index: Path | None = None,
    rebuild: bool = False,
    model: str = "motionclip",
    text_encoder: Path | None = None,
    device: str = "auto",
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Find the clips of a folder, and the moments in long ones, that fit a sentence best.

    The first search of a folder reads every file and keeps an index in it; later ones read only what is new.

    Args:
        text: What to find, in English, in quotes: "someone waves goodbye".
        folder: The folder, with all folders in it; .bvh .glb .npz.
        like: Find what is like this motion file, instead of a text.
        top: How many to print.
        sheet: A .png with one row per result.
        show: Open the contact sheet in the system's viewer (search.png if --sheet names no other).
        index: Where the index is kept, if not in the folder.
        rebuild: Make the index anew.
        model: Weights by name, or a folder with weights.
        text_encoder: CLIP's weights, for a released model: a Hugging Face folder, or a .pt of OpenAI or open_clip.
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: No progress and no words on skipped files.
    """
    check_number("--top", top, 1, 10_000)
    if bool(text.strip()) == (like is not None):
        raise InputError("search: say what to find, in quotes, or give --like FILE; one of them.")
    said = checked(text, "the text") if text.strip() else ""
    if show and sheet is None:
        sheet = Path("search.png")
    if sheet is not None:
        check_outputs([sheet], PICTURES)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder. Name one with BVH, GLB or NPZ files in it.")

    from laban import formats
    from laban.systems.motionclip import space
    from laban.systems.motionclip.library import Library

    source = formats.read(like) if like is not None else None
    clock = Clock()
    with clock.part("load"):
        system = open_space(model, device, text_encoder)
    with clock.part("index"):
        library = Library.open(folder, system, index, rebuild)
        report = refreshed(library, system, index, quiet)
    with clock.part("query"):
        vector = system.text_directions([said])[0] if source is None else space.direction(system, source)
        found = library.search(vector.numpy(), top)
    if sheet is not None:
        draw(found, sheet)
    if json:
        rows = [{"file": str(m.path), "start": m.start, "end": m.end, "score": m.score} for m in found]
        facts = {"added": report.added, "kept": report.kept, "removed": report.removed, "skipped": report.skipped}
        times = {name: round(s, 4) for name, s in clock.parts.items()}
        print_json({"results": rows, "index": facts, "timings": times, "sheet": str(sheet) if sheet else None})
    else:
        for m in found:
            print(f"{m.score:+.3f}  {m.start:6.2f} to {m.end:6.2f} s  {m.path}")
        if not quiet:
            changes = f"{report.added} read, {report.kept} as they were, {len(report.skipped)} skipped"
            print(f"{len(library.names)} clips ({changes}); query {1000 * clock.parts['query']:.1f} ms")
            if sheet is not None:
                print(sheet.resolve())
    if show and sheet is not None:
        import webbrowser

        webbrowser.open(sheet.resolve().as_uri())
    return 0


def draw(found: list[Match], sheet: Path) -> None:
    """One row of poses per match, of the moment that matched."""
    from laban import formats
    from laban.drawing.picture import contact_sheet

    motions = [formats.read(m.path).crop(m.start, m.end) for m in found[:20]]
    contact_sheet(
        motions, [f"{m.score:+.2f}  {m.path.name}, {m.start:.1f} to {m.end:.1f} s" for m in found[:20]], sheet
    )
