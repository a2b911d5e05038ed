"""Which way is up, and how long a metre is: found from the body of whoever moves, since many files do not say.

A person's legs hang from the hips, and their head is above; a person is 1.2 to 2.2 metres tall. Both hold for any rig
whose joints are recognised (`laban.motion.anatomy`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from laban.errors import InputError
from laban.motion import rotation
from laban.motion.anatomy import Mapping, match_motion, poses_of
from laban.motion.motion import Motion
from laban.motion.shape import SIDES

UNITS = {"m": 1.0, "cm": 100.0, "mm": 1000.0, "in": 1 / 0.0254, "dm": 10.0, "ft": 1 / 0.3048, "cmu": 0.45 / 0.0254}
"""Units per metre; `cmu` are those of CMU's recordings in ASF/AMC, of which 0.45 make an inch."""
UNIT_NAMES = {"m": "metres", "cm": "centimetres", "mm": "millimetres", "in": "inches", "dm": "decimetres", "ft": "feet",
              "cmu": "CMU's units (0.45 to an inch)"}  # fmt: skip
AXES = ("y", "z", "x", "-y", "-z", "-x")
"""What may be up."""
_COMMON = ("cm", "m", "mm")  # tried first, for small and tall people, too
_SMALL, _TALL = 0.9, 3.0  # metres: what people in common units may be
_PERSON = (1.2, 2.2)  # metres: what people in other units are
_USUAL = 1.7
_HEAD = 1.2  # stature over the way from ankle to head joint along the bones
_POSES = 48  # that are looked at
_FLOOR = 0.12  # of the stature: the floor of a file is no farther from its zero
_FLIES = 0.3  # of the stature: pelvises of people who lie are lower
_HALF = float(np.sqrt(0.5))
_TURNS = {
    "y": (1.0, 0.0, 0.0, 0.0), "z": (_HALF, -_HALF, 0.0, 0.0), "x": (_HALF, 0.0, 0.0, _HALF),
    "-y": (0.0, 1.0, 0.0, 0.0), "-z": (_HALF, _HALF, 0.0, 0.0), "-x": (_HALF, 0.0, 0.0, -_HALF),
}  # fmt: skip


def per_metre(units: str) -> float:
    """Units per metre of a name in UNITS or a number as text. Raises: InputError."""
    if units.lower() in UNITS:
        return UNITS[units.lower()]
    try:
        value = float(units)
    except ValueError:
        value = 0.0
    if not (np.isfinite(value) and value > 0):
        raise InputError(f"units are {units!r}; expected one of {' '.join(UNITS)}, or how many of them make a metre.")
    return value


def check_up(up: str) -> str:
    """An axis in lower case. Raises: InputError if it is none of AXES."""
    name = up.lower().removeprefix("+")
    if name not in AXES:
        raise InputError(f"up is {up!r}; expected one of {' '.join(AXES)}.")
    return name


def settled(motion: Motion, up: str = "", units: str = "", usual: float = 1.0) -> Motion:
    """A motion in metres, with Y up.

    Args:
        motion: in any unit, with any axis up.
        up: the axis that is up in it, of AXES; found if empty.
        units: of UNITS, or how many make a metre; found if empty.
        usual: units per metre where no body is recognised.
    Returns: the motion; its `notes` say what was found, where that is not what most files have.
    Raises: InputError for an axis or unit that there is not.
    """
    mapping: Mapping | None = None
    if not (up and units):
        try:
            mapping = match_motion(motion)
        except InputError:
            mapping = None
    notes = list(motion.notes)
    factor, name = (per_metre(units), "") if units else (usual, "")
    if not units and mapping is not None:
        factor, name = _unit(stature(motion, mapping), usual)
        if name and name not in _COMMON:
            tall = stature(motion, mapping) / factor
            notes.append(f"its units are taken as {UNIT_NAMES[name]}, by which the person is {tall:.2f} m tall; "
                         "--units says otherwise")  # fmt: skip
    motion = sized(motion, 1 / factor)
    axis = check_up(up) if up else "y"
    if not up and mapping is not None:
        axis = found_up(motion, mapping)
        if axis != "y":
            notes.append(f"{axis.upper()} is up in it, as the body shows; it was turned to Y. --up says otherwise")
    motion = turned(motion, axis)
    return motion if motion.notes == tuple(notes) else replace(motion, notes=tuple(notes))


def sized(motion: Motion, factor: float) -> Motion:
    """The motion of a body `factor` times as large."""
    if factor == 1:
        return motion
    return replace(
        motion, skeleton=replace(motion.skeleton, offsets=motion.skeleton.offsets * factor), root=motion.root * factor
    )


def stature(motion: Motion, mapping: Mapping) -> float:
    """How tall someone is, standing straight, by the lengths of legs and trunk; units of the motion."""
    lengths, parents = motion.skeleton.lengths, motion.skeleton.parents
    joints = mapping.joints

    def way(low: int, high: int) -> float:
        total, at = 0.0, low
        while at >= 0 and at != high:
            total, at = total + float(lengths[at]), parents[at]
        return total

    legs = [
        way(joints[f"{s}_ankle"], joints[f"{s}_knee"]) + way(joints[f"{s}_knee"], joints[f"{s}_hip"]) for s in SIDES
    ]
    return _HEAD * (float(np.mean(legs)) + way(joints["head"], joints["pelvis"]))


def _unit(tall: float, usual: float) -> tuple[float, str]:
    """Units per metre, and their name, for someone so tall."""
    if not tall > 0:
        return usual, ""
    for names, (low, high) in ((_COMMON, (_SMALL, _TALL)), (tuple(UNITS), _PERSON)):
        for name in names:
            if low <= tall / UNITS[name] <= high:
                return UNITS[name], name
    name = min(UNITS, key=lambda n: abs(np.log(tall / UNITS[n] / _USUAL)))
    return UNITS[name], name


def found_up(motion: Motion, mapping: Mapping) -> str:
    """The axis of AXES along which a body stands; "y" where that is not clear.

    Someone who lies or flies all the time and someone who stands in a file with another axis up look alike. What lies
    on the floor of Y, or flies above it, is left there, unless it stands on the floor of that other axis.
    """
    joints = mapping.joints
    poses = poses_of(motion, _POSES)
    stands = _standing(poses, joints)
    if (stands[:, 1] > 0.5).mean() >= 0.1:
        return "y"
    rests = _standing(motion.skeleton.rest()[None], joints)[0]
    best, share = "y", 0.6
    for name in AXES[1:]:
        axis = "xyz".index(name[-1])
        sign = -1.0 if name[0] == "-" else 1.0
        this = float((sign * stands[:, axis] > 0.7).mean())
        if this > share:
            best, share = name, this
    if best == "y":
        return best
    axis, sign = "xyz".index(best[-1]), -1.0 if best[0] == "-" else 1.0
    if best == "-y":  # or they stand on their hands
        hands = np.mean([poses[:, joints[f"{s}_wrist"], 1] for s in SIDES], axis=0)
        return best if (hands > poses[:, joints["head"], 1]).mean() > 0.5 else "y"
    if sign * rests[axis] > 0.7:
        return best
    tall = stature(motion, mapping)
    floor = float(np.percentile((sign * poses[..., axis]).min(1), 10))
    lying = float(np.percentile(poses[..., 1].min(1), 10))
    flying = float(np.median(poses[:, joints["pelvis"], 1])) > _FLIES * tall
    return "y" if abs(floor) > _FLOOR * tall and (abs(lying) < _FLOOR * tall or flying) else best


def _standing(poses: np.ndarray, joints: dict[str, int]) -> np.ndarray:
    """(K, 3): the mean of the unit vectors from ankles to hips and from pelvis to head."""
    hips, ankles = (np.mean([poses[:, joints[f"{s}_{n}"]] for s in SIDES], axis=0) for n in ("hip", "ankle"))
    legs = rotation.unit(hips - ankles)
    trunk = rotation.unit(poses[:, joints["head"]] - poses[:, joints["pelvis"]])
    return (legs + trunk) / 2


def turned(motion: Motion, up: str) -> Motion:
    """A motion in whose world an axis is up, turned so that Y is.

    Z up becomes Y up as Blender's exporters do it: X stays, -Y becomes Z. A rest pose that stands along the axis is
    turned, too; any other stays as it is, and the root takes the turn.
    """
    if up == "y":
        return motion
    turn = np.array(_TURNS[up])
    root = rotation.rotate(turn, motion.root)
    rests = motion.skeleton.rest()
    axis, sign = "xyz".index(up[-1]), -1.0 if up[0] == "-" else 1.0
    tall = np.ptp(rests, axis=0)
    middle = sign * (rests[:, axis].max() + rests[:, axis].min())  # more of a person is above the hips' joint's middle
    if tall[axis] >= tall.max() - 1e-9 and not (axis == 1 and middle > 0):
        skeleton = replace(motion.skeleton, offsets=rotation.rotate(turn, motion.skeleton.offsets))
        rotations = np.concatenate(
            [motion.rotations[..., :1], rotation.rotate(turn, motion.rotations[..., 1:])], axis=-1
        )
        return replace(motion, skeleton=skeleton, rotations=rotations, root=root)
    rotations = motion.rotations.copy()
    rotations[:, 0] = rotation.multiply(turn, rotations[:, 0])
    return replace(motion, rotations=rotations, root=root)
