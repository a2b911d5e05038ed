"""Write beside, then rename: a failed write leaves the old file, or none, never half of one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from laban.errors import InputError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path (same folder, same suffix) that replaces `path` when the block succeeds.

    Raises: InputError if the folder is missing or cannot be written to.
    """
    path = Path(path)
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"{path}: the folder {folder} does not exist. Create it, or name another --out.")
    if path.is_dir():
        raise InputError(f"{path} is a folder; a file name was expected.")
    try:
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{path.stem[:40]}-", suffix=path.suffix)
        os.close(handle)
    except OSError as error:
        raise InputError(f"{path}: cannot write into {folder} ({error.strerror}). Name another --out.") from None
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: writing failed ({error.strerror or error}).") from None
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
