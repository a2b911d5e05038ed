"""Two motions at once: the legs and the path of one, the trunk, arms and head of the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from laban.errors import InputError
from laban.motion import rotation
from laban.motion.easing import smoothstep
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton

FADE = 0.35  # seconds in which one trunk gives way to the other
_LEGS = ("hip", "knee", "ankle", "foot", "toe", "heel")


def upper_body(skeleton: Skeleton) -> list[int]:
    """Numbers of the joints that are neither the root nor of the legs.

    Args:
        skeleton: with HumanML3D's or KIT-ML's names (left_hip, LH, ...).
    """
    legs: set[int] = set()
    for number, (name, parent) in enumerate(zip(skeleton.names, skeleton.parents, strict=True)):
        own = any(part in name.lower() for part in _LEGS) or name in ("LH", "RH", "LK", "RK", "LA", "RA")
        if own or parent in legs:
            legs.add(number)
    return [n for n in range(1, len(skeleton)) if n not in legs]


def upper_over(base: Motion, over: Motion, first: int = 0, last: int | None = None, fade: float = FADE) -> Motion:
    """`base`, with the trunk, arms and head of `over` in the frames [first, last): see `joints_over`.

    The root and the legs stay those of `base` to the bit, so whoever walked goes on walking.
    """
    return joints_over(base, over, upper_body(base.skeleton), first, last, fade)


def joints_over(
    base: Motion, over: Motion, joints: list[int], first: int = 0, last: int | None = None, fade: float = FADE
) -> Motion:
    """`base`, with the rotations of some joints of `over` in the frames [first, last).

    All other joints and the root stay those of `base` to the bit. Where the stretch does not begin or end with the
    motion, the two give way to each other within `fade` seconds inside it.

    Args:
        base: whose other joints and path are kept.
        over: last - first frames at the same rate on the same skeleton.
        joints: their numbers.
        first: where `over` begins.
        last: where it ends; None: as far as it reaches.
        fade: seconds.
    Returns: as many frames as `base`.
    Raises: InputError for another skeleton, rate or number of frames.
    """
    last = first + over.frames if last is None else last
    if over.skeleton.names != base.skeleton.names or abs(over.fps - base.fps) > 1e-6:
        raise InputError("layers: both motions must stand on one skeleton and run at one rate.")
    if not 0 <= first < last <= base.frames or over.frames < last - first:
        raise InputError(f"layers: {over.frames} frames for {first} to {last} of {base.frames}.")
    count = last - first
    frame = np.arange(count)
    share = np.ones(count)
    if first > 0:
        share = np.minimum(share, smoothstep(np.clip((frame + 1) / (fade * base.fps + 1), 0, 1)))
    if last < base.frames:
        share = np.minimum(share, smoothstep(np.clip((count - frame) / (fade * base.fps + 1), 0, 1)))
    rotations = base.rotations.copy()
    kept, given = rotations[first:last][:, joints], over.rotations[:count][:, joints]
    rotations[first:last][:, joints] = rotation.slerp(kept, given, share[:, None])
    return replace(base, rotations=rotations)
