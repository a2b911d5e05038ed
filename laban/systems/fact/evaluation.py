"""Dances scored beside controls: real dance, random pairing, shifted music, frozen bodies.

The protocol is the paper's size, 40 dances of 1,200 frames, on songs that are synthesised with known beats, because
beat claims on music whose alignment nobody knows prove nothing (docs/fact.md, "Scores"). Genres are grooves, and
each song is `tempo` (a training groove in a tempo that training lacks) or `groove` (a groove that training lacks).
For AIST++ copies the same functions take its dances; genre and basic or advanced come from their names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from laban.condition.music import BEAT, analyse
from laban.data.corpora import aist
from laban.data.corpora.aist import Aist
from laban.data.corpus import Corpus
from laban.data.synthesis import choreography, tracks
from laban.data.synthesis.choreography import Dance
from laban.errors import InputError
from laban.metrics import dance as metrics
from laban.metrics import physics
from laban.metrics.geometric import geometric
from laban.metrics.kinetic import kinetic
from laban.motion.motion import Motion
from laban.systems.fact.representation import Absolute
from laban.systems.fact.song import lock, score
from laban.systems.fact.system import Fact
from laban.systems.requests import MusicRequest

FPS = 60.0
WINDOW = 300  # frames: speeds are watched in windows of five seconds
SEEDS = 4  # how many phrases of the held-out dances serve as seed motions


@dataclass(frozen=True, eq=False)
class Song:
    """A song to be danced to.

    Attributes:
        features: (M, 35), with true beats.
        beats: (K,) frames.
        genre: groove.
        kind: "tempo" or "groove" (or AIST++'s "basic" and "advanced").
        seed_motion: two seconds or more.
        paired: the dance that belongs to it, if any.
        before: features of the music during the seed motion, if there is such music.
    """

    features: np.ndarray
    beats: np.ndarray
    genre: str
    kind: str
    bpm: float
    seed_motion: Motion
    paired: Motion | None = None
    before: np.ndarray | None = None


@dataclass(frozen=True)
class Programme:
    """Which songs are synthesised; the paper's protocol has forty of twenty seconds.

    Attributes:
        count: how many.
        frames: of each dance, at 60 fps.
        seed: of tracks, phrases and dances.
        own_beats: let the tracker find the beats, with no hint, as with a stranger's song; by default the features have
            the true ones, so that what is scored is the dancer, not the tracker.
    """

    count: int = 40
    frames: int = 1200
    seed: int = 0
    own_beats: bool = False


def songs(corpus: Corpus, programme: Programme) -> list[Song]:
    """Held-out songs in turn: training grooves in held-out tempi, held-out grooves in their usual ones.

    The paired dance is choreography on the song's beats; for a held-out groove its phrases are another groove's.
    Seed motions are the two seconds with which the phrases begin.

    Args:
        corpus: of the dances from which the phrases come.
        programme: which songs.
    """
    frames, own_beats = programme.frames, programme.own_beats
    rng = np.random.default_rng([programme.seed, 99])
    names = [*tracks.TRAINING, *tracks.HELD_OUT]
    cast = {groove: choreography.phrases(corpus, groove) for groove in tracks.TRAINING}
    made = []
    for number in range(programme.count):
        genre = names[number % len(names)]
        fresh = genre in tracks.HELD_OUT
        low, high = tracks.GROOVES[genre].tempi if fresh else tracks.HELD_OUT_TEMPI[number // len(names) % 2]
        bpm = float(rng.uniform(low, high))
        track = tracks.synthesise(genre, bpm, frames / FPS + 3, int(rng.integers(2**31)), float(rng.uniform(0.0, 0.5)))
        features = analyse(track.samples, None if programme.own_beats else bpm).features
        beats = np.round(track.beats * FPS).astype(np.int64)
        if not own_beats:
            features[:, BEAT] = 0.0
            features[beats[beats < len(features)], BEAT] = 1.0
        groove = tracks.TRAINING[number % len(tracks.TRAINING)] if fresh else genre
        paired = choreography.dance(cast[groove], replace(track, groove=groove), features[:frames], rng).motion
        phrase = cast[groove][int(rng.integers(len(cast[groove])))].motion
        start = Motion(phrase.skeleton, phrase.rotations[:121], phrase.root[:121], FPS)
        made.append(Song(features, beats[beats < frames], genre, "groove" if fresh else "tempo", bpm, start, paired))
    return made


def of_aist(copy: Aist, frames: int = 1200, count: int = 40, split: str = "testval") -> list[Song]:
    """AIST++'s paired items as the paper takes them: the first 120 frames of a dance are its seed, the music goes on.

    Songs that end before `frames` more are left out. Genres and basic or advanced are kept as labels.
    """
    found = []
    for name in copy.names(split):
        dance = copy.dance(name)
        facts = aist.parse(name)
        motion = Absolute().fitted(aist.grounded(dance.motion))
        features = dance.features[120:]
        if len(features) < frames or motion.frames < 240:
            continue
        start = replace(motion, rotations=motion.rotations[:120], root=motion.root[:120])
        rest = replace(motion, rotations=motion.rotations[120:], root=motion.root[120:])
        beats = np.flatnonzero(features[:frames, BEAT][:, 0])
        found.append(
            Song(features, beats, aist.GENRES.get(facts.genre, facts.genre),
                 aist.SITUATIONS.get(facts.situation, facts.situation), facts.bpm, start, rest, dance.features[:120])
        )  # fmt: skip
    if not found:
        raise InputError(f"{copy.folder}: no dance of {split} has a song that goes on for {frames} frames. Add songs.")
    return found[:count]


def perform(
    system: Fact, given: Sequence[Song], frames: int, seed: int = 0, progress: Callable[[int], None] | None = None,
    **options: Any,
) -> list[Motion]:  # fmt: skip
    """A dance per song, as generated, without locking."""
    made = []
    for number, song in enumerate(given):
        request = MusicRequest(song.features, frames / FPS, song.before, song.seed_motion, song.genre)
        made += system.generate([request], seed, first_index=number, **options)
        if progress is not None:
            progress(number + 1)
    return made


@dataclass
class DanceRow:
    """One kind of dances: values per dance, and figures of the set."""

    name: str
    fact: list[float] = field(default_factory=list)
    bailando: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    physics: dict[str, float] = field(default_factory=dict)
    features: dict[str, float] = field(default_factory=dict)
    genres: dict[str, float] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Means and sizes, JSON-able."""
        mean = {k: float(np.mean(getattr(self, k))) for k in ("fact", "bailando", "per_second") if getattr(self, k)}
        return {"name": self.name, "n": len(self.fact), **mean, **self.physics, **self.features, "genres": self.genres}


def beats_row(name: str, motions: Sequence[Motion], beats: Sequence[np.ndarray], genres: Sequence[str]) -> DanceRow:
    """Both beat alignments of each dance against its beats, and FACT's per genre."""
    row = DanceRow(name)
    for motion, own in zip(motions, beats, strict=True):
        scores = score(motion, own[own < motion.frames])
        row.fact.append(scores.fact)
        row.bailando.append(scores.bailando)
        row.per_second.append(scores.per_second)
    for genre in dict.fromkeys(genres):
        row.genres[genre] = float(np.mean([v for v, g in zip(row.fact, genres, strict=True) if g == genre]))
    return row


def add_physics(row: DanceRow, motions: Sequence[Motion]) -> None:
    """Mean joint speed m/s, share of frozen frames, skate m/s and jerk m/s^3 at 20 fps, PFC in both modes."""
    rows = []
    for motion in motions:
        joints = motion.joints()[:, :22]
        slow = joints[::3]
        rows.append(
            {
                "speed": float(np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean() * FPS),
                "frozen": metrics.freezing(joints, FPS),
                "skate": float(physics.skate(slow, 20.0)),
                "jerk": float(physics.jerk(slow, 20.0)),
                "pfc_compat": metrics.foot_contact(joints[::2], 30.0, "compat"),
                "pfc_fixed": metrics.foot_contact(joints[::2], 30.0, "fixed"),
            }
        )
    row.physics = {k: float(np.mean([r[k] for r in rows])) for k in rows[0]}


def features_of(motions: Sequence[Motion], mode: str) -> dict[str, np.ndarray]:
    """Kinetic (N, 72) and geometric (N, 32) features, on 24 joints."""
    kind = Absolute()
    joints = [kind.fitted(motion).joints() for motion in motions]
    return {
        "k": np.stack([kinetic(j, FPS, mode) for j in joints]),
        "g": np.stack([geometric(j, FPS, mode) for j in joints]),
    }


def add_features(row: DanceRow, real: Sequence[Motion], motions: Sequence[Motion]) -> None:
    """FID and Dist, kinetic and geometric, in both modes, against the real set."""
    for mode in ("compat", "fixed"):
        theirs, ours = features_of(real, mode), features_of(motions, mode)
        for key in ("k", "g"):
            row.features[f"fid_{key}_{mode}"] = metrics.feature_frechet(theirs[key], ours[key], mode)
            row.features[f"dist_{key}_{mode}"] = metrics.feature_distance(theirs[key], ours[key], mode)


def shifted(song: Song, rng: np.random.Generator) -> np.ndarray:
    """The song's beats, early or late by a quarter to three quarters of a beat."""
    return song.beats + rng.uniform(0.25, 0.75) * 60.0 * FPS / song.bpm


def frozen(motion: Motion) -> Motion:
    """The first pose held: what freezing after the seed would score."""
    first = np.zeros(motion.frames, np.int64)
    return replace(motion, rotations=motion.rotations[first], root=motion.root[first])


def interval(values: Sequence[float], seed: int = 0, draws: int = 2000) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of a mean over dances."""
    array = np.asarray(values, np.float64)
    rng = np.random.default_rng(seed)
    means = array[rng.integers(0, len(array), (draws, len(array)))].mean(axis=1)
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def clips(corpus: Corpus) -> list[Motion]:
    """The labelled dances of the corpus on their own clock, at 60 fps: what bodies do, whatever the music."""
    found = [
        choreography.phrase(corpus, record).motion
        for record in corpus.records
        if record.mirror_of is None and "dance" in record.labels.get("content", "")
    ]
    return found or [choreography.phrase(corpus, r).motion for r in corpus.select("test", mirrored=False)]


def evaluate(
    system: Fact, corpus: Corpus, programme: Programme, *, block: int | None = None,
    progress: Callable[[int], None] | None = None, given: Sequence[Song] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The whole protocol.

    Args:
        system: the model.
        corpus: of the choreographies and of the dance clips.
        programme: which songs.
        block: frames committed per pass; None: the configuration's.
        progress: called with the number of dances done.
        given: other songs than `songs` makes, each with a paired dance (AIST++'s).
    Returns: JSON-able rows, differences with intervals, and what each is.
    """
    about = (
        "AIST++'s songs"
        if given is not None
        else (
            "Synthesised songs in tempi and grooves that training lacks, with "
            + ("the tracker's beats heard and the true ones scored" if programme.own_beats else "their true beats")
        )
    )
    given = songs(corpus, programme) if given is None else given
    count, frames, seed = len(given), programme.frames, programme.seed
    options = {} if block is None else {"block": block}
    made = perform(system, given, frames, seed, progress, **options)
    locked = [lock(m, s.beats)[0] for m, s in zip(made, given, strict=True)]
    genres = [s.genre for s in given]
    rng = np.random.default_rng([seed, 7])
    beats = [s.beats for s in given]
    moved = [shifted(s, rng) for s in given]
    order = np.roll(np.arange(count), 1)
    real = [s.paired for s in given if s.paired is not None]
    own = clips(corpus)
    rows = {
        "real": beats_row("choreography on its own song", real, beats, genres),
        "random": beats_row("choreography on another song", real, [beats[i] for i in order], genres),
        "made": beats_row("generated", made, beats, genres),
        "shifted": beats_row("generated, song shifted", made, moved, genres),
        "paired": beats_row("generated, another song", made, [beats[i] for i in order], genres),
        "locked": beats_row("generated, beats locked", locked, beats, genres),
        "locked_shifted": beats_row("locked, song shifted", locked, moved, genres),
        "frozen": beats_row("frozen", [frozen(m) for m in made], beats, genres),
        "clips": beats_row("dance clips, any song", own, [beats[i % count] for i in range(len(own))],
                           ["clips"] * len(own)),
    }  # fmt: skip
    sets = {"real": real, "made": made, "locked": locked, "frozen": [frozen(m) for m in made], "clips": own}
    for key, motions in sets.items():
        add_physics(rows[key], motions)
    if count >= 4:
        half = count // 2
        for key, motions in (("made", made), ("locked", locked), ("frozen", sets["frozen"])):
            add_features(rows[key], real, motions)
        add_features(rows["real"], real[:half], real[half:])  # real against real: what a perfect system would score
    kinds = {
        kind: float(np.mean([v for v, s in zip(rows["made"].fact, given, strict=True) if s.kind == kind]))
        for kind in dict.fromkeys(s.kind for s in given)
    }
    differences = {
        "made - shifted": [a - b for a, b in zip(rows["made"].fact, rows["shifted"].fact, strict=True)],
        "made - another song": [a - b for a, b in zip(rows["made"].fact, rows["paired"].fact, strict=True)],
        "locked - made": [a - b for a, b in zip(rows["locked"].fact, rows["made"].fact, strict=True)],
        "real - random": [a - b for a, b in zip(rows["real"].fact, rows["random"].fact, strict=True)],
    }
    return {
        "dances": count,
        "songs": about,
        "frames": frames,
        "weights": system.provenance.hash,
        "block": block or system.config.sampling.block,
        "rows": {key: row.facts() for key, row in rows.items()},
        "kinds": kinds,
        "differences": {
            name: {"mean": float(np.mean(v)), "low": interval(v, seed)[0], "high": interval(v, seed)[1]}
            for name, v in differences.items()
        },
    }


def endurance(
    system: Fact, corpus: Corpus, inputs: int = 10, seconds: float = 60.0, seed: int = 1
) -> list[dict[str, float]]:
    """Long dances: the slowest and fastest five-second window over the training dances' mean speed, and how far the
    root gets from where it began. One row per input; `real slowest` and `real fastest` are choreography's on that song.
    """
    frames = round(seconds * FPS)
    training = float(np.mean([_speeds(d.motion).mean() for d in _training(system, corpus)]))
    rows = []
    for song in songs(corpus, Programme(inputs, frames, seed)):
        (motion,) = perform(system, [song], frames, seed)
        windows = _windows(motion) / training
        away = np.linalg.norm((motion.root - motion.root[:1])[:, [0, 2]], axis=1)
        row = {"slowest": float(windows.min()), "fastest": float(windows.max()), "farthest": float(away.max()),
               "end": float(away[-1]), "bpm": song.bpm}  # fmt: skip
        if song.paired is not None:
            real = _windows(song.paired) / training
            row |= {"real slowest": float(real.min()), "real fastest": float(real.max())}
        rows.append(row)
    return rows


def _training(system: Fact, corpus: Corpus) -> list[Dance]:
    from laban.systems.fact import data

    return data.dances(corpus, "train", system.config.data)


def _speeds(motion: Motion) -> np.ndarray:
    """(T - 1,) mean joint speed, m/s."""
    return np.linalg.norm(np.diff(motion.joints(), axis=0), axis=-1).mean(axis=-1) * FPS


def _windows(motion: Motion) -> np.ndarray:
    """Mean joint speed of every whole window of five seconds, m/s."""
    speed = _speeds(motion)
    return speed[: len(speed) // WINDOW * WINDOW].reshape(-1, WINDOW).mean(axis=1)


def variety(system: Fact, corpus: Corpus, seconds: float = 20.0, seed: int = 2) -> dict[str, Any]:
    """One seed motion with four songs of different genre and tempo, and one song with four seeds.

    Returns: mean distance in metres between the dances' joints, root and heading taken out, over all pairs: between
        songs, and between noise seeds on one song, which is what chance alone makes.
    """
    frames = round(seconds * FPS)
    given = songs(corpus, Programme(8, frames, seed))
    four = [replace(s, seed_motion=given[0].seed_motion) for s in (given[0], given[1], given[3], given[4])]
    by_song = perform(system, four, frames, seed)
    by_seed = [perform(system, four[:1], frames, seed + k)[0] for k in range(4)]
    return {
        "songs": [f"{s.genre} {s.bpm:.0f} bpm" for s in four],
        "between songs": _apart(by_song),
        "between seeds": _apart(by_seed),
        "motions": by_song,
    }


def _apart(motions: Sequence[Motion]) -> float:
    from laban.motion import kinematics, root_relative, rotation

    bodies = []
    for motion in motions:
        turned = motion.rotations.copy()
        yaw = root_relative.heading(turned[:, 0])
        turned[:, 0] = rotation.multiply(rotation.yaw(-yaw), turned[:, 0])
        bodies.append(kinematics.forward(motion.skeleton, turned, motion.root * [0, 1, 0]))
    pairs = [float(np.linalg.norm(a - b, axis=-1).mean()) for i, a in enumerate(bodies) for b in bodies[i + 1 :]]
    return float(np.mean(pairs))
