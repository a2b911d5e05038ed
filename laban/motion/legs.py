"""Two-bone legs: bend them so that an ankle reaches a place. Shared by retargeting and foot clean-up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from laban.motion import kinematics, rotation
from laban.motion.easing import smoothstep
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton

SIDES = ("left", "right")
HINGE = np.array([1.0, 0.0, 0.0])  # knees bend about +X of the rest pose
_THERE = 0.001  # metres: an ankle as near as this is where it should be, and its leg is left alone
_REACH = 0.9995  # of the leg's length: never quite straight, where the knee's plane would be lost


def sink(skeleton: Skeleton, hips: np.ndarray, ankles: np.ndarray, fps: float, most: float = 0.06) -> np.ndarray:
    """(T,) metres, 0 to `most`, by which the body must sink so that both legs reach; smoothed over 0.3 s.

    Args:
        skeleton: whose legs they are.
        hips: (T, 2, 3) metres, world, left and right.
        ankles: (T, 2, 3) metres, world, left and right.
        fps: frames per second.
        most: metres.
    """
    need = np.zeros(len(hips))
    for number, side in enumerate(SIDES):
        bones = skeleton.lengths[[skeleton.index(f"{side}_knee"), skeleton.index(f"{side}_ankle")]]
        way = hips[:, number] - ankles[:, number]
        flat = (way[:, [0, 2]] ** 2).sum(-1)
        high = np.sqrt(np.maximum((_REACH * bones.sum()) ** 2 - flat, 0.0))
        need = np.maximum(need, np.where(flat < (0.8 * bones.sum()) ** 2, way[:, 1] - high, 0.0))
    need = np.clip(need, 0.0, most)
    half = int(np.clip(round(0.15 * fps), 1, 200))
    window = np.hanning(2 * half + 3)[1:-1]
    padded = np.pad(need, 2 * half, mode="edge")
    peaks = np.lib.stride_tricks.sliding_window_view(padded, len(window)).max(-1)  # never less than is needed
    return np.convolve(peaks, window / window.sum(), mode="valid")


def bend(
    skeleton: Skeleton, world: np.ndarray, side: str, hip: np.ndarray, ankle: np.ndarray, leg: list[np.ndarray]
) -> None:
    """Set, in place, the world rotations of one leg so that its ankle is at `ankle`, in the plane of a given knee.

    Args:
        skeleton: whose leg it is.
        world: (T, J, 4) unit wxyz, joint to world; hip and knee of `side` are replaced, toes keep their directions.
        side: left or right.
        hip: (T, 3) metres, world.
        ankle: (T, 3) metres, world: the goal.
        leg: hip, knee and ankle, each (T, 3), of the pose to follow; on a nearly straight leg, whose plane is noise,
            the present thigh says where forward is.
    """
    chain = [skeleton.index(f"{side}_{name}") for name in ("hip", "knee", "ankle")]
    bend_limb(skeleton, world, chain, HINGE, hip, ankle, leg)
    _, middle, end = chain
    parent = world[:, middle]
    for joint in [end, *skeleton.children(end)]:
        for child in skeleton.children(joint)[:1]:
            toe = rotation.rotate(world[:, joint], np.broadcast_to(skeleton.offsets[child], hip.shape))
            rest = rotation.rotate(parent, np.broadcast_to(skeleton.offsets[child], hip.shape))
            parent = rotation.multiply(rotation.between(rest, toe), parent)
        world[:, joint] = parent


def bend_limb(
    skeleton: Skeleton, world: np.ndarray, chain: list[int], hinge: np.ndarray, start: np.ndarray, goal: np.ndarray,
    leg: list[np.ndarray],
) -> None:  # fmt: skip
    """Set, in place, the world rotations of a limb's two bones so that its end is at `goal`.

    Args:
        skeleton: whose limb it is.
        world: (T, J, 4) unit wxyz, joint to world.
        chain: joint numbers of the limb: upper, middle, end.
        hinge: (3,) about what the middle joint bends in the rest pose, right-hand rule.
        start: (T, 3) metres, world.
        goal: (T, 3) metres, world.
        leg: upper, middle and end joint, each (T, 3), of the pose to follow.
    """
    upper, middle, end = chain
    thigh, shin = skeleton.lengths[middle], skeleton.lengths[end]
    way = goal - start
    reach = np.linalg.norm(way, axis=-1, keepdims=True)
    reach = np.clip(reach, abs(thigh - shin) * 1.001 + 1e-6, (thigh + shin) * (1 - 1e-9))
    line = rotation.unit(way)

    source_line = rotation.unit(leg[2] - leg[0])
    out = leg[1] - leg[0]
    out = out - (out * source_line).sum(-1, keepdims=True) * source_line  # from the line hip-ankle to the knee
    bent = np.linalg.norm(out, axis=-1, keepdims=True) / (thigh + shin)
    sure = smoothstep(np.clip((bent - 0.01) / 0.07, 0.0, 1.0))
    bends = rotation.rotate(world[:, upper], np.broadcast_to(hinge, start.shape))
    seen = rotation.unit(rotation.rotate(rotation.between(source_line, line), out))
    forward = sure * seen + (1 - sure) * rotation.unit(rotation.cross(line, bends))
    forward = rotation.unit(forward - (forward * line).sum(-1, keepdims=True) * line)

    along = (thigh**2 - shin**2 + reach**2) / (2 * reach)
    across = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    to_knee = along * line + across * forward
    to_ankle = reach * line - to_knee
    axis = rotation.cross(forward, line)  # the hinge, square to the leg
    world[:, upper] = kinematics.align(skeleton.offsets[middle], hinge, to_knee, axis)
    world[:, middle] = kinematics.align(skeleton.offsets[end], hinge, to_ankle, axis)


def plant(motion: Motion, joints: np.ndarray) -> Motion:
    """The motion with its ankles where `joints` have them, knees bent to suit, toes keeping their directions.

    Networks make joints whose bones are not of one length; where directions alone are kept, a leg that came out
    short becomes a foot that slides. Ankles out of the leg's reach are approached as far as it goes.

    Args:
        motion: fitted to `joints` (`Motion.from_joints`); a skeleton without HumanML3D's leg names comes back as is.
        joints: (T, J, 3) metres, world, in the order of the motion's skeleton.
    """
    skeleton = motion.skeleton
    if any(f"{side}_{name}" not in skeleton.names for side in SIDES for name in ("hip", "knee", "ankle")):
        return motion
    world = kinematics.global_rotations(skeleton, motion.rotations)
    now = kinematics.positions(skeleton, world, motion.root)
    for side in SIDES:
        hip, knee, ankle = (skeleton.index(f"{side}_{name}") for name in ("hip", "knee", "ankle"))
        bent = world.copy()
        bend(skeleton, bent, side, now[:, hip], joints[:, ankle], [joints[:, j] for j in (hip, knee, ankle)])
        off = np.linalg.norm(joints[:, ankle] - now[:, ankle], axis=-1)
        share = np.clip((off - _THERE) / _THERE, 0.0, 1.0)[:, None]
        world = np.where(share[..., None] > 0, rotation.slerp(world, bent, share), world)
    return replace(motion, rotations=rotation.continuous(kinematics.local_rotations(skeleton, world)))
