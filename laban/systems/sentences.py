"""Sentences that a user writes, and files with one on each line. Imports no torch."""

from __future__ import annotations

from pathlib import Path

from laban.errors import InputError

MAX_CHARACTERS = 500
"""Of a sentence; captions have 60 or so."""

MAX_FILE = 1 << 20
"""Bytes of a file of sentences."""


def check_sentence(text: str, where: str) -> None:
    """Raises InputError for a text that holds control characters or is too long.

    Args:
        text: with single spaces.
        where: for the message.
    """
    if not text.isprintable():  # control characters, and bytes that were no UTF-8
        raise InputError(f"{where}: holds characters that are no text: {ascii(text[:60])}. Write plain English.")
    if len(text) > MAX_CHARACTERS:
        raise InputError(
            f"{where}: has {len(text)} characters; expected at most {MAX_CHARACTERS}. Describe one motion."
        )


def read_lines(path: Path, wanted: str) -> list[tuple[str, str]]:
    """The lines of a text file without blank lines and # comments.

    Args:
        path: UTF-8.
        wanted: what the file should be, for the message, as a sentence.
    Returns: a line and where it stands ("walks.txt, line 3"), each.
    Raises: InputError for a file that cannot be read.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name the file in it. {wanted}")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file. {wanted}")
    if path.stat().st_size > MAX_FILE:
        raise InputError(f"{path}: is larger than {MAX_FILE >> 20} MiB. Split it into several files.")
    try:
        rows = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text. Save it as UTF-8, one sentence per line.") from None
    return [
        (row, f"{path}, line {number}")
        for number, row in enumerate(rows, start=1)
        if row.strip() and not row.lstrip().startswith("#")
    ]
