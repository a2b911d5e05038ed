"""An .npy file that is written row by row, for arrays that do not fit into memory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import numpy as np

BLOCK = 1 << 15  # rows that are looked at at a time


class Rows:
    """Appends to an .npy file of float32, byte for byte what `np.save` writes of the whole array.

    The header is written twice: numpy leaves room in it for the number of rows, which is known at the end.

    Args:
        path: is overwritten.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.shape: tuple[int, ...] = ()
        self._start = 0

    def __enter__(self) -> Rows:
        self._file = self.path.open("wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._header()
        self._file.close()

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return int(np.prod(self.shape))

    def append(self, rows: np.ndarray) -> None:
        """Add (T, ...) rows.

        Raises: ValueError if they are of another shape than those before.
        """
        rows = np.ascontiguousarray(rows, np.float32)
        if not self._start:
            self.shape = rows.shape[1:]
            self._header()
            self._start = self._file.tell()
        if rows.shape[1:] != self.shape:
            raise ValueError(f"{self.path}: rows of shape {rows.shape[1:]} behind rows of {self.shape}")
        self._file.write(rows.data)
        self.count += len(rows)

    def _header(self) -> None:
        self._file.seek(0)
        about = {"descr": "<f4", "fortran_order": False, "shape": (self.count, *self.shape)}
        np.lib.format.write_array_header_1_0(self._file, about)

    def statistics(self, spans: Iterable[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation (W,) float64 of some rows of a finished file, read in blocks.

        Args:
            spans: (first row, how many).
        """
        spans = list(spans)
        count = sum(length for _, length in spans)
        total = np.zeros(self.width)
        for block in self._blocks(spans):
            total = np.add.reduce(np.vstack([total, block]), axis=0)
        mean = total / count
        squares = np.zeros(self.width)
        for block in self._blocks(spans):
            squares = np.add.reduce(np.vstack([squares, (block - mean) ** 2]), axis=0)
        return mean, np.sqrt(squares / count)

    def _blocks(self, spans: Iterable[tuple[int, int]]) -> Iterable[np.ndarray]:
        """(up to BLOCK, W) float64 after another. Through a file and not a memory map, whose pages would stay."""
        with self.path.open("rb") as file:
            for first, length in spans:
                file.seek(self._start + 4 * self.width * first)
                for start in range(0, length, BLOCK):
                    rows = min(BLOCK, length - start)
                    values = np.frombuffer(file.read(4 * self.width * rows), "<f4")
                    yield values.reshape(rows, self.width).astype(np.float64)
