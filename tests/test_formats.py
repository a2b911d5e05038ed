"""The table of suffixes: what is read and written by it, and what is said of other files."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest

from laban import formats
from laban.character import stance
from laban.character.made import make
from laban.errors import FormatError, InputError
from laban.io import gltf, gltf_document
from laban.io.frames import Video
from laban.motion.motion import Motion, Segment
from laban.motion.skeletons import HUMANML22
from tests.character.example import character
from tests.motion.conftest import walk_rotations


@pytest.fixture(scope="module")
def walk() -> Motion:
    return Motion(HUMANML22, *walk_rotations(10), 20.0, (Segment("a person walks", 0.0, 0.5),))


@pytest.fixture
def hero(walk: Motion, tmp_path: Path) -> Path:
    """A character's file with an animation."""
    path = tmp_path / "hero.glb"
    gltf_document.write(character(), path)
    formats.write(make(walk, stance.load(path)), path)
    return path


def test_every_entry_of_the_table_is_a_module_that_can_do_it() -> None:
    tables = ((formats.READERS, "read"), (formats.CHARACTER_READERS, "read"), (formats.WRITERS, "write"),
              (formats.VIDEO_WRITERS, "write"), (formats.CHARACTER_WRITERS, "write"))  # fmt: skip
    for table, verb in tables:
        for module in set(table.values()):
            assert callable(getattr(importlib.import_module(module), verb)), (module, verb)


@pytest.mark.parametrize("suffix", sorted(formats.ROUND_TRIP))
def test_a_motion_comes_back(walk: Motion, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix.upper()}"
    formats.write(walk, path)
    np.testing.assert_allclose(formats.read(path).joints(), walk.joints(), atol=1e-4)


def test_a_rigged_file_of_others_is_read_too(hero: Path, walk: Motion) -> None:
    motion = formats.read(hero)
    assert motion.segments[0].text == "a person walks" and abs(motion.seconds - walk.seconds) < 0.1
    assert {"pelvis", "left_wrist", "right_foot", "head"} <= set(motion.skeleton.names)
    with pytest.raises(InputError, match="no animation 'run'"):
        formats.read(hero, "run")


def test_ours_is_told_apart(hero: Path, walk: Motion, tmp_path: Path) -> None:
    formats.write(walk, tmp_path / "a.glb")
    assert gltf.is_ours(tmp_path / "a.glb") and not gltf.is_ours(hero) and not gltf.is_ours(tmp_path / "absent.glb")
    (tmp_path / "cut.glb").write_bytes((tmp_path / "a.glb").read_bytes()[:200])
    assert not gltf.is_ours(tmp_path / "cut.glb")
    with pytest.raises(FormatError):
        formats.read(tmp_path / "cut.glb")


def test_what_is_written_decides_which_suffixes_there_are(hero: Path, walk: Motion, tmp_path: Path) -> None:
    video = Video(np.zeros((2, 16, 16, 1), np.uint8), 5.0)
    for content, wrong, known in ((walk, "a.vrm", ".bvh"), (video, "a.glb", ".gif"),
                                  (make(walk, stance.load(hero)), "a.html", ".vrma")):  # fmt: skip
        with pytest.raises(InputError, match="unknown suffix") as error:
            formats.write(content, tmp_path / wrong)
        assert known in str(error.value)
        assert not (tmp_path / wrong).exists()
    formats.write(video, tmp_path / "a.png")
    assert (tmp_path / "a.png").is_file()


def test_an_absent_or_unknown_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        formats.read(tmp_path / "absent.bvh")
    with pytest.raises(InputError, match=r"expected one of \.amc \.bvh \.fbx \.glb"):
        formats.read(tmp_path / "a.txt")
