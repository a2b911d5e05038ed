"""The built-in skeletons. All rest in a T-pose that faces +Z, so that left is +X.

Joint names, order and parents are those of SMPL (Loper et al. 2015), HumanML3D (Guo et al. 2022) and KIT-ML as
the field uses them. HumanML3D's bone lengths are those of the clip that its data are fitted to (000021), so clips
made here fit models trained there; the directions of the rest bones are ours, since that data has none.
"""

from __future__ import annotations

import numpy as np

from laban.motion.skeleton import Skeleton

_NAMES22 = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
_PARENTS22 = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)

# Metres, one per bone that ends in the joint of the same place. Left and right differ in the source clip;
# the features are defined with those values, so they stay.
_LENGTHS22 = (
    0.0, 0.10307399, 0.10988338, 0.13156821, 0.3936232, 0.39018822, 0.14319022, 0.43243298, 0.4256434, 0.05736477,
    0.14338182, 0.14941908, 0.21936004, 0.13748683, 0.14338279, 0.10303924, 0.13161403, 0.12298436, 0.25683993,
    0.26309186, 0.26601177, 0.26987636,
)  # fmt: skip
_DIRECTIONS22 = (
    (0, 0, 0), (0.60, -0.80, 0), (-0.60, -0.80, 0), (0, 0.97, -0.2), (0.03, -1, 0.0), (-0.03, -1, 0.0),
    (0, 1, 0.0), (0, -1, -0.06), (0, -1, -0.06), (0, 1, 0.10), (0.12, -0.42, 0.90), (-0.12, -0.42, 0.90),
    (0, 1, -0.12), (0.52, 0.80, -0.2), (-0.52, 0.80, -0.2), (0, 1, 0.1), (0.95, 0.30, -0.05),
    (-0.95, 0.30, -0.05), (1, 0, 0), (-1, 0, 0), (1, 0, 0), (-1, 0, 0),
)  # fmt: skip


def _aimed(directions: tuple, lengths: tuple) -> np.ndarray:
    vectors = np.array(directions, dtype=np.float64)
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    norms[norms == 0] = 1.0
    return vectors / norms * np.array(lengths)[:, None]


HUMANML22 = Skeleton("humanml22", _NAMES22, _PARENTS22, _aimed(_DIRECTIONS22, _LENGTHS22))

_NAMES24 = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand", "right_hand",
)  # fmt: skip
SMPL24 = Skeleton(
    "smpl24",
    _NAMES24,
    (*_PARENTS22, 20, 21),
    np.concatenate([HUMANML22.offsets, [[0.085, 0.0, 0.0], [-0.085, 0.0, 0.0]]]),
)

_NAMES21 = (
    "pelvis", "spine1", "spine2", "neck", "head", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder",
    "left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle", "right_foot", "right_toe", "left_hip",
    "left_knee", "left_ankle", "left_foot", "left_toe",
)  # fmt: skip
_PARENTS21 = (-1, 0, 1, 2, 3, 3, 5, 6, 3, 8, 9, 0, 11, 12, 13, 14, 0, 16, 17, 18, 19)
_LENGTHS21 = (
    0.0, 0.13156818, 0.14319029, 0.16562872, 0.20372902, 0.18691464, 0.26309192, 0.26987637, 0.19830394, 0.25683984,
    0.2660118, 0.10988338, 0.3901882, 0.4256434, 0.08965145, 0.10459335, 0.10307399, 0.3936232, 0.43243298,
    0.08602909, 0.10036728,
)  # fmt: skip
_DIRECTIONS21 = (
    (0, 0, 0), (0, 1, 0), (0, 1, 0), (0, 1, 0), (0, 1, 0), (-1, 0, 0), (-1, 0, 0), (-1, 0, 0), (1, 0, 0), (1, 0, 0),
    (1, 0, 0), (-1, 0, 0), (0, -1, 0), (0, -1, 0), (0, -0.5, 1), (0, 0, 1), (1, 0, 0), (0, -1, 0), (0, -1, 0),
    (0, -0.5, 1), (0, 0, 1),
)  # fmt: skip
KIT21 = Skeleton("kit21", _NAMES21, _PARENTS21, _aimed(_DIRECTIONS21, _LENGTHS21))

SKELETONS = {s.name: s for s in (HUMANML22, SMPL24, KIT21)}
