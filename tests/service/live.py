"""A service that runs, for tests to talk to."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

WALK = """HIERARCHY
ROOT Hips
{ OFFSET 0 0 0 CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
JOINT Chest { OFFSET 0 0.3 0 CHANNELS 3 Zrotation Xrotation Yrotation End Site { OFFSET 0 0.3 0 } } }
MOTION
Frames: 3
Frame Time: 0.05
0 1 0 0 0 0 0 0 0
0 1 0.1 0 0 5 0 0 0
0 1 0.2 0 0 9 0 0 0
"""


class Live:
    """A service that runs.

    Args:
        data: its folder.
        options: of the command.
    """

    def __init__(self, data: Path, *options: str) -> None:
        command = [sys.executable, "-m", "laban", "serve", "--port", "0", "--data", str(data), *options]
        self.log = data.with_suffix(".log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=dict(os.environ))
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        line = self.process.stdout.readline().decode() if ready else ""
        assert line.startswith("listening on "), (line, self.log.read_text())
        self.address = line.split()[-1]
        self.client = httpx.Client(base_url=self.address, timeout=60)

    def submit(self, kind: str, args: dict[str, Any], formats: tuple[str, ...] = (), **headers: str) -> dict[str, Any]:
        """The job that is taken."""
        body = {"kind": kind, "args": args, **({"formats": list(formats)} if formats else {})}
        answer = self.client.post("/v1/jobs", json=body, headers=headers)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    def upload(self, content: bytes) -> str:
        """asset:ID."""
        answer = self.client.post("/v1/assets", content=content)
        assert answer.status_code in (200, 201), answer.text
        return "asset:" + answer.json()["id"]

    def until(self, job: str, *states: str, seconds: float = 90) -> dict[str, Any]:
        """The job once it is in one of the states."""
        return self.wait(lambda: self.client.get(f"/v1/jobs/{job}").json(), lambda j: j["state"] in states, seconds)

    def wait(self, ask: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 60) -> Any:
        """What `ask` gives once it is good."""
        end = time.monotonic() + seconds
        while not good(found := ask()):
            assert time.monotonic() < end, found
            time.sleep(0.05)
        return found

    def ready(self) -> None:
        """Waits until the workers are."""
        self.wait(lambda: self.client.get("/readyz"), lambda answer: answer.status_code == 200, 120)

    def events(self, job: str, last: int | None = None, most: int = 10**6) -> list[tuple[int, str, dict[str, Any]]]:
        """(id, kind, data) of a stream, cut off after `most`."""
        found: list[tuple[int, str, dict[str, Any]]] = []
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        with self.client.stream("GET", f"/v1/jobs/{job}/events", headers=headers) as stream:
            number, kind = 0, ""
            for line in stream.iter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    number = int(value)
                elif name == "event":
                    kind = value
                elif name == "data":
                    found.append((number, kind, json.loads(value)))
                    if len(found) >= most:
                        break
        return found

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children]

    def kill(self) -> None:
        """kill -9 of the service."""
        self.client.close()
        self.process.kill()
        self._gone()

    def end(self) -> int:
        """SIGTERM. Returns: the exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.client.close()
        return self._gone()

    def _gone(self) -> int:
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code
