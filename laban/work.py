"""Independent pieces of work: done in this process or in several, each result written whole or not at all."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Literal, TypeVar

from laban.errors import LabanError
from laban.io.atomic import replacing

P = TypeVar("P")

Progress = Callable[[int, int | None, str], None]
"""Called with (done, total or None, what) as work goes on; `what` is a name, or "name: a note that changes"."""


def ignore(*_: Any) -> None:
    """Takes anything and does nothing."""


class Counter:
    """Adds up what is done, from `done` on, for a `Progress`."""

    def __init__(self, progress: Progress, total: int | None, what: str, done: int = 0) -> None:
        self.progress, self.total, self.what = progress, total, what
        self.done = done
        self._note = ""

    def add(self, number: int = 1) -> None:
        """So many more are done."""
        self.done += number
        self._report()

    def note(self, note: str) -> None:
        """What is being done now."""
        self._note = note
        self._report()

    def _report(self) -> None:
        self.progress(self.done, self.total, f"{self.what}: {self._note}" if self._note else self.what)


def run(
    make: Callable[[P, Path], None],
    pieces: Sequence[tuple[Path, P]],
    workers: int = 1,
    runner: Literal["local", "processes"] | None = None,
    *,
    progress: Callable[[int, int], None] = ignore,
    check: Callable[[], None] = ignore,
) -> list[LabanError | None]:
    """Makes those files that are not there yet.

    A file is written under another name and renamed when it is whole, so what was cut off (Ctrl-C, a kill) is not
    there, and the next call makes only what is missing. Whoever interrupts several processes waits for the pieces that
    have begun; their files are kept.

    Args:
        make: called with a piece and the path to write it to; with several processes it must be picklable, as pieces.
        pieces: (file, what `make` needs for it).
        workers: how many processes.
        runner: "local" does all of it in this process; None: "processes" where there are several workers.
        progress: called with (done, total).
        check: called between pieces; may raise to end the work.
    Returns: for each piece None, or the LabanError that `make` raised; other errors are raised here.
    """
    missing = [i for i, (path, _) in enumerate(pieces) if not path.exists()]
    failures: list[LabanError | None] = [None] * len(pieces)
    done = len(pieces) - len(missing)
    if runner is None:
        runner = "processes" if workers > 1 and len(missing) > 1 else "local"
    results = _local(make, pieces, missing) if runner == "local" else _spread(make, pieces, missing, workers)
    progress(done, len(pieces))
    try:
        for i, failure in results:
            failures[i] = failure
            done += 1
            progress(done, len(pieces))
            check()
    finally:
        results.close()
    return failures


def _made(make: Callable[[P, Path], None], path: Path, piece: P) -> LabanError | None:
    try:
        with replacing(path) as temporary:
            make(piece, temporary)
    except LabanError as error:
        return error
    return None


def _local(
    make: Callable[[P, Path], None], pieces: Sequence[tuple[Path, P]], missing: Sequence[int]
) -> Generator[tuple[int, LabanError | None], None, None]:
    for i in missing:
        yield i, _made(make, *pieces[i])


def _spread(
    make: Callable[[P, Path], None], pieces: Sequence[tuple[Path, P]], missing: Sequence[int], workers: int
) -> Generator[tuple[int, LabanError | None], None, None]:
    context = multiprocessing.get_context("spawn")  # forking a process whose libraries have threads can hang
    pool = ProcessPoolExecutor(min(workers, len(missing)), context, _begin, (make,))
    try:
        futures: dict[Future[LabanError | None], int] = {pool.submit(_call, *pieces[i]): i for i in missing}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool:
        raise LabanError(
            "a worker process was ended from outside (memory?). Start again to go on, with fewer."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


_maker: list[Callable[[Any, Path], None]] = []  # in a worker process: what it makes with


def _begin(make: Callable[[Any, Path], None]) -> None:
    """In a new worker process: keeps `make`, and leaves Ctrl-C to the process that waits for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _maker[:] = [make]


def _call(path: Path, piece: Any) -> LabanError | None:
    """In a worker process."""
    return _made(_maker[0], path, piece)
