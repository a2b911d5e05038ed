"""`laban import-weights`: other people's released weights into a checkpoint of Laban."""

from __future__ import annotations

import tyro

from laban.actions.weights import ImportOptions
from laban.actions.weights import import_weights as import_released
from laban.commands.arguments import takes_options
from laban.commands.output import console, print_json


@takes_options("system", "released", "out", ignore_option=tyro.conf.UseAppendAction)
def import_weights(options: ImportOptions, json: bool = False, quiet: bool = False) -> int:
    """Turn a released checkpoint folder into one that `--model` takes. Nothing in the files is executed.

    What is missing, unknown or of a wrong shape is named, and nothing is written then. The released models read CLIP
    features: give --text-encoder to `laban generate`.

    Args:
        json: print one JSON object.
        quiet: print nothing when all is well.
    """
    made = import_released(options, console(quiet=quiet))
    if json:
        print_json(made.facts)
    elif not quiet:
        print("\n".join(made.lines))
    return 0
