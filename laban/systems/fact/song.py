"""From a song on disk to music that FACT can hear, and from its dance to one that keeps the beat, with scores."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from laban.condition import music
from laban.condition.music import Music
from laban.condition.spectrum import FPS, RATE
from laban.errors import InputError
from laban.io import audio
from laban.metrics.dance import beat_alignment, kinematic_beats, rests
from laban.motion import warp
from laban.motion.motion import Motion
from laban.motion.warp import LockSettings
from laban.systems.requests import MusicRequest

MIN_SECONDS = 2.0  # seconds of song left after the start
AROUND = 6.0  # seconds of song to each side that the beat tracker hears besides


@dataclass(frozen=True, eq=False)
class Heard:
    """A song's excerpt as FACT hears it.

    Attributes:
        music: analysed; begins `first` frames before the dance and goes on a little after it.
        first: rows before the dance.
        frames: of the dance.
        path: where the sound is.
        start: where the sound is.
        total: seconds of the whole song.
        notes: what a user should know.
    """

    music: Music
    first: int
    frames: int
    path: Path
    start: float
    total: float
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Length of the dance."""
        return self.frames / FPS

    @property
    def dance(self) -> Music:
        """The rows of the dance alone."""
        return self.music.crop(self.first, self.first + self.frames)

    def request(self, seed_motion: Motion | None = None) -> MusicRequest:
        """What `Fact.generate` takes."""
        features = self.music.features
        return MusicRequest(
            features[self.first :], self.seconds, features[: self.first], seed_motion, f"a dance to {self.path.name}"
        )


def listen(
    path: str | Path, seconds: float = 30.0, start: float = 0.0, bpm: float | None = None, *, cache: bool = True
) -> Heard:
    """Decode and analyse the part of a song that is to be danced to, with a little around it for the beat tracker.

    The rest of the song is not decoded, so time and memory depend on `seconds` alone. A song that ends before is
    danced to until its end.

    Args:
        path: a sound file.
        seconds: length of the dance.
        start: second in the song at which it begins.
        bpm: a hint of the tempo.
        cache: keep the analysis in the user's cache folder.
    Raises: InputError for a song or rest of it shorter than MIN_SECONDS, a start outside it, a bad hint; FormatError
        for a file that is no sound.
    """
    path = Path(path)
    total = audio.length(path)
    if not 0 <= start < total:
        raise InputError(f"{path}: start is {start:g} s; the song lasts {total:.2f} s. Start earlier.")
    begin = max(0.0, start - AROUND)
    sound = audio.read(path, RATE, begin, start - begin + seconds + AROUND)
    left = begin + sound.seconds - start
    if left < MIN_SECONDS:
        what = f"the song lasts {sound.total:.2f} s" if start == 0 else f"{max(left, 0):.2f} s of song follow --start"
        raise InputError(f"{path}: {what}; expected at least {MIN_SECONDS:g} s to dance to. Give a longer song.")
    notes: list[str] = []
    if not sound.complete:
        notes.append(f"{path.name} is cut off or damaged: decoding ended at {begin + sound.seconds:.1f} s")
    frames = round(min(seconds, left) * FPS)
    if left < seconds - 0.5 / FPS:
        notes.append(f"the song ends {left:.1f} s after the start, and so does the dance")
    made = music.cached(sound.samples, bpm) if cache else music.analyse(sound.samples, bpm)
    first = round((start - begin) * FPS)
    frames = min(frames, made.frames - first)
    return Heard(made, first, frames, path, start, sound.total, (*notes, *made.notes))


@dataclass(frozen=True)
class DanceScores:
    """Beat alignment of a dance.

    Attributes:
        fact: over kinematic beats, FACT's definition.
        bailando: over music beats, Bailando's.
        per_second: kinematic beats (FACT's definition).
    """

    fact: float
    bailando: float
    per_second: float


def score(motion: Motion, beats: np.ndarray) -> DanceScores:
    """Both definitions of beat alignment, at 60 fps, sigma 50 ms.

    Args:
        motion: at any rate.
        beats: frames at 60 fps.
    """
    joints = warp.at_rate(motion, FPS).joints()
    if len(joints) < 3:
        return DanceScores(0.0, 0.0, 0.0)
    found = kinematic_beats(joints, "fact", "fixed")
    smooth = kinematic_beats(joints, "bailando", "fixed")
    return DanceScores(
        beat_alignment(found, beats), beat_alignment(smooth, beats, over="music"), len(found) / (len(joints) / FPS)
    )


def lock(
    motion: Motion, beats: np.ndarray, settings: LockSettings | None = None, rounds: int = 2
) -> tuple[Motion, DanceScores, DanceScores]:
    """The dance with its clock bent a little, so that kinematic beats fall on musical ones.

    Poses and places stay as they are; only when they are reached changes, within the limits of the settings and at
    most `rounds` times over (bending the clock moves minima of speed, and makes some).

    Args:
        motion: at 60 fps.
        beats: frames at 60 fps.
        settings: how far the clock may be bent.
        rounds: how often at most.
    Returns: the dance, its scores before, and after.
    """
    settings = settings or LockSettings()
    before = score(motion, beats)
    best, high, now = motion, before, motion
    clock = np.arange(motion.frames, dtype=np.float64)
    for _ in range(rounds):
        source, target = warp.lock_pairs(rests(now), beats, now.frames, FPS, settings)
        if len(source) < 3:
            break
        bent = warp.curve(source, target, now.frames, settings.accent)
        clock = np.interp(bent, np.arange(now.frames), clock)
        now = replace(warp.sampled(motion, clock), segments=motion.segments, passport=motion.passport)
        reached = score(now, beats)
        if reached.fact <= high.fact:
            break
        best, high = now, reached
    return best, before, high
