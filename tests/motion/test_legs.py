"""Legs bent so that ankles come where a network put them."""

import numpy as np

from laban.metrics import physics
from laban.motion import legs
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22 as H
from tests.motion.conftest import walk_rotations

ANKLES = [H.index("left_ankle"), H.index("right_ankle")]


def _short_legs() -> np.ndarray:
    """Joints whose feet stand still while the bones of the legs shrink and grow, as a network's do."""
    rotations, root = walk_rotations(60)
    joints = Motion(H, rotations[:1].repeat(60, 0), root[:1].repeat(60, 0), 20.0).joints()
    joints[:, :, 1] -= 0.12  # room to bend
    for side in ("left", "right"):
        hip, knee, ankle = (H.index(f"{side}_{name}") for name in ("hip", "knee", "ankle"))
        share = 0.5 + 0.12 * np.sin(np.arange(60) / 3)[:, None]
        joints[:, knee] = joints[:, hip] * (1 - share) + joints[:, ankle] * share + [0, 0, 0.05]
    return joints


def test_ankles_stay_where_they_were_given():
    joints = _short_legs()
    directions = Motion.from_joints(joints, 20)
    planted = legs.plant(directions, joints)
    off = np.linalg.norm(planted.joints()[:, ANKLES] - joints[:, ANKLES], axis=-1)
    without = np.linalg.norm(directions.joints()[:, ANKLES] - joints[:, ANKLES], axis=-1)
    assert off.max() < 1.5e-3 < 0.02 < without.max()
    assert physics.skate(planted.joints(), 20) < 0.3 * physics.skate(directions.joints(), 20)
    lengths = np.linalg.norm(planted.joints()[:, 1:] - planted.joints()[:, list(H.parents[1:])], axis=-1)
    assert np.allclose(lengths, H.lengths[1:], atol=1e-9)


def test_a_rigid_motion_comes_back():
    rotations, root = walk_rotations(60)
    motion = Motion(H, rotations, root, 20.0)
    planted = legs.plant(Motion.from_joints(motion.joints(), 20), motion.joints())
    assert np.abs(planted.joints() - motion.joints()).max() < 1e-6


def test_an_ankle_out_of_reach_is_approached_in_a_straight_line():
    rotations, root = walk_rotations(40)
    joints = Motion(H, rotations, root, 20.0).joints()
    hip, ankle = H.index("left_hip"), ANKLES[0]
    joints[:, ankle] = joints[:, hip] + [0.0, -1.0, 1.0]
    planted = legs.plant(Motion.from_joints(joints, 20), joints).joints()
    way, wanted = planted[:, ankle] - planted[:, hip], joints[:, ankle] - joints[:, hip]
    cosine = (way * wanted).sum(-1) / np.linalg.norm(way, axis=-1) / np.linalg.norm(wanted, axis=-1)
    assert np.isfinite(planted).all() and cosine.min() > 0.999


def test_a_skeleton_without_legs_passes():
    stick = Skeleton("stick", ("a", "b"), (-1, 0), np.array([[0, 0, 0], [0, 1, 0]]))
    motion = Motion(stick, np.tile([1.0, 0, 0, 0], (3, 2, 1)), np.zeros((3, 3)), 30)
    assert legs.plant(motion, motion.joints()) is motion
