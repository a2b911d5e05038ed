"""`Motion`: resampling, cropping, mirroring, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from laban.errors import InputError, ShapeError
from laban.motion import rotation
from laban.motion.motion import Motion, Segment
from laban.motion.skeletons import HUMANML22


@pytest.fixture
def motion(walk) -> Motion:
    segments = (Segment("walks", 0.0, 4.0), Segment("turns left", 4.0, 6.0))
    return Motion(HUMANML22, *walk, fps=20, segments=segments, passport={"seed": 7})


def angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(2 * np.arccos(np.clip(abs((a * b).sum(-1)), 0, 1)))


def test_knows_its_length(motion):
    assert (motion.frames, motion.seconds) == (120, 6.0)
    assert motion.joints().shape == (120, 22, 3)
    np.testing.assert_allclose(motion.joints()[:, 0], motion.root)


def test_from_joints_returns_them(walk_joints):
    made = Motion.from_joints(walk_joints, 20, segments=(Segment("walks", 0, 6),))
    assert made.skeleton == HUMANML22 and made.segments[0].text == "walks"
    assert np.linalg.norm(made.joints() - walk_joints, axis=-1).max() < 1e-5


class TestResample:
    def test_keeps_source_frames_and_ends(self, motion):
        up = motion.resample(60)
        assert (up.fps, up.frames) == (60, 120 * 3) and up.seconds == motion.seconds
        np.testing.assert_allclose(up.root[-2:], motion.root[[-1, -1]], atol=1e-12)
        np.testing.assert_allclose(up.root[::3], motion.root, atol=1e-9)
        assert angles(up.rotations[::3], motion.rotations).max() < 1e-4

    def test_down_picks_and_there_and_back_agrees(self, motion):
        np.testing.assert_allclose(motion.resample(10).root, motion.root[::2], atol=1e-12)
        back = motion.resample(60).resample(20)
        assert np.linalg.norm(back.joints() - motion.joints(), axis=-1).max() < 1e-5

    def test_never_touches_euler_angles(self, motion, monkeypatch):
        """A turn through gimbal lock of every order stays on the great arc, at even speed."""

        def refuse(*_args, **_kwargs):
            raise AssertionError("Euler angles in resample")

        monkeypatch.setattr(rotation, "to_euler", refuse)
        monkeypatch.setattr(rotation, "from_euler", refuse)
        axis = np.array([0.36, 0.48, 0.8])
        turn = np.linspace(-3.0, 3.0, 31)
        rotations = np.zeros((31, 22, 4))
        rotations[..., 0] = 1
        rotations[:, 0] = rotation.from_axis_angle(turn[:, None] * axis)
        rotations[:, 16] = rotation.from_axis_angle(turn[:, None] * np.roll(axis, 1))
        up = Motion(HUMANML22, rotations, np.zeros((31, 3)), 30).resample(120)
        expected = np.minimum(np.arange(124) * 0.05 - 3.0, 3.0)[:, None]
        assert angles(up.rotations[:, 0], rotation.from_axis_angle(expected * axis)).max() < 1e-4
        assert angles(up.rotations[:, 16], rotation.from_axis_angle(expected * np.roll(axis, 1))).max() < 1e-4

    def test_signs_of_the_source_do_not_matter(self, motion):
        flips = np.where(np.random.default_rng(0).random((120, 22, 1)) < 0.5, -1.0, 1.0)
        other = Motion(HUMANML22, motion.rotations * flips, motion.root, 20)
        a, b = motion.resample(31).joints(), other.resample(31).joints()
        np.testing.assert_allclose(a, b, atol=1e-9)

    def test_keeps_bone_lengths_and_fields(self, motion):
        up = motion.resample(33.3)
        bones = up.joints()[:, 1:] - up.joints()[:, list(HUMANML22.parents[1:])]
        np.testing.assert_allclose(np.linalg.norm(bones, axis=-1) - HUMANML22.lengths[1:], 0, atol=1e-9)
        assert up.segments == motion.segments and up.passport == motion.passport

    def test_of_one_frame(self, motion):
        single = motion.crop(0, 0.05).resample(60)
        assert single.frames == 3 and np.ptp(single.root, axis=0).max() == 0

    @pytest.mark.parametrize("fps", [0, -20, float("nan"), float("inf"), 1e12])
    def test_refuses_impossible_rates(self, motion, fps):
        with pytest.raises(InputError, match="resample"):
            motion.resample(fps)


class TestAt:
    def test_between_frames_and_beyond_the_ends(self, motion):
        rotations, root = motion.at(np.array([-1.0, 0.0, 0.5 / motion.fps, 1e6]))
        np.testing.assert_allclose(root[2], (motion.root[0] + motion.root[1]) / 2, atol=1e-12)
        half = rotation.slerp(motion.rotations[0], motion.rotations[1], np.full((1, 1), 0.5))
        np.testing.assert_allclose(rotations[2], half[0] if half.ndim == 3 else half, atol=1e-12)
        for row, frame in ((0, 0), (1, 0), (3, -1)):
            np.testing.assert_allclose(root[row], motion.root[frame], atol=1e-12)
            np.testing.assert_allclose(rotations[row], motion.rotations[frame], atol=1e-12)


class TestCrop:
    def test_takes_the_frames_and_moves_segments(self, motion):
        part = motion.crop(3.0, 5.0)
        np.testing.assert_array_equal(part.root, motion.root[60:100])
        assert part.segments == (Segment("walks", 0.0, 1.0), Segment("turns left", 1.0, 2.0))
        assert part.passport == {"seed": 7}

    def test_drops_segments_outside_and_runs_to_the_end(self, motion):
        part = motion.crop(4.5)
        assert part.seconds == pytest.approx(1.5)
        assert [s.text for s in part.segments] == ["turns left"]
        assert part.segments[0].start == 0.0 and part.segments[0].end == pytest.approx(1.5)

    def test_parts_together_are_the_whole(self, motion):
        joints = np.concatenate([motion.crop(0, 2.35).joints(), motion.crop(2.35).joints()])
        np.testing.assert_allclose(joints, motion.joints(), atol=1e-12)

    @pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 3), (4, 2), (6, 7), (100, 200)])
    def test_refuses_empty_ranges(self, motion, start, end):
        with pytest.raises(InputError, match="crop"):
            motion.crop(start, end)


class TestMirror:
    def test_twice_is_identity(self, motion):
        back = motion.mirror().mirror()
        assert back.skeleton == motion.skeleton
        np.testing.assert_allclose(back.rotations, motion.rotations, atol=1e-12)
        np.testing.assert_allclose(back.joints(), motion.joints(), atol=1e-12)

    def test_reflects_the_joints(self, motion):
        expected = motion.joints()[:, HUMANML22.pairs] * [-1, 1, 1]
        np.testing.assert_allclose(motion.mirror().joints(), expected, atol=1e-9)

    def test_a_left_turn_becomes_a_right_turn(self, motion):
        ahead = np.broadcast_to([0.0, 0.0, 1.0], (120, 3))
        left = rotation.rotate(motion.rotations[:, 0], ahead)[-1, 0]
        right = rotation.rotate(motion.mirror().rotations[:, 0], ahead)[-1, 0]
        assert left == pytest.approx(-right) and abs(left) > 0.05


class TestRefuses:
    def test_shapes_that_do_not_fit(self, walk):
        rotations, root = walk
        for bad in ((rotations[:-1], root), (rotations[:, :21], root), (rotations, root[:, :2]),
                    (rotations[:0], root[:0])):  # fmt: skip
            with pytest.raises(ShapeError, match="Motion"):
                Motion(HUMANML22, *bad, fps=20)

    @pytest.mark.parametrize("fps", [0, -1, float("nan"), float("inf")])
    def test_impossible_frame_rates(self, walk, fps):
        with pytest.raises(InputError, match="fps"):
            Motion(HUMANML22, *walk, fps=fps)

    def test_values_that_are_not_finite(self, walk, walk_joints):
        rotations, root = walk
        broken = root.copy()
        broken[3, 1] = np.nan
        with pytest.raises(InputError, match="NaN"):
            Motion(HUMANML22, rotations, broken, 20)
        joints = walk_joints.copy()
        joints[5, 5, 0] = np.inf
        with pytest.raises(InputError, match="NaN"):
            Motion.from_joints(joints, 20)

    @pytest.mark.parametrize("factor", [0.0, 1e-9, 1e9])
    def test_rotations_that_are_none(self, walk, factor):
        rotations, root = walk
        with pytest.raises(InputError, match="quaternions"):
            Motion(HUMANML22, rotations * factor, root, 20)

    def test_a_resampling_to_millions_of_frames(self, motion):
        for fps in (1e5, 1e9, float("nan")):
            with pytest.raises(InputError, match="fps"):
                motion.resample(fps)


def test_rotations_are_made_unit(walk):
    rotations, root = walk
    motion = Motion(HUMANML22, rotations * 3.0, root, 20)
    np.testing.assert_allclose((motion.rotations**2).sum(-1), 1.0, atol=1e-12)


def test_the_module_imports_no_torch():
    import subprocess
    import sys

    code = f"import sys; import {Motion.__module__}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_it_is_shown_in_one_line() -> None:
    motion = Motion(
        HUMANML22, np.tile([1.0, 0, 0, 0], (30, 22, 1)), np.zeros((30, 3)), 20.0, (Segment("walks", 0, 1.5),)
    )
    assert repr(motion) == "<Motion 1.50 s, 30 frames at 20 fps, humanml22, 'walks'>"
    assert len(repr(replace(motion, segments=(Segment("x" * 500, 0, 1.5),)))) < 140
