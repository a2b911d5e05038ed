"""`Performance`: a humanoid's motion as turns away from the T-pose, whatever rig it was recorded on.

This is what one body hands to another: where the 22 joints are (`retarget.landmarks`), how each part of the body is
turned away from the common rest pose (`tpose`), and when the feet stand. Limbs point exactly where the source's
joints say; their roll, and the turns of head, hands and feet, come from the source's rotations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from laban.errors import InputError
from laban.motion import frames, kinematics, rotation, tpose
from laban.motion.anatomy import match_motion
from laban.motion.legs import SIDES
from laban.motion.motion import Motion
from laban.motion.retarget import landmarks
from laban.motion.skeletons import HUMANML22

NAMES = HUMANML22.names
_BAND = 0.05  # of a leg's length: a foot joint within this of its low height may be in contact
_FLAT = 0.03  # of a leg's length: ankle and toe within this of their low heights: the sole is on the floor


@dataclass(frozen=True)
class Performance:
    """What a body does, apart from whose body it is.

    Attributes:
        joints: (T, 22, 3) source units, Y up: HumanML3D's joints.
        turns: (T, 22, 4) unit wxyz, T-pose world rotation to world; sign-continuous.
        fps: frames per second.
        leg: hip to knee to ankle, mean of both, source units.
        low: heights of a standing ankle and a standing toe, (2,).
        contact: (T, 2, 2) bool, sides by (ankle, toe): the joint is within 5% of a leg of its low height.
    """

    joints: np.ndarray
    turns: np.ndarray
    fps: float
    leg: float
    low: np.ndarray
    contact: np.ndarray

    def of(self, name: str) -> np.ndarray:
        """(T, 3): where a joint is."""
        return self.joints[:, NAMES.index(name)]

    def turn(self, name: str) -> np.ndarray:
        """(T, 4): how a joint is turned away from the T-pose."""
        return self.turns[:, NAMES.index(name)]


def perform(motion: Motion) -> Performance:
    """What a humanoid does.

    Args:
        motion: any humanoid whose joints `anatomy.match` knows, Y up.
    Raises: InputError if joints are not recognised or a leg has no length.
    """
    places = landmarks(motion)
    joints = np.stack([places[name] for name in NAMES], 1)
    leg = leg_length(places)
    if leg < 1e-4:
        raise InputError(f"{motion.skeleton.name}: a leg has no length; the motion of a body was expected.")
    if motion.skeleton.same_tree(HUMANML22) and _rests_as_ours(motion):
        turns = kinematics.global_rotations(motion.skeleton, motion.rotations)
    else:
        turns = _measured(motion, joints)
    turns = _relaxed(_aimed(turns, joints), joints)
    feet = np.array([[NAMES.index(f"{side}_{name}") for name in ("ankle", "foot")] for side in SIDES])
    heights = joints[:, feet, 1]
    low = np.percentile(heights, 5, axis=0).min(axis=0)
    contact = heights < np.percentile(heights, 5, axis=0) + _BAND * leg
    flat = (heights < np.percentile(heights, 5, axis=0) + _FLAT * leg).all(-1)
    for number, side in enumerate(SIDES):
        ankle = NAMES.index(f"{side}_ankle")
        turns[:, ankle] = _level(turns[:, ankle], joints[:, feet[number]], flat[:, number], side)
        turns[:, feet[number, 1]] = turns[:, ankle]
    return Performance(joints, rotation.continuous(turns), motion.fps, leg, low, contact)


def leg_length(places: dict[str, np.ndarray]) -> float:
    """Median length of the legs, hip to knee to ankle, of joints (..., 3)."""
    found = []
    for side in SIDES:
        hip, knee, ankle = (places[f"{side}_{name}"] for name in tpose.LEG)
        lengths = np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)
        found.append(float(np.median(lengths)))
    return float(np.mean(found))


def _rests_as_ours(motion: Motion) -> bool:
    ours, theirs = (rotation.unit(s.offsets[1:]) for s in (HUMANML22, motion.skeleton))
    return bool(((ours * theirs).sum(-1) > np.cos(np.radians(8))).all())


def _measured(motion: Motion, joints: np.ndarray) -> np.ndarray:
    """(T, 22, 4): turns of a foreign rig, from its own rotations; of joints that it lacks, from where others are."""
    mapping = match_motion(motion)
    world = kinematics.global_rotations(motion.skeleton, motion.rotations)
    fitted, _ = kinematics.fit(HUMANML22, joints)
    out = kinematics.global_rotations(HUMANML22, fitted)
    owns = frames.in_tpose(motion, mapping, world, joints)
    for name, joint in frames.sources(mapping).items():
        out[:, NAMES.index(name)] = rotation.multiply(world[:, joint], rotation.conjugate(owns[name]))
    return out


def _aimed(turns: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """The turns with limbs that point exactly where the joints are."""
    out = turns.copy()
    for side in SIDES:
        for limb in tpose.LIMBS:
            for a, b in zip(limb, limb[1:], strict=False):
                i, k = NAMES.index(f"{side}_{a}"), NAMES.index(f"{side}_{b}")
                now = rotation.rotate(out[:, i], tpose.direction(f"{side}_{a}", f"{side}_{b}"))
                out[:, i] = rotation.multiply(rotation.between(now, joints[:, k] - joints[:, i]), out[:, i])
    return out


def _relaxed(turns: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """The turns with collar bones that are at rest, on the average, while the arm hangs.

    Where a collar joint lies in the body differs from rig to rig by centimetres, so its direction says nothing about a
    raised shoulder; only its change does.
    """
    out = turns.copy()
    chest = turns[:, NAMES.index("spine3")]
    for side in SIDES:
        collar, shoulder, elbow = (NAMES.index(f"{side}_{n}") for n in ("collar", "shoulder", "elbow"))
        local = rotation.multiply(rotation.conjugate(chest), turns[:, collar])
        arm = rotation.unit(joints[:, elbow] - joints[:, shoulder])
        hanging = arm[:, 1] <= max(-0.6, float(np.percentile(arm[:, 1], 20)))
        still = tpose.mean(local[hanging])
        out[:, collar] = rotation.multiply(rotation.multiply(chest, local), rotation.conjugate(still))
    return out


def _level(turns: np.ndarray, foot: np.ndarray, flat: np.ndarray, side: str) -> np.ndarray:
    """(T, 4): a foot's turns, measured from where its sole lies on the floor, and pointing where its toe is.

    Args:
        turns: (T, 4).
        foot: (T, 2, 3) ankle and toe.
        flat: (T,) bool, when the sole is on the floor.
        side: left or right.
    """
    if flat.sum() < 3:  # never flat: its lowest moments
        height = foot[..., 1].sum(-1)
        flat = height <= np.percentile(height, 5)
    inverse = rotation.conjugate(turns)
    up = rotation.unit(rotation.rotate(inverse[flat], np.array([0.0, 1.0, 0.0])).mean(0))
    ahead = rotation.rotate(inverse, foot[:, 1] - foot[:, 0]).mean(0)
    ahead = rotation.unit(ahead - (ahead @ up) * up)
    own = kinematics.align(np.array([0.0, 1.0, 0.0]), tpose.heading(side), up, ahead)  # T-pose to the joint's frame
    return rotation.multiply(turns, own)
