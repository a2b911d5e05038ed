"""A performance onto a character: turns from the common rest pose, a scaled root, and feet that stand.

The character's T-pose skeleton is scaled until its legs are as long as the performer's. Then everything happens in
the performer's metres: each joint takes the performer's turn away from the T-pose, the hips are carried over the same
path, the soles are put where the performer's soles are (`soles`), and the legs are bent to reach them. At the end the
turns become the local rotations of the file's nodes, whatever their rolls, armatures and scales.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from laban.character import root_bone
from laban.character.rig import Rig, turn_of
from laban.character.soles import Planted, plant
from laban.character.stance import Stance
from laban.motion import kinematics, rotation, tpose
from laban.motion.landmarks import Performance, perform
from laban.motion.legs import SIDES, bend, bend_limb, sink
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton

_UP = np.array([0.0, 1.0, 0.0])
_SINK = 0.07  # of the leg's length: the most that the body sinks so that both feet reach
_PATH = 0.5  # seconds: standard deviation of the filter that tells the path from the sway, for in-place clips
_ELBOWS = {"left": np.array([0.0, -1.0, 0.0]), "right": np.array([0.0, 1.0, 0.0])}


@dataclass(frozen=True)
class CharacterMotion:
    """An animation of a character's nodes.

    Attributes:
        stance: the character.
        rotations: node -> (T, 4) unit wxyz, node to parent.
        translations: node -> (T, 3), parent's units.
        fps: frames per second.
        name: what the animation is called.
        path: (T, 3) what was taken from the root for an in-place clip, performer's metres, our axes; zero else.
        unit: file units per metre of the performer.
        performance: what was performed.
        planted: where the feet were to stand.
        root: who covers the way, of `root_bone.ROOTS`.
    """

    stance: Stance
    rotations: dict[int, np.ndarray]
    translations: dict[int, np.ndarray]
    fps: float
    name: str
    path: np.ndarray
    unit: float
    performance: Performance
    planted: Planted
    root: str = "travel"

    @property
    def frames(self) -> int:
        """T."""
        return len(self.path)

    def world(self) -> np.ndarray:
        """(T, N, 4, 4): where the nodes are, node to world."""
        return self.stance.rig.forward(self.rotations, self.translations, self.frames)


def transfer(
    motion: Motion, stance: Stance, *, name: str = "", root: str = "travel", hand_reach: bool = False
) -> CharacterMotion:
    """Put a humanoid's motion onto a character.

    Args:
        motion: any humanoid; its frames and rate are the clip's.
        stance: the character.
        name: of the animation; default the motion's text, or "laban".
        root: what becomes of the path, of `root_bone.ROOTS`: `in-place` takes it out of the root and keeps the sway,
            `root-bone` lets a bone on the floor carry it, which the character must have (`root_bone.with_root`).
        hand_reach: bend the arms so that hands are as far from their shoulders, relative to the arm's length, as the
            performer's, at the price of the limbs' directions.
    Raises: InputError if the motion is no humanoid's.
    """
    done = perform(motion)
    unit = stance.leg / done.leg
    skeleton = replace(stance.skeleton, offsets=stance.skeleton.offsets / unit)
    world = _turns(skeleton, stance, done)
    hips = _root(skeleton, stance, world, done, unit)
    free = kinematics.positions(skeleton, world, hips)[:, [skeleton.index(f"{s}_ankle") for s in SIDES]]
    planted = plant(stance, done, unit, free, _wider(skeleton, done))
    world, hips = _legs(skeleton, world, hips, done, planted)
    if hand_reach:
        _arms(skeleton, world, hips, done)
    extra = _spread_twist(skeleton, stance, world)
    path = _path(hips, done.fps) if root == "in-place" else np.zeros_like(hips)
    pelvis = stance.map.node("pelvis")
    carried = root_bone.tracks(stance, world[:, 0], hips, done.fps, unit) if root == "root-bone" else None
    rotations = _local(stance, world, extra, carried)
    place = rotation.rotate(rotation.conjugate(stance.frame), (hips - path) * unit)
    parent = stance.rig.parents[pelvis]
    above = (stance.rig.world[parent] if parent >= 0 else np.eye(4))[None]
    if carried is not None:
        above = carried["moved"] @ above
    inverse = np.linalg.inv(above)
    translations = {pelvis: (inverse[:, :3, :3] @ place[..., None])[..., 0] + inverse[:, :3, 3]}
    if carried is not None:
        translations[carried["node"]] = carried["translation"]
    if stance.detached:
        translations |= _detached(stance, skeleton, world, hips - path, unit, rotations, translations)
    for node in stance.rig.moved:  # whose place in the file is not where it rests
        rotations.setdefault(node, np.repeat(stance.rig.rotation[node][None], len(hips), axis=0))
        translations.setdefault(node, np.repeat(stance.rig.translation[node][None], len(hips), axis=0))
    text = motion.segments[0].text if motion.segments else ""
    name = name or text[:60] or "laban"
    return CharacterMotion(stance, rotations, translations, done.fps, name, path, unit, done, planted, root)


def _turns(skeleton: Skeleton, stance: Stance, done: Performance) -> np.ndarray:
    """(T, J, 4): each joint's turn away from the T-pose; chains of any length share theirs."""
    world = np.zeros((len(done.joints), len(skeleton), 4))
    world[..., 0] = 1.0
    trunk = [done.turn(n) for n in ("pelvis", "spine1", "spine2", "spine3")]
    pelvis = _levelled(done, _wider(skeleton, done))
    count = len(stance.map.spine)
    rest = skeleton.rest()
    hips = rest[[skeleton.index(f"{s}_hip") for s in SIDES], 1].mean()
    top = rest[skeleton.index(f"spine{count}"), 1] if count else hips
    for k in range(1, count + 1):
        low = k < count and rest[skeleton.index(f"spine{k}"), 1] - hips < 0.08 * max(top - hips, 1e-9)
        world[:, skeleton.index(f"spine{k}")] = pelvis if low else _between(trunk, k / count)
    necks = [done.turn("neck"), done.turn("head")]
    for k in range(1, len(stance.map.neck) + 1):
        world[:, skeleton.index(f"neck{k}")] = _between(necks, (k - 1) / len(stance.map.neck))
    for joint, name in enumerate(skeleton.names):
        if name.rstrip("0123456789") not in ("spine", "neck"):
            world[:, joint] = pelvis if name == "pelvis" else done.turn(name)
    return world


def _levelled(done: Performance, wider: float) -> np.ndarray:
    """(T, 4): the pelvis' turn, tilted sideways less if the hips are wider, so that each is as high as it was.

    Hips twice as far apart would rise and sink twice as much in the same tilt, which legs of the same length can only
    follow with other bends.
    """
    turn = done.turn("pelvis")
    if wider <= 0:
        return turn
    theirs = float(np.median(np.linalg.norm(done.of("left_hip") - done.of("right_hip"), axis=-1)))
    left = rotation.rotate(turn, np.broadcast_to([1.0, 0.0, 0.0], done.of("pelvis").shape))
    level = left * np.array([1.0, theirs / (theirs + wider), 1.0])
    return rotation.multiply(rotation.between(left, level), turn)


def _between(chain: list[np.ndarray], share: float) -> np.ndarray:
    """(T, 4): the turn at a share of the way along a chain of turns."""
    place = share * (len(chain) - 1)
    low = min(int(place + 1e-9), len(chain) - 1)
    high = min(low + 1, len(chain) - 1)
    rest = place - low
    return chain[low] if rest < 1e-9 else rotation.slerp(chain[low], chain[high], np.full(len(chain[low]), rest))


def _root(skeleton: Skeleton, stance: Stance, world: np.ndarray, done: Performance, unit: float) -> np.ndarray:
    """(T, 3): the pelvis, so that the hips' middle follows the performer's, as high above the ankles as theirs."""
    at = kinematics.positions(skeleton, world, np.zeros((len(world), 3)))
    hips = at[:, [skeleton.index(f"{s}_hip") for s in SIDES]].mean(1)
    middle = (done.of("left_hip") + done.of("right_hip")) / 2
    lift = stance.height[0] / unit - done.low[0]
    return middle + lift * _UP - hips


def _wider(skeleton: Skeleton, done: Performance) -> float:
    """Metres by which the character's hips are wider than the performer's."""
    rest = skeleton.rest()
    own = np.linalg.norm(rest[skeleton.index("left_hip")] - rest[skeleton.index("right_hip")])
    return float(own - np.median(np.linalg.norm(done.of("left_hip") - done.of("right_hip"), axis=-1)))


def _legs(
    skeleton: Skeleton, world: np.ndarray, root: np.ndarray, done: Performance, planted: Planted
) -> tuple[np.ndarray, np.ndarray]:
    joints = kinematics.positions(skeleton, world, root)
    hips = joints[:, [skeleton.index(f"{s}_hip") for s in SIDES]]
    drop = sink(skeleton, hips, planted.ankles, done.fps, most=_SINK * done.leg)[:, None] * _UP
    root = root - drop
    world = world.copy()
    for number, side in enumerate(SIDES):
        leg = [done.of(f"{side}_{name}") for name in tpose.LEG]
        bend(skeleton, world, side, hips[:, number] - drop, planted.ankles[:, number], leg)
        world[:, skeleton.index(f"{side}_ankle")] = done.turn(f"{side}_ankle")
        world[:, skeleton.index(f"{side}_foot")] = planted.toes[:, number]
    return world, root


def _arms(skeleton: Skeleton, world: np.ndarray, root: np.ndarray, done: Performance) -> None:
    """Hand reach, in place."""
    joints = kinematics.positions(skeleton, world, root)
    for side in SIDES:
        chain = [f"{side}_{name}" for name in tpose.ARM]
        if not all(name in skeleton.names for name in chain):
            continue
        index = [skeleton.index(name) for name in chain]
        arm = [done.of(name) for name in chain]
        own = skeleton.lengths[index[1:]].sum()
        theirs = np.median(sum(np.linalg.norm(b - a, axis=-1) for a, b in zip(arm, arm[1:], strict=False)))
        shoulder = joints[:, index[0]]
        bend_limb(skeleton, world, index, _ELBOWS[side], shoulder, shoulder + (arm[2] - arm[0]) * own / theirs, arm)


def twist(turn: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """(T,) radians: how far rotations (T, 4) turn about an axis (3,), -pi to pi (swing-twist decomposition)."""
    along = turn[:, 1:] @ axis
    angle = 2 * np.arctan2(along, turn[:, 0])
    return np.arctan2(np.sin(angle), np.cos(angle))


def _spread_twist(skeleton: Skeleton, stance: Stance, world: np.ndarray) -> dict[int, np.ndarray]:
    """Turns (T, 4) of the twist bones; a forearm without any takes half of its hand's twist, in place.

    The lower bone of a limb twists with its end (nothing at the elbow, all at the wrist); the upper one has its whole
    twist at the elbow and none at the shoulder.
    """
    extra: dict[int, np.ndarray] = {}
    for side in SIDES:
        for upper, lower, end in tpose.LIMBS:
            for start, stop, own in ((upper, lower, True), (lower, end, False)):
                a, b = f"{side}_{start}", f"{side}_{stop}"
                if a not in skeleton.names or b not in skeleton.names:
                    continue
                i, j = skeleton.index(a), skeleton.index(b)
                helpers = stance.map.twist.get(a, ())
                axis = rotation.unit(skeleton.offsets[j])
                above, there = (world[:, skeleton.parents[i]], world[:, i]) if own else (world[:, i], world[:, j])
                angle = np.unwrap(twist(rotation.multiply(rotation.conjugate(above), there), axis))
                angle = angle - 2 * np.pi * np.round(np.median(angle) / (2 * np.pi))
                for node in helpers:
                    share = _share(stance, a, b, node)
                    part = (share - 1) * angle if own else share * angle
                    extra[node] = rotation.multiply(world[:, i], rotation.from_axis_angle(part[:, None] * axis))
                if not own and not helpers and start == "elbow":
                    half = rotation.from_axis_angle(0.5 * angle[:, None] * axis)
                    world[:, i] = rotation.multiply(world[:, i], half)
    return extra


def _share(stance: Stance, a: str, b: str, node: int) -> float:
    """How far along a limb's bone a node lies, 0 to 1; in a chain of doubled bones the last of them is the end."""
    rig = stance.rig
    start, end = (rig.place[stance.map.node(name)] for name in (a, b))
    way = end - start
    share = float((rig.place[node] - start) @ way / max(float(way @ way), 1e-18))
    if node in rig.above(stance.map.node(b)):  # it carries what is beyond it: the middle of its stretch
        share = (share + 1) / 2
    return float(np.clip(share, 0.0, 1.0))


def _local(
    stance: Stance, world: np.ndarray, extra: dict[int, np.ndarray], carried: dict[str, Any] | None
) -> dict[int, np.ndarray]:
    """Node -> (T, 4): local rotations of every driven node, sign-continuous."""
    rig, frame = stance.rig, stance.frame
    driven: dict[int, np.ndarray] = {}
    if carried is not None:
        driven[carried["node"]] = turn_of(carried["world"])
    into = rotation.conjugate(frame)
    for joint, node in enumerate(stance.nodes):
        if node >= 0:
            driven[node] = rotation.multiply(into, rotation.multiply(world[:, joint], stance.rest[joint]))
    for node, turn in extra.items():
        limb = next(name for name, nodes in stance.map.twist.items() if node in nodes)
        turned = stance.turns[stance.skeleton.index(limb)]
        rest = rotation.multiply(turned, rotation.multiply(frame, rig.turn[node]))
        driven[node] = rotation.multiply(into, rotation.multiply(turn, rest))
    turns: dict[int, np.ndarray] = {}
    local: dict[int, np.ndarray] = {}
    still = {node: rotation.multiply(rotation.conjugate(rig.turn[rig.parents[node]]), rig.turn[node])
             if rig.parents[node] >= 0 else rig.turn[node] for node in rig.order}  # fmt: skip
    top = np.array(rotation.IDENTITY)
    for node in rig.order:
        parent = rig.parents[node]
        above = turns.get(parent, rig.turn[parent] if parent >= 0 else top)
        if node in driven:
            turns[node] = driven[node]
            if parent >= 0 and np.linalg.det(rig.world[parent][:3, :3]) < 0:
                local[node] = rotation.continuous(_mirrored(rig, node, above, driven[node]))
            else:
                local[node] = rotation.continuous(rotation.multiply(rotation.conjugate(above), driven[node]))
        elif parent in turns:
            turns[node] = rotation.multiply(above, still[node])
    return local


def _mirrored(rig: Rig, node: int, above: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """(T, 4): local rotations under a parent that mirrors: what its own rest turns are, mirrored.

    Args:
        rig: the character.
        node: whose.
        above: (T, 4) or (4,) its parent to the world, without the reflection (`rig.turn_of`).
        turn: (T, 4) the node to the world.
    """
    parent = rig.parents[node]
    moved = rotation.multiply(above, rotation.conjugate(rig.turn[parent]))
    own = rotation.multiply(turn, rotation.conjugate(rig.turn[node]))
    step = rotation.to_matrix(rotation.multiply(rotation.conjugate(moved), own))
    mirror = rig.world[parent][:3, :3]
    return rotation.multiply(turn_of(np.linalg.inv(mirror) @ step @ mirror), rig.rotation[node])


def _path(root: np.ndarray, fps: float) -> np.ndarray:
    """(T, 3): the horizontal way of the root without its sway."""
    from laban.motion.cleanup import filtered

    return filtered(root, _PATH * fps) * np.array([1.0, 0.0, 1.0])


def _detached(
    stance: Stance, skeleton: Skeleton, world: np.ndarray, root: np.ndarray, unit: float,
    rotations: dict[int, np.ndarray], translations: dict[int, np.ndarray],
) -> dict[int, np.ndarray]:  # fmt: skip
    """Where feet that do not hang on the shin are put: at its end."""
    joints = kinematics.positions(skeleton, world, root)
    nodes = stance.rig.forward(rotations, translations, len(root))
    found = {}
    for side in stance.detached:
        ankle, foot = skeleton.index(f"{side}_ankle"), stance.feet[SIDES.index(side)]
        shift = rotation.rotate(world[:, ankle], np.broadcast_to(foot.node_shift / unit, root.shape))
        place = rotation.rotate(rotation.conjugate(stance.frame), (joints[:, ankle] + shift) * unit)
        node = stance.map.node(f"{side}_ankle")
        above = nodes[:, stance.rig.parents[node]] if stance.rig.parents[node] >= 0 else np.eye(4)[None]
        inverse = np.linalg.inv(above)
        found[node] = np.einsum("tab,tb->ta", inverse[:, :3, :3], place) + inverse[:, :3, 3]
    return found
