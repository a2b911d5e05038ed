"""Write beside, then rename: a failed write leaves the old file, or none, never half of one."""

from __future__ import annotations

import os
import secrets
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
    temporary = folder / f".{path.stem[:40]}-{secrets.token_hex(6)}{path.suffix}"
    try:  # the umask decides who may read it, as for every new file
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except OSError as error:
        raise InputError(f"{path}: cannot write into {folder} ({error.strerror}). Name another --out.") from None
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: writing failed ({error.strerror or error}).") from None
    finally:
        temporary.unlink(missing_ok=True)
