"""What systems are asked for. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from laban.motion.motion import Motion


MAX_DANCE_SECONDS = 600.0
"""Of one dance."""


@dataclass(frozen=True)
class TextRequest:
    """One motion wanted: what happens, and for how long (None: the system estimates it)."""

    text: str
    seconds: float | None = None


@dataclass(frozen=True)
class Stretch:
    """Frames [first, last) of a clip that are regenerated, and what happens in them."""

    text: str
    first: int
    last: int


@dataclass(frozen=True)
class Trial:
    """How much of a protocol of its own a system is put through.

    Attributes:
        cases: so many results; None: the protocol's number.
        seed: of what is sampled.
        quick: the main table only.
    """

    cases: int | None = None
    seed: int = 0
    quick: bool = False


@dataclass(frozen=True, eq=False)
class MusicRequest:
    """One dance wanted.

    Attributes:
        music: (M, 35) float32, `laban.condition.music` features at 60 fps; row 0 belongs to the first frame of the
            dance.
        seconds: length of the dance; None: of the music.
        before: features of the music before the dance, (.., 35); where there is less than the system looks back, its
            first row stands for it.
        seed_motion: what the dancer did just before; None: the shipped one.
        text: a name for people, of the song.
    """

    music: np.ndarray
    seconds: float | None = None
    before: np.ndarray | None = None
    seed_motion: Motion | None = None
    text: str = ""
