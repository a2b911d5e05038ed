"""`laban blend`, `mix`, `recognise` and `caption`: clips in MotionCLIP's latent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from laban.actions import latent
from laban.actions.latent import BlendOptions, CaptionOptions, MixOptions, RecogniseOptions, Variation
from laban.commands.arguments import takes_options
from laban.commands.output import console, out_paths, print_json

if TYPE_CHECKING:
    from laban.systems.motionclip.space import Guess


@takes_options("a", "b", defaults={"out": (Path("blend.glb"),)})
def blend(options: BlendOptions, device: str = "auto", json: bool = False, quiet: bool = False) -> int:
    """Go from one clip to another in even steps of the latent.

    The first and the last result are the two clips as the model knows them. Where one walks or runs, they are blended
    by the phase of their strides instead, and the ends are the clips themselves; a walk and someone who sits, kneels
    or lies are refused.

    Args:
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    out_paths(options.out)
    return print_variations(latent.blend(options, console(device, quiet)), options.sheet, json=json, quiet=quiet)


@takes_options("file", defaults={"out": (Path("mix.glb"),)})
def mix(options: MixOptions, device: str = "auto", json: bool = False, quiet: bool = False) -> int:
    """Change a clip by what leads from one text or clip to another.

    `--minus walk --plus "walk like an old person"` ages a walk, whose legs and path stay those of the clip. A direction
    may also lead from one motion file to another. `--style "like an old person"` finds the action itself and needs
    neither.

    Args:
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    out_paths(options.out)
    return print_variations([latent.mix(options, console(device, quiet))], options.sheet, json=json, quiet=quiet)


@takes_options("file")
def recognise(options: RecogniseOptions, device: str = "auto", json: bool = False, quiet: bool = False) -> int:
    """Say what happens in a motion file.

    Args:
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print the answer alone: the likeliest name.
    """
    return print_guesses(options.file, latent.recognise(options, console(device, quiet)), json=json, quiet=quiet)


@takes_options("file")
def caption(options: CaptionOptions, device: str = "auto", json: bool = False, quiet: bool = False) -> int:
    """Describe a motion file by the phrases nearest to it.

    Args:
        device: cpu, cuda or auto.
        json: Print one JSON object.
        quiet: Print the answer alone: the nearest phrase.
    """
    return print_guesses(options.file, latent.caption(options, console(device, quiet)), json=json, quiet=quiet)


def print_variations(made: list[Variation], sheet: Path | None, *, json: bool, quiet: bool) -> int:
    """Prints what was written."""
    rows = [
        {
            "files": [str(path.resolve()) for path in each.files],
            "label": each.label,
            "frames": each.motion.frames,
            "seconds": round(each.motion.seconds, 4),
            "passport": each.motion.passport,
        }
        for each in made
    ]
    drawn = None if sheet is None else str(sheet.resolve())
    if json:
        print_json({"results": rows, "sheet": drawn})
    elif not quiet:
        for each in made:
            label = f", recognised as {each.label}" if each.label else ""
            print(f"{round(each.motion.seconds, 4):.2f} s{label}")
            print("\n".join(f"  {path.resolve()}" for path in each.files))
        if drawn:
            print(drawn)
    return 0


def print_guesses(file: object, guesses: list[Guess], *, json: bool, quiet: bool) -> int:
    """Prints guesses, best first."""
    if json:
        rows = [
            {"label": g.label, "phrase": g.phrase, "cosine": g.cosine, "probability": g.probability} for g in guesses
        ]
        print_json({"file": str(file), "guesses": rows})
        return 0
    if quiet:
        print(guesses[0].label)
        return 0
    width = max(len(g.label) for g in guesses)
    for g in guesses:
        phrase = "" if g.phrase == g.label else f"  ({g.phrase})"
        print(f"{g.probability:6.3f}  cosine {g.cosine:+.3f}  {g.label:<{width}}{phrase}")
    return 0
