"""From joints to a canonical clip with features, and its mirror image: what the BVH corpora share."""

from __future__ import annotations

import numpy as np

from laban.data.captions import mirror, mirror_label
from laban.data.corpus import Clip
from laban.motion import humanml, rotation
from laban.motion.humanml import HUMANML
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22

MINIMUM = 16  # frames at 20 fps: shorter clips hold no action
_FLIP = np.array([-1.0, 1.0, 1.0])


def canonical(joints: np.ndarray) -> np.ndarray:
    """Joints (T, 22, 3) with the floor at 0, the first root at x = z = 0 and the first facing at +Z.

    The floor is the 5th percentile over time of the lowest joint, not the lowest point of the clip: one deep
    frame would otherwise lift the whole clip. The bones already are HUMANML22's. Otherwise as
    `humanml.canonical`.
    """
    joints = np.asarray(joints, np.float64)
    floor = np.percentile(joints[..., 1].min(-1), 5)
    moved = joints - np.array([joints[0, 0, 0], floor, joints[0, 0, 2]])
    across = moved[0, 2] - moved[0, 1] + moved[0, 17] - moved[0, 16]
    facing = np.cross([0.0, 1.0, 0.0], across)
    facing[1] = 0.0
    turn = rotation.between(facing, np.array([0.0, 0.0, 1.0]))
    return rotation.rotate(turn, moved)


def clip_pair(
    identity: str,
    joints: np.ndarray,
    captions: tuple[str, ...],
    *,
    subject: str,
    source: str,
    split: str,
    labels: dict[str, str],
) -> list[Clip]:
    """The clip and its mirror image, left and right exchanged in joints, words and labels."""
    clips = []
    for mirrored in (False, True):
        if mirrored:
            # Left and right bones of HUMANML22 differ by millimetres, so the mirror image is fitted again.
            joints = Motion.from_joints(joints[:, HUMANML22.pairs] * _FLIP, HUMANML.fps).joints()
            captions = tuple(mirror(c) for c in captions)
            labels = {key: mirror_label(value) if key == "content" else value for key, value in labels.items()}
        placed = canonical(joints)
        clips.append(
            Clip(
                id=f"M{identity}" if mirrored else identity,
                subject=subject,
                source=source,
                split=split,
                captions=captions,
                features=humanml.features_of(placed).astype(np.float32),
                joints=placed[:-1].astype(np.float32),
                labels=labels,
                mirror_of=identity if mirrored else None,
            )
        )
    return clips
