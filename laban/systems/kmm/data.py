"""Training batches: crops of long token sequences, with the text of every stretch.

Sequences are made once before training (synthesis.compose), from a seed: a resumed run has the same ones. A sampler
is a function of a random generator and nothing else.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from laban.data.batch import CaptionBank, weights_of
from laban.data.synthesis.compose import Composition, compose
from laban.errors import InputError
from laban.nn.frozen import FrozenTokenizer
from laban.systems.kmm.config import KMMConfig
from laban.systems.kmm.keyframes import density_peaks

if TYPE_CHECKING:
    from laban.data.corpus import Corpus, Record


@dataclass
class TokenSequence:
    """A long sequence as tokens.

    codes (N, Q) int16; stretch (N,) int16 which of `records` a token belongs to; starts (S + 1,) its bounds in
    tokens; score (N,) float32 of key frames; speed (N,) float32 m/s of the joints; synthetic: some seam was made.
    """

    codes: np.ndarray
    stretch: np.ndarray
    starts: np.ndarray
    records: list[Record]
    score: np.ndarray
    speed: np.ndarray
    synthetic: bool


def usable(corpus: Corpus, split: str, config: KMMConfig) -> list[Record]:
    """The clips of a split that sequences are made of. Raises: InputError if there is none."""
    shortest = 2 * config.compose.blend
    records = [r for r in corpus.select(split, mirrored=config.mirrored) if r.captions and r.length >= shortest]
    if not records:
        raise InputError(
            f"kmm: split {split!r} has no clip with a caption and at least {shortest} frames; prepare more data."
        )
    return records


def make_pool(
    corpus: Corpus, split: str, config: KMMConfig, frozen: FrozenTokenizer, hours: float, seed: int = 0
) -> list[TokenSequence]:
    """Long sequences of a split, tokenized. Equal arguments give equal pools."""
    records = usable(corpus, split, config)
    weights = weights_of(records, config.balance)
    stride = frozen.config.stride
    frames = int(config.pool_seconds * config.fps) // stride * stride
    count = max(1, round(hours * 3600 / config.pool_seconds))
    rng = np.random.default_rng([seed, zlib.crc32(split.encode())])
    pool: list[TokenSequence] = []
    for at in range(0, count, 4):
        made = [
            compose(corpus, records, weights, frames + 2 * stride, rng, config.compose)
            for _ in range(min(4, count - at))
        ]
        features = torch.from_numpy(np.stack([m.features[:frames] for m in made]))
        codes, latents = frozen.encode(features)
        for composition, code, latent in zip(made, codes, latents, strict=True):
            pool.append(tokens_of(composition, code, latent, config, frozen))
    return pool


def tokens_of(
    made: Composition, codes: Tensor, latents: Tensor, config: KMMConfig, frozen: FrozenTokenizer
) -> TokenSequence:
    """A composition whose first N * stride frames are tokens. A seam falls on the nearest token."""
    stride, count = frozen.config.stride, len(codes)
    bounds = [round(s.end / stride) for s in made.stretches]
    ends = np.minimum(np.maximum.accumulate(bounds), count)
    kept = [i for i in range(len(ends)) if ends[i] > (ends[i - 1] if i else 0)]
    if ends[kept[-1]] < count:
        ends[kept[-1]] = count
    starts = np.array([0, *(ends[i] for i in kept)])
    stretch = np.repeat(np.arange(len(kept)), np.diff(starts)).astype(np.int16)
    window = config.mask.window
    spare = -count % window
    padded = torch.cat([latents, latents[-1:].expand(spare, -1)]) if spare else latents
    score = density_peaks(padded.reshape(-1, window, latents.shape[-1])).score.reshape(-1)[:count]
    velocities = made.features[: count * stride, frozen.layout.velocities].reshape(count, stride, -1, 3)
    speed = np.linalg.norm(velocities, axis=-1).mean((1, 2)) * frozen.layout.fps * frozen.layout.unit
    return TokenSequence(
        codes.numpy().astype(np.int16), stretch, starts, [made.stretches[i].record for i in kept],
        score.numpy().astype(np.float32), speed.astype(np.float32), made.synthetic,
    )  # fmt: skip


class CropSampler:
    """Crops of equal length.

    Returns per batch: codes (B, L, Q), segment (B, L) index of the stretch inside the crop, since and left (B, L)
    tokens from the stretch's start and to its end, pooled (B, S, W) text features, group (B, S) equal for stretches
    whose clips share their captions and -1 where there is none, score and speed (B, L).
    """

    def __init__(self, pool: Sequence[TokenSequence], bank: CaptionBank, config: KMMConfig) -> None:
        self.pool, self.bank, self.crop = pool, bank, config.crop
        groups = {c: i for i, c in enumerate(dict.fromkeys(r.captions for s in pool for r in s.records))}
        self.groups = groups

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]:
        length = self.crop
        columns: dict[str, list[np.ndarray]] = {k: [] for k in ("codes", "segment", "since", "left", "score", "speed")}
        captions: list[list[int]] = []
        groups: list[list[int]] = []
        for which, place, snap, choice in rng.random((batch_size, 4)):
            sequence = self.pool[int(which * len(self.pool))]
            at = int(place * (len(sequence.codes) - length + 1))
            if snap < 0.5:  # half of the crops begin where a stretch does, as every script begins
                fitting = sequence.starts[sequence.starts <= len(sequence.codes) - length]
                at = int(fitting[int(place * len(fitting))])
            part = slice(at, at + length)
            stretch = sequence.stretch[part]
            places = np.arange(at, at + length)
            columns["codes"].append(sequence.codes[part])
            columns["segment"].append(stretch - stretch[0])
            columns["since"].append(places - sequence.starts[stretch])
            columns["left"].append(sequence.starts[stretch + 1] - places)
            columns["score"].append(sequence.score[part])
            columns["speed"].append(sequence.speed[part])
            inside = [sequence.records[i] for i in range(int(stretch[0]), int(stretch[-1]) + 1)]
            dice = np.random.default_rng(int(choice * 2**32)).random(len(inside))
            captions.append(
                [self.bank.index[r.captions[int(d * len(r.captions))]] for r, d in zip(inside, dice, strict=True)]
            )
            groups.append([self.groups[r.captions] for r in inside])
        most = max(len(c) for c in captions)
        ids = [c + [c[-1]] * (most - len(c)) for c in captions]
        pooled = self.bank.gather([i for row in ids for i in row])["pooled"].reshape(batch_size, most, -1)
        group = torch.tensor([g + [-1] * (most - len(g)) for g in groups])
        batch = {k: torch.from_numpy(np.stack(v)) for k, v in columns.items()}
        for name in ("codes", "segment", "since", "left"):
            batch[name] = batch[name].to(torch.int64)
        return {**batch, "pooled": pooled, "group": group}
