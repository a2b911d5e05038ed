"""This installation, or other people's released weights, against expected values."""

from __future__ import annotations

import importlib
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from laban.actions.options import described
from laban.errors import InputError

if TYPE_CHECKING:
    from laban.check.compare import CheckReport

What = Literal["features", "metrics", "evaluator", "momask", "motionclip"]

NEEDED: dict[str, tuple[tuple[str, ...], str]] = {
    "evaluator": (("finest.tar", "expected.npz"), "Pass a folder with finest.tar and expected.npz."),
    "motionclip": (("opt.yaml", "expected.npz"), "Pass a folder with a released checkpoint and it."),
}
"""What is checked in a folder -> the files that it must have, and what to do about it."""


@dataclass(frozen=True)
class CheckOptions:
    """What is compared with what."""

    what: What = described(MISSING, "features, metrics, evaluator, momask or motionclip.")
    path: Path = described(MISSING, "An .npz of inputs and expected values, or a folder with a released checkpoint.")


def check(options: CheckOptions) -> CheckReport:
    """Computes what the expected values are about, and compares, array by array.

    Args:
        options: what, and where the expected values are.
    Raises: InputError for a path that is not what is needed; CheckFailed, with the table, if an array is beyond its
        tolerance, is unknown, or nothing could be compared.
    """
    what, path = options.what, options.path
    if what in ("features", "metrics"):
        if not path.is_file():
            raise InputError(f"{path}: there is no such file.")
    elif what == "momask" and not path.is_dir():
        raise InputError(f"{path}: there is no such folder.")
    names, advice = NEEDED.get(what, ((), ""))
    for name in names:
        if not (path / name).is_file():
            raise InputError(f"{path}: there is no {name} in it. {advice}")
    return getattr(importlib.import_module(f"laban.check.{what}"), f"check_{what}")(path)
