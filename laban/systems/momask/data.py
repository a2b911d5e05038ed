"""Training batches: windows of features for the tokenizer, tokens and text features for the transformers.

A sampler is a function of a random generator and nothing else, so a resumed run draws the same batches.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from laban.data.batch import CaptionBank as CaptionBank
from laban.data.batch import action_of
from laban.data.batch import weights_of as weights_of
from laban.data.synthesis.compose import warped
from laban.errors import InputError
from laban.systems.momask.config import MoMaskConfig

if TYPE_CHECKING:
    from laban.data.corpus import Corpus, Record
    from laban.nn.tokenizer import Tokenizer


class WindowSampler:
    """{"motion": (B, window, features) normalised}: windows of training clips, every window alike but for `energy` and
    `rarity`, the power of an action's share of the frames by which its windows are drawn less often.
    """

    def __init__(
        self, corpus: Corpus, split: str, windows: Sequence[int], mean: Tensor, std: Tensor, energy: float = 0.0,
        rarity: float = 0.0,
    ) -> None:  # fmt: skip
        records = corpus.select(split)
        frames: Counter[str] = Counter()
        for r in records:
            frames[action_of(r)] += r.length
        lively = liveliness(corpus, records) ** energy
        weights = {r.id: w * frames[action_of(r)] ** -rarity for r, w in zip(records, lively, strict=True)}
        self.mean, self.std = mean.numpy(), std.numpy()
        self.corpus = corpus
        self.choices: list[tuple[int, list[Record], np.ndarray]] = []
        for window in windows:
            long = [r for r in records if r.length >= window]
            if long:
                self.choices.append((window, long, np.cumsum([(r.length - window + 1) * weights[r.id] for r in long])))
        if not self.choices:
            raise InputError(
                f"tokenizer: split {split!r} has {len(records)} clips, none of {min(windows)} frames or more; "
                "prepare more data or set a smaller windows=(…,)."
            )

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]:
        window, records, ends = self.choices[int(rng.integers(len(self.choices)))]
        motion = np.empty((batch_size, window, len(self.mean)), np.float32)
        for row, (place, along) in enumerate(rng.random((batch_size, 2))):
            i = min(int(np.searchsorted(ends, place * ends[-1], side="right")), len(records) - 1)
            start = int(along * (records[i].length - window + 1))
            motion[row] = self.corpus.features(records[i])[start : start + window]
        motion -= self.mean
        motion /= self.std
        return {"motion": torch.from_numpy(motion)}


def tokenize(
    corpus: Corpus,
    records: Sequence[Record],
    tokenizer: Tokenizer,
    mean: Tensor,
    std: Tensor,
    frames_at_once: int = 8192,
    tempo: float = 1.0,
) -> list[list[np.ndarray]]:
    """Tokens of whole clips at every phase of the token grid.

    Clips are encoded in batches of exactly equal length, so nothing is padded.

    Args:
        corpus: with the clips.
        records: of which clips.
        tokenizer: trained.
        mean: (W,) of the features.
        std: (W,) of the features.
        frames_at_once: in one pass of the tokenizer.
        tempo: times as fast as they were.
    Returns: per record, per phase p = 0 ... stride-1, (N_p, Q) int16 tokens of frames p, p+1, ...; a phase that
        leaves less than one token is absent.
    """
    stride = tokenizer.config.stride
    device = next(tokenizer.parameters()).device
    groups: dict[int, list[tuple[int, int]]] = defaultdict(list)
    played = {}
    for i, record in enumerate(records):
        features = np.array(corpus.features(record), np.float32)
        played[i] = features if tempo == 1 else warped(features, tempo, corpus.layout)
        for phase in range(stride):
            length = (len(played[i]) - phase) // stride * stride
            if length >= stride:
                groups[length].append((i, phase))
    result: list[list[np.ndarray]] = [[np.empty((0, 0), np.int16)] * stride for _ in records]
    for length, members in groups.items():
        size = max(1, frames_at_once // length)
        for at in range(0, len(members), size):
            part = members[at : at + size]
            motion = torch.stack([torch.from_numpy(played[i][p : p + length]) for i, p in part])
            codes = tokenizer.encode(((motion - mean) / std).to(device)).to(torch.int16).cpu().numpy()
            for (i, p), row in zip(part, codes, strict=True):
                result[i][p] = row
    return [[phase for phase in phases if len(phase)] for phases in result]


def captioned(corpus: Corpus, split: str, config: MoMaskConfig) -> list[Record]:
    """The clips of a split that the transformers can learn from.

    A clip that is longer than the model and whose label lists several actions ("walk forward, backward, sideways")
    is left out: a part of it shows only some of them, under a caption that names all.
    """
    records = [
        r
        for r in corpus.select(split)
        if r.captions and r.length >= config.min_frames and (r.length <= config.max_frames or not _is_list(r))
    ]
    if not records:
        raise InputError(
            f"momask: split {split!r} has no clip with a caption and at least {config.min_frames} frames; "
            "prepare more data or set a smaller min_frames."
        )
    return records


def _is_list(record: Record) -> bool:
    content = record.labels.get("content", "")
    return "," in content or " and " in content or " then " in content


def liveliness(corpus: Corpus, records: Sequence[Record]) -> np.ndarray:
    """(R,) mean speed of the joints of each clip, m/s, at least 0.05."""
    columns, scale = corpus.layout.velocities, corpus.layout.fps * corpus.layout.unit
    speeds = []
    for record in records:
        movement = np.asarray(corpus.features(record)[:, columns]).reshape(record.length, -1, 3)
        speeds.append(float(np.linalg.norm(movement, axis=-1).mean()) * scale)
    return np.maximum(speeds, 0.05)


WINDOW = 16  # tokens that a window of a clip has at least: two and a half strides


class TokenSampler:
    """{"codes": (B, N, Q) int64, "valid": (B, N) bool, "place": (B, N, 2) int64 tokens since the clip began and until
    it ends} and the text features of one caption per clip.

    Clips are drawn with their weights exactly, but those of a batch have similar lengths: the clips, in order of
    length, are cut into blocks at a random offset, a block is drawn, and the batch comes from that block.
    """

    def __init__(
        self, records: Sequence[Record], tokens: Sequence[list[np.ndarray]], bank: CaptionBank, config: MoMaskConfig
    ) -> None:
        order = np.argsort([r.length for r in records], kind="stable")
        self.records = [records[i] for i in order]
        self.tokens = [tokens[i] for i in order]
        self.bank = bank
        self.weights = weights_of(self.records, config.balance)
        if config.by_length:  # a token of a long clip counts as much as one of a short clip
            self.weights = self.weights * [min(r.length, config.max_frames) for r in self.records]
            self.weights /= self.weights.sum()
        self.shorten, self.longest, self.parts = config.shorten, config.max_tokens, config.windows_of_clips

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]:
        count = len(self.records)
        block = min(count, max(4 * batch_size, count // 16))
        anchor = int(rng.choice(count, p=self.weights))
        offset = int(rng.integers(block))
        start = max(0, (anchor - offset) // block * block + offset)
        stop = min(count, (anchor - offset) // block * block + offset + block)
        share = self.weights[start:stop]
        picks = rng.choice(stop - start, size=batch_size, p=share / share.sum()) + start
        rows, captions, spans = [], [], []
        for pick, dice in zip(picks, rng.random((batch_size, 6)), strict=True):
            record, phases = self.records[pick], self.tokens[pick]
            codes = phases[int(dice[0] * len(phases))]
            length = min(len(codes), self.longest)
            if length > 1 and dice[1] < self.shorten:
                length -= 1
            if dice[4] < self.parts and length > WINDOW:
                length = int(WINDOW + (length - WINDOW) * dice[5])
            at = int(dice[2] * (len(codes) - length + 1))
            rows.append(codes[at : at + length])
            spans.append((at, len(codes)))
            captions.append(self.bank.index[record.captions[int(dice[3] * len(record.captions))]])
        longest = max(len(r) for r in rows)
        codes = torch.full((batch_size, longest, rows[0].shape[1]), -1, dtype=torch.int64)
        valid = torch.zeros(batch_size, longest, dtype=torch.bool)
        place = torch.full((batch_size, longest, 2), -1, dtype=torch.int64)
        for b, (row, (at, count)) in enumerate(zip(rows, spans, strict=True)):
            codes[b, : len(row)] = torch.from_numpy(row.astype(np.int64))
            valid[b, : len(row)] = True
            place[b, : len(row), 0] = torch.arange(at, at + len(row))
            place[b, : len(row), 1] = count - place[b, : len(row), 0]
        return {"codes": codes, "valid": valid, "place": place, **self.bank.gather(captions)}
