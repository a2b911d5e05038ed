"""Clean-up holds standing feet, keeps the rest, and never buries a foot."""

import numpy as np

from laban.data.synthesis import walkers
from laban.metrics import physics
from laban.motion.cleanup import CleanupSettings, clean, contacts, hanging
from laban.motion.motion import Motion


def _walk(noise: float = 0.0) -> np.ndarray:
    joints = walkers.joints(0, 100, 1.0, 0.0)
    joints = joints - np.array([0.0, np.percentile(joints[..., 1].min(-1), 5), 0.0])
    rng = np.random.default_rng(0)
    return joints + rng.normal(size=joints.shape) * noise


def test_a_standing_foot_that_drifts_is_held():
    joints = np.repeat(_walk()[:1], 60, 0)
    joints[..., 1] -= joints[0, :, 1].min()
    drift = joints + np.linspace(0, 0.3, 60)[:, None, None] * np.array([1.0, 0.0, 0.0])  # 0.1 m/s sideways
    before = Motion.from_joints(drift, 20)
    after = clean(before)
    toe = after.joints()[:, [10, 11]]
    speed = np.linalg.norm(np.diff(toe[5:-5], axis=0), axis=-1) * 20
    assert speed.max() < 0.005
    assert abs(after.root[-1, 0] - before.root[-1, 0]) < 0.02  # the body still goes where it went


def test_tremble_is_filtered_and_no_foot_is_buried():
    noisy = Motion.from_joints(_walk(0.01), 20)
    cleaned = clean(noisy, CleanupSettings(smooth=0.04))
    assert physics.jerk(cleaned.joints(), 20) < 0.5 * physics.jerk(noisy.joints(), 20)
    assert cleaned.joints()[..., 1].min() > -0.01
    assert cleaned.frames == noisy.frames and cleaned.fps == noisy.fps


def test_a_clean_motion_stays_nearly_as_it_is():
    motion = Motion.from_joints(_walk(), 20)
    moved = np.linalg.norm(clean(motion).joints() - motion.joints(), axis=-1)
    assert moved[:, [15, 20, 21]].mean() < 0.02


def test_contacts_need_low_and_slow():
    toe = np.zeros((40, 3))
    toe[10:20, 1] = 0.2
    toe[25:, 0] = np.arange(15) * 0.2
    runs = contacts(toe, 20)
    assert all(not (10 <= f < 20) and f < 26 for a, b in runs for f in range(a, b))
    assert runs and runs[0][0] == 0


def test_short_and_foreign_motions_pass():
    from laban.motion.skeleton import Skeleton

    stick = Skeleton("stick", ("a", "b"), (-1, 0), np.array([[0, 0, 0], [0, 1, 0]]))
    rotations = np.tile([1.0, 0, 0, 0], (3, 2, 1))
    assert clean(Motion(stick, rotations, np.zeros((3, 3)), 30)).frames == 3


def test_whoever_hangs_in_the_air_is_put_down_and_whoever_jumps_is_not():
    fps, t = 20, np.arange(120) / 20
    jump = np.maximum(0, 0.4 * np.sin(np.pi * (t - 2) / 0.6)) * ((t > 2) & (t < 2.6))
    assert np.allclose(hanging(jump, fps, 0.8), 0)
    hangs = np.where((t > 1.5) & (t < 4), 0.3, 0.0)
    lift = hanging(hangs, fps, 0.8)
    assert (hangs - lift)[40:70].max() < 0.03 and lift[:20].max() < 0.01 and (lift >= 0).all()
    assert np.abs(np.diff(lift)).max() < 0.1  # put down, not dropped
