"""Forward kinematics, and rotations from joints."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation as Oracle

from laban.errors import ShapeError
from laban.motion import kinematics, rotation
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22, KIT21, SKELETONS, SMPL24

HUNDREDTH_MM = 1e-5


def poses(skeleton: Skeleton, frames: int, seed: int = 0, spread: float = 0.4):
    rng = np.random.default_rng(seed)
    rotations = rotation.from_axis_angle(rng.normal(scale=spread, size=(frames, len(skeleton), 3)))
    return rotations, rng.normal(size=(frames, 3))


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
class TestForward:
    def test_rest_pose(self, skeleton):
        rotations = np.zeros((len(skeleton), 4))
        rotations[:, 0] = 1
        root = np.array([1.0, 2.0, 3.0])
        np.testing.assert_allclose(kinematics.forward(skeleton, rotations, root), skeleton.rest() + root, atol=1e-12)

    def test_agrees_with_a_walk_down_the_tree(self, skeleton):
        rotations, root = poses(skeleton, 3)
        expected = np.zeros((3, len(skeleton), 3))
        for t in range(3):
            world: list[Oracle] = []
            for j, parent in enumerate(skeleton.parents):
                local = Oracle.from_quat(rotations[t, j, [1, 2, 3, 0]])
                world.append(local if parent < 0 else world[parent] * local)
                if parent < 0:
                    expected[t, j] = root[t]
                else:
                    expected[t, j] = expected[t, parent] + world[parent].apply(skeleton.offsets[j].copy())
        np.testing.assert_allclose(kinematics.forward(skeleton, rotations, root), expected, atol=1e-12)

    def test_keeps_bone_lengths(self, skeleton):
        joints = kinematics.forward(skeleton, *poses(skeleton, 5))
        bones = joints[:, 1:] - joints[:, list(skeleton.parents[1:])]
        lengths = np.linalg.norm(bones, axis=-1)
        np.testing.assert_allclose(lengths, np.broadcast_to(skeleton.lengths[1:], lengths.shape), atol=1e-12)

    def test_turning_the_root_turns_everything(self, skeleton):
        rotations, root = poses(skeleton, 4)
        turn = rotation.yaw(np.array(0.7))
        turned = rotations.copy()
        turned[:, 0] = rotation.multiply(turn, rotations[:, 0])
        np.testing.assert_allclose(
            kinematics.forward(skeleton, turned, rotation.rotate(turn, root)),
            rotation.rotate(turn, kinematics.forward(skeleton, rotations, root)),
            atol=1e-12,
        )

    def test_fit_then_forward_returns_the_joints_of_a_rigid_body(self, skeleton):
        rotations, root = poses(skeleton, 40, spread=0.3)
        joints = kinematics.forward(skeleton, rotations, root)
        fitted, place = kinematics.fit(skeleton, joints)
        np.testing.assert_allclose((fitted**2).sum(-1), 1.0, atol=1e-9)
        error = np.linalg.norm(kinematics.forward(skeleton, fitted, place) - joints, axis=-1)
        assert error.max() < HUNDREDTH_MM

    def test_fit_of_the_rest_pose_is_identity(self, skeleton):
        fitted, root = kinematics.fit(skeleton, skeleton.rest()[None])
        assert np.degrees(2 * np.arccos(np.clip(abs(fitted[..., 0]), 0, 1))).max() < 0.5
        np.testing.assert_allclose(root, 0.0, atol=1e-12)


def test_forward_takes_any_leading_shape_and_torch():
    rotations, root = poses(HUMANML22, 6)
    expected = kinematics.forward(HUMANML22, rotations, root)
    batched = kinematics.forward(HUMANML22, rotations.reshape(2, 3, 22, 4), root.reshape(2, 3, 3))
    np.testing.assert_array_equal(batched.reshape(6, 22, 3), expected)
    tensor = kinematics.forward(HUMANML22, torch.from_numpy(rotations), torch.from_numpy(root))
    np.testing.assert_allclose(tensor.numpy(), expected, atol=1e-12)


def test_forward_is_differentiable():
    rotations, root = poses(KIT21, 1)
    q = torch.from_numpy(rotations[0]).requires_grad_(True)
    p = torch.from_numpy(root[0]).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda a, b: kinematics.forward(KIT21, a, b)[-3:], (q, p))


def test_local_and_global_rotations_are_inverse():
    rotations, _ = poses(SMPL24, 5)
    world = kinematics.global_rotations(SMPL24, rotations)
    back = kinematics.local_rotations(SMPL24, world)
    np.testing.assert_allclose(back, rotations, atol=1e-12)


def test_fit_follows_a_walk_without_jumps(walk, walk_joints):
    rotations, root = kinematics.fit(HUMANML22, walk_joints)
    error = np.linalg.norm(kinematics.forward(HUMANML22, rotations, root) - walk_joints, axis=-1)
    assert error.max() < HUNDREDTH_MM
    # The walk's own joints turn by at most this much from frame to frame; the fit adds twist of its own, but
    # no flips: neither in sign nor in angle.
    assert ((rotations[1:] * rotations[:-1]).sum(-1) > 0).all()
    dots = np.clip(abs((rotations[1:] * rotations[:-1]).sum(-1)), 0, 1)
    assert np.degrees(2 * np.arccos(dots)).max() < 25


def test_fit_twist_is_that_of_a_bending_limb(walk, walk_joints):
    """Hips and knees turn about the same hinge, so upper legs come back as they were, twist included."""
    rotations, _ = kinematics.fit(HUMANML22, walk_joints)
    world = kinematics.global_rotations(HUMANML22, rotations)
    truth = kinematics.global_rotations(HUMANML22, walk[0])
    for name in ("pelvis", "left_hip", "right_hip", "left_knee", "right_knee"):
        joint = HUMANML22.index(name)
        dots = np.clip(abs((world[:, joint] * truth[:, joint]).sum(-1)), 0, 1)
        assert np.degrees(2 * np.arccos(dots)).max() < 15, name


def test_straightening_limb_does_not_spin():
    """A knee and an elbow that close to straight and open again: no jump at the straight pose."""
    frames = 81
    bend = 0.8 * np.cos(np.linspace(0, 2 * np.pi, frames)) + 0.8
    turn = np.zeros((frames, 22, 3))
    turn[:, HUMANML22.index("left_knee"), 0] = bend
    turn[:, HUMANML22.index("left_elbow"), 1] = -bend
    joints = kinematics.forward(HUMANML22, rotation.from_axis_angle(turn), np.zeros((frames, 3)))
    rotations, _ = kinematics.fit(HUMANML22, joints)
    dots = np.clip(abs((rotations[1:] * rotations[:-1]).sum(-1)), 0, 1)
    assert np.degrees(2 * np.arccos(dots)).max() < 12


def test_fit_of_noisy_straight_limbs_stays_calm():
    """Millimetre noise on limbs that hang straight must not become twist."""
    noise = np.random.default_rng(3).normal(scale=1e-3, size=(200, 22, 3))
    joints = HUMANML22.rest()[None] + noise
    rotations, _ = kinematics.fit(HUMANML22, joints)
    dots = np.clip(abs(rotations[..., 0]), 0, 1)
    limbs = [HUMANML22.index(f"{s}_{n}") for s in ("left", "right") for n in ("hip", "knee", "shoulder", "elbow")]
    assert np.degrees(2 * np.arccos(dots[:, limbs])).max() < 10


def test_fit_of_another_body_follows_the_directions():
    """Longer bones: the skeleton's lengths hold, the limbs' directions are the source's."""
    rotations, root = poses(HUMANML22, 20, seed=5)
    taller = Skeleton("taller", HUMANML22.names, HUMANML22.parents, HUMANML22.offsets * 1.2)
    joints = kinematics.forward(taller, rotations, root)
    fitted, place = kinematics.fit(HUMANML22, joints)
    mine = kinematics.forward(HUMANML22, fitted, place)
    for child in ("left_knee", "right_ankle", "left_wrist", "head"):
        j = HUMANML22.index(child)
        p = HUMANML22.parents[j]
        a, b = rotation.unit(mine[:, j] - mine[:, p]), rotation.unit(joints[:, j] - joints[:, p])
        assert (a * b).sum(-1).min() > 1 - 1e-6, child
    np.testing.assert_allclose(place, root, atol=1e-12)


def test_collapsed_bones_stay_finite():
    rotations, root = kinematics.fit(HUMANML22, np.zeros((3, 22, 3)))
    assert np.isfinite(rotations).all() and np.isfinite(root).all()
    np.testing.assert_allclose((rotations**2).sum(-1), 1.0, atol=1e-6)


@pytest.mark.parametrize(
    "call",
    [
        lambda: kinematics.forward(HUMANML22, np.zeros((5, 21, 4)), np.zeros((5, 3))),
        lambda: kinematics.global_rotations(HUMANML22, np.zeros((5, 22, 3))),
        lambda: kinematics.fit(HUMANML22, np.zeros((5, 24, 3))),
        lambda: kinematics.fit(HUMANML22, np.zeros((22, 3))),
    ],
)
def test_wrong_shapes_say_what_was_expected(call):
    with pytest.raises(ShapeError, match=r"humanml22|expected"):
        call()
