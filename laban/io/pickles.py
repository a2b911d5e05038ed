"""Pickles of arrays, which the field's releases are full of, read without running them.

A pickle is a program; this reader knows numbers, strings, containers and numpy arrays of numbers, and refuses a file
that asks for anything else before it is called.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from laban.errors import FormatError, InputError

LARGEST = 64 << 20  # bytes of a pickle


def _latin(text: str, encoding: str) -> bytes:
    """What pickles of protocol 2 call to make bytes; other encodings are refused."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"it asks for the encoding {encoding!r}")
    return text.encode("latin-1")


class _Arrays(pickle.Unpickler):
    """Numbers, strings, containers and numpy arrays of numbers."""

    ALLOWED: ClassVar = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("numpy.core.multiarray", "_reconstruct"): np.core.multiarray._reconstruct  # type: ignore[attr-defined]
        if np.lib.NumpyVersion(np.__version__) < "2.0.0"
        else np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
        ("_codecs", "encode"): _latin,
    }
    ALLOWED[("numpy._core.multiarray", "_reconstruct")] = ALLOWED[("numpy.core.multiarray", "_reconstruct")]
    ALLOWED[("numpy._core.multiarray", "scalar")] = np._core.multiarray.scalar  # type: ignore[attr-defined]
    ALLOWED[("numpy.core.multiarray", "scalar")] = ALLOWED[("numpy._core.multiarray", "scalar")]

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self.ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None

    def persistent_load(self, pid: Any) -> Any:
        del pid
        raise pickle.UnpicklingError("it asks for a persistent object")


def read(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of numbers in a pickled table, by name; other entries are left out.

    Raises: FormatError for a pickle that asks for more than arrays, a damaged file, or one over 64 MiB; InputError for
        no file.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    try:
        if path.stat().st_size > LARGEST:
            raise pickle.UnpicklingError(f"it is larger than {LARGEST >> 20} MiB")
        held = _Arrays(io.BytesIO(path.read_bytes())).load()
        if not isinstance(held, dict):
            raise pickle.UnpicklingError("it holds no table")
        arrays = {str(k): np.asarray(v) for k, v in held.items() if not isinstance(v, dict | str)}
        if any(a.dtype.hasobject for a in arrays.values()):
            raise pickle.UnpicklingError("it holds arrays of objects")
        return {name: array for name, array in arrays.items() if array.dtype.kind in "iufb"}
    except (OSError, pickle.UnpicklingError, ValueError, EOFError, KeyError, IndexError, TypeError, AttributeError,
            MemoryError, OverflowError, RecursionError, ImportError, SystemError) as error:  # fmt: skip
        said = (" ".join(str(error).split()) or type(error).__name__)[:160]
        raise FormatError(f"{path}: no pickle of plain arrays ({said}). Get the file from its authors again.") from None
