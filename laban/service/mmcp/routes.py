"""The protocol's routes: /capabilities, /generate, and /generate/jobs/{id}."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from fastapi.responses import JSONResponse, Response

from laban.service.jobs import Jobs, Wanted
from laban.service.mmcp import answer, errors
from laban.service.mmcp.answer import FILE
from laban.service.mmcp.models import MOST_SONGS, capabilities, check_version, checked
from laban.service.mmcp.schema import Generate
from laban.service.problems import Problem
from laban.service.routes import key_of
from laban.service.store import Job
from laban.service.strict import parse

KIND = "mmcp"
PATHS = ("/capabilities", "/generate")
WAIT = 20.0  # seconds that /generate waits for its job before it answers 202
AGAIN = 1  # seconds after which a client should ask again
MOST_BATCH = 16


def speaks(path: str) -> bool:
    """Whether a path is one of the protocol's."""
    return path.startswith(PATHS)


def songs_of(jobs: Jobs, owner: str) -> list[str]:
    """SHA-256 of an owner's songs, the newest first."""
    found = [each["id"] for each in jobs.store.assets(owner) if each["type"].startswith("audio/")]
    return found[:MOST_SONGS]


def router(jobs: Jobs) -> APIRouter:
    """The routes of a service."""
    routes = APIRouter(tags=["mmcp"])
    refused: dict[int | str, dict[str, Any]] = {
        status: {"description": "Refused.", "content": {"application/json": {"schema": ERROR}}}
        for status in sorted({*errors.STATUS.values(), 404, 408, 409, 405})
    }
    made = {answer.JSON: {"schema": {"type": "object"}}, answer.BINARY: {}, "application/json": {"schema": BATCH}}
    body = {"oneOf": [Generate.model_json_schema(ref_template="#/components/schemas/{model}"), BATCH_REQUEST]}
    body["oneOf"][0].pop("$defs", None)

    @routes.get("/capabilities", operation_id="capabilities", responses=refused)
    async def abilities(request: Request) -> Response:
        """The models, their skeleton, and their limits."""
        return JSONResponse(capabilities(songs_of(jobs, request.scope["owner"])))

    @routes.post(
        "/generate", operation_id="mmcp_generate", response_class=Response,
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}},
        responses={**refused, 200: {"description": "A glTF document, or a batch of them.", "content": made},
                   202: {"description": "It takes longer; ask at Location.", "content": {"application/json": {}}}},
    )  # fmt: skip
    async def generate(
        request: Request,
        _: Annotated[str | None, Header(alias="Idempotency-Key", description="Same key, same motions.")] = None,
    ) -> Response:  # fmt: skip
        """Motions on the request's skeleton."""
        owner, given = request.scope["owner"], parse(await request.body())
        if isinstance(given, dict) and "requests" in given:
            return JSONResponse(await _batch(jobs, owner, given))
        job = _submitted(jobs, owner, given, key_of(request))
        if "respond-async" not in request.headers.get("prefer", ""):
            try:
                job = await asyncio.wait_for(jobs.finished(job.id), WAIT)
            except TimeoutError:
                job = jobs.store.get(job.id)
        return _answered(jobs, job, request)

    @routes.get(
        "/generate/jobs/{job}", operation_id="mmcp_job", response_class=Response,
        responses={**refused, 200: {"description": "The glTF document.", "content": made},
                   202: {"description": "Not yet.", "content": {"application/json": {}}}},
    )  # fmt: skip
    async def ask(request: Request, job: Annotated[str, Path(max_length=64)]) -> Response:
        """The answer, once it is there."""
        return _answered(jobs, _known(jobs, request.scope["owner"], job), request)

    @routes.delete(
        "/generate/jobs/{job}", operation_id="mmcp_cancel", status_code=204, response_class=Response,
        responses={**refused, 204: {"description": "It is given up."}},
    )  # fmt: skip
    async def give_up(request: Request, job: Annotated[str, Path(max_length=64)]) -> Response:
        """Give a job up."""
        found = _known(jobs, request.scope["owner"], job)
        if not found.over:
            jobs.cancel(request.scope["owner"], job)
        return Response(status_code=204)

    return routes


ERROR = {
    "type": "object", "required": ["error"],
    "properties": {"error": {
        "type": "object", "required": ["code", "message", "details"],
        "properties": {"code": {"enum": sorted(errors.STATUS)}, "message": {"type": "string"},
                       "details": {"type": "object"}},
    }},
}  # fmt: skip
BATCH = {"type": "object", "properties": {"results": {"type": "array", "items": {"type": "object"}}}}
BATCH_REQUEST = {
    "type": "object", "required": ["protocol_version", "requests"],
    "properties": {"protocol_version": {"type": "string", "pattern": r"^1\.\d+$"},
                   "requests": {"type": "array", "minItems": 1, "maxItems": MOST_BATCH, "items": {"type": "object"}}},
}  # fmt: skip


def _submitted(jobs: Jobs, owner: str, given: Any, key: str = "") -> Job:
    songs = songs_of(jobs, owner)
    request = checked(given, songs)
    if request.model == "laban-dance":
        options = given.setdefault("options", None) or {}
        dials = {"song": songs[0], **(options.get("model_options") or {})}
        given["options"] = {**options, "model_options": dials}
    return jobs.submit(owner, Wanted(KIND, given), key)[0]


async def _batch(jobs: Jobs, owner: str, given: dict[str, Any]) -> dict[str, Any]:
    version, several = given.get("protocol_version"), given.get("requests")
    if not isinstance(version, str):
        raise errors.Refused("schema_validation", "a batch has a protocol_version.")
    check_version(version)
    if not isinstance(several, list) or not several:
        raise errors.Refused("schema_validation", "requests is a list of one or more requests.")
    if len(several) > MOST_BATCH:
        raise errors.Refused(
            "invalid_options", f"a batch holds {len(several)} requests; at most {MOST_BATCH} are taken."
        )
    begun: list[Job | dict[str, Any]] = []
    for each in several:
        try:
            if not isinstance(each, dict):
                raise errors.Refused("schema_validation", "each request is an object.")
            begun.append(_submitted(jobs, owner, {"protocol_version": version, **each}))
        except errors.Refused as refused:
            begun.append(refused.record())
        except Problem as problem:
            begun.append(errors.of_problem(problem)[1])
    results = []
    for each in begun:
        if isinstance(each, dict):
            results.append(each)
            continue
        job = await jobs.finished(each.id)
        try:
            results.append({"gltf": json.loads(_document(jobs, job))})
        except errors.Refused as refused:
            results.append(refused.record())
    return {"results": results}


def _known(jobs: Jobs, owner: str, name: str) -> Job:
    job = jobs.job(owner, name)
    if job.kind != KIND or job.state == "expired":
        raise Problem("not-found", f"there is no job {name!r}. It may have expired.")
    return job


def _document(jobs: Jobs, job: Job) -> bytes:
    """The answer of a job that is over. Raises: Refused if it has none."""
    if job.state == "failed" and job.error is not None:
        raise errors.of_job(job.error)
    if job.state != "done":
        raise errors.Refused("model_unavailable", f"the job is {job.state}.")
    return (jobs.folder / "results" / job.id / FILE).read_bytes()


def _answered(jobs: Jobs, job: Job, request: Request) -> Response:
    if not job.over:
        headers = {"Location": f"/generate/jobs/{job.id}", "Retry-After": str(AGAIN)}
        return JSONResponse({"id": job.id, "state": job.state, "progress": job.progress}, 202, headers)
    made = _document(jobs, job)
    wanted = request.headers.get("accept", "")
    if answer.BINARY in wanted and "json" not in wanted:
        return Response(answer.binary(json.loads(made)), media_type=answer.BINARY)
    return Response(made, media_type=answer.JSON)
