"""The service as a process: it listens, logs as JSON, and ends in order."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

from laban.errors import InputError
from laban.service.app import build
from laban.service.jobs import Jobs
from laban.service.settings import ServeOptions

CONNECTIONS = 1000
KEEP_ALIVE = 15  # seconds


class JsonLines(logging.Formatter):
    """A log record as one line of JSON. Neither headers nor bodies are logged, so no token is."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line: dict[str, Any] = {"time": stamp, "level": record.levelname.lower(), "message": record.getMessage()}
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line)


class Server(uvicorn.Server):
    """A server that lets running jobs end: the first SIGTERM or Ctrl-C begins that, the second ends it at once."""

    def __init__(self, config: uvicorn.Config, jobs: Jobs, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._jobs, self._listening, self._draining = jobs, listening, False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; then it can be reached."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self._listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as uvicorn calls it
        """Signal handler."""
        if self._draining or self._loop is None:
            self._jobs.draining = True
            for hand in self._jobs.pool.hands:
                hand.signal("kill")
            os._exit(0)
        self._draining = True
        self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        self._task = asyncio.ensure_future(self._drain())

    async def _drain(self) -> None:
        await self._jobs.drain()
        self._jobs.wake()
        self.should_exit = True


def serve(settings: ServeOptions, listening: Callable[[str], None]) -> None:
    """Runs the service until it is told to end.

    Args:
        settings: of the service.
        listening: called with its address once it can be reached.
    Raises: InputError for settings that cannot be, or an address that is taken.
    """
    settings.checked()
    settings.folder.mkdir(parents=True, exist_ok=True)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("laban.service")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    uvicorn_log = logging.getLogger("uvicorn")
    uvicorn_log.handlers, uvicorn_log.propagate = [handler], False
    uvicorn_log.setLevel(logging.WARNING)

    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise InputError(f"cannot listen on {settings.host} port {settings.port}: {why}. Name another.") from None
        app = build(settings)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, limit_concurrency=CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE, timeout_graceful_shutdown=5, lifespan="on", proxy_headers=False,
        )  # fmt: skip
        host = f"[{settings.host}]" if family == socket.AF_INET6 else settings.host
        address = f"http://{host}:{listener.getsockname()[1]}"
        server = Server(config, app.state.jobs, lambda: listening(address))
        for name in (signal.SIGTERM, signal.SIGINT):  # also while it starts
            signal.signal(name, server.handle_exit)
        server.run(sockets=[listener])
