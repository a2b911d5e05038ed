"""Bending paths: circles close, turns arrive, steps keep their length, and on the spot nobody travels."""

import numpy as np
import pytest

from laban.data.synthesis import walkers
from laban.errors import InputError
from laban.motion import paths
from laban.motion.motion import Motion


@pytest.fixture(scope="module")
def walk():
    return Motion.from_joints(walkers.joints(0, 120, 1.2, 0.0), 20)


def floor(motion):
    return motion.root[:, [0, 2]]


def steps(motion):
    return np.linalg.norm(np.diff(floor(motion), axis=0), axis=-1)


def test_bending_keeps_limbs_heights_and_the_length_of_each_step(walk):
    made = paths.bent(walk, np.linspace(0, 2, walk.frames))
    assert np.allclose(made.root[:, 1], walk.root[:, 1])
    assert np.allclose(steps(made), steps(walk), atol=1e-9)
    assert np.array_equal(made.rotations[:, 1:], walk.rotations[:, 1:])
    before = np.linalg.norm(walk.joints() - walk.joints()[:, :1], axis=-1)
    assert np.allclose(np.linalg.norm(made.joints() - made.joints()[:, :1], axis=-1), before, atol=1e-9)


@pytest.mark.parametrize("turns", [1.0, -1.0, 0.5])
def test_a_circle_turns_as_far_as_was_asked_and_comes_back(walk, turns):
    made = paths.circled(walk, turns)
    turned = paths.heading(made)[-1] - paths.heading(made)[0]
    assert turned == pytest.approx(2 * np.pi * turns, abs=0.15)
    if abs(turns) == 1:
        assert np.linalg.norm(floor(made)[-1] - floor(made)[0]) < 0.12 * steps(walk).sum()


def test_a_turn_arrives_and_what_follows_goes_on_that_way(walk):
    made = paths.turned(walk, -90, 20, 60)
    turned = paths.heading(made) - paths.heading(walk)
    assert turned[:15] == pytest.approx(0, abs=0.05)
    assert np.degrees(turned[90:]) == pytest.approx(-90, abs=8)


def test_on_the_spot_nobody_travels_and_what_follows_starts_there(walk):
    made = paths.in_place(walk, 0, 60)
    assert np.ptp(floor(made)[:60], axis=0).max() < 0.15
    assert np.allclose(steps(made)[60:], steps(walk)[60:], atol=1e-9)


def test_a_zigzag_goes_both_ways_and_a_straight_line_none(walk):
    made = paths.zigzag(walk)
    off = paths.heading(made) - paths.heading(walk)
    assert off.max() > 0.5 and off.min() < -0.5
    curved = paths.bent(walk, np.linspace(0, 1.5, walk.frames))
    line = paths.straight(curved)
    assert np.ptp(paths.heading(line)) < 0.2


def test_a_stretch_outside_the_motion_is_said(walk):
    with pytest.raises(InputError, match="expected a stretch"):
        paths.in_place(walk, 50, 400)
