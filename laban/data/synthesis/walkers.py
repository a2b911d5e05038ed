"""A corpus from formulas: people who walk, turn, wave and bow as sines. For tests and a first look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from laban.data.clips import canonical
from laban.data.corpus import Clip, Corpus
from laban.data.corpus import write as write_corpus
from laban.motion import humanml, kinematics, rotation
from laban.motion.skeletons import HUMANML22

ACTIONS = (
    "a person walks forward",
    "a person walks in a curve to the left",
    "a person waves the right hand",
    "a person bows",
)
SPLITS = ("train", "train", "train", "train", "train", "train", "val", "test")
"""Of eight clips in a row, which split each goes to."""


def write(folder: str | Path, clips: int = 16, seed: int = 0) -> Corpus:
    """Write a prepared corpus `folder/synthetic` of `clips` clips of 60 to 120 frames (20 fps, metres).

    Args:
        folder: the DST of `laban data prepare`; made if absent.
        clips: how many; at least 8 give every split something.
        seed: lengths, speeds and phases.
    """
    folder = Path(folder) / "synthetic"
    return write_corpus(folder, "synthetic", "CC0-1.0", _clips(clips, seed))


def joints(action: int, frames: int, speed: float, phase: float) -> np.ndarray:
    """One clip by formula.

    Args:
        action: index of ACTIONS.
        frames: T, at 20 fps.
        speed: m/s.
        phase: radians.

    Returns: (T, 22, 3) metres, world, Y up, starting near the origin and facing +Z.
    """
    t = np.arange(frames) / humanml.HUMANML.fps
    angles = np.zeros((frames, 22, 3))  # axis-angle, radians
    swing = np.sin(2 * np.pi * 0.9 * t + phase)
    left, right = (HUMANML22.index(f"{side}_shoulder") for side in ("left", "right"))
    angles[:, left, 2], angles[:, right, 2] = -1.3, 1.3  # arms down from the T-pose
    heading = np.zeros(frames)
    pace = 0.0
    if action < 2:
        pace = speed
        for side, sign in (("left", 1.0), ("right", -1.0)):
            angles[:, HUMANML22.index(f"{side}_hip"), 0] = -0.5 * sign * swing
            angles[:, HUMANML22.index(f"{side}_knee"), 0] = 0.5 * np.maximum(
                0, sign * np.cos(2 * np.pi * 0.9 * t + phase)
            )
            angles[:, HUMANML22.index(f"{side}_elbow"), 1] = -0.3 * sign * swing
        heading = 0.4 * t * (action == 1)
    elif action == 2:
        angles[:, right, 2] = -1.0
        angles[:, HUMANML22.index("right_elbow"), 2] = -0.6 + 0.5 * np.sin(2 * np.pi * 1.5 * t + phase)
    else:
        angles[:, HUMANML22.index("spine1"), 0] = 0.9 * np.sin(np.pi * t / t[-1]) ** 2
    rotations = rotation.from_axis_angle(angles)
    rotations[:, 0] = rotation.yaw(heading)
    step = np.stack([np.sin(heading), np.zeros(frames), np.cos(heading)], -1) * pace / humanml.HUMANML.fps
    root = np.cumsum(step, 0) + np.array([0.0, 0.93, 0.0])
    root[:, 1] += 0.02 * swing**2 * (pace > 0)
    return kinematics.forward(HUMANML22, rotations, root)


def _clips(count: int, seed: int) -> Iterator[Clip]:
    rng = np.random.default_rng(seed)
    for i in range(count):
        action = i % len(ACTIONS)
        frames = int(rng.integers(61, 122))
        placed = canonical(joints(action, frames, rng.uniform(0.8, 1.4), rng.uniform(0, 2 * np.pi)))
        yield Clip(
            id=f"synthetic-{i:03d}",
            subject=f"subject-{i % 4}",
            source=f"formula-{i:03d}",
            split=SPLITS[i % len(SPLITS)],
            captions=(ACTIONS[action],),
            features=humanml.features_of(placed).astype(np.float32),
            joints=placed[:-1].astype(np.float32),
            labels={"content": ACTIONS[action].split()[2]},
        )
