"""The worker processes: started, given jobs, watched, replaced."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from laban.service.settings import ServeOptions

PATIENCE = (5.0, 10.0)  # seconds after asking a job to stop: SIGTERM, SIGKILL
LONGEST_LINE = 64 << 20  # bytes of one event
PAUSE = (0.1, 30.0)  # seconds before a worker that ended is replaced: the first time, and at most
log = logging.getLogger("laban.service")


@dataclass(eq=False)
class Hand:
    """One worker process.

    Attributes:
        process: the process.
        state: starting, idle, busy or ending.
        job: what it works on.
        began: monotonic time at which the job began.
        stop: monotonic time at which it was asked to stop; None if it was not.
        why: what its end means for its job: "lost", "timeout", "memory" or "cancel".
    """

    process: asyncio.subprocess.Process
    state: str = "starting"
    job: str | None = None
    began: float = 0.0
    stop: float | None = None
    why: str = "lost"
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def say(self, **order: Any) -> None:
        """Sends an order; one that is gone hears nothing."""
        assert self.process.stdin is not None
        with contextlib.suppress(ConnectionError, RuntimeError):
            self.process.stdin.write(json.dumps(order).encode() + b"\n")

    def signal(self, name: str) -> None:
        """`terminate` or `kill`."""
        with contextlib.suppress(ProcessLookupError):
            getattr(self.process, name)()

    def memory(self) -> int:
        """Bytes that the process holds; 0 where the system does not say."""
        try:
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")


class Pool:
    """All worker processes.

    Args:
        settings: how many, which models they load, and their limits.
        heard: called with a worker and an event of it.
        lost: called with a worker that ended, after its last event.
    """

    def __init__(
        self, settings: ServeOptions, heard: Callable[[Hand, dict[str, Any]], None], lost: Callable[[Hand], None]
    ) -> None:
        self.settings, self._heard, self._lost = settings, heard, lost
        self.hands: list[Hand] = []
        self.trouble = ""
        self.restarts = 0
        self._failures = 0
        self._closing = False
        self._starting: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Starts the processes; they become idle when their models are loaded."""
        for _ in range(self.settings.processes):
            await self._start()

    async def close(self) -> None:
        """Ends all of them, and waits until they are gone."""
        self._closing = True
        for task in self._starting:
            task.cancel()
        for hand in self.hands:
            hand.signal("kill")
        tasks = [hand.task for hand in self.hands if hand.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    def idle(self) -> Hand | None:
        """A worker that has nothing to do, or None."""
        return next((hand for hand in self.hands if hand.state == "idle"), None)

    def busy_with(self, job: str) -> Hand | None:
        """The worker of a job, or None."""
        return next((hand for hand in self.hands if hand.job == job), None)

    def give(self, hand: Hand, order: dict[str, Any]) -> None:
        """Gives a job to an idle worker."""
        hand.state, hand.job, hand.began, hand.stop, hand.why = "busy", order["job"], time.monotonic(), None, "lost"
        hand.say(do="job", device=self.settings.device, **order)

    def stop(self, hand: Hand, why: str) -> None:
        """Asks a worker to give up its job; `watch` gets less polite."""
        if hand.stop is None:
            hand.stop, hand.why = time.monotonic(), why
            hand.say(do="cancel", job=hand.job)

    def watch(self) -> None:
        """Ends jobs that run too long, workers that do not listen, and those that take too much memory."""
        now = time.monotonic()
        for hand in self.hands:
            if hand.state == "busy" and hand.stop is None and now - hand.began > self.settings.deadline:
                self.stop(hand, "timeout")
            if hand.stop is not None:
                if now - hand.stop > PATIENCE[1]:
                    hand.signal("kill")
                elif now - hand.stop > PATIENCE[0]:
                    hand.signal("terminate")
            if hand.state in ("idle", "busy") and hand.memory() > self.settings.memory_gib * (1 << 30):
                log.warning("a worker took too much memory", extra={"facts": {"pid": hand.process.pid}})
                hand.state, hand.why = "ending", "memory" if hand.why == "lost" else hand.why
                hand.signal("kill")

    async def _start(self) -> None:
        threads = str(self.settings.threads)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "laban.service.worker", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, limit=LONGEST_LINE,
            env={**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
        )  # fmt: skip
        hand = Hand(process)
        self.hands.append(hand)
        hand.say(do="warm", models=list(self.settings.warm), device=self.settings.device)
        hand.task = asyncio.create_task(self._follow(hand))

    async def _follow(self, hand: Hand) -> None:
        """Reads a worker's events until it ends, and replaces it."""
        assert hand.process.stdout is not None
        with contextlib.suppress(ValueError, ConnectionError):  # a line beyond the limit: the worker is of no use
            async for line in hand.process.stdout:
                self._take(hand, json.loads(line))
        hand.signal("kill")
        await hand.process.wait()
        hand.state = "ending"
        self.hands.remove(hand)
        if self._closing:
            return
        self._lost(hand)
        self.restarts += 1
        self._failures += 1
        task = asyncio.create_task(self._replace(min(PAUSE[1], PAUSE[0] * 2 ** (self._failures - 1))))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _replace(self, pause: float) -> None:
        await asyncio.sleep(pause)
        await self._start()

    def _take(self, hand: Hand, event: dict[str, Any]) -> None:
        if event["event"] == "ready":
            hand.state, self.trouble, self._failures = "idle", "", 0
        elif event["event"] == "broken":
            self.trouble = event["detail"]
            hand.signal("kill")
        elif event["event"] == "idle":
            if hand.state == "busy":
                hand.state, hand.job, hand.stop = "idle", None, None
        self._heard(hand, event)
