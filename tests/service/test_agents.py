"""Laban for agents: the official client lists and calls every tool, over stdio and over HTTP."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from laban.authoring.timeline import Prompt, Timeline
from laban.io import audio
from laban.motion.constraints import PathPoint, RootPath
from tests.service.live import WALK, Live

TOOLS = [
    "author", "cancel", "check", "dance", "edit", "generate", "job", "list_models", "render", "retarget", "script",
    "search",
]  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a clip."""
    folder = tmp_path_factory.mktemp("agent")
    (folder / "walk.bvh").write_text(WALK)
    (folder / "clips").mkdir()
    prompt = Prompt(0.0, 2.0, "a person walks forward")
    path = RootPath((PathPoint(0.0, (0.0, 0.0)), PathPoint(2.0, (0.0, 1.5))))
    Timeline(2.0, samples=1, prompts=(prompt,), paths=(path,)).write(folder / "walk.timeline.json")
    return folder


async def call(client: Client, tool: str, **args: Any) -> dict[str, Any]:
    """What a tool answers."""
    answer = await client.call_tool(tool, args)
    assert not answer.is_error, answer.content
    return answer.structured_content if answer.structured_content is not None else {"content": answer.content}


async def refused(client: Client, tool: str, **args: Any) -> str:
    """The sentence with which a tool refuses."""
    answer = await client.call_tool(tool, args)
    assert answer.is_error
    return answer.content[0].text


async def every_tool(client: Client, song: str, clips: Path) -> None:
    """Calls every tool, and looks at what comes back."""
    listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert sorted(listed) == TOOLS
    assert {name for name, tool in listed.items() if tool.annotations.read_only_hint} == {
        "check", "job", "list_models", "render", "search"
    }  # fmt: skip
    models = (await call(client, "list_models"))["models"]
    assert {"kmm", "momask", "fact"} <= {model["name"] for model in models}
    made = await call(client, "generate", text="a person walks forward", seconds=2, samples=1, formats=["glb", "npz"])
    assert made["state"] == "done" and [file["source"][-4:] for file in made["files"]] == [".glb", ".npz"]
    glb = made["files"][0]
    read = await client.read_resource(glb["uri"])
    assert len(read.contents[0].blob) > 1000
    measured = await call(client, "check", source=made["files"][1]["source"], text="a person walks forward")
    assert measured["motions"][0]["figures"]["skate"] >= 0
    seen = (await call(client, "render", source=glb["uri"], times=[0.0, 1.0]))["content"]
    assert seen[0].type == "image" and seen[0].mime_type == "image/png" and json.loads(seen[1].text)["state"] == "done"
    long = await call(client, "script", lines=["a person walks @2", "a person bows @2"])
    assert len(long["motions"][0]["segments"]) == 2
    told = await call(client, "author", timeline="walk.timeline.json", formats=["npz"])
    assert told["motions"][0]["report"]["goals"][0]["hit"]
    new = await call(client, "edit", source=made["files"][1]["source"], text="a person waves", stretch="0.5:1.5")
    assert len(new["motions"][0]["seams"]) == 2
    worn = await call(
        client, "retarget", source=made["files"][1]["source"], character="walk.bvh", formats=["bvh"], wait=False
    )
    assert (await call(client, "job", id=worn["job"]))["kind"] == "retarget"
    danced = await call(client, "dance", song=song, seconds=2)
    assert danced["motions"][0]["seconds"] == pytest.approx(2, abs=0.1)
    waiting = await call(client, "script", lines=["a person walks @60"], wait=False)
    assert (await call(client, "cancel", id=waiting["job"]))["state"] == "cancelled"
    Path(made["files"][1]["path"]).rename(clips / "walk.npz")
    assert (await call(client, "search", query="a walk", folder="clips"))["clips"] == 1


async def every_refusal(client: Client) -> None:
    """What tools refuse is the command line's sentence, and nothing outside the root is read."""
    assert (await refused(client, "generate", text="a", seconds=0)).endswith(
        ": --seconds is 0, expected a number from 0.1 to 600."
    )
    assert "outside" in await refused(client, "check", source="/etc/passwd")
    assert "outside" in await refused(client, "check", source="../secret.bvh")
    assert "no job" in await refused(client, "job", id="0" * 24)


@pytest.fixture(scope="module")
def song(root: Path) -> str:
    """Four seconds of clicks, twice a second."""
    import numpy as np

    samples = np.zeros(4 * 22_050, np.float32)
    for beat in range(8):
        samples[beat * 11_025 : beat * 11_025 + 400] = np.hanning(400) * np.sin(np.arange(400))
    audio.write(samples, 22_050, root / "song.wav")
    return "song.wav"


def test_every_tool_over_stdio(root: Path, song: str) -> None:
    command = ["-m", "laban", "mcp", "--root", str(root), "--data", str(root / "data")]

    async def talk() -> None:
        async with Client(stdio_client(StdioServerParameters(command=sys.executable, args=command))) as client:
            await every_refusal(client)
            await every_tool(client, song, root / "clips")

    asyncio.run(asyncio.wait_for(talk(), 900))


@pytest.fixture(scope="module")
def tokens(root: Path) -> Iterator[Live]:
    """A service that wants tokens, and serves agents."""
    keys = root / "tokens.txt"
    keys.write_text("ann secret-of-ann-0123456789\nbob secret-of-bob-0123456789\n")
    service = Live(root / "http", "--workers", "1", "--mcp", "--warm", "--token-file", str(keys), "--root", str(root))
    yield service
    assert service.end() == 0


def test_tools_over_http_are_those_of_the_token_s_owner(tokens: Live) -> None:
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client

    def told(token: str) -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return streamable_http_client(f"{tokens.address}/mcp", http_client=create_mcp_http_client(headers=headers))

    async def talk() -> None:
        async with Client(told("secret-of-ann-0123456789")) as ann:
            assert sorted(tool.name for tool in (await ann.list_tools()).tools) == TOOLS
            await every_refusal(ann)
            shown = await call(ann, "render", source="walk.bvh")
            job = json.loads(shown["content"][1].text)
            assert "path" not in job["files"][0]
            async with Client(told("secret-of-bob-0123456789")) as bob:
                assert "no job" in await refused(bob, "job", id=job["job"])

    asyncio.run(asyncio.wait_for(talk(), 120))
    assert "secret-of" not in tokens.log.read_text()
