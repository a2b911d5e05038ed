"""Foot skate, jerk and penetration on motions whose values are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from laban.errors import ShapeError
from laban.metrics import physics
from laban.motion.skeletons import HUMANML22

REST = HUMANML22.rest() - HUMANML22.rest()[:, 1].min() * np.array([0.0, 1.0, 0.0])


def still(frames: int = 40) -> np.ndarray:
    return np.repeat(REST[None], frames, axis=0)


def sliding(speed: float, fps: float, frames: int = 40) -> np.ndarray:
    along = np.array([0.6, 0.0, 0.8]) * speed * (np.arange(frames) / fps)[:, None]
    return still(frames) + along[:, None]


class TestSkate:
    def test_standing_still_is_zero(self):
        assert physics.skate(still(), 20) == 0

    @pytest.mark.parametrize("fps", [20, 30, 60])
    def test_a_sliding_statue_skates_at_its_speed(self, fps):
        assert physics.skate(sliding(1.3, fps), fps) == pytest.approx(1.3)

    def test_vertical_motion_is_not_skate(self):
        joints = still()
        joints[:, physics.FEET, 1] += 0.04 * np.abs(np.sin(np.arange(40)))[:, None]
        assert physics.skate(joints, 20) == pytest.approx(0)

    def test_only_frames_near_the_ground_count(self):
        """A left foot that stands for half of the clip, then swings 20 cm up at 2 m/s."""
        joints = still(41)
        left = [7, 10]
        joints[21:, left, 1] += 0.2
        joints[21:, left, 2] += (np.arange(20) * 2.0 / 20)[:, None]
        assert physics.contacts(joints)[:, 0].tolist() == [True] * 21 + [False] * 20
        assert physics.skate(joints, 20) == pytest.approx(0)
        joints[:21, left, 0] += (np.arange(21) * 0.8 / 20)[:, None]  # now it slides while it stands
        joints[21:, left, 0] += 20 * 0.8 / 20
        # Two of four foot joints slide at 0.8 m/s in 20 of their 21 frames in contact.
        assert physics.skate(joints, 20) == pytest.approx((2 * 0.8 * 20 / 21) / 4)

    def test_height_is_the_joints_own(self):
        """Raising the whole clip changes nothing: a contact is relative to the joint's own low height."""
        assert physics.skate(sliding(0.7, 20) + [0, 3.0, 0], 20) == pytest.approx(0.7)


class TestJerk:
    def test_constant_acceleration_has_none(self):
        t = np.arange(30) / 20
        joints = still(30)
        joints[..., 1] += (3 * t - 4.9 * t**2)[:, None]
        assert physics.jerk(joints, 20) == pytest.approx(0, abs=1e-6)

    @pytest.mark.parametrize("fps", [20, 60])
    def test_a_cubic_has_six_times_its_coefficient(self, fps):
        t = np.arange(30) / fps
        joints = still(30)
        joints[..., 0] += (2.5 * t**3)[:, None]
        assert physics.jerk(joints, fps) == pytest.approx(15.0, rel=1e-6)

    def test_jitter_raises_it(self):
        noisy = still() + np.random.default_rng(0).normal(scale=0.002, size=(40, 22, 3))
        assert physics.jerk(noisy, 20) > 50

    def test_needs_four_frames(self):
        with pytest.raises(ShapeError, match="T >= 4"):
            physics.jerk(still(3), 20)


class TestPenetration:
    def test_on_the_floor_is_zero_and_above_counts_nothing(self):
        assert physics.penetration(still()) == pytest.approx(0)
        assert physics.penetration(still() + [0, 0.5, 0]) == 0

    def test_is_a_mean_over_all_frames(self):
        joints = still(40)
        joints[:10, :, 1] -= 0.04
        assert physics.penetration(joints) == pytest.approx(0.01)

    def test_takes_the_lowest_joint(self):
        joints = still()
        joints[:, 20, 1] = -0.03
        assert physics.penetration(joints) == pytest.approx(0.03)


def test_batches_equal_single_clips():
    clips = still(25) + np.random.default_rng(1).normal(scale=0.05, size=(4, 25, 22, 3)).cumsum(1)
    for measure in (lambda x: physics.skate(x, 20), lambda x: physics.jerk(x, 20), physics.penetration):
        whole = measure(clips.reshape(2, 2, 25, 22, 3))
        assert whole.shape == (2, 2)
        np.testing.assert_allclose(whole.ravel(), [measure(clip) for clip in clips])


def test_summary_is_the_mean_over_clips():
    result = physics.summary([still(30), sliding(1.0, 20, 50), still(3)], 20)
    assert result.clips == 2
    assert result.skate == pytest.approx(0.5)
    assert result.jerk == pytest.approx(0, abs=1e-6)
    assert np.isnan(physics.summary([], 20).skate)


@pytest.mark.parametrize("shape", [(22, 3), (5, 21, 3), (5, 22, 2), (1, 22, 3)])
def test_wrong_shapes_say_what_was_expected(shape):
    with pytest.raises(ShapeError, match="22, 3"):
        physics.skate(np.zeros(shape), 20)
