"""`laban check`: this installation against expected values."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from tyro.conf import Positional

from laban.commands.output import print_json
from laban.errors import CheckFailed, InputError


def features(file: Positional[Path], json: bool = False, quiet: bool = False) -> int:
    """Compare the motion features that this installation computes with expected ones, array by array.

    Exits with 1 if an array is beyond its tolerance, is unknown, or if nothing could be compared.

    Args:
        file: An .npz with joints and what should come of them (`X_joints`, `X_features`, and so on).
        json: Print one JSON object, also when the check fails.
        quiet: Print nothing when all is well.
    """
    if not file.is_file():
        raise InputError(f"{file}: there is no such file.")

    from laban.check.features import check_features

    try:
        report = check_features(file)
    except CheckFailed as failure:
        if json:
            print_json({"file": str(file), "ok": False, "said": str(failure)})
        raise
    if json:
        print_json({"file": str(file), "ok": report.ok, "unit": report.unit, "arrays": [array(r) for r in report.rows]})
    elif not quiet:
        print(report)
    return 0


def array(row: Any) -> dict[str, Any]:
    """A row of the report for JSON, which has no infinity."""
    return {
        "name": row.name,
        "shape": list(row.shape),
        "error": row.error if math.isfinite(row.error) else None,
        "tolerance": row.tolerance,
        "ok": row.ok,
    }
