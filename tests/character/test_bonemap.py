"""Which bone is which: by names of many makers, by shape, by VRM's map, from a file; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from laban.character import bonemap
from laban.character.rig import Rig, rig_of
from laban.errors import InputError
from laban.io.gltf_document import Document
from laban.motion import rotation
from laban.motion.joint_names import named
from laban.motion.skeletons import HUMANML22
from tests.character import example
from tests.motion import test_anatomy

NAMES = HUMANML22.names
ONE_SIDE = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")
MIDDLE = ("pelvis", "spine1", "spine2", "spine3", "neck", "head")


def called(middle: str, sided: str, left: str, right: str) -> dict[str, str]:
    """HumanML3D's name -> a maker's, from their words in our order; % stands for the side."""
    out = dict(zip(MIDDLE, middle.split(","), strict=True))
    for side, word in (("left", left), ("right", right)):
        out |= {f"{side}_{n}": w.replace("%", word) for n, w in zip(ONE_SIDE, sided.split(","), strict=True)}
    return out


MAKERS = {
    "mixamo without prefix": called("Hips,Spine,Spine1,Spine2,Neck,Head",
        "%UpLeg,%Leg,%Foot,%ToeBase,%Shoulder,%Arm,%ForeArm,%Hand", "Left", "Right"),
    "unreal": called("pelvis,spine_01,spine_02,spine_03,neck_01,head",
        "thigh_%,calf_%,foot_%,ball_%,clavicle_%,upperarm_%,lowerarm_%,hand_%", "l", "r"),
    "unity": called("Hips,Spine,Chest,UpperChest,Neck,Head",
        "%UpperLeg,%LowerLeg,%Foot,%Toes,%Shoulder,%UpperArm,%LowerArm,%Hand", "Left", "Right"),
    "rigify": called("DEF-spine,DEF-spine.001,DEF-spine.002,DEF-spine.003,DEF-neck,DEF-head",
        "DEF-thigh.%,DEF-shin.%,DEF-foot.%,DEF-toe.%,DEF-shoulder.%,DEF-upper_arm.%,DEF-forearm.%,DEF-hand.%",
        "L", "R"),
    "quaternius": called("Hips,Abdomen,Torso,Chest,Neck,Head",
        "UpperLeg.%,LowerLeg.%,Foot.%,Toes.%,Shoulder.%,UpperArm.%,LowerArm.%,Hand.%", "L", "R"),
    "biped": called("Bip01 Pelvis,Bip01 Spine,Bip01 Spine1,Bip01 Spine2,Bip01 Neck,Bip01 Head",
        "Bip01 % Thigh,Bip01 % Calf,Bip01 % Foot,Bip01 % Toe0,Bip01 % Clavicle,Bip01 % UpperArm,Bip01 % Forearm,"
        "Bip01 % Hand", "L", "R"),
    "daz": called("hip,abdomenLower,abdomenUpper,chestLower,neckLower,head",
        "%ThighBend,%Shin,%Foot,%Toe,%Collar,%ShldrBend,%ForearmBend,%Hand", "l", "r"),
    "smpl": called("Pelvis,Spine1,Spine2,Spine3,Neck,Head",
        "%_Hip,%_Knee,%_Ankle,%_Foot,%_Collar,%_Shoulder,%_Elbow,%_Wrist", "L", "R"),
    "cmu": called("Hips,LowerBack,Spine,Spine1,Neck,Head",
        "%UpLeg,%Leg,%Foot,%ToeBase,%Shoulder,%Arm,%ForeArm,%Hand", "Left", "Right"),
    "mikumikudance": called("センター,上半身,上半身2,上半身3,首,頭",
        "%足,%ひざ,%足首,%つま先,%肩,%腕,%ひじ,%手首", "左", "右"),
    "vroid": called("J_Bip_C_Hips,J_Bip_C_Spine,J_Bip_C_Chest,J_Bip_C_UpperChest,J_Bip_C_Neck,J_Bip_C_Head",
        "J_Bip_%_UpperLeg,J_Bip_%_LowerLeg,J_Bip_%_Foot,J_Bip_%_ToeBase,J_Bip_%_Shoulder,J_Bip_%_UpperArm,"
        "J_Bip_%_LowerArm,J_Bip_%_Hand", "L", "R"),
}  # fmt: skip


def rig(**options: Any) -> Rig:
    return rig_of(example.character(mesh=False, **options))


def right_way(found: bonemap.BoneMap, names: dict[str, str], made: Rig) -> None:
    """Every joint of the map is the one it should be."""
    for name, bone in found.bones.items():
        assert made.names[bone.node] == names[name], name
    assert [made.names[b.node] for b in found.spine] == [names[f"spine{k}"] for k in (1, 2, 3)]
    assert [made.names[b.node] for b in found.neck] == [names["neck"]]


@pytest.mark.parametrize("maker", MAKERS)
def test_names(maker: str) -> None:
    made = rig(names=MAKERS[maker])
    found = bonemap.find(made)
    right_way(found, MAKERS[maker], made)
    assert not found.missing and len(found.bones) == 18
    assert found.confidence >= 0.85  # by name, not by shape


@pytest.mark.parametrize("maker", test_anatomy.MAKERS)
def test_characters_of_many_makers(maker: str) -> None:
    names = test_anatomy.called(maker)
    made = rig(names=names, arms_down=50, scale=100, z_up=True)
    right_way(bonemap.find(made), names, made)


@pytest.mark.parametrize("options", [{}, {"lying": True}, {"arms_down": 70, "scale": 100, "z_up": True}, {"rolls": 3}])
def test_shape_alone(options: dict[str, Any]) -> None:
    names = {name: f"b{(5 * k) % 22:02}" for k, name in enumerate(NAMES)}
    made = rig(names=names, **options)
    assert not named(list(names.values()))
    found = bonemap.find(made)
    right_way(found, names, made)
    assert found.confidence == 0.6 and "shape" in found.bones["head"].reason


def test_vrm_maps_go_before_names() -> None:
    document = example.character(mesh=False, names={n: f"x{k}" for k, n in enumerate(NAMES)})
    humanoid = {theirs: {"node": NAMES.index(ours)} for theirs, ours in bonemap.VRM.items()}
    document.json["extensions"] = {"VRMC_vrm": {"humanoid": {"humanBones": humanoid}}}
    found = bonemap.find(rig_of(document))
    assert found.confidence >= 0.95 and found.bones["left_knee"].reason == "VRM humanoid leftLowerLeg"
    old = [{"bone": name, "node": bone["node"]} for name, bone in humanoid.items()]
    document.json["extensions"] = {"VRM": {"humanoid": {"humanBones": old}}}
    assert bonemap.find(rig_of(document)).bones == found.bones


def test_a_mapping_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    made = rig(twist=True)
    found = bonemap.find(made)
    bonemap.save(made, found, tmp_path / "map.json")
    again = bonemap.find(made, tmp_path / "map.json")
    assert {n: b.node for n, b in again.all().items()} == {n: b.node for n, b in found.all().items()}
    assert again.twist == found.twist and len(found.twist) == 4


def edited(tmp_path: Path, made: Rig, **changes: Any) -> Path:
    path = tmp_path / "map.json"
    bonemap.save(made, bonemap.guess(made), path)
    text = json.loads(path.read_text())
    text["bones"] |= changes
    path.write_text(json.dumps(text))
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"left_knee": None}, "no bone was found for left_knee"),
        ({"left_knee": "nobody"}, "there is no bone 'nobody'"),
        ({"left_knie": "x"}, "Did you mean 'left_knee'"),
        ({"left_knee": 4}, "a bone's name or null"),
        ({"left_knee": "mixamorig:RightLeg"}, "mapped twice"),
        ({"left_knee": "mixamorig:RightLeg", "right_knee": "mixamorig:LeftLeg"}, "does not hang on"),
        ({"pelvis": "mixamorig:Neck", "neck": []}, "does not hang on"),
    ],
)
def test_a_wrong_map_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    made = rig()
    with pytest.raises(InputError, match=said) as caught:
        bonemap.find(made, edited(tmp_path, made, **changes))
    assert "\n" not in str(caught.value)


def test_left_and_right_exchanged_are_seen(tmp_path: Path) -> None:
    made = rig()
    sided = {n: NAMES[HUMANML22.pairs[k]] for k, n in enumerate(NAMES) if "_" in n}
    wrong = {name: example.mixamo(other) for name, other in sided.items()}
    with pytest.raises(InputError, match="left and right seem exchanged"):
        bonemap.find(made, edited(tmp_path, made, **wrong))


def test_partial_maps_must_be_asked_for(tmp_path: Path) -> None:
    made = rig()
    arms = {f"{s}_{n}": None for s in ("left", "right") for n in ("shoulder", "elbow", "wrist", "collar")}
    path = edited(tmp_path, made, **arms)
    with pytest.raises(InputError, match="--partial"):
        bonemap.find(made, path)
    assert "left_elbow" in bonemap.find(made, path, partial=True).missing
    with pytest.raises(InputError, match="even a partial map needs"):
        bonemap.find(made, edited(tmp_path, made, left_hip=None), partial=True)


def test_a_prop_a_quadruped_and_a_hand_are_refused() -> None:
    document = example.character(mesh=False, names={n: f"plank{k}" for k, n in enumerate(NAMES)})
    del document.json["skins"]
    document.json["nodes"] = [{"name": "table", "children": [1, 2]}, {"name": "leg"}, {"name": "leg"}]
    document.json["scenes"] = [{"nodes": [0]}]
    with pytest.raises(InputError, match="no skeleton"):
        rig_of(document)
    animal = unbound()
    for node in animal.json["nodes"]:
        if "Spine" in node.get("name", ""):  # a back that lies
            node["translation"] = [0, 0, -0.3]
    with pytest.raises(InputError, match="do not stand like a person"):
        bonemap.find(rig_of(animal))
    hand = unbound(names={n: f"finger{k}" for k, n in enumerate(NAMES)})
    rng = np.random.default_rng(0)
    for node in hand.json["nodes"]:
        node["translation"] = (0.02 * rng.normal(size=3)).tolist()
    with pytest.raises(InputError, match="no bone was found for pelvis, head"):
        bonemap.find(rig_of(hand))


def unbound(**options: Any) -> Document:
    """A rig without bind matrices, whose nodes alone say how it rests."""
    document = example.character(mesh=False, **options)
    del document.json["skins"][0]["inverseBindMatrices"]
    return document


def test_bone_names_that_stand_twice_get_numbers() -> None:
    document = example.character(mesh=False)
    for side in ("left", "right"):
        document.json["nodes"][NAMES.index(f"{side}_foot")]["name"] = "Toe"
    made = rig_of(document)
    assert made.names.count("Toe") == 1 and "Toe.001" in made.names and "Toe" in made.notes[0]
    found = bonemap.find(made)
    assert found.node("right_ankle") == NAMES.index("right_ankle")


def test_a_person_without_a_skin_has_bones() -> None:
    document = example.character(mesh=False)
    del document.json["skins"]
    assert bonemap.find(rig_of(document)).missing == []


def test_of_two_people_the_first_is_taken_and_that_is_said() -> None:
    document = example.character(mesh=False)
    nodes = document.json["nodes"]
    count = len(nodes)
    for node in [dict(n) for n in nodes]:
        node["name"] = "B_" + node["name"]
        if "children" in node:
            node["children"] = [c + count for c in node["children"]]
        nodes.append(node)
    document.json["scenes"] = [{"nodes": [count - 1, 2 * count - 1]}]
    document.json["skins"].append({"joints": [j + count for j in document.json["skins"][0]["joints"]]})
    made = rig_of(document)
    assert "2 people" in made.notes[0] and bonemap.find(made).node("pelvis") == 0
    assert bonemap.find(rig_of(document, "B_Armature")).node("pelvis") == count
    assert bonemap.find(rig_of(document, "1")).node("pelvis") == count
    with pytest.raises(InputError, match="no person 'C'"):
        rig_of(document, "C")


@pytest.mark.parametrize("turn", [(0.4, 0.0, 0.0), (0.0, 2.1, 0.0), (1.6, 0.0, 0.3)])
@pytest.mark.parametrize("options", [{}, {"scale": 100, "z_up": True, "arms_down": 45}, {"rolls": 2}])
def test_a_file_saved_in_the_middle_of_an_animation_rests_as_it_was_bound(
    turn: tuple[float, float, float], options: dict[str, Any]
) -> None:
    plain = rig(**options)
    document = example.character(mesh=False, **options)
    moved = rotation.from_axis_angle(np.array(turn))
    for joint, name in enumerate(NAMES):
        node = document.json["nodes"][joint]
        x, y, z, w = node["rotation"]
        now = np.array([w, x, y, z])
        if name == "pelvis":
            now = rotation.multiply(moved, now)
        elif name in ("left_hip", "spine2", "right_shoulder"):
            now = rotation.multiply(now, rotation.from_axis_angle(np.array([0.5, 0.2, -0.4])))
        node["rotation"] = [*now[1:].tolist(), float(now[0])]
    made = rig_of(document)
    np.testing.assert_allclose(made.place[:22], plain.place[:22], atol=1e-5)
    assert set(made.moved) == set(range(22))
