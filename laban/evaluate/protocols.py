"""What is scored of a system besides motions beside held-out clips and captions: one line per system.

Judges know the systems that they judge; systems do not know their judges.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from laban.data.corpus import Corpus
from laban.systems.base import System
from laban.systems.requests import Trial


class Evaluation(Protocol):
    """The evaluation of a system whose results cannot be scored beside captioned clips."""

    def __call__(
        self, system: Any, corpus: Any, out: Path, trial: Trial, *, progress: Callable[[int, int], None] | None = None,
        **special: Path,
    ) -> dict[str, Any]:  # fmt: skip
        """The facts of an evaluation, JSON-able, with lines of Markdown in `tables`.

        Args:
            system: of the kind that the line names.
            corpus: as `open_data` of the system gives it.
            out: an existing folder, for pictures.
            trial: how much of the protocol is run.
            progress: called with (done, total).
            special: those of `OwnProtocol.options` that were given.
        """
        ...


@dataclass(frozen=True)
class OwnProtocol:
    """Where an Evaluation is, 'module:function', and options of `laban evaluate`, all paths, that it alone takes."""

    place: str
    options: tuple[str, ...] = ()

    def load(self) -> Evaluation:
        """The function."""
        return _named(self.place)


PROTOCOLS: dict[str, OwnProtocol] = {
    "fact": OwnProtocol("laban.systems.fact.tables:protocol", ("aist",)),
    "godiva": OwnProtocol("laban.systems.godiva.evaluation:protocol", ("judges", "floor")),
}
"""System -> its own protocol, run instead of the one with captions."""

TABLES: dict[str, str] = {
    "motionclip": "laban.systems.motionclip.tables:latent_tables",
}
"""System -> 'module:function' of further tables: (system, corpus, split, seed) -> lines of Markdown."""


def tables_of(system: System, corpus: Corpus, split: str, seed: int) -> list[str]:
    """Lines of Markdown on what only this system does; none for most."""
    return _named(TABLES[system.name])(system, corpus, split, seed) if system.name in TABLES else []


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
