"""Spectra of music at 60 frames per second: mel, onset strength, MFCC, CENS chroma. numpy only.

Settings are those of librosa 0.11 as FACT calls it; librosa itself is the oracle of the tests and no dependency.
All work is done some thousand frames at a time, so memory grows with the result, not with the spectrogram.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

RATE, HOP, FFT = 30_720, 512, 2048
MELS, MFCCS, CHROMA = 128, 20, 12
FPS = RATE / HOP  # 60
CHUNK = 1024  # frames
LOWEST_NOTE = 32.70319566257483  # Hz, C1
OCTAVES, PER_OCTAVE = 7, 36
CENS_WINDOW = 41  # frames


def frame_count(samples: int) -> int:
    """Frames of so many samples: 1 + N // HOP."""
    return 1 + samples // HOP


def hann(length: int, *, periodic: bool = True) -> np.ndarray:
    """Raised cosine of `length` points."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / (length if periodic else length - 1))


def _frames(samples: np.ndarray, size: int, hop: int) -> Iterator[np.ndarray]:
    """Centred frames (up to CHUNK, size), zeros beyond the ends."""
    padded = np.pad(samples.astype(np.float32, copy=False), size // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    for at in range(0, len(windows), CHUNK):
        yield windows[at : at + CHUNK]


@lru_cache(maxsize=2)
def mel_filters(rate: int = RATE, fft: int = FFT, mels: int = MELS) -> np.ndarray:
    """(fft/2 + 1, mels) triangles on Slaney's mel scale, each of area 1 (Slaney 1998)."""
    step = 200.0 / 3  # Hz per mel below 1 kHz; above, 27 mels are a factor of 6.4
    top = 15.0 + 27.0 * math.log(rate / 2 / 1000.0) / math.log(6.4)
    mel = np.linspace(0.0, top, mels + 2)
    edges = np.where(mel < 15.0, mel * step, 1000.0 * np.exp(math.log(6.4) / 27.0 * (mel - 15.0)))
    bins = np.arange(fft // 2 + 1) * rate / fft
    rising = (bins[:, None] - edges[None, :-2]) / np.diff(edges)[None, :-1]
    falling = (edges[None, 2:] - bins[:, None]) / np.diff(edges)[None, 1:]
    filters = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))
    return filters.astype(np.float32)


def decibels(power: np.ndarray) -> np.ndarray:
    """10 log10 of a power spectrum (in place), at most 80 below its maximum."""
    np.maximum(power, 1e-10, out=power)
    np.log10(power, out=power)
    power *= 10.0
    if power.size:
        np.maximum(power, power.max() - 80.0, out=power)
    return power


def mel_decibels(samples: np.ndarray) -> np.ndarray:
    """(N,) samples at RATE -> (T, MELS) float32 decibels, Hann windows of FFT samples."""
    window, filters = hann(FFT).astype(np.float32), mel_filters()
    rows = np.empty((frame_count(len(samples)), MELS), np.float32)
    at = 0
    for part in _frames(samples, FFT, HOP):
        spectrum = np.fft.rfft(part * window, axis=1).astype(np.complex64)
        rows[at : at + len(part)] = (spectrum.real**2 + spectrum.imag**2) @ filters
        at += len(part)
    return decibels(rows)


def onset_strength(mel: np.ndarray) -> np.ndarray:
    """(T, MELS) decibels -> (T,) mean rise over the mel bands, moved right by the 3 frames of lag and centring."""
    rise = np.maximum(0.0, np.diff(mel, axis=0)).mean(axis=1)
    return np.concatenate([np.zeros(3, np.float32), rise])[: len(mel)].astype(np.float32)


def mfcc(mel: np.ndarray) -> np.ndarray:
    """(T, MELS) decibels -> (T, 20): orthonormal DCT-II."""
    place = (np.arange(MELS) + 0.5) * np.pi / MELS
    basis = np.cos(np.outer(place, np.arange(MFCCS))) * np.sqrt(2.0 / MELS)
    basis[:, 0] /= np.sqrt(2.0)
    return mel @ basis.astype(np.float32)


def tuning(samples: np.ndarray) -> float:
    """Deviation from A = 440 Hz in fractions of a bin of PER_OCTAVE, [-0.5, 0.5): the commonest residual of peaks.

    Peaks are spectral maxima between 150 and 4000 Hz above a tenth of their frame's largest, by parabolas.
    """
    window = hann(FFT).astype(np.float32)
    pitches, sizes = [], []
    low, high = math.ceil(150 * FFT / RATE), math.ceil(4000 * FFT / RATE)
    for part in _frames(samples, FFT, HOP):
        size = np.abs(np.fft.rfft(part * window, axis=1)).astype(np.float32)
        middle, before, after = size[:, 1:-1], size[:, :-2], size[:, 2:]
        slope, bend = (after - before) / 2, 2 * middle - after - before
        shift = np.where(np.abs(bend) > 1e-12, slope / np.where(np.abs(bend) > 1e-12, bend, 1.0), 0.0)
        peak = (middle > before) & (middle >= after) & (middle > 0.1 * size.max(axis=1, keepdims=True))
        peak[:, : low - 1] = False
        peak[:, high - 1 :] = False
        row, column = np.nonzero(peak)
        pitches.append((column + 1 + shift[row, column]) * RATE / FFT)
        sizes.append(middle[row, column] + 0.5 * slope[row, column] * shift[row, column])
    pitch, size = np.concatenate(pitches), np.concatenate(sizes)
    if not len(pitch):
        return 0.0
    pitch = pitch[size >= np.median(size)]
    residual = np.mod(PER_OCTAVE * np.log2(np.maximum(pitch, 1e-6) / 27.5), 1.0)
    residual[residual >= 0.5] -= 1.0
    counts, edges = np.histogram(residual, np.linspace(-0.5, 0.5, 101))
    return float(edges[np.argmax(counts)])


def _halved(samples: np.ndarray) -> np.ndarray:
    """Every second sample after a half-band filter of 127 taps (Kaiser), no delay."""
    reach = 63
    at = np.arange(-reach, reach + 1)
    taps = 0.5 * np.sinc(at / 2) * np.kaiser(2 * reach + 1, 10.0)
    taps /= taps.sum()
    padded = np.pad(samples, reach)
    count = (len(samples) + 1) // 2
    out = np.zeros(count, np.float32)
    for tap, shift in zip(taps.astype(np.float32), range(2 * reach + 1), strict=True):
        if abs(tap) > 1e-9:
            out += tap * padded[shift : shift + 2 * count - 1 : 2][:count]
    return out


def cens(samples: np.ndarray) -> np.ndarray:
    """(N,) samples at RATE -> (T, 12) chroma energy normalised statistics.

    A constant-Q magnitude spectrum of 7 octaves of 36 bins from C1, tuned to the song, folded into 12 classes,
    normalised to sum 1, quantised at .05, .1, .2 and .4, smoothed over 41 frames, normalised to length 1.
    Source: Mueller and Ewert 2011; settings of librosa's chroma_cens. Deviation: octaves are halved by another
    low-pass filter, and there is no sparsification of the filters; both change values by some thousandths.
    """
    total = frame_count(len(samples))
    lowest = LOWEST_NOTE * 2.0 ** (tuning(samples) / PER_OCTAVE)
    ratio = 2.0 ** (2.0 / PER_OCTAVE)
    quality = (ratio + 1) / (ratio - 1)
    chroma = np.zeros((total, CHROMA), np.float32)
    signal = samples.astype(np.float32, copy=False)
    for octave in range(OCTAVES - 1, -1, -1):
        fold = 2 ** (OCTAVES - 1 - octave)
        notes = lowest * 2.0 ** (octave + np.arange(PER_OCTAVE) / PER_OCTAVE)
        lengths = quality * RATE / fold / notes
        size = 2 ** math.ceil(math.log2(lengths.max()))
        basis = np.zeros((PER_OCTAVE, size), np.complex128)
        for k, (note, long) in enumerate(zip(notes, lengths, strict=True)):
            at = np.arange(math.floor(-long / 2), math.floor(long / 2))
            wave = np.exp(2j * np.pi * note * fold / RATE * at) * hann(len(at))
            start = (size - len(at)) // 2
            basis[k, start : start + len(at)] = wave / np.abs(wave).sum() * math.sqrt(long * fold)
        spectrum = np.fft.fft(basis, axis=1)[:, : size // 2 + 1].conj().T.astype(np.complex64) / size
        row = 0
        for part in _frames(signal, size, HOP // fold):
            part = part[: total - row]
            power = np.abs(np.fft.rfft(part, axis=1).astype(np.complex64) @ spectrum)
            folded = np.roll(power, 1, axis=1).reshape(len(part), CHROMA, PER_OCTAVE // CHROMA).sum(axis=2)
            chroma[row : row + len(part)] += folded
            row += len(part)
        if octave:
            signal = _halved(signal)
    chroma /= np.maximum(chroma.sum(axis=1, keepdims=True), 1e-30)
    steps = 0.25 * np.stack([chroma > step for step in (0.4, 0.2, 0.1, 0.05)]).sum(axis=0)
    window = hann(CENS_WINDOW + 2, periodic=False)
    window /= window.sum()
    smooth = np.stack([np.convolve(steps[:, c], window, mode="full") for c in range(CHROMA)], axis=1)
    smooth = smooth[len(window) // 2 : len(window) // 2 + total]
    return (smooth / np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-12)).astype(np.float32)
