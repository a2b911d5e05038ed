"""A worker process: `python -m laban.service.worker`. Jobs come as lines of JSON on stdin, events go to stdout.

Models stay loaded from job to job. When stdin ends, because the service ended in whatever way, the process ends at
once. Results are written into a folder of this attempt, and moved to their place as a whole when they are complete.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from laban.actions.context import Cancelled, Context, Models
from laban.errors import LabanError, sentence
from laban.service.files import hidden
from laban.service.kinds import KINDS
from laban.service.results import told

EVERY = 0.2  # seconds between two events of progress
RESULT = "result.json"  # beside the files of a finished job; what it holds is what the client is told


def main() -> None:
    """Works until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the service's business
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # whatever a library prints must not come between
    gc.set_threshold(100_000, 20, 50)
    Worker(lines).run()


class Worker:
    """What one process does.

    Args:
        lines: where events go.
    """

    def __init__(self, lines: TextIO) -> None:
        self._lines, self._lock = lines, threading.Lock()
        self._given: list[dict[str, Any]] = []
        self._more = threading.Condition()
        self._cancelled: set[str] = set()
        self.models = Models()

    def run(self) -> None:
        """Reads what to do in a thread of its own, and does it in this one."""
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            with self._more:
                self._more.wait_for(lambda: bool(self._given))
                order = self._given.pop(0)
            if order["do"] == "warm":
                self._warm(order)
            else:
                self._job(order)

    def say(self, **event: Any) -> None:
        """One line for the service."""
        with self._lock:
            self._lines.write(json.dumps(event) + "\n")

    def _listen(self) -> None:
        for line in sys.stdin:
            order = json.loads(line)
            if order["do"] == "cancel":
                self._cancelled.add(order["job"])
                continue
            with self._more:
                self._given.append(order)
                self._more.notify()
        os._exit(0)

    def _warm(self, order: dict[str, Any]) -> None:
        try:
            from laban.systems.capabilities import ABILITIES
            from laban.systems.registry import kind_of

            for name in order["models"]:
                kind = kind_of(name)[0]
                for ability in ABILITIES:
                    if issubclass(kind, ability):
                        self.models.load(ability, name, order["device"])
                        break
        except (LabanError, OSError, MemoryError) as error:
            self.say(event="broken", detail=sentence(error))
            return
        self.say(event="ready")

    def _job(self, order: dict[str, Any]) -> None:
        job, attempt = order["job"], Path(order["attempt"])
        last = 0.0

        def progress(done: int, total: int | None, what: str) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= EVERY or done == total:
                last = now
                self.say(event="progress", job=job, done=done, total=total, stage=hidden(what, order["files"], attempt))

        def warn(text: str) -> None:
            self.say(event="warning", job=job, text=hidden(text, order["files"], attempt))

        context = Context(order["device"], self.models, progress, warn, lambda: job in self._cancelled)
        try:
            shutil.rmtree(attempt, ignore_errors=True)
            attempt.mkdir(parents=True)
            facts = TASKS.get(order["kind"], act)(order, attempt, context)
            context.check()
            self._deliver(job, facts, attempt, Path(order["folder"]), order["files"])
        except Cancelled:
            self.say(event="cancelled", job=job)
        except (LabanError, OSError, MemoryError) as error:
            code = getattr(error, "code", "")
            self.say(event="failed", job=job, detail=hidden(sentence(error), order["files"], attempt), code=code)
        except Exception:  # noqa: BLE001 - a fault of ours ends the job and not the process
            traceback.print_exc()
            self.say(event="failed", job=job, detail="", code="internal")
        finally:
            shutil.rmtree(attempt, ignore_errors=True)
            self._cancelled.discard(job)
            self.say(event="idle", job=job)

    def _deliver(self, job: str, facts: dict[str, Any], attempt: Path, folder: Path, named: dict[str, str]) -> None:
        """Syncs what was written, moves it to its place, and tells of it."""
        files = [described(path) for path in sorted(attempt.iterdir())]
        result = json.loads(hidden(json.dumps({**facts, "files": files}, ensure_ascii=False), named, attempt))
        whole = attempt / RESULT
        whole.write_text(json.dumps(result), encoding="utf-8")
        for path in (*attempt.iterdir(), *([] if os.name == "nt" else [attempt])):
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)
        try:
            os.rename(attempt, folder)
        except OSError:
            if not (folder / RESULT).is_file():  # else another attempt was there first, and its result is the one
                raise
            result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        self.say(event="done", job=job, result=result)


def described(path: Path) -> dict[str, Any]:
    """Name, length and SHA-256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}


def act(order: dict[str, Any], folder: Path, context: Context) -> dict[str, Any]:
    """Does the action of a kind of `laban.service.kinds`."""
    kind = KINDS[order["kind"]]
    files = order["files"]
    options = kind.read(order["args"], lambda text: Path(files[text]), kind.files(tuple(order["formats"]), folder))
    kind.check(options)
    return told(kind.name, kind.action(options, context))


def _mmcp(order: dict[str, Any], folder: Path, context: Context) -> dict[str, Any]:
    from laban.service.mmcp.perform import perform

    return perform(order, folder, context)


TASKS: dict[str, Callable[[dict[str, Any], Path, Context], dict[str, Any]]] = {"mmcp": _mmcp}
"""Kind -> what does it, of those that are no action alone."""


if __name__ == "__main__":
    main()
