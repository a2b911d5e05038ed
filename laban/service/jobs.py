"""Jobs from their request to their end: taken, kept, given to workers, followed, cancelled, cleared away."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from laban.errors import InputError, LabanError, sentence
from laban.formats import check_suffix
from laban.service import kinds
from laban.service.files import Files, hidden
from laban.service.metrics import Metrics
from laban.service.pool import Hand, Pool
from laban.service.problems import PROBLEMS, Problem, problem
from laban.service.settings import ServeOptions
from laban.service.store import Event, Job, KeyTaken, Store
from laban.service.worker import RESULT

TICK = 0.25  # seconds between two looks at the workers
CLEARING = 30.0  # seconds between two clearings away
ATTEMPTS = 2  # times that a job is begun before it has failed
PING = 15.0  # seconds without an event after which a stream says that it lives
FREE = 256 << 20  # bytes of disk without which the service is not ready
log = logging.getLogger("laban.service")


@dataclass(frozen=True)
class Wanted:
    """A request for a job, checked: its kind, `args` and formats."""

    kind: str
    args: dict[str, Any]
    formats: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """As it is kept."""
        return {"args": self.args, "formats": list(self.formats)}

    @property
    def digest(self) -> str:
        """SHA-256 of what was asked, by which an idempotency key knows it again."""
        text = json.dumps({"kind": self.kind, **self.record()}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class Jobs:
    """All jobs of a service.

    Args:
        settings: folders and limits.
        metrics: told of what happens.
        store: where jobs are kept; that of the settings' folder if not given.
    """

    def __init__(self, settings: ServeOptions, metrics: Metrics, store: Store | None = None) -> None:
        self.settings, self.metrics = settings, metrics
        self.folder = settings.folder
        for name in ("attempts", "results", "assets"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.store = store or Store(self.folder / "jobs.sqlite")
        self.pool = Pool(settings, self._heard, self._lost)
        self.draining = False
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._loop: asyncio.Task[None] | None = None
        self._restarts = 0

    async def open(self) -> None:
        """Takes up what the last process left, and starts the workers."""
        self._recover()
        await self.pool.open()
        self._loop = asyncio.create_task(self._watch())

    async def close(self) -> None:
        """Ends the workers; what ran waits again, and is taken up by the next process."""
        if self._loop is not None:
            self._loop.cancel()
        await self.pool.close()
        self._recover()
        self.wake()
        self.store.close()

    async def drain(self) -> None:
        """Takes no more jobs, and waits for those that run, for the seconds of grace at most."""
        self.draining = True
        end = asyncio.get_running_loop().time() + self.settings.grace
        while any(hand.state == "busy" for hand in self.pool.hands) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.05)

    # what clients ask for

    def examine(self, owner: str, wanted: Wanted) -> None:
        """Raises InputError for a request that cannot be done."""
        self._order(owner, wanted)

    def submit(self, owner: str, wanted: Wanted, key: str = "") -> tuple[Job, bool]:
        """Takes a job.

        Args:
            owner: whose it is.
            wanted: what is asked, examined.
            key: the client's idempotency key; empty for none.
        Returns: the job, and whether it is new.
        Raises: Problem if no more may wait, or the key stands for another request.
        """
        try:
            known = self.store.known(owner, key, wanted.digest) if key else None
            if known is not None:
                return known, False
            self._check_room(owner)
            job, new = self.store.add(owner, wanted.kind, wanted.record(), key, wanted.digest)
        except KeyTaken:
            raise Problem("conflict", "this Idempotency-Key stands for another request. Use a new one.") from None
        self.dispatch()
        return job, new

    def job(self, owner: str, name: str) -> Job:
        """A job of an owner. Raises: Problem if there is none."""
        job = self.store.job(name)
        if job is None or job.owner != owner:
            raise Problem("not-found", f"there is no job {name!r}. It may have expired.")
        return job

    def cancel(self, owner: str, name: str) -> None:
        """Ends a job that is not over: at once for whoever asks; its worker is given some seconds to stop.

        Raises: Problem if there is none, or it is over.
        """
        job = self.job(owner, name)
        if not self._end(job.id, "cancelled"):
            raise Problem("conflict", f"the job is {job.state}; only one that waits or runs can be cancelled.")
        hand = self.pool.busy_with(name)
        if hand is not None:
            self.pool.stop(hand, "cancel")

    def file(self, owner: str, name: str, file: str) -> tuple[Path, dict[str, Any]]:
        """A file of a job that is done, and what is known of it. Raises: Problem."""
        job = self.job(owner, name)
        if job.state == "expired":
            raise Problem("expired", f"the files of job {name} were kept for their time, and are gone. Do it again.")
        for facts in (job.result or {}).get("files", ()):
            if facts["name"] == file:
                return self.folder / "results" / name / file, facts
        raise Problem("not-found", f"job {name} has no file {file!r}; it is {job.state}.")

    async def events(self, name: str, after: int) -> AsyncIterator[Event | None]:
        """Events of a job with numbers beyond `after`, until it is over; None for each PING seconds without one."""
        while True:
            heard = asyncio.Event()
            self._waiters.setdefault(name, set()).add(heard)
            try:
                job = self.store.job(name)
                if job is None:
                    return
                rows = self.store.events(job, after)
                for row in rows:
                    after = row.number
                    yield row
                if rows:
                    continue
                if job.over or self.draining:
                    return
                try:
                    await asyncio.wait_for(heard.wait(), PING)
                except TimeoutError:
                    yield None
            finally:
                waiting = self._waiters.get(name, set())
                waiting.discard(heard)
                if not waiting:
                    self._waiters.pop(name, None)

    async def finished(self, name: str) -> Job:
        """The job when it is over, or as it stands when the service ends."""
        last = 0
        async for event in self.events(name, 0):
            last = event.number if event is not None else last
        return self.store.get(name)

    def files(self, owner: str) -> Files:
        """The files that an owner may name."""

        def asset(name: str) -> Path | None:
            found = self.store.asset(owner, name)
            return None if found is None else self.folder / "assets" / f"{name}{found['suffix']}"

        def result(name: str, file: str) -> Path | None:
            with contextlib.suppress(Problem):
                return self.file(owner, name, file)[0]
            return None

        return Files(self.settings.root, asset, result)

    def trouble(self) -> str:
        """Why the service is not ready; empty if it is."""
        if self.draining:
            return "the service is being ended."
        if not any(hand.state in ("idle", "busy") for hand in self.pool.hands):
            return self.pool.trouble or "the models are being loaded."
        if self.store.count("queued") >= self.settings.queue:
            return "the queue is full."
        if shutil.disk_usage(self.folder).free < FREE:
            return "the disk is full."
        return ""

    def tell_metrics(self) -> None:
        """Brings the gauges up to date."""
        self.metrics.queue_length.set(self.store.count("queued"))
        for state in ("starting", "idle", "busy", "ending"):
            self.metrics.workers.labels(state).set(sum(hand.state == state for hand in self.pool.hands))
        self.metrics.restarts.inc(self.pool.restarts - self._restarts)
        self._restarts = self.pool.restarts

    def dispatch(self) -> None:
        """Gives waiting jobs to idle workers, the oldest first."""
        if self.draining or self.pool.idle() is None:
            return
        for job in self.store.waiting():
            hand = self.pool.idle()
            if hand is None:
                return
            if self.store.count("running", job.owner) >= self.settings.owner_running:
                continue
            try:
                wanted = Wanted(job.kind, job.request["args"], tuple(job.request["formats"]))
                order = self._order(job.owner, wanted)
            except LabanError as error:  # a file that it names is gone since
                self._end(job.id, "failed", error=problem("input", sentence(error)))
                continue
            begun = self.store.begin(job.id)
            self.metrics.queue_wait.observe(max(0.0, self.store.now() - job.created))
            attempt = self.folder / "attempts" / f"{job.id}.{begun.attempt}"
            place = {"attempt": str(attempt), "folder": str(self.folder / "results" / job.id)}
            self.pool.give(hand, {"job": job.id, **order, **place})
            self.wake(job.id)

    def wake(self, name: str | None = None) -> None:
        """Tells those who follow a job, or all, to look again."""
        for job in [name] if name is not None else list(self._waiters):
            for heard in self._waiters.get(job, ()):
                heard.set()

    # what happens

    def _order(self, owner: str, wanted: Wanted) -> dict[str, Any]:
        """What a worker is told of a request. Raises: InputError for one that cannot be done."""
        files = self.files(owner)
        if wanted.kind not in CHECKERS:
            kind = kinds.kind_of(wanted.kind)
            try:
                options = kind.read(wanted.args, files)
                kind.check(options)
                for path in kind.files(wanted.formats, Path()):
                    if hasattr(options, "wearing"):
                        check_suffix(path.name, options.wearing.formats)
            except LabanError as error:
                raise InputError(hidden(sentence(error), files.named)) from None
        else:
            CHECKERS[wanted.kind](wanted.args, files)
        order = {"kind": wanted.kind, "args": wanted.args, "formats": list(wanted.formats), "files": files.named}
        return order

    def _check_room(self, owner: str) -> None:
        if self.draining:
            raise Problem("busy", "the service is being ended. Try again in a minute.", 60)
        if self.store.count("queued") >= self.settings.queue:
            raise Problem("busy", f"{self.settings.queue} jobs wait, and no more may. Try again soon.", 5)
        if self.store.count("queued", owner) >= self.settings.owner_queue:
            raise Problem("too-many", f"{self.settings.owner_queue} jobs of yours wait, and no more may.", 2)

    def _heard(self, hand: Hand, event: dict[str, Any]) -> None:
        """An event of a worker."""
        what, name = event["event"], event.get("job", "")
        if what == "progress":
            facts = {key: event[key] for key in ("done", "total", "stage")}
            self.store.tell(name, "progress", facts)
        elif what == "warning":
            self.store.tell(name, "warning", {"text": event["text"]})
        elif what == "done" and not self._end(name, "done", result=event["result"]):
            self._remove(name)
        elif what == "failed":
            detail = event["detail"] or "the job met a fault of the service, which is in its log."
            code = event["code"]
            known = problem(code if code in PROBLEMS else "input", detail)
            self._end(name, "failed", error=known | ({"code": code} if code else {}))
        elif what == "cancelled" and hand.why == "timeout":
            self._end(name, "failed", error=self._late())
        self.wake(name)
        if what in ("ready", "idle"):
            self.dispatch()

    def _lost(self, hand: Hand) -> None:
        """A worker ended."""
        if hand.job is None:
            return
        log.warning("a worker ended in mid-job", extra={"facts": {"job": hand.job, "why": hand.why}})
        if hand.why == "timeout":
            self._end(hand.job, "failed", error=self._late())
        else:
            self._settle(self.store.get(hand.job), hand.why)
        self.wake(hand.job)

    def _settle(self, job: Job, why: str) -> None:
        """A job whose worker is gone: done if its result is there; else it waits again, or has failed."""
        if job.over:
            self._remove(job.id)
            return
        whole = self.folder / "results" / job.id / RESULT
        if whole.is_file():
            self._end(job.id, "done", result=json.loads(whole.read_text(encoding="utf-8")))
        elif job.attempt < ATTEMPTS:
            self.store.again(job.id, "memory" if why == "memory" else "the worker ended")
        else:
            more = "It took too much memory" if why == "memory" else "Its worker ended"
            detail = f"the job was begun {job.attempt} times and never came to an end. {more}; ask for less."
            self._end(job.id, "failed", error=problem("lost", detail))

    def _end(self, name: str, state: str, **facts: Any) -> bool:
        ended = self.store.end(name, state, keep=self.settings.keep_hours * 3600, **facts)
        if ended:
            job = self.store.get(name)
            self.metrics.jobs.labels(job.kind, state).inc()
            if job.started is not None and job.finished is not None:
                self.metrics.job_seconds.labels(job.kind).observe(max(0.0, job.finished - job.started))
            self.wake(name)
        return ended

    def _late(self) -> dict[str, Any]:
        limit = self.settings.deadline
        return problem(
            "timeout", f"the job took more than {limit:g} s, and was stopped. Ask for less, in several jobs."
        )

    def _recover(self) -> None:
        for job in self.store.unfinished():
            self._settle(job, "lost")
        shutil.rmtree(self.folder / "attempts", ignore_errors=True)
        (self.folder / "attempts").mkdir()
        for part in (self.folder / "assets").glob(".*.part"):
            part.unlink(missing_ok=True)
        for folder in (self.folder / "results").iterdir():
            found = self.store.job(folder.name)
            if found is None or found.state != "done":
                self._remove(folder.name)

    def _remove(self, name: str) -> None:
        shutil.rmtree(self.folder / "results" / name, ignore_errors=True)

    async def _watch(self) -> None:
        cleared = 0.0
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK)
            try:
                self.pool.watch()
                self.dispatch()
                if loop.time() - cleared > CLEARING:
                    cleared = loop.time()
                    for name in self.store.expire(self.settings.keep_gib * (1 << 30)):
                        self._remove(name)
            except Exception:
                log.exception("the watch met a fault")


def _check_mmcp(args: dict[str, Any], files: Files) -> None:
    """Names the song of a dance. Raises: InputError if it is gone."""
    if args.get("model") == "laban-dance":
        files.named["song"] = str(files(f"asset:{args['options']['model_options']['song']}"))


CHECKERS: dict[str, Callable[[dict[str, Any], Files], None]] = {"mmcp": _check_mmcp}
"""Kind -> what looks up the files of a request, of those that are not in `kinds.KINDS`; it was checked before."""
