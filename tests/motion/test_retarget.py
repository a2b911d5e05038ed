"""Retargeting: names of many rigs, exact bones, planted feet, sides; made rigs and real files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from laban.errors import InputError
from laban.io import bvh
from laban.motion import kinematics, rotation
from laban.motion.anatomy import match
from laban.motion.joint_names import part
from laban.motion.motion import Motion, Segment
from laban.motion.retarget import landmarks, retarget
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22, KIT21, SMPL24

# One chain per line of a rig, `@` stands for the side. What each rig calls the 22 joints (spine apart) is below it.
RIGS = {
    "bandai": (
        "Hips Spine Chest Neck Head; Chest Shoulder_@ UpperArm_@ LowerArm_@ Hand_@; "
        "Hips UpperLeg_@ LowerLeg_@ Foot_@ Toes_@",
        "L R",
        "UpperLeg_@ LowerLeg_@ Foot_@ Toes_@ Shoulder_@ UpperArm_@ LowerArm_@ Hand_@",
    ),
    "cgspeed": (
        "hip abdomen chest neck head leftEye; chest @Collar @Shldr @ForeArm @Hand @Thumb1; "
        "hip @Buttock @Thigh @Shin @Foot @Foot_end",
        "l r",
        "@Thigh @Shin @Foot @Foot_end @Collar @Shldr @ForeArm @Hand",
    ),
    "mixamo": (
        "mixamorig:Hips mixamorig:Spine mixamorig:Spine1 mixamorig:Spine2 mixamorig:Neck mixamorig:Head "
        "mixamorig:HeadTop_End; mixamorig:Spine2 mixamorig:@Shoulder mixamorig:@Arm mixamorig:@ForeArm mixamorig:@Hand "
        "mixamorig:@HandThumb1; mixamorig:Hips mixamorig:@UpLeg mixamorig:@Leg mixamorig:@Foot mixamorig:@ToeBase",
        "Left Right",
        "mixamorig:@UpLeg mixamorig:@Leg mixamorig:@Foot mixamorig:@ToeBase mixamorig:@Shoulder mixamorig:@Arm "
        "mixamorig:@ForeArm mixamorig:@Hand",
    ),
    "mixamo without prefix": (
        "Hips Spine Spine1 Spine2 Neck Head; Spine2 @Shoulder @Arm @ForeArm @Hand; Hips @UpLeg @Leg @Foot @ToeBase",
        "Left Right",
        "@UpLeg @Leg @Foot @ToeBase @Shoulder @Arm @ForeArm @Hand",
    ),
    "mixamo in capitals": (
        "HIPS SPINE SPINE1 SPINE2 NECK HEAD; SPINE2 @SHOULDER @ARM @FOREARM @HAND; HIPS @UPLEG @LEG @FOOT @TOEBASE",
        "LEFT RIGHT",
        "@UPLEG @LEG @FOOT @TOEBASE @SHOULDER @ARM @FOREARM @HAND",
    ),
    "humanml": (
        "pelvis spine1 spine2 spine3 neck head; spine3 @_collar @_shoulder @_elbow @_wrist; "
        "pelvis @_hip @_knee @_ankle @_foot",
        "left right",
        "@_hip @_knee @_ankle @_foot @_collar @_shoulder @_elbow @_wrist",
    ),
    "smpl": (
        "Pelvis Spine1 Spine2 Spine3 Neck Head; Spine3 @_Collar @_Shoulder @_Elbow @_Wrist @_Hand; "
        "Pelvis @_Hip @_Knee @_Ankle @_Foot",
        "L R",
        "@_Hip @_Knee @_Ankle @_Foot @_Collar @_Shoulder @_Elbow @_Wrist",
    ),
    "unreal": (
        "root pelvis spine_01 spine_02 spine_03 neck_01 head; spine_03 clavicle_@ upperarm_@ lowerarm_@ hand_@; "
        "upperarm_@ upperarm_twist_01_@; pelvis thigh_@ calf_@ foot_@ ball_@; root ik_foot_root ik_foot_@",
        "l r",
        "thigh_@ calf_@ foot_@ ball_@ clavicle_@ upperarm_@ lowerarm_@ hand_@",
    ),
    "biped": (
        "Bip01,Bip01 Pelvis,Bip01 Spine,Bip01 Spine1,Bip01 Neck,Bip01 Head;"
        "Bip01 Neck,Bip01 @ Clavicle,Bip01 @ UpperArm,Bip01 @ Forearm,Bip01 @ Hand;"
        "Bip01 Spine,Bip01 @ Thigh,Bip01 @ Calf,Bip01 @ Foot,Bip01 @ Toe0",
        "L R",
        "Bip01 @ Thigh,Bip01 @ Calf,Bip01 @ Foot,Bip01 @ Toe0,Bip01 @ Clavicle,Bip01 @ UpperArm,Bip01 @ Forearm,"
        "Bip01 @ Hand",
    ),
    "biovision": (
        "Hips Chest Neck Head; Chest @Collar @Shoulder @Elbow @Wrist; Hips @Hip @Knee @Ankle @Ankle_end",
        "Left Right",
        "@Hip @Knee @Ankle @Ankle_end @Collar @Shoulder @Elbow @Wrist",
    ),
    "asf": (
        "root lowerback upperback thorax lowerneck upperneck head; thorax @clavicle @humerus @radius @wrist @hand; "
        "root @hipjoint @femur @tibia @foot @toes",
        "l r",
        "@femur @tibia @foot @toes @clavicle @humerus @radius @wrist",
    ),
    "vrm": (
        "J_Bip_C_Hips J_Bip_C_Spine J_Bip_C_Chest J_Bip_C_UpperChest J_Bip_C_Neck J_Bip_C_Head; J_Bip_C_UpperChest "
        "J_Bip_@_Shoulder J_Bip_@_UpperArm J_Bip_@_LowerArm J_Bip_@_Hand; "
        "J_Bip_C_Hips J_Bip_@_UpperLeg J_Bip_@_LowerLeg J_Bip_@_Foot J_Bip_@_ToeBase",
        "L R",
        "J_Bip_@_UpperLeg J_Bip_@_LowerLeg J_Bip_@_Foot J_Bip_@_ToeBase J_Bip_@_Shoulder J_Bip_@_UpperArm "
        "J_Bip_@_LowerArm J_Bip_@_Hand",
    ),
    "xsens": (
        "Pelvis L5 L3 T12 T8 Neck Head; T8 @Shoulder @UpperArm @ForeArm @Hand; Pelvis @UpperLeg @LowerLeg @Foot @Toe",
        "Left Right",
        "@UpperLeg @LowerLeg @Foot @Toe @Shoulder @UpperArm @ForeArm @Hand",
    ),
    "rigify": (
        "DEF-spine DEF-spine.001 DEF-spine.002 DEF-spine.003 DEF-neck DEF-head; DEF-spine.003 DEF-shoulder.@ "
        "DEF-upper_arm.@ DEF-forearm.@ DEF-hand.@; DEF-spine DEF-thigh.@ DEF-shin.@ DEF-foot.@ DEF-toe.@",
        "L R",
        "DEF-thigh.@ DEF-shin.@ DEF-foot.@ DEF-toe.@ DEF-shoulder.@ DEF-upper_arm.@ DEF-forearm.@ DEF-hand.@",
    ),
    "daz": (
        "hip pelvis @ThighBend @ThighTwist @Shin @Foot @Metatarsals @Toe; hip abdomenLower abdomenUpper chestLower "
        "chestUpper neckLower neckUpper head; chestUpper @Collar @ShldrBend @ShldrTwist @ForearmBend @ForearmTwist "
        "@Hand",
        "l r",
        "@ThighBend @Shin @Foot @Toe @Collar @ShldrBend @ForearmBend @Hand",
    ),
    "quaternius": (
        "Bone Hips Abdomen Torso Chest Neck Head; Chest Shoulder.@ UpperArm.@ LowerArm.@ Hand.@; "
        "Hips UpperLeg.@ LowerLeg.@ Foot.@ Foot.@_end",
        "L R",
        "UpperLeg.@ LowerLeg.@ Foot.@ Foot.@_end Shoulder.@ UpperArm.@ LowerArm.@ Hand.@",
    ),
}
SIDED = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")
FEET = [HUMANML22.index(n) for n in ("left_ankle", "right_ankle", "left_foot", "right_foot")]


def words(chain: str) -> list[str]:
    return [w.strip() for w in (chain.split(",") if "," in chain else chain.split())]


def tree(rig: str) -> tuple[list[str], list[int]]:
    names: list[str] = []
    parents: list[int] = []
    chains, sides, _ = RIGS[rig]
    for side in sides.split()[::-1]:  # right first: order must not matter
        for chain in chains.split(";"):
            links = [w.replace("@", side) for w in words(chain)]
            for place, name in enumerate(links):
                if name not in names:
                    names.append(name)
                    parents.append(names.index(links[place - 1]) if place else -1)
    return names, parents


@pytest.mark.parametrize("rig", RIGS)
def test_names_of_rigs(rig):
    names, parents = tree(rig)
    found = match(Skeleton(rig, tuple(names), tuple(parents), np.zeros((len(names), 3))))
    for word, side in zip(RIGS[rig][1].split(), ("left", "right"), strict=True):
        expected = [n.replace("@", word) for n in words(RIGS[rig][2])]
        assert [names[found.joints[f"{side}_{target}"]] for target in SIDED] == expected
    assert part(names[found.joints["head"]])[1] == "head" or names[found.joints["head"]].lower().endswith("head")
    assert found.spine and found.chest in found.spine


def test_part_takes_names_apart():
    assert part("mixamorig:LeftUpLeg") == ("left", "upleg")
    assert part("thigh_r") == ("right", "thigh")
    assert part("Bip001 L Toe0") == ("left", "toe0")
    assert part("lThighBend") == ("left", "thighbend")
    assert part("RightEye") == ("right", "eye")


def test_what_cannot_be_matched_is_listed(moving):
    names = ("Hips", "Spine", "Neck", "Head", "LeftUpLeg", "tail_01")
    skeleton = Skeleton("cat", names, (-1, 0, 1, 2, 0, 0), np.ones((6, 3)))
    motion = Motion(skeleton, np.tile([1.0, 0, 0, 0], (2, 6, 1)), np.zeros((2, 3)), 30)
    with pytest.raises(InputError) as caught:
        retarget(motion)
    message = str(caught.value)
    for word in ("'cat'", "left_knee", "right_hip", "right_wrist", "tail_01", "LeftUpLeg"):
        assert word in message
    assert "left_hip" not in message and "\n" not in message
    with pytest.raises(InputError, match="is not a tree to retarget onto"):
        retarget(moving, skeleton)


@pytest.fixture(scope="module")
def moving(walk) -> Motion:
    return Motion(HUMANML22, *walk, 20.0)


def as_rig(motion: Motion, names: dict[str, str], seed: int = 0, scale: float = 1.0) -> Motion:
    """The same movement on a rig with other names, other bone axes and another zero pose."""
    rng = np.random.default_rng(seed)
    basis = rotation.normalise(rng.normal(size=(len(motion.skeleton), 4)))
    world = kinematics.global_rotations(motion.skeleton, motion.rotations)
    turned = rotation.multiply(world, np.broadcast_to(basis, world.shape))
    parents = motion.skeleton.parents
    offsets = motion.skeleton.offsets.copy()
    for joint in range(1, len(offsets)):
        offsets[joint] = rotation.rotate(rotation.conjugate(basis[parents[joint]]), offsets[joint])
    rig = Skeleton(
        "rig", tuple(names.get(n, n) for n in motion.skeleton.names), parents, offsets * scale
    )  # fmt: skip
    return Motion(rig, kinematics.local_rotations(rig, turned), motion.root * scale, motion.fps)


MIXAMO = {"pelvis": "mixamorig:Hips", "spine1": "mixamorig:Spine", "spine2": "mixamorig:Spine1"} | {
    "spine3": "mixamorig:Spine2", "neck": "mixamorig:Neck", "head": "mixamorig:Head",
} | {
    f"{side}_{ours}": f"mixamorig:{side.title()}{theirs}"
    for side in ("left", "right")
    for ours, theirs in zip(
        SIDED, ("UpLeg", "Leg", "Foot", "ToeBase", "Shoulder", "Arm", "ForeArm", "Hand"), strict=True
    )
}  # fmt: skip


@pytest.mark.parametrize("scale", [1.0, 0.6, 1.7])
def test_a_rig_with_other_axes_gives_the_movement_back(moving, scale):
    motion = moving
    got = retarget(as_rig(motion, MIXAMO, scale=scale))
    assert got.skeleton is HUMANML22 and got.fps == motion.fps
    error = np.abs(got.joints() - motion.joints())
    assert error.max() < 5e-3
    assert error[:, FEET].max() < 5e-4


def test_its_own_skeleton_passes_through(moving):
    motion = moving
    assert retarget(motion) is motion


def test_segments_and_passport_stay(moving):
    motion = as_rig(moving, MIXAMO)
    motion = Motion(motion.skeleton, motion.rotations, motion.root, 20, (Segment("walks", 0, 3),), {"seed": 1})
    got = retarget(motion)
    assert got.segments == motion.segments and got.passport == {"seed": 1}


def lengths(motion: Motion) -> np.ndarray:
    joints = motion.joints()
    return np.linalg.norm(joints[:, 1:] - joints[:, list(motion.skeleton.parents[1:])], axis=-1)


@pytest.mark.parametrize("target", [HUMANML22, SMPL24, KIT21], ids=lambda s: s.name)
def test_bones_are_exact_on_every_target(moving, target):
    got = retarget(as_rig(moving, MIXAMO, scale=1.3), target)
    assert np.abs(lengths(got) - target.lengths[1:]).max() < 1e-9
    joints = got.joints()
    source = moving.joints()
    for name in ("left_knee", "right_ankle", "left_wrist", "head"):
        assert np.abs(joints[:, target.index(name)] - source[:, HUMANML22.index(name)]).max() < 0.12


def proportions(**factors: float) -> Skeleton:
    offsets = HUMANML22.offsets.copy()
    for name, factor in factors.items():
        for side in ("left", "right"):
            offsets[HUMANML22.index(f"{side}_{name}")] *= factor
    return Skeleton("odd", HUMANML22.names, HUMANML22.parents, offsets)


def squat(skeleton: Skeleton, lift: float = 0.0) -> Motion:
    """Both toes nailed to the floor while the hips go down and up and the heels rise by `lift` radians."""
    frames = 60
    t = np.linspace(0, 2 * np.pi, frames)
    joints = np.tile(skeleton.rest(), (frames, 1, 1))
    toes = joints[:, [10, 11]].copy()
    bend = 0.3 * (1 - np.cos(t)) / 2
    joints[:, :, 1] -= bend[:, None] + 0.02
    heel = lift * (1 - np.cos(t)) / 2
    for knee, ankle, toe, hip in ((4, 7, 10, 1), (5, 8, 11, 2)):
        pitch = rotation.from_axis_angle(np.stack([heel, 0 * t, 0 * t], -1))
        foot = rotation.rotate(pitch, np.broadcast_to(skeleton.offsets[toe], (frames, 3)))
        joints[:, toe] = toes[:, toe - 10]
        joints[:, ankle] = joints[:, toe] - foot
        way = joints[:, ankle] - joints[:, hip]
        reach = np.linalg.norm(way, axis=-1, keepdims=True)
        a, b = skeleton.lengths[knee], skeleton.lengths[ankle]
        along = (a * a - b * b + reach**2) / (2 * reach)
        line = way / reach
        forward = np.array([0, 0, 1.0]) - line * line[:, 2:]
        forward /= np.linalg.norm(forward, axis=-1, keepdims=True)
        joints[:, knee] = joints[:, hip] + along * line + np.sqrt(np.maximum(a * a - along**2, 0)) * forward
    motion = Motion.from_joints(joints, 30, skeleton)
    assert np.abs(motion.joints()[:, [10, 11]] - toes).max() < 2e-3
    return motion


@pytest.mark.parametrize("lift", [0.0, 0.8])
@pytest.mark.parametrize(
    "odd",
    [{}, {"knee": 1.2, "ankle": 0.8}, {"foot": 0.7}, {"foot": 1.4, "hip": 1.3}],
    ids=lambda odd: "-".join(odd) or "same",
)
def test_planted_feet_stay_planted(odd, lift):
    source = squat(proportions(**odd), lift)
    got = retarget(as_rig(source, MIXAMO, scale=1.2)).joints()
    wander = np.ptp(got[:, [10, 11]], axis=0).max()
    before = np.ptp(source.joints()[:, [10, 11]], axis=0).max()
    assert wander < before + (8e-3 if lift else 1e-3)  # the foot's heading turns a little as the heel rises
    if lift == 0:
        assert np.ptp(got[:, [7, 8]], axis=0).max() < before + 3e-3
    assert np.ptp(got[:, 0, 1]) > 0.2  # and the body did go down


def test_a_made_rig_without_toes_collars_and_neck(moving):
    full = as_rig(moving, MIXAMO)
    drop = {"left_foot", "right_foot", "left_collar", "right_collar", "neck", "spine2"}
    keep = [j for j, n in enumerate(HUMANML22.names) if n not in drop]
    joints = full.joints()
    # hang what is left on its nearest kept ancestor; a straight carrier makes the places exact
    world = kinematics.global_rotations(full.skeleton, full.rotations)
    parents, offsets = [], []
    for joint in keep:
        parent = full.skeleton.parents[joint]
        while parent >= 0 and parent not in keep:
            parent = full.skeleton.parents[parent]
        parents.append(keep.index(parent) if parent >= 0 else -1)
        back = rotation.conjugate(world[0, parent])
        offsets.append(rotation.rotate(back, joints[0, joint] - joints[0, parent]) if parent >= 0 else np.zeros(3))
    rig = Skeleton("bare", tuple(full.skeleton.names[j] for j in keep), tuple(parents), np.array(offsets))
    motion = Motion(rig, kinematics.local_rotations(rig, world[:, keep]), full.root, 20)
    places = landmarks(motion)
    assert set(places) == set(HUMANML22.names)
    got = retarget(motion)
    assert np.abs(lengths(got) - HUMANML22.lengths[1:]).max() < 1e-9
    expected = moving.joints()
    error = np.linalg.norm(got.joints() - expected, axis=-1).mean(0)
    assert error.max() < 0.13, dict(zip(HUMANML22.names, error.round(3), strict=True))
    toes = got.joints()[:, 10] - got.joints()[:, 7]
    truth = expected[:, 10] - expected[:, 7]
    assert (rotation.unit(toes) * rotation.unit(truth)).sum(-1).min() > 0.7


def test_sides_follow_names_not_order(moving):
    motion = moving
    rotations = motion.rotations.copy()
    raised = np.array([0.0, 0.0, 1.3])
    rotations[:, HUMANML22.index("left_shoulder")] = rotation.from_axis_angle(raised)
    got = retarget(as_rig(Motion(HUMANML22, rotations, motion.root, 20), MIXAMO)).joints()
    left, right = (got[:, HUMANML22.index(f"{s}_wrist"), 1] for s in ("left", "right"))
    assert (left > right + 0.4).all()


# Real files ---------------------------------------------------------------------------------------------------------

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
REAL = {
    "bandai-namco-1.tar.xz": ("dataset-1_walk_normal_001", "dataset-1_walk_normal_002", "dataset-1_run_normal_001",
                              "dataset-1_bye_normal_001", "dataset-1_walk-back_normal_001"),
    "cmu.tar.xz": ("bvh-60fps/07/07_01", "bvh-60fps/13/13_30", "bvh-60fps/02/02_06"),
}  # fmt: skip


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    if not DATA.is_dir():
        pytest.skip("needs the project's own data, ../shared/data")
    import tarfile

    folder = tmp_path_factory.mktemp("real")
    motions = {}
    for archive, names in REAL.items():
        with tarfile.open(DATA / archive) as tar:
            for member in tar:
                for name in names:
                    if member.name.endswith(f"{name}.bvh"):
                        handle = tar.extractfile(member)
                        assert handle is not None
                        path = folder / Path(member.name).name
                        path.write_bytes(handle.read())
                        motions[name] = bvh.read(path)
    for name in REAL["cmu.tar.xz"]:
        motions[name] = motions[name].crop(5 / 60)  # an artificial T-pose fades out
    return motions


def skate(joint: np.ndarray, fps: float) -> float:
    """Mean horizontal speed (m/s) while within 5 cm of the joint's own 5th-percentile height."""
    low = joint[:, 1] < np.percentile(joint[:, 1], 5) + 0.05
    speed = np.linalg.norm(np.diff(joint[:, [0, 2]], axis=0), axis=-1) * fps
    return float(speed[low[1:] & low[:-1]].mean())


@pytest.mark.parametrize("name", [n for names in REAL.values() for n in names])
def test_real_files(real, name):
    motion = real[name]
    got = retarget(motion)
    joints = got.joints()
    assert np.abs(lengths(got) - HUMANML22.lengths[1:]).max() < 1e-9
    source = landmarks(motion)
    legs = [
        np.median(np.linalg.norm(source[f"{s}_knee"] - source[f"{s}_hip"], axis=-1))
        + np.median(np.linalg.norm(source[f"{s}_ankle"] - source[f"{s}_knee"], axis=-1))
        for s in ("left", "right")
    ]
    scale = HUMANML22.lengths[[4, 5, 7, 8]].sum() / sum(legs)
    for foot in ("left_foot", "right_foot", "left_ankle", "right_ankle"):
        before = skate(source[foot] * scale, motion.fps)
        after = skate(joints[:, HUMANML22.index(foot)], motion.fps)
        assert after < 1.15 * before + 0.05, (foot, before, after)
    for foot in ("left_foot", "right_foot"):  # toes keep their height: the floor stays the floor
        height = np.percentile(source[foot][:, 1], 5) * scale
        assert abs(np.percentile(joints[:, HUMANML22.index(foot), 1], 5) - height) < 0.01
    # no pops: no joint moves much faster than the source's fastest
    fastest = max(np.linalg.norm(np.diff(p, axis=0), axis=-1).max() for p in source.values()) * scale
    assert np.linalg.norm(np.diff(joints, axis=0), axis=-1).max() < 1.3 * fastest + 0.02
    if name == "dataset-1_bye_normal_001":  # waves with the right hand
        assert joints[:, 21, 1].max() > joints[:, 20, 1].max() + 0.2
    if "walk_normal" in name or "07_01" in name:  # faces where it goes, left is on the left
        across = joints[:, 1] - joints[:, 2]
        facing = np.cross(across, [0.0, 1.0, 0.0]).mean(0)
        path = joints[-1, 0] - joints[0, 0]
        assert facing @ path / np.linalg.norm(facing) / np.linalg.norm(path) > 0.9
        assert np.percentile(joints[:, 15, 1] - joints[:, [10, 11], 1].min(1), 50) > 1.3
