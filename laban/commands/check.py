"""`laban check`: this installation against expected values."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tyro.conf import Positional

from laban.actions.check import CheckOptions, What, check
from laban.commands.output import print_json
from laban.errors import CheckFailed

if TYPE_CHECKING:
    from laban.check.compare import Comparison


def features(file: Positional[Path], json: bool = False, quiet: bool = False) -> int:
    """Compare the motion features that this installation computes with expected ones, array by array.

    Exits with 1 if an array is beyond its tolerance, is unknown, or if nothing could be compared.

    Args:
        file: An .npz with joints and what should come of them (`X_joints`, `X_features`, and so on).
        json: Print one JSON object, also when the check fails.
        quiet: Print nothing when all is well.
    """
    return print_report("features", file, json=json, quiet=quiet)


def metrics(file: Positional[Path], json: bool = False, quiet: bool = False) -> int:
    """Compare the metrics that this installation computes with expected ones, value by value.

    Exits with 1 if a value is beyond its tolerance, an array is unknown, or nothing could be compared.

    Args:
        file: An .npz with inputs and what should come of them (`text_embeddings`, `X_joints`, beats, and so on).
        json: Print one JSON object, also when the check fails.
        quiet: Print nothing when all is well.
    """
    return print_report("metrics", file, json=json, quiet=quiet)


def evaluator(folder: Positional[Path], json: bool = False, quiet: bool = False) -> int:
    """Compare the embeddings of a released T2M evaluator with expected ones.

    Exits with 1 if a value is beyond its tolerance, an array is unknown, or nothing could be compared.

    Args:
        folder: A folder with finest.tar and expected.npz.
        json: Print one JSON object, also when the check fails.
        quiet: Print nothing when all is well.
    """
    return print_report("evaluator", folder, json=json, quiet=quiet)


def momask(folder: Positional[Path], json: bool = False, quiet: bool = False) -> int:
    """Compare the outputs of a released MoMask checkpoint with expected ones, array by array.

    Tokens must be equal, everything else to 1e-4. Exits with 1 if an array is beyond its tolerance, is unknown, or if
    nothing could be compared.

    Args:
        folder: A folder with checkpoints/ in the released layout and expected.npz.
        json: Print one JSON object, also when the check fails.
        quiet: Print nothing when all is well.
    """
    return print_report("momask", folder, json=json, quiet=quiet)


def motionclip(folder: Positional[Path], json: bool = False, quiet: bool = False) -> int:
    """Compare latents and motions of a released MotionCLIP with expected ones.

    Exits with 1 if a value is beyond its tolerance, an array is unknown, or nothing could be compared.

    Args:
        folder: A folder with checkpoint_NNNN.pth.tar, opt.yaml and expected.npz.
        json: Print one JSON object, also when the check fails.
        quiet: Print nothing when all is well.
    """
    return print_report("motionclip", folder, json=json, quiet=quiet)


def print_report(what: What, path: Path, *, json: bool, quiet: bool) -> int:
    """Runs one check and prints its report. Raises: CheckFailed, after the JSON if that was asked for."""
    try:
        report = check(CheckOptions(what, path))
    except CheckFailed as failure:
        if json:
            print_json({"file": str(path), "ok": False, "said": str(failure)})
        raise
    if json:
        facts = {"file": str(path), "ok": report.ok, "unit": report.unit}
        print_json({**facts, "arrays": [array(r) for r in report.rows], "absent": list(report.absent)})
    elif not quiet:
        print(report)
    return 0


def array(row: Comparison) -> dict[str, Any]:
    """A row of the report for JSON, which has no infinity."""
    return {
        "name": row.name,
        "shape": list(row.shape),
        "error": row.error if math.isfinite(row.error) else None,
        "tolerance": row.tolerance,
        "ok": row.ok,
    }
