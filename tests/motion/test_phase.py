"""Blends by phase: steps stay steps, the ends are the clips, and who does not stand is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from laban.data.synthesis import walkers
from laban.errors import InputError
from laban.metrics.gait import gait
from laban.motion import phase, rotation
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22

FPS = 20.0


def walker(frames: int = 120, speed: float = 1.1, at: float = 0.0, action: int = 0) -> Motion:
    return Motion.from_joints(walkers.joints(action, frames, speed, at), FPS, HUMANML22)


def by_time(a: Motion, b: Motion) -> Motion:
    """The control: poses of equal times."""
    share = np.full((a.frames, 1), 0.5)
    return replace(a, rotations=rotation.slerp(a.rotations, b.rotations, share), root=(a.root + b.root) / 2)


def test_the_clock_of_a_walk_counts_its_strides() -> None:
    found = phase.clock(walker())
    assert found is not None
    assert found.stride == pytest.approx(FPS / 0.9, rel=0.03)
    assert np.allclose(found.at(found.of(np.array([10.0, 33.0, 200.0]))), [10.0, 33.0, 200.0])


@pytest.mark.parametrize("action", [2, 3])
def test_whoever_waves_or_bows_has_no_clock(action: int) -> None:
    assert phase.clock(walker(action=action)) is None


def test_walks_out_of_step_keep_their_knees_and_strides() -> None:
    a, b = walker(), walker(at=np.pi)  # one's left foot is forward when the other's right one is
    blend, naive, alone = (gait(m.joints(), FPS) for m in (phase.blended(a, b, 0.5), by_time(a, b), a))
    assert naive.knee_range < 0.7 * alone.knee_range  # what a blend by time makes of it
    assert blend.knee_range == pytest.approx(alone.knee_range, rel=0.1)
    assert blend.stride_cv < 0.05
    assert blend.speed == pytest.approx(alone.speed, rel=0.05)


def test_length_and_speed_of_a_blend_lie_between() -> None:
    slow, fast = walker(speed=0.8), walker(speed=1.6, at=1.0)
    speeds = [gait(phase.blended(slow, fast, share).joints(), FPS).speed for share in (0.25, 0.5, 0.75)]
    assert 0.8 < speeds[0] < speeds[1] < speeds[2] < 1.6


def test_a_blend_begins_where_its_first_motion_does_and_faces_the_same_way() -> None:
    straight, curved = walker(), walker(action=1, at=2.0)
    made = phase.blended(straight, curved, 0.5)
    assert np.allclose(made.root[0, [0, 2]], straight.root[0, [0, 2]], atol=1e-9)
    turned = np.ptp(phase.heading(made.joints()))
    assert 0.3 * np.ptp(phase.heading(curved.joints())) < turned < 0.7 * np.ptp(phase.heading(curved.joints()))


def test_a_walk_and_someone_who_stands_make_shorter_steps() -> None:
    walk, wave = walker(), walker(action=2)
    speeds = [gait(phase.blended(walk, wave, share).joints(), FPS).speed for share in (0.25, 0.75)]
    assert speeds[1] < 0.5 * speeds[0]
    half, full = (np.ptp(phase.reach(m.joints(), 0)) for m in (phase.blended(walk, wave, 0.5), walk))
    assert half == pytest.approx(0.5 * full, rel=0.2)


def test_the_ends_are_the_motions_themselves() -> None:
    a, b = walker(), walker(at=1.0)
    assert phase.blended(a, b, 0.0) is a
    assert phase.blended(a, b, 1.0) is b


def test_a_walk_and_someone_low_are_refused() -> None:
    wave = walker(action=2)
    low = replace(wave, root=wave.root - [0.0, 0.6, 0.0])
    with pytest.raises(InputError, match="motion 2 sits, kneels or lies"):
        phase.blended(walker(), low, 0.5)
    with pytest.raises(InputError, match="neither motion walks"):
        phase.blended(wave, wave, 0.5)
