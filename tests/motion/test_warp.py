"""Time-warps: cubic resampling, monotone clocks, and kinematic beats that land on musical ones."""

from __future__ import annotations

import numpy as np
import pytest

from laban.errors import InputError
from laban.metrics.dance import beat_alignment, kinematic_beats, rests
from laban.motion import root_relative, rotation, warp
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22


def swings(frames: int = 600, fps: float = 60.0, seed: int = 0) -> Motion:
    """Arms that swing with uneven pauses while the body walks in a curve."""
    rng = np.random.default_rng(seed)
    knots = np.cumsum(rng.uniform(0.45, 0.8, 40))
    t = np.arange(frames) / fps
    phase = np.pi * np.interp(t, np.concatenate([[0.0], knots]), np.arange(41))
    phase = np.convolve(np.pad(phase, 4, mode="edge"), np.ones(9) / 9, mode="valid")
    angles = np.zeros((frames, 22, 3))
    for joint, axis, size in ((16, 2, 1.0), (17, 2, -0.8), (18, 1, 0.6), (12, 0, 0.4), (4, 0, 0.3)):
        angles[:, joint, axis] = size * np.cos(phase)
    heading = 0.3 * t
    rotations = rotation.from_axis_angle(angles)
    rotations[:, 0] = rotation.yaw(heading)
    root = np.stack([0.1 * np.sin(heading), 0.95 + 0 * t, 0.1 * t], axis=-1)
    return Motion(HUMANML22, rotations, root, fps)


def test_rows_and_motion_are_the_same_thing() -> None:
    motion = swings(200)
    rows = root_relative.encode(motion)
    assert rows.shape == (200, root_relative.width(22)) == (200, 136)
    start = (float(motion.root[0, 0]), float(motion.root[0, 2]))
    back = root_relative.decode(rows, HUMANML22, 60.0, start, float(root_relative.heading(motion.rotations[:, 0])[0]))
    assert np.abs(back.joints() - motion.joints()).max() < 1e-9


def test_rows_do_not_say_where_or_which_way() -> None:
    motion = swings(100)
    turn = rotation.yaw(np.array(2.0))
    rotations = motion.rotations.copy()
    rotations[:, 0] = rotation.multiply(turn, rotations[:, 0])
    turned = Motion(HUMANML22, rotations, rotation.rotate(turn, motion.root) + np.array([3.0, 0.0, -5.0]), 60.0)
    assert np.abs(root_relative.encode(turned) - root_relative.encode(motion)).max() < 1e-9


def test_forward_is_forward_and_left_is_left() -> None:
    still = np.zeros((5, 22, 4))
    still[..., 0] = 1
    walk = np.zeros((5, 3))
    walk[:, 2] = np.arange(5) / 60.0
    assert root_relative.encode(Motion(HUMANML22, still, walk, 60.0))[2, :2] == pytest.approx([1.0, 0.0])
    assert root_relative.encode(Motion(HUMANML22, still, walk[:, [2, 1, 0]], 60.0))[2, :2] == pytest.approx([0.0, 1.0])


def test_sampling_meets_the_frames_and_is_smooth_between() -> None:
    motion = swings(240)
    same = warp.sampled(motion, np.arange(240))
    assert np.abs(same.joints() - motion.joints()).max() < 1e-9
    third = Motion(HUMANML22, motion.rotations[::3], motion.root[::3], 20.0)
    again = warp.at_rate(third, 60.0)
    assert again.frames == 240 and again.fps == 60.0
    assert np.linalg.norm(again.joints() - motion.joints(), axis=-1)[:-3].max() < 0.01
    slerped = np.linalg.norm(np.diff(third.resample(60.0).joints(), 3, axis=0), axis=-1).mean()
    assert np.linalg.norm(np.diff(again.joints(), 3, axis=0), axis=-1).mean() < 0.5 * slerped


def test_rests_are_kinematic_beats_at_any_rate() -> None:
    motion = swings()
    found = rests(motion)
    assert len(found) > 8
    assert found.tolist() == kinematic_beats(motion.joints(), "fact", "fixed").tolist()
    half = Motion(HUMANML22, motion.rotations[::2], motion.root[::2], 30.0)
    assert np.abs(rests(half)[:, None] * 2 - found[None]).min(axis=1).max() <= 2


def test_a_clock_goes_through_its_pairs_and_never_back() -> None:
    source, target = np.array([0.0, 30.0, 50.0, 110.0]), np.array([0.0, 20.0, 60.0, 100.0])
    for accent in (1.0, 0.7):
        clock = warp.curve(source, target, 101, accent)
        assert clock[target.astype(int)] == pytest.approx(source)
        assert (np.diff(clock) > 0).all()
    for bad in (np.array([0.0, 5.0, 5.0, 9.0]), np.array([0.0])):
        with pytest.raises(InputError, match="must increase"):
            warp.curve(bad, target[: len(bad)], 10)


def test_locking_raises_the_score_within_its_limits() -> None:
    motion = swings(1200, seed=3)
    beats = np.arange(12.0, 1200, 33.0)
    settings = warp.LockSettings()
    found = rests(motion)
    source, target = warp.lock_pairs(found, beats, motion.frames, 60.0, settings)
    assert (source[0], target[0], source[-1], target[-1]) == (0, 0, 1199, 1199)
    ratio = np.diff(source) / np.diff(target)
    assert ratio.max() <= settings.rate + 1e-9 and ratio.min() >= 1 / settings.rate - 1e-9
    assert np.abs(source - target).max() <= settings.shift * 60
    assert set(target[1:-1]) <= set(beats) and set(source[1:-1]) <= set(found.tolist())
    bent = warp.sampled(motion, warp.curve(source, target, 1200, settings.accent))
    before = beat_alignment(found, beats)
    after = beat_alignment(rests(bent), beats)
    assert after > before + 0.25 and after > 0.6


def test_nothing_to_lock_leaves_the_clock_alone() -> None:
    for kinematic, beats in ((np.zeros(0), np.arange(0, 300, 30)), (np.array([50.0]), np.zeros(0))):
        source, target = warp.lock_pairs(kinematic, beats, 300, 60.0)
        assert source.tolist() == target.tolist() == [0.0, 299.0]
