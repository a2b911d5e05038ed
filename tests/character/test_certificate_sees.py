"""What the certificate must not pass: a bent trunk, a tipped head, rolled hands, a body that leans in its own file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from laban.character.animation import document_of
from laban.character.bonemap import find
from laban.character.certificate import Certificate, certify
from laban.character.made import make
from laban.character.rig import rig_of
from laban.character.stance import stance_of
from laban.character.transfer import CharacterMotion, transfer
from laban.motion import rotation
from laban.motion.landmarks import NAMES, perform
from laban.motion.motion import Motion
from tests.character import example
from tests.motion.test_rest_poses import INDEX, about, walker


def clip_of(motion: Motion) -> CharacterMotion:
    rig = rig_of(example.character())
    return transfer(motion, stance_of(rig, find(rig)))


def judged(clip: CharacterMotion) -> Certificate:
    return certify(clip, document_of(clip), 0)


def bowed(joint: str, turn: np.ndarray) -> Motion:
    motion = walker()
    rotations = motion.rotations.copy()
    rotations[:, INDEX[joint]] = rotation.multiply(turn, rotations[:, INDEX[joint]])
    return replace(motion, rotations=rotations)


def test_what_is_right_passes() -> None:
    found = judged(clip_of(walker()))
    assert found.passed, found.failed
    assert found.values["upright"] == 1.0


@pytest.mark.parametrize(
    ("joint", "turn", "key"),
    [
        ("spine1", about("x", 50.0), "trunk_degrees"),
        ("spine3", about("y", 45.0), "trunk_degrees"),
        ("pelvis", about("x", 90.0), "trunk_degrees"),
        ("neck", about("x", 80.0), "head_degrees"),
    ],
)
def test_a_clip_that_is_bent_where_the_source_is_not(joint: str, turn: np.ndarray, key: str) -> None:
    wrong = replace(clip_of(bowed(joint, turn)), performance=perform(walker()))
    found = judged(wrong)
    assert key in found.failed
    assert any("source-map" in line for line in found.lines())


@pytest.mark.parametrize(("name", "key"), [("head", "head_turn"), ("right_wrist", "hand_turn")])
def test_a_head_or_hand_that_is_turned_all_the_time(name: str, key: str) -> None:
    clip = clip_of(walker())
    turns = clip.performance.turns.copy()
    place = NAMES.index(name)
    turns[:, place] = rotation.multiply(turns[:, place], about("x", 110.0))
    assert key in judged(replace(clip, performance=replace(clip.performance, turns=turns))).failed


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_armature_moves_as_any(axis: int) -> None:
    document = example.character(mesh=False)
    del document.json["skins"][0]["inverseBindMatrices"]
    scale = [1.0, 1.0, 1.0]
    scale[axis] = -1.0
    pelvis, armature = document.json["nodes"][0], document.json["nodes"][22]
    armature["scale"] = pelvis["scale"] = scale
    pelvis["translation"] = (np.array(pelvis["translation"]) * scale).tolist()
    plain, rig = rig_of(example.character(mesh=False)), rig_of(document)
    np.testing.assert_allclose(rig.place[:22], plain.place[:22], atol=1e-5)
    made, want = (make(walker(), stance_of(r, find(r))) for r in (rig, plain))
    assert made.certificate.passed
    np.testing.assert_allclose(made.clip.world()[:, :22, :3, 3], want.clip.world()[:, :22, :3, 3], atol=1e-4)


@pytest.mark.parametrize("turn", [about("x", 32.0), about("y", 30.0), about("z", 30.0)])
def test_a_character_that_leans_or_faces_aside_in_its_own_file(turn: np.ndarray) -> None:
    document = example.character(mesh=False)
    del document.json["skins"][0]["inverseBindMatrices"]  # nothing says how it was bound
    node = document.json["nodes"][0]
    node["rotation"] = np.roll(rotation.multiply(turn, np.roll(np.array(node["rotation"]), 1)), -1).tolist()
    rig = rig_of(document)
    found = make(walker(), stance_of(rig, find(rig))).certificate
    assert "world_degrees" in found.failed
    assert any("rest pose" in line for line in found.lines())
