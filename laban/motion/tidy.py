"""Clean-up of any humanoid's motion, whatever its skeleton: level the floor, lock standing feet, filter tremble.

`cleanup.clean` does this for the 22 joints that Laban generates. Here the legs of any rig are found by
`performance.perform`, bent as those of a T-pose, and the change is put on the rig's own joints; the rest of the body
keeps its rotations.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from laban.errors import InputError
from laban.motion import kinematics, rotation, tpose
from laban.motion.cleanup import CleanupSettings, corrections, smooth
from laban.motion.clip import Motion
from laban.motion.legs import HINGE, SIDES, bend_limb, sink
from laban.motion.mapping import match
from laban.motion.performance import Performance, perform
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22

TREMBLE = 0.04  # seconds: standard deviation of the Gaussian
_SOLE = 0.045  # of the leg: how far a standing toe joint is above the floor, on rigs that are not ours
_UP = np.array([0.0, 1.0, 0.0])


def tidy(motion: Motion, *, foot_lock: bool = False, ground: bool = False, tremble: float = 0.0) -> Motion:
    """Clean a motion up.

    Args:
        motion: a humanoid whose joints `mapping.match` knows, metres, Y up.
        foot_lock: hold each foot in one place while it stands, and bend its leg to suit.
        ground: put the floor at height 0.
        tremble: seconds of a Gaussian over time; 0 leaves it.
    Returns: Motion of the same skeleton, frames and fps.
    Raises: InputError if the joints are not recognised.
    """
    motion = smooth(motion, tremble) if tremble > 0 else motion
    if motion.frames < 4 or not (foot_lock or ground):
        return motion
    done = perform(motion)
    floor = floor_of(motion, done)
    if ground:
        motion = replace(motion, root=motion.root - floor * _UP)
        done = replace(done, joints=done.joints - floor * _UP, low=done.low - floor)
        floor = 0.0
    return _locked(motion, done, floor) if foot_lock else motion


def sole_of(motion: Motion, done: Performance) -> float:
    """How far a standing toe joint is above the floor, metres."""
    return CleanupSettings().sole if motion.skeleton.same_tree(HUMANML22) else _SOLE * done.leg


def floor_of(motion: Motion, done: Performance) -> float:
    """The height of the floor on which a performer stands, metres, from their lowest toes."""
    return float(done.low[1]) - sole_of(motion, done)


def _locked(motion: Motion, done: Performance, floor: float) -> Motion:
    sole = sole_of(motion, done)
    settings = CleanupSettings(sole=sole, height=sole + 0.06)
    legs, world = _legs(done)
    hips = np.stack([done.of(f"{s}_hip") for s in SIDES], 1)
    ankles = []
    for side in SIDES:
        toe = done.of(f"{side}_foot") - floor * _UP
        shift = corrections(toe, done.fps, settings)
        lift = np.maximum(0.0, sole - (toe + shift)[:, 1])
        ankles.append(done.of(f"{side}_ankle") + shift + lift[:, None] * _UP)
    drop = sink(legs, hips, np.stack(ankles, 1), done.fps)[:, None] * _UP
    turns = kinematics.global_rotations(motion.skeleton, motion.rotations)
    mapping = match(motion.skeleton).joints
    for number, side in enumerate(SIDES):
        chain = [legs.index(f"{side}_{name}") for name in tpose.LEG]
        before = world[:, chain[:2]].copy()
        leg = [done.of(f"{side}_{name}") for name in tpose.LEG]
        bend_limb(legs, world, chain, HINGE, hips[:, number] - drop, ankles[number], leg)
        change = rotation.multiply(world[:, chain[:2]], rotation.conjugate(before))
        hip, knee, ankle = (_under(motion.skeleton, mapping[f"{side}_{name}"]) for name in tpose.LEG)
        for joints, turn in ((hip - knee, change[:, 0]), (knee - ankle, change[:, 1])):
            for joint in joints:
                turns[:, joint] = rotation.multiply(turn, turns[:, joint])
    rotations = rotation.continuous(kinematics.local_rotations(motion.skeleton, turns))
    return replace(motion, rotations=rotations, root=motion.root - drop)


def _under(skeleton: Skeleton, joint: int) -> set[int]:
    found = [joint]
    for item in found:
        found.extend(skeleton.children(item))
    return set(found)


def _legs(done: Performance) -> tuple[Skeleton, np.ndarray]:
    """The performer's legs in the T-pose, and their turns (T, 7, 4)."""
    names, parents, offsets = ["pelvis"], [-1], [np.zeros(3)]
    for side in SIDES:
        chain = [f"{side}_{name}" for name in tpose.LEG]
        for number, name in enumerate(chain):
            parents.append(0 if number == 0 else len(names) - 1)
            names.append(name)
            if number == 0:
                offsets.append(np.zeros(3))
            else:
                above = chain[number - 1]
                length = float(np.median(np.linalg.norm(done.of(name) - done.of(above), axis=-1)))
                offsets.append(tpose.direction(above, name) * length)
    if min(np.linalg.norm(o) for o, n in zip(offsets, names, strict=True) if n.endswith(("knee", "ankle"))) < 1e-6:
        raise InputError("clean: a leg has no length; a body was expected.")
    return Skeleton("legs", tuple(names), tuple(parents), np.array(offsets)), np.stack([done.turn(n) for n in names], 1)
