"""Which joint of a humanoid is which, by its name: names of many rigs, put onto the 22 joints of HumanML3D.

A name is taken apart into words (`mixamorig:LeftUpLeg`, `thigh_l`, `Bip01 L Thigh`, `lThigh` all hold a side and a
part of the body) and the part is looked up in a table. Words before or behind that most joints share say nothing
(`Robot_`, `Subject1_`, `_jnt`), and neither do numbers that a program put behind a name (`Foot.L.001`). Names that mean
two things are settled by what else is there: `Shoulder` is the collar bone where an `UpperArm` exists and the shoulder
joint where it does not; `Foot` is the ankle unless there is an `Ankle`. The spine is not named at all but found: it is
what lies between pelvis and neck (`laban.motion.anatomy`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

# Words that rigs put before their names, removed after splitting.
_PREFIXES = {
    "mixamorig", "bip", "bip01", "bip001", "biped", "cc", "base", "def", "org", "jnt", "joint", "bone", "rig", "skel",
    "j", "c", "b", "bn", "character", "character1", "m", "f", "avg", "valve", "valvebiped", "smpl", "smplx", "sk", "rl",
    "npc", "armature", "skeleton", "body", "full", "fullbody", "mmd", "bind", "skin", "deform", "root", "hub", "ik",
}  # fmt: skip
# Words that rigs put behind their names.
_SUFFIXES = {"jnt", "joint", "jt", "bone", "bind", "skin", "sk", "def", "drv", "m", "x", "c", "n", "grp", "loc", "node"}
_SIDES = {
    "left": "left", "l": "left", "lft": "left", "lt": "left", "lf": "left",
    "right": "right", "r": "right", "rgt": "right", "rt": "right",
}  # fmt: skip
_SHARED = 0.6  # of the joints: words that stand before or behind so many names are no part of a body

# For each joint its names, the surest first. A later name is used only if no earlier one is there, and never for
# two joints.
MIDDLE: dict[str, tuple[str, ...]] = {
    "pelvis": ("pelvis", "hips", "hip", "lowertorso", "spinebase", "lowerbody"),
    "head": ("head", "skull", "neckhead"),
    "neck": (
        "neck", "neck1", "neck01", "lowerneck", "necktwist1", "necktwist01", "necklower", "neck0", "necka", "neckbase",
    ),
}  # fmt: skip
SIDED: dict[str, tuple[str, ...]] = {
    "hip": (
        "upperleg", "upleg", "thigh", "thighbend", "thighstretch", "femur", "legupper", "uleg", "upperthigh", "hip",
        "leg1", "hipjoint", "leg",
    ),
    "knee": (
        "lowerleg", "lowleg", "knee", "shin", "calf", "tibia", "shank", "legstretch", "leglower", "lleg", "leg", "leg2",
    ),
    "ankle": ("ankle", "foot", "feet", "heel", "footankle", "anklejoint"),
    "foot": (
        "toebase", "toes", "toe", "ball", "football", "toe0", "toe1", "toes1", "toejoint", "metatarsals", "metatarsal",
        "forefoot", "midfoot", "toestart", "foot", "footend", "ankleend",
    ),
    "shoulder": (
        "upperarm", "uparm", "uarm", "humerus", "shldr", "shldrbend", "armstretch", "armupper", "arm", "shoulder",
        "shoulderjoint", "arm1",
    ),
    "elbow": (
        "lowerarm", "lowarm", "forearm", "fourarm", "farm", "larm", "forearmbend", "forearmstretch", "elbow", "radius",
        "ulna", "armlower", "arm2",
    ),
    "wrist": ("wrist", "hand", "palm", "handwrist", "handpalm", "fist", "paw", "handbase"),
    "collar": (
        "collar", "clavicle", "collarbone", "clav", "scapula", "shoulderblade", "innershoulder", "shoulderinner",
        "shoulder", "shoulderc",
    ),
}  # fmt: skip
# The names of MikuMikuDance's standard model, with those of its IK-free leg bones (D), as ours.
_JAPANESE = {
    "センター": "centre", "腰": "waist", "下半身": "pelvis", "首": "neck", "頭": "head",
    "足": "upperleg", "足D": "thigh",
    "ひざ": "lowerleg", "ひざD": "shin", "足首": "ankle", "足首D": "foot", "つま先": "toes", "足先EX": "toebase",
    "肩": "collar", "腕": "upperarm", "ひじ": "elbow", "手首": "wrist",
}  # fmt: skip
_KNOWN = {name for names in (*MIDDLE.values(), *SIDED.values()) for name in names} | {"spine", "chest", "toe", "finger"}


def part(name: str) -> tuple[str, str]:
    """(side, part) of a joint's name: side is 'left', 'right' or ''; part is lower case without punctuation.

    >>> part("mixamorig:LeftUpLeg"), part("Bip01 L Thigh"), part("neck_01")
    (('left', 'upleg'), ('left', 'thigh'), ('', 'neck01'))
    """
    return _reading(words(name))


def words(name: str) -> list[str]:
    """The words of a name in lower case, without name space and without what stands in brackets."""
    name = re.sub(r"\[[^\]]*\]|\([^)]*\)", " ", name.rsplit(":", 1)[-1].rsplit("|", 1)[-1])
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)]


def _reading(found: Sequence[str]) -> tuple[str, str]:
    side = ""
    rest: list[str] = []
    for place, word in enumerate(found):
        if word in _SIDES and not side:
            side = _SIDES[word]
        elif not (rest == [] and place < len(found) - 1 and (word in _PREFIXES or (word.isdigit() and place > 0))):
            rest.append(word)
    while len(rest) > 1 and rest[-1] in _SUFFIXES:
        rest.pop()
    return side, "".join(rest)


def _without_shared(found: list[list[str]]) -> list[list[str]]:
    """The words of all names without those that most of them begin or end with."""
    least = max(3, _SHARED * len(found))
    out = [list(some) for some in found]
    for place in (0, -1):
        while True:
            counts = Counter(some[place] for some in out if len(some) > 1)
            word, times = counts.most_common(1)[0] if counts else ("", 0)
            if times < least or word in _SIDES or (word in _KNOWN and place == -1):
                break
            for some in out:
                if len(some) > 1 and some[place] == word:
                    del some[place]
    return out


def _keys(name: str, found: Sequence[str]) -> list[tuple[str, str]]:
    """The readings of a name, the likeliest first; names in one case (`leftupleg`, `lfemur`, `thighl`) have two."""
    japanese = _japanese(name)
    if japanese:
        return [japanese]
    side, base = _reading(found)
    keys = [(side, base)]
    bare = base.rstrip("0123456789")
    if bare and bare != base:  # Foot_057, UpperArm.L.001, upperarm01
        keys.append((side, bare))
    for text in dict.fromkeys((base, bare)):
        for word in ("left", "right", "l", "r") if not side else ():
            if text.startswith(word) and len(text) > len(word) + 1:
                keys.append((_SIDES[word], text[len(word) :]))
            if text.endswith(word) and len(text) > len(word) + 1:
                keys.append((_SIDES[word], text[: -len(word)]))
    return keys


def _japanese(name: str) -> tuple[str, str] | None:
    """The reading of a name as MikuMikuDance's models have it: 左ひじ is the left elbow."""
    side = {"左": "left", "右": "right"}.get(name[:1], "")
    base = _JAPANESE.get(name[1:] if side else name)
    return (side, base) if base else None


def side_of(name: str) -> str:
    """The side that a name speaks of: 'left', 'right' or ''."""
    return next((side for side, _ in _keys(name, words(name)) if side), "")


def named(names: Sequence[str]) -> dict[str, int]:
    """The joints of a humanoid by their names alone: HumanML3D name, without the spine -> place in `names`."""
    found: dict[tuple[str, str], int] = {}
    all_words = [words(name) for name in names]
    both = (all_words, _without_shared(all_words))
    readings = [[_keys(name, some[k]) for some in both] for k, name in enumerate(names)]
    for reading in (0, 1):  # sure readings first, then the guesses
        for joint, keys in enumerate(readings):
            for some in keys:
                for key in some[reading : None if reading else 1]:
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
