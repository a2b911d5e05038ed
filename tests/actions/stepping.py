"""A figure whose feet stand: made from step lengths and phases, for tests of authoring."""

from __future__ import annotations

import numpy as np

from laban.motion import kinematics, legs, rotation
from laban.motion.motion import Motion, Segment
from laban.motion.skeletons import HUMANML22


def stepper(seconds: float = 6.0, speed: float = 1.0, fps: float = 20.0, phase: float = 0.2) -> Motion:
    """Walks straight ahead (+Z): stance for 0.6 of a stride of a second, swing for the rest, arms against the legs."""
    frames = round(seconds * fps)
    t = np.arange(frames) / fps
    angles = np.zeros((frames, 22, 3))
    swing = np.sin(2 * np.pi * (t + phase))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        angles[:, HUMANML22.index(f"{side}_shoulder"), 2] = -1.3 * sign
        angles[:, HUMANML22.index(f"{side}_shoulder"), 0] = 0.3 * sign * swing
        angles[:, HUMANML22.index(f"{side}_elbow"), 1] = -sign * (0.3 + 0.1 * swing * sign)
    rotations = rotation.from_axis_angle(angles)
    root = np.stack(
        [0.03 * np.sin(2 * np.pi * (t + phase)), 0.88 + 0.015 * np.cos(4 * np.pi * (t + phase)), speed * t], -1
    )
    world = kinematics.global_rotations(HUMANML22, rotations)
    joints = kinematics.positions(HUMANML22, world, root)
    for side, shift in (("left", 0.0), ("right", 0.5)):
        cycle = np.floor(t + phase + shift)
        part = t + phase + shift - cycle
        stand = (cycle - phase - shift + 0.3) * speed  # where the root is in the middle of the stance
        x = np.clip((part - 0.6) / 0.4, 0, 1)
        ease = x * x * (3 - 2 * x)
        hip, knee, ankle = (HUMANML22.index(f"{side}_{n}") for n in ("hip", "knee", "ankle"))
        goal = joints[:, ankle].copy()
        goal[:, 0] = 0.1 if side == "left" else -0.1
        goal[:, 2] = stand + ease * speed
        goal[:, 1] = 0.08 + 0.1 * np.sin(np.pi * x) ** 2
        leg = [joints[:, j] for j in (hip, knee, ankle)]
        leg[1] = leg[1] + np.array([0, 0, 0.2])
        legs.bend(HUMANML22, world, side, joints[:, hip], goal, leg)
    rotations = rotation.continuous(kinematics.local_rotations(HUMANML22, world))
    return Motion(HUMANML22, rotations, root, fps, (Segment("a person walks forward", 0.0, seconds),))


def stander(seconds: float = 6.0, fps: float = 20.0) -> Motion:
    """Stands, and moves one arm."""
    walk = stepper(seconds, 0.0, fps)
    rotations, root = walk.rotations.copy(), walk.root.copy()
    rotations[:], root[:] = rotations[0], root[0]
    turn = 0.6 + 0.3 * np.sin(2 * np.pi * 0.7 * np.arange(walk.frames) / fps)
    rotations[:, HUMANML22.index("right_elbow")] = rotation.from_axis_angle(np.stack([0 * turn, turn, 0 * turn], -1))
    return Motion(HUMANML22, rotations, root, fps, (Segment("a person stands still", 0.0, seconds),))
