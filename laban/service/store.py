"""Jobs, their events, idempotency keys and uploads in SQLite: what is written here outlives every process.

One connection, held by one process: a second service on the same folder is refused. In WAL mode with synchronous=NORMAL
nothing that was committed is lost when a process is killed; after a power cut the last moments may be missing.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from laban.errors import InputError

VERSION = 1
FINISHED = ("done", "failed", "cancelled", "expired")
KEY_SECONDS = 24 * 3600.0  # for which an idempotency key stands for its job
FORGOTTEN = 7 * 24 * 3600.0  # after which an expired job is no longer listed

_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, kind TEXT NOT NULL,
    request TEXT NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL,
    started REAL, finished REAL, expires REAL, bytes INTEGER NOT NULL DEFAULT 0, progress TEXT, error TEXT, result TEXT
);
CREATE INDEX IF NOT EXISTS jobs_state ON jobs (state, seq);
CREATE INDEX IF NOT EXISTS jobs_owner ON jobs (owner, seq);
CREATE TABLE IF NOT EXISTS events (
    job INTEGER NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (job, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (
    owner TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, job TEXT NOT NULL, created REAL NOT NULL,
    PRIMARY KEY (owner, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS assets (
    owner TEXT NOT NULL, id TEXT NOT NULL, suffix TEXT NOT NULL, type TEXT NOT NULL, bytes INTEGER NOT NULL,
    created REAL NOT NULL, PRIMARY KEY (owner, id)
) WITHOUT ROWID;
"""


class KeyTaken(Exception):
    """An idempotency key that stands for another request."""


@dataclass(frozen=True)
class Job:
    """A job as it stands. Times are seconds since 1970; `progress`, `error` and `result` are JSON objects or None."""

    seq: int
    id: str
    owner: str
    kind: str
    request: dict[str, Any]
    state: str
    attempt: int
    created: float
    started: float | None
    finished: float | None
    expires: float | None
    bytes: int
    progress: dict[str, Any] | None
    error: dict[str, Any] | None
    result: dict[str, Any] | None

    @property
    def over(self) -> bool:
        """Whether it will not change any more."""
        return self.state in FINISHED


@dataclass(frozen=True)
class Event:
    """One event of a job; numbers count from 1 without a gap."""

    number: int
    kind: str
    data: dict[str, Any]


class Store:
    """What the service keeps.

    Args:
        path: of the database.
        now: the wall clock.
    Raises: InputError if another service has it open, or it is no database of this version.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self.now = now
        self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._base.row_factory = sqlite3.Row
        try:
            for pragma in ("busy_timeout=500", "locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
                self._base.execute(f"PRAGMA {pragma}")
            self._base.execute("BEGIN EXCLUSIVE")  # takes the lock, which stays until the process ends
            version = self._base.execute("PRAGMA user_version").fetchone()[0]
            self._base.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            self._base.close()
            busy = "locked" in str(error)
            why = "another service is using it" if busy else f"it is no database ({error})"
            raise InputError(f"{path}: {why}. Name another --data folder.") from None
        if version not in (0, VERSION):
            self._base.close()
            raise InputError(f"{path}: is of another version of laban ({version}). Name another --data folder.")
        self._base.executescript(f"{_TABLES} PRAGMA user_version = {VERSION};")

    def close(self) -> None:
        """Ends the use of the file."""
        self._base.close()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield self._base
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    # jobs

    def add(self, owner: str, kind: str, request: dict[str, Any], key: str = "", digest: str = "") -> tuple[Job, bool]:
        """A new job, or the one that the key stands for.

        Args:
            owner: whose it is.
            kind: of the job.
            request: as it was asked.
            key: the client's idempotency key; empty for none.
            digest: of the request, which the key must go with.
        Returns: the job, and whether it is new.
        Raises: KeyTaken if the key stands for another request.
        """
        now = self.now()
        with self._change() as base:
            if key:
                base.execute("DELETE FROM keys WHERE created < ?", (now - KEY_SECONDS,))
                row = base.execute("SELECT digest, job FROM keys WHERE owner=? AND key=?", (owner, key)).fetchone()
                known = self.job(row["job"]) if row is not None else None
                if row is not None and row["digest"] != digest:
                    raise KeyTaken(key)
                if known is not None:
                    return known, False
            name = secrets.token_hex(12)
            base.execute(
                "INSERT INTO jobs (id, owner, kind, request, state, created) VALUES (?,?,?,?,'queued',?)",
                (name, owner, kind, json.dumps(request), now),
            )
            if key:
                base.execute("INSERT OR REPLACE INTO keys VALUES (?,?,?,?,?)", (owner, key, digest, name, now))
            job = self.get(name)
            self._event(job, "state", {"state": "queued"})
        return job, True

    def known(self, owner: str, key: str, digest: str) -> Job | None:
        """The job that a key stands for, without making one. Raises: KeyTaken as `add`."""
        row = self._base.execute(
            "SELECT digest, job FROM keys WHERE owner=? AND key=? AND created >= ?",
            (owner, key, self.now() - KEY_SECONDS),
        ).fetchone()
        if row is None:
            return None
        if row["digest"] != digest:
            raise KeyTaken(key)
        return self.job(row["job"])

    def job(self, name: str) -> Job | None:
        """The job of that id, or None."""
        row = self._base.execute("SELECT * FROM jobs WHERE id=?", (name,)).fetchone()
        return None if row is None else _job(row)

    def get(self, name: str) -> Job:
        """The job of that id, which there is."""
        job = self.job(name)
        assert job is not None, name
        return job

    def jobs(self, owner: str, before: int | None, limit: int, state: str | None) -> list[Job]:
        """Jobs of an owner, the newest first.

        Args:
            owner: whose.
            before: only those with a smaller number (`seq`).
            limit: at most so many.
            state: only those in that state.
        """
        rows = self._base.execute(
            "SELECT * FROM jobs WHERE owner=? AND seq < ? AND (? IS NULL OR state=?) ORDER BY seq DESC LIMIT ?",
            (owner, before if before is not None else 1 << 62, state, state, limit),
        )
        return [_job(row) for row in rows]

    def waiting(self) -> list[Job]:
        """All queued jobs, the oldest first."""
        return [_job(row) for row in self._base.execute("SELECT * FROM jobs WHERE state='queued' ORDER BY seq")]

    def count(self, state: str, owner: str | None = None) -> int:
        """How many jobs are in a state, of an owner or of all."""
        return self._base.execute(
            "SELECT count(*) FROM jobs WHERE state=? AND (? IS NULL OR owner=?)", (state, owner, owner)
        ).fetchone()[0]

    def begin(self, name: str) -> Job:
        """A queued job begins to run: its attempt counts."""
        with self._change() as base:
            base.execute("UPDATE jobs SET state='running', attempt=attempt+1, started=? WHERE id=?", (self.now(), name))
            job = self.get(name)
            self._event(job, "state", {"state": "running", "attempt": job.attempt})
        return job

    def again(self, name: str, why: str) -> None:
        """A running job waits again."""
        with self._change() as base:
            base.execute("UPDATE jobs SET state='queued', progress=NULL WHERE id=?", (name,))
            self._event(self.get(name), "state", {"state": "queued", "why": why})

    def end(
        self, name: str, state: str, *, keep: float = 0.0, error: dict[str, Any] | None = None,
        result: dict[str, Any] | None = None,
    ) -> bool:  # fmt: skip
        """A job is over, unless it was over already.

        Args:
            name: of the job.
            state: done, failed or cancelled.
            keep: seconds for which it is kept.
            error: of a failed one.
            result: of one that is done.
        Returns: whether this ended it.
        """
        now, size = self.now(), sum(file["bytes"] for file in (result or {}).get("files", ()))
        with self._change() as base:
            if self.get(name).over:
                return False
            base.execute(
                "UPDATE jobs SET state=?, finished=?, expires=?, bytes=?, error=?, result=? WHERE id=?",
                (state, now, now + keep, size, _text(error), _text(result), name),
            )
            job = self.get(name)
            self._event(job, "state", {"state": state})
            self._event(job, "done", {"state": state, **({"error": error} if error else {})})
        return True

    def expire(self, most: float) -> list[str]:
        """Jobs whose time is over, or that are beyond `most` bytes of results, become expired.

        Returns: ids of the jobs whose files may go.
        """
        now = self.now()
        with self._change() as base:
            rows = base.execute(
                "SELECT id, bytes, expires, state FROM jobs WHERE state IN ('done','failed','cancelled') "
                "ORDER BY seq DESC"
            ).fetchall()
            total, gone = 0, []
            for row in rows:
                total += row["bytes"]
                if row["expires"] <= now or (total > most and row["state"] == "done" and row["bytes"]):
                    gone.append(row["id"])
                    total -= row["bytes"]
            for name in gone:
                base.execute("UPDATE jobs SET state='expired', result=NULL, bytes=0 WHERE id=?", (name,))
                self._event(self.get(name), "state", {"state": "expired"})
            old = "SELECT seq FROM jobs WHERE state='expired' AND finished < ?"
            base.execute(f"DELETE FROM events WHERE job IN ({old})", (now - FORGOTTEN,))
            base.execute("DELETE FROM jobs WHERE state='expired' AND finished < ?", (now - FORGOTTEN,))
        return gone

    def unfinished(self) -> list[Job]:
        """The jobs that were running when the last process ended."""
        return [_job(row) for row in self._base.execute("SELECT * FROM jobs WHERE state='running' ORDER BY seq")]

    # events

    def tell(self, name: str, kind: str, data: dict[str, Any]) -> None:
        """Keeps an event of a job that runs; progress is kept with the job, too."""
        with self._change() as base:
            job = self.get(name)
            if job.over:
                return
            self._event(job, kind, data)
            if kind == "progress":
                base.execute("UPDATE jobs SET progress=? WHERE id=?", (_text(data), name))

    def events(self, job: Job, after: int, limit: int = 1000) -> list[Event]:
        """Events of a job with numbers beyond `after`, in their order."""
        rows = self._base.execute(
            "SELECT number, kind, data FROM events WHERE job=? AND number > ? ORDER BY number LIMIT ?",
            (job.seq, after, limit),
        )
        return [Event(row["number"], row["kind"], json.loads(row["data"])) for row in rows]

    def _event(self, job: Job, kind: str, data: dict[str, Any]) -> None:
        self._base.execute(
            "INSERT INTO events SELECT ?, coalesce(max(number), 0) + 1, ?, ? FROM events WHERE job=?",
            (job.seq, kind, json.dumps(data), job.seq),
        )

    # uploads

    def add_asset(self, owner: str, name: str, suffix: str, kind: str, size: int) -> bool:
        """Notes an upload. Returns: whether it is new to this owner."""
        done = self._base.execute(
            "INSERT OR IGNORE INTO assets VALUES (?,?,?,?,?,?)", (owner, name, suffix, kind, size, self.now())
        )
        return done.rowcount == 1

    def asset(self, owner: str, name: str) -> dict[str, Any] | None:
        """An upload of an owner, or None."""
        row = self._base.execute("SELECT * FROM assets WHERE owner=? AND id=?", (owner, name)).fetchone()
        return None if row is None else dict(row)

    def assets(self, owner: str) -> list[dict[str, Any]]:
        """The uploads of an owner, the newest first."""
        rows = self._base.execute("SELECT * FROM assets WHERE owner=? ORDER BY created DESC, id LIMIT 1000", (owner,))
        return [dict(row) for row in rows]

    def drop_asset(self, owner: str, name: str) -> bool:
        """Forgets an upload of an owner. Returns: whether nobody else has the same, so that the file may go."""
        with self._change() as base:
            base.execute("DELETE FROM assets WHERE owner=? AND id=?", (owner, name))
            return base.execute("SELECT 1 FROM assets WHERE id=?", (name,)).fetchone() is None

    def asset_bytes(self) -> int:
        """Bytes of all uploads."""
        return self._base.execute("SELECT coalesce(sum(bytes), 0) FROM assets").fetchone()[0]


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    for name in ("request", "progress", "error", "result"):
        values[name] = None if values[name] is None else json.loads(values[name])
    return Job(**values)


def _text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)
