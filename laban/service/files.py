"""What clients write for a file: an upload, a result, or a file under --root; nothing else is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from laban.errors import InputError

ASSET = re.compile(r"(?:asset:)?([0-9a-f]{64})")
RESULT = re.compile(r"job:([0-9a-z]{1,64})/([^/\\]{1,255})")


class Files:
    """Names of files as one owner may write them.

    Args:
        root: the folder of --root, or None.
        asset: the path of an upload of this owner by its SHA-256, or None.
        result: the path of a file of a finished job of this owner, or None.
    """

    def __init__(
        self, root: Path | None, asset: Callable[[str], Path | None], result: Callable[[str, str], Path | None]
    ) -> None:
        self.root = None if root is None else root.resolve()
        self._asset, self._result = asset, result
        self.named: dict[str, str] = {}

    def __call__(self, text: str) -> Path:
        """The path that a name stands for; `named` keeps it.

        Raises: InputError for what is not there, or lies outside --root.
        """
        path = self._found(text)
        self.named[text] = str(path)
        return path

    def _found(self, text: str) -> Path:
        if (match := ASSET.fullmatch(text)) is not None:
            found = self._asset(match[1])
            if found is None:
                raise InputError(f"{text}: there is no such upload. Send the file to /v1/assets first.")
            return found
        if (match := RESULT.fullmatch(text)) is not None:
            found = self._result(match[1], match[2])
            if found is None:
                raise InputError(f"{text}: there is no such result. Name a file of a job that is done.")
            return found
        if self.root is None:
            raise InputError(
                f"{text}: this service reads uploads (asset:ID) and results (job:ID/NAME) only. Send the file to "
                "/v1/assets, or start the service with --root FOLDER."
            )
        try:
            path = (self.root / text).resolve()
            outside = not path.is_relative_to(self.root)
            absent = not outside and not path.exists()
        except (OSError, ValueError, RuntimeError):  # too long a name, a NUL in it, a ring of links
            outside, absent = False, True
        if outside:
            raise InputError(f"{text}: lies outside the folder of --root. Name a file in it.")
        if absent:
            raise InputError(f"{text}: there is no such file.")
        return path


def hidden(text: str, named: dict[str, str], folder: Path | None = None) -> str:
    """A text in which paths of this machine are replaced by what the client wrote for them.

    Args:
        text: for the client.
        named: what was written -> path.
        folder: of the job; it is left out.
    """
    for name, path in sorted(named.items(), key=lambda item: -len(item[1])):
        text = text.replace(path, name)
    return text if folder is None else text.replace(f"{folder}/", "").replace(str(folder), "the job's folder")
