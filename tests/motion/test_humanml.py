"""The 263 and 251 features: released values when they are at hand, our own always, quirks, round trips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from laban.errors import ShapeError
from laban.motion import humanml, kinematics, rotation
from laban.motion.humanml import HUMANML, KIT
from laban.motion.skeletons import HUMANML22, KIT21

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "humanml3d-features"
REFERENCE = Path(__file__).parents[3] / "shared" / "data" / "reference" / "humanml3d"
FIXTURES = Path(__file__).parents[1] / "fixtures"
BOTH = pytest.mark.parametrize("layout", [HUMANML, KIT], ids=["humanml3d", "kit"])
TENTH_MM = 1e-4


def body(layout: humanml.Layout, frames: int = 60, seed: int = 0) -> np.ndarray:
    """(T, J, 3) in the layout's unit: a body that walks a curve and moves its limbs smoothly."""
    skeleton = HUMANML22 if layout is HUMANML else KIT21
    rng = np.random.default_rng(seed)
    t = np.arange(frames) / layout.fps
    wave = np.sin(2 * np.pi * 0.8 * t[:, None, None] + rng.uniform(0, 6, (len(skeleton), 3)))
    rotations = rotation.from_axis_angle(0.3 * wave)
    heading = 1.0 + 0.6 * t
    rotations[:, 0] = rotation.multiply(rotation.yaw(heading), rotations[:, 0])
    root = np.stack([2 + 1.2 * np.sin(heading), 0.95 + 0.03 * np.sin(9 * t), -1 + 1.2 * np.cos(heading)], -1)
    return kinematics.forward(skeleton, rotations, root) / layout.unit


@pytest.mark.parametrize(("name", "layout"), [("expected.npz", HUMANML), ("expected_kit.npz", KIT)])
@pytest.mark.parametrize("where", [GOLDEN, FIXTURES], ids=["released", "ours"])
def test_expected_values(name, layout, where):
    """`released` was computed with the released code; `ours` by this code (tests/fixtures/make_features.py)."""
    path = where / (name if where == GOLDEN else f"features_{layout.name}.npz")
    if not path.exists():
        if where == GOLDEN:
            pytest.skip(f"no expected values at {GOLDEN}")
        raise AssertionError(f"{path} belongs to the repository")
    tolerance = TENTH_MM if layout is HUMANML else 0.02
    with np.load(path) as expected:
        names = sorted(key[: -len("_joints")] for key in expected.files
                       if key.endswith("_joints") and "canonical" not in key)  # fmt: skip
        assert names
        offsets = expected["target_bone_offsets"]
        np.testing.assert_allclose(layout.offsets, offsets, atol=tolerance, rtol=0)
        for case in names:
            features = humanml.encode(expected[f"{case}_joints"], layout)
            np.testing.assert_allclose(features, expected[f"{case}_features"], atol=tolerance, rtol=0)
            canonical = humanml.canonical(expected[f"{case}_joints"], layout)
            np.testing.assert_allclose(canonical, expected[f"{case}_canonical_joints"], atol=tolerance, rtol=0)
            back = humanml.decode(expected[f"{case}_features"])
            np.testing.assert_allclose(back, expected[f"{case}_recover_from_positions"], atol=tolerance, rtol=0)
            if f"{case}_recover_from_rotations" in expected:
                bones = humanml.offsets_of(expected[f"{case}_canonical_joints"][0], layout)
                back = humanml.decode_rotations(expected[f"{case}_features"], bones)
                np.testing.assert_allclose(back, expected[f"{case}_recover_from_rotations"], atol=tolerance, rtol=0)


@pytest.mark.skipif(not REFERENCE.exists(), reason=f"no reference clips at {REFERENCE}")
@pytest.mark.parametrize("clip", ["012314", "000000"])
def test_stored_clips_of_the_data_set_decode_to_their_joints(clip):
    features = np.load(REFERENCE / "new_joint_vecs" / f"{clip}.npy")
    joints = np.load(REFERENCE / "new_joints" / f"{clip}.npy")
    back = humanml.decode(features.astype(np.float64))
    frames = min(len(back), len(joints))
    np.testing.assert_allclose(back[:frames], joints[:frames], atol=TENTH_MM)


@BOTH
class TestLayout:
    def test_slices_cover_every_column_once(self, layout):
        count = np.zeros(layout.width, int)
        for columns in (
            layout.yaw_rate, layout.root_velocity, layout.root_height, layout.positions, layout.rotations,
            layout.velocities, layout.contacts,
        ):  # fmt: skip
            count[columns] += 1
        assert (count == 1).all()
        assert layout.width == (263 if layout is HUMANML else 251)
        assert humanml.layout_of(layout.width) is layout

    def test_slices_stand_where_the_field_has_them(self, layout):
        bounds = [layout.positions.start, layout.rotations.start, layout.velocities.start, layout.contacts.start]
        assert bounds == ([4, 67, 193, 259] if layout is HUMANML else [4, 64, 184, 247])


@BOTH
class TestRoundTrip:
    def test_positions(self, layout):
        joints = humanml.canonical(body(layout), layout)
        features = humanml.features_of(joints, layout)
        assert features.shape == (59, layout.width)
        back = humanml.decode(features)
        np.testing.assert_allclose(back * layout.unit, joints[:-1] * layout.unit, atol=1e-9)

    def test_rotations(self, layout):
        joints = humanml.canonical(body(layout), layout)
        back = humanml.decode_rotations(humanml.features_of(joints, layout), humanml.offsets_of(joints[0], layout))
        np.testing.assert_allclose(back * layout.unit, joints[:-1] * layout.unit, atol=1e-6)

    def test_single_precision(self, layout):
        joints = humanml.canonical(body(layout), layout)
        back = humanml.decode(humanml.encode(body(layout), layout))
        assert back.dtype == np.float32
        np.testing.assert_allclose(back * layout.unit, joints[:-1] * layout.unit, atol=2e-5)

    def test_torch_agrees_and_is_differentiable(self, layout):
        features = humanml.encode(body(layout, 12), layout)
        tensor = torch.from_numpy(features.astype(np.float64)).requires_grad_(True)
        for function in (humanml.decode, lambda x: humanml.decode_rotations(x, _like(layout.offsets, x))):
            expected = function(features.astype(np.float64))
            got = function(tensor)
            np.testing.assert_allclose(got.detach().numpy(), expected, atol=1e-9)
            (gradient,) = torch.autograd.grad(got.sum(), tensor)
            assert torch.isfinite(gradient).all() and gradient.abs().sum() > 0

    def test_batches_equal_single_clips(self, layout):
        clips = np.stack([body(layout, 30, seed) for seed in range(3)])
        features = humanml.encode(clips, layout)
        assert features.shape == (3, 29, layout.width)
        for clip, row in zip(clips, features, strict=True):
            np.testing.assert_allclose(row, humanml.encode(clip, layout), atol=1e-6)
        np.testing.assert_allclose(humanml.decode(features)[1], humanml.decode(features[1]), atol=1e-4)


def _like(offsets: np.ndarray, x):
    return torch.from_numpy(offsets) if isinstance(x, torch.Tensor) else offsets


@BOTH
class TestCanonical:
    def test_floor_origin_facing_and_bones(self, layout):
        joints = humanml.canonical(body(layout), layout)
        assert joints[..., 1].min() == pytest.approx(0, abs=1e-9)
        np.testing.assert_allclose(joints[0, 0, [0, 2]], 0, atol=1e-9)
        right_hip, left_hip, right_shoulder, left_shoulder = layout.across
        across = joints[0, left_hip] - joints[0, right_hip] + joints[0, left_shoulder] - joints[0, right_shoulder]
        assert abs(across[2]) < 1e-6 * abs(across[0]) and across[0] > 0
        for t in (0, 31):
            bones = np.linalg.norm(humanml.offsets_of(joints[t], layout), axis=-1)
            np.testing.assert_allclose(bones, layout.lengths, rtol=1e-6, atol=1e-6)

    def test_place_and_heading_of_the_input_do_not_matter(self, layout):
        joints = body(layout)
        turn = rotation.yaw(np.array(2.1))
        moved = rotation.rotate(turn, joints) + np.array([3.0, 0.4, -7.0]) / layout.unit
        a, b = humanml.encode(joints, layout), humanml.encode(moved, layout)
        # Frame 0's forced heading makes the first row depend on the input's heading no more than float32 does.
        np.testing.assert_allclose(a, b, atol=1e-3 if layout is HUMANML else 1.0)

    def test_size_of_the_input_does_not_matter(self, layout):
        a, b = humanml.encode(body(layout), layout), humanml.encode(body(layout) * 1.3, layout)
        np.testing.assert_allclose(a, b, atol=1e-4 if layout is HUMANML else 0.1)


class TestQuirks:
    """What the field's checkpoints expect, right or not (specs/features.md)."""

    def test_yaw_rate_is_half_the_turn_of_the_stored_heading(self):
        features = humanml.encode(body(HUMANML)).astype(np.float64)
        root, _ = humanml.recover_root(features, HUMANML)
        ahead = np.broadcast_to([0.0, 0.0, 1.0], (len(root), 3))
        facing = rotation.rotate(rotation.conjugate(root), ahead)
        yaw = np.unwrap(np.arctan2(facing[:, 0], facing[:, 2]))
        np.testing.assert_allclose(np.diff(yaw), -2 * features[:-1, 0], atol=1e-9)

    def test_hip_labels_are_swapped_in_the_heading(self):
        """Turning the hips alone by a little turns the stored heading the other way."""
        joints = np.repeat(HUMANML22.rest()[None], 200, axis=0)
        turned = joints.copy()
        turn = rotation.yaw(np.linspace(0, 0.3, 200))
        for joint in (1, 2):
            turned[:, joint] = joints[:, 0] + rotation.rotate(turn, joints[:, joint] - joints[:, 0])
        heading = humanml._heading(turned, HUMANML, swapped=True)
        assert np.arctan2(heading[-1, 0], heading[-1, 2]) < -0.01
        true = humanml._heading(turned, HUMANML, swapped=False)
        assert np.arctan2(true[-1, 0], true[-1, 2]) > 0.01

    def test_heading_is_smoothed_over_a_second(self):
        """A quarter turn of the body in one frame is spread by a Gaussian of 20 frames."""
        rest = np.repeat(HUMANML22.rest()[None], 161, axis=0)
        turn = rotation.yaw(np.where(np.arange(161) < 80, 0.0, np.pi / 2))
        joints = rotation.rotate(turn[:, None], rest) + [0, 0.9, 0]
        rate = abs(humanml.features_of(joints)[:, 0])
        assert 2 * rate.sum() == pytest.approx(np.pi / 2, rel=0.05)
        assert rate.max() < 0.03 and (rate > 0.25 * rate.max()).sum() > 50

    def test_rotations_stand_at_the_child_and_arms_start_from_the_root(self):
        """Bending the spine alone leaves the arm's stored rotations as they were."""
        joints = np.repeat(HUMANML22.rest()[None] + [0, 0.95, 0], 3, axis=0)
        bent = joints.copy()
        shift = np.array([0.0, -0.02, 0.06])
        bent[:, [6, 9, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]] += shift
        a, b = (humanml.features_of(x)[0, HUMANML.rotations].reshape(21, 6) for x in (joints, bent))
        changed = {joint + 1 for joint in range(21) if abs(a[joint] - b[joint]).max() > 1e-6}
        # 6 is the bone that bent; 9 follows it in its chain; the arms' own bones did not turn.
        assert 6 in changed and not changed & {16, 17, 18, 19, 20, 21}

    def test_contacts_are_slow_feet_in_the_order_of_the_field(self):
        joints = np.repeat(HUMANML22.rest()[None] + [0, 0.95, 0], 10, axis=0)
        step = np.arange(10) * 0.05  # 50 mm a frame: above the threshold of 44.7 mm
        for column, joint in enumerate((7, 10, 8, 11)):
            moved = joints.copy()
            moved[:, joint, 1] += step
            contacts = humanml.features_of(moved)[:, HUMANML.contacts]
            expected = np.ones((9, 4))
            expected[:, column] = 0
            np.testing.assert_array_equal(contacts, expected)
            moved[:, joint, 1] -= 0.2 * step  # 40 mm a frame
            assert humanml.features_of(moved)[:, HUMANML.contacts].all()

    def test_last_frame_is_lost(self):
        assert len(humanml.encode(body(HUMANML, 2))) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: humanml.encode(np.zeros((5, 24, 3))), "22"),
        (lambda: humanml.encode(np.zeros((1, 22, 3))), "T >= 2"),
        (lambda: humanml.encode(np.zeros((22, 3))), "22"),
        (lambda: humanml.decode(np.zeros((5, 262))), "262"),
        (lambda: humanml.layout_of(12), "263"),
    ],
)
def test_wrong_shapes_say_what_was_expected(call, message):
    with pytest.raises(ShapeError, match=message):
        call()


def test_module_explains_the_quirks_once():
    assert "swapped" in (humanml.__doc__ or "") and "half" in (humanml.__doc__ or "")
