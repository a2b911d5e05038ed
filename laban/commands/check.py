"""`laban check`: this installation against expected values."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import Positional

from laban.commands.output import print_json
from laban.errors import CheckFailed, InputError


def features(file: Positional[Path], json: bool = False, quiet: bool = False) -> int:
    """Compare HumanML3D features that this installation computes with expected ones, array by array.

    Exits with 1 if an array is beyond its tolerance, is unknown, or if nothing could be compared.

    Args:
        file: An .npz with joints and what should come of them (`X_joints`, `X_features`, and so on).
        json: Print one JSON object.
        quiet: Print nothing; the exit code says it.
    """
    from laban.check.features import check_features

    if not file.is_file():
        raise InputError(f"{file}: there is no such file.")
    rows = check_features(file)
    failed = [row for row in rows if not row.ok]
    if json:
        print_json({"file": str(file), "ok": bool(rows) and not failed, "arrays": [vars(row) for row in rows]})
    elif not quiet:
        width = max((len(row[0]) for row in rows), default=5)
        print(f"{'array':<{width}}  {'max error':>10}  {'tolerance':>10}")
    return 0
