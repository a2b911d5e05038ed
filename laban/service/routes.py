"""The routes under /v1: jobs, their events and files, and uploads."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse

from laban.errors import LabanError, sentence
from laban.service import assets
from laban.service.answers import (
    AssetAnswer,
    AssetListAnswer,
    JobAnswer,
    JobListAnswer,
    ProblemAnswer,
    State,
    asset_answer,
    job_answer,
)
from laban.service.jobs import Jobs, Wanted
from laban.service.kinds import KINDS, kind_of
from laban.service.problems import MEDIA_TYPE, PROBLEMS, Problem
from laban.service.store import Event, Job
from laban.service.strict import parse

RETRY = 1000  # milliseconds after which an event stream that broke is taken up again

JobId = Annotated[
    str, Path(description="Id of a job.", pattern="^[0-9a-f]{24}$", examples=["0123456789abcdef01234567"])
]
AssetId = Annotated[str, Path(description="SHA-256 of an upload.", pattern="^[0-9a-f]{64}$")]


def problems(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The answers that a route gives besides, for the OpenAPI document."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in (*codes, "unauthorized", "forbidden", "too-large", "late", "internal"):
        status, title = PROBLEMS[code]
        found[status] = {
            "description": title,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}},
        }
    return found


def request_schema() -> dict[str, Any]:
    """The JSON schema of the body of POST /v1/jobs: one alternative per kind, its `args` from the options dataclass."""
    kinds = []
    for kind in KINDS.values():
        properties: dict[str, Any] = {"kind": {"const": kind.name}, "args": kind.schema()}
        if kind.suffixes:
            names = [suffix[1:] for suffix in kind.suffixes]
            properties["formats"] = {"type": "array", "items": {"enum": names}, "uniqueItems": True}
        kinds.append({
            "title": kind.name, "description": kind.about, "type": "object", "properties": properties,
            "required": ["kind", "args"], "additionalProperties": False,
        })  # fmt: skip
    return {"oneOf": kinds, "discriminator": {"propertyName": "kind"}}


def wanted_of(body: Any) -> Wanted:
    """The request for a job in a JSON body. Raises: InputError, Problem for a body that is none."""
    if not isinstance(body, dict):
        raise Problem("input", "the body is no JSON object. Send {kind, args, formats}.")
    unknown = sorted(set(body) - {"kind", "args", "formats"})
    if unknown:
        raise Problem("input", f"there is no member {unknown[0]!r} in a request; known: kind, args, formats.")
    kind, args, formats = kind_of(body.get("kind")), body.get("args", {}), body.get("formats", [])
    if not isinstance(args, dict):
        raise Problem("input", "args is no JSON object. Send the options by name.")
    if not isinstance(formats, list) or not all(isinstance(each, str) for each in formats):
        raise Problem("input", 'formats is no list of texts. Send the endings of files, such as ["glb", "bvh"].')
    return Wanted(kind.name, args, tuple(formats))


async def json_of(request: Request) -> Any:
    """The JSON body of a request. Raises: Problem for another type or what is no JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem("media-type", "the body is of another type. Send Content-Type: application/json.")
    return parse(await request.body())


def key_of(request: Request) -> str:
    """The idempotency key of a request; empty for none. Raises: Problem for one that cannot be."""
    key = request.headers.get("idempotency-key", "")
    if len(key) > 255 or not key.isascii() or not key.isprintable():
        raise Problem("input", "Idempotency-Key is no key; expected up to 255 printable ASCII characters.")
    return key


def router(jobs: Jobs) -> APIRouter:
    """The routes of a service."""
    routes = APIRouter(prefix="/v1", tags=["jobs"])
    _add_jobs(routes, jobs)
    _add_following(routes, jobs)
    _add_assets(routes, jobs)
    return routes


def _add_jobs(routes: APIRouter, jobs: Jobs) -> None:
    body = {"required": True, "content": {"application/json": {"schema": request_schema()}}}
    taken = {"model": JobAnswer, "headers": {"Location": {"schema": {"type": "string"}}}}

    @routes.post(
        "/jobs", status_code=202, openapi_extra={"requestBody": body}, operation_id="submit",
        responses={202: {**taken, "description": "The job waits or runs."},
                   200: {**taken, "description": "The job that the Idempotency-Key stands for."},
                   **problems("malformed", "conflict", "media-type", "input", "too-many", "busy")},
    )  # fmt: skip
    async def submit(
        request: Request,
        _: Annotated[str | None, Header(alias="Idempotency-Key", description="Same key, same job, for a day.")] = None,
    ) -> Response:
        """Submit a job. `Location` is where it is followed."""
        owner = request.scope["owner"]
        try:
            wanted = wanted_of(await json_of(request))
            jobs.examine(owner, wanted)
        except LabanError as error:
            raise Problem("input", sentence(error)) from None
        job, new = jobs.submit(owner, wanted, key_of(request))
        headers = {"Location": f"/v1/jobs/{job.id}"}
        return JSONResponse(job_answer(job), 202 if new else 200, headers)

    @routes.get("/jobs", operation_id="list_jobs", responses={200: {"model": JobListAnswer}, **problems("input")})
    async def listed(
        request: Request, state: State | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, Query(pattern="^[0-9]{1,18}$")] = None,
    ) -> Response:  # fmt: skip
        """Your jobs, the newest first."""
        before = int(cursor) if cursor is not None else None
        found = jobs.store.jobs(request.scope["owner"], before, limit, state)
        following = str(found[-1].seq) if len(found) == limit else None
        return JSONResponse({"jobs": [job_answer(job) for job in found], "next": following})

    @routes.get(
        "/jobs/{job}", operation_id="job", responses={200: {"model": JobAnswer}, **problems("not-found", "input")}
    )
    async def state_of(request: Request, job: JobId) -> Response:
        """How a job stands."""
        return JSONResponse(job_answer(jobs.job(request.scope["owner"], job)))

    @routes.delete(
        "/jobs/{job}", status_code=204, operation_id="cancel", response_class=Response,
        responses={204: {"description": "It is cancelled."}, **problems("not-found", "conflict", "input")},
    )  # fmt: skip
    async def cancel(request: Request, job: JobId) -> Response:
        """Cancel a job that waits or runs."""
        jobs.cancel(request.scope["owner"], job)
        return Response(status_code=204)


def _add_following(routes: APIRouter, jobs: Jobs) -> None:
    stream = {"text/event-stream": {"schema": {"type": "string"}}}

    @routes.get(
        "/jobs/{job}/events", operation_id="events", response_class=Response,
        responses={200: {"description": "state, progress, warning and done, with ids.", "content": stream},
                   204: {"description": "The job is over and every event was told."}, **problems("not-found", "input")},
    )  # fmt: skip
    async def events(
        request: Request, job: JobId,
        last: Annotated[str | None, Header(alias="Last-Event-ID", description="Go on behind this event.")] = None,
    ) -> Response:  # fmt: skip
        """Follow a job by server-sent events; a stream that breaks goes on behind `Last-Event-ID`."""
        found = jobs.job(request.scope["owner"], job)
        if last is not None and not (last.isascii() and last.isdigit() and len(last) < 19):
            raise Problem("input", f"Last-Event-ID is {last[:40]!r}, expected the number of an event.")
        after = int(last or 0)
        if found.over and not jobs.store.events(found, after, 1):
            return Response(status_code=204)
        head = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_stream(jobs, found, after), media_type="text/event-stream", headers=head)

    @routes.head("/jobs/{job}/files/{name}", include_in_schema=False)
    @routes.get(
        "/jobs/{job}/files/{name}", operation_id="file", response_class=Response,
        responses={200: {"description": "The file; its ETag is its SHA-256.", "content": {"*/*": {}}},
                   206: {"description": "The range that was asked for.", "content": {"*/*": {}}},
                   304: {"description": "It is what If-None-Match says."},
                   400: {"description": "The Range is malformed.", "content": {"text/plain": {}}},
                   **problems("not-found", "expired", "input"),
                   416: {"description": PROBLEMS["range"][1], "content": {"text/plain": {}}}},
    )  # fmt: skip
    async def file(
        request: Request, job: JobId, name: Annotated[str, Path(max_length=255)],
        match: Annotated[str | None, Header(alias="If-None-Match")] = None,
    ) -> Response:  # fmt: skip
        """Download a file of a job that is done; ranges are served."""
        path, facts = jobs.file(request.scope["owner"], job, name)
        tag = f'"{facts["sha256"]}"'
        if match is not None and (match.strip() == "*" or tag in [each.strip() for each in match.split(",")]):
            return Response(status_code=304, headers={"ETag": tag})
        headers = {"ETag": tag, "Cache-Control": "private, max-age=86400, immutable"}
        if name.endswith(".html"):
            headers["Content-Security-Policy"] = "sandbox allow-scripts"
        return FileResponse(path, media_type=assets.media_type(name), headers=headers)


async def _stream(jobs: Jobs, job: Job, after: int) -> AsyncIterator[bytes]:
    yield f"retry: {RETRY}\n\n".encode()
    async for event in jobs.events(job.id, after):
        yield b": ping\n\n" if event is None else sse(event)


def sse(event: Event) -> bytes:
    """An event as text/event-stream has it."""
    return f"id: {event.number}\nevent: {event.kind}\ndata: {json.dumps(event.data)}\n\n".encode()


def _add_assets(routes: APIRouter, jobs: Jobs) -> None:
    binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}

    @routes.post(
        "/assets", status_code=201, operation_id="upload", tags=["assets"],
        openapi_extra={"requestBody": {"required": True, "content": binary}},
        responses={201: {"model": AssetAnswer, "description": "It is kept."},
                   200: {"model": AssetAnswer, "description": "You sent it before."},
                   **problems("media-type", "input", "storage")},
    )  # fmt: skip
    async def upload(request: Request) -> Response:
        """Upload a song, character, clip or text: its bytes are the body. What it is is told by its content."""
        if request.headers.get("content-type", "").startswith("multipart/"):
            raise Problem("media-type", "send the file itself as the body: curl --data-binary @FILE, not -F.")
        found, new = await assets.take(jobs, request.scope["owner"], request.stream())
        return JSONResponse(asset_answer(found), 201 if new else 200, {"Location": f"/v1/assets/{found['id']}"})

    @routes.get("/assets", operation_id="list_assets", tags=["assets"],
                responses={200: {"model": AssetListAnswer}, **problems()})  # fmt: skip
    async def listed(request: Request) -> Response:
        """Your uploads, the newest first."""
        return JSONResponse({"assets": [asset_answer(each) for each in jobs.store.assets(request.scope["owner"])]})

    @routes.get("/assets/{asset}", operation_id="asset", tags=["assets"],
                responses={200: {"model": AssetAnswer}, **problems("not-found", "input")})  # fmt: skip
    async def known(request: Request, asset: AssetId) -> Response:
        """What is known of an upload."""
        found = jobs.store.asset(request.scope["owner"], asset)
        if found is None:
            raise Problem("not-found", f"there is no upload {asset!r}.")
        return JSONResponse(asset_answer(found))

    @routes.delete(
        "/assets/{asset}", status_code=204, operation_id="drop_asset", tags=["assets"], response_class=Response,
        responses={204: {"description": "It is forgotten."}, **problems("not-found", "input")},
    )  # fmt: skip
    async def dropped(request: Request, asset: AssetId) -> Response:
        """Forget an upload. Jobs that named it and wait will fail."""
        assets.drop(jobs, request.scope["owner"], asset)
        return Response(status_code=204)


__all__ = ["ProblemAnswer", "json_of", "key_of", "router", "wanted_of"]
