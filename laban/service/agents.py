"""Laban for agents: an MCP server whose tools submit jobs and tell of them; motion data never passes through the model.

Results are named: `laban://job/ID/NAME` is a resource to read, and `job:ID/NAME` is what other tools take as a source.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Annotated, Any

from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp_types import ToolAnnotations
from pydantic import Field

from laban.errors import LabanError, sentence
from laban.service.assets import media_type
from laban.service.jobs import Jobs, Wanted
from laban.service.kinds import KINDS
from laban.service.metrics import Metrics
from laban.service.problems import Problem
from laban.service.settings import ServeOptions
from laban.service.store import Job
from laban.version import __version__

INSTRUCTIONS = (
    "Laban turns words and music into 3D human motion. A source or character is the name of a file: a result of "
    "another tool (job:ID/NAME), an upload (asset:SHA256), or a file under the server's root folder. Tools wait for "
    "their job; with wait=false they return its id at once, for the tool job. Look at what was made with render, and "
    "measure it with check."
)
URI = "laban://job/"
READ_ONLY = ToolAnnotations(read_only_hint=True, open_world_hint=False)
MAKES = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)

Source = Annotated[str, Field(description="job:ID/NAME, asset:SHA256, or a file under the root folder.")]
Formats = Annotated[list[str], Field(description="Endings of the files to write, such as glb, bvh, fbx, mp4.")]
Wait = Annotated[bool, Field(description="False returns the job's id at once.")]
Seed = Annotated[int, Field(ge=0, description="Which of the many motions that fit.")]


def server(jobs: Jobs, owner: Callable[[Context], str] = lambda _: "local", *, paths: bool = True) -> MCPServer:
    """The MCP server of a service.

    Args:
        jobs: of the service.
        owner: whose jobs a call is about.
        paths: whether the paths of results on this machine are told.
    """
    made = MCPServer("laban", title="Laban", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING")
    desk = Desk(jobs, owner, paths=paths)
    _add_makers(made, desk)
    _add_readers(made, desk)
    return made


class Desk:
    """Where the tools hand in their jobs. Args: as `server`."""

    def __init__(self, jobs: Jobs, owner: Callable[[Context], str], *, paths: bool) -> None:
        self.jobs, self._owner, self._paths = jobs, owner, paths

    async def do(
        self, context: Context, kind: str, args: dict[str, Any], formats: list[str] | None = None, *, wait: bool = True
    ) -> dict[str, Any]:
        """Submits a job, and waits for it.

        Args:
            context: of the call.
            kind: of the job.
            args: its options; None and empty ones are left to their defaults.
            formats: of files.
            wait: False returns at once.
        Returns: what an agent is told.
        Raises: ToolError with the sentence that the command line would say.
        """
        owner = self._owner(context)
        given = {name: _source(value) for name, value in args.items() if value is not None and value not in ("", [])}
        wanted = Wanted(kind, given, tuple(formats or ()))
        try:
            self.jobs.examine(owner, wanted)
            job, _ = self.jobs.submit(owner, wanted)
        except LabanError as error:
            raise ToolError(sentence(error)) from None
        except Problem as problem:
            raise ToolError(problem.detail) from None
        return self.told(await self._followed(context, owner, job) if wait else job)

    def known(self, context: Context, name: str) -> Job:
        """A job. Raises: ToolError."""
        try:
            return self.jobs.job(self._owner(context), name)
        except Problem as problem:
            raise ToolError(problem.detail) from None

    def cancel(self, context: Context, name: str) -> Job:
        """Cancels a job. Raises: ToolError."""
        try:
            self.jobs.cancel(self._owner(context), name)
        except Problem as problem:
            raise ToolError(problem.detail) from None
        return self.known(context, name)

    def read(self, context: Context, name: str, file: str) -> bytes:
        """The bytes of a result. Raises: ResourceNotFoundError."""
        try:
            return self.jobs.file(self._owner(context), name, file)[0].read_bytes()
        except (Problem, OSError) as error:
            raise ResourceNotFoundError(str(error)) from None

    def told(self, job: Job) -> dict[str, Any]:
        """What an agent is told of a job."""
        result = dict(job.result or {})
        files = []
        for file in result.pop("files", ()):
            known = {"source": f"job:{job.id}/{file['name']}", "uri": f"{URI}{job.id}/{file['name']}"}
            place = {"path": str(self.jobs.folder / "results" / job.id / file["name"])} if self._paths else {}
            files.append({**known, **place, "type": media_type(file["name"]), "bytes": file["bytes"]})
        for motion in result.get("motions", ()):
            motion.pop("passport", None)
            motion.pop("reading", None)
        shown = {"job": job.id, "kind": job.kind, "state": job.state, "files": files, **result}
        shown |= {"progress": job.progress} if job.progress and not job.over else {}
        return shown | ({"error": job.error["detail"]} if job.error else {})

    async def _followed(self, context: Context, owner: str, job: Job) -> Job:
        """The job when it is done; its progress is the call's. A call that is given up cancels it."""
        warnings = []
        try:
            async for event in self.jobs.events(job.id, 0):
                if event is not None and event.kind == "progress":
                    data = event.data
                    await context.report_progress(data["done"], data["total"], data["stage"])
                elif event is not None and event.kind == "warning":
                    warnings.append(event.data["text"])
        except asyncio.CancelledError:
            with contextlib.suppress(Problem):
                self.jobs.cancel(owner, job.id)
            raise
        found = self.jobs.store.get(job.id)
        if found.state != "done":
            raise ToolError(found.error["detail"] if found.error else f"the job is {found.state}.")
        if warnings and found.result is not None:
            found.result["warnings"] = warnings
        return found


def _source(value: Any) -> Any:
    """laban://job/ID/NAME as the service names it."""
    if isinstance(value, str) and value.startswith(URI):
        return "job:" + value.removeprefix(URI)
    return value


def _add_makers(made: MCPServer, desk: Desk) -> None:
    """The tools that make motions."""

    @made.tool(annotations=MAKES)
    async def generate(
        ctx: Context, text: str, seconds: float | None = None, samples: int | None = None, seed: Seed = 0,
        character: Source = "", formats: Formats = ["glb"], wait: Wait = True,  # noqa: B006 - the schema's default
    ) -> dict[str, Any]:  # fmt: skip
        """Make a person who does what a sentence says, optionally on your own rigged character."""
        args = {"text": text, "seconds": seconds, "samples": samples, "seed": seed, "character": character}
        return await desk.do(ctx, "generate", args, formats, wait=wait)

    @made.tool(annotations=MAKES)
    async def script(
        ctx: Context, lines: list[str], seed: Seed = 0, formats: Formats = ["glb"], wait: Wait = True,  # noqa: B006
    ) -> dict[str, Any]:  # fmt: skip
        """Make one long motion of several lines: "a person walks forward @4" lasts four seconds."""
        return await desk.do(ctx, "script", {"lines": lines, "seed": seed}, formats, wait=wait)

    @made.tool(annotations=MAKES)
    async def dance(
        ctx: Context, song: Source, start: float = 0.0, seconds: float = 30.0, bpm: float | None = None,
        character: Source = "", formats: Formats = ["glb"], wait: Wait = True,  # noqa: B006
    ) -> dict[str, Any]:  # fmt: skip
        """Make a person who dances to a song (wav, flac, ogg, mp3)."""
        args = {"song": song, "start": start, "seconds": seconds, "bpm": bpm, "character": character}
        return await desk.do(ctx, "dance", args, formats, wait=wait)

    @made.tool(annotations=MAKES)
    async def edit(
        ctx: Context, source: Source, text: str,
        stretch: Annotated[str, Field(description="Seconds that are made anew, such as 1.0:2.5.")],
        seed: Seed = 0, formats: Formats = ["glb"], wait: Wait = True,  # noqa: B006
    ) -> dict[str, Any]:  # fmt: skip
        """Make a stretch of a motion anew from a sentence, and keep the rest as it is."""
        args = {"source": source, "text": [text], "range": [stretch], "seed": seed}
        return await desk.do(ctx, "edit", args, formats, wait=wait)

    @made.tool(annotations=MAKES)
    async def retarget(
        ctx: Context, source: Source, character: Source, formats: Formats = ["glb"], wait: Wait = True,  # noqa: B006
    ) -> dict[str, Any]:  # fmt: skip
        """Put a motion onto a rigged humanoid, with a certificate of how well it fits."""
        return await desk.do(ctx, "retarget", {"source": source, "character": character}, formats, wait=wait)

    if "author" in KINDS:

        @made.tool(annotations=MAKES)
        async def author(
            ctx: Context, timeline: Source, formats: Formats = ["glb"], wait: Wait = True  # noqa: B006
        ) -> dict[str, Any]:  # fmt: skip
            """Perform a timeline document: prompts, keys, paths and goals."""
            return await desk.do(ctx, "author", {"timeline": timeline}, formats, wait=wait)


def _add_readers(made: MCPServer, desk: Desk) -> None:
    """The tools and resources that tell of what is there."""

    @made.tool(annotations=READ_ONLY)
    async def list_models(ctx: Context) -> dict[str, Any]:
        """The models that are there, and what each can do."""
        return await desk.do(ctx, "models", {})

    @made.tool(annotations=READ_ONLY)
    async def search(
        ctx: Context, query: str, folder: Annotated[str, Field(description="A folder under the root.")], top: int = 10
    ) -> dict[str, Any]:
        """Find the clips of a folder, and the moments in them, that fit a sentence."""
        return await desk.do(ctx, "search", {"text": query, "folder": folder, "top": top})

    @made.tool(annotations=READ_ONLY)
    async def check(
        ctx: Context, source: Source, text: Annotated[str, Field(description="What it should show.")] = ""
    ) -> dict[str, Any]:
        """Measure a motion: sliding and sinking feet, floor, tremble, seams, and whether it does what was asked."""
        return await desk.do(ctx, "measure", {"source": source, "text": text})

    @made.tool(annotations=READ_ONLY, structured_output=False)
    async def render(
        ctx: Context, source: Source,
        times: Annotated[list[float], Field(description="Seconds of the poses; eight spread evenly if empty.")] = [],  # noqa: B006
    ) -> list[Any]:  # fmt: skip
        """Look at a motion: a picture of its poses side by side, with their seconds."""
        told = await desk.do(ctx, "render", {"source": source, "at": times}, ["png"])
        name = told["files"][0]["source"].rpartition("/")[2]
        return [Image(data=desk.read(ctx, told["job"], name), format="png"), json.dumps(told)]

    @made.tool(annotations=READ_ONLY)
    async def job(ctx: Context, id: str) -> dict[str, Any]:  # noqa: A002 - as clients write it
        """How a job stands, and its files once it is done."""
        return desk.told(desk.known(ctx, id))

    @made.tool(annotations=MAKES)
    async def cancel(ctx: Context, id: str) -> dict[str, Any]:  # noqa: A002 - as clients write it
        """Cancel a job that waits or runs."""
        return desk.told(desk.cancel(ctx, id))

    @made.resource(
        URI + "{id}/{name}", mime_type="application/octet-stream", description="A file of a job that is done."
    )
    async def result(id: str, name: str, ctx: Context) -> bytes:  # noqa: A002 - as in the address
        return desk.read(ctx, id, name)


def over_stdio(settings: ServeOptions) -> None:
    """Serves one agent over stdin and stdout until it hangs up. Raises: InputError as `Jobs`."""

    async def served() -> None:
        settings.folder.mkdir(parents=True, exist_ok=True)
        jobs = Jobs(settings, Metrics())
        await jobs.open()
        try:
            await server(jobs).run_stdio_async()
        finally:
            await jobs.close()

    asyncio.run(served())


def owner_of(context: Context) -> str:
    """The owner whom the guard found for the HTTP request of a call."""
    request = context.request_context.request
    assert request is not None
    return request.scope["owner"]
