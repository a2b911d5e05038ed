"""The judge: right motions pass, their mirror images, statues and moonwalks do not."""

from __future__ import annotations

import numpy as np
import pytest

from laban.errors import InputError, ShapeError
from laban.metrics import control
from laban.motion import kinematics, rotation
from laban.motion.skeletons import HUMANML22

FPS = 20.0
SIDES = {"left": 1.0, "right": -1.0}


def act(
    frames: int = 80,
    speed: float = 0.0,
    turn: float = 0.0,
    stride: float = 0.5,
    drift: float = 0.0,
    raised: tuple[str, ...] = (),
    bow: float = 0.0,
    sink: float = 0.0,
) -> np.ndarray:
    """A person (T, 22, 3) built from rotations: walks at `speed` m/s along the facing (negative: backwards),
    turns by `turn` radians to the left over the clip, swings the legs by `stride` radians, drifts to the left
    at `drift` m/s, raises arms, bows the trunk by `bow` radians, sinks by `sink` metres."""
    t = np.arange(frames) / FPS
    ramp = np.sin(np.linspace(0, np.pi, frames))
    vectors = np.zeros((frames, 22, 3))
    for side, sign in SIDES.items():
        swing = stride * np.sin(2 * np.pi * 1.0 * t) * sign
        vectors[:, HUMANML22.index(f"{side}_hip"), 0] = -swing
        down = 1.3 - (2.5 * ramp if side in raised else 0.0)
        vectors[:, HUMANML22.index(f"{side}_shoulder"), 2] = -sign * down
    vectors[:, HUMANML22.index("spine1"), 0] = bow * ramp
    heading = turn * np.linspace(0, 1, frames)
    rotations = rotation.from_axis_angle(vectors)
    rotations[:, 0] = rotation.yaw(heading)
    ahead = np.stack([np.sin(heading), np.zeros(frames), np.cos(heading)], -1)
    left = np.stack([np.cos(heading), np.zeros(frames), -np.sin(heading)], -1)
    root = np.cumsum((ahead * speed + left * drift) / FPS, axis=0)
    root[:, 1] = 0.95 - sink * ramp
    return kinematics.forward(HUMANML22, rotations, root)


def mirror(joints: np.ndarray) -> np.ndarray:
    return joints[:, HUMANML22.pairs] * [-1.0, 1.0, 1.0]


RIGHT = {
    "raise_left": act(raised=("left",), stride=0),
    "raise_right": act(raised=("right",), stride=0),
    "raise_both": act(raised=("left", "right"), stride=0),
    "wave_left": act(raised=("left",), stride=0),
    "wave_right": act(raised=("right",), stride=0),
    "wave_both": act(raised=("left", "right"), stride=0),
    "turn_left": act(speed=1.0, turn=1.6),
    "turn_right": act(speed=1.0, turn=-1.6),
    "walk": act(speed=1.1),
    "run": act(speed=2.6, stride=0.8),
    "walk_backward": act(speed=-0.8),
    "walk_left": act(speed=0.8, drift=0.6),
    "walk_right": act(speed=0.8, drift=-0.6),
    "bow": act(bow=1.0, stride=0),
}


def test_every_expectation_has_a_motion_here():
    assert set(RIGHT) == set(control.EXPECTATIONS)
    assert set(control.CONTENTS.values()) <= set(control.EXPECTATIONS)


@pytest.mark.parametrize("expectation", RIGHT)
class TestEveryExpectation:
    def test_the_right_motion_passes(self, expectation):
        verdict = control.judge(expectation, RIGHT[expectation], FPS)
        assert verdict.ok and bool(verdict) and not verdict.reason and verdict.measures

    def test_so_does_it_anywhere_facing_any_way(self, expectation):
        moved = rotation.rotate(rotation.yaw(np.array(2.3)), RIGHT[expectation]) + [4.0, 0.0, -2.0]
        assert control.judge(expectation, moved, FPS)

    def test_a_statue_fails(self, expectation):
        for frame in (0, 40):
            frozen = np.repeat(RIGHT[expectation][frame : frame + 1], 80, axis=0)
            verdict = control.judge(expectation, frozen, FPS)
            assert not verdict and verdict.reason

    def test_the_mirror_image_is_the_other_side(self, expectation):
        swapped = mirror(RIGHT[expectation])
        sided = "left" in expectation or "right" in expectation
        assert bool(control.judge(expectation, swapped, FPS)) is not sided
        if sided:
            other = expectation.replace("left", "?").replace("right", "left").replace("?", "right")
            assert control.judge(other, swapped, FPS)


@pytest.mark.parametrize("expectation", ["walk", "run", "walk_backward", "turn_left", "walk_left"])
def test_a_statue_that_slides_fails(expectation):
    """The same path and facing, with legs that do not step."""
    paths = {
        "walk": act(speed=1.1, stride=0), "run": act(speed=2.6, stride=0),
        "walk_backward": act(speed=-0.8, stride=0), "turn_left": act(speed=1.0, turn=1.6, stride=0),
        "walk_left": act(speed=0.8, drift=0.6, stride=0),
    }  # fmt: skip
    verdict = control.judge(expectation, paths[expectation], FPS)
    assert not verdict and "step" in verdict.reason


def test_a_statue_that_spins_fails():
    assert not control.judge("turn_left", act(turn=1.6, stride=0), FPS)
    assert control.judge("turn_left", act(turn=1.6), FPS)  # on the spot, with steps


def test_a_walk_that_faces_away_from_its_path_fails():
    for joints in (act(speed=-1.1), act(speed=0.0, drift=1.1)):
        verdict = control.judge("walk", joints, FPS)
        assert not verdict and "agree" in verdict.reason
    assert not control.judge("turn_left", act(speed=-1.0, turn=1.6), FPS)
    assert not control.judge("run", act(speed=-2.6), FPS)
    assert not control.judge("walk_backward", act(speed=0.8), FPS)


@pytest.mark.parametrize(
    ("expectation", "speed", "ok"),
    [("walk", 0.3, False), ("walk", 0.5, True), ("walk", 1.7, True), ("walk", 1.9, False),
     ("run", 1.7, False), ("run", 1.9, True)],
)  # fmt: skip
def test_pace_bounds(expectation, speed, ok):
    assert bool(control.judge(expectation, act(speed=speed), FPS)) is ok


@pytest.mark.parametrize("degrees", [30, 44, 46, 90, 200, 400])
def test_turns_count_beyond_45_degrees_and_unwrap(degrees):
    joints = act(frames=160, speed=0.6, turn=np.radians(degrees))
    assert np.degrees(control.net_yaw(joints)) == pytest.approx(degrees, abs=1e-6)
    assert bool(control.judge("turn_left", joints, FPS)) is (degrees > 45)
    assert not control.judge("turn_right", joints, FPS)


def test_the_other_hand_is_wrong_however_high():
    verdict = control.judge("raise_left", RIGHT["raise_right"], FPS)
    assert not verdict and "other hand" in verdict.reason
    assert not control.judge("raise_both", RIGHT["raise_right"], FPS)


def test_an_arm_that_swings_in_a_walk_is_not_raised():
    verdicts = [control.judge(e, act(speed=1.1), FPS) for e in ("raise_left", "wave_right", "raise_both")]
    assert not any(verdicts)


def test_a_raised_arm_of_a_statue_that_turns_is_not_raised():
    pose = RIGHT["raise_left"][40] * [1, 1, 1]
    turned = rotation.rotate(rotation.yaw(np.linspace(0, 2, 80))[:, None], np.repeat(pose[None], 80, axis=0))
    verdict = control.judge("raise_left", turned, FPS)
    assert not verdict and "moves" in verdict.reason


@pytest.mark.parametrize(("bend", "ok"), [(0.3, False), (1.0, True)])
def test_bow_needs_twenty_centimetres(bend, ok):
    verdict = control.judge("bow", act(bow=bend, stride=0), FPS)
    assert bool(verdict) is ok
    assert (verdict.measures["head_drop"] >= 0.2) is ok


def test_sinking_into_the_floor_is_no_bow():
    verdict = control.judge("bow", act(sink=0.4, stride=0), FPS)
    assert not verdict and "whole body" in verdict.reason


def test_facing_uses_the_correct_labels():
    """HumanML3D's stored heading swaps the hips; the judge's does not."""
    np.testing.assert_allclose(control.facing(act()[0]), [0, 0, 1], atol=5e-3)
    np.testing.assert_allclose(control.facing(act(turn=np.pi / 2)[-1]), [1, 0, 0], atol=5e-3)


def test_speed_is_path_length_over_time():
    assert control.speed(act(speed=1.3), FPS) == pytest.approx(1.3)
    there_and_back = np.concatenate([act(speed=1.0), act(speed=1.0)[::-1]])
    assert control.speed(there_and_back, FPS) == pytest.approx(1.0, rel=0.02)


def test_several_expectations_must_all_hold():
    assert control.judge("walk+turn_left", RIGHT["turn_left"], FPS)
    assert not control.judge("walk+turn_right", RIGHT["turn_left"], FPS)
    assert not control.judge("walk + bow", RIGHT["walk"], FPS)


def test_unknown_expectation_lists_the_known():
    with pytest.raises(InputError, match=r"'fly'.*raise_left"):
        control.judge("fly", RIGHT["walk"], FPS)


@pytest.mark.parametrize("shape", [(22, 3), (1, 22, 3), (5, 21, 3), (2, 5, 22, 3)])
def test_wrong_shapes_say_what_was_expected(shape):
    with pytest.raises(ShapeError, match="22"):
        control.judge("walk", np.zeros(shape), FPS)
