"""Which digits a video shows: two small networks, trained on digits that no generator saw.

`DigitClassifier` reads the window around a single digit, frame by frame. `DigitDetector` finds digits anywhere, one or
two of them, so that each can be followed. Both are trained here, in minutes, from the split `judge` of MovingDigits.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban import checkpoint
from laban.data.corpora.mnist import CANVAS, DIGIT, DigitsConfig, MovingDigits, along, starts
from laban.errors import ShapeError, WeightsError

WINDOW = 32
NONE = 10  # the detector's class of places without a digit's centre
STRIDE = 4  # pixels per place of the detector
LEAST_SPREAD = 3.0  # pixels of standard deviation below which nothing moves


class DigitClassifier(nn.Module):
    """(B, 1, 32, 32) brightness in 0 to 1 -> (B, 10) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(24, 48, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(48, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * 16, 10),
        )  # fmt: skip

    def forward(self, windows: Tensor) -> Tensor:
        return self.layers(windows)


class DigitDetector(nn.Module):
    """(B, 1, 64, 64) brightness in 0 to 1 -> (B, 11, 16, 16) logits: which digit has its centre in a place."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(32, 48, 3, padding=1), nn.ReLU(),
            nn.Conv2d(48, 48, 3, padding=2, dilation=2), nn.ReLU(),
            nn.Conv2d(48, 48, 3, padding=2, dilation=2), nn.ReLU(),
            nn.Conv2d(48, 64, 1), nn.ReLU(), nn.Dropout2d(0.1), nn.Conv2d(64, 11, 1),
        )  # fmt: skip

    def forward(self, frames: Tensor) -> Tensor:
        return self.layers(frames)


class Judges:
    """Both networks, and what they say of videos (B, T, 64, 64, 1) uint8."""

    def __init__(self) -> None:
        self.classifier = DigitClassifier().eval()
        self.detector = DigitDetector().eval()

    @classmethod
    def train(
        cls, source: MovingDigits, seed: int = 0, classifier_steps: int = 900, detector_steps: int = 1500
    ) -> Judges:
        """New judges, trained on the split `judge` of the digits."""
        judges = cls()
        rng = np.random.default_rng(seed)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            judges.classifier, judges.detector = DigitClassifier(), DigitDetector()
            _fit(judges.classifier, classifier_steps, lambda: _windows(source, rng, 64), 2e-3)
            _fit(judges.detector, detector_steps, lambda: _scenes(source, rng, 32), 2e-3, _weights())
        return judges

    @classmethod
    def open(cls, folder: Path) -> Judges:
        """Judges that `save` wrote. Raises: WeightsError."""
        judges = cls()
        for name in ("classifier", "detector"):
            tensors = checkpoint.load_stage(folder, name)
            checkpoint.load_into(getattr(judges, name), tensors, f"{folder}/{name}.safetensors")
        if checkpoint.read_config(folder).get("judges") != "digits":
            raise WeightsError(f"{folder}: holds no judges of digits; train them again.")
        return judges

    def save(self, folder: Path, source: MovingDigits) -> None:
        """Write both networks, and which digits they come from."""
        tensors = {name: getattr(self, name).state_dict() for name in ("classifier", "detector")}
        facts = {"judges": "digits", "data": source.fingerprint}
        checkpoint.save(folder, facts, tensors, {"count": torch.tensor(source.count("judge"))})

    @torch.no_grad()
    def single(self, videos: np.ndarray) -> list[tuple[int, int]]:
        """(digit, motion) of each video of one digit; the digit by majority over frames, -1 where there is none."""
        found = []
        for video in videos[..., 0]:
            track = centroids(video)
            there = np.isfinite(track).all(-1)
            digit = -1
            if there.any():
                cut = np.stack(
                    [_window(frame, centre) for frame, centre in zip(video[there], track[there], strict=True)]
                )
                scores = self.classifier(torch.from_numpy(cut)[:, None].float() / 255).softmax(-1)
                votes = torch.bincount(scores.argmax(-1), minlength=10) + scores.mean(0)  # ties by confidence
                digit = int(votes.argmax())
            found.append((digit, direction(track)))
        return found

    @torch.no_grad()
    def double(self, videos: np.ndarray) -> list[dict[int, int]]:
        """digit -> motion for the two digits of each video.

        The two digits are those with the largest mean, over frames, of their best place's probability. Each is
        followed through its best place of every frame in which it is surer than 0.2.
        """
        found = []
        for video in videos[..., 0]:
            scores = self.detector(torch.from_numpy(video)[:, None].float() / 255).softmax(1)[:, :NONE]
            sure, place = (t.numpy() for t in scores.flatten(2).max(-1))  # (T, 10)
            side = scores.shape[-1]
            pair: dict[int, int] = {}
            for digit in np.argsort(-sure.mean(0))[:2]:
                x, y = place[:, digit] % side, place[:, digit] // side
                track = np.stack([x, y], -1) * float(STRIDE)
                track[sure[:, digit] < 0.2] = np.nan
                pair[int(digit)] = direction(track)
            found.append(pair)
        return found


def _fit(network: nn.Module, steps: int, draw, rate: float, weights: Tensor | None = None) -> None:  # type: ignore[no-untyped-def]
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=max(2, steps))
    network.train()
    for _ in range(steps):
        pictures, target = draw()
        loss = F.cross_entropy(network(pictures), target, weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()


def _weights() -> Tensor:
    """Nearly every place of the detector is empty; its classes count so that both matter."""
    weights = torch.full((11,), 1.0)
    weights[NONE] = 0.05
    return weights


def _window(frame: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """(32, 32) around a centre, black beyond the border."""
    padded = np.pad(frame, WINDOW)
    x, y = (int(round(float(c))) + WINDOW - WINDOW // 2 for c in centre)
    return padded[y : y + WINDOW, x : x + WINDOW]


def _windows(source: MovingDigits, rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
    """Digits on a black canvas, cut about their centroid as in a video, moved a little and blurred at random."""
    rows = np.concatenate(source.rows("judge"))
    chosen = rows[rng.integers(len(rows), size=count)]
    windows = np.zeros((count, WINDOW, WINDOW), np.float32)
    for n, row in enumerate(chosen):
        frame = np.zeros((CANVAS, CANVAS), np.uint8)
        frame[18 : 18 + DIGIT, 18 : 18 + DIGIT] = source.images[row]
        windows[n] = _window(frame, centroids(frame[None])[0] + rng.uniform(-2, 2, 2))
    return _degraded(torch.from_numpy(windows)[:, None] / 255, rng), torch.from_numpy(
        source.labels[chosen].astype(np.int64)
    )


def _scenes(source: MovingDigits, rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
    """Frames with one or two digits anywhere, and the class of every place."""
    groups = source.rows("judge")
    frames = np.zeros((count, CANVAS, CANVAS), np.uint8)
    target = np.full((count, CANVAS // STRIDE, CANVAS // STRIDE), NONE, np.int64)
    for n in range(count):
        for digit in rng.permutation(10)[: 1 if rng.random() < 0.3 else 2]:
            image = source.images[groups[digit][rng.integers(len(groups[digit]))]]
            x, y = rng.integers(CANVAS - DIGIT + 1, size=2)
            window = frames[n, y : y + DIGIT, x : x + DIGIT]
            np.maximum(window, image, out=window)
            target[n, (y + DIGIT // 2) // STRIDE, (x + DIGIT // 2) // STRIDE] = digit
    return _degraded(torch.from_numpy(frames)[:, None].float() / 255, rng), torch.from_numpy(target)


def _degraded(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Blur, contrast and noise of random strength, the same for a batch: reconstructions are not as crisp as digits."""
    kernel = torch.tensor([1.0, 2.0, 1.0])
    kernel = (kernel[:, None] * kernel / 16)[None, None]
    blurred = F.conv2d(pictures, kernel, padding=1)
    mixed = torch.lerp(pictures, blurred, float(rng.uniform(0, 1))) * float(rng.uniform(0.8, 1.0))
    noise = torch.from_numpy(rng.normal(0, rng.uniform(0, 0.04), pictures.shape).astype(np.float32))
    return (mixed + noise).clamp(0, 1)


def centroids(video: np.ndarray) -> np.ndarray:
    """(T, H, W) brightness -> (T, 2) float64 x, y of the intensity's centre; NaN where a frame is nearly black."""
    weights = np.maximum(np.asarray(video, np.float64) - 32.0, 0.0)  # a reconstruction's faint grey does not count
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
