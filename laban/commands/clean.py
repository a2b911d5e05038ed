"""`laban clean`: the clean-up of feet, floor and tremble as a tool of its own."""

from __future__ import annotations

from laban.actions.clean import CleanOptions
from laban.actions.clean import clean as clean_motion
from laban.commands.arguments import REQUIRED, takes_options
from laban.commands.output import console, print_json

FIGURES = {
    "skate": ("foot skate while in contact before", "m/s"),
    "penetration_cm": ("feet below the floor, mean of frames", "cm"),
    "floor_cm": ("height of the floor", "cm"),
    "jerk": ("jerk, mean of joints", "m/s3"),
}


@takes_options("source", defaults={"out": REQUIRED})
def clean(options: CleanOptions, json: bool = False, quiet: bool = False) -> int:
    """Hold standing feet, level the floor, filter tremble, and say what changed.

    Args:
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    done = clean_motion(options, console(quiet=quiet))
    files = [str(path.resolve()) for path in options.out]
    if json:
        print_json({"files": files, "before": done.before, "after": done.after})
    elif not quiet:
        rows = [
            f"  {text:<38} {done.before[key]:10.3f} -> {done.after[key]:8.3f} {unit}"
            for key, (text, unit) in FIGURES.items()
        ]
        print("\n".join([*files, *rows]))
    return 0
