"""What systems can do, as classes that a system names among its bases, and how a command gets one that can.

A command asks for an ability and never for a system by name: `load_as(Composes, "kmm")`. The abilities are abstract
classes and not structural protocols, so that the first line of a system's class says what it can do, and so that a
part-written system fails when it is made, not when a command reaches the method. Imports no torch.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from laban.errors import InputError
from laban.systems.base import System
from laban.systems.registry import SYSTEMS, kind_of, open_folder, resolve
from laban.systems.requests import MusicRequest, Stretch

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from laban.condition.text import TextEncoder
    from laban.motion.humanml import Layout
    from laban.motion.motion import Motion
    from laban.motion.stretch import TokenGrid
    from laban.nn.frozen import FrozenTokenizer

S = TypeVar("S", bound=System)


class MakesMotion(System):
    """`generate` makes a motion from each TextRequest."""


class EstimatesLength(System):
    """Estimates how long an action lasts."""

    @abstractmethod
    def seconds_of(self, text: str, seed: int, index: int = 0) -> float:
        """Seconds that a motion of this sentence lasts, drawn from (seed, index)."""


class MakesVideo(System):
    """`generate` makes a video from each TextRequest."""

    makes: ClassVar[Literal["motion", "video"]] = "video"

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int, int]:
        """(L, S, S, C) of the videos."""

    @property
    @abstractmethod
    def known_words(self) -> tuple[str, ...]:
        """The words that it knows."""

    @abstractmethod
    def rate(self, videos: np.ndarray, captions: Sequence[str]) -> np.ndarray:
        """(B,) how well videos (B, L, S, S, C) uint8 fit their captions; larger is better."""

    @abstractmethod
    def reading(self, caption: str) -> Any:
        """What is understood of a caption: `ids`, the `unknown` words, and those `cut` off its end."""


class Composes(System):
    """One motion for a script of several lines."""

    @property
    @abstractmethod
    def text_encoder(self) -> TextEncoder:
        """What turns sentences into features."""

    @abstractmethod
    def compose(
        self,
        script: Sequence[Any],
        seed: int = 0,
        *,
        clean: bool = False,
        edits: Sequence[Mapping[str, Any]] = (),
        index: int = 0,
        **options: Any,
    ) -> Motion:
        """One motion with a segment per line; lines are texts, requests or `laban.systems.kmm.script.Line`."""

    @abstractmethod
    def stream(self, script: Iterable[Any], seed: int = 0, *, index: int = 0, **options: Any) -> Iterator[Motion]:
        """The same part after part, as it becomes ready."""


class Dances(System):
    """`generate` makes a dance for each MusicRequest."""

    takes: ClassVar[type] = MusicRequest

    @abstractmethod
    def dance(
        self, request: MusicRequest, seed: int, *, progress: Callable[[int], None] | None = None, **options: Any
    ) -> Motion:
        """One dance; `progress` is called with the number of frames done."""


class Inpaints(System):
    """Regenerates a stretch of a motion from a sentence, knowing what stays before and after it.

    `layout` is that of its features.
    """

    layout: Layout

    @property
    @abstractmethod
    def text_encoder(self) -> TextEncoder:
        """What turns sentences into features."""

    @property
    @abstractmethod
    def grid(self) -> TokenGrid:
        """How it divides time."""

    @abstractmethod
    def inpainting_options(self) -> dict[str, Any]:
        """All options of `inpaint` and their default values."""

    @abstractmethod
    def inpaint(
        self, features: np.ndarray, stretch: Stretch, seed: int, *, first_index: int = 0, samples: int = 1,
        options: Mapping[str, Any],
    ) -> list[np.ndarray]:  # fmt: skip
        """Features (last - first, W) of the stretch, one array per sample.

        Args:
            features: (T, W) of the whole, not normalised.
            stretch: frames of it; its first and last and T are whole tokens.
            seed: sample i draws from a generator seeded by (seed, first_index + i) alone.
            first_index: number of the first sample.
            samples: how many.
            options: of the draws, all of them.
        """


class Steers(System):
    """Has a motion tokenizer, in whose latent motions are steered (`laban.nn.steering`)."""

    frozen: FrozenTokenizer


class Embeds(System):
    """A latent space that motions and sentences share.

    `vocabulary` holds what the training captions named: "classes", label -> phrase, and "phrases".
    """

    vocabulary: dict[str, Any]

    @property
    @abstractmethod
    def direction_width(self) -> int:
        """G, the length of a direction."""

    @abstractmethod
    def frames_of(self, motion: Motion) -> np.ndarray:
        """A motion as the space reads it, (T, J + 1, 6), not cut."""

    @abstractmethod
    def encode_windows(self, windows: Sequence[np.ndarray]) -> Tensor:
        """(N, latent) of windows of frames."""

    @abstractmethod
    def directions(self, latents: Tensor) -> Tensor:
        """(N, latent) -> (N, G) unit vectors, to compare with those of texts."""

    @abstractmethod
    def text_directions(self, texts: Sequence[str]) -> Tensor:
        """(N, G) unit vectors of texts."""

    @abstractmethod
    def text_latents(self, texts: Sequence[str], frames: int) -> Tensor:
        """(N, latent) the latent that each text stands for, at a length."""

    @abstractmethod
    def motions(self, latents: Tensor, frames: Sequence[int], **fields: Any) -> list[Motion]:
        """(N, latent) -> N motions of so many frames."""


ABILITIES: dict[type[System], str] = {
    MakesMotion: "make motions from sentences (laban generate)",
    Composes: "perform scripts (laban script)",
    Inpaints: "edit motions (laban edit)",
    Steers: "steer motions (laban author)",
    Dances: "dance to music (laban dance)",
    MakesVideo: "make videos (laban video)",
    Embeds: "compare motions with words (laban search)",
}
"""Class -> what a model of it can do, and the command that asks for it."""


def load_as(ability: type[S], name_or_path: str | Path, device: str = "cpu", option: str = "--model") -> S:
    """Open a model that has an ability.

    Args:
        ability: one of ABILITIES.
        name_or_path: as `laban.load`.
        device: as `laban.load`.
        option: where the name was given, for the message.
    Raises: InputError, before any weights are read, if it is of a system without that ability; as `laban.load`.
    """
    kind, folder, facts = kind_of(name_or_path)
    if not issubclass(kind, ability):
        others = [name for name in SYSTEMS if issubclass(resolve(name), ability)]
        can = [what for other, what in ABILITIES.items() if issubclass(kind, other)]
        raise InputError(
            f"{option} {name_or_path}: a {kind.name} model cannot {ABILITIES[ability].partition(' (')[0]}; "
            f"{' and '.join(others)} can. A {kind.name} model can {' and '.join(can)}."
        )
    return open_folder(kind, folder, facts, device)
