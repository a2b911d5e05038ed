"""Rows beside the model: real motion, and real motion spoilt in ways that a score should see.

All take and give joints (T, 22, 3) in metres at the corpus' frame rate.
"""

from __future__ import annotations

import numpy as np

from laban.motion import humanml

JITTER = 0.02  # metres, standard deviation per joint, axis and frame
NOISE = 0.10


def shaken(joints: np.ndarray, size: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise of `size` metres on every coordinate of every joint in every frame."""
    return joints + rng.normal(scale=size, size=joints.shape)


def frozen(joints: np.ndarray) -> np.ndarray:
    """Frame 0 held for the whole clip."""
    return np.repeat(joints[:1], len(joints), axis=0)


def round_trip(joints: np.ndarray) -> np.ndarray:
    """Through the 263 features and back; the last frame, which the features do not hold, is held."""
    layout = humanml.HUMANML
    back = humanml.decode(humanml.features_of(joints, layout), layout)
    return np.concatenate([back, back[-1:]])
