"""The evaluator as something `laban train` trains, and as something that embeds motions and captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from laban.errors import InputError, ShapeError
from laban.motion import humanml
from laban.motion.motion import Motion
from laban.systems.base import System
from laban.systems.evaluator.config import PRESETS, EvaluatorConfig
from laban.systems.evaluator.network import CoEmbedding
from laban.systems.evaluator.text import table
from laban.systems.registry import WEIGHTS
from laban.systems.requests import TextRequest
from laban.systems.schedule import Sampler, StageSchedule

if TYPE_CHECKING:
    from laban.data.corpus import Corpus

SHIPPED = tuple(WEIGHTS / "evaluator" / str(seed) for seed in (0, 1))
"""Folders of the shipped evaluators: the same recipe, two seeds."""


class Evaluator(System):
    """Text and motion in one space, for scores.

    Args:
        config: see config.py.
        stats: "mean" and "std" (W,) of the features that it was trained on, in their own unit.
    """

    name: ClassVar[str] = "evaluator"
    config_class: ClassVar[type] = EvaluatorConfig
    presets: ClassVar[Mapping[str, EvaluatorConfig]] = PRESETS
    config: EvaluatorConfig

    def __init__(self, config: EvaluatorConfig, stats: Mapping[str, Any]) -> None:
        super().__init__(config, stats)
        self.layout = humanml.layout_of(config.features)
        for key in ("mean", "std"):
            if key not in self.stats or self.stats[key].shape != (self.layout.width,):
                raise InputError(
                    f"evaluator: stats need {key!r} of shape ({self.layout.width},), as a corpus gives them; for "
                    "another layout set features=WIDTH."
                )
        self.mean, self.std = self.stats["mean"].float().numpy(), self.stats["std"].float().numpy()
        self.network = CoEmbedding(config)

    def stages(self) -> tuple[str, ...]:
        """One: both encoders learn together."""
        return ("encoders",)

    def module(self, stage: str) -> nn.Module:
        return self.network

    def schedule(self, stage: str) -> StageSchedule:
        return self.config.schedule

    def sampler(self, stage: str, corpus: Corpus, split: str) -> Sampler:
        return PairSampler(corpus, split, self)

    def loss(self, stage: str, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        return self.network.loss(batch)

    def generate(self, requests: Sequence[TextRequest], seed: int, **options: Any) -> list[Motion]:
        """Never: it scores motions and makes none. Raises InputError."""
        raise InputError("evaluator: it scores motions and makes none; generate with --model momask.")

    @torch.inference_mode()
    def embed_motions(self, features: Sequence[np.ndarray], batch: int = 64) -> np.ndarray:
        """Unit vectors of motions.

        Args:
            features: per clip (T, W) at the layout's frame rate, not normalised; what is over `longest` is cut off.
            batch: motions at a time.
        Returns: (N, E) float32 in the order given.
        Raises: ShapeError for another width or fewer than `patch` frames; InputError for NaN.
        """
        c = self.config
        for clip in features:
            if clip.ndim != 2 or clip.shape[1] != c.features or len(clip) < c.patch:
                raise ShapeError(
                    f"evaluator: features have shape {clip.shape}, expected (T >= {c.patch}, {c.features}). "
                    "Pass the features of laban.motion.humanml."
                )
            if not np.isfinite(clip).all():
                raise InputError("evaluator: features hold NaN or infinity. Leave that clip out, and say so.")
        out = np.empty((len(features), c.embedding), np.float32)
        order = np.argsort([len(clip) for clip in features], kind="stable")
        for at in range(0, len(order), batch):
            picks = order[at : at + batch]
            motion, lengths = self.padded([features[i][: c.longest] for i in picks])
            out[picks] = self.network.embed_motions(motion.to(self.device), lengths.to(self.device)).cpu().numpy()
        return out

    @torch.inference_mode()
    def embed_texts(self, captions: Sequence[str], batch: int = 256) -> np.ndarray:
        """Unit vectors (N, E) float32 of captions, in the order given."""
        out = [np.empty((0, self.config.embedding), np.float32)]
        for at in range(0, len(captions), batch):
            rows = torch.from_numpy(self.rows(list(captions[at : at + batch])))
            out.append(self.network.embed_texts(rows.to(self.device)).cpu().numpy())
        return np.concatenate(out)

    def rows(self, captions: list[str]) -> np.ndarray:
        """(C, N, groups) int64: captions as the text encoder reads them."""
        return table(captions, self.config.words, self.config.groups, self.config.buckets)

    def padded(self, clips: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
        """Features (T, W) of several clips -> (B, T, W) normalised, zero behind each end, and (B,) frames."""
        lengths = torch.tensor([len(clip) for clip in clips])
        motion = np.zeros((len(clips), int(lengths.max()), self.config.features), np.float32)
        for row, clip in zip(motion, clips, strict=True):
            row[: len(clip)] = (clip - self.mean) / self.std
        return torch.from_numpy(motion), lengths


class PairSampler:
    """Batches of clips with one of their captions each, in order of length.

    "motion" (B, T, W), "lengths" (B,), "rows" (B, N, groups), "alike" (B, B) bool: [i, j] is True if the caption
    of row i is also one of clip j's. A clip may be cut to a random part of itself, in training only.
    """

    def __init__(self, corpus: Corpus, split: str, evaluator: Evaluator) -> None:
        c = evaluator.config
        self.records = [r for r in corpus.select(split) if r.captions and r.length >= c.shortest]
        if not self.records:
            raise InputError(
                f"evaluator: split {split!r} has no clip with a caption and at least {c.shortest} frames; "
                "prepare more data."
            )
        self.corpus, self.evaluator = corpus, evaluator
        self.crop = c.crop if split == "train" else 0.0
        texts = sorted({caption for r in self.records for caption in r.captions})
        self.index = {text: i for i, text in enumerate(texts)}
        self.rows = torch.from_numpy(evaluator.rows(texts))

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]:
        c = self.evaluator.config
        few = batch_size > len(self.records)
        picks = [self.records[i] for i in rng.choice(len(self.records), size=batch_size, replace=few)]
        drawn = []
        for record, dice in zip(picks, rng.random((batch_size, 4)), strict=True):
            length = record.length
            if dice[0] < self.crop:
                length = max(min(length, c.shortest), round(length * (c.crop_least + (1 - c.crop_least) * dice[1])))
            length = min(length, c.longest)
            start = int(dice[2] * (record.length - length + 1)) if self.crop else 0
            caption = record.captions[int(dice[3] * len(record.captions))]
            drawn.append((length, start, caption, record))
        drawn.sort(key=lambda item: item[0])
        clips = [self.corpus.features(record)[start : start + length] for length, start, _, record in drawn]
        motion, lengths = self.evaluator.padded(clips)
        rows = self.rows[[self.index[caption] for _, _, caption, _ in drawn]]
        used = max(1, int((rows[..., 0] > 0).sum(-1).max()))
        alike = torch.tensor([[caption in other.captions for *_, other in drawn] for _, _, caption, _ in drawn])
        return {"motion": motion, "lengths": lengths, "rows": rows[:, :used], "alike": alike}
