"""Dances with exactly known beats: captured phrases, time-warped onto synthesised drum and bass tracks.

No dance in the open corpora has music that may be used, and where music is known its alignment is not. So the music
is made (`tracks`), and phrases of the labelled dances and of lively clips of Bandai-Namco and CMU are put on its
beats: each phrase's clock is bent so that its kinematic beats (minima of joint speed) fall on musical beats. A groove
always dances the same cycle of phrases, each followed by its mirror image, so that what comes next can be learnt from
the last two seconds and the music.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from laban.condition.music import BEAT, ONSET, analyse
from laban.data.corpus import Corpus, Record
from laban.data.synthesis import tracks
from laban.errors import InputError
from laban.metrics.dance import rests
from laban.motion import root_relative, warp
from laban.motion.easing import smoothstep
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22

FPS = 60.0
LEAD = 120  # frames before a song that some training dances begin with
STRETCH = 1.55  # largest factor by which an interval between kinematic beats is stretched or squeezed
SKIP = 0.18  # cost of a kinematic beat that is not locked; stretching by a half costs 0.16 per second
JOIN = 0.3  # seconds of cross-fade between phrases
ACCENT = 0.75  # pace of the clock at a locked beat

# Groove -> phrases: record id, first and last second, without the stretches in which dancers wait to begin. All are of
# the training splits: 93 s of labelled dance and 43 s of lively clips.
_SHORT = "dataset-1_dance-short_normal_001"
CAST: dict[str, tuple[tuple[str, float, float], ...]] = {
    "house": ((_SHORT, 9.0, 23.0), ("05_15", 0.0, 4.4), ("05_14", 0.0, 5.2)),
    "rock": (("13_18", 1.0, 13.0), (_SHORT, 25.0, 37.0), ("dataset-1_kick_normal_001", 1.0, 11.9)),
    "latin": ((_SHORT, 37.0, 49.0), ("05_13", 2.0, 8.5), ("05_03", 0.0, 3.5)),
    "waltz": (("05_02", 2.5, 7.0), ("05_11", 0.0, 3.2), ("05_04", 3.8, 8.5), ("05_09", 3.8, 8.5), ("05_07", 1.8, 8.0)),
    "hiphop": ((_SHORT, 49.0, 61.5), ("dataset-1_punch_normal_002", 1.0, 9.4), ("13_18", 13.0, 24.9)),
}  # fmt: skip
MIRRORED = "M"  # prefix of the id of a record's mirror image


@dataclass(frozen=True, eq=False)
class Dance:
    """A motion and its music, frame by frame.

    Attributes:
        motion: at 60 fps.
        features: (T, 35) float32, at least as many rows as the motion has frames.
        locked: (K,) frames of the motion that were put on beats.
        name: groove and number, or the file.
    """

    motion: Motion
    features: np.ndarray
    locked: np.ndarray
    name: str


@dataclass(frozen=True, eq=False)
class Phrase:
    """A stretch of motion at 60 fps with its kinematic beats."""

    motion: Motion
    beats: np.ndarray
    name: str


def phrases(corpus: Corpus, groove: str) -> list[Phrase]:
    """The phrases of a groove in order, each followed by its mirror image where the corpus has one.

    A corpus without the clips of CAST (a synthetic one) lends its own: as many as it has, dealt among the grooves.
    Raises: InputError if it has no clip of two seconds in the training split.
    """
    known = {record.id: record for record in corpus.records if record.split == "train"}
    cast = [entry for entry in CAST[groove] if entry[0] in known]
    if not cast:
        usable = sorted(
            (r for r in known.values() if r.mirror_of is None and r.length >= 2 * corpus.fps), key=lambda r: r.id
        )
        number = tracks.TRAINING.index(groove)
        own = usable[number :: len(tracks.TRAINING)] or usable[:1]
        cast = [(r.id, 0.0, r.length / corpus.fps) for r in own[:4]]
    if not cast:
        raise InputError("choreography: the corpus has no training clip of two seconds or more. Prepare another one.")
    found = []
    for name, first, last in cast:
        for identity in (name, MIRRORED + name):
            if identity in known:
                found.append(phrase(corpus, known[identity], first, last))
    return found


def phrase(corpus: Corpus, record: Record, first: float = 0.0, last: float | None = None) -> Phrase:
    """A stretch of a record, in seconds, at 60 fps on HumanML3D's skeleton."""
    rows = slice(round(first * corpus.fps), None if last is None else round(last * corpus.fps))
    motion = Motion.from_joints(np.asarray(corpus.joints(record)[rows], np.float64), corpus.fps, HUMANML22)
    motion = warp.at_rate(motion, FPS)
    return Phrase(motion, rests(motion), record.id)


def locked_to(beats: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray]:
    """Which kinematic beats of a phrase to lock to a steady pulse, and how many beats apart.

    Args:
        beats: (K,) frames.
        period: frames per musical beat.
    Returns: (n,) numbers of the locked kinematic beats and (n,) their places in musical beats from the first, by
        dynamic programming: stretching costs 2 log(ratio)^2 per second and at most STRETCH; leaving one out, SKIP.
    """
    count = len(beats)
    best = np.arange(count) * SKIP
    link = np.full(count, -1)
    steps = np.zeros(count, np.int64)
    for k in range(1, count):
        for j in range(max(0, k - 8), k):
            gap = float(beats[k] - beats[j])
            number = max(1, round(gap / period))
            for n in {number, max(1, number - 1), number + 1}:
                ratio = abs(np.log(n * period / gap))
                if ratio > np.log(STRETCH):
                    continue
                cost = best[j] + 2 * ratio**2 * gap / FPS + SKIP * (k - j - 1)
                if cost < best[k]:
                    best[k], link[k], steps[k] = cost, j, n
    if not count:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    k = int(np.argmin(best + SKIP * np.arange(count)[::-1]))
    chain = [k]
    while link[k] >= 0:
        k = int(link[k])
        chain.append(k)
    chain = chain[::-1]
    return np.array(chain), np.cumsum([0, *(steps[k] for k in chain[1:])])


def on_beats(item: Phrase, period: float) -> tuple[np.ndarray, np.ndarray, int]:
    """A phrase on a steady pulse: (T, W) rows of root_relative from its first locked beat to its last, the frames of
    the locked beats (0 and T - 1 included), and how many beats it lasts. Empty if no two beats can be locked.
    """
    which, places = locked_to(item.beats, period)
    if len(which) < 2:
        return np.zeros((0, root_relative.width(22))), np.zeros(0), 0
    target = places * period
    count = int(np.floor(target[-1])) + 1
    clock = warp.curve(item.beats[which].astype(np.float64), target, count, ACCENT)
    return root_relative.encode(warp.sampled(item.motion, clock, FPS)), target, int(places[-1])


def dance(cast: list[Phrase], track: tracks.Track, features: np.ndarray, rng: np.random.Generator) -> Dance:
    """Phrases one after the other on the beats of a track, beginning anywhere in their cycle.

    Each begins on the beat after the last one of the phrase before, which gives the cross-fade its time.
    """
    period = 60.0 * FPS / track.bpm
    total = len(features)
    rows = np.zeros((total, root_relative.width(22)))
    prepared = [made for made in (on_beats(item, period) for item in cast) if made[2]]
    if not prepared:
        raise InputError(f"choreography: no phrase of {track.groove} can be put on {track.bpm:.0f} bpm.")
    number, locked, done = int(rng.integers(len(prepared))), [], 0
    begin = float(track.beats[0]) * FPS - period * int(rng.integers(0, 8))
    while begin < total:
        made, beats, length = prepared[number % len(prepared)]
        at = max(0, round(begin))
        skip = at - round(begin)
        made = made[skip:]
        end = min(total, at + len(made))
        if end > at:
            if at > done > 0:  # hold the last pose over the gap, fading into the next phrase
                hold = np.repeat(rows[done - 1 : done], at - done, axis=0)
                fade = smoothstep(np.linspace(0, 1, at - done + 2)[1:-1, None])
                rows[done:at] = hold * (1 - fade) + made[0] * fade
                rows[done:at, :4] *= (0.5, 0.5, 1.0, 0.5)
            rows[at:end] = made[: end - at]
            locked += [b + begin for b in beats if 0 < b + begin < end - 1]
            done = end
        begin += (length + 1) * period
        number += 1
    rows[done:] = rows[done - 1]
    return Dance(
        root_relative.decode(rows, HUMANML22, FPS), features, np.unique(np.round(locked)).astype(np.int64), track.groove
    )


def before_the_song(features: np.ndarray, frames: int) -> np.ndarray:
    """Rows for the time before a song begins: its first row without onset and beat, again and again.

    Analysing silence there instead would make the song's entry an onset beside which all others vanish.
    """
    rows = np.repeat(features[:1], frames, axis=0)
    rows[:, ONSET.start :] = 0.0
    return rows


def fingerprint() -> str:
    """A hash of the cast and grooves: what a training run's data depend on besides the corpus."""
    return hashlib.sha256(repr((CAST, tracks.GROOVES, STRETCH, SKIP, ACCENT)).encode()).hexdigest()[:16]


def dances(corpus: Corpus, count: int, seconds: float, seed: int, *, held_out: bool = False) -> Iterator[Dance]:
    """Dances on synthesised tracks, groove after groove.

    Args:
        corpus: of the phrases.
        count: how many.
        seconds: length of each.
        seed: of tracks and phrases.
        held_out: tempi of HELD_OUT_TEMPI, for validation; training takes the others.
    """
    rng = np.random.default_rng([seed, int(held_out)])
    cast = {groove: phrases(corpus, groove) for groove in tracks.TRAINING}
    for number in range(count):
        groove = tracks.TRAINING[number % len(tracks.TRAINING)]
        low, high = tracks.HELD_OUT_TEMPI[number % 2] if held_out else (0.0, 0.0)
        bpm = float(rng.uniform(low, high)) if held_out else tracks.training_tempo(groove, rng)
        track = tracks.synthesise(groove, bpm, seconds, int(rng.integers(2**31)), float(rng.uniform(0.0, 60.0 / bpm)))
        features = analyse(track.samples, bpm=bpm).features
        features[:, BEAT] = 0.0
        beats = np.round(track.beats * FPS).astype(np.int64)
        features[beats[beats < len(features)], BEAT] = 1.0
        if rng.random() < 0.25:  # what a dance that begins with its song hears before it
            features = np.concatenate([before_the_song(features, LEAD), features])
            track = replace(track, beats=track.beats + LEAD / FPS)
        yield dance(cast[groove], track, features, rng)
