"""Requests made from the OpenAPI document never meet a fault, and every answer is one that the document names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from laban.service.app import build
from laban.service.jobs import Jobs
from laban.service.metrics import Metrics
from laban.service.settings import ServeOptions

EXAMPLES = int(os.environ.get("LABAN_API_EXAMPLES", "8"))  # of a route; 300 find more, and take minutes
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


class Waiting(Jobs):
    """Jobs that nobody does."""

    async def open(self) -> None:
        """Starts no workers."""

    async def close(self) -> None:
        """Stays: every request of the test opens and closes the application."""


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The document of a service."""
    folder = tmp_path_factory.mktemp("routes")
    options = ServeOptions(data=folder, root=folder, queue=100_000, owner_queue=100_000, allow_host=("testserver",))
    app = build(options, Waiting(options, Metrics()))
    found = schemathesis.openapi.from_asgi("/openapi.json", app)
    yield found
    app.state.jobs.store.close()


def test_the_document_holds_every_kind_with_its_bounds(schema: Any) -> None:
    raw = schema.raw_schema
    kinds = raw["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    generate = next(kind for kind in kinds if kind["title"] == "generate")
    seconds = generate["properties"]["args"]["properties"]["seconds"]
    assert {"type": "number", "minimum": 0.1, "maximum": 600.0} in seconds["anyOf"]
    assert "out" not in generate["properties"]["args"]["properties"]
    assert len(kinds) > 12 and raw["openapi"].startswith("3.1")


def test_no_request_meets_a_fault(schema: Any) -> None:
    tried = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == "/readyz":  # which says 503 by right
            continue

        @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def met(case: Any) -> None:
            case.call_and_validate(checks=CHECKS)

        met()
        tried.append(operation.label)
    assert {"POST /v1/jobs", "POST /generate", "POST /v1/assets", "DELETE /v1/jobs/{job}"} <= set(tried)


def test_the_folder_holds_nothing_but_what_was_taken(schema: Any) -> None:
    folder = Path(schema.app.state.jobs.folder)
    assert {path.name for path in folder.iterdir()} <= {
        "assets", "attempts", "results", "jobs.sqlite", "jobs.sqlite-wal", "jobs.sqlite-shm"
    }  # fmt: skip
    assert [path for path in (folder / "assets").iterdir() if path.name.endswith(".part")] == []
