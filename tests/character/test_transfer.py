"""A motion onto characters: whatever the rest pose, armature and bone frames, the same person moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from laban import formats
from laban.character import animation, bonemap, export
from laban.character.asset import asset_of
from laban.character.certificate import certify
from laban.character.made import make
from laban.character.rig import rig_of
from laban.character.skin import parts
from laban.character.stance import Stance, load, stance_of
from laban.character.transfer import CharacterMotion, transfer, twist
from laban.errors import InputError
from laban.io import gltf_document
from laban.io.fbx.write import unscaled
from laban.motion import kinematics, rotation
from laban.motion.cleanup import tidy
from laban.motion.landmarks import perform
from laban.motion.motion import Motion, Segment
from laban.motion.skeletons import HUMANML22
from tests.character import example


def walk(seconds: float = 2.0, fps: float = 30.0) -> Motion:
    """Steps on the spot that travel along +Z, a hand that waves, and a head that turns."""
    t = np.arange(round(seconds * fps)) / fps
    turns = np.zeros((len(t), 22, 3))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = np.sin(2 * np.pi * t + (0 if sign > 0 else np.pi))
        turns[:, HUMANML22.index(f"{side}_hip"), 0] = -0.25 - 0.25 * swing
        turns[:, HUMANML22.index(f"{side}_knee"), 0] = 0.45 + 0.3 * swing
        turns[:, HUMANML22.index(f"{side}_ankle"), 0] = -0.2
        turns[:, HUMANML22.index(f"{side}_shoulder"), 2] = -sign * 1.2
        turns[:, HUMANML22.index(f"{side}_elbow"), 1] = -sign * (0.6 + 0.3 * swing)
    turns[:, HUMANML22.index("head"), 1] = 0.6 * np.sin(np.pi * t)
    root = np.stack([0 * t, 0.85 + 0 * t, 0.6 * t], -1)
    motion = Motion(HUMANML22, rotation.from_axis_angle(turns), root, fps, (Segment("a person walks", 0, seconds),))
    low = motion.joints()[..., 1].min() - 0.03
    return replace(motion, root=motion.root - [0, low, 0])


def stance(**options: Any) -> Stance:
    made = rig_of(example.character(**options))
    return stance_of(made, bonemap.find(made))


NUMBERED = {name: f"b{(5 * k) % 22:02}" for k, name in enumerate(HUMANML22.names)}
RIGS: dict[str, dict[str, Any]] = {
    "T-pose": {},
    "A-pose": {"arms_down": 45},
    "arms down": {"arms_down": 85},
    "armature turned and scaled by 100": {"scale": 100, "z_up": True},
    "scaled by a hundredth": {"scale": 0.01},
    "random bone frames": {"rolls": 1},
    "Z up, random frames, no names": {"lying": True, "rolls": 2, "names": NUMBERED},
    "three metres tall, twist bones": {"size": 1.7, "twist": True, "rolls": 3},
}


def joints(made: CharacterMotion) -> dict[str, np.ndarray]:
    """Mapped joints over time, in the performer's metres and our axes, by forward kinematics over the file's nodes."""
    whom = made.stance
    world = whom.rig.forward(made.rotations, made.translations, made.frames)
    places = rotation.rotate(whom.frame, world[..., :3, 3]) / made.unit
    return {name: places[:, bone.node] for name, bone in whom.map.bones.items()}


@pytest.mark.parametrize("name", RIGS)
def test_the_same_body_makes_the_same_motion(name: str) -> None:
    """The rigs are our own skeleton in disguise, so every joint must come out where ours is."""
    motion = walk()
    made = transfer(motion, stance(mesh=False, **RIGS[name]))
    expected = motion.joints()
    found = joints(made)
    done = perform(motion)
    for side in ("left", "right"):
        for limb in ("shoulder", "elbow", "wrist", "hip", "knee"):
            own = found[f"{side}_{limb}"] - found["pelvis"]
            theirs = expected[:, HUMANML22.index(f"{side}_{limb}")] - expected[:, 0]
            assert np.abs(own - theirs).max() < 0.04, (side, limb)  # the knees give: feet are kept on the floor
    plain = joints(transfer(motion, stance(mesh=False)))
    assert max(np.abs(found[name] - plain[name]).max() for name in plain) < 1e-6
    assert made.unit == pytest.approx(RIGS[name].get("size", 1.0), rel=1e-6)
    travel = found["pelvis"][-1] - found["pelvis"][0]
    np.testing.assert_allclose(travel, (done.of("pelvis")[-1] - done.of("pelvis")[0]), atol=0.02)


@pytest.mark.parametrize("name", ["T-pose", "armature turned and scaled by 100", "Z up, random frames, no names"])
def test_certificates_pass_and_a_spoilt_clip_fails(name: str) -> None:
    whom = stance(**RIGS[name])
    made = transfer(walk(), whom)
    document = animation.document_of(made)
    good = certify(made, document, 0)
    assert good.passed, good.lines()
    assert good.values["limb_degrees"] < 2 and good.values["round_trip_cm"] < 1  # type: ignore[operator]
    pelvis = whom.map.node("pelvis")
    parent = whom.rig.parents[pelvis]
    down = rotation.rotate(rotation.conjugate(whom.frame), np.array([0.0, -0.1, 0.0])) * made.unit
    down = np.linalg.inv(whom.rig.world[parent][:3, :3]) @ down
    sunk = replace(made, translations=made.translations | {pelvis: made.translations[pelvis] + down})
    bad = certify(sunk, animation.document_of(sunk), 0)
    assert {"foot_height_cm", "penetration_cm"} <= set(bad.failed)
    assert bad.values["penetration_cm"] == pytest.approx(10, abs=1)
    elbow = whom.map.node("left_elbow")
    bent = rotation.multiply(made.rotations[elbow], rotation.from_axis_angle(np.array([1.2, 0.7, 0.5])))
    broken = replace(made, rotations=made.rotations | {elbow: bent})
    assert {"limb_degrees", "reach"} <= set(certify(broken, animation.document_of(broken), 0).failed)
    slid = made.translations[pelvis].copy()
    sideways = rotation.rotate(rotation.conjugate(whom.frame), np.array([1.0, 0.0, 0.0])) * made.unit
    slid += np.arange(made.frames)[:, None] / made.fps * (np.linalg.inv(whom.rig.world[parent][:3, :3]) @ sideways)
    skating = replace(made, translations=made.translations | {pelvis: slid})
    assert "skate_ratio" in certify(skating, animation.document_of(skating), 0).failed


def test_twist_is_spread_over_twist_bones() -> None:
    axis = np.array([1.0, 0.0, 0.0])
    turn = rotation.multiply(rotation.from_axis_angle(np.array([0.0, 0.5, 0.0])), rotation.from_axis_angle(0.8 * axis))
    assert twist(turn[None], axis)[0] == pytest.approx(0.8)
    motion = walk()
    turns = motion.rotations.copy()
    wrist = HUMANML22.index("left_wrist")
    turns[:, wrist] = rotation.multiply(turns[:, wrist], rotation.from_axis_angle(1.0 * axis))
    motion = replace(motion, rotations=turns)
    spread: list[float] = []
    for with_bones in (False, True):
        whom = stance(mesh=False, twist=with_bones)
        made = transfer(motion, whom)
        world = whom.rig.forward(made.rotations, made.translations, made.frames)
        elbow, hand = whom.map.node("left_elbow"), whom.map.node("left_wrist")
        nodes = [elbow, *whom.map.twist.get("left_elbow", ()), hand]
        from laban.character.rig import turn_of

        still = turn_of(whom.rig.world[nodes])
        away = rotation.multiply(turn_of(world[:, nodes]), rotation.conjugate(still))
        shares = [float(np.median(twist(rotation.multiply(rotation.conjugate(away[:, -1]), away[:, k]), axis)))
                  for k in range(len(nodes))]  # fmt: skip
        spread.append(shares[0])
        if with_bones:
            assert len(nodes) == 3 and shares[1] == pytest.approx(-0.5, abs=0.05)
    assert spread == pytest.approx([-0.5, -1.0], abs=0.05)


def test_in_place_keeps_the_sway_and_takes_the_path() -> None:
    whom = stance(mesh=False)
    made = transfer(walk(4.0), whom, root="in-place")
    found = joints(made)["pelvis"]
    assert np.ptp(found[:, 2]) < 0.05 < 2.0 < np.ptp(made.path[:, 2])
    assert certify(made, animation.document_of(made), 0).values["skate_ratio"] < 1.2  # type: ignore[operator]


def test_hand_reach_puts_hands_where_they_were() -> None:
    """A forearm that is longer than the performer's: directions or places, not both."""
    document = example.character(mesh=False)
    for node in document.json["nodes"]:
        if node.get("name", "").endswith("Hand"):
            node["translation"] = (np.array(node["translation"]) * 1.5).tolist()
    del document.json["skins"][0]["inverseBindMatrices"]
    rig = rig_of(document)
    whom = stance_of(rig, bonemap.find(rig))
    figures = []
    for reach in (False, True):
        made = transfer(walk(), whom, hand_reach=reach)
        figures.append(certify(made, animation.document_of(made), 0).values)
    assert figures[0]["reach"] > 0.05 and figures[1]["reach"] < 0.01  # type: ignore[operator]
    assert figures[0]["limb_degrees"] < figures[1]["limb_degrees"]  # type: ignore[operator]


def test_the_file_keeps_everything_and_gets_a_clip(tmp_path: Path) -> None:
    path = tmp_path / "hero.glb"
    document = example.character()
    document.json["extras"] = {"mine": [1, 2]}
    document.json["animations"] = [{"name": "a person walks", "channels": [], "samplers": []}]
    gltf_document.write(document, path)
    before = gltf_document.read(path)
    whom = load(path)
    for append in (False, True):
        made = make(walk(), whom, append=append)
        export.write(made, tmp_path / "out.glb")
        after = gltf_document.read(tmp_path / "out.glb")
        assert bytes(after.buffers[0])[: len(before.buffers[0])] == bytes(before.buffers[0])
        for key in ("meshes", "materials", "skins", "nodes", "extras", "scenes"):
            assert after.json[key] == before.json[key]
        for key in ("accessors", "bufferViews"):
            assert after.json[key][: len(before.json[key])] == before.json[key]
        names = [a["name"] for a in after.json["animations"]]
        assert names == (["a person walks", "a person walks.2"] if append else ["a person walks.2", "a person walks"])
    assert (tmp_path / "out.glb.certificate.json").is_file()
    assert gltf_document.read(path).json == before.json


def test_a_written_clip_reads_back_as_a_motion(tmp_path: Path) -> None:
    path = tmp_path / "out.glb"
    document = example.character(rolls=4)
    gltf_document.write(document, tmp_path / "hero.glb")
    motion = walk()
    export.write(make(motion, load(tmp_path / "hero.glb")), path)
    back = formats.read(path, "a person walks")
    assert back.segments[0].text == "a person walks" and back.frames == motion.frames
    turns = [perform(m).turns for m in (back, motion)]
    assert np.abs((turns[0] * turns[1]).sum(-1)).min() > np.cos(np.radians(8) / 2)
    with pytest.raises(InputError, match="it has a person walks"):
        formats.read(path, "a person runs")


def test_a_bvh_skeleton_is_a_character_too(tmp_path: Path) -> None:
    from laban.io import bvh

    bvh.write(walk(), tmp_path / "rig.bvh")
    made = make(walk(), load(tmp_path / "rig.bvh"))
    assert made.certificate.passed
    export.write(made, tmp_path / "out.bvh")
    assert np.abs(bvh.read(tmp_path / "out.bvh").joints() - walk().joints()).max() < 0.03


def test_partial_characters_are_moved_as_far_as_they_go() -> None:
    rig = rig_of(example.character(mesh=False))
    whole = bonemap.guess(rig)
    legs = {n: b for n, b in whole.bones.items() if "shoulder" not in n and "elbow" not in n and "wrist" not in n}
    part = bonemap.complete(rig, legs)
    bonemap.check(rig, part, partial=True)
    made = make(walk(), stance_of(rig, part))
    assert made.certificate.values["reach"] is None and made.certificate.passed


def test_vrm_animation(tmp_path: Path) -> None:
    whom = stance(rolls=1, arms_down=45)
    export.write(make(walk(), whom), tmp_path / "a.vrma")
    document = gltf_document.read(tmp_path / "a.vrma")
    bones = document.json["extensions"]["VRMC_vrm_animation"]["humanoid"]["humanBones"]
    assert document.json["extensionsUsed"] == ["VRMC_vrm_animation"]
    assert {"hips", "spine", "chest", "upperChest", "neck", "head", "leftHand", "rightToes"} <= bones.keys()
    nodes = document.json["nodes"]
    assert all("rotation" not in node for node in nodes)
    assert nodes[bones["leftHand"]["node"]]["name"] == "left_wrist"
    tracks = {c["target"]["node"]: document.array(document.json["animations"][0]["samplers"][c["sampler"]]["output"])
              for c in document.json["animations"][0]["channels"] if c["target"]["path"] == "rotation"}  # fmt: skip
    arm = tracks[bones["leftUpperArm"]["node"]][:, [3, 0, 1, 2]].astype(float)
    shoulder = [
        rotation.multiply(
            rotation.conjugate(perform(walk()).turn("left_collar")), perform(walk()).turn("left_shoulder")
        )
    ]
    assert np.abs(np.abs((arm * shoulder[0]).sum(-1)) - 1).max() < 1e-3


def test_fbx_holds_bones_meshes_and_a_certificate_lies_beside(tmp_path: Path) -> None:
    export.write(make(walk(), stance()), tmp_path / "a.fbx")
    data = (tmp_path / "a.fbx").read_bytes()
    assert data.startswith(b"Kaydara FBX Binary") and b"mixamorig:Hips\0\x01Model" in data
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.fbx", "a.fbx.certificate.json"]


def test_an_asset_keeps_every_weight_and_scale_goes_into_places(tmp_path: Path) -> None:
    """An armature that is scaled by 100 and turned: the asset skins to where the rig's own skin is."""
    made = make(walk(), stance(scale=100.0, z_up=True))
    body = unscaled(asset_of(made))
    np.testing.assert_allclose(body.scales, 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(body.rest[:, :3, :3]), 1, atol=1e-6)
    frame = 5
    world = np.tile(np.eye(4), (len(body.bones), 1, 1))
    for bone, parent in enumerate(body.parents):
        own = np.eye(4)
        own[:3, :3] = rotation.to_matrix(body.rotations[frame, bone])
        own[:3, 3] = body.translations[frame, bone]
        world[bone] = world[parent] @ own if parent >= 0 else own
    mesh = body.meshes[0]
    moves = world @ np.linalg.inv(body.rest)
    points = np.einsum("vk,vkab,vb->va", mesh.weights, moves[mesh.joints][..., :3, :3], mesh.vertices)
    points += np.einsum("vk,vka->va", mesh.weights, moves[mesh.joints][..., :3, 3])
    there = np.concatenate([part.at(made.clip.world()[frame]) for part in parts(made.clip.stance.rig)])
    np.testing.assert_allclose(np.sort(points, axis=0), np.sort(there, axis=0), atol=1e-5)


def test_pictures_show_the_mesh(tmp_path: Path) -> None:
    from PIL import Image

    formats.write(make(walk(), stance()), tmp_path / "a.png", width=400, height=200, poses_shown=2)
    pixels = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).astype(int)
    blue = (pixels[..., 2] > pixels[..., 0] + 25).mean()  # the example's cloth
    assert 0.02 < blue < 0.5


def sliding() -> Motion:
    """Someone who stands 20 cm above the floor, and slides."""
    motion = walk(3.0)
    still = np.repeat(motion.rotations[:1], motion.frames, axis=0)
    t = np.arange(motion.frames) / motion.fps
    root = np.stack([0.03 * np.sin(2 * t), 0.2 + motion.root[:, 1], 0 * t], -1)
    return replace(motion, rotations=still, root=root)


@pytest.fixture(scope="module")
def theirs() -> Iterator[Motion]:
    """The same on a rig with other names and a rest pose that is no T-pose."""
    made = transfer(sliding(), stance(mesh=False, arms_down=60, rolls=2))
    world = made.stance.rig.forward(made.rotations, made.translations, made.frames)
    yield animation.motion_from_world(made.stance, world, made.fps, every=True)


def test_tidy_locks_feet_and_levels_the_floor(theirs: Motion) -> None:
    for motion in (sliding(), theirs):
        lifted = replace(motion, root=motion.root + [0, 0.3, 0])
        clean = tidy(lifted, foot_lock=True, ground=True)
        before, after = perform(lifted), perform(clean)
        assert abs(after.low[1]) < 0.06 < before.low[1]
        paths = [np.ptp(p.of("left_foot")[5:-5, [0, 2]], axis=0).max() for p in (before, after)]
        assert paths[1] < 0.2 * paths[0]
        arm = [kinematics.global_rotations(m.skeleton, m.rotations)[:, -1] for m in (motion, clean)]
        assert np.abs(np.abs((arm[0] * arm[1]).sum(-1)) - 1).max() < 1e-6  # above the knees nothing turned


def test_usd(tmp_path: Path) -> None:
    made = make(walk(0.5), stance(arms_down=30))
    pytest.importorskip("pxr", reason="usd-core is not installed")
    from pxr import Usd, UsdSkel

    export.write(made, tmp_path / "a.usda")
    stage = Usd.Stage.Open(str(tmp_path / "a.usda"))
    cache = UsdSkel.Cache()
    cache.Populate(UsdSkel.Root(stage.GetPrimAtPath("/Character")), Usd.TraverseInstanceProxies())
    query = cache.GetSkelQuery(UsdSkel.Skeleton(stage.GetPrimAtPath("/Character/Skeleton")))
    rig, clip_ = made.clip.stance.rig, made.clip
    bones = [n for n in rig.order if n in rig.joints]
    world = rig.forward(clip_.rotations, clip_.translations, clip_.frames)
    found = np.array(query.ComputeJointSkelTransforms(7))[:, 3, :3]
    assert np.abs(found - world[7][bones][:, :3, 3]).max() < 1e-5


def test_usd_joint_paths() -> None:
    from laban.io.usda import joint_paths

    assert joint_paths(["a b", "1", "1", "x"], [-1, 0, 0, 2]) == ["a_b", "a_b/_1", "a_b/_1_2", "a_b/_1_2/x"]
