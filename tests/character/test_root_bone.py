"""The bone on the floor that carries travel and heading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from laban.character import export
from laban.character.bonemap import find
from laban.character.made import Made, make
from laban.character.rig import read, rig_of
from laban.character.root_bone import root_of, with_root
from laban.character.stance import stance_of
from laban.errors import InputError
from laban.motion import rotation
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22
from tests.character import example


def walk(frames: int = 60) -> Motion:
    """Along an arc to the left, hips swaying."""
    t = np.arange(frames) / 30
    turns = np.zeros((frames, 22, 4))
    turns[..., 0] = 1.0
    turns[:, 0] = rotation.yaw(0.5 * t)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        swing = np.zeros((frames, 3))
        swing[:, 0] = 0.4 * sign * np.sin(6 * t)
        turns[:, HUMANML22.index(f"{side}_hip")] = rotation.from_axis_angle(swing)
    root = np.stack([1 - np.cos(0.5 * t), 0.9 + 0.01 * np.sin(12 * t), np.sin(0.5 * t)], -1) * [2, 1, 2]
    return Motion(HUMANML22, turns, root, 30.0)


def worn(root: str, **options: Any) -> Made:
    rig = rig_of(example.character(**options))
    return make(walk(), stance_of(rig, find(rig)), root=root)


@pytest.mark.parametrize("options", [{}, {"scale": 100, "z_up": True}, {"rolls": 1}])
def test_the_body_moves_as_before_and_the_root_bone_under_it(options: dict[str, Any], tmp_path: Path) -> None:
    plain, carried = worn("travel", **options), worn("root-bone", **options)
    export.write(carried, tmp_path / "out.glb")
    rig = read(tmp_path / "out.glb")
    pelvis = rig.index("mixamorig:Hips")
    root = root_of(rig, pelvis)
    assert root is not None and rig.names[root] == "root" and root in rig.joints
    own, there = plain.clip.world(), carried.clip.world()
    np.testing.assert_allclose(there[:, :22, :3, 3], own[:, :22, :3, 3], atol=2e-4)
    np.testing.assert_allclose(there[:, :22, :3, :3], own[:, :22, :3, :3], atol=2e-4 * options.get("scale", 1))
    way = there[:, root, :3, 3] - there[:, pelvis, :3, 3]
    assert np.abs(there[:, root, 1, 3]).max() < 1e-4  # on the floor
    assert np.linalg.norm(way[:, [0, 2]], axis=-1).max() < 0.1  # under the hips
    assert np.abs(carried.clip.translations[pelvis] - carried.clip.translations[pelvis].mean(0)).max() < 12
    assert carried.certificate.values["limb_degrees"] == pytest.approx(
        plain.certificate.values["limb_degrees"], abs=0.05
    )


def test_a_character_that_has_a_root_bone_uses_it() -> None:
    rig = with_root(rig_of(example.character()), 0)
    again = with_root(rig, 0)
    assert again is rig and root_of(rig, 0) == len(rig.names) - 1


def test_formats_whose_bones_keep_their_places_refuse_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no place in it"):
        export.write(worn("root-bone"), tmp_path / "out.bvh")
    assert not list(tmp_path.iterdir())
