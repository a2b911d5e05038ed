"""The last millimetres: a motion that nearly does what was asked is made to do it exactly.

Root places are met by smooth bumps of the root, key poses by the given rotations with offsets that die away on both
sides, hands and feet by bending their limb; standing feet are held again. Bones keep their lengths, and no limb is
drawn out to more than 98 % of its length: what is beyond is approached and told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from laban.motion import cleanup, kinematics, legs, rotation, travel, wanted
from laban.motion.constraints import Effector, Goals, PoseKey, RootPath
from laban.motion.easing import smoothstep
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton

BUMP = 0.4  # seconds on either side over which root and poses give way
LONGEST_BUMP = 1.0  # seconds, of a pose that is far off
TURNING = 1.2  # radians per second: joints with a longer way take longer
LIMB = 0.2  # seconds over which a limb reaches, at the least
REACHING = 1.2  # m/s: longer ways take longer
LONGEST_REACH = 0.8  # seconds
STRAIGHT = 0.98  # of a limb's length
FEET_STAY = 0.06  # metres by which the root may move over standing feet; beyond, feet are carried along
HINGES = {"left": np.array([0.0, -1.0, 0.0]), "right": np.array([0.0, 1.0, 0.0])}  # elbows, of the rest pose
CHAINS = {
    "head": ("spine1", "spine2", "spine3", "neck"),
    "left_elbow": ("left_collar", "left_shoulder"),
    "right_elbow": ("right_collar", "right_shoulder"),
    "left_knee": ("left_hip",),
    "right_knee": ("right_hip",),
}
"""Joints that turn to bring another one to its place, where no two bones bend for it."""
LEANING = ("spine1", "spine2", "spine3")
LEAN = 0.3  # radians that each of these may bend for a hand
TURNS = 4  # rounds over such a chain


@dataclass(frozen=True, eq=False)
class Finished:
    """A motion, and the numbers of the effectors whose place is out of reach."""

    motion: Motion
    unreachable: frozenset[int] = frozenset()


def finish(motion: Motion, goals: Goals, *, circular: bool = False, rounds: int = 2) -> Finished:
    """The motion with its goals met as far as bodies go.

    Args:
        motion: on the 22 joints, near its goals, with standing feet held already (`cleanup.clean`).
        goals: with rotations in every pose.
        circular: the motion is a cycle; nothing reaches over its seam.
        rounds: each mends what the others moved.
    """
    beyond: set[int] = set()
    for number in range(rounds):
        before = motion
        motion = _rooted(motion, goals, circular=circular)
        motion = _posed(motion, goals.poses)
        motion = _standing(before, motion, goals) if number == 0 else motion
        beyond = set()
        for k, effector in enumerate(goals.effectors):
            motion, out = _reached(motion, effector, circular=circular)
            beyond |= {k} if out else set()
    return Finished(motion, frozenset(beyond))


def bump(frames: np.ndarray, centre: int, reach: float) -> np.ndarray:
    """1 at the centre, 0 from `reach` frames on, twice smooth: (1 - x^2)^3."""
    return np.maximum(0.0, 1 - ((frames - centre) / max(reach, 1e-9)) ** 2) ** 3


# The root


def _rooted(motion: Motion, goals: Goals, *, circular: bool) -> Motion:
    """Root places and travel where they are asked to be, by bumps whose sizes solve one linear system."""
    way = travel.of(motion, circular=circular)
    rows: list[tuple[int, bool, np.ndarray]] = []  # frame, whether travel (or the root itself) is meant, metres off
    for path in goals.paths:
        asked = wanted.path(motion, path)
        last = -np.inf
        for frame, place in zip(asked.points, asked.places, strict=True):
            off = place - way.xz[frame]
            if path.kind == "path":  # between its points it is met on the mean: bumps close together would tremble
                if np.linalg.norm(off) <= path.tolerance or frame - last < BUMP * motion.fps:
                    continue
                last = frame
            rows.append((int(frame), True, off))
    for key in goals.poses:
        if key.root is not None and key.root.xz is not None:
            frame = wanted.frame_of(motion, key.at)
            rows.append((frame, False, np.array(key.root.xz) - motion.root[frame, [0, 2]]))
    if not rows or max(np.abs(off).max() for *_, off in rows) < 1e-9:
        return motion
    at, reach = np.arange(motion.frames), BUMP * motion.fps
    period = motion.frames - 1
    rounds = (-period, 0, period) if circular else (0,)  # in a cycle a bump at the end is one at the beginning
    centres = sorted({frame % period if circular else frame for frame, *_ in rows})
    bumps = np.stack([sum(bump(at, f + r, wide) for r in rounds) for f in centres for wide in (reach, reach / 2)], -1)
    if circular:
        bumps = np.column_stack([bumps, at / period])  # and its travel may be longer or shorter
    flat = [motion.root * 0 + np.stack([b, 0 * b, 0 * b], -1) for b in bumps.T]
    smoothed = np.stack([travel.of(replace(motion, root=f), circular=circular).xz[:, 0] for f in flat], -1)
    system = np.stack([(smoothed if is_travel else bumps)[frame] for frame, is_travel, _ in rows])
    sizes = np.linalg.lstsq(system, np.stack([off for *_, off in rows]), rcond=1e-4)[0]
    root = motion.root.copy()
    root[:, [0, 2]] += bumps @ sizes
    return replace(motion, root=root)


# Poses


def _posed(motion: Motion, keys: Sequence[PoseKey]) -> Motion:
    """Key poses copied, with offsets that die away on both sides, no farther than the next key."""
    if not keys:
        return motion
    rotations, root = motion.rotations.copy(), motion.root.copy()
    frames = np.array([wanted.frame_of(motion, key.at) for key in keys])
    at = np.arange(motion.frames)
    for key, frame in zip(keys, frames, strict=True):
        asked = wanted.pose(replace(motion, rotations=rotations, root=root), key)
        turned = {*asked.joints, *([0] if key.root is not None and key.root.heading is not None else [])}
        gaps = {
            joint: rotation.to_axis_angle(
                rotation.multiply(asked.rotations[joint], rotation.conjugate(rotations[frame, joint]))
            )
            for joint in turned
        }
        widest = max((float(np.linalg.norm(gap)) for gap in gaps.values()), default=0.0)
        reach = float(np.clip(widest / TURNING, BUMP, LONGEST_BUMP)) * motion.fps
        weight = _between_keys(at, int(frame), frames, reach)
        moved = weight > 0
        for joint, gap in gaps.items():
            offset = rotation.from_axis_angle(weight[:, None] * gap)
            rotations[moved, joint] = rotation.multiply(offset, rotations[:, joint])[moved]
            rotations[frame, joint] = asked.rotations[joint]
        root[:, 1] += weight * (asked.root[1] - root[frame, 1])
    return replace(motion, rotations=rotation.continuous(rotations), root=root)


def _between_keys(at: np.ndarray, frame: int, frames: np.ndarray, reach: float) -> np.ndarray:
    before, after = frames[frames < frame], frames[frames > frame]
    left = min(reach, frame - before.max()) if len(before) else reach
    right = min(reach, after.min() - frame) if len(after) else reach
    return np.where(at <= frame, bump(at, frame, left), bump(at, frame, right))


# Feet


def _standing(before: Motion, motion: Motion, goals: Goals) -> Motion:
    """Standing feet held: where they stood before the root moved, and where key poses put them."""
    legged = [k for k in goals.poses if any("hip" in n or "knee" in n or "ankle" in n for n in k.rotations)]
    pinned = [wanted.frame_of(motion, k.at) for k in legged]
    moved = np.linalg.norm(motion.root - before.root, axis=-1).max()
    if moved < 1e-9 and not legged:
        return motion
    skeleton, joints = motion.skeleton, motion.joints()
    old, at = before.joints(), np.arange(motion.frames)
    free = np.ones(motion.frames)
    for frame in pinned:
        free *= 1 - bump(at, frame, BUMP * motion.fps)
    keep = free * float(np.clip((FEET_STAY - moved) / FEET_STAY * 2, 0, 1))
    goal = joints.copy()
    settings = cleanup.CleanupSettings()
    for side in legs.SIDES:
        ankle, toe = skeleton.index(f"{side}_ankle"), skeleton.index(f"{side}_foot")
        shift = keep[:, None] * (old[:, ankle] - joints[:, ankle])
        hold = cleanup.corrections(joints[:, toe] + shift, motion.fps, settings, pinned)
        for frame in pinned:
            hold *= (1 - bump(at, frame, 0.12 * motion.fps))[:, None]
        goal[:, ankle] += shift + hold
    return legs.plant(motion, goal)


# Hands, feet, head


def _reached(motion: Motion, asked: Effector, *, circular: bool) -> tuple[Motion, bool]:
    """One effector at its places, and whether any of them is out of reach."""
    frames, _, places = wanted.effector(motion, asked, travel.of(motion, circular=circular))
    joints = motion.joints()
    number = motion.skeleton.index(asked.joint)
    offset = _spread(frames, places - joints[frames, number], motion)
    if not np.abs(offset).max() > 1e-9:
        return motion, False
    goal = joints[:, number] + offset
    touched = np.abs(offset).max(-1) > 1e-9
    world = kinematics.global_rotations(motion.skeleton, motion.rotations)
    side, _, part = asked.joint.partition("_")
    if part == "wrist":
        joints = _leaned(motion, world, joints, side, goal)
    if part in ("wrist", "ankle", "foot"):
        _bend(motion, world, joints, side, part, goal, offset)
    else:
        _turn(motion, world, asked.joint, goal)
    turns = kinematics.local_rotations(motion.skeleton, world)
    rotations = motion.rotations.copy()
    touched = _lasting(touched.astype(float), motion.fps) > 0
    rotations[touched] = turns[touched]
    made = replace(motion, rotations=rotation.continuous(rotations))
    off = np.linalg.norm(made.joints()[frames, number] - places, axis=-1)
    return made, bool(off.max() > asked.tolerance)


def _spread(frames: np.ndarray, offsets: np.ndarray, motion: Motion) -> np.ndarray:
    """(T, 3): offsets at some frames, eased in before, out after, and from one to the next where they are close."""
    whole = np.zeros((motion.frames, 3))
    whole[frames] = offsets
    size = np.linalg.norm(offsets, axis=-1)
    reach = np.clip(size / REACHING, LIMB, LONGEST_REACH) * motion.fps
    first, last = frames[0], frames[-1]
    ahead, behind = np.arange(0, first), np.arange(last + 1, motion.frames)
    whole[ahead] = smoothstep(np.clip(1 - (first - ahead) / reach[0], 0, 1))[:, None] * offsets[0]
    whole[behind] = smoothstep(np.clip(1 - (behind - last) / reach[-1], 0, 1))[:, None] * offsets[-1]
    for k in np.flatnonzero(np.diff(frames) > 1):
        a, b = frames[k], frames[k + 1]
        between = np.arange(a + 1, b)
        if b - a <= reach[k] + reach[k + 1]:
            share = smoothstep((between - a) / (b - a))[:, None]
            whole[between] = offsets[k] * (1 - share) + offsets[k + 1] * share
        else:
            whole[between] = (
                smoothstep(np.clip(1 - (between - a) / reach[k], 0, 1))[:, None] * offsets[k]
                + smoothstep(np.clip(1 - (b - between) / reach[k + 1], 0, 1))[:, None] * offsets[k + 1]
            )
    return whole


def _bend(
    motion: Motion, world: np.ndarray, joints: np.ndarray, side: str, part: str, goal: np.ndarray, offset: np.ndarray
) -> None:  # fmt: skip
    """A limb bent in place, no straighter than it may be, or than it is."""
    skeleton = motion.skeleton
    names = ("shoulder", "elbow", "wrist") if part == "wrist" else ("hip", "knee", "ankle")
    chain = [skeleton.index(f"{side}_{name}") for name in names]
    limb = [joints[:, j] for j in chain]
    if part == "foot":
        goal = limb[2] + offset
    length = skeleton.lengths[chain[1]] + skeleton.lengths[chain[2]]
    way = goal - limb[0]
    far = np.linalg.norm(way, axis=-1, keepdims=True)
    most = np.maximum(STRAIGHT * length, np.linalg.norm(limb[2] - limb[0], axis=-1, keepdims=True))
    goal = limb[0] + way * np.minimum(1.0, most / np.maximum(far, 1e-9))
    if part == "wrist":
        hand = world[:, chain[2]].copy()
        before = world[:, chain[1]].copy()
        legs.bend_limb(skeleton, world, chain, HINGES[side], limb[0], goal, limb)
        turn = rotation.multiply(world[:, chain[1]], rotation.conjugate(before))
        world[:, chain[2]] = rotation.multiply(turn, hand)
    else:
        legs.bend(skeleton, world, side, limb[0], goal, limb)


def _leaned(motion: Motion, world: np.ndarray, joints: np.ndarray, side: str, goal: np.ndarray) -> np.ndarray:
    """The trunk bent in place towards what an arm alone does not reach, and where the joints are then."""
    skeleton = motion.skeleton
    shoulder, elbow, wrist = (skeleton.index(f"{side}_{name}") for name in ("shoulder", "elbow", "wrist"))
    length = skeleton.lengths[elbow] + skeleton.lengths[wrist]
    for name in LEANING:
        way = goal - joints[:, shoulder]
        far = np.linalg.norm(way, axis=-1)
        own = np.linalg.norm(joints[:, wrist] - joints[:, shoulder], axis=-1)
        need = _lasting(np.maximum(far - np.maximum(STRAIGHT * length, own), 0.0), motion.fps)
        if need.max() < 1e-6:
            break
        pivot = skeleton.index(name)
        arm = joints[:, shoulder] - joints[:, pivot]
        wish = arm + rotation.unit(way) * need[:, None]
        vector = rotation.to_axis_angle(rotation.between(arm, wish))
        size = np.linalg.norm(vector, axis=-1, keepdims=True)
        turn = rotation.from_axis_angle(vector * np.minimum(1.0, LEAN / np.maximum(size, 1e-9)))
        for each in [pivot, *_below(skeleton, pivot)]:
            world[:, each] = rotation.multiply(turn, world[:, each])
        joints = kinematics.positions(skeleton, world, motion.root)
    return joints


def _lasting(need: np.ndarray, fps: float) -> np.ndarray:
    """(T,) never less than `need`, without its edges: the largest within 0.15 s, smoothed over as long."""
    half = int(np.clip(round(0.15 * fps), 1, 200))
    taps = np.hanning(2 * half + 3)[1:-1]
    padded = np.pad(need, 2 * half, mode="edge")
    peaks = np.lib.stride_tricks.sliding_window_view(padded, len(taps)).max(-1)
    return np.convolve(peaks, taps / taps.sum(), mode="valid")


def _turn(motion: Motion, world: np.ndarray, joint: str, goal: np.ndarray) -> None:
    """A chain of joints turned in place, one after the other, so that the last one points at its place."""
    skeleton = motion.skeleton
    number = skeleton.index(joint)
    for _ in range(TURNS):
        for name in reversed(CHAINS[joint]):
            pivot = skeleton.index(name)
            places = kinematics.positions(skeleton, world, motion.root)
            now, there = places[:, number] - places[:, pivot], goal - places[:, pivot]
            turn = rotation.between(now, there)
            for each in [pivot, *_below(skeleton, pivot)]:
                world[:, each] = rotation.multiply(turn, world[:, each])


def _below(skeleton: Skeleton, joint: int) -> list[int]:
    found = list(skeleton.children(joint))
    for each in found:
        found.extend(skeleton.children(each))
    return found


def is_dense(paths: Sequence[RootPath]) -> bool:
    """Whether a path is asked for throughout, and not only at some moments."""
    return any(path.kind == "path" for path in paths)
