"""What a source of captioned videos is: digits made on the fly, or shards of clips."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from laban.data.corpus import SPLITS
from laban.errors import InputError


@dataclass(frozen=True)
class Example:
    """pixels (T, H, W, C) uint8, one caption, and what is known of it beside."""

    pixels: np.ndarray
    caption: str
    labels: Mapping[str, Any] = field(default_factory=dict)


class VideoSource(ABC):
    """Captioned videos of one size.

    Attributes:
        names: of the corpora.
        licences: of the corpora.
        frames: T, H = W and C of every video.
        size: T, H = W and C of every video.
        channels: T, H = W and C of every video.
        mean: (C,) float32, by which pixels in 0 to 1 are normalised; constants of the kind of source.
        std: (C,) float32, as `mean`.
    """

    names: tuple[str, ...]
    licences: tuple[str, ...]
    frames: int
    size: int
    channels: int
    mean: np.ndarray
    std: np.ndarray

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Two equal ones mean the same data."""

    @abstractmethod
    def captions(self) -> list[str]:
        """Captions that hold every word of the training data."""

    @abstractmethod
    def count(self, split: str) -> int:
        """How much there is of a split; 0: nothing. Raises InputError for an unknown split."""

    @abstractmethod
    def summary(self) -> list[str]:
        """For the model card: what there is to train on, then further lines."""

    @abstractmethod
    def stream(self, split: str) -> Stream:
        """Examples one after another, for training. Raises InputError if the split is empty."""

    def select(self, split: str) -> range:
        """As many numbers as there are things in a split, for the training loop."""
        return range(self.count(split))


class Stream(Protocol):
    """Examples, drawn by a random generator; what it knows beside that generator is in its state."""

    def __call__(self, rng: np.random.Generator) -> Example: ...

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: Mapping[str, Any]) -> None: ...


class Drawn:
    """A stream that only the random generator moves: it has no state of its own."""

    def __init__(self, draw: Callable[[np.random.Generator], Example]) -> None:
        self._draw = draw

    def __call__(self, rng: np.random.Generator) -> Example:
        return self._draw(rng)

    def state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing to restore."""


def check_split(split: str) -> str:
    """The split. Raises InputError for an unknown one."""
    if split not in SPLITS:
        raise InputError(f"split {split!r}: expected one of {', '.join(SPLITS)}.")
    return split
