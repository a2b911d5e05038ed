"""The control rows of authoring: what cheats must rank below the real thing, before there is any solver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from laban.evaluate import authoring_rows as rows
from laban.metrics import constraints, inbetween
from laban.motion import paths, travel
from laban.motion.constraints import Goals, PathPoint, RootPath
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22
from tests.actions.stepping import stander, stepper

MOMENTS = [0.5, 1.5, 3.0, 4.5]


@pytest.fixture(scope="module")
def real() -> Motion:
    return stepper()


@pytest.fixture(scope="module")
def goals(real: Motion) -> Goals:
    return rows.goals_of(real, MOMENTS)


def errors(motion: Motion, goals: Goals) -> np.ndarray:
    return np.array([each.error_m for each in constraints.reached(motion, goals)])


def test_1_the_real_clip_hits_and_another_misses(real: Motion, goals: Goals) -> None:
    assert all(each.hit for each in constraints.reached(real, goals))
    assert errors(real, goals).max() < 1e-9
    assert constraints.faults(constraints.quality(real, real)) == ()
    other = stepper(speed=0.8, phase=0.6)
    assert not any(each.hit for each in constraints.reached(other, goals))
    assert constraints.quality(other, other).skate_ratio == pytest.approx(1.0)


def test_2_who_slides_hits_and_is_found_out(real: Motion, goals: Goals) -> None:
    slid = rows.slide(real, goals.paths[0])
    assert constraints.reached(slid, Goals(paths=goals.paths))[0].error_m < 0.05
    assert {"skate", "afloat"} <= set(constraints.faults(constraints.quality(slid, real), dense=True))
    stands = stander()  # and a standing figure that is pushed to a place two metres away
    away = RootPath((PathPoint(0.5, (0.0, 0.0)), PathPoint(5.0, (0.0, 2.0))))
    pushed = rows.slide(stands, away)
    assert constraints.quality(stands).skate < constraints.STANDING_SKATE < constraints.quality(pushed).skate


def test_3_who_jumps_to_the_keys_hits_and_is_found_out(real: Motion) -> None:
    other = stepper(speed=0.8, phase=0.6)
    asked = rows.goals_of(real, [2.0], joint=None)
    jumped = rows.teleport(other, Goals(poses=asked.poses))
    assert constraints.reached(jumped, Goals(poses=asked.poses))[0].hit
    assert {"jerk", "spike"} <= set(constraints.faults(constraints.quality(jumped, other)))


def test_4_in_between_a_freeze_is_worse_than_interpolation_and_both_than_the_truth(real: Motion) -> None:
    first, last = 30, 75
    between = rows.interpolate(real, [first - 1, last])
    held = rows.zero_velocity(real, first, last)
    mean, std = real.joints().mean(0), real.joints().std(0) + 0.1
    span = slice(first, last)

    def scores(motion: Motion) -> tuple[float, float, float]:
        made, true = rows.world(motion)[None, span], rows.world(real)[None, span]
        l2p = inbetween.l2p(motion.joints()[None, span], real.joints()[None, span], mean, std)
        return inbetween.l2q(made, true), l2p, inbetween.npss(made, true)

    truth, middle, frozen = scores(real), scores(between), scores(held)
    assert truth == (0.0, 0.0, pytest.approx(0.0, abs=1e-9))
    assert 0 < middle[1] < frozen[1]
    assert min(middle) > 0 and min(frozen) > 0
    whole = rows.freeze(real, 60)
    assert not constraints.reached(whole, rows.goals_of(real, MOMENTS))[1].hit


def test_5_a_stretched_arm_is_found_out_and_so_is_a_knee_that_bends_backwards(real: Motion, goals: Goals) -> None:
    effector = goals.effectors[0]
    key = effector.keys[0]
    far = replace(effector, keys=(replace(key, position=(key.position[0] - 1.0, 1.6, key.position[2])),))
    joints = rows.stretched(real, far)
    assert "bone" in constraints.faults(constraints.quality(real, real, joints=joints))
    assert constraints.quality(real).bone < 1e-9
    rotations = real.rotations.copy()
    rotations[:, HUMANML22.index("left_knee")] = [np.cos(0.2), -np.sin(0.2), 0, 0]
    assert "hinge" in constraints.faults(constraints.quality(replace(real, rotations=rotations), real))
    assert constraints.quality(real).hinge > constraints.LIMITS["hinge"]


def test_6_a_broken_spine_is_found_out(real: Motion, goals: Goals) -> None:
    key = rows.broken_spine(goals.poses[0])
    bent = rows.teleport(real, Goals(poses=(key,)))
    assert constraints.reached(bent, Goals(poses=(key,)))[0].hit
    assert "spine" in constraints.faults(constraints.quality(bent, real))


def test_7_goals_of_another_and_goals_a_quarter_second_off_are_missed(real: Motion, goals: Goals) -> None:
    here = errors(real, goals)
    for seconds in (-0.25, 0.25):
        assert (errors(real, rows.shifted(goals, seconds, 5.9)) > here + 0.02).all()
    assert (errors(real, rows.goals_of(stepper(speed=0.8, phase=0.6), MOMENTS)) > here + 0.02).all()


def test_9_mirrored_goals_are_hit_by_the_mirrored_motion(real: Motion, goals: Goals) -> None:
    skeleton = real.mirror().skeleton
    reflected = rows.mirrored(goals)
    made = constraints.reached(real.mirror(), reflected)
    assert max(each.error_m for each in made) < 1e-9
    assert max(each.degrees for each in made) < 1e-4
    assert not constraints.reached(real, reflected)[0].hit
    assert rows.mirrored(reflected) == goals
    assert skeleton.names == HUMANML22.names


def test_10_what_changes_far_from_a_goal_is_seen_whatever_the_root_does(real: Motion) -> None:
    moved = replace(real, root=real.root + np.array([1.0, 0.0, 2.0]))
    assert constraints.apart(real, moved).max() < 1e-9
    rotations = real.rotations.copy()
    rotations[50:, HUMANML22.index("left_elbow")] = [1, 0, 0, 0]
    off = constraints.apart(real, replace(real, rotations=rotations))
    assert off[:50].max() < 1e-9
    assert off[50:].min() > 1e-3


def test_11_a_crab_hits_every_place_and_is_found_out(real: Motion, goals: Goals) -> None:
    crab = rows.crab(real)
    assert constraints.reached(crab, Goals(paths=goals.paths))[0].error_m < 0.02
    assert "facing" in constraints.faults(constraints.quality(crab, real))


def test_13_goals_between_frames_are_looked_at_in_the_nearest_frame(real: Motion) -> None:
    fast = real.resample(60.0)
    asked = rows.goals_of(fast, [1.0 + 1 / 60, 2.0 + 1 / 60, 3.0 + 1 / 60])
    assert all(each.hit for each in constraints.reached(fast, asked))
    assert errors(real, asked).max() > 0.005  # a frame of 20 per second is not near enough


def test_errors_over_many_clips_have_known_values() -> None:
    clips = [np.array([0.1, 0.3]), np.array([0.6, 0.0])]
    assert constraints.trajectory_error(clips) == 0.5
    assert constraints.trajectory_error(clips, 0.2) == 1.0
    assert constraints.location_error(clips) == 0.25
    assert constraints.average_error(clips) == pytest.approx(0.25)
    assert constraints.hit_errors(np.array([0.01, 0.03])) == pytest.approx({"mean": 2.0, "p95": 2.9, "max": 3.0})
    assert constraints.root2d(np.zeros((2, 2)), np.array([[0.0, 0.05], [0.0, 0.15]])) == pytest.approx(
        {"mean": 10.0, "p95": 14.5, "within": 0.5}
    )


def test_in_between_metrics_have_known_values() -> None:
    q = np.zeros((1, 4, 2, 4))
    q[..., 0] = 1
    turned = q.copy()
    turned[..., 0, :] = [0, 1, 0, 0]
    assert inbetween.l2q(turned, q) == pytest.approx(np.sqrt(2))
    assert inbetween.l2q(-q, q) == 0.0
    p = np.zeros((1, 4, 2, 3))
    assert inbetween.l2p(p + [3.0, 0, 4.0], p, np.zeros((2, 3)), np.full((2, 3), 5.0)) == pytest.approx(np.sqrt(2))
    assert inbetween.npss(q, q) == 0.0


def test_travel_taken_out_and_put_back_is_the_same_motion() -> None:
    curved = paths.circled(stepper(), 0.5)
    way = travel.of(curved)
    still = travel.taken_out(curved, way)
    again = travel.put_back(still, way)
    assert np.abs(again.joints() - curved.joints()).max() < 1e-6
    assert np.abs(still.root[:, [0, 2]]).max() < 0.1
    assert np.allclose(way.xz[[0, -1]], curved.root[[0, -1]][:, [0, 2]])
