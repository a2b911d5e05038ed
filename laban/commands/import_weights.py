"""`laban import-weights`: released checkpoints of others become checkpoint folders of ours."""

from __future__ import annotations

import importlib
from pathlib import Path

from tyro.conf import Positional

from laban.commands.output import print_json
from laban.config import nearest
from laban.errors import InputError

IMPORTERS: dict[str, str] = {
    "motionclip": "laban.systems.motionclip.importing:import_weights",
}
"""System -> 'module:function' that takes the released folder and the folder to write, and returns facts to print."""


def import_weights(
    system: Positional[str], folder: Positional[Path], out: Positional[Path], json: bool = False, quiet: bool = False
) -> int:
    """Turn a released checkpoint into a folder that --model takes.

    Only tensors are read from the released files; code inside them is never run.

    Args:
        system: Whose weights: motionclip.
        folder: The released folder, as its authors publish it.
        out: The folder to write.
        json: Print one JSON object.
        quiet: Print nothing when all is well.
    """
    if system not in IMPORTERS:
        near = nearest(system, IMPORTERS)
        raise InputError(
            f"import-weights: there is no importer for {system!r}; known: {', '.join(IMPORTERS)}"
            + (f"; did you mean {near!r}?" if near else ".")
        )
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder. Pass the released one.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: exists and is not an empty folder. Name another.")
    module, _, function = IMPORTERS[system].partition(":")
    facts = getattr(importlib.import_module(module), function)(folder, out)
    if json:
        print_json(facts)
    elif not quiet:
        print("\n".join(f"{key}: {value}" for key, value in facts.items()))
    return 0
