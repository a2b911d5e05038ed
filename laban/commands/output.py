"""What the commands share: the console as an action's context, and what is printed at the end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from laban.actions.context import Context
from laban.actions.outputs import check_option, check_outputs
from laban.formats import READERS, WRITERS
from laban.systems.options import ENDLESS, Bounds

LINE_SECONDS = 30.0
"""Between two lines of progress in a log."""


def console(device: str = "auto", quiet: bool = False, logged: bool = False) -> Context:
    """A context that draws progress bars and warnings on stderr.

    Args:
        device: cpu, cuda or auto.
        quiet: no bars; warnings stay.
        logged: without a terminal a line every half minute, for work of hours whose stderr is a log file.
    """
    return Context(device=device, progress=Bars(quiet, logged), warn=warn)


class Bars:
    """A tqdm bar on stderr per piece of work; it goes when the next one begins.

    Without a terminal there is no bar; what is `logged` then gets plain lines, one every half minute at most.
    """

    def __init__(self, quiet: bool, logged: bool = False) -> None:
        self.quiet, self.logged = quiet, logged
        self._what = ""
        self._bar: Any = None
        self._lined = 0.0

    def __call__(self, done: int, total: int | None, what: str) -> None:
        if self.quiet:
            return
        if not sys.stderr.isatty():
            if self.logged and (time.monotonic() - self._lined >= LINE_SECONDS or done == total):
                self._lined = time.monotonic()
                print(f"{what} {done}" + ("" if total is None else f" of {total}"), file=sys.stderr)
            return
        from tqdm import tqdm

        name, _, note = what.partition(": ")
        if name != self._what:
            self.close()
            self._what = name
            self._bar = tqdm(
                desc=name, total=total, initial=done, leave=self.logged, file=sys.stderr, dynamic_ncols=True,
            )  # fmt: skip
        self._bar.set_postfix_str(note, refresh=False)
        if total is not None:
            self._bar.total = total
        self._bar.update(done - self._bar.n)
        if total is not None and done >= total:
            self.close()

    def close(self) -> None:
        """Ends the bar that is drawn."""
        if self._bar is not None:
            self._bar.close()
        self._what, self._bar = "", None


def set_threads(threads: int | None) -> None:
    """The CPU threads of torch in this process; None leaves them."""
    if threads is not None:
        check_option("--threads", threads, Bounds(1, ENDLESS, whole=True))
        import torch

        torch.set_num_threads(threads)


def warn(message: str) -> None:
    """One line on stderr; the command goes on."""
    print(f"laban: warning: {message}", file=sys.stderr)


def out_paths(paths: Sequence[Path], formats: dict[str, str] = WRITERS) -> list[str]:
    """The files of --out as they are printed. Raises: InputError for none: an action would then write nothing."""
    if not paths:
        check_outputs(paths, formats)
    return [str(path.resolve()) for path in paths]


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on one line of stdout. NaN would not be JSON, so it is an error here."""
    print(json.dumps(value, allow_nan=False, ensure_ascii=False))


def passport_lines(passport: dict[str, Any] | None) -> list[str]:
    """A passport for a person to read, one line per entry; a timeline's report, which is long, has lines of its own."""
    passport = {key: value for key, value in (passport or {}).items() if key != "authoring"}
    if not passport:
        return ["  (none)"]
    width = max(len(key) for key in passport)
    return [f"  {key:<{width}}  {on_one_line(value)}" for key, value in passport.items()]


def origin_lines(passport: dict[str, Any] | None, files: Sequence[str]) -> list[str]:
    """Two lines on where a result comes from, and how to see all of its passport."""
    p = passport or {}
    data = f"; trained on {', '.join(p['data'])}" if p.get("data") else ""
    licence = f"; licence {p['licence']}" if p.get("licence") else ""
    readable = next((Path(file).name for file in files if Path(file).suffix.lower() in READERS), None)
    more = f": `laban info {readable}`" if readable else ", and --json prints it"
    return [f"by {p.get('system', 'nobody known')}, seed {p.get('seed', '-')}{data}{licence}",
            f"the passport, which says all of it, is kept with the files{more}"]  # fmt: skip


def on_one_line(value: Any) -> str:
    """A passport's value on one line."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "-"
    return "-" if value is None else json.dumps(value, ensure_ascii=False)
