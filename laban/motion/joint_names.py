"""Which joint of a humanoid is which: names of many rigs, put onto the 22 joints of HumanML3D.

A name is taken apart into words (`mixamorig:LeftUpLeg`, `thigh_l`, `Bip01 L Thigh`, `lThigh` all hold a side and a
part of the body) and the part is looked up in a table. Names that mean two things are settled by what else is
there: `Shoulder` is the collar bone where an `UpperArm` exists and the shoulder joint where it does not; `Foot` is
the ankle unless there is an `Ankle`. The spine is not named at all but found: it is what lies between pelvis and
neck. A pelvis without a known name is found too: it is the joint from which legs and head branch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from laban.errors import InputError
from laban.motion.skeleton import Skeleton

# Words that rigs put before their names, removed after splitting.
_PREFIXES = {
    "mixamorig", "bip", "bip01", "bip001", "biped", "cc", "base", "def", "org", "jnt", "joint", "bone", "rig", "skel",
    "j", "c", "b", "bn", "character", "character1", "m", "f", "avg", "valvebiped", "smpl", "smplx",
}  # fmt: skip
_SIDES = {
    "left": "left", "l": "left", "lft": "left", "lt": "left",
    "right": "right", "r": "right", "rgt": "right", "rt": "right",
}  # fmt: skip

# For each joint its names, the surest first. A later name is used only if no earlier one is there, and never for
# two joints.
MIDDLE: dict[str, tuple[str, ...]] = {
    "pelvis": ("pelvis", "hips", "hip"),
    "head": ("head",),
    "neck": ("neck", "neck1", "neck01", "lowerneck", "necktwist1", "necktwist01", "necklower", "neck0"),
}
SIDED: dict[str, tuple[str, ...]] = {
    "hip": ("upperleg", "upleg", "thigh", "thighbend", "femur", "legupper", "hip", "leg1", "hipjoint", "leg"),
    "knee": ("lowerleg", "lowleg", "knee", "shin", "calf", "tibia", "leglower", "leg", "leg2"),
    "ankle": ("ankle", "foot", "feet", "heel"),
    "foot": (
        "toebase", "toes", "toe", "ball", "toe0", "toe1", "metatarsals", "metatarsal", "forefoot", "foot", "footend",
        "ankleend",
    ),
    "shoulder": (
        "upperarm", "uparm", "humerus", "shldr", "shldrbend", "armupper", "arm", "shoulder", "shoulderjoint", "arm1",
    ),
    "elbow": (
        "lowerarm", "lowarm", "forearm", "forearmbend", "elbow", "radius", "ulna", "armlower", "arm2",
    ),
    "wrist": ("wrist", "hand", "palm"),
    "collar": ("collar", "clavicle", "collarbone", "clav", "shoulder", "innershoulder", "shoulderblade"),
}  # fmt: skip
# The names of MikuMikuDance's standard model, with those of its IK-free leg bones (D), as ours.
_JAPANESE = {
    "センター": "centre", "腰": "waist", "下半身": "pelvis", "首": "neck", "頭": "head",
    "足": "upperleg", "足D": "thigh",
    "ひざ": "lowerleg", "ひざD": "shin", "足首": "ankle", "足首D": "foot", "つま先": "toes", "足先EX": "toebase",
    "肩": "collar", "腕": "upperarm", "ひじ": "elbow", "手首": "wrist",
}  # fmt: skip
# What can be made from its neighbours if the rig has none.
OPTIONAL = {"neck", "left_collar", "right_collar", "left_foot", "right_foot"}


@dataclass(frozen=True)
class Mapping:
    """Joint numbers of a source skeleton.

    Args:
        joints: HumanML3D name -> joint number, without the spine; names in OPTIONAL may be missing.
        spine: the joints strictly between pelvis and neck (or head), going up.
        chest: the last of them that carries both arms, or the last, or the pelvis.
    """

    joints: dict[str, int]
    spine: tuple[int, ...]
    chest: int


def part(name: str) -> tuple[str, str]:
    """(side, part) of a joint's name: side is 'left', 'right' or ''; part is lower case without punctuation.

    >>> part("mixamorig:LeftUpLeg"), part("Bip01 L Thigh"), part("neck_01")
    (('left', 'upleg'), ('left', 'thigh'), ('', 'neck01'))
    """
    name = name.rsplit(":", 1)[-1].rsplit("|", 1)[-1]
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)
    words = [word.lower() for word in words]
    side = ""
    rest: list[str] = []
    for place, word in enumerate(words):
        if word in _SIDES and not side:
            side = _SIDES[word]
        elif not (rest == [] and place < len(words) - 1 and (word in _PREFIXES or (word.isdigit() and place > 0))):
            rest.append(word)
    return side, "".join(rest)


def _keys(name: str) -> list[tuple[str, str]]:
    """The readings of a name, the likeliest first; names in one case (`leftupleg`, `lfemur`, `thighl`) have two."""
    japanese = _japanese(name)
    if japanese:
        return [japanese]
    side, base = part(name)
    keys = [(side, base)]
    if not side:
        for word in ("left", "right", "l", "r"):
            if base.startswith(word) and len(base) > len(word) + 1:
                keys.append((_SIDES[word], base[len(word) :]))
            if base.endswith(word) and len(base) > len(word) + 1:
                keys.append((_SIDES[word], base[: -len(word)]))
    return keys


def _japanese(name: str) -> tuple[str, str] | None:
    """The reading of a name as MikuMikuDance's models have it: 左ひじ is the left elbow."""
    side = {"左": "left", "右": "right"}.get(name[:1], "")
    base = _JAPANESE.get(name[1:] if side else name)
    return (side, base) if base else None


def named(names: Sequence[str]) -> dict[str, int]:
    """The joints of a humanoid by their names alone: HumanML3D name, without the spine -> place in `names`."""
    found: dict[tuple[str, str], int] = {}
    for reading in (0, 1):  # sure readings first, then the guesses
        for joint, name in enumerate(names):
            for key in _keys(name)[reading : None if reading else 1]:
                found.setdefault(key, joint)
    joints: dict[str, int] = {}
    taken: set[int] = set()

    def claim(target: str, side: str, known: tuple[str, ...]) -> None:
        for name in known:
            joint = found.get((side, name))
            if joint is not None and joint not in taken:
                joints[target] = joint
                taken.add(joint)
                return

    for target, known in MIDDLE.items():
        claim(target, "", known)
    for side in ("left", "right"):
        for target, known in SIDED.items():
            claim(f"{side}_{target}", side, known)
    return joints


def match(skeleton: Skeleton) -> Mapping:
    """Find the 22 joints in a skeleton by its names.

    Raises: InputError that lists the joints that were not found and the names there are.
    """
    joints = named(skeleton.names)
    _settle_pelvis(skeleton, joints)
    wanted = [*MIDDLE, *(f"{side}_{target}" for side in ("left", "right") for target in SIDED)]
    missing = [target for target in wanted if target not in joints and target not in OPTIONAL]
    if missing:
        shown = ", ".join(skeleton.names[:80]) + (" …" if len(skeleton) > 80 else "")
        raise InputError(
            f"retarget: no joint of {skeleton.name!r} was recognised as {', '.join(missing)}. Rename its joints, for "
            f"example to Mixamo's names; it has: {shown}."
        )
    spine, chest = _spine(skeleton, joints)
    return Mapping(joints, spine, chest)


def _ancestors(skeleton: Skeleton, joint: int) -> list[int]:
    """The joint and what it hangs on, up to the root."""
    chain = [joint]
    while skeleton.parents[chain[-1]] >= 0:
        chain.append(skeleton.parents[chain[-1]])
    return chain


def _settle_pelvis(skeleton: Skeleton, joints: dict[str, int]) -> None:
    """The pelvis must carry legs and head; where the joint of that name does not, the lowest that does is taken."""
    if not {"left_hip", "right_hip", "head"} <= joints.keys():
        return
    chain = _ancestors(skeleton, joints["left_hip"])[1:]
    for name in ("right_hip", "head"):
        others = set(_ancestors(skeleton, joints[name])[1:])
        chain = [joint for joint in chain if joint in others]
    if chain and joints.get("pelvis") not in chain:
        joints["pelvis"] = chain[0]


def _spine(skeleton: Skeleton, joints: dict[str, int]) -> tuple[tuple[int, ...], int]:
    pelvis = joints["pelvis"]
    top = joints.get("neck", joints["head"])
    chain = _ancestors(skeleton, top)
    below = chain.index(pelvis) if pelvis in chain else len(chain)
    spine = [joint for joint in reversed(chain[1:below]) if joint not in joints.values()]
    arms = set(_ancestors(skeleton, joints["left_shoulder"])) & set(_ancestors(skeleton, joints["right_shoulder"]))
    carrying = [joint for joint in spine if joint in arms]
    return tuple(spine), (carrying or spine or [pelvis])[-1]
