"""An asset says in one form what the writers of rigged files write: bones, tracks and a bound mesh."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from laban.character.asset import asset_of as asset_of_character
from laban.character.bonemap import find
from laban.character.made import make
from laban.character.rig import rig_of
from laban.character.stance import stance_of
from laban.figure.asset import Asset, asset_of, to_parents
from laban.figure.mesh import skin
from laban.motion import kinematics, rotation
from laban.motion.motion import Motion, Segment
from laban.motion.skeletons import HUMANML22
from tests.character.example import character
from tests.motion.conftest import walk_rotations


@pytest.fixture(scope="module")
def walk() -> Motion:
    return Motion(HUMANML22, *walk_rotations(12), 20.0, (Segment("a person walks", 0.0, 0.6),), {"seed": 1})


def posed(asset: Asset, frame: int) -> np.ndarray:
    """(V, 3) the first mesh under the bones of a frame, by linear blend skinning from the asset's own numbers."""
    world = np.zeros((len(asset.bones), 4, 4))
    for bone, parent in enumerate(asset.parents):
        local = np.eye(4)
        local[:3, :3] = rotation.to_matrix(asset.rotations[frame, bone]) * asset.scales[bone]
        local[:3, 3] = asset.translations[frame, bone]
        world[bone] = local if parent < 0 else world[parent] @ local
    moves = (world @ np.linalg.inv(asset.rest))[asset.meshes[0].joints][..., :3, :]
    blended = np.einsum("vk,vkab->vab", asset.meshes[0].weights, moves)
    return np.einsum("vab,vb->va", blended[..., :3], asset.meshes[0].vertices) + blended[..., 3]


def test_a_motions_asset_moves_as_the_motion_does(walk: Motion) -> None:
    asset = asset_of(walk)
    assert asset.bones == HUMANML22.names and asset.frames == 12 and asset.name == "a person walks"
    assert abs(asset.meshes[0].vertices[:, 1].min()) < 1e-12  # the rest pose stands on the floor
    plain = replace(asset.meshes[0], vertices=asset.meshes[0].vertices - asset.offsets[0])
    expected = skin(plain, HUMANML22, walk.rotations[5:6], walk.root[5:6])[0]
    np.testing.assert_allclose(posed(asset, 5), expected, atol=2e-5)


def test_a_characters_asset_is_the_character_in_the_files_units(walk: Motion) -> None:
    rig = rig_of(character(scale=100.0, z_up=True, twist=True))
    made = make(walk, stance_of(rig, find(rig)))
    asset = asset_of_character(made)
    assert set(asset.bones) == {rig.names[n] for n in rig.joints} and asset.passport == {"seed": 1}
    assert all(parent < bone for bone, parent in enumerate(asset.parents))
    nodes = [rig.index(name) for name in asset.bones]
    np.testing.assert_allclose(asset.rest, rig.world[nodes], atol=1e-9)
    world = made.clip.world()
    np.testing.assert_allclose(to_parents(world[:, nodes], asset.parents)[..., :3, 3], asset.translations, atol=1e-9)
    low = [posed(asset, frame)[:, 1].min() for frame in range(asset.frames)]
    height = np.ptp(asset.meshes[0].vertices[:, 1])
    assert np.abs(low).max() < 0.03 * height  # it walks on the floor


def test_local_and_world_agree() -> None:
    rotations, root = walk_rotations(3)
    world = np.tile(np.eye(4), (3, 22, 1, 1))
    world[..., :3, :3] = rotation.to_matrix(kinematics.global_rotations(HUMANML22, rotations))
    world[..., :3, 3] = kinematics.forward(HUMANML22, rotations, root)
    local = to_parents(world, HUMANML22.parents)
    np.testing.assert_allclose(local[..., :3, :3], rotation.to_matrix(rotations), atol=1e-9)
    np.testing.assert_allclose(local[:, 1:, :3, 3], np.broadcast_to(HUMANML22.offsets[1:], (3, 21, 3)), atol=1e-9)
