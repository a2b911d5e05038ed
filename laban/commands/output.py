"""What the commands share about their results: where files may go, what is printed, how long each part took."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.errors import InputError
from laban.formats import WRITERS, check_suffix

if TYPE_CHECKING:
    from laban.motion.motion import Motion
    from laban.systems.options import Bounds

FILMS = (".mp4", ".gif")


def check_outputs(paths: Sequence[Path], formats: dict[str, str] = WRITERS) -> None:
    """Refuses files that could not be written, before any work is done.

    Raises: InputError for no file, an unknown suffix, the same file twice, a folder that is absent or read-only.
    """
    if not paths:
        raise InputError(f"no file to write was named. Give at least one, ending in {' '.join(sorted(formats))}.")
    for path in paths:
        check_suffix(path, formats)
        if paths.count(path) > 1:
            raise InputError(f"{path} is to be written twice. Name each file once.")
        if path.is_dir():
            raise InputError(f"{path} is a folder. Name a file in it.")
        folder = path.parent
        if not folder.is_dir():
            raise InputError(f"{path}: there is no folder {folder}. Create it, or name another file.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputError(f"{path}: the folder {folder} is not writable. Name a file elsewhere.")


def check_number(name: str, value: float | None, low: float, high: float) -> None:
    """Raises InputError unless `value` is None or a finite number from `low` to `high`."""
    if value is not None and not (math.isfinite(value) and low <= value <= high):
        raise InputError(f"{name} is {value}; expected a number from {low} to {high}.")


def check_option(name: str, value: float | None, bounds: Bounds) -> None:
    """`check_number` for an option whose bounds are those of `generate`."""
    check_number(name, value, bounds.low, bounds.high)


def write(motion: Motion, path: Path, fps: float | None = None, quiet: bool = False, **options: Any) -> None:
    """Writes a motion; a film at `fps` and, unless quiet, with a progress bar, because it takes seconds."""
    import laban

    if path.suffix.lower() not in FILMS:
        return laban.write(motion, path, **options)
    from tqdm import tqdm

    if fps is not None:
        options["fps"] = fps
    with tqdm(desc=path.name, unit=" frames", leave=False, disable=quiet or None) as bar:
        laban.write(motion, path, progress=lambda done: bar.update(done - bar.n), **options)


class Clock:
    """How long each part of a command took, in seconds of wall time; a part that runs again adds up."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.parts[name] = self.parts.get(name, 0.0) + time.perf_counter() - begin

    def lines(self) -> list[str]:
        """One line per part, and the sum."""
        rows = [*self.parts.items(), ("total", sum(self.parts.values()))]
        width = max(len(name) for name, _ in rows)
        return [f"  {name:<{width}}  {seconds:6.2f} s" for name, seconds in rows]


def warn(message: str) -> None:
    """One line on stderr; the command goes on."""
    print(f"laban: warning: {message}", file=sys.stderr)


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on one line of stdout. NaN would not be JSON, so it is an error here."""
    print(json.dumps(value, allow_nan=False, ensure_ascii=False))


def passport_lines(passport: dict[str, Any] | None) -> list[str]:
    """A passport for a person to read, one line per entry."""
    if not passport:
        return ["  (none)"]
    width = max(len(key) for key in passport)
    return [f"  {key:<{width}}  {said(value)}" for key, value in passport.items()]


def said(value: Any) -> str:
    """A passport's value on one line."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "-"
    return "-" if value is None else json.dumps(value, ensure_ascii=False)
