"""Training batches: frames for the tokenizer, frames and word ids for the decoder and the score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from laban.data.videos import Drawn, VideoSource
from laban.errors import InputError
from laban.systems.godiva.config import FramesConfig, GodivaConfig
from laban.systems.godiva.words import Vocabulary

PER_VIDEO = 4  # frames of a film, whose reading is the cost


def check_source(source: VideoSource, frames: FramesConfig) -> None:
    """Raises InputError unless the videos have the model's size and number of frames."""
    got, expected = (source.frames, source.size, source.channels), (frames.count, frames.size, frames.channels)
    if got != expected:
        raise InputError(
            f"godiva: the videos have (frames, pixels, channels) {got}, the model expects {expected}; choose another "
            "preset, or --set frames.count=… frames.size=… frames.channels=… as the data are."
        )


class FrameSampler:
    """{"frames": (B, C, S, S) uint8}: single frames, PER_VIDEO of each video read; one of each that is drawn by a
    program, which costs little and shows more digits.
    """

    def __init__(self, source: VideoSource, split: str) -> None:
        self.stream = source.stream(split)
        self.per_video = 1 if isinstance(self.stream, Drawn) else PER_VIDEO

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]:
        frames: list[np.ndarray] = []
        while len(frames) < batch_size:
            pixels = self.stream(rng).pixels
            chosen = rng.permutation(len(pixels))[: min(self.per_video, batch_size - len(frames))]
            frames.extend(pixels[chosen])
        return {"frames": torch.from_numpy(np.stack(frames).transpose(0, 3, 1, 2).copy())}

    def state(self) -> dict[str, Any]:
        """The stream's."""
        return self.stream.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.stream.restore(state)


class VideoSampler:
    """{"videos": (B, L, C, S, S) uint8, "words": (B, N) int64, "valid": (B, N) bool}.

    With `prefixes` a batch holds the first so many frames of as many more videos, so its tokens stay the same.
    """

    def __init__(self, source: VideoSource, split: str, config: GodivaConfig, prefixes: tuple[int, ...] = ()) -> None:
        self.stream = source.stream(split)
        self.vocabulary = Vocabulary(config.text.words, config.text.max_words)
        self.prefixes = prefixes or (config.frames.count,)
        self.whole = config.frames.count

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]:
        length = self.prefixes[int(rng.integers(len(self.prefixes)))]
        count = max(1, batch_size * self.whole // length)
        examples = [self.stream(rng) for _ in range(count)]
        videos = np.stack([e.pixels[:length] for e in examples]).transpose(0, 1, 4, 2, 3)
        words = torch.tensor(self.vocabulary.pack([e.caption for e in examples]), dtype=torch.int64)
        return {"videos": torch.from_numpy(videos.copy()), "words": words, "valid": words != 0}

    def state(self) -> dict[str, Any]:
        """The stream's."""
        return self.stream.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.stream.restore(state)
