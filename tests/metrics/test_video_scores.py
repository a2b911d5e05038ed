"""CLIPSIM and RM by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from laban.condition.text import TextFeatures
from laban.errors import InputError, ShapeError
from laban.metrics.video import clipsim, relative_matching


class Marks:
    """Pictures by brightness, texts by length, none of length one: a model whose cosines can be worked out."""

    def encode_images(self, pictures: np.ndarray) -> torch.Tensor:
        angle = pictures.astype(float).mean((1, 2, 3)) / 255
        return torch.from_numpy(7 * np.stack([np.cos(angle), np.sin(angle)], -1)).float()

    def encode(self, texts: Sequence[str]) -> TextFeatures:
        pooled = torch.tensor([[3.0, 0.0] if len(t) < 3 else [0.0, 0.5] for t in texts])
        count = len(texts)
        valid = torch.ones(count, 1, dtype=torch.bool)
        return TextFeatures(pooled, torch.zeros(count, 1, 0), valid, torch.ones(count))


def test_clipsim_and_relative_matching() -> None:
    videos = np.zeros((2, 3, 4, 4, 1), np.uint8)
    videos[1, 2] = 255
    sims = clipsim(Marks(), ["ab", "abc"], videos)
    assert sims.tolist() == pytest.approx([1.0, np.sin(1.0) / 3])
    assert relative_matching(np.array([1.0, 3.0]), np.array([2.0, 3.0])) == pytest.approx(0.75)  # not 4/5
    with pytest.raises(InputError, match="not positive"):
        relative_matching(np.ones(2), np.array([1.0, 0.0]))
    with pytest.raises(ShapeError):
        relative_matching(np.ones(2), np.ones(3))
    with pytest.raises(ShapeError):
        clipsim(Marks(), ["a"], videos)
