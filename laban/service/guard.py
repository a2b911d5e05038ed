"""What stands before every route: who calls from where, how much may be sent, and a line in the log."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from laban.service.metrics import Metrics
from laban.service.problems import Problem
from laban.service.settings import BODY_SECONDS, LOCAL, MAX_ASSET, MAX_JSON, ServeOptions

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = ("/healthz", "/readyz")
"""Paths that need no token."""
UPLOADS = "/v1/assets"
METHODS = "GET, POST, DELETE, HEAD, OPTIONS"
ASKED = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Range, X-Request-ID, Mcp-Session-Id, " \
    "Mcp-Protocol-Version"  # fmt: skip
SHOWN = "Location, ETag, Retry-After, Content-Range, X-Request-ID, Idempotency-Status, Mcp-Session-Id"
_REQUEST_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)
log = logging.getLogger("laban.service.access")


class Guard:
    """Middleware: request ids, hosts, origins, tokens, sizes and times of bodies, counting and logging.

    Args:
        app: what is guarded.
        settings: hosts, origins and tokens.
        metrics: told of each request.
        refusal: makes the body of a refusal of a path: (path, problem) -> status, media type and JSON object.
    """

    def __init__(
        self, app: App, settings: ServeOptions, metrics: Metrics,
        refusal: Callable[[str, Problem], tuple[int, str, dict[str, Any]]],
    ) -> None:  # fmt: skip
        self._app, self._metrics, self._refusal = app, metrics, refusal
        self._tokens = {token.encode(): owner for token, owner in settings.tokens().items()}
        self._origins = frozenset(settings.origin)
        named = {settings.host, *settings.allow_host, *LOCAL}
        self._hosts = None if self._tokens and not settings.allow_host else {name.lower() for name in named}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; other kinds of ASGI's scopes pass."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        given = headers.get("x-request-id", "")
        name = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        origin = headers.get("origin", "")
        more = self._shown(name, origin)
        status, begin = 500, time.perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *more]
            await send(message)

        try:
            scope["owner"] = self._allowed(scope, headers, origin)
            if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
                await _preflight(answer)
                return
            limited = await self._body(scope, headers, receive)
            await self._app(scope, limited, answer)
        except Problem as problem:
            await _refuse(answer, problem, *self._refusal(scope["path"], problem))
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.http.labels(route, str(status)).inc()
            took = round(1000 * (time.perf_counter() - begin), 1)
            facts = {"request": name, "method": scope["method"], "route": route, "status": status, "ms": took}
            log.info("request", extra={"facts": {**facts, "owner": scope.get("owner")}})

    def _shown(self, name: str, origin: str) -> list[tuple[bytes, bytes]]:
        """Headers that every answer has."""
        more = {"x-request-id": name, "x-content-type-options": "nosniff"}
        if origin in self._origins:
            more |= {"access-control-allow-origin": origin, "vary": "Origin", "access-control-expose-headers": SHOWN}
        return [(key.encode(), value.encode("latin-1")) for key, value in more.items()]

    def _allowed(self, scope: Scope, headers: dict[str, str], origin: str) -> str:
        """The owner of a request. Raises: Problem for a host, page or token that may not call."""
        host = headers.get("host", "").lower()
        if self._hosts is not None and _without_port(host) not in self._hosts:
            raise Problem("forbidden", "this service does not answer to that host name. Start it with --allow-host.")
        if origin and origin not in self._origins and origin.partition("://")[2].lower() != host:
            raise Problem("forbidden", "pages of that origin may not call. Start the service with --origin.")
        preflight = scope["method"] == "OPTIONS" and origin in self._origins
        if not self._tokens or scope["path"] in OPEN or preflight:
            return "local"
        scheme, _, token = headers.get("authorization", "").partition(" ")
        said, owner = token.strip().encode("latin-1"), None
        for known, name in self._tokens.items():  # all of them, so that the time tells nothing
            owner = name if hmac.compare_digest(said, known) else owner
        if scheme.lower() != "bearer" or owner is None:
            raise Problem("unauthorized", "a token is needed: send Authorization: Bearer and one of the token file.")
        return owner

    async def _body(self, scope: Scope, headers: dict[str, str], receive: Receive) -> Receive:
        """Gives the app a body that is neither too long nor too late. Uploads stream; others are read whole first."""
        upload = scope["path"] == UPLOADS and scope["method"] == "POST"
        most = MAX_ASSET if upload else MAX_JSON
        length = headers.get("content-length", "0")
        too_large = Problem("too-large", f"the body is larger than {most >> 20} MiB, the most that is taken here.")
        if not length.isdigit() or int(length) > most:
            raise too_large
        end = time.monotonic() + (BODY_SECONDS * 10 if upload else BODY_SECONDS)
        size = 0

        async def counted() -> Message:
            nonlocal size
            try:
                message = await asyncio.wait_for(receive(), max(0.01, end - time.monotonic()))
            except TimeoutError:
                raise Problem("late", "the body did not arrive in time. Send it in one go.") from None
            size += len(message.get("body", b""))
            if size > most:
                raise too_large
            return message

        done = False

        async def streamed() -> Message:
            nonlocal done
            if done:
                return await receive()
            message = await counted()
            done = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        if upload:
            return streamed
        parts: list[bytes] = []
        while True:
            message = await counted()
            if message["type"] != "http.request":
                return _again(message, receive)
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return _again({"type": "http.request", "body": b"".join(parts), "more_body": False}, receive)


def _again(first: Message, receive: Receive) -> Receive:
    """Receives one message that is known already, and then goes on."""
    waiting = [first]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0][1:]
    return host.rpartition(":")[0] if ":" in host else host


async def _preflight(send: Send) -> None:
    allowed = {"access-control-allow-methods": METHODS, "access-control-allow-headers": ASKED}
    headers = [(key.encode(), value.encode()) for key, value in {**allowed, "access-control-max-age": "600"}.items()]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _refuse(send: Send, problem: Problem, status: int, media: str, body: dict[str, Any]) -> None:
    data = json.dumps(body).encode()
    headers = {"content-type": media, "content-length": str(len(data)), **problem.headers}
    pairs = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": data})
