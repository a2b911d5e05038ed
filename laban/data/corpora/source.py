"""What `laban data prepare` asks of a corpus: `MotionSource` for motions, `FilmSource` for captioned films.

A corpus is one module in this folder with a class of one of these kinds, and one line in `registry`.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from laban.data.corpus import FORMAT, Clip
from laban.motion.humanml import HUMANML, Layout


class Item(Protocol):
    """What is prepared in one go: a file, or a row of a table."""

    @property
    def name(self) -> str:
        """What it is called in the report."""

    @property
    def stem(self) -> str:
        """A name of its own within the corpus."""


class MotionSource(ABC):
    """A corpus of motions.

    Attributes:
        name: of the folder that is written.
        licence: goes into every record.
        acknowledgement: what the owners ask to be said; may be empty.
        archives: the pattern of the archives that the corpus comes in; empty if it comes as a folder.
        resumes: whether each item's clips are kept until the end, so that a run that was cut off goes on.
        layout: of the features.
    """

    name: str
    licence: str
    acknowledgement = ""
    archives = ""
    resumes = True
    layout: Layout = HUMANML

    def __init__(self, src: Path) -> None:
        """Args:
            src: the published folder, an archive, or a folder of archives.
        Raises: InputError if it is none.
        """
        self.src = src

    @abstractmethod
    def items(self, root: Path, skipped: dict[str, str]) -> Sequence[Any]:
        """What is to be prepared, one `Item` after another.

        Args:
            root: the folder, archives unpacked.
            skipped: takes name -> reason of what is left out.
        Raises: InputError if the folder is of another layout.
        """

    @abstractmethod
    def clips(self, item: Any) -> list[Clip]:
        """The clips of an item. Raises: LabanError for one that cannot be used."""

    def statistics(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Mean and std (W,) that come with the corpus; None: they are those of its training split."""
        return None

    def signature(self) -> str:
        """A cheap fingerprint of the sources, here of the names and sizes of the archives, or else of the BVH files."""
        src = self.src
        files = [src] if src.is_file() else sorted(p for p in src.rglob("*") if p.is_file() and ".tar" in p.name)
        files = files or sorted(src.rglob("*.bvh"))
        return signature("\n".join(f"{p.name} {p.stat().st_size}" for p in files), len(files))


def signature(facts: str, number: int) -> str:
    """A hash of some facts and a number, and of the format that is prepared."""
    return hashlib.sha256(f"{FORMAT} {facts} {number}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Film:
    """One captioned film: pixels (T, S, S, C) uint8, its split, the seconds that it spans, and facts for its record."""

    pixels: np.ndarray
    split: str
    captions: tuple[str, ...]
    seconds: float
    facts: Mapping[str, Any] = field(default_factory=dict)


class FilmSource(ABC):
    """A corpus of captioned films.

    Attributes:
        name: of the folder that is written.
        licence: goes into the index.
    """

    name: str
    licence: str

    def __init__(self, src: Path) -> None:
        """Args:
            src: the published folder.
        Raises: InputError if it is none.
        """
        self.src = src

    @abstractmethod
    def films(self, shape: tuple[int, int, int], most: int, skipped: dict[str, str]) -> Iterator[Film]:
        """The films one after another.

        Args:
            shape: (frames, pixels, channels) of every film.
            most: at most so many per caption and split, where the corpus repeats itself.
            skipped: takes name -> reason of what is left out.
        Raises: InputError if the folder is of another layout.
        """

    def facts(self, skipped: Mapping[str, str]) -> dict[str, Any]:
        """What the index says besides."""
        return {"skipped": len(skipped)}
