"""Any humanoid onto the 22 joints of HumanML3D (or another built-in skeleton), from where its joints are.

Angles are never carried over, since the zero poses and bone axes of rigs differ without end. The source's joints
are placed by forward kinematics, named by `laban.motion.anatomy`, scaled by the ratio of leg lengths, and followed
by `kinematics.fit`, which keeps every bone of the target rigid; then the legs are bent until the feet stand where
the scaled source's feet stand, so that what was planted stays planted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from laban.errors import InputError
from laban.motion import kinematics, rotation
from laban.motion.anatomy import Mapping, match_motion
from laban.motion.legs import SIDES, bend, sink
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22, KIT21, SMPL24

_CONTACT = 0.05  # metres above its own 5th percentile: below this an ankle is taken to carry weight


def retarget(motion: Motion, skeleton: Skeleton = HUMANML22) -> Motion:
    """Put a humanoid's motion onto a built-in skeleton.

    Args:
        motion: a humanoid with joints that `anatomy.match` knows; Y up.
        skeleton: HUMANML22, SMPL24 or KIT21, or one of these trees with other bone lengths.
    Returns: Motion with the skeleton's exact bone lengths, the same frames, fps, segments and passport. World size
        is scaled by target leg / source leg, so the path scales with the body. Bone directions are the source's
        where the target's rigid torso allows; toes stand at the scaled source's toes when the foot is level, and
        turn about them when the heel rises.
    Raises: InputError if joints are not recognised (it lists them) or a limb has no length.
    """
    if motion.skeleton == skeleton:
        return motion
    target = _tree(skeleton)
    joints = landmarks(motion)
    source_legs = [_leg(joints, side) for side in ("left", "right")]
    if min(source_legs) < 1e-4:
        raise InputError(f"retarget: a leg of {motion.skeleton.name!r} has no length; a body was expected.")
    legs = [skeleton.lengths[[skeleton.index(f"{s}_knee"), skeleton.index(f"{s}_ankle")]].sum() for s in SIDES]
    scale = float(np.sum(legs) / np.sum(source_legs))
    places = {name: place * scale for name, place in joints.items()}
    rotations, root = kinematics.fit(skeleton, target(places))
    rotations, root = _plant(skeleton, rotations, root, places, motion.fps)
    return replace(motion, skeleton=skeleton, rotations=rotation.continuous(rotations), root=root)


def _leg(joints: dict[str, np.ndarray], side: str) -> float:
    hip, knee, ankle = (joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
    lengths = np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)
    return float(np.median(lengths))


def landmarks(motion: Motion) -> dict[str, np.ndarray]:
    """The 22 joints of a humanoid under their HumanML3D names, each (T, 3) metres, world.

    Spine joints, neck, collars and toes that the rig lacks are made from their neighbours.
    Raises: InputError if joints are not recognised or the trunk has no length.
    """
    mapping = match_motion(motion)
    world = kinematics.global_rotations(motion.skeleton, motion.rotations)
    joints = kinematics.positions(motion.skeleton, world, motion.root)
    out = {name: joints[:, joint] for name, joint in mapping.joints.items()}
    chest = joints[:, mapping.chest]
    if "neck" not in out:
        out["neck"] = chest + 0.68 * (out["head"] - chest)
    out.update(_spine(mapping, joints, out["neck"]))
    for side in SIDES:
        if f"{side}_collar" not in out:
            out[f"{side}_collar"] = out["spine3"] + 0.3 * (out[f"{side}_shoulder"] - out["spine3"])
            out[f"{side}_collar"][:, 1] += 0.3 * (out["neck"] - out["spine3"])[:, 1]
    for side in SIDES:
        ankle = out[f"{side}_ankle"]
        toe = out.get(f"{side}_foot")
        if toe is None or np.linalg.norm(toe - ankle, axis=-1).max() < 0.02:
            out[f"{side}_foot"] = ankle + _made_toe(out, world[:, mapping.joints[f"{side}_ankle"]], side)
    return out


def _spine(mapping: Mapping, joints: np.ndarray, neck: np.ndarray) -> dict[str, np.ndarray]:
    """spine1, spine2, spine3 from whatever lies between pelvis and neck."""
    pelvis = joints[:, mapping.joints["pelvis"]]
    chain = [pelvis]
    height = float(np.median(np.linalg.norm(neck - pelvis, axis=-1)))
    if height < 1e-6:
        raise InputError("retarget: pelvis and neck are in the same place; a body was expected.")
    inner = [j for j in mapping.spine if mapping.spine.index(j) <= mapping.spine.index(mapping.chest)]
    for joint in inner:
        if np.median(np.linalg.norm(joints[:, joint] - chain[-1], axis=-1)) > 0.03 * height:  # not a doubled joint
            chain.append(joints[:, joint])
    if len(chain) == 4:
        return {"spine1": chain[1], "spine2": chain[2], "spine3": chain[3]}
    if len(chain) < 3:  # one joint or none: HumanML3D's shares of the way up
        chest = chain[1] if len(chain) == 2 else pelvis + 0.6 * (neck - pelvis)
        share = float(np.median(np.linalg.norm(chest - pelvis, axis=-1))) / height
        if share > 0.5:
            first, last = pelvis + 0.4 * (chest - pelvis), chest
        else:
            first, last = chest, chest + 0.5 * (neck - chest)
        return {"spine1": first, "spine2": first + 0.7 * (last - first), "spine3": last}
    return {"spine1": chain[1], "spine2": _along(chain[1:], 0.7), "spine3": chain[-1]}


def _along(points: list[np.ndarray], share: float) -> np.ndarray:
    """(T, 3): the point at `share` of the way along a line of joints, by their median distances."""
    lengths = [float(np.median(np.linalg.norm(b - a, axis=-1))) for a, b in zip(points, points[1:], strict=False)]
    way = share * sum(lengths)
    for a, b, length in zip(points, points[1:], lengths, strict=False):
        if way <= length:
            return a + way / max(length, 1e-9) * (b - a)
        way -= length
    return points[-1]


def _made_toe(joints: dict[str, np.ndarray], ankle_world: np.ndarray, side: str) -> np.ndarray:
    """(T, 3) from ankle to toe for a rig without toes: fixed to the ankle joint, forward and down on the average."""
    across = joints["left_hip"] - joints["right_hip"]
    forward = rotation.unit(rotation.cross(across, np.broadcast_to([0.0, 1.0, 0.0], across.shape)))
    wish = forward * 0.9 + np.array([0.0, -0.42, 0.0])
    local = rotation.unit(rotation.rotate(rotation.conjugate(ankle_world), wish).mean(0))
    return rotation.rotate(ankle_world, np.broadcast_to(local, wish.shape)) * 0.17 * _leg(joints, side)


def _tree(skeleton: Skeleton) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """A function that stacks landmarks as (T, J, 3) in the order of a known tree."""
    for known in (HUMANML22, SMPL24, KIT21):
        if skeleton.same_tree(known):
            return lambda places, known=known: np.stack([_place(known, n, places) for n in known.names], 1)  # type: ignore[misc]
    raise InputError(
        f"retarget: {skeleton.name!r} is not a tree to retarget onto; use HUMANML22, SMPL24 or KIT21 (other bone "
        "lengths are fine)."
    )


def _place(known: Skeleton, name: str, places: dict[str, np.ndarray]) -> np.ndarray:
    side, _, base = name.partition("_")
    if known is SMPL24 and base == "hand":
        elbow, wrist = places[f"{side}_elbow"], places[f"{side}_wrist"]
        return wrist + 0.3 * (wrist - elbow)
    if known is KIT21:
        if name == "spine2":
            return places["spine3"]
        if base == "foot":  # KIT's foot is under the ankle's front, its toe at HumanML3D's foot
            return places[f"{side}_ankle"] + 0.5 * (places[f"{side}_foot"] - places[f"{side}_ankle"])
        if base == "toe":
            return places[f"{side}_foot"]
    return places[name]


def _plant(
    skeleton: Skeleton, rotations: np.ndarray, root: np.ndarray, places: dict[str, np.ndarray], fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Move the root to the scaled hips and bend the legs so that the feet stand where the source's stand."""
    world = kinematics.global_rotations(skeleton, rotations)
    joints = kinematics.positions(skeleton, world, root)
    hips = [skeleton.index(f"{side}_hip") for side in SIDES]
    middle = (places["left_hip"] + places["right_hip"]) / 2
    root = root + middle - joints[:, hips].mean(1)
    hip_places = joints[:, hips] + (root - joints[:, 0])[:, None]
    ankles, lift = _ankles(skeleton, places)
    root = root + lift
    hip_places = hip_places + lift
    drop = sink(skeleton, hip_places, ankles, fps)
    root = root - drop[:, None] * np.array([0.0, 1.0, 0.0])
    hip_places = hip_places - drop[:, None, None] * np.array([0.0, 1.0, 0.0])
    for number, side in enumerate(SIDES):
        leg = [places[f"{side}_{name}"] for name in ("hip", "knee", "ankle")]
        bend(skeleton, world, side, hip_places[:, number], ankles[:, number], leg)
    return kinematics.local_rotations(skeleton, world), root


def _ankles(skeleton: Skeleton, places: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Where the target's ankles shall be, (T, 2, 3), and how far the whole body is lifted, (3,).

    The target's foot is longer or shorter than the scaled source's. If the ankles were put onto the source's, a toe
    that stands while the heel rises would slide. So the toe is what is placed: at the source's toe, moved forward by
    the difference of the lengths along the foot as it lies on the floor. On a level foot the ankle then stands over
    the source's ankle, and on a rising one it turns about a toe at rest.
    """
    out, lifts = [], []
    for side in SIDES:
        ankle, toe = places[f"{side}_ankle"], places[f"{side}_foot"]
        foot = toe - ankle
        direction = rotation.unit(foot)
        length = float(np.median(np.linalg.norm(foot, axis=-1)))
        own = skeleton.lengths[_toe(skeleton, side)]
        if skeleton.same_tree(KIT21):
            own += skeleton.lengths[skeleton.index(f"{side}_foot")]
        low = ankle[:, 1] < np.percentile(ankle[:, 1], 5) + _CONTACT
        slope = float(np.median(direction[low, 1]))
        level = _heading(direction, places) * np.sqrt(max(0.0, 1 - slope * slope)) + np.array([0.0, slope, 0.0])
        shift = (own - length) * level
        lifts.append(-shift[0, 1])
        shift[:, 1] = 0.0
        out.append(toe + shift - own * direction)
    return np.stack(out, 1), np.array([0.0, float(np.mean(lifts)), 0.0])


def _toe(skeleton: Skeleton, side: str) -> int:
    return skeleton.index(f"{side}_toe" if skeleton.same_tree(KIT21) else f"{side}_foot")


def _heading(direction: np.ndarray, places: dict[str, np.ndarray]) -> np.ndarray:
    """(T, 3) horizontal unit vectors along the foot; where it points up or down, between its neighbours in time."""
    flat = direction * np.array([1.0, 0.0, 1.0])
    sure = np.linalg.norm(flat, axis=-1) > 0.5
    if not sure.any():
        across = places["left_hip"] - places["right_hip"]
        return rotation.unit(rotation.cross(across, np.broadcast_to([0.0, 1.0, 0.0], across.shape)))
    angle = np.unwrap(np.arctan2(flat[sure, 0], flat[sure, 2]))
    angle = np.interp(np.arange(len(flat)), np.flatnonzero(sure), angle)
    return np.stack([np.sin(angle), np.zeros(len(flat)), np.cos(angle)], -1)
