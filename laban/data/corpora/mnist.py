"""Moving MNIST with captions, our own: videos made on the fly from the digits of an MNIST file.

One or two 28 x 28 digits move over a black canvas of 64 x 64 pixels for ten frames; where they overlap the brighter
pixel stands. Six motions: IRC-GAN's four, "up then down" (0), "down then up" (1), "left then right" (2), "right then
left" (3), and Sync-DRAW's two, "up and down" (4) and "left and right" (5), which bounce between the borders and begin
downwards or to the right. Digit d is never trained with motion (d + 2) mod 4, so held-out pairs test composition.

Source: the data of Sync-DRAW (Mittal et al. 2017) and IRC-GAN (Deng et al. 2019) as GODIVA uses them; only facts
about them are used here. Deviations: a step is 8 pixels, not 7.2, and places lie on a lattice of 4 pixels, so that a
tokenizer of stride 8 sees a digit in one phase per video; `step` and `lattice` change that. The captions are GODIVA's.
"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from laban.data.videos import Drawn, Example, VideoSource
from laban.errors import FormatError, InputError

MOTIONS = ("up then down", "down then up", "left then right", "right then left", "up and down", "left and right")
CANVAS, DIGIT = 64, 28
SPLITS = {"train": 0.65, "val": 0.05, "judge": 0.15, "test": 0.15}
"""Shares of the digits: the generator sees train and val, judges are trained on judge, real test videos are of test."""


@dataclass(frozen=True)
class DigitsConfig:
    """How the videos are made."""

    frames: int = 10
    step: float = 8.0  # pixels per frame; places are rounded to pixels
    lattice: int = 4  # pixels; places of a video's start are multiples of it; 1: any
    doubles: float = 0.2  # share of videos with two digits
    motions: tuple[int, ...] = (0, 1, 2, 3, 4, 5)

    def __post_init__(self) -> None:
        if not 1 <= self.lattice <= CANVAS - DIGIT or not 0 < self.step <= CANVAS - DIGIT:
            raise InputError(f"DigitsConfig: got step {self.step:g}, lattice {self.lattice}; expected 1 to 36 pixels.")
        if not 0 <= self.doubles <= 1 or self.frames < 2:
            raise InputError(
                f"DigitsConfig: got doubles {self.doubles:g} and {self.frames} frames; expected 0 to 1, at least 2."
            )
        if not self.motions or not set(self.motions) <= set(range(len(MOTIONS))):
            raise InputError(f"DigitsConfig.motions: got {self.motions}, expected numbers from 0 to 5.")


def held_out(digit: int, motion: int) -> bool:
    """Whether this pair never occurs in training."""
    return motion == (digit + 2) % 4


def caption(subjects: list[tuple[int, int]], form: int = 0) -> str:
    """The sentence for (digit, motion) pairs; one digit has two forms."""
    if len(subjects) == 1:
        digit, motion = subjects[0]
        return f"Digit {digit} {'is moving' if form == 0 else 'moves'} {MOTIONS[motion]}."
    (a, m), (b, n) = subjects
    return f"Digit {a} moves {MOTIONS[m]} while digit {b} moves {MOTIONS[n]}."


def along(motion: int, config: DigitsConfig, start: int = 0) -> np.ndarray:
    """(T,) pixels from the upper or left end of a motion's way, before rounding; bounces begin `start` steps from it.

    "A then B": as many steps A as B with a rest of one frame between, as far as the canvas allows. "A and B": whole
    steps from border to border and back.
    """
    free, t = CANVAS - DIGIT, np.arange(config.frames)
    if motion < 4:
        turn = (config.frames - 1) // 2
        reach = min(turn * config.step, free)
        way = reach * np.minimum(np.minimum(t, config.frames - 1 - t) / max(turn, 1), 1.0)
        return reach - way if motion in (0, 2) else way  # up and left begin at the far end
    reach = starts(config) * config.step
    return reach - np.abs((start * config.step + config.step * t) % (2 * reach) - reach)


def starts(config: DigitsConfig) -> int:
    """From how many places a bounce may begin: all that leave a step in its first direction."""
    return int((CANVAS - DIGIT) / config.step + 1e-6)


def path(motion: int, config: DigitsConfig, rng: np.random.Generator) -> np.ndarray:
    """(T, 2) int x, y of the digit's upper left corner; where the way lies on the canvas is random."""
    free = CANVAS - DIGIT
    across = _place(rng, free, config.lattice)
    way = along(motion, config, int(rng.integers(starts(config))))
    way = way + _place(rng, free - int(np.ceil(way.max())), config.lattice)
    places = np.clip(np.round(way), 0, free).astype(np.int64)
    still = np.full(config.frames, across)
    return np.stack([still, places] if motion in (0, 1, 4) else [places, still], axis=1)


def _place(rng: np.random.Generator, free: int, lattice: int) -> int:
    return int(rng.integers(max(0, free) // lattice + 1)) * lattice


def render(images: list[np.ndarray], paths: list[np.ndarray]) -> np.ndarray:
    """(T, 64, 64) uint8 of digits (28, 28) uint8 along paths (T, 2), the brighter pixel on top."""
    frames = np.zeros((len(paths[0]), CANVAS, CANVAS), np.uint8)
    for image, places in zip(images, paths, strict=True):
        for frame, (x, y) in zip(frames, places, strict=True):
            window = frame[y : y + DIGIT, x : x + DIGIT]
            np.maximum(window, image, out=window)
    return frames


class MovingDigits(VideoSource):
    """Videos of moving digits: endless, and a function of the random generator alone.

    Args:
        images: (N, 28, 28) uint8.
        labels: (N,) the digits. Every split needs every digit.
    """

    names = ("mnist",)
    licences = ("MNIST (LeCun, Cortes, Burges), commonly distributed under CC BY-SA 3.0",)

    def __init__(self, images: np.ndarray, labels: np.ndarray, config: DigitsConfig | None = None) -> None:
        self.config = config or DigitsConfig()
        self.images, self.labels = images, labels
        self.frames, self.size, self.channels = self.config.frames, CANVAS, 1
        self.mean, self.std = np.full(1, 0.1, np.float32), np.full(1, 0.3, np.float32)
        order = np.random.default_rng(20210414).permutation(len(images))
        self._rows: dict[str, list[np.ndarray]] = {name: [] for name in SPLITS}
        for digit in range(10):
            rows = order[labels[order] == digit]
            ends = np.cumsum([round(share * len(rows)) for share in SPLITS.values()])[:-1]
            for name, part in zip(SPLITS, np.split(rows, ends), strict=True):
                if len(part) == 0:
                    raise InputError(f"digits: {len(rows)} images of {digit} are too few; split {name!r} gets none.")
                self._rows[name].append(part)

    @classmethod
    def open(cls, file: str | Path, config: DigitsConfig | None = None) -> MovingDigits:
        """From a .tar with MNIST's idx files in it, or a folder of them. Raises: FormatError, InputError."""
        return cls(*read_mnist(file), config)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the digits and of how videos are made."""
        digest = hashlib.sha256(self.images.tobytes() + self.labels.tobytes())
        digest.update(repr(sorted(asdict(self.config).items())).encode())
        return digest.hexdigest()[:16]

    def captions(self) -> list[str]:
        """Every form with every digit and motion."""
        singles = [caption([(d, m)], form) for form in (0, 1) for d in range(10) for m in self.config.motions]
        return singles + [caption([(0, self.config.motions[0]), (1, self.config.motions[0])])]

    def count(self, split: str) -> int:
        """Digits of a split. Raises InputError for an unknown one."""
        return sum(len(rows) for rows in self.rows(split))

    def summary(self) -> list[str]:
        """For the model card."""
        return [
            f"Trained on moving digits made on the fly from {self.count('train')} MNIST digits "
            f"(the file's other {len(self.images) - self.count('train')} are for validation, judges and tests); "
            "digit d never moves by motion (d + 2) mod 4.",
        ]

    def draw(
        self, rng: np.random.Generator, split: str, *, seen: bool | None = True, digits: int | None = None
    ) -> Example:
        """One video.

        Args:
            rng: the source of randomness.
            split: of the digits; train, val, judge or test.
            seen: True: pairs of digit and motion that training has; False: the held-out ones; None: all.
            digits: 1 or 2; None: as the configuration says.
        """
        self.rows(split)
        if digits is None:
            digits = 2 if rng.random() < self.config.doubles else 1
        pairs = self.pairs(seen=seen)
        subjects = [pairs[rng.integers(len(pairs))]]
        if digits == 2:
            others = [pair for pair in pairs if pair[0] != subjects[0][0]]
            subjects.append(others[rng.integers(len(others))])
        return self.make(rng, split, subjects, form=int(rng.integers(2)))

    def pairs(self, *, seen: bool | None) -> list[tuple[int, int]]:
        """(digit, motion) that training has (True), that are held out (False), or all. Raises InputError if none is."""
        every = [(d, m) for d in range(10) for m in self.config.motions]
        pairs = [pair for pair in every if seen is None or held_out(*pair) is not seen]
        if not pairs:
            raise InputError(f"digits: no pair with a motion of {self.config.motions} is held out; use seen=True.")
        return pairs

    def make(self, rng: np.random.Generator, split: str, subjects: list[tuple[int, int]], form: int = 0) -> Example:
        """The video of given (digit, motion) pairs with random digits of a split on random paths."""
        rows = self.rows(split)
        images = [self.images[rows[d][rng.integers(len(rows[d]))]] for d, _ in subjects]
        frames = render(images, [path(m, self.config, rng) for _, m in subjects])
        labels = {f"{kind}{n}": v for n, pair in enumerate(subjects) for kind, v in zip("dm", pair, strict=True)}
        return Example(frames[..., None], caption(subjects, form), labels)

    def stream(self, split: str) -> Drawn:
        """Training examples of a split."""
        self.rows(split)
        return Drawn(lambda rng: self.draw(rng, split))

    def rows(self, split: str) -> list[np.ndarray]:
        """For each digit the numbers of its images in a split. Raises InputError for an unknown split."""
        if split not in self._rows:
            raise InputError(f"digits: split {split!r}: expected one of {', '.join(SPLITS)}.")
        return self._rows[split]


def read_mnist(file: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, 28, 28) uint8 and labels (N,) uint8 of all idx files in a .tar or a folder, gzipped or not.

    Raises: InputError if the place is not there or holds no MNIST; FormatError if a file is damaged.
    """
    file = Path(file)
    if not file.exists():
        raise InputError(f"{file}: no such file; expected mnist.tar or a folder with MNIST's idx files.")
    raw: dict[str, bytes] = {}
    try:
        if file.is_dir():
            raw = {p.name: p.read_bytes() for p in sorted(file.rglob("*-idx?-ubyte*"))}
        else:
            with tarfile.open(file) as tar:
                for member in tar:
                    if member.isfile() and "-idx" in member.name and member.size < 1 << 28:
                        opened = tar.extractfile(member)
                        assert opened is not None
                        raw[Path(member.name).name] = opened.read()
        parts = {name: _idx(name, data) for name, data in sorted(raw.items())}
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise FormatError(f"{file}: not a readable archive of MNIST ({reason}); fetch it again.") from None
    images = [parts[n] for n in parts if "images-idx3" in n]
    labels = [parts[n] for n in parts if "labels-idx1" in n]
    if not images or [len(a) for a in images] != [len(b) for b in labels]:
        raise InputError(
            f"{file}: holds {sorted(raw)}; expected images-idx3-ubyte and labels-idx1-ubyte, as MNIST has."
        )
    if any(a.shape[1:] != (DIGIT, DIGIT) for a in images) or any(b.max(initial=0) > 9 for b in labels):
        raise FormatError(f"{file}: images are not 28 x 28, or a label is above 9; expected MNIST.")
    return np.concatenate(images), np.concatenate(labels)


def _idx(name: str, data: bytes) -> np.ndarray:
    """An idx file of unsigned bytes."""
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if len(data) < 8 or data[:3] != b"\0\0\x08" or not 1 <= data[3] <= 3:
        raise FormatError(f"{name}: not an idx file of bytes; expected MNIST's.")
    count = data[3]
    shape = tuple(int.from_bytes(data[4 + 4 * k : 8 + 4 * k], "big") for k in range(count))
    body = data[4 + 4 * count :]
    if len(body) != int(np.prod(shape, dtype=np.int64)):
        raise FormatError(f"{name}: has {len(body)} bytes for shape {shape}; it is cut off. Fetch it again.")
    return np.frombuffer(body, np.uint8).reshape(shape)
