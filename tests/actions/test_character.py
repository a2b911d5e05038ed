"""A character from Python: inspected, worn, certified."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from laban.actions.character import InspectOptions, RetargetOptions, inspect, retarget
from laban.actions.context import Cancelled, Context
from laban.actions.wearing import Wearing
from laban.errors import InputError
from laban.io import gltf_document
from tests.actions import tiny
from tests.character import example


@pytest.fixture
def hero(tmp_path: Path) -> Path:
    gltf_document.write(example.character(arms_down=45), tmp_path / "hero.glb")
    return tmp_path / "hero.glb"


def test_inspect_keeps_a_map_that_is_there(hero: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(hero.parent)
    first = inspect(InspectOptions(hero), Context())
    assert first.written and not first.wrong and "left_hip" in json.loads(first.map.read_text())["bones"]
    again = inspect(InspectOptions(hero, map=first.map), Context())
    assert not again.written and again.bones.all().keys() == first.bones.all().keys()


def test_retarget_takes_a_motion_and_need_not_write(hero: Path, tmp_path: Path) -> None:
    made = retarget(RetargetOptions(tiny.walk(), hero, fps=20, name="stroll"), Context())
    assert made.certificate.passed and (made.clip.fps, made.clip.name) == (20, "stroll")
    assert [path.name for path in tmp_path.iterdir()] == ["hero.glb"]
    with pytest.raises(Cancelled):
        retarget(RetargetOptions(tiny.walk(), hero, (tmp_path / "x.glb",)), Context(cancelled=lambda: True))
    assert not (tmp_path / "x.glb").exists()


def test_a_worn_motion_is_written_with_its_certificate(hero: Path, tmp_path: Path) -> None:
    out = (tmp_path / "worn.glb", tmp_path / "worn.png")
    wearing = Wearing(hero, in_place=True)
    stance = wearing.check(out)
    assert stance is not None
    made = wearing.write(stance, tiny.walk(), out, Context(), {".png": {"width": 200, "height": 100}})
    assert json.loads(Path(f"{out[0]}.certificate.json").read_text())["passed"] == made.certificate.passed
    assert out[1].stat().st_size > 1000


def test_options_of_a_character_need_one(tmp_path: Path) -> None:
    assert Wearing().check(()) is None
    with pytest.raises(InputError, match="Give --character FILE too"):
        Wearing(in_place=True).check(())
    (tmp_path / "x.glb.certificate.json").mkdir()
    with pytest.raises(InputError, match="the certificate goes there"):
        Wearing(tmp_path / "hero.glb").check([tmp_path / "x.glb"])
