"""Sound files: wav, flac, ogg and mp3 through libsndfile, one decoder everywhere, resampled here.

Files are read in blocks and only where they are asked for, so a song of two hours costs what its excerpt costs.
One decoder matters: another one returned 25 ms fewer samples of the same mp3, half of the tolerance of a beat.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from laban.errors import FormatError, InputError
from laban.io.atomic import replacing

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")
RATES = (1_000, 768_000)  # Hz
SECONDS_PER_BLOCK = 2.0
LONGEST = 900.0  # seconds of one excerpt
ZEROS = 24  # zero crossings of the resampling kernel to each side
BETA = 9.0  # of its Kaiser window: about 90 dB of rejection


@dataclass(frozen=True, eq=False)
class Sound:
    """An excerpt of a sound file.

    Attributes:
        samples: (N,) float32, the mean of the channels, [-1, 1] as decoded.
        rate: samples per second.
        start: seconds into the file at which the excerpt begins.
        total: seconds that the file's header says it lasts.
        complete: False when the file ended, or could not be decoded further, before the place it promised.
    """

    samples: np.ndarray
    rate: int
    start: float
    total: float
    complete: bool = True

    @property
    def seconds(self) -> float:
        """Length of the excerpt."""
        return len(self.samples) / self.rate


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import soundfile

    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: unknown suffix {path.suffix or '(none)'!r}; expected one of {' '.join(SUFFIXES)}.")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    refusal = f"{path}: is no sound that can be decoded. Give a wav, flac, ogg or mp3 file that a player opens."
    if not _may_be_sound(path):
        raise FormatError(refusal)
    try:
        with _hushed():
            file = soundfile.SoundFile(str(path))
    except (soundfile.LibsndfileError, RuntimeError, TypeError):
        raise FormatError(refusal) from None
    with file:
        if not RATES[0] <= file.samplerate <= RATES[1] or not 1 <= file.channels <= 64:
            raise FormatError(
                f"{path}: {file.channels} channels at {file.samplerate} Hz; expected 1 to 64 channels and "
                f"{RATES[0]} to {RATES[1]} Hz. Convert it first."
            )
        yield file


@contextmanager
def _hushed() -> Iterator[None]:
    """Keeps what libmpg123 writes to stderr about damaged files from the user: what matters is said by `read`."""
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, ValueError, AttributeError):  # no stderr
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _may_be_sound(path: Path) -> bool:
    """Whether the first 64 KiB hold a mark of a sound format; libmpg123 would search any text for one, and say so."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if head[:4] in (b"RIFF", b"RF64", b"riff", b"fLaC", b"OggS", b"FORM") or head[:3] == b"ID3":
        return True
    return any(a == 0xFF and b >= 0xE0 for a, b in zip(head, head[1:], strict=False))


def length(path: str | Path) -> float:
    """Seconds that a sound file lasts, by its header. Raises: as `read`."""
    with _opened(Path(path)) as file:
        return file.frames / file.samplerate


def blocks(path: str | Path, start: float = 0.0, seconds: float | None = None) -> Iterator[tuple[np.ndarray, int]]:
    """The decoded samples of an excerpt, some seconds at a time.

    Yields: (n, channels) float32 as decoded and the file's rate; less than was asked for if the file ends or is
        damaged before.
    Raises: as `read`.
    """
    import soundfile

    path = Path(path)
    with _opened(path) as file:
        first = round(start * file.samplerate)
        left = math.inf if seconds is None else round(seconds * file.samplerate)
        try:
            if first:
                file.seek(min(first, file.frames))
            while left > 0:
                block = file.read(int(min(left, SECONDS_PER_BLOCK * file.samplerate)), dtype="float32", always_2d=True)
                if not len(block):
                    return
                if not np.isfinite(block).all():
                    raise FormatError(f"{path}: holds samples that are NaN or infinite. Export the song again.")
                left -= len(block)
                yield block, file.samplerate
        except (soundfile.LibsndfileError, RuntimeError):
            return  # damaged from here on: what was decoded is what there is


def read(path: str | Path, rate: int = 30_720, start: float = 0.0, seconds: float | None = None) -> Sound:
    """An excerpt of a sound file as one channel at a rate.

    Args:
        path: ends in one of SUFFIXES.
        rate: samples per second of the result.
        start: seconds into the file.
        seconds: length of the excerpt, at most LONGEST; None: to the end, but no more than LONGEST.
    Raises: InputError for another suffix, no file, or a start outside the song; FormatError for a file that cannot be
        decoded or holds NaN.
    """
    path = Path(path)
    with _opened(path) as file:
        total, native = file.frames / file.samplerate, file.samplerate
    if not (math.isfinite(start) and 0 <= start < total):
        raise InputError(f"{path}: start is {start:g} s; the song lasts {total:.2f} s. Start earlier.")
    wanted = min(LONGEST, total - start, math.inf if seconds is None else seconds)
    parts = list(_resampled((block.mean(axis=1) for block, _ in blocks(path, start, wanted)), native, rate))
    samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return Sound(samples, rate, start, total, len(samples) / rate >= wanted - 0.1)


def resample(samples: np.ndarray, source: int, rate: int) -> np.ndarray:
    """(N,) samples at another rate, (round up of N rate / source,) float32, no delay; silence is assumed around."""
    parts = list(_resampled(iter([np.asarray(samples, np.float32)]), source, rate))
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


@lru_cache(maxsize=4)
def _kernel(up: int, down: int) -> tuple[np.ndarray, int]:
    """Windowed sinc for each of `up` phases, (up, taps) float32, and taps to the left of the current sample."""
    cutoff = min(1.0, up / down)
    reach = math.ceil(ZEROS / cutoff)
    phase = (np.arange(up) * down % up) / up
    at = np.arange(-reach + 1, reach + 1)[None, :] - phase[:, None]  # sample minus place, in source samples
    window = np.i0(BETA * np.sqrt(np.maximum(0.0, 1 - (at * cutoff / ZEROS) ** 2))) / np.i0(BETA)
    taps = cutoff * np.sinc(cutoff * at) * window
    return (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32), reach - 1


def _resampled(parts: Iterator[np.ndarray], source: int, rate: int) -> Iterator[np.ndarray]:
    """Blocks at `source` Hz -> blocks at `rate` Hz, by polyphase filtering with memory across blocks."""
    if source == rate:
        yield from parts
        return
    common = math.gcd(source, rate)
    up, down = rate // common, source // common
    kernel, left = _kernel(up, down)
    taps = kernel.shape[1]
    held = np.zeros(left, np.float32)  # source samples from number `origin` on
    origin, made, seen = -left, 0, 0

    def emit(last: int) -> Iterator[np.ndarray]:
        """All outputs up to number `last` (excluded), as far as `held` reaches."""
        nonlocal held, origin, made
        windows = np.lib.stride_tricks.sliding_window_view(held, taps)
        while made < last:
            n = np.arange(made, min(last, made + 16_384), dtype=np.int64)
            first = n * down // up - left - origin
            yield np.einsum("nk,nk->n", windows[first], kernel[n % up])
            made = int(n[-1]) + 1
        drop = made * down // up - left - origin
        held, origin = held[drop:], origin + drop

    for part in parts:
        held = np.concatenate([held, part.astype(np.float32)])
        seen += len(part)
        ready = (origin + len(held) - (taps - left) + 1) * up // down  # outputs whose whole window is here
        if ready > made:
            yield from emit(ready)
    held = np.concatenate([held, np.zeros(taps, np.float32)])
    yield from emit(-(-seen * up // down))


def write(samples: np.ndarray, rate: int, path: str | Path) -> None:
    """Write (N,) or (N, channels) float samples in [-1, 1] as .wav (16 bit), .flac, .ogg (Vorbis) or .mp3.

    Raises: InputError for another suffix or a place that cannot be written.
    """
    import soundfile

    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: unknown suffix {path.suffix or '(none)'!r}; expected one of {' '.join(SUFFIXES)}.")
    kind = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG", ".mp3": "MP3"}[path.suffix.lower()]
    with replacing(path) as temporary:
        try:
            with soundfile.SoundFile(
                str(temporary), "w", rate, 1 if samples.ndim == 1 else samples.shape[1], format=kind
            ) as file:
                step = rate  # libsndfile's Vorbis encoder overflows its stack on long writes
                for at in range(0, len(samples), step):
                    file.write(np.asarray(samples[at : at + step], np.float32))
        except soundfile.LibsndfileError as error:
            raise InputError(f"{path}: cannot be written ({error}). Name another file or rate.") from None
