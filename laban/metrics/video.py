"""Scores of videos that are made from text: CLIPSIM and relative matching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from laban.condition.text import TextFeatures
from laban.errors import InputError, ShapeError


class PictureTextModel(Protocol):
    """What CLIPSIM needs: raw vectors of texts (`pooled`) and of pictures (N, H, W, 3) uint8, of any length.

    `laban.condition.clip_towers.Clip` is one.
    """

    def encode(self, texts: Sequence[str]) -> TextFeatures: ...

    def encode_images(self, pictures: np.ndarray) -> Tensor: ...


def clipsim(model: PictureTextModel, texts: Sequence[str], videos: np.ndarray) -> np.ndarray:
    """SIM: the mean over frames of the cosine of text and frame.

    Args:
        model: pictures and texts as vectors.
        texts: B.
        videos: (B, T, H, W, C) uint8, C 1 or 3.
    Returns: (B,).
    Source: GODIVA, SIM(t, v) with CLIP. Untested here with real CLIP weights.
    """
    if videos.ndim != 5 or len(videos) != len(texts) or videos.dtype != np.uint8:
        raise ShapeError(
            f"clipsim: {len(texts)} texts and videos {videos.dtype} {videos.shape}; expected uint8 (B, T, H, W, C)."
        )
    directions = F.normalize(model.encode(texts).pooled.float(), dim=-1)
    scores = []
    for text, video in zip(directions, videos, strict=True):
        pictures = np.broadcast_to(video, (*video.shape[:3], 3)) if video.shape[-1] == 1 else video
        seen = F.normalize(model.encode_images(np.ascontiguousarray(pictures)).float(), dim=-1)
        scores.append(float((seen @ text).mean()))
    return np.array(scores)


def relative_matching(generated: np.ndarray, real: np.ndarray) -> float:
    """RM: the mean over samples of SIM(t, generated) / SIM(t, real), a mean of ratios and no ratio of means.

    Args:
        generated: (B,) SIM of generated videos.
        real: (B,) SIM of real ones, of the same texts.
    Raises: InputError if a real one is not positive.
    Source: Wu et al. 2021 (GODIVA), whose table agrees with neither mean exactly (22.82 of 24.23 would be 94.2; 93.48
    is printed).
    """
    generated, real = np.asarray(generated, np.float64), np.asarray(real, np.float64)
    if generated.shape != real.shape or generated.ndim != 1 or not len(real):
        raise ShapeError(f"relative_matching: shapes {generated.shape}, {real.shape}; expected (B,) twice.")
    if not (real > 0).all():
        raise InputError("relative_matching: a real video's similarity is not positive; the ratio means nothing.")
    return float((generated / real).mean())
