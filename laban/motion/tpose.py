"""The common rest pose: which turn takes a body from its own rest pose into the T-pose of HumanML3D's skeleton.

Rigs rest in T-poses, A-poses or anything else, and face any way. Rotations can be carried from one body to another
only if both are measured from one pose. That pose is `skeletons.HUMANML22`'s: upright, facing +Z, arms along X, legs
down, feet flat. Torso, neck and head are taken as they rest (upright is upright); arms and legs are swung onto the
T-pose by the shortest turns, from the trunk outwards, which leaves the roll of each bone to its maker; feet turn on
the floor only, so that what is flat stays flat.
"""

from __future__ import annotations

import itertools

import numpy as np

from laban.motion import rotation
from laban.motion.legs import SIDES
from laban.motion.skeletons import HUMANML22

ARM = ("shoulder", "elbow", "wrist")
LEG = ("hip", "knee", "ankle")
LIMBS = (ARM, LEG)
SNAP = np.radians(25.0)  # a frame nearer than this to the axes is taken to lie along them
_UP = np.array([0.0, 1.0, 0.0])


def direction(joint: str, child: str) -> np.ndarray:
    """(3,) unit: from a joint to its child in the T-pose."""
    rest = HUMANML22.rest()
    return rotation.unit(rest[HUMANML22.index(child)] - rest[HUMANML22.index(joint)])


def heading(side: str) -> np.ndarray:
    """(3,) unit, horizontal: where a foot points in the T-pose."""
    way = direction(f"{side}_ankle", f"{side}_foot") * (1.0, 0.0, 1.0)
    return rotation.unit(way)


def frame(places: dict[str, np.ndarray]) -> np.ndarray | None:
    """The rotation from a body's world into ours (Y up, facing +Z), (4,) unit wxyz, read from where its joints are.

    Args:
        places: HumanML3D name -> (3,); pelvis, head or neck, hips and ankles are needed.
    Returns: the rotation; exactly along the axes where it is within 25 degrees of them. None if the joints do not
        stand upright: head above pelvis above ankles, left beside right.
    """
    hips, ankles = ((places[f"left_{n}"] + places[f"right_{n}"]) / 2 for n in ("hip", "ankle"))
    top = places["head"] if "head" in places else places["neck"]
    legs, trunk = rotation.unit(hips - ankles), rotation.unit(top - places["pelvis"])
    across = places["left_hip"] - places["right_hip"]
    if {"left_shoulder", "right_shoulder"} <= places.keys():
        across = rotation.unit(across) + rotation.unit(places["left_shoulder"] - places["right_shoulder"])
    if float(legs @ trunk) < np.cos(np.radians(50)) or float(np.linalg.norm(across)) < 1e-6:
        return None
    up = rotation.unit(top - ankles)
    across = across - (across @ up) * up
    if np.linalg.norm(across) < 1e-6:
        return None
    left = rotation.unit(across)
    axes = np.stack([left, up, np.cross(left, up)])  # rows: our X, Y, Z in the body's world
    return snapped(rotation.from_matrix(axes))


def snapped(turn: np.ndarray, within: float = SNAP) -> np.ndarray:
    """A rotation (4,), or the nearest of the 24 that take axes to axes if that is within an angle in radians."""
    dots = np.abs(_CUBE @ turn)
    best = int(dots.argmax())
    return _CUBE[best] if 2 * np.arccos(min(1.0, float(dots[best]))) < within else turn


def on_axes(turn: np.ndarray) -> bool:
    """Whether a rotation (4,) takes axes to axes."""
    return bool(np.abs(_CUBE @ turn).max() > 1 - 1e-9)


def _cube() -> np.ndarray:
    found = []
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            if np.linalg.det(matrix) > 0:
                found.append(rotation.from_matrix(matrix))
    return np.array(found)


_CUBE = _cube()


def turns(places: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The turn of each joint from rest pose to T-pose, both in our axes.

    Args:
        places: HumanML3D name -> (3,) of the rest pose, Y up, facing +Z; joints may be missing.
    Returns: name -> (4,) unit wxyz, rest world rotation to T-pose world rotation; every joint of the trunk stays.
    """
    still = np.array(rotation.IDENTITY)
    found = {name: still for name in places}
    for side, limb in itertools.product(SIDES, LIMBS):
        above = still
        for joint, child in itertools.pairwise(limb):
            a, b = f"{side}_{joint}", f"{side}_{child}"
            if a not in places or b not in places:
                break
            now = rotation.rotate(above, places[b] - places[a])
            above = rotation.multiply(rotation.between(now, direction(a, b)), above)
            found[a] = above
        found[f"{side}_{limb[-1]}"] = above if limb is ARM else still
        ankle, toe = f"{side}_ankle", f"{side}_foot"
        if limb is LEG and ankle in places and toe in places:
            flat = (places[toe] - places[ankle]) * (1.0, 0.0, 1.0)
            if np.linalg.norm(flat) > 0.3 * np.linalg.norm(places[toe] - places[ankle]):
                found[ankle] = found[toe] = rotation.between(rotation.unit(flat), heading(side))
    return found


def mean(turns_over_time: np.ndarray) -> np.ndarray:
    """(4,) unit: the mean of rotations (T, 4), whatever their signs. Source: Markley et al. 2007."""
    return np.linalg.eigh(turns_over_time.T @ turns_over_time)[1][:, -1]
