"""What an action needs of its surroundings: models, progress, warnings, a way to be stopped, and a clock."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from laban.errors import InputError, LabanError
from laban.work import Progress, ignore

S = TypeVar("S")


class Cancelled(LabanError):
    """The caller asked for an end before the work was done; nothing half-made is left."""


class Clock:
    """How long each part of an action took, in seconds of wall time; a part that runs again adds up."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Times what is done inside `with`."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.parts[name] = self.parts.get(name, 0.0) + time.perf_counter() - begin

    def lines(self) -> list[str]:
        """One line per part, and the sum."""
        rows = [*self.parts.items(), ("total", sum(self.parts.values()))]
        width = max(len(name) for name, _ in rows)
        return [f"  {name:<{width}}  {seconds:6.2f} s" for name, seconds in rows]


class Models:
    """Loaded models, each loaded once; safe to ask from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: dict[tuple[type, str, str, Path | None], Any] = {}

    def load(
        self,
        ability: type[S],
        name: str | Path,
        device: str,
        option: str = "--model",
        text_encoder: Path | None = None,
    ) -> S:
        """As `laban.systems.capabilities.load_as`, which is asked the first time only.

        What is given out is never changed: with a text encoder it is another system, which shares the networks.

        Args:
            ability: one of capabilities.ABILITIES.
            name: shipped weights by name, or a folder.
            device: cpu, cuda or auto.
            option: where the name was given, for the message.
            text_encoder: CLIP's weights, a folder or file, instead of the model's own encoder.
        Raises: InputError as `load_as` does, or if a text encoder is given to a system that reads no text.
        """
        with self._lock:
            whole = self._load(ability, name, device, option)
            key = (ability, str(name), device, text_encoder)
            if key not in self._loaded:
                from laban.systems.texts import ReadsText

                if not isinstance(whole, ReadsText):
                    what = getattr(whole, "name", type(whole).__name__)
                    raise InputError(f"--text-encoder: the system {what} reads no text. Leave it out.")
                from laban.condition.clip_text import ClipTextEncoder

                assert text_encoder is not None
                self._loaded[key] = whole.reading_with(ClipTextEncoder.load(text_encoder))
            return self._loaded[key]

    def _load(self, ability: type[S], name: str | Path, device: str, option: str) -> S:
        from laban.systems.capabilities import load_as

        key = (ability, str(name), device, None)
        if key not in self._loaded:
            self._loaded[key] = load_as(ability, name, device, option)  # type: ignore[type-var]
        return self._loaded[key]


@dataclass
class Context:
    """The surroundings of an action.

    Attributes:
        device: cpu, cuda or auto.
        models: the cache of loaded models; share one Context or one cache between calls to load each model once.
        progress: called with (done, total or None, what) as work goes on; what is "name" or "name: note".
        warn: called with a sentence that a person should read.
        cancelled: asked between pieces of work; True ends the action with `Cancelled`.
        clock: how long the parts took.
    """

    device: str = "auto"
    models: Models = field(default_factory=Models)
    progress: Progress = ignore
    warn: Callable[[str], None] = ignore
    cancelled: Callable[[], bool] = bool
    clock: Clock = field(default_factory=Clock)

    def check(self) -> None:
        """Raises Cancelled if the caller wants an end."""
        if self.cancelled():
            raise Cancelled("stopped before the end; nothing was written.")

    def advance(self, done: int, total: int | None, what: str) -> None:
        """`progress`, where work below can only be ended between its steps. Raises: Cancelled as `check`."""
        self.progress(done, total, what)
        self.check()
