"""Convert, render, info, clean: the plain functions, called from Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import laban
from laban.actions import files
from laban.actions.clean import CleanOptions, clean
from laban.actions.context import Cancelled, Context
from laban.errors import InputError
from tests.actions import tiny


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    path = tmp_path / "walk.npz"
    laban.write(tiny.walk(), path)
    return path


def test_convert_gives_back_what_it_wrote(walk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = (tmp_path / "walk.bvh", tmp_path / "walk.glb")
    written = files.convert(files.ConvertOptions(walk, out, fps=60), Context())
    assert [w.path for w in written] == list(out) and written[0].motion.fps == 60
    np.testing.assert_allclose(laban.read(out[0]).joints(), written[0].motion.joints(), atol=1e-4)
    assert capsys.readouterr() == ("", "")


def test_a_film_tells_its_frames_and_a_picture_none(walk: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int | None, str]] = []
    context = Context(progress=lambda *said: told.append(said))
    out = (tmp_path / "walk.png", tmp_path / "walk.gif")
    files.render(files.RenderOptions(walk, out, width=320, height=200, fps=5), context)
    assert {what for _, _, what in told} == {"walk.gif"} and told[-1][0] == round(3.4 * 5)
    assert all(path.stat().st_size > 100 for path in out)


def test_bounds_are_said_by_the_option(walk: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="width is 8, expected a whole number from 32 to 8192"):
        files.render(files.RenderOptions(walk, (tmp_path / "x.png",), width=8), Context())
    assert not (tmp_path / "x.png").exists()


def test_who_cancels_finds_nothing_written(walk: Path, tmp_path: Path) -> None:
    context = Context(cancelled=lambda: True)
    with pytest.raises(Cancelled):
        files.convert(files.ConvertOptions(walk, (tmp_path / "x.bvh",)), context)
    with pytest.raises(Cancelled):
        clean(CleanOptions(walk, (tmp_path / "x.bvh",), ground=True), context)
    assert [path.name for path in tmp_path.iterdir()] == ["walk.npz"]


def test_info_measures(walk: Path) -> None:
    found = files.info(walk)
    root = found.motion.root[:, [0, 2]]
    assert found.path == pytest.approx(np.linalg.norm(np.diff(root, axis=0), axis=-1).sum())
    assert found.lowest < 0.1 < 1.2 < found.highest


def test_clean_takes_a_motion_and_levels_it() -> None:
    motion = tiny.walk()
    raised = replace(motion, root=motion.root + np.array([0, 0.3, 0]))
    done = clean(CleanOptions(raised, ground=True), Context())
    assert done.before["floor_cm"] > 20 and abs(done.after["floor_cm"]) < 1
    np.testing.assert_allclose(done.motion.rotations, raised.rotations)


def test_what_a_reader_assumed_is_told_and_a_part_is_taken(tmp_path: Path) -> None:
    from laban.actions.character import RetargetOptions, retarget
    from laban.actions.reading import ReadOptions, read
    from laban.io import bvh
    from tests.motion.test_bearings import in_axes
    from tests.motion.test_rest_poses import walker

    bvh.write(in_axes(walker(60), "z", rest=True), tmp_path / "z.bvh", scale=1 / 0.0254)
    said: list[str] = []
    context = Context(warn=said.append)
    motion = read(tmp_path / "z.bvh", ReadOptions(start=0.5, end=1.5), context)
    assert motion.frames == 20 and not motion.notes and len(said) == 2 and all("z.bvh: " in line for line in said)
    np.testing.assert_allclose(motion.root, walker(60).root[10:30], atol=1e-4)
    assert read(walker(60), ReadOptions(source_fps=30), context).seconds == pytest.approx(2.0)
    with pytest.raises(InputError, match="leave nothing"):
        read(walker(60), ReadOptions(start=3.0), context)
    made = retarget(RetargetOptions(tmp_path / "z.bvh", tmp_path / "z.bvh", reading=ReadOptions(end=1.0)), context)
    assert made.clip.frames == 20 and made.certificate.passed
