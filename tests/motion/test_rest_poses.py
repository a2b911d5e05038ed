"""Rest poses of any kind: the same performance on rigs whose rest pose is bent, twisted, folded or scrambled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from laban.motion import kinematics, rotation
from laban.motion.landmarks import perform
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22

NAMES = HUMANML22.names
INDEX = {name: k for k, name in enumerate(NAMES)}


def about(axis: str, degrees: float | np.ndarray) -> np.ndarray:
    vector = np.zeros((*np.shape(degrees), 3))
    vector[..., "xyz".index(axis)] = np.radians(degrees)
    return rotation.from_axis_angle(vector)


def walker(frames: int = 60, lean: float = 0.0) -> Motion:
    """Someone who walks along +Z, waves the right hand, looks left and right, and leans."""
    t = np.arange(frames) / 20
    turns = np.zeros((frames, 22, 4))
    turns[..., 0] = 1.0
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = 25 * np.sin(2 * np.pi * t) * sign
        turns[:, INDEX[f"{side}_hip"]] = about("x", -swing)
        turns[:, INDEX[f"{side}_knee"]] = about("x", 20 + 15 * np.cos(2 * np.pi * t) * sign)
        turns[:, INDEX[f"{side}_ankle"]] = about("x", -10 + 0 * t)
        turns[:, INDEX[f"{side}_shoulder"]] = rotation.multiply(about("x", swing), about("z", -75 * sign + 0 * t))
        turns[:, INDEX[f"{side}_elbow"]] = about("y", -20 * sign + 0 * t)
    turns[:, INDEX["right_shoulder"]] = rotation.multiply(about("z", 20 + 0 * t), about("x", -70 + 0 * t))
    turns[:, INDEX["right_elbow"]] = about("y", 60 + 20 * np.sin(9 * t))
    turns[:, INDEX["spine1"]] = about("x", lean + 0 * t)
    turns[:, INDEX["head"]] = rotation.multiply(about("y", 30 * np.sin(3 * t)), about("x", 5 * np.sin(2 * t)))
    root = np.stack([0 * t, 0.92 + 0.01 * np.sin(4 * np.pi * t), t], -1)
    skeleton = replace(HUMANML22, names=tuple(f"x:{name}" for name in NAMES))  # not ours, for all that it looks so
    return Motion(skeleton, turns, root, 20.0)


def rested(motion: Motion, frames: dict[str, np.ndarray]) -> Motion:
    """The same motion on a rig whose joints have other frames, so that its zero pose is another.

    Args:
        motion: in its T-pose at rest.
        frames: joint -> (4,), its frame in the T-pose.
    """
    own = np.tile(np.array(rotation.IDENTITY), (22, 1))
    for name, turn in frames.items():
        own[INDEX[name]] = turn
    world = rotation.multiply(kinematics.global_rotations(motion.skeleton, motion.rotations), own)
    parents = [max(p, 0) for p in motion.skeleton.parents]
    offsets = rotation.rotate(rotation.conjugate(own[parents]), motion.skeleton.offsets)
    skeleton = replace(motion.skeleton, offsets=offsets)
    out = replace(motion, skeleton=skeleton, rotations=kinematics.local_rotations(skeleton, world))
    np.testing.assert_allclose(out.joints(), motion.joints(), atol=1e-9)
    return out


def bent(axis: str, degrees: float) -> dict[str, np.ndarray]:
    """Frames of a rig that rests with its spine bent by so much at each of its joints, arms and head with it."""
    found = {}
    for name in NAMES:
        count = {"spine1": 1, "spine2": 2}.get(name, 0 if "hip" in name or name == "pelvis" else 3)
        if any(part in name for part in ("hip", "knee", "ankle", "foot")):
            count = 0
        found[name] = about(axis, -degrees * count)
    return found


FOLDED = {
    name: rotation.multiply(about("z", -90.0), about("y", 90.0)) for name in NAMES if "_" not in name
} | {f"{s}_{n}": about("z", 90.0) for s in ("left", "right") for n in ("hip", "knee", "ankle", "foot")}  # fmt: skip
FOLDED = {name: turn for name, turn in FOLDED.items()} | {
    f"{s}_{n}": about("y", 180.0 if s == "right" else 0.0) for s in ("left", "right")
    for n in ("collar", "shoulder", "elbow", "wrist")
}  # fmt: skip


def scrambled(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rotation.normalise(rng.normal(size=4)) for name in NAMES}


KINDS = {
    "bowed a little": bent("x", 15.0),
    "bowed": bent("x", 30.0),
    "leaning back": bent("x", -25.0),
    "bent aside": bent("z", 25.0),
    "twisted": bent("y", 20.0),
    "twisted back": bent("y", -35.0),
    "folded": FOLDED,
    "folded, with a head of its own": FOLDED | {"head": np.array(rotation.IDENTITY)},
    "folded, with hands rolled": FOLDED | {
        f"{s}_wrist": rotation.multiply(FOLDED[f"{s}_wrist"], about("x", 90.0)) for s in ("left", "right")
    },
    "scrambled": scrambled(0),
    "scrambled 1": scrambled(1),
    "scrambled 2": scrambled(2),
    "scrambled 3": scrambled(3),
    "scrambled 4": scrambled(4),
}  # fmt: skip
WORST = {"wrist": 25.0, "elbow": 25.0, "head": 15.0, "shoulder": 25.0, "hip": 15.0, "knee": 15.0}


@pytest.mark.parametrize("lean", [0.0, 4.0])
@pytest.mark.parametrize("kind", KINDS)
def test_the_rest_pose_does_not_matter(kind: str, lean: float) -> None:
    motion = walker(lean=lean)
    want, got = perform(motion), perform(rested(motion, KINDS[kind]))
    dots = np.abs((want.turns * got.turns).sum(-1)).min(0)
    off = np.degrees(2 * np.arccos(np.clip(dots, 0, 1)))
    for name in NAMES:
        if not name.endswith(("foot", "ankle", "collar")):
            most = next((v for part, v in WORST.items() if name.endswith(part)), 12.0)
            assert off[INDEX[name]] < most, (name, off[INDEX[name]])


def test_a_t_pose_in_the_clip_is_the_rest_pose() -> None:
    motion = walker(lean=4.0)
    still = np.zeros_like(motion.rotations[:1])
    still[..., 0] = 1.0
    motion = replace(motion, rotations=np.concatenate([still, motion.rotations]), root=motion.root[[0, *range(60)]])
    want, got = perform(motion), perform(rested(motion, scrambled(7)))
    dots = np.abs((want.turns * got.turns).sum(-1)).min(0)
    off = np.degrees(2 * np.arccos(np.clip(dots, 0, 1)))
    assert off[[INDEX[n] for n in ("pelvis", "spine3", "head", "left_wrist", "right_wrist", "left_knee")]].max() < 3
