"""A motion steered to its goals: between the world of an author and the frame that a tokenizer sees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from laban.motion import humanml, kinematics, legs, loops, rotation, travel, wanted
from laban.motion.constraints import Goals
from laban.motion.motion import Motion
from laban.nn.frozen import FrozenTokenizer
from laban.nn.steering import WRAP, Aims, latents_of, steer

if TYPE_CHECKING:
    from torch import Tensor

PART = 0.004  # metres: a joint that steering moves less keeps its rotation
FLAT = np.array([1.0, 0.0, 1.0])


@dataclass(frozen=True, eq=False)
class Sight:
    """A motion as features, and the way back.

    Attributes:
        features: (T, W) in their own units.
        joints: (T, J, 3) metres in the frame of the features.
        turn: (4,) from there to the world.
        lift: (3,) metres, after the turn.
        latents: of a cycle, encoded with its neighbours; None otherwise.
    """

    features: np.ndarray
    joints: np.ndarray
    turn: np.ndarray
    lift: np.ndarray
    latents: Tensor | None

    @classmethod
    def of(cls, motion: Motion, frozen: FrozenTokenizer, *, circular: bool) -> Sight:
        """What a tokenizer sees of a motion at its frame rate; of a cycle without its last frame."""
        layout = frozen.layout
        if not circular:
            world = motion.joints()
            world = np.concatenate([world, 2 * world[-1:] - world[-2:-1]])  # features need a next frame
            features = humanml.features_of(humanml.canonical(world / layout.unit, layout), layout)
            return cls(features, *_placed(features, world[:-1], frozen), None)
        size, stride = motion.frames - 1, frozen.config.stride
        many = -(-(WRAP * stride + 80) // size)  # the heading in the features is smoothed over 80 frames
        tiled = loops.repeated(motion, 2 * many + 1)
        whole = humanml.features_of(humanml.canonical(tiled.joints() / layout.unit, layout), layout)
        first = many * size
        features = whole[first : first + size]
        edge = min(WRAP * stride, first)
        latents = latents_of(frozen, whole[first - edge : first + size + edge])
        latents = latents[:, edge // stride : edge // stride + size // stride]
        return cls(features, *_placed(features, motion.joints(), frozen), latents)

    def inward(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the world in the frame of the features."""
        back = rotation.conjugate(self.turn)
        return rotation.rotate(np.broadcast_to(back, (*points.shape[:-1], 4)), points - self.lift)

    def outward(self, vectors: np.ndarray) -> np.ndarray:
        """Directions (..., 3) of that frame in the world."""
        return rotation.rotate(np.broadcast_to(self.turn, (*vectors.shape[:-1], 4)), vectors)


def _placed(
    features: np.ndarray, world: np.ndarray, frozen: FrozenTokenizer
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The world's joints in the frame of the features, and the rigid way back (yaw and place)."""
    seen = humanml.decode(features, frozen.layout) * frozen.layout.unit
    a, b = seen.reshape(-1, 3), world[: len(seen)].reshape(-1, 3)
    p, q = (a - a.mean(0))[:, [0, 2]], (b - b.mean(0))[:, [0, 2]]
    angle = np.arctan2((p[:, 1] * q[:, 0] - p[:, 0] * q[:, 1]).sum(), (p * q).sum())
    turn = rotation.yaw(np.array(angle))
    lift = b.mean(0) - rotation.rotate(turn, a.mean(0))
    back = np.broadcast_to(rotation.conjugate(turn), (*world.shape[:-1], 4))
    return rotation.rotate(back, world - lift), turn, lift


def aims_of(motion: Motion, goals: Goals, *, circular: bool) -> Aims:
    """Places of joints that goals ask for, in the world; each key weighs alike."""
    way, last = travel.of(motion, circular=circular), motion.frames - 1
    rows: list[tuple[int, int, np.ndarray, np.ndarray, float]] = []
    for key in goals.poses:
        asked = wanted.pose(motion, key)
        joints = [j for j in range(len(motion.skeleton)) if j in _moved(motion, asked.joints)]
        rows += [(min(asked.frame, last), j, asked.held[j], np.ones(3), 1 / len(joints)) for j in joints]
    for effector in goals.effectors:
        frames, keys, places = wanted.effector(motion, effector, way)
        joint = motion.skeleton.index(effector.joint)
        share = {k: 1 / (keys == k).sum() for k in set(keys.tolist())}
        rows += [
            (min(int(f), last), joint, place, np.ones(3), share[int(k)])
            for f, k, place in zip(frames, keys, places, strict=True)
        ]
    for path in goals.paths:
        passed = [wanted.frame_of(motion, p.at) for p in path.points]
        rows += [(min(f, last), 0, motion.root[f], FLAT, 0.3) for f in passed]  # where the path has put it already
    if not rows:
        none = np.zeros(0, int)
        return Aims(none, none, np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0))
    frame, joint, places, axes, weights = zip(*rows, strict=True)
    return Aims(np.array(frame), np.array(joint), np.stack(places), np.stack(axes), np.array(weights))


def _moved(motion: Motion, asked: list[int]) -> set[int]:
    """The joints whose places a pose of some joints settles: the root, those asked for, and those that hang on them."""
    found = {0, *asked}
    for joint, parent in enumerate(motion.skeleton.parents):
        if parent in found and parent in asked:
            found.add(joint)
    return found


def steered(motion: Motion, goals: Goals, frozen: FrozenTokenizer, *, circular: bool) -> tuple[Motion, int]:
    """The motion with its joints moved to where goals ask, as the tokenizer moves bodies, and the steps that took.

    Args:
        motion: on the 22 joints, at the tokenizer's rate; a cycle of whole tokens with `circular`.
        goals: with rotations in every pose.
        frozen: the tokenizer.
        circular: the motion is a cycle.
    """
    sight = Sight.of(motion, frozen, circular=circular)
    aims = aims_of(motion, goals, circular=circular)
    if not len(aims.frames):
        return motion, 0
    inner = replace(aims, places=sight.inward(aims.places), axes=aims.axes)
    made = steer(frozen, sight.features, sight.joints, inner, circular=circular, latents=sight.latents)
    moved = with_change(motion, sight.outward(made.change))
    return loops.sealed(moved, turning=loops.turns(motion)) if circular else moved, made.iterations


def with_change(motion: Motion, change: np.ndarray) -> Motion:
    """The motion with its joints moved, bones kept; what does not move keeps its rotations.

    Args:
        motion: on the 22 joints.
        change: (T, J, 3) metres.
    """
    joints = motion.joints()
    goal = joints + change
    was, now = (kinematics.fit(motion.skeleton, j)[0] for j in (joints, goal))
    old, new = (kinematics.global_rotations(motion.skeleton, r) for r in (was, now))
    own = kinematics.global_rotations(motion.skeleton, motion.rotations)
    turned = rotation.multiply(rotation.multiply(new, rotation.conjugate(old)), own)
    rotations = rotation.continuous(kinematics.local_rotations(motion.skeleton, turned))
    made = replace(motion, rotations=rotations, root=motion.root + change[:, 0])
    return legs.plant(made, goal)


def closed_around(motion: Motion, frozen: FrozenTokenizer) -> Motion:
    """A cycle whose seam is decoded as any other place: tokens at its end see those at its beginning."""
    sight = Sight.of(motion, frozen, circular=True)
    none = np.zeros(0, int)
    aims = Aims(none, none, np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0))
    around = steer(frozen, sight.features, sight.joints, aims, circular=True, latents=sight.latents).around
    assert around is not None
    change = sight.outward(around)
    change[:, :] -= change[:, :1] * FLAT  # places of the root are the motion's own
    return loops.sealed(with_change(motion, change), turning=loops.turns(motion))


def missed(motion: Motion, goals: Goals, *, circular: bool) -> Goals:
    """Poses and effectors that a motion does not meet to within PART."""
    from laban.metrics.constraints import reached

    errors = [each.error_m for each in reached(motion, goals, circular=circular)]
    poses, rest = errors[: len(goals.poses)], errors[len(goals.poses) + len(goals.paths) :]
    return Goals(
        tuple(k for k, e in zip(goals.poses, poses, strict=True) if e > PART), goals.paths,
        tuple(k for k, e in zip(goals.effectors, rest, strict=True) if e > PART),
    )  # fmt: skip
