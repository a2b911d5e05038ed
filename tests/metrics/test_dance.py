"""Dance and transition metrics: what they see, what compat gets wrong, and bad input."""

from __future__ import annotations

import numpy as np
import pytest

from laban.errors import LabanError
from laban.metrics import physics, transitions
from laban.metrics.dance import (
    beat_alignment,
    feature_distance,
    feature_frechet,
    foot_contact,
    freezing,
    kinematic_beats,
)
from laban.metrics.geometric import geometric
from laban.metrics.kinetic import kinetic

RNG = np.random.default_rng(0)
DANCE = RNG.normal(scale=0.3, size=(1, 24, 3)) + np.cumsum(RNG.normal(scale=0.01, size=(90, 24, 3)), axis=0)


def test_kinetic_of_known_motion():
    t = np.arange(40)[:, None, None] / 60
    moving = DANCE[:1] + t * [3.0, 2.0, 4.0] + 0.5 * t**2 * [0.0, 0.0, 0.0]
    np.testing.assert_allclose(kinetic(moving, 60, "fixed").reshape(24, 3), [[25, 4, 0]] * 24, atol=1e-9)
    falling = DANCE[:1] + 0.5 * t**2 * [0.0, -9.81, 0.0]
    np.testing.assert_allclose(kinetic(falling, 60, "fixed")[2::3], 9.81)


def test_compat_depends_on_where_the_dancer_stands_and_fixed_does_not():
    moved = DANCE + [1.0, 0.0, 0.0]
    assert abs(kinetic(moved) - kinetic(DANCE))[2::3].max() > 100
    np.testing.assert_allclose(kinetic(moved, mode="fixed"), kinetic(DANCE, mode="fixed"))


def test_geometric_modes_and_rate():
    assert not np.array_equal(geometric(DANCE), geometric(DANCE, 60, "fixed"))
    slow = geometric(DANCE, 5, "fixed")
    assert slow[12] < geometric(DANCE, 60, "fixed")[12]
    assert ((slow >= 0) & (slow <= 1)).all()


def test_sets():
    real, fake = RNG.normal(size=(60, 5)), RNG.normal(size=(40, 5))
    assert feature_frechet(real, real) == pytest.approx(0, abs=1e-9)
    assert feature_frechet(real, fake + 3) > feature_frechet(real, fake)
    assert feature_distance(real, np.ones((4, 5))) == 0
    z = fake / real.std(0)
    wanted = np.mean([np.linalg.norm(z[i] - z[j]) for i in range(40) for j in range(i)])
    assert feature_distance(real, fake) == pytest.approx(wanted)


def test_beats():
    assert beat_alignment([10, 20], [10, 23]) == pytest.approx((1 + np.exp(-0.5)) / 2)
    assert beat_alignment([10], [10, 100]) == 1 and beat_alignment([10], [10, 100], "music") == pytest.approx(0.5)
    assert beat_alignment(np.zeros(0), [1]) == 0
    t = np.arange(200)
    swing = np.zeros((200, 24, 3))
    swing[:, 20, 0] = np.cos(np.pi * t / 40)  # at rest at 40, 80, 120, 160
    for definition in ("fact", "bailando"):
        found = kinematic_beats(swing + 1e-9 * t[:, None, None], definition)
        assert beat_alignment(found, [40, 80, 120, 160]) > 0.9 and len(found) == 4


def test_foot_contact_and_freezing():
    still = np.repeat(DANCE[:1], 90, axis=0)
    assert foot_contact(still) == 0 == foot_contact(still, mode="fixed") and foot_contact(DANCE) > 0
    half = np.concatenate([DANCE, np.repeat(DANCE[-1:], 90, axis=0)])
    assert freezing(DANCE, 60) < 0.1 and freezing(half, 60) == pytest.approx(0.5, abs=0.05)


def test_transitions():
    t = np.arange(30.0)[:, None, None]
    smooth = np.broadcast_to(t * 0.01, (30, 22, 3)).copy()
    jump = smooth.copy()
    jump[15:] += [0.5, 0.0, 0.0]
    assert transitions.peak_jerk(smooth[None]) == pytest.approx(0, abs=1e-12)
    assert transitions.peak_jerk(jump[None]) == pytest.approx(1.0)
    assert transitions.area_under_jerk(jump[None], 0.0) == pytest.approx(0.5 + 1.0 + 0.5)
    assert transitions.seam_error(jump, [15])[0] == pytest.approx(0.5)
    assert transitions.seam_error(smooth, range(2, 29)).max() < 1e-12
    circle = np.stack([np.cos(t), np.sin(t), 0 * t], -1).reshape(30, 1, 3) * [1, 0, 0] + smooth[:, :1] * 0
    assert transitions.loop_error(circle) == pytest.approx(0, abs=1e-9)
    assert physics.floating(smooth[:2] + [0, 0.1, 0]) == pytest.approx(0.105)
    for seams in ([], [1], [29]):
        with pytest.raises(LabanError):
            transitions.seam_error(jump, seams)


@pytest.mark.parametrize("score", [kinetic, geometric, foot_contact])
def test_bad_joints(score):
    for bad in (DANCE[:0], DANCE[:1], np.where(DANCE > 1, np.nan, DANCE) * np.nan, DANCE[None], DANCE[..., :2]):
        with pytest.raises(LabanError):
            score(bad)
    with pytest.raises(LabanError, match="metres"):
        score(DANCE * 100, 60, "fixed")
    with pytest.raises(LabanError, match="mode"):
        score(DANCE, 60, "exact")
    with pytest.raises(LabanError):
        score(DANCE, 0)


def test_joints_that_are_no_numbers_are_not_perfect():
    """NaN is never in contact, so it would skate at 0 m/s."""
    for score in (lambda j: physics.skate(j, 20), lambda j: physics.jerk(j, 20), physics.penetration, physics.floating):
        with pytest.raises(LabanError, match="NaN"):
            score(np.full((10, 22, 3), np.nan))
