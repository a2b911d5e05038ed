"""Windows of dances for training: two seconds of motion, four of music, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from laban.condition.music import BEAT
from laban.condition.music import WIDTH as MUSIC_WIDTH
from laban.data.corpus import Corpus
from laban.data.synthesis import choreography
from laban.data.synthesis.choreography import Dance
from laban.errors import InputError
from laban.systems.fact.config import DataConfig, FactConfig
from laban.systems.fact.representation import FPS, Representation

_made: dict[tuple[str, str, DataConfig], list[Dance]] = {}
RETURN = 24  # frames after the history in which a desynchronised window comes back in step


def dances(corpus: Corpus, split: str, config: DataConfig) -> list[Dance]:
    """The dances of a split, made once per process: synthesis and analysis take about a second per dance.

    `val` and `test` are the same phrases on other tracks, in tempi that training never has: what is validated is
    the following of music, not the invention of steps.
    """
    kind = "train" if split == "train" else "val"
    key = (corpus.fingerprint, kind, config)
    if key not in _made:
        count = config.tracks if kind == "train" else max(2, config.tracks // 8)
        made = list(choreography.dances(corpus, count, config.seconds, config.seed, held_out=kind == "val"))
        if len(_made) > 3:
            _made.clear()
        _made[key] = made
    return _made[key]


def statistics(pairs: Sequence[Dance], kind: Representation, *, clock: bool = False) -> dict[str, np.ndarray]:
    """mean and std of motion rows, audio_mean and audio_std, float32. Deviations have floors: constant columns
    (a joint that never turns, a pitch that never sounds) would blow small errors up.
    """
    rows = np.concatenate([kind.encode(kind.fitted(d.motion)) for d in pairs])
    music = np.concatenate([heard(d.features, clock=clock) for d in pairs])
    return {
        "mean": rows.mean(0).astype(np.float32),
        "std": np.maximum(rows.std(0), 0.05).astype(np.float32),
        "audio_mean": music.mean(0).astype(np.float32),
        "audio_std": np.maximum(music.std(0), 0.05).astype(np.float32),
    }


def beat_phase(features: np.ndarray) -> np.ndarray:
    """(T,) beats since the first one, fractions included, from the beat column; empty if there are not three beats."""
    beats = np.flatnonzero(features[:, BEAT][:, 0] > 0.5).astype(np.float64)
    if len(beats) < 3:
        return np.zeros(0)
    period = float(np.median(np.diff(beats)))
    around = np.concatenate([[beats[0] - 1000 * period], beats, [beats[-1] + 1000 * period]])
    counts = np.concatenate([[-1000.0], np.arange(len(beats)), [len(beats) + 999.0]])
    return np.interp(np.arange(len(features)), around, counts)


def heard(features: np.ndarray, *, clock: bool) -> np.ndarray:
    """(T, 35) features -> (T, 35 or 37): with the clock, sine and cosine of the beat's phase; zeros without beats."""
    features = np.asarray(features, np.float32)[:, :MUSIC_WIDTH]
    if not clock:
        return features
    phase = 2 * np.pi * beat_phase(features)
    turn = np.stack([np.sin(phase), np.cos(phase)], axis=1) if len(phase) else np.zeros((len(features), 2))
    return np.concatenate([features, turn.astype(np.float32)], axis=1)


class WindowSampler:
    """Draws windows: `motion` (B, history + future (1 + rollout), W) and `audio` (B, audio + future rollout, 35).

    And `late` (B,), by how many beats the history is read late. All normalised. With `desync`, the history of a window
    is read early or late by up to so many seconds and comes back in step over the RETURN frames after it.

    Released: one random window per sequence and pass. Here every frame of every dance is as likely.
    """

    def __init__(
        self, pairs: Sequence[Dance], kind: Representation, config: FactConfig, stats: dict[str, Tensor],
        desync: float,
    ) -> None:  # fmt: skip
        rollout = config.loss.rollout
        self.history, self.audio = config.history, config.audio
        self.length = config.history + config.future * (1 + rollout)
        self.heard = config.audio + config.future * rollout
        self.desync = desync * FPS
        mean, std = stats["mean"].numpy(), stats["std"].numpy()
        audio_mean, audio_std = stats["audio_mean"].numpy(), stats["audio_std"].numpy()
        self.rows = [((kind.encode(kind.fitted(d.motion)) - mean) / std).astype(np.float32) for d in pairs]
        self.music = [
            ((heard(d.features, clock=config.clock) - audio_mean) / audio_std).astype(np.float32) for d in pairs
        ]
        phases = [beat_phase(d.features) for d in pairs]
        self.beats_per_frame = [float(np.diff(phase).mean()) if len(phase) else 0.0 for phase in phases]
        room = [min(len(r) - self.length, len(m) - self.heard) + 1 for r, m in zip(self.rows, self.music, strict=True)]
        self.room = np.cumsum(np.maximum(room, 0))
        if not len(self.room) or self.room[-1] < 1:
            longest = max((len(r) for r in self.rows), default=0)
            raise InputError(
                f"fact: no dance is long enough; the longest has {longest} frames, {self.heard} are needed. "
                "Give longer ones, or set data.seconds."
            )

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]:
        places = rng.integers(0, self.room[-1], batch_size)
        late = rng.uniform(-self.desync, self.desync, batch_size)
        motion, audio, beats = [], [], []
        for place, shift in zip(places, late, strict=True):
            which = int(np.searchsorted(self.room, place, side="right"))
            at = int(place - (self.room[which - 1] if which else 0))
            audio.append(self.music[which][at : at + self.heard])
            motion.append(self._window(self.rows[which], at, float(shift)))
            beats.append(shift * self.beats_per_frame[which])
        return {
            "motion": torch.from_numpy(np.stack(motion)), "audio": torch.from_numpy(np.stack(audio)),
            "late": torch.tensor(beats, dtype=torch.float32),
        }  # fmt: skip

    def _window(self, rows: np.ndarray, at: int, shift: float) -> np.ndarray:
        if not shift:
            return rows[at : at + self.length]
        frame = np.arange(self.length)
        places = at + frame + shift * np.clip(1 - (frame - self.history + 1) / RETURN, 0.0, 1.0)
        places = np.clip(places, 0, len(rows) - 1.001)
        low = places.astype(np.int64)
        part = (places - low)[:, None].astype(np.float32)
        return rows[low] * (1 - part) + rows[low + 1] * part
