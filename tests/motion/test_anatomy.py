"""Which joint is which, by names of many makers and by shape, in motions and in any pose they take."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from laban.errors import InputError
from laban.motion import anatomy, rotation
from laban.motion.joint_names import named, part, side_of
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22

NAMES = HUMANML22.names
ONE_SIDE = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")
MIDDLE = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")

# middle joints | joints of one side, % for the side | left | right
MAKERS = {
    "mixamo": ("mixamorig:Hips,mixamorig:Spine,mixamorig:Spine1,mixamorig:Spine2,mixamorig:Neck,mixamorig:Head",
        "mixamorig:%UpLeg,mixamorig:%Leg,mixamorig:%Foot,mixamorig:%ToeBase,mixamorig:%Shoulder,mixamorig:%Arm,"
        "mixamorig:%ForeArm,mixamorig:%Hand", "Left", "Right"),
    "mixamo, another number": ("mixamorig9:Hips,mixamorig9:Spine,mixamorig9:Spine1,mixamorig9:Spine2,mixamorig9:Neck,"
        "mixamorig9:Head", "mixamorig9:%UpLeg,mixamorig9:%Leg,mixamorig9:%Foot,mixamorig9:%ToeBase,"
        "mixamorig9:%Shoulder,mixamorig9:%Arm,mixamorig9:%ForeArm,mixamorig9:%Hand", "Left", "Right"),
    "mixamo in a browser": ("mixamorigHips,mixamorigSpine,mixamorigSpine1,mixamorigSpine2,mixamorigNeck,mixamorigHead",
        "mixamorig%UpLeg,mixamorig%Leg,mixamorig%Foot,mixamorig%ToeBase,mixamorig%Shoulder,mixamorig%Arm,"
        "mixamorig%ForeArm,mixamorig%Hand", "Left", "Right"),
    "mixamo, numbered by a web site": ("Hips_01,Spine_02,Spine1_03,Spine2_04,Neck_05,Head_06",
        "%UpLeg_055,%Leg_056,%Foot_057,%ToeBase_058,%Shoulder_07,%Arm_08,%ForeArm_09,%Hand_010", "Left", "Right"),
    "unreal": ("pelvis,spine_01,spine_02,spine_03,neck_01,head",
        "thigh_%,calf_%,foot_%,ball_%,clavicle_%,upperarm_%,lowerarm_%,hand_%", "l", "r"),
    "unity": ("Hips,Spine,Chest,UpperChest,Neck,Head",
        "%UpperLeg,%LowerLeg,%Foot,%Toes,%Shoulder,%UpperArm,%LowerArm,%Hand", "Left", "Right"),
    "vrm 1": ("hips,spine,chest,upperChest,neck,head",
        "%UpperLeg,%LowerLeg,%Foot,%Toes,%Shoulder,%UpperArm,%LowerArm,%Hand", "left", "right"),
    "vroid": ("J_Bip_C_Hips,J_Bip_C_Spine,J_Bip_C_Chest,J_Bip_C_UpperChest,J_Bip_C_Neck,J_Bip_C_Head",
        "J_Bip_%_UpperLeg,J_Bip_%_LowerLeg,J_Bip_%_Foot,J_Bip_%_ToeBase,J_Bip_%_Shoulder,J_Bip_%_UpperArm,"
        "J_Bip_%_LowerArm,J_Bip_%_Hand", "L", "R"),
    "vrchat": ("Hips,Spine,Chest,Upper Chest,Neck,Head",
        "% leg,% knee,% ankle,% toe,% shoulder,% arm,% elbow,% wrist", "Left", "Right"),
    "rigify": ("DEF-spine,DEF-spine.001,DEF-spine.002,DEF-spine.003,DEF-spine.004,DEF-spine.006",
        "DEF-thigh.%,DEF-shin.%,DEF-foot.%,DEF-toe.%,DEF-shoulder.%,DEF-upper_arm.%,DEF-forearm.%,DEF-hand.%",
        "L", "R"),
    "rigify, mechanism": ("ORG-spine,ORG-spine.001,ORG-spine.002,ORG-spine.003,ORG-spine.004,ORG-spine.006",
        "ORG-thigh.%,ORG-shin.%,ORG-foot.%,ORG-toe.%,ORG-shoulder.%,ORG-upper_arm.%,ORG-forearm.%,ORG-hand.%",
        "L", "R"),
    "metarig": ("spine,spine.001,spine.002,spine.003,spine.004,spine.006",
        "thigh.%,shin.%,foot.%,toe.%,shoulder.%,upper_arm.%,forearm.%,hand.%", "L", "R"),
    "blender copies": ("Hips,Spine,Chest,UpperChest,Neck,Head",
        "UpperLeg.%.001,LowerLeg.%.001,Foot.%.001,Toes.%.001,Shoulder.%.001,UpperArm.%.001,LowerArm.%.001,Hand.%.001",
        "L", "R"),
    "quaternius": ("Hips,Abdomen,Torso,Chest,Neck,Head",
        "UpperLeg.%,LowerLeg.%,Foot.%,Toes.%,Shoulder.%,UpperArm.%,LowerArm.%,Hand.%", "L", "R"),
    "kaykit": ("hips,spine,spine2,chest,neck,head",
        "upperleg.%,lowerleg.%,foot.%,toes.%,shoulder.%,upperarm.%,lowerarm.%,wrist.%", "l", "r"),
    "biped": ("Bip01 Pelvis,Bip01 Spine,Bip01 Spine1,Bip01 Spine2,Bip01 Neck,Bip01 Head",
        "Bip01 % Thigh,Bip01 % Calf,Bip01 % Foot,Bip01 % Toe0,Bip01 % Clavicle,Bip01 % UpperArm,Bip01 % Forearm,"
        "Bip01 % Hand", "L", "R"),
    "biped, newer": ("Bip001 Pelvis,Bip001 Spine,Bip001 Spine1,Bip001 Spine2,Bip001 Neck,Bip001 Head",
        "Bip001 % Thigh,Bip001 % Calf,Bip001 % Foot,Bip001 % Toe0,Bip001 % Clavicle,Bip001 % UpperArm,"
        "Bip001 % Forearm,Bip001 % Hand", "L", "R"),
    "source engine": ("ValveBiped.Bip01_Pelvis,ValveBiped.Bip01_Spine,ValveBiped.Bip01_Spine1,ValveBiped.Bip01_Spine2,"
        "ValveBiped.Bip01_Neck1,ValveBiped.Bip01_Head1", "ValveBiped.Bip01_%_Thigh,ValveBiped.Bip01_%_Calf,"
        "ValveBiped.Bip01_%_Foot,ValveBiped.Bip01_%_Toe0,ValveBiped.Bip01_%_Clavicle,ValveBiped.Bip01_%_UpperArm,"
        "ValveBiped.Bip01_%_Forearm,ValveBiped.Bip01_%_Hand", "L", "R"),
    "source 2": ("pelvis,spine_0,spine_1,spine_2,neck_0,head",
        "leg_upper_%,leg_lower_%,ankle_%,ball_%,clavicle_%,arm_upper_%,arm_lower_%,hand_%", "L", "R"),
    "daz 8": ("hip,abdomenLower,abdomenUpper,chestLower,neckLower,head",
        "%ThighBend,%Shin,%Foot,%Toe,%Collar,%ShldrBend,%ForearmBend,%Hand", "l", "r"),
    "daz 4, poser": ("hip,abdomen,abdomen2,chest,neck,head",
        "%Thigh,%Shin,%Foot,%Toe,%Collar,%Shldr,%ForeArm,%Hand", "l", "r"),
    "daz 9": ("hip,spine1,spine2,spine3,neck1,head",
        "%_thigh,%_shin,%_foot,%_toes,%_shoulder,%_upperarm,%_forearm,%_hand", "l", "r"),
    "smpl": ("Pelvis,Spine1,Spine2,Spine3,Neck,Head",
        "%_Hip,%_Knee,%_Ankle,%_Foot,%_Collar,%_Shoulder,%_Elbow,%_Wrist", "L", "R"),
    "smpl in fbx": ("m_avg_Pelvis,m_avg_Spine1,m_avg_Spine2,m_avg_Spine3,m_avg_Neck,m_avg_Head",
        "m_avg_%_Hip,m_avg_%_Knee,m_avg_%_Ankle,m_avg_%_Foot,m_avg_%_Collar,m_avg_%_Shoulder,m_avg_%_Elbow,"
        "m_avg_%_Wrist", "L", "R"),
    "cmu": ("Hips,LowerBack,Spine,Spine1,Neck,Head",
        "%UpLeg,%Leg,%Foot,%ToeBase,%Shoulder,%Arm,%ForeArm,%Hand", "Left", "Right"),
    "acclaim": ("root,lowerback,upperback,thorax,lowerneck,head",
        "%femur,%tibia,%foot,%toes,%clavicle,%humerus,%radius,%wrist", "l", "r"),
    "biovision": ("Hips,Chest,Chest2,Chest3,Neck,Head",
        "%Hip,%Knee,%Ankle,%Toe,%Collar,%Shoulder,%Elbow,%Wrist", "Left", "Right"),
    "xsens": ("Hips,L5,L3,T12,Neck,Head",
        "%UpperLeg,%LowerLeg,%Foot,%Toe,%Shoulder,%UpperArm,%ForeArm,%Hand", "Left", "Right"),
    "optitrack": ("Skeleton 001:Hip,Skeleton 001:Ab,Skeleton 001:Spine,Skeleton 001:Chest,Skeleton 001:Neck,"
        "Skeleton 001:Head", "Skeleton 001:%Thigh,Skeleton 001:%Shin,Skeleton 001:%Foot,Skeleton 001:%Toe,"
        "Skeleton 001:%Shoulder,Skeleton 001:%UArm,Skeleton 001:%FArm,Skeleton 001:%Hand", "L", "R"),
    "optitrack, underscored": ("Skel_Hip,Skel_Ab,Skel_Spine,Skel_Chest,Skel_Neck,Skel_Head",
        "Skel_%Thigh,Skel_%Shin,Skel_%Foot,Skel_%Toe,Skel_%Shoulder,Skel_%UArm,Skel_%FArm,Skel_%Hand", "L", "R"),
    "perception neuron": ("Robot_Hips,Robot_Spine,Robot_Spine1,Robot_Spine2,Robot_Neck,Robot_Head",
        "Robot_%UpLeg,Robot_%Leg,Robot_%Foot,Robot_%Toe,Robot_%Shoulder,Robot_%Arm,Robot_%ForeArm,Robot_%Hand",
        "Left", "Right"),
    "motion builder, a subject": ("Subject1_Hips,Subject1_Spine,Subject1_Spine1,Subject1_Spine2,Subject1_Neck,"
        "Subject1_Head", "Subject1_%UpLeg,Subject1_%Leg,Subject1_%Foot,Subject1_%ToeBase,Subject1_%Shoulder,"
        "Subject1_%Arm,Subject1_%ForeArm,Subject1_%Hand", "Left", "Right"),
    "human ik": ("Character1_Hips,Character1_Spine,Character1_Spine1,Character1_Spine2,Character1_Neck,Character1_Head",
        "Character1_%UpLeg,Character1_%Leg,Character1_%Foot,Character1_%ToeBase,Character1_%Shoulder,Character1_%Arm,"
        "Character1_%ForeArm,Character1_%Hand", "Left", "Right"),
    "rokoko": ("Hips,Spine1,Spine2,Spine3,Neck,Head",
        "%Thigh,%Shin,%Foot,%Toe,%Shoulder,%Arm,%ForeArm,%Hand", "Left", "Right"),
    "kinect": ("SpineBase,SpineMid,SpineUp,SpineShoulder,Neck,Head",
        "Hip%,Knee%,Ankle%,Foot%,Collar%,Shoulder%,Elbow%,Wrist%", "Left", "Right"),
    "azure kinect": ("PELVIS,SPINE_NAVEL,SPINE_MID,SPINE_CHEST,NECK,HEAD",
        "HIP_%,KNEE_%,ANKLE_%,FOOT_%,CLAVICLE_%,SHOULDER_%,ELBOW_%,WRIST_%", "LEFT", "RIGHT"),
    "ipi": ("Hip,LowerSpine,MiddleSpine,Chest,Neck,Head",
        "%Thigh,%Shin,%Foot,%Toe,%Clavicle,%Shoulder,%Forearm,%Hand", "L", "R"),
    "second life": ("mPelvis,mTorso,mSpine,mChest,mNeck,mHead",
        "mHip%,mKnee%,mAnkle%,mFoot%,mCollar%,mShoulder%,mElbow%,mWrist%", "Left", "Right"),
    "roblox": ("LowerTorso,MiddleTorso,Waist,UpperTorso,Neck,Head",
        "%UpperLeg,%LowerLeg,%Foot,%Toes,%Clavicle,%UpperArm,%LowerArm,%Hand", "Left", "Right"),
    "reallusion": ("CC_Base_Hip,CC_Base_Waist,CC_Base_Spine01,CC_Base_Spine02,CC_Base_NeckTwist01,CC_Base_Head",
        "CC_Base_%_Thigh,CC_Base_%_Calf,CC_Base_%_Foot,CC_Base_%_ToeBase,CC_Base_%_Clavicle,CC_Base_%_Upperarm,"
        "CC_Base_%_Forearm,CC_Base_%_Hand", "L", "R"),
    "advanced skeleton": ("Root_M,Spine1_M,Spine2_M,Chest_M,Neck_M,Head_M",
        "Hip_%,Knee_%,Ankle_%,Toes_%,Scapula_%,Shoulder_%,Elbow_%,Wrist_%", "L", "R"),
    "meta": ("Body_Hips,Body_SpineLower,Body_SpineUpper,Body_Chest,Body_Neck,Body_Head",
        "FullBody_%UpperLeg,FullBody_%LowerLeg,FullBody_%FootAnkle,FullBody_%FootBall,Body_%Scapula,Body_%ArmUpper,"
        "Body_%ArmLower,Body_%HandWrist", "Left", "Right"),
    "auto-rig pro": ("root.x,spine_01.x,spine_02.x,spine_03.x,neck.x,head.x",
        "thigh_stretch.%,leg_stretch.%,foot.%,toes_01.%,shoulder.%,arm_stretch.%,forearm_stretch.%,hand.%", "l", "r"),
    "makehuman": ("root,spine05,spine03,spine01,neck01,head",
        "upperleg01.%,lowerleg01.%,foot.%,toe1-1.%,clavicle.%,upperarm01.%,lowerarm01.%,wrist.%", "L", "R"),
    "cascadeur": ("pelvis,stomach,chest,chest_upper,neck,head",
        "thigh_%,calf_%,foot_%,toe_%,clavicle_%,arm_%,forearm_%,hand_%", "l", "r"),
    "deep motion": ("hips_JNT,spine_JNT,spine1_JNT,spine2_JNT,neck_JNT,head_JNT",
        "%_upleg_JNT,%_leg_JNT,%_foot_JNT,%_toebase_JNT,%_shoulder_JNT,%_arm_JNT,%_forearm_JNT,%_hand_JNT", "l", "r"),
    "maya": ("hips_jnt,spineA_jnt,spineB_jnt,spineC_jnt,neck_jnt,head_jnt",
        "%_upLeg_jnt,%_lowLeg_jnt,%_foot_jnt,%_ball_jnt,%_clavicle_jnt,%_upArm_jnt,%_lowArm_jnt,%_wrist_jnt",
        "L", "R"),
    "maya, bound": ("hips_bind,spine1_bind,spine2_bind,spine3_bind,neck_bind,head_bind",
        "leg_%_bind,knee_%_bind,ankle_%_bind,toe_%_bind,clavicle_%_bind,shoulder_%_bind,elbow_%_bind,wrist_%_bind",
        "left", "right"),
    "mikumikudance": ("センター,上半身,上半身2,上半身3,首,頭",
        "%足,%ひざ,%足首,%つま先,%肩,%腕,%ひじ,%手首", "左", "右"),
    "mikumikudance in english": ("center,upper body,upper body 2,upper body 3,neck,head",
        "leg_%,knee_%,ankle_%,toe_%,shoulder_%,arm_%,elbow_%,wrist_%", "L", "R"),
    "gta": ("SKEL_Pelvis,SKEL_Spine0,SKEL_Spine1,SKEL_Spine2,SKEL_Neck_1,SKEL_Head",
        "SKEL_%_Thigh,SKEL_%_Calf,SKEL_%_Foot,SKEL_%_Toe0,SKEL_%_Clavicle,SKEL_%_UpperArm,SKEL_%_Forearm,SKEL_%_Hand",
        "L", "R"),
    "skyrim": ("NPC Pelvis [Pelv],NPC Spine [Spn0],NPC Spine1 [Spn1],NPC Spine2 [Spn2],NPC Neck [Neck],NPC Head [Head]",
        "NPC % Thigh [%Thg],NPC % Calf [%Clf],NPC % Foot [%ft ],NPC % Toe0 [%Toe],NPC % Clavicle [%Clv],"
        "NPC % UpperArm [%Uar],NPC % Forearm [%Lar],NPC % Hand [%Hnd]", "L", "R"),
    "bandai": ("Hips,Spine,Spine1,Chest,Neck,Head",
        "UpperLeg_%,LowerLeg_%,Foot_%,Toes_%,Shoulder_%,UpperArm_%,LowerArm_%,Hand_%", "L", "R"),
    "upper case": ("HIPS,SPINE,CHEST,UPPER_CHEST,NECK,HEAD",
        "%_UPPER_LEG,%_LOWER_LEG,%_FOOT,%_TOES,%_SHOULDER,%_UPPER_ARM,%_LOWER_ARM,%_HAND", "LEFT", "RIGHT"),
    "one case": ("hips,spine,spine1,spine2,neck,head",
        "%upleg,%leg,%foot,%toebase,%shoulder,%arm,%forearm,%hand", "left", "right"),
    "a crowd": ("npc07_b_hips,npc07_b_spine,npc07_b_spine1,npc07_b_spine2,npc07_b_neck,npc07_b_head",
        "npc07_b_%_thigh,npc07_b_%_calf,npc07_b_%_foot,npc07_b_%_toe,npc07_b_%_clavicle,npc07_b_%_upperarm,"
        "npc07_b_%_forearm,npc07_b_%_hand", "l", "r"),
    "fists and paws": ("Hips,Spine,Spine1,Spine2,neckA,neckB",
        "%UpLeg,%Leg,%Foot,%Toe,%Collar,%Arm,%ForeArm,%Fist", "L", "R"),
    "no names": ("b00,b01,b02,b03,b04,b05", "%0,%1,%2,%3,%4,%5,%6,%7", "b1", "b2"),
}  # fmt: skip


def called(maker: str) -> dict[str, str]:
    """HumanML3D's name -> a maker's."""
    middle, sided, left, right = MAKERS[maker]
    out = dict(zip(MIDDLE, middle.split(","), strict=True))
    for side, word in (("left", left), ("right", right)):
        out |= {f"{side}_{n}": w.replace("%", word) for n, w in zip(ONE_SIDE, sided.split(","), strict=True)}
    return out


def skeleton_of(names: dict[str, str], ends: bool = True) -> Skeleton:
    """Our skeleton under other names, with an End Site behind each leaf as a BVH has."""
    own = [names[name] for name in NAMES]
    parents, offsets = list(HUMANML22.parents), list(HUMANML22.offsets)
    for joint in range(22) if ends else ():
        if not HUMANML22.children(joint):
            own.append(f"{own[joint]}_end")
            parents.append(joint)
            offsets.append(HUMANML22.offsets[joint] / np.linalg.norm(HUMANML22.offsets[joint]) * 0.08)
    return Skeleton("made", tuple(own), tuple(parents), np.array(offsets))


def expect(found: anatomy.Mapping, names: dict[str, str], skeleton: Skeleton) -> None:
    for name, joint in found.joints.items():
        if name != "neck":
            assert skeleton.names[joint] == names[name], name
    assert len(found.joints) >= 17


@pytest.mark.parametrize("maker", MAKERS)
def test_names_of_many_makers(maker: str) -> None:
    names = called(maker)
    skeleton = skeleton_of(names)
    expect(anatomy.match(skeleton), names, skeleton)


@pytest.mark.parametrize("seed", range(3))
def test_without_names_the_poses_of_a_motion_show_the_shape(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = {name: f"j{k}" for name, k in zip(NAMES, rng.permutation(22), strict=True)}
    skeleton = skeleton_of(names)
    turns = rotation.normalise(rng.normal(size=(len(skeleton), 4)))  # what frames the rig has, that its rest is no body
    offsets = rotation.rotate(rotation.conjugate(turns[[max(p, 0) for p in skeleton.parents]]), skeleton.offsets)
    local = np.array([
        turns[j] if p < 0 else rotation.multiply(rotation.conjugate(turns[p]), turns[j])
        for j, p in enumerate(skeleton.parents)
    ])  # fmt: skip
    motion = Motion(replace(skeleton, offsets=offsets), np.repeat(local[None], 3, 0), np.zeros((3, 3)), 30.0)
    expect(anatomy.match_motion(motion), names, skeleton)


def test_a_limb_that_ends_with_its_bone_ends_there() -> None:
    names = called("biovision")
    whole = skeleton_of(names, ends=False)
    renamed = tuple({"LeftWrist": "LeftElbow_end", "RightWrist": "RightElbow_end"}.get(n, n) for n in whole.names)
    found = anatomy.match(replace(whole, names=renamed))
    assert found.joints["left_wrist"] == NAMES.index("left_wrist")


def test_an_elbow_in_the_upper_arm_is_not_believed() -> None:
    names = called("unity")
    parents, offsets, own = list(HUMANML22.parents), list(HUMANML22.offsets), [names[n] for n in NAMES]
    for side in ("left", "right"):  # two bones to the upper arm, of which the second is called like a forearm
        elbow = NAMES.index(f"{side}_elbow")
        own[elbow] = f"{side}_bone"
        own.append({"left": "LeftLowerArm", "right": "RightLowerArm"}[side])
        parents.append(parents[elbow])
        offsets.append(offsets[elbow] * 0.2)
        offsets[elbow] = offsets[elbow] * 0.8
        parents[elbow] = len(own) - 1
    order = sorted(range(len(own)), key=lambda j: depth(j, parents))
    skeleton = Skeleton(
        "made", tuple(own[j] for j in order), tuple(order.index(parents[j]) if parents[j] >= 0 else -1 for j in order),
        np.array([offsets[j] for j in order]),
    )  # fmt: skip
    found = anatomy.match(skeleton)
    assert skeleton.names[found.joints["left_elbow"]] == "left_bone"


def depth(joint: int, parents: list[int]) -> int:
    return 0 if parents[joint] < 0 else 1 + depth(parents[joint], parents)


def test_sides_and_parts() -> None:
    assert part("SKEL_L_Thigh") == ("left", "thigh") and part("npc NPC R Calf [RClf]")[0] == "right"
    assert side_of("lfemur") == "left" and side_of("HandRight") == "right" and side_of("Head") == ""
    assert named(["Robot_Head", "Robot_LeftFoot", "Robot_Hips"])["head"] == 0


def test_a_table_is_refused_with_what_to_do() -> None:
    table = Skeleton("table", ("top", "a", "b", "c", "d"), (-1, 0, 0, 0, 0), np.eye(5, 3))
    with pytest.raises(InputError, match="--source-map"):
        anatomy.match(table)
