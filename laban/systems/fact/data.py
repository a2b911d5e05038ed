"""Windows of dances for training: two seconds of motion, four of music, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from laban.condition.music import BEAT
from laban.condition.music import WIDTH as MUSIC_WIDTH
from laban.data import choreography
from laban.data.choreography import Dance
from laban.data.corpus import Corpus
from laban.errors import InputError
from laban.systems.fact.config import DataConfig, FactConfig
from laban.systems.fact.network import fade
from laban.systems.fact.representation import FPS, Representation

_made: dict[tuple[str, str, DataConfig], list[Dance]] = {}
TAPS = (1, 5, 9)  # frames ago in which poses are compared
TRUE = 0.1  # factor on the distance to the true moment
RETURN = 40  # frames after the history in which a desynchronised window comes back in step


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


def statistics(pairs: Sequence[Dance], kind: Representation) -> dict[str, np.ndarray]:
    """mean and std of motion rows, audio_mean and audio_std, float32. Deviations have floors: constant columns
    (a joint that never turns, a pitch that never sounds) would blow small errors up.
    """
    rows = np.concatenate([kind.encode(kind.fitted(d.motion)) for d in pairs])
    music = np.concatenate([d.features for d in pairs])
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


def way_back(dance: Tensor, moments: Tensor, history: Tensor, step: int, future: int) -> Tensor:
    """What should follow own predictions: the real continuation of the nearest moment, reached in `future` frames.

    Where a dance has got to by itself is seldom where the captured one was at that time, and teaching it to jump
    there teaches it the mean of everything. So of the given moments of the same dance, all in step with the music,
    the one that looks most like the last frames is taken, with a preference for the true one and for lively ones:
    without it, small motion is answered by small motion until nothing moves.

    Args:
        dance: (B, T, W) normalised rows. moments: (B, C) frames that may come next, the true one first. history:
        (B, H, W). step: frames wanted. future: frames in which the difference fades.
    Returns: (B, step, W).
    Source: ours; the idea of letting an expert answer the learner's own states is DAgger's (Ross et al. 2011).
    """
    which = torch.arange(len(dance), device=dance.device)
    taps = torch.tensor(TAPS, device=dance.device)
    near = dance[which[:, None, None], moments[..., None] - taps]
    apart = (near - history[:, None, -taps]).square().mean(dim=(-2, -1))
    lively = liveliness(dance, future).gather(1, moments)
    apart = apart / lively.clamp(0.5, 2.0)
    apart[:, 0] *= TRUE
    best = moments.gather(1, apart.argmin(dim=1, keepdim=True))
    frames = torch.arange(step, device=dance.device)
    gap = history[:, -1:] - dance[which[:, None], best - 1]
    return dance[which[:, None], best + frames] + gap * fade(future)[:step].to(gap)


def liveliness(dance: Tensor, frames: int) -> Tensor:
    """(B, T): mean squared step of the rows over the next `frames` frames, over its mean in the dance."""
    steps = nn.functional.pad((dance[:, 1:] - dance[:, :-1]).square().mean(dim=-1), (0, frames))
    sums = nn.functional.pad(steps.cumsum(dim=1), (1, 0))
    ahead = (sums[:, frames:] - sums[:, :-frames])[:, : dance.shape[1]]
    return ahead / ahead.mean(dim=1, keepdim=True).clamp_min(1e-9)


class WindowSampler:
    """Draws windows: `motion` (B, history + future (1 + rollout), W) and `audio` (B, audio + future rollout, 35).

    With `resync` also `dance` (B, T, W), the whole dances; `moments` (B, 1 + rollout, C): for each block, the frame
    that comes next and those at the same phase of the beat elsewhere in the dance, see `way_back`; and `foreign` (B,),
    True where the history is another dance's.

    All normalised. With `desync`, the history of a window is read early or late by up to so many seconds and comes
    back in step over the RETURN frames after it.

    Released: one random window per sequence and pass. Here every frame of every dance is as likely.
    """

    def __init__(
        self, pairs: Sequence[Dance], kind: Representation, config: FactConfig, stats: dict[str, Tensor],
        desync: float, foreign: float = 0.0,
    ) -> None:  # fmt: skip
        rollout, self.step = config.loss.rollout, config.supervised
        self.blocks = 1 + rollout
        self.history, self.audio = config.history, config.audio
        self.length = config.history + config.future * (1 + rollout)
        self.heard = config.audio + config.future * rollout
        self.desync, self.foreign = desync * FPS, foreign
        mean, std = stats["mean"].numpy(), stats["std"].numpy()
        audio_mean, audio_std = stats["audio_mean"].numpy(), stats["audio_std"].numpy()
        self.rows = [((kind.encode(kind.fitted(d.motion)) - mean) / std).astype(np.float32) for d in pairs]
        self.music = [((d.features[:, :MUSIC_WIDTH] - audio_mean) / audio_std).astype(np.float32) for d in pairs]
        self.phases = [beat_phase(d.features) for d in pairs]
        self.resync = config.loss.resync and all(map(len, self.phases))
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
        motion, audio, chosen = [], [], []
        for place, shift in zip(places, late, strict=True):
            which = int(np.searchsorted(self.room, place, side="right"))
            at = int(place - (self.room[which - 1] if which else 0))
            audio.append(self.music[which][at : at + self.heard])
            motion.append(self._window(self.rows[which], at, float(shift)))
            chosen.append((which, at))
        batch = {"motion": torch.from_numpy(np.stack(motion)), "audio": torch.from_numpy(np.stack(audio))}
        if not self.resync:
            return batch
        strange = rng.random(batch_size) < self.foreign
        for number in np.flatnonzero(strange):
            rows = self.rows[int(rng.integers(len(self.rows)))]
            at = int(rng.integers(len(rows) - self.history + 1))
            batch["motion"][number, : self.history] = torch.from_numpy(rows[at : at + self.history])
        return batch | self._moments(chosen) | {"foreign": torch.from_numpy(strange)}

    def _moments(self, chosen: list[tuple[int, int]]) -> dict[str, Tensor]:
        longest = max(len(self.rows[which]) for which, _ in chosen)
        dances = np.zeros((len(chosen), longest, self.rows[0].shape[1]), np.float32)
        found = []
        for number, (which, at) in enumerate(chosen):
            rows, phase = self.rows[which], self.phases[which][: len(self.rows[which])]
            dances[number, : len(rows)] = rows
            for block in range(self.blocks):
                true = at + self.history + block * self.step
                turn = np.arange(np.ceil(phase[0] - phase[true]), phase[-1] - phase[true])
                near = np.round(np.interp(phase[true] + turn, phase, np.arange(len(phase)))).astype(np.int64)
                found.append([true, *near[(near >= max(TAPS)) & (near + self.step <= len(rows))]])
        most = max(map(len, found))
        moments = np.array([[*f, *[f[0]] * (most - len(f))] for f in found])  # the true one again where there are fewer
        shape = (len(chosen), self.blocks, most)
        return {"dance": torch.from_numpy(dances), "moments": torch.from_numpy(moments.reshape(shape))}

    def _window(self, rows: np.ndarray, at: int, shift: float) -> np.ndarray:
        if not shift:
            return rows[at : at + self.length]
        frame = np.arange(self.length)
        places = at + frame + shift * np.clip(1 - (frame - self.history + 1) / RETURN, 0.0, 1.0)
        places = np.clip(places, 0, len(rows) - 1.001)
        low = places.astype(np.int64)
        part = (places - low)[:, None].astype(np.float32)
        return rows[low] * (1 - part) + rows[low + 1] * part
