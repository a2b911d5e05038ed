"""Drum and bass tracks of known tempo, metre and beats, synthesised. For training data, tests and examples.

Everything is made from formulas and a seed, so a track may be used and shared without any licence but ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RATE = 30_720  # Hz, that of the music features


@dataclass(frozen=True)
class Groove:
    """A pattern of one or two bars.

    Attributes:
        beats: per bar (3: a waltz).
        steps: per beat (3: swung, 4: straight).
        kick: one letter per step, "x" loud, "o" soft, "." nothing.
        snare: one letter per step, "x" loud, "o" soft, "." nothing.
        hat: one letter per step, "x" loud, "o" soft, "." nothing.
        extra: one letter per step, "x" loud, "o" soft, "." nothing.
        bass: one scale degree (0 to 9) per step, or ".".
        tempi: bpm in which it is usual.
    """

    beats: int
    steps: int
    kick: str
    snare: str
    hat: str
    extra: str
    bass: str
    tempi: tuple[float, float]


GROOVES: dict[str, Groove] = {
    "house": Groove(4, 4, "x...x...x...x...", "....x.......x...", "..x...x...x...x.", "................",
                    "..0...0...0.3.4.", (112, 134)),
    "rock": Groove(4, 4, "x.......x.x.....", "....x.......x...", "x.o.x.o.x.o.x.o.", "................",
                   "0.0.0.0.3.3.4.4.", (92, 140)),
    "latin": Groove(4, 4, "x.....x.x.....x.", "............x...", "x.oox.oox.oox.oo", "x..x..x...x.x...",
                    "0.....4...3...0.", (88, 116)),
    "waltz": Groove(3, 4, "x...........", "....o...o...", "....x...x...", "............", "0...........", (84, 150)),
    "hiphop": Groove(4, 4, "x..x......x.....", "....x.......x..o", "x.x.x.x.x.x.x.xx", "................",
                     "0..0......4.3...", (76, 102)),
    # held out of training
    "shuffle": Groove(4, 3, "x.....x.....", "...x.....x..", "x.ox.ox.ox.o", "............", "0.24.57.54.2", (84, 132)),
    "break": Groove(4, 4, "x.x.......xx....", "....x..o.o..x..o", "x.x.x.x.x.x.x.x.", "................",
                    "0.....0...5...4.", (96, 150)),
    "march": Groove(4, 4, "x...o...x...o...", "x...x.o.x...x.oo", "................", "x...x...x...x...",
                    "0...4...0...4...", (96, 126)),
}  # fmt: skip
TRAINING = ("house", "rock", "latin", "waltz", "hiphop")
HELD_OUT = ("shuffle", "break", "march")
HELD_OUT_TEMPI = ((103.0, 109.0), (123.0, 128.0))  # bpm; no training track lies in these ranges
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11, 12, 14, 16), "minor": (0, 2, 3, 5, 7, 8, 10, 12, 14, 15)}
CHORDS = ((0, 4, 3, 4), (0, 5, 3, 4), (0, 3, 0, 4), (0, 2, 3, 4))  # scale degrees, one per bar


@dataclass(frozen=True, eq=False)
class Track:
    """A synthesised track.

    Attributes:
        samples: (N,) float32 at RATE.
        beats: (K,) seconds.
        bars: (M,) seconds of the first beats.
        groove: its name.
        bpm: tempo.
    """

    samples: np.ndarray
    beats: np.ndarray
    bars: np.ndarray
    groove: str
    bpm: float


def training_tempo(groove: str, rng: np.random.Generator) -> float:
    """A tempo that is usual for a groove and lies outside HELD_OUT_TEMPI."""
    while True:
        bpm = float(rng.uniform(*GROOVES[groove].tempi))
        if all(not low - 1 <= bpm <= high + 1 for low, high in HELD_OUT_TEMPI):
            return bpm


def synthesise(groove: str, bpm: float, seconds: float, seed: int = 0, silence: float = 0.0) -> Track:
    """A track of one groove.

    Args:
        groove: a name in GROOVES.
        bpm: beats per minute.
        seconds: length.
        seed: key, scale, chords, sounds, mix, fills.
        silence: seconds before the first beat.
    """
    rng = np.random.default_rng(seed)
    g = GROOVES[groove]
    out = np.zeros(int(seconds * RATE) + 1, np.float64)
    beat = 60.0 / bpm
    step = beat / g.steps
    bar = beat * g.beats
    kit = _kit(rng)
    level = {name: 10 ** (rng.uniform(-5, 2) / 20) for name in ("kick", "snare", "hat", "extra", "bass", "chord")}
    level["hat"] *= 0.5
    scale = SCALES[str(rng.choice(list(SCALES)))]
    root = 41.2 * 2 ** (rng.integers(0, 12) / 12)
    chords = CHORDS[int(rng.integers(len(CHORDS)))]
    bright, has_chords = rng.uniform(0.15, 0.6), rng.random() < 0.8
    for number in range(int(np.ceil((seconds - silence) / bar))):
        begin = silence + number * bar
        chord = chords[number % len(chords)]
        fill = number % 8 == 7
        for at in range(g.beats * g.steps):
            time = begin + at * step
            for name in ("kick", "snare", "hat", "extra"):
                hit = getattr(g, name)[at]
                if fill and name == "snare" and at >= g.beats * g.steps - g.steps and hit == ".":
                    hit = "o"
                if hit != ".":
                    loud = level[name] * (1.0 if hit == "x" else 0.45) * (1.15 if at == 0 else 1.0)
                    _add(out, kit[name], time, loud * rng.uniform(0.9, 1.1))
            if g.bass[at] != ".":
                degree = int(g.bass[at]) + chord
                pitch = root * 2 ** ((scale[degree % 7] + 12 * (degree // 7)) / 12)
                _add(out, _tone(pitch, 1.8 * step, bright), time, 0.5 * level["bass"])
        if has_chords:
            notes = [scale[(chord + k) % 7] + 12 * ((chord + k) // 7) for k in (0, 2, 4)]
            sound = sum(_tone(4 * root * 2 ** (note / 12), 0.9 * bar, bright, decay=0.7 * bar) for note in notes)
            _add(out, np.asarray(sound), begin, 0.12 * level["chord"])
    out = np.tanh(out / max(1e-9, np.percentile(np.abs(out), 99.8)) * 0.9) * 0.9
    count = int(np.floor((seconds - silence) / beat + 1e-9)) + 1
    beats = silence + beat * np.arange(count)
    beats = beats[beats < seconds]
    return Track(out.astype(np.float32), beats, beats[:: g.beats], groove, bpm)


def _add(out: np.ndarray, sound: np.ndarray, time: float, gain: float) -> None:
    at = round(time * RATE)
    if at < len(out):
        room = out[at : at + len(sound)]
        room += gain * sound[: len(room)]


def _kit(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One-shot sounds, (n,) each."""

    def clock(seconds: float) -> np.ndarray:
        return np.arange(int(seconds * RATE)) / RATE

    t = clock(0.28)
    low, drop = rng.uniform(42, 60), rng.uniform(90, 190)
    phase = 2 * np.pi * (low * t + drop * 0.03 * (1 - np.exp(-t / 0.03)))
    kick = np.sin(phase) * np.exp(-t / rng.uniform(0.07, 0.13))
    t = clock(0.22)
    noise = rng.standard_normal(len(t))
    tone = np.sin(2 * np.pi * rng.uniform(170, 230) * t)
    snare = (0.7 * np.diff(noise, prepend=0.0) + 0.5 * tone) * np.exp(-t / rng.uniform(0.04, 0.08))
    t = clock(0.09)
    hat = np.diff(rng.standard_normal(len(t)), n=2, prepend=[0.0, 0.0]) * np.exp(-t / rng.uniform(0.012, 0.03)) * 0.5
    t = clock(0.12)
    pitch = rng.uniform(700, 1500)
    extra = np.sin(2 * np.pi * pitch * t) * np.exp(-t / 0.03) * 0.6
    return {"kick": kick, "snare": snare, "hat": hat, "extra": extra}


def _tone(pitch: float, seconds: float, bright: float, decay: float = 0.25) -> np.ndarray:
    """A plucked sum of harmonics."""
    t = np.arange(int(seconds * RATE)) / RATE
    wave = sum(bright ** (k - 1) * np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 6) if pitch * k < RATE / 2.2)
    edge = np.minimum(1.0, np.minimum(t / 0.004, (seconds - t) / 0.01))
    return np.asarray(wave) * np.exp(-t / decay) * edge
