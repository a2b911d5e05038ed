"""Gait: a walk on its feet passes, a sliding statue and a hanging person do not."""

import numpy as np
import pytest

from laban.data.synthesis import walkers
from laban.metrics.gait import airborne, gait, hover, no_standing_foot, slide_per_contact, stride_times


def test_a_statue_that_slides_never_stands_and_has_no_knees():
    still = np.repeat(walkers.joints(0, 5, 1.0, 0.0)[:1], 60, 0)
    sliding = still + np.linspace(0, 4, 60)[:, None, None] * [0, 0, 1]
    found = gait(sliding, 20)
    assert (
        found.no_standing_foot == 1.0 and found.knee_range < 1e-3 and found.speed == pytest.approx(4 / 2.95, rel=0.02)
    )
    assert found.slide > 3 and no_standing_foot(still, 20) == 0


def test_strides_are_timed_by_the_forward_peaks_of_an_ankle():
    t = np.arange(200) / 20
    body = np.repeat(walkers.joints(0, 5, 1.0, 0.0)[:1], 200, 0)
    body[:, 7, 2] = body[:, 0, 2] + 0.3 * np.sin(2 * np.pi * t / 1.25)
    assert stride_times(body, 20, 0) == pytest.approx(1.25, abs=0.06)


def test_hover_counts_the_longest_time_without_a_foot_near_the_floor():
    body = np.repeat(walkers.joints(2, 5, 0.0, 0.0)[:1], 100, 0)
    body[..., 1] -= np.minimum(body[:, [10, 11], 1], body[:, [7, 8], 1] - 0.06).min()
    body[30:50, :, 1] += 0.3
    body[70:75, :, 1] += 0.3
    assert hover(body, 20) == pytest.approx(1.0)
    assert np.isfinite(slide_per_contact(body, 20))


def test_whoever_lies_with_the_feet_up_is_borne_and_whoever_hangs_is_not():
    body = np.repeat(walkers.joints(2, 5, 0.0, 0.0)[:1], 100, 0)
    body[..., 1] -= np.minimum(body[:, [10, 11], 1], body[:, [7, 8], 1] - 0.06).min()
    body[30:60, :, 1] += 0.3
    assert airborne(body, 20) == pytest.approx(1.5)
    body[40:60, 0, 1] = 0.1  # from then on on the back
    assert airborne(body, 20) == pytest.approx(0.5)
    assert hover(body, 20) == pytest.approx(1.5)
