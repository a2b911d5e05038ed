"""Motions that tests are made with: smooth poses of the 22-joint skeleton, without any file."""

from __future__ import annotations

import numpy as np
import pytest

from laban.motion import kinematics, rotation
from laban.motion.skeletons import HUMANML22


def walk_rotations(frames: int, fps: float = 20.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A walk along a left-hand curve with swinging limbs: rotations (T, 22, 4), root (T, 3) metres."""
    rng = np.random.default_rng(seed)
    t = np.arange(frames) / fps
    phase = 2 * np.pi * 0.9 * t
    turn = np.zeros((frames, len(HUMANML22), 3))  # rotation vectors, joint to parent
    joint = HUMANML22.index
    for side, sign in (("left", 1.0), ("right", -1.0)):
        turn[:, joint(f"{side}_hip"), 0] = -0.45 * sign * np.sin(phase)
        turn[:, joint(f"{side}_knee"), 0] = 0.5 + 0.4 * np.cos(phase + (sign < 0) * np.pi)
        turn[:, joint(f"{side}_ankle"), 0] = -0.1 + 0.2 * np.sin(phase + (sign < 0) * np.pi)
        turn[:, joint(f"{side}_shoulder"), 2] = -1.2 * sign
        turn[:, joint(f"{side}_shoulder"), 1] = 0.3 * np.sin(phase)
        turn[:, joint(f"{side}_elbow"), 1] = -sign * (0.6 + 0.3 * np.sin(phase))
    for name in ("spine1", "spine2", "spine3", "neck"):
        turn[:, joint(name)] = 0.06 * np.sin(phase[:, None] + rng.uniform(0, 6, 3))
    rotations = rotation.from_axis_angle(turn)
    heading = 0.5 * t
    rotations[:, 0] = rotation.multiply(
        rotation.yaw(heading), rotation.from_axis_angle(0.05 * np.sin(phase[:, None] + [0.0, 1.0, 2.0]))
    )
    speed = 1.2 / fps
    steps = np.stack([np.sin(heading), np.zeros(frames), np.cos(heading)], -1) * speed
    root = np.cumsum(steps, axis=0)
    root[:, 1] = 0.92 + 0.02 * np.cos(2 * phase)
    return rotations, root


@pytest.fixture(scope="session")
def walk() -> tuple[np.ndarray, np.ndarray]:
    """Rotations (120, 22, 4) and root (120, 3) of the walk at 20 fps."""
    return walk_rotations(120)


@pytest.fixture(scope="session")
def walk_joints(walk) -> np.ndarray:
    """Joints (120, 22, 3) of the walk, metres."""
    return kinematics.forward(HUMANML22, *walk)
