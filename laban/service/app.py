"""The service as an ASGI application."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.exceptions import HTTPException

from laban.service.answers import HealthAnswer, ProblemAnswer
from laban.service.guard import Guard
from laban.service.jobs import Jobs
from laban.service.metrics import Metrics
from laban.service.mmcp import errors
from laban.service.mmcp.routes import router as mmcp_router
from laban.service.mmcp.routes import speaks
from laban.service.mmcp.schema import Generate
from laban.service.problems import MEDIA_TYPE, OF_STATUS, PROBLEMS, Problem
from laban.service.routes import problems, router
from laban.service.settings import ServeOptions
from laban.version import __version__

log = logging.getLogger("laban.service")


def build(settings: ServeOptions, jobs: Jobs | None = None) -> FastAPI:
    """The application of a service; its jobs are `app.state.jobs`.

    Args:
        settings: checked.
        jobs: of the service; made from the settings if not given.
    """
    jobs = jobs or Jobs(settings, Metrics())

    agents = _agents(jobs) if settings.mcp else None

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            await jobs.open()
            stack.push_async_callback(jobs.close)
            if agents is not None:
                await stack.enter_async_context(agents.session_manager.run())
            yield

    app = FastAPI(
        title="Laban", version=__version__, summary="Words and music become 3D human motion.", lifespan=lifespan,
        docs_url=None, redoc_url=None, redirect_slashes=False,
    )  # fmt: skip
    app.state.jobs = jobs
    app.include_router(router(jobs))
    app.include_router(mmcp_router(jobs))
    _add_health(app, jobs)
    if agents is not None:
        # whose hosts and origins are the guard's business
        open_to_all = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        routes = agents.streamable_http_app(stateless_http=True, transport_security=open_to_all).routes
        app.router.routes.extend(routes)
    _add_handlers(app)
    app.add_middleware(Guard, settings=settings, metrics=jobs.metrics, refusal=refusal)
    app.openapi = lambda: openapi(app)  # type: ignore[method-assign]
    return app


def _agents(jobs: Jobs) -> MCPServer:
    from laban.service.agents import owner_of, server

    return server(jobs, owner_of, paths=False)


def refusal(path: str, problem: Problem) -> tuple[int, str, dict[str, Any]]:
    """Status, media type and body of a refusal, as the path's protocol has it."""
    if speaks(path):
        status, envelope = errors.of_problem(problem)
        return status, "application/json", envelope
    return problem.status, MEDIA_TYPE, problem.record()


def openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document."""
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        schemas |= Generate.model_json_schema(ref_template="#/components/schemas/{model}").get("$defs", {})
        schemas["ProblemAnswer"] = ProblemAnswer.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which we do not answer with
            schemas.pop(name, None)
        made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        made["security"] = [{"token": []}, {}]
        app.openapi_schema = made
    return app.openapi_schema


def _add_health(app: FastAPI, jobs: Jobs) -> None:
    unavailable: dict[int | str, dict[str, Any]] = {503: {"model": HealthAnswer, "description": "Send no jobs now."}}

    @app.get("/healthz", tags=["health"], response_model=HealthAnswer, responses=problems())
    async def healthz() -> Response:
        """Whether the process lives."""
        return JSONResponse({"status": "ok", "detail": "", "version": __version__})

    @app.get("/readyz", tags=["health"], response_model=HealthAnswer, responses={**problems(), **unavailable})
    async def readyz() -> Response:
        """Whether it may be sent jobs: models loaded, room in the queue and on the disk."""
        trouble = jobs.trouble()
        body = {"status": "unavailable" if trouble else "ok", "detail": trouble, "version": __version__}
        return JSONResponse(body, 503 if trouble else 200)

    text: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}

    @app.get("/metrics", tags=["health"], response_class=Response, responses={**text, **problems()})
    async def metrics() -> Response:
        """Prometheus' text format."""
        jobs.tell_metrics()
        return Response(jobs.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _add_handlers(app: FastAPI) -> None:
    def answer(request: Request, problem: Problem, headers: Any = None) -> Response:
        status, media, body = refusal(request.url.path, problem)
        return JSONResponse(body, status, {**(headers or {}), **problem.headers}, media)

    @app.exception_handler(Problem)
    async def of_problem(request: Request, error: Problem) -> Response:
        return answer(request, error)

    @app.exception_handler(errors.Refused)
    async def of_refused(_: Request, error: errors.Refused) -> Response:
        return JSONResponse(error.record(), error.status)

    @app.exception_handler(RequestValidationError)
    async def of_validation(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = " ".join(str(part) for part in first["loc"])
        return answer(request, Problem("input", f"{where}: {first['msg']}."))

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        code = OF_STATUS.get(error.status_code, "malformed")
        return answer(
            request, Problem(code, f"{PROBLEMS[code][1]}: {request.method} {request.url.path[:200]}."), error.headers
        )

    @app.exception_handler(Exception)
    async def of_fault(request: Request, error: Exception) -> Response:
        log.error("a request met a fault", exc_info=error)
        return answer(request, Problem("internal", "the service met a fault, which is in its log."))
