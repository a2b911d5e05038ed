"""The strip of beats under a motion: marks stand where the moments are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from laban.drawing.timeline import _BEAT, _DANCE, _HIT, Timeline
from laban.metrics.dance import rests
from tests.motion.test_warp import swings


def columns(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.flatnonzero((np.abs(picture.astype(int) - colour).sum(axis=-1) < 12).any(axis=0))


def test_marks_stand_at_their_moments() -> None:
    line = Timeline(np.array([1.0, 2.0]), np.array([1.5]), np.array([2.01, 3.0]))
    picture = line.strip(400, 50, 0.0, 4.0, now=0.0)
    assert picture.shape == (50, 400, 3)
    beats = columns(picture, _BEAT)
    assert np.abs(beats[:, None] - np.array([100, 200])).min(axis=1).max() <= 2 and len(beats) >= 2
    assert abs(columns(picture, _HIT).mean() - 200.5) < 2  # a kinematic beat within 50 ms of a beat
    assert abs(columns(picture, _DANCE).mean() - 299.5) < 2
    assert len(columns(line.strip(400, 50, 5.0, 9.0, now=5.0), _BEAT)) == 0


def test_moments_come_from_the_passport_and_the_motion() -> None:
    motion = swings(300)
    timing = {"timing": {"beats": [0.5, 1.0], "onsets": [0.25]}}
    line = Timeline.of(replace(motion, passport=timing))
    assert line.beats.tolist() == [0.5, 1.0] and line.onsets.tolist() == [0.25]
    assert np.allclose(line.kinematic, rests(motion) / 60)
    for odd in (None, {}, {"timing": 3}, {"timing": {"beats": "x"}}, {"timing": {"beats": [None]}}):
        assert len(Timeline.of(replace(motion, passport=odd)).beats) == 0
