"""Parts of the body, by the names of HumanML3D's 22 joints."""

from __future__ import annotations

from collections.abc import Iterable

from laban.errors import InputError
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22


def _arm(side: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for name in ("collar", "shoulder", "elbow", "wrist"))


def _leg(side: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for name in ("hip", "knee", "ankle", "foot"))


PARTS: dict[str, tuple[str, ...]] = {
    "all": HUMANML22.names,
    "root": ("pelvis",),
    "upper": ("spine1", "spine2", "spine3", "neck", "head", *_arm("left"), *_arm("right")),
    "head": ("neck", "head"),
    "arms": (*_arm("left"), *_arm("right")),
    "left_arm": _arm("left"),
    "right_arm": _arm("right"),
    "legs": (*_leg("left"), *_leg("right")),
    "left_leg": _leg("left"),
    "right_leg": _leg("right"),
}
"""Part -> its joints. `upper` is the first joint of the spine and all above."""


def joints_of(parts: Iterable[str], skeleton: Skeleton = HUMANML22) -> list[int]:
    """Numbers of the joints of some parts, ascending.

    Args:
        parts: of PARTS.
        skeleton: with HumanML3D's names.
    Raises: InputError for a part that is none, or a skeleton without its joints.
    """
    found: set[int] = set()
    for part in parts:
        if part not in PARTS:
            raise InputError(f"parts: unknown part {part!r}; expected one of {', '.join(PARTS)}.")
        for name in PARTS[part]:
            if name not in skeleton.names:
                raise InputError(f"parts: the skeleton {skeleton.name} has no joint {name}; expected the 22 joints.")
            found.add(skeleton.index(name))
    return sorted(found)
