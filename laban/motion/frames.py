"""How a rig's joints are turned when its body stands in the T-pose: what separates their frames from ours.

Most rigs say it by their rest pose. Where that is no person who stands straight (folded, bowed, twisted, scrambled),
the T-pose is worked out from what the rig does: from a frame in which it stands so, or else from the places of its
joints over all frames, which leave only the roll of heads, hands and straight limbs open. Those are taken to be as they
are on the average, and along the axes where the rig is built along axes.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from laban.errors import InputError
from laban.motion import kinematics, rotation, tpose
from laban.motion.anatomy import Mapping, match_motion
from laban.motion.motion import Motion
from laban.motion.retarget import landmarks
from laban.motion.shape import SIDES
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22

NAMES = HUMANML22.names
TRUNK = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")
_STRAIGHT = np.radians(
    18.0
)  # between a rest pose's pelvis or chest and what the places of their joints say, if they stand for one body
_BENT = np.radians(25.0)  # the same of the joints between
_SURE = np.radians((12.0, 30.0))  # off the vertical and the sideways line: who rests within stands, beyond does not
_ROLLED = np.radians(75.0)  # the same of limbs, whose roll the places show worse
_TPOSE = np.cos(np.radians(20.0))  # of the T-pose's directions: a frame that stands so is a T-pose
_UPRIGHT = np.cos(np.radians(30.0))  # of a trunk that may be taken as straight
_USUAL = np.cos(np.radians(25.0))  # of our skeleton's directions: how a straight trunk may be built
_LEAN = np.cos(np.radians(8.0))  # a spine that bends less leans
_OWN = np.radians(50.0)  # from the frame of its limb: a joint has a frame of its own
_ALONG = np.radians((28.0, 12.0))  # of every joint of a chain, and of all on the average: it is built along the axes
_SURELY = np.radians(10.0)  # from the axes: a joint amid a chain has a frame of its own
_BUILT = 0.6  # of the joints within SNAP of the axes: the rig is
_LIMBS = tuple((f"{s}_{a}", f"{s}_{b}", f"{s}_{c}") for s in SIDES for a, b, c in tpose.LIMBS)


def sources(mapping: Mapping) -> dict[str, int]:
    """Canonical name -> joint of the source that turns that part; spine joints from its chain."""
    found = dict(mapping.joints)
    chain = [j for j in mapping.spine if mapping.spine.index(j) <= mapping.spine.index(mapping.chest)]
    if chain:
        found |= {"spine1": chain[0], "spine2": chain[len(chain) // 2], "spine3": chain[-1]}
    return found


def in_tpose(motion: Motion, mapping: Mapping, world: np.ndarray, joints: np.ndarray) -> dict[str, np.ndarray]:
    """The world rotations (4,) of a rig's joints when it stands in the T-pose, by canonical name.

    Args:
        motion: the rig, and what it does; Y up.
        mapping: its joints.
        world: (T, J, 4) their world rotations.
        joints: (T, 22, 3) where the canonical joints are (`retarget.landmarks`).
    """
    source = sources(mapping)
    rest = motion.skeleton.rest()
    known = {name: rest[joint] for name, joint in source.items()}
    means = _means(built(joints), source, world, joints)
    frame = None
    if not _folded(known):
        frame = tpose.frame(known)
        frame = _by_legs(known) if frame is None else frame
    if frame is not None:
        upright = {name: rotation.rotate(frame, place) for name, place in known.items()}
        rests = {name: rotation.multiply(turn, frame) for name, turn in tpose.turns(upright).items()}
        stands = False if _arms_folded(known) else _stands(upright)
        if stands or (stands is None and _agree(rests, means)):
            return rests
        hips = _by_legs(known)
        if _angle(hips, means["pelvis"]) < _STRAIGHT:  # the hips rest as a person's, what is above does not
            pelvis = rotation.multiply(world[:, source["pelvis"]], rotation.conjugate(hips))
            means = _means(built(joints, pelvis), source, world, joints) | {"pelvis": hips}
            if (moment := _tpose_frame(joints)) is None:
                return _limbs(known, _along_axes(means, hips_rest=True), means)
    if (moment := _tpose_frame(joints)) is not None:
        return _at(moment, source, world, joints)
    return _along_axes(means)


def _by_legs(places: dict[str, np.ndarray]) -> np.ndarray:
    """(4,): the rotation that makes legs hang and the left hip lie at +X."""
    hips, ankles = ((places[f"left_{n}"] + places[f"right_{n}"]) / 2 for n in ("hip", "ankle"))
    up, across = rotation.unit(hips - ankles), places["left_hip"] - places["right_hip"]
    left = rotation.unit(across - (across @ up) * up)
    return tpose.snapped(rotation.from_matrix(np.stack([left, up, np.cross(left, up)])))


def _stands(places: dict[str, np.ndarray]) -> bool | None:
    """Whether a rest pose, turned upright, is that of a person who stands straight; None where that is not clear."""
    off = []
    for line in ("hip", "shoulder"):
        way = rotation.unit(places[f"left_{line}"] - places[f"right_{line}"])
        off.append(_off(way, (1.0, 0.0, 0.0)))
    top = places.get("neck", places["head"])
    whole = top - places["pelvis"]
    off.append(_off(whole, (0.0, 1.0, 0.0)))
    chain = [name for name in TRUNK if name in places]
    for a, b in itertools.pairwise(chain):
        way = places[b] - places[a]
        if np.linalg.norm(way) > 0.05 * np.linalg.norm(whole):
            off.append(_off(way, (0.0, 1.0, 0.0)) / (3.0 if b == "head" else 2.0))
    worst = max(off)
    return True if worst < _SURE[0] else (False if worst > _SURE[1] else None)


def _off(way: np.ndarray, axis: tuple[float, float, float]) -> float:
    return float(np.arccos(np.clip(rotation.unit(way) @ np.array(axis), -1.0, 1.0)))


def _agree(rests: dict[str, np.ndarray], means: dict[str, np.ndarray]) -> bool:
    """Whether a rest pose and what the joints do speak of one body."""
    most = {"pelvis": _STRAIGHT, "spine3": _STRAIGHT, "spine1": _BENT, "spine2": _BENT}
    return all(_angle(rests[name], means[name]) < limit for name, limit in most.items() if name in rests)


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * np.arccos(min(1.0, abs(float(a @ b)))))


def standing(motion: Motion) -> np.ndarray | None:
    """The T-pose of a rig whose own rest pose is no person's, from what it does.

    Returns: (J, 4) joint to parent; None where the rest pose will do, or no person is recognised.
    """
    try:
        mapping = match_motion(motion)
    except InputError:
        return None
    rest = motion.skeleton.rest()
    known = {name: rest[joint] for name, joint in sources(mapping).items()}
    if not _folded(known) and not _arms_folded(known):
        frame = tpose.frame(known)
        if frame is not None and _stands({n: rotation.rotate(frame, p) for n, p in known.items()}) is not False:
            return None
    world = kinematics.global_rotations(motion.skeleton, motion.rotations)
    places = landmarks(motion)
    owns = in_tpose(motion, mapping, world, np.stack([places[name] for name in NAMES], 1))
    by_joint = {joint: owns[name] for name, joint in sources(mapping).items()}
    turns = np.zeros((len(motion.skeleton), 4))
    for joint, parent in enumerate(motion.skeleton.parents):
        local = tpose.mean(motion.rotations[:, joint])
        turns[joint] = by_joint.get(joint, rotation.multiply(turns[parent], local) if parent >= 0 else local)
    return kinematics.local_rotations(motion.skeleton, turns)


def _means(body: Skeleton, source: dict[str, int], world: np.ndarray, joints: np.ndarray) -> dict[str, np.ndarray]:
    """The joints' rotations in the T-pose, on the average over all frames, if that is how the body is built."""
    fitted, _ = kinematics.fit(body, joints)
    seen = kinematics.global_rotations(body, fitted)
    return {
        name: tpose.mean(rotation.multiply(rotation.conjugate(seen[:, NAMES.index(name)]), world[:, joint]))
        for name, joint in source.items()
    }  # fmt: skip


def built(joints: np.ndarray, pelvis: np.ndarray | None = None) -> Skeleton:
    """Our skeleton with a trunk as this body's is when it stands straightest.

    Args:
        joints: (T, 22, 3).
        pelvis: (T, 4) its turns away from the T-pose, where they are known; else the upright frames tell.
    """
    of = {name: joints[:, NAMES.index(name)] for name in NAMES}
    up = np.broadcast_to([0.0, 1.0, 0.0], of["pelvis"].shape)
    trunk = rotation.unit(of["head"] - of["pelvis"])
    if pelvis is not None:
        up = rotation.rotate(pelvis, up)
    upright = (trunk * up).sum(-1)
    straight = upright >= float(np.percentile(upright, 75))
    if upright.max() < _UPRIGHT:  # who never stands is straight along their own trunk
        up = trunk
    found: dict[str, np.ndarray] = {}
    for joint, name in enumerate(NAMES):
        parent = NAMES[max(HUMANML22.parents[joint], 0)]
        if parent not in TRUNK or joint == 0:
            continue
        line = "hip" if parent in ("pelvis", "spine1", "spine2") else "shoulder"
        left = of[f"left_{line}"] - of[f"right_{line}"]
        left = rotation.unit(left - (left * up).sum(-1, keepdims=True) * up)
        ahead = rotation.cross(left, up)
        way = rotation.unit(of[name] - of[parent])
        mean = np.stack([(way * axis).sum(-1)[straight].mean() for axis in (left, up, ahead)])
        found[name] = rotation.unit(mean * (0.0, 1.0, 1.0) if name in TRUNK else mean)
        if np.linalg.norm(found[name]) < 0.5:  # joints in one place
            found[name] = rotation.unit(HUMANML22.offsets[joint])
    _straighten(found)
    offsets = HUMANML22.offsets.copy()
    for name, way in found.items():
        joint = NAMES.index(name)
        branches = NAMES[HUMANML22.parents[joint]] in ("pelvis", "spine3")  # where their children lie differs most
        if branches or way @ rotation.unit(offsets[joint]) > _USUAL:
            offsets[joint] = way * np.linalg.norm(offsets[joint])
    return replace(HUMANML22, offsets=offsets)


def _straighten(ways: dict[str, np.ndarray]) -> None:
    """Turns what is above the lowest joint of the spine, in place, so that a spine that leans a little does not.

    How far a body leans and how its spine is curved look alike; a small bend is taken for a lean.
    """
    low, high = ways["spine1"], rotation.unit(ways["spine2"] + ways["spine3"])
    if low @ high < _LEAN:
        return
    turn = rotation.between(high, low)
    for name, way in ways.items():
        if not name.endswith("hip") and name != "spine1":
            ways[name] = rotation.rotate(turn, way)


def _folded(places: dict[str, np.ndarray]) -> bool:
    """Whether a rest pose is no pose of a person: legs that do not hang side by side below the hips."""
    if "head" not in places or np.linalg.norm(places["left_hip"] - places["left_ankle"]) < 1e-6:
        return True
    left = rotation.unit(places["left_hip"] - places["right_hip"])
    legs = [rotation.unit(places[f"{s}_ankle"] - places[f"{s}_hip"]) for s in SIDES]
    thighs = [rotation.unit(places[f"{s}_knee"] - places[f"{s}_hip"]) for s in SIDES]
    along = max(abs(float(leg @ left)) for leg in legs)
    return bool(thighs[0] @ thighs[1] < 0.5 or legs[0] @ legs[1] < 0.5 or along > 0.7)


def _arms_folded(places: dict[str, np.ndarray]) -> bool:
    """Whether the left arm is not on the left of the hips."""
    left = rotation.unit(places["left_hip"] - places["right_hip"])
    return bool(left @ rotation.unit(places["left_wrist"] - places["right_wrist"]) < 0.5)


def _tpose_frame(joints: np.ndarray) -> int | None:
    """The frame that stands most like a T-pose, if one does: arms out, legs down, trunk up."""
    heading = _headings(joints)
    worst = np.ones(len(joints))
    bones = [*((a, b) for limb in _LIMBS for a, b in itertools.pairwise(limb)), ("pelvis", "neck")]
    for a, b in bones:
        way = rotation.rotate(heading, joints[:, NAMES.index(b)] - joints[:, NAMES.index(a)])
        want = tpose.direction(a, b) if b != "neck" else np.array([0.0, 1.0, 0.0])
        worst = np.minimum(worst, (rotation.unit(way) * want).sum(-1))
    best = int(worst.argmax())
    return best if worst[best] > _TPOSE else None


def _headings(joints: np.ndarray) -> np.ndarray:
    """(T, 4): the turns about Y that make the hips face +Z."""
    left = joints[:, NAMES.index("left_hip")] - joints[:, NAMES.index("right_hip")]
    return rotation.yaw(-np.arctan2(-left[:, 2], left[:, 0]))


def _at(moment: int, source: dict[str, int], world: np.ndarray, joints: np.ndarray) -> dict[str, np.ndarray]:
    """The joints' rotations in the T-pose, from a frame that nearly is one."""
    heading = _headings(joints)[moment]
    places = {name: rotation.rotate(heading, joints[moment, NAMES.index(name)]) for name in NAMES}
    turns = tpose.turns(places)
    return {
        name: rotation.multiply(turns[name], rotation.multiply(heading, world[moment, joint]))
        for name, joint in source.items()
    }  # fmt: skip


def _along_axes(means: dict[str, np.ndarray], *, hips_rest: bool = False) -> dict[str, np.ndarray]:
    """Frames that are known to some degrees, put along the axes where the rig is built so; each joint has its own.

    Args:
        means: canonical name -> (4,).
        hips_rest: the rest pose is a person's but for the trunk, whose frames must then be nearer to the axes.
    """
    snapped = {name: tpose.snapped(turn) for name, turn in means.items()}
    near = [name for name in means if not name.endswith(("ankle", "foot"))]
    built = sum(tpose.on_axes(snapped[name]) for name in near) >= _BUILT * len(near)
    out = dict(means)
    for chain in (TRUNK[:1], TRUNK[1:], *_LIMBS):
        there = [name for name in chain if name in means and not name.endswith("ankle")]
        firm = [name for name in there if name not in ("neck", "head") and not name.endswith("wrist")]
        bases = [tuple(snapped[name]) for name in firm if tpose.on_axes(snapped[name])]
        off = [_angle(means[name], tpose.snapped(means[name], np.pi)) for name in firm]
        if built and not hips_rest:
            off = off[:1]  # the nearest to the trunk is the surest
        if (
            not bases
            or (not built and len(set(bases)) > 1)
            or max(off) > _ALONG[0]
            or (len(off) > 1 and np.mean(off) > _ALONG[1])
        ):
            continue
        base = np.array(bases[0])
        for name in there:  # a joint has a frame of its own if it is far from that of its limb
            sure = tpose.SNAP if name in ("head", there[-1]) else _SURELY
            own = _angle(means[name], base) > _OWN and _angle(means[name], tpose.snapped(means[name], np.pi)) < sure
            out[name] = snapped[name] if own else base
    return out


def _limbs(
    known: dict[str, np.ndarray], owns: dict[str, np.ndarray], means: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """The same with limbs from the rest pose where only its trunk is none of a person's.

    Args:
        known: places at rest, by name.
        owns: rotations in the T-pose, by name, from the places of all frames.
        means: the same before they were put along the axes.
    """
    out = dict(owns)
    for limb in _LIMBS:
        side = limb[0].partition("_")[0]
        arm = limb[0].endswith("shoulder")
        base = next(n for n in ((f"{side}_collar", "spine3", "pelvis") if arm else ("pelvis",)) if n in owns)
        above, turns = owns[base], {}
        for a, b in itertools.pairwise(limb):
            way = rotation.unit(rotation.rotate(above, known[b] - known[a]))
            if way @ tpose.direction(a, b) < -0.5:
                break
            above = rotation.multiply(rotation.between(way, tpose.direction(a, b)), above)
            turns[a] = above
        else:
            turns[limb[2]] = above if arm else owns["pelvis"]
            if (
                all(_angle(turns[name], means[name]) < _ROLLED for name in limb[:2])
                and _angle(turns[limb[2]], means[limb[2]]) < _ROLLED
            ):
                out |= turns
    return out
