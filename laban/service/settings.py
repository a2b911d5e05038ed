"""How the service is set up: the options of `laban serve`."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from laban.actions.options import bounded, check, described, flags
from laban.errors import InputError
from laban.systems.options import Bounds
from laban.systems.registry import locate

LOCAL = ("127.0.0.1", "localhost", "::1")
TOKEN_LENGTH = 16  # characters that a token has at least
MAX_JSON = 1 << 20  # bytes of a JSON body
MAX_ASSET = 64 << 20  # bytes of an upload
BODY_SECONDS = 30.0  # in which a body must have arrived
MAX_FRAMES = 120_000  # frames times samples of one job


@dataclass(frozen=True)
class ServeOptions:
    """Where the service listens, what it keeps, and its limits."""

    host: str = described("127.0.0.1", "Address to listen on; any other than this machine's own needs --token-file.")
    port: int = bounded(8021, Bounds(0, 65535, whole=True), "Port; 0 takes a free one, which is printed.")
    data: Path = described(Path("~/.laban/service"), "Folder of jobs, results and uploads; made if it is not there.")
    root: Path | None = described(
        None, "Folder whose files jobs may name; without it they read uploads and results only."
    )
    workers: int | None = bounded(
        None, Bounds(1, 64, whole=True), "Processes that work; half as many as processors if not given, at most 4."
    )
    warm: tuple[str, ...] = described(("kmm",), "Models that each worker loads before it takes jobs.")
    device: str = described("auto", "cpu, cuda or auto.")
    token_file: Path | None = described(
        None, "A file with one `name token` per line; requests must then bear one of the tokens."
    )
    origin: tuple[str, ...] = described((), "Origin of web pages that may call, such as https://studio.example.")
    allow_host: tuple[str, ...] = described((), "Host name by which the service is reached, beside --host.")
    deadline: float = bounded(120.0, Bounds(1, 86_400), "Seconds that a job may run.")
    grace: float = bounded(30.0, Bounds(0, 3600), "Seconds that running jobs may still take once the service is ended.")
    queue: int = bounded(64, Bounds(1, 100_000, whole=True), "Jobs that may wait.")
    owner_queue: int = bounded(16, Bounds(1, 100_000, whole=True), "Jobs of one owner that may wait.")
    owner_running: int = bounded(4, Bounds(1, 64, whole=True), "Jobs of one owner that may run.")
    keep_hours: float = bounded(24.0, Bounds(0.001, 100_000), "Hours that results are kept.")
    keep_gib: float = bounded(2.0, Bounds(0.001, 100_000), "GiB of results, and of uploads, that are kept.")
    memory_gib: float = bounded(4.0, Bounds(0.1, 10_000), "GiB that a worker may take before it is replaced.")
    mcp: bool = described(False, "Serve agents, too: MCP over streamable HTTP under /mcp.")

    def checked(self) -> ServeOptions:
        """The same. Raises InputError for what cannot be, before anything is started."""
        check(self, flags(self))
        if self.host not in LOCAL and self.token_file is None:
            raise InputError(
                f"--host {self.host} lets other machines in. Give --token-file FILE too: they must bear a token."
            )
        if self.root is not None and not self.root.is_dir():
            raise InputError(f"--root {self.root}: there is no such folder.")
        for name in self.warm:
            locate(name)
        for origin in self.origin:
            if "://" not in origin or origin.endswith("/"):
                raise InputError(f"--origin {origin}: expected scheme and host, such as https://studio.example.")
        self.tokens()
        return self

    @property
    def processes(self) -> int:
        """How many worker processes there are."""
        return self.workers or max(1, min(4, (os.cpu_count() or 1) // 2))

    @property
    def threads(self) -> int:
        """Threads that each worker computes with."""
        return max(1, (os.cpu_count() or 1) // self.processes)

    @property
    def folder(self) -> Path:
        """`data` without ~."""
        return self.data.expanduser().resolve()

    def tokens(self) -> dict[str, str]:
        """{token: owner} of the token file; empty without one. Raises: InputError for a file that holds none."""
        if self.token_file is None:
            return {}
        try:
            lines = self.token_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise InputError(f"--token-file {self.token_file}: cannot be read. Name a text file.") from None
        found: dict[str, str] = {}
        for number, line in enumerate(lines, start=1):
            words = line.split()
            if not words or line.lstrip().startswith("#"):
                continue
            if len(words) > 2 or len(words[-1]) < TOKEN_LENGTH or not words[-1].isascii() or words[-1] in found:
                raise InputError(
                    f"--token-file {self.token_file}, line {number}: expected `name token`, every token another, of "
                    f"{TOKEN_LENGTH} or more ASCII characters."
                )
            found[words[-1]] = words[0] if len(words) == 2 else f"token-{number}"
        if not found:
            raise InputError(f"--token-file {self.token_file}: holds no token. Write one `name token` per line.")
        return found


@dataclass(frozen=True)
class AgentOptions:
    """What `laban mcp` serves one agent with."""

    root: Path = described(Path("."), "Folder whose files the agent may name.")
    data: Path | None = described(None, "Folder of jobs and results; a new temporary one if not given.")
    warm: tuple[str, ...] = described(("kmm",), "Models that the worker loads before it takes jobs.")
    device: str = described("auto", "cpu, cuda or auto.")
    deadline: float = bounded(600.0, Bounds(1, 86_400), "Seconds that a job may run.")

    def service(self) -> ServeOptions:
        """The same as options of a service. Raises: InputError as `ServeOptions.checked`."""
        data = self.data or Path(tempfile.mkdtemp(prefix="laban-mcp-"))
        options = ServeOptions(
            data=data, root=self.root, workers=1, warm=self.warm, device=self.device, deadline=self.deadline
        )
        return options.checked()
