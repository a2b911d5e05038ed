"""What the routes under /v1 answer with: the models of the OpenAPI document, and jobs and uploads as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from laban.service.assets import media_type
from laban.service.store import Job

State = Literal["queued", "running", "done", "failed", "cancelled", "expired"]


class ProblemAnswer(BaseModel):
    """RFC 9457; `detail` is the sentence that the command line would say."""

    type: str = Field(examples=["urn:laban:input"])
    title: str
    status: int
    detail: str


class Progress(BaseModel):
    """How far a job is."""

    done: int
    total: int | None
    stage: str


class FileAnswer(BaseModel):
    """A file of a job that is done."""

    name: str
    type: str
    bytes: int
    sha256: str
    href: str


class Links(BaseModel):
    """Where to ask on."""

    self: str
    events: str


class JobAnswer(BaseModel):
    """A job. Times are RFC 3339; `result` holds what the action found besides files: lengths, passports, figures."""

    id: str
    kind: str
    state: State
    args: dict[str, Any]
    formats: list[str]
    attempt: int
    created: str
    started: str | None
    finished: str | None
    expires: str | None
    progress: Progress | None
    error: ProblemAnswer | None
    result: dict[str, Any] | None
    files: list[FileAnswer]
    links: Links


class JobListAnswer(BaseModel):
    """A page of jobs, the newest first; `next` is the cursor of the page after, or null."""

    jobs: list[JobAnswer]
    next: str | None


class AssetAnswer(BaseModel):
    """An upload; `id` is its SHA-256. Requests name it as asset:ID."""

    id: str
    type: str
    suffix: str
    bytes: int
    created: str


class AssetListAnswer(BaseModel):
    """The newest thousand uploads."""

    assets: list[AssetAnswer]


class HealthAnswer(BaseModel):
    """Whether the process lives, or may be sent jobs."""

    status: Literal["ok", "unavailable"]
    detail: str = ""
    version: str


def when(seconds: float | None) -> str | None:
    """Seconds since 1970 as RFC 3339, UTC."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def job_answer(job: Job) -> dict[str, Any]:
    """A job as a JobAnswer."""
    result = dict(job.result or {})
    here = f"/v1/jobs/{job.id}"
    files = [
        {**file, "type": media_type(file["name"]), "href": f"{here}/files/{file['name']}"}
        for file in result.pop("files", ())
    ]
    return {
        "id": job.id, "kind": job.kind, "state": job.state, "args": job.request["args"],
        "formats": job.request["formats"], "attempt": job.attempt, "created": when(job.created),
        "started": when(job.started), "finished": when(job.finished), "expires": when(job.expires),
        "progress": job.progress, "error": job.error, "result": result or None, "files": files,
        "links": {"self": here, "events": f"{here}/events"},
    }  # fmt: skip


def asset_answer(asset: dict[str, Any]) -> dict[str, Any]:
    """An upload as an AssetAnswer."""
    shown = {key: asset[key] for key in ("id", "type", "suffix", "bytes")}
    return {**shown, "created": when(asset["created"])}
