"""Scores of small videos: CLIPSIM and relative matching, and the direction in which a bright thing moves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from laban.condition.text import TextFeatures
from laban.data.corpora.mnist import DigitsConfig, along, starts
from laban.errors import InputError, ShapeError

LEAST_SPREAD = 3.0  # pixels of standard deviation below which nothing moves


class PictureTextModel(Protocol):
    """What CLIPSIM needs: raw vectors of texts (`pooled`) and of pictures (N, H, W, 3) uint8, of any length.

    `laban.condition.clip_towers.Clip` is one.
    """

    def encode(self, texts: Sequence[str]) -> TextFeatures: ...

    def encode_images(self, pictures: np.ndarray) -> Tensor: ...


def clipsim(model: PictureTextModel, texts: Sequence[str], videos: np.ndarray) -> np.ndarray:
    """SIM: the mean over frames of the cosine of text and frame.

    Args: texts: B. videos: (B, T, H, W, C) uint8, C 1 or 3.
    Returns: (B,).
    Source: GODIVA, SIM(t, v) with CLIP. Untested here with real CLIP weights.
    """
    if videos.ndim != 5 or len(videos) != len(texts) or videos.dtype != np.uint8:
        raise ShapeError(
            f"clipsim: {len(texts)} texts and videos {videos.dtype} {videos.shape}; expected uint8 (B, T, H, W, C)."
        )
    told = F.normalize(model.encode(texts).pooled.float(), dim=-1)
    scores = []
    for text, video in zip(told, videos, strict=True):
        pictures = np.broadcast_to(video, (*video.shape[:3], 3)) if video.shape[-1] == 1 else video
        seen = F.normalize(model.encode_images(np.ascontiguousarray(pictures)).float(), dim=-1)
        scores.append(float((seen @ text).mean()))
    return np.array(scores)


def relative_matching(generated: np.ndarray, real: np.ndarray) -> float:
    """RM: the mean over samples of SIM(t, generated) / SIM(t, real), a mean of ratios and no ratio of means.

    Args: generated, real: (B,) SIM of the same texts. Source: GODIVA; its table agrees with neither exactly (22.82 of
        24.23 would be 94.2, 93.48 is printed).
    Raises: InputError if a real one is not positive.
    """
    generated, real = np.asarray(generated, np.float64), np.asarray(real, np.float64)
    if generated.shape != real.shape or generated.ndim != 1 or not len(real):
        raise ShapeError(f"relative_matching: shapes {generated.shape}, {real.shape}; expected (B,) twice.")
    if not (real > 0).all():
        raise InputError("relative_matching: a real video's similarity is not positive; the ratio means nothing.")
    return float((generated / real).mean())


def centroids(video: np.ndarray) -> np.ndarray:
    """(T, H, W) brightness -> (T, 2) float64 x, y of the intensity's centre; NaN where a frame is nearly black."""
    weights = np.maximum(np.asarray(video, np.float64) - 32.0, 0.0)  # a reconstruction's faint grey has no say
    total = weights.sum((1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        x = (weights.sum(1) * np.arange(video.shape[2])).sum(1) / total
        y = (weights.sum(2) * np.arange(video.shape[1])).sum(1) / total
    found = np.stack([x, y], -1)
    found[total < 255.0] = np.nan
    return found


def direction(track: np.ndarray, config: DigitsConfig | None = None) -> int:
    """Which of the six motions of laban.data.corpora.mnist a track (T, 2) of x, y in pixels is; -1: none of them.

    The axis is the one of larger variance. Along it the track is correlated with the ways of that axis's motions (both
    orders, and a bounce from each start), and the best one is taken; for "A then B" that is the sign of the first
    half's displacement. Missing frames (NaN) are left out; with fewer than half of them it is none.
    """
    config = config or DigitsConfig()
    if track.shape != (config.frames, 2):
        raise ShapeError(f"direction: track has shape {track.shape}, expected ({config.frames}, 2).")
    there = np.isfinite(track).all(-1)
    if there.sum() * 2 < len(track) or there.sum() < 4:
        return -1
    spread = track[there].std(0)
    axis = int(spread[1] > spread[0])
    if spread[axis] < LEAST_SPREAD:
        return -1
    values = track[there, axis]
    best, found = 0.5, -1  # a correlation below one half is none of the motions
    for motion, way in _ways(config):
        if (motion in (0, 1, 4)) == bool(axis):
            score = float(np.corrcoef(values, way[there])[0, 1])
            if score > best:
                best, found = score, motion
    return found


@lru_cache
def _ways(config: DigitsConfig) -> list[tuple[int, np.ndarray]]:
    singles = [(motion, along(motion, config)) for motion in range(4)]
    return singles + [(motion, along(motion, config, s)) for motion in (4, 5) for s in range(starts(config))]
