"""Seams and sides, on motions made by formula."""

import numpy as np
import pytest

from laban.data.synthesis import walkers
from laban.errors import InputError
from laban.metrics import composition, transitions
from laban.motion import rotation


def walk(frames: int = 80) -> np.ndarray:
    return walkers.joints(0, frames, 1.2, 0.0)


def test_windows_are_around_seams_and_inside() -> None:
    joints = np.arange(100.0)[:, None, None] * np.ones((1, 22, 3))
    found = composition.windows(joints, [3, 40, 95], 30)
    assert found.shape == (1, 30, 22, 3) and found[0, 15, 0, 0] == 40
    assert composition.windows(joints, []).shape == (0, 30, 22, 3)
    inside = composition.inside([joints, joints[:10]], np.random.default_rng(0), 50)
    assert inside.shape == (50, 30, 22, 3) and (np.diff(inside[:, :, 0, 0], axis=1) == 1).all()
    with pytest.raises(InputError, match="none of 1 clips"):
        composition.inside([joints[:10]], np.random.default_rng(0), 5)


def test_a_cut_shows_in_every_measure_and_a_walk_in_none() -> None:
    whole = walk()
    cut = whole.copy()
    cut[40:] += [0.5, 0.0, 0.0]
    smooth, broken = (composition.seam_measures(composition.windows(j, [40]), 20.0) for j in (whole, cut))
    assert broken.jerk[0] > 0.9 and broken.jerk[0] > 3 * smooth.jerk[0]
    assert broken.root_change[0] > 9 and smooth.root_change[0] < 0.5
    assert broken.foot_step[0] > 0.45 > smooth.foot_step[0]
    one = composition.windows(whole, [40])
    assert composition.jerk_peaks(one)[0] == pytest.approx(transitions.peak_jerk(one))
    hidden = np.concatenate([composition.windows(whole, range(20, 50)), composition.windows(cut, [40])])
    assert composition.jerk_peaks(hidden).max() > 5 * transitions.peak_jerk(hidden)  # a mean hides one jump


def test_sides() -> None:
    wave = walkers.joints(2, 80, 0.0, 0.0)  # the right hand
    assert composition.side_of("wave_right", wave, 20.0) < -0.5
    assert composition.right_side("wave_right", wave, 20.0) and not composition.right_side("wave_left", wave, 20.0)
    curve = walkers.joints(1, 80, 1.2, 0.0)
    assert composition.right_side("turn_left", curve, 20.0) and not composition.right_side("turn_right", curve, 20.0)
    turned = rotation.rotate(np.broadcast_to(rotation.yaw(np.array(2.0)), (*wave.shape[:2], 4)), wave)
    assert composition.side_of("wave_right", turned, 20.0) == pytest.approx(
        composition.side_of("wave_right", wave, 20.0)
    )
    aside = walk()
    aside[..., 0] += np.linspace(0, 2, 80)[:, None]  # +X is left of +Z
    assert composition.right_side("walk_left", aside, 20.0)
    with pytest.raises(InputError, match="names no side"):
        composition.side_of("bow", wave, 20.0)


def test_peak_and_area_of_real_motion_are_small() -> None:
    windows = composition.windows(walk(200), range(40, 160, 10))
    level = float(np.abs(np.diff(windows, n=3, axis=1)).sum(-1).max(-1).mean())
    peak, area = composition.peak_and_area(windows, level)
    assert peak < 3 * level and area < 27 * level
