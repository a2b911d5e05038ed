"""Motion on another clock: smooth resampling, time-warps through pairs of moments, and locking beats to beats."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from laban.errors import InputError
from laban.motion import rotation
from laban.motion.motion import Motion


@dataclass(frozen=True)
class LockSettings:
    """How far a dance may be bent towards the music."""

    rate: float = 1.35  # between two locked beats the clock runs at most this factor faster or slower
    shift: float = 0.30  # seconds that a beat may be moved
    skip: float = 0.35  # cost of a kinematic beat that stays where it is; stretching by a half costs 0.16 per second
    accent: float = 0.8  # the clock's pace at a locked beat, of what a smooth curve would have: a beat is a rest


def sampled(motion: Motion, places: np.ndarray, fps: float | None = None) -> Motion:
    """A motion at given moments, by cubic interpolation (Catmull-Rom) of rotations and root.

    Args:
        motion: what is sampled.
        places: (M,) frame numbers of the source, fractions allowed; beyond the ends the end poses are held.
        fps: of the result; that of the source if not given.
    Returns: M frames. Speeds are continuous, so that minima of speed have a definite place, which slerp spoils.
    """
    last = motion.frames - 1
    places = np.clip(np.asarray(places, np.float64), 0, last)
    low = np.minimum(np.floor(places).astype(int), max(last - 1, 0))
    t = places - low
    taps = [np.clip(low + k, 0, last) for k in (-1, 0, 1, 2)]
    weights = (
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    )
    smooth = rotation.continuous(motion.rotations)
    turned = sum(w[:, None, None] * smooth[k] for w, k in zip(weights, taps, strict=True))
    moved = sum(w[:, None] * motion.root[k] for w, k in zip(weights, taps, strict=True))
    return replace(motion, rotations=np.asarray(turned), root=np.asarray(moved), fps=fps or motion.fps, segments=())


def at_rate(motion: Motion, fps: float) -> Motion:
    """The same motion at another rate by `sampled`; the first frame stays."""
    if abs(fps - motion.fps) < 1e-9:
        return motion
    count = max(1, round(motion.seconds * fps))
    return sampled(motion, np.arange(count) * motion.fps / fps, fps)


def curve(source: np.ndarray, target: np.ndarray, count: int, accent: float = 1.0) -> np.ndarray:
    """A smooth increasing clock: for each of `count` target frames, the source frame that belongs there.

    Args:
        source: (K,) strictly increasing frames, K >= 2.
        target: (K,) strictly increasing frames, to which those of `source` belong.
        count: target frames.
        accent: factor on the clock's pace at the inner pairs, at most 1.
    Returns: (count,), see `smooth_through`.
    Raises: InputError if the pairs do not increase.
    """
    return smooth_through(source, target, np.arange(count, dtype=np.float64), accent)


def smooth_through(source: np.ndarray, target: np.ndarray, at: np.ndarray, accent: float = 1.0) -> np.ndarray:
    """The source value that belongs to each target value of `at`, by a smooth increasing curve through pairs.

    Args:
        source: (K,) strictly increasing, K >= 2.
        target: (K,) strictly increasing, to which those of `source` belong.
        at: (N,) target values.
        accent: factor on the slope at the inner pairs, at most 1.
    Returns: (N,); monotone cubic through the pairs (Fritsch and Carlson 1980), straight beyond them.
    Raises: InputError if the pairs do not increase.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if len(source) < 2 or len(source) != len(target) or (np.diff(source) <= 0).any() or (np.diff(target) <= 0).any():
        raise InputError("warp: the moments must increase, two pairs at least. Leave out those that do not.")
    gap = np.diff(target)
    pace = np.diff(source) / gap
    slope = np.empty(len(source))
    slope[0], slope[-1] = pace[0], pace[-1]
    before, after = gap[:-1], gap[1:]
    heavy, light = 2 * after + before, after + 2 * before
    slope[1:-1] = (heavy + light) / (heavy / pace[:-1] + light / pace[1:]) * accent
    k = np.clip(np.searchsorted(target, at, side="right") - 1, 0, len(gap) - 1)
    x = (at - target[k]) / gap[k]
    inside = (
        source[k] * (1 + 2 * x) * (1 - x) ** 2
        + slope[k] * gap[k] * x * (1 - x) ** 2
        + source[k + 1] * x * x * (3 - 2 * x)
        + slope[k + 1] * gap[k] * x * x * (x - 1)
    )
    outside = np.where(x < 0, source[0] + slope[0] * (at - target[0]), source[-1] + slope[-1] * (at - target[-1]))
    return np.where((x < 0) | (x > 1), outside, inside)


def lock_pairs(
    kinematic: np.ndarray, beats: np.ndarray, frames: int, fps: float, settings: LockSettings | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Which kinematic beats go to which musical beats, by dynamic programming.

    The two ends of the dance stay where they are. Between neighbouring pairs the clock keeps within `rate`; no beat
    moves by more than `shift`; the cheapest plan is taken, where stretching costs 2 log(ratio)^2 per second and a
    kinematic beat that is left out costs `skip`.

    Args:
        kinematic: frames, ascending.
        beats: frames, ascending.
        frames: T, length of the dance.
        fps: of both.
        settings: how far the dance may be bent; None: the defaults.
    Returns: source and target frames, both ends included, strictly increasing.
    """
    settings = settings or LockSettings()
    kinematic = np.asarray(kinematic, np.float64)
    kinematic = kinematic[(kinematic > 0) & (kinematic < frames - 1)]
    beats = np.sort(np.asarray(beats, np.float64))
    bound = np.log(settings.rate)
    states: list[tuple[int, float, float]] = [(-1, 0.0, 0.0)]  # number of the beat, source, target
    for number, place in enumerate(kinematic):
        near = beats[(np.abs(beats - place) <= settings.shift * fps) & (beats > 0) & (beats < frames - 1)]
        states += [(number, place, float(beat)) for beat in near]
    states.append((len(kinematic), float(frames - 1), float(frames - 1)))
    best = np.full(len(states), np.inf)
    link = np.full(len(states), -1)
    best[0] = 0.0
    for k in range(1, len(states)):
        number, source, target = states[k]
        for j in range(k - 1, -1, -1):
            other, from_source, from_target = states[j]
            if number - other > 12 and j > 0:
                break
            if other == number or target - from_target < 1 or not np.isfinite(best[j]):
                continue
            stretch = abs(np.log((target - from_target) / (source - from_source)))
            if stretch > bound:
                continue
            cost = best[j] + 2 * stretch**2 * (source - from_source) / fps + settings.skip * (number - other - 1)
            if cost < best[k]:
                best[k], link[k] = cost, j
    chain, k = [], len(states) - 1
    if not np.isfinite(best[k]):
        return np.array([0.0, frames - 1.0]), np.array([0.0, frames - 1.0])
    while k >= 0:
        chain.append(k)
        k = int(link[k])
    rows = np.array([states[k][1:] for k in chain[::-1]])
    return rows[:, 0], rows[:, 1]
