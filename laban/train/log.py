"""metrics.jsonl: one JSON object per line, appended whole, so that several processes may write one file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from laban.errors import InputError


class MetricsLog:
    """Appends rows. After a resume, rows of steps that were lost are written again; `read` keeps the last."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}); give another --out.") from None
        size = os.fstat(self._handle).st_size
        if size and os.pread(self._handle, 1, size - 1) != b"\n":  # a killed process left half a line
            os.write(self._handle, b"\n")

    def write(self, row: dict[str, Any]) -> None:
        """Append one row."""
        os.write(self._handle, (json.dumps(row) + "\n").encode())

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)


def read(path: str | Path) -> list[dict[str, Any]]:
    """Rows of a metrics file by stage and step; of rows written twice (after a resume) the later one.

    Returns: rows in the order of their first writing. Half lines left by a kill are skipped.
    Raises: InputError if there is no such file.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); expected a run's metrics.jsonl.") from None
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows[row.get("stage"), row.get("split"), row.get("step")] = row
    return list(rows.values())
