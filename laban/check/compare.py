"""What every check shares: reading an archive of expected arrays, comparing, and the report that is printed."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from laban.errors import CheckFailed, FormatError


@dataclass(frozen=True)
class Comparison:
    """One array compared: its name, shape, largest absolute error and the largest tolerance that applied.

    `worst` is the largest error over its own element's tolerance: above 1 the array is off.
    """

    name: str
    shape: tuple[int, ...]
    error: float
    tolerance: float
    worst: float

    @property
    def ok(self) -> bool:
        return self.worst <= 1.0


@dataclass(frozen=True)
class CheckReport:
    """The outcome of a check that passed; `str()` gives the lines that the command line prints.

    Attributes:
        path: the file that was compared.
        unit: of errors and tolerances.
        rows: one per array compared.
        absent: names of the arrays of the grammar that the file does not have.
    """

    path: str
    unit: str
    rows: tuple[Comparison, ...]
    absent: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return bool(self.rows) and all(row.ok for row in self.rows)

    def __str__(self) -> str:
        width = max((len(row.name) for row in self.rows), default=0)
        lines = [
            f"{row.name:<{width}}  largest error {row.error:.3e} {self.unit}"
            f"  (tolerance {row.tolerance:.1e})  {'ok' if row.ok else 'OFF'}"
            for row in self.rows
        ]
        if self.absent:
            lines.append(f"absent, not compared: {', '.join(self.absent)}")
        return "\n".join(lines)


def refuse_unknown(path: Path, unknown: Sequence[str], expected: str) -> None:
    """Refuses arrays whose names mean nothing.

    Args:
        path: the file.
        unknown: names.
        expected: which names are known, as the end of a sentence.
    Raises: CheckFailed if there are any.
    """
    if unknown:
        raise CheckFailed(f"{path}: unknown arrays {', '.join(unknown[:5])}; {expected}. Rename or remove them.")


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, by name. Nothing is unpickled.

    Raises: FormatError if the file cannot be read as plain arrays, or an array holds something else than numbers.
    """
    path = Path(path)
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, KeyError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FormatError(f"{path}: not an .npz of plain arrays ({reason}). Pass a file of expected values.") from None
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise FormatError(f"{path}: {name} holds {array.dtype}, expected numbers. Write it as float32.")
    return arrays


def compare(name: str, got: np.ndarray, expected: np.ndarray, absolute: float, relative: float = 0.0) -> Comparison:
    """Largest error of `got` against `expected`, each element within absolute + relative * |expected|.

    A shape that differs, or a value that is not finite on one side only, counts as an infinite error.
    """
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape:
        return Comparison(name, expected.shape, float("inf"), absolute, float("inf"))
    if expected.size == 0:
        return Comparison(name, expected.shape, 0.0, absolute, 0.0)
    a, b = got.astype(np.float64), expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        error = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
        tolerance = absolute + relative * np.where(np.isfinite(b), np.abs(b), 0.0)
    error = np.where(np.isnan(error), np.inf, error)
    return Comparison(
        name, expected.shape, float(error.max()), float(tolerance.max()), float((error / tolerance).max())
    )


def concluded(report: CheckReport) -> CheckReport:
    """The report, or CheckFailed with its lines when an array is off or nothing was compared."""
    if not report.rows:
        raise CheckFailed(
            f"{report.path}: nothing could be compared; absent: {', '.join(report.absent) or 'everything'}. "
            "Pass a file that has inputs and their expected outputs."
        )
    off = [row.name for row in report.rows if not row.ok]
    if off:
        raise CheckFailed(f"{report.path}: beyond tolerance: {', '.join(off)}\n{report}")
    return report
