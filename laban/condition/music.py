"""Music as FACT hears it: 35 features at 60 frames per second, in its order, with beats that can be hinted.

Source: Li et al. 2021, released preprocessing (google-research/mint). Deviation: FACT reads the tempo from AIST's file
names; wild music has no such name, so a hint or the octave check of `beats` takes its place.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from laban.condition import beats as beat
from laban.condition import spectrum
from laban.condition.spectrum import FPS, RATE
from laban.errors import InputError
from laban.io.atomic import replacing

STRENGTH, MFCC, CHROMA, ONSET, BEAT = slice(0, 1), slice(1, 21), slice(21, 33), slice(33, 34), slice(34, 35)
WIDTH = 35
VERSION = 3  # of the features; a cached file of another version is made anew
SILENT = 10 ** (-60 / 20)  # peak amplitude: quieter excerpts have no beat to dance to
LOW_BANDS = 6  # mel bands under 170 Hz
CLEAR = 1.35  # onset strength on the beats over that half-way between them; below, the beats are a guess
UNEVEN = 0.06  # deviation of the gaps between beats over their median: speech has 0.1, drums up to 0.02
FALLBACK = 120.0  # bpm of the steady grid that stands in for beats that are not there
BPM = (40.0, 240.0)  # hints that are accepted


@dataclass(frozen=True, eq=False)
class Music:
    """An excerpt of a song, analysed.

    Attributes:
        features: (T, 35) float32 at 60 fps: onset strength 1, MFCC 20, CENS chroma 12, onset one-hot, beat one-hot.
        bpm: tempo of the beats.
        others: tempo -> score of the tempi that were weighed, best first; empty with a hint.
        clarity: how much stronger the onsets are on the beats than between them; 1 is none.
        notes: what a user should know: silence, an unclear beat.
    """

    features: np.ndarray
    bpm: float
    others: dict[float, float]
    clarity: float
    notes: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """T."""
        return len(self.features)

    @property
    def beats(self) -> np.ndarray:
        """(K,) frames."""
        return np.flatnonzero(self.features[:, BEAT][:, 0] > 0.5)

    @property
    def onsets(self) -> np.ndarray:
        """(K,) frames."""
        return np.flatnonzero(self.features[:, ONSET][:, 0] > 0.5)

    def crop(self, first: int, last: int) -> Music:
        """The frames from `first` to `last` (excluded)."""
        return Music(self.features[first:last], self.bpm, self.others, self.clarity, self.notes)


def analyse(samples: np.ndarray, bpm: float | None = None, prior: float | None = None) -> Music:
    """The features and beats of (N,) samples at 30,720 Hz.

    Args:
        samples: float32, one channel; at least a quarter of a second.
        bpm: a hint of the tempo, which then is followed within a tenth of an octave; no octave is doubted.
        prior: where the tracker starts, as FACT does with AIST's names; the octave is not checked. Not with `bpm`.
    Returns: Music. A silent excerpt, or one in which no beat is found, gets a steady grid at the hint or at 120 bpm,
        and says so in `notes`; noise and speech get the beats that the tracker makes of them, and a note.
    Raises: InputError for a hint outside BPM, too few samples, or NaN.
    """
    if bpm is not None and not BPM[0] <= bpm <= BPM[1]:
        raise InputError(f"bpm is {bpm}; expected {BPM[0]:g} to {BPM[1]:g}. Leave it out to have it estimated.")
    if samples.ndim != 1 or len(samples) < RATE // 4:
        raise InputError(f"music: {samples.shape} samples; expected one channel of at least a quarter of a second.")
    if not np.isfinite(samples).all():
        raise InputError("music: samples hold NaN or infinity. Export the song again.")
    mel = spectrum.mel_decibels(samples)
    envelope = spectrum.onset_strength(mel)
    notes: list[str] = []
    others: dict[float, float] = {}
    if float(np.abs(samples).max()) < SILENT:
        envelope = np.zeros_like(envelope)
        chosen, found = bpm or FALLBACK, np.zeros(0, np.int64)
    elif bpm is not None or prior is not None:
        hinted = {"width": beat.HINT_WIDTH, "reach": beat.HINT_REACH} if bpm is not None else {}
        chosen = beat.tempo(envelope, bpm or prior or FALLBACK, **hinted)
        found = beat.track(envelope, chosen)
    else:
        chosen, weighed = beat.estimate(envelope, spectrum.onset_strength(mel[:, :LOW_BANDS]))
        others = dict(sorted(weighed.items(), key=lambda item: -item[1]))
        found = beat.track(envelope, chosen)
    clarity = 1.0
    if len(found) < 4:
        chosen = bpm or FALLBACK
        found = np.arange(0, len(envelope), 60.0 * FPS / chosen).round().astype(np.int64)
        found = found[found < len(envelope)]
        notes.append(f"no beat was found, so a steady {chosen:g} bpm is danced to; --bpm sets another")
    else:
        clarity, chosen = contrast(envelope, found), beat.rate(found)
        if clarity < CLEAR or beat.unevenness(found) > UNEVEN:
            told = f"{chosen:.0f} bpm is a guess, --bpm sets it" if bpm is None else f"{chosen:.0f} bpm follows --bpm"
            notes.append(f"the beat is unclear (noise, speech, free time); {told}")
    features = np.concatenate(
        [
            envelope[:, None],
            spectrum.mfcc(mel),
            spectrum.cens(samples),
            _one_hot(beat.onsets(envelope), len(envelope)),
            _one_hot(found, len(envelope)),
        ],
        axis=1,
    ).astype(np.float32)
    return Music(features, float(chosen), others, clarity, tuple(notes))


def contrast(envelope: np.ndarray, beats: np.ndarray) -> float:
    """Mean onset strength within a frame of the beats over that of places half-way between them."""
    x = np.maximum(np.maximum(envelope, np.roll(envelope, 1)), np.roll(envelope, -1))
    quarter = beats[:-1] + np.round(np.diff(beats) * 0.31).astype(np.int64)  # off every common subdivision
    return float(x[beats].mean() / max(float(x[quarter].mean()), 1e-6))


def _one_hot(frames: np.ndarray, count: int) -> np.ndarray:
    column = np.zeros((count, 1), np.float32)
    column[frames] = 1.0
    return column


def cache_folder() -> Path:
    """Where analysed excerpts are kept: $LABAN_CACHE, or ~/.cache/laban."""
    place = os.environ.get("LABAN_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "laban"
    )
    return Path(place) / "music"


def cached(samples: np.ndarray, bpm: float | None = None, folder: Path | None = None) -> Music:
    """`analyse`, kept in a file that is named by the hash of the samples, the hint and VERSION.

    A folder that cannot be written, or a damaged file, costs only the time to analyse.
    """
    digest = hashlib.sha256(f"{VERSION} {bpm} ".encode())
    digest.update(np.ascontiguousarray(samples, np.float32).data)
    path = (folder or cache_folder()) / f"{digest.hexdigest()[:32]}.npz"
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
            features = held["features"]
            if features.ndim == 2 and features.shape[1] == WIDTH and np.isfinite(features).all():
                others = dict(zip(held["tempi"].tolist(), held["scores"].tolist(), strict=True))
                notes = tuple(str(note) for note in held["notes"])
                return Music(features, float(held["bpm"]), others, float(held["clarity"]), notes)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        pass
    music = analyse(samples, bpm)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file, features=music.features, bpm=music.bpm, clarity=music.clarity, tempi=np.array(list(music.others)),
                scores=np.array(list(music.others.values())), notes=np.array(music.notes, dtype=np.str_),
            )  # fmt: skip
    except (OSError, InputError):
        pass
    return music
