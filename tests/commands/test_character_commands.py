"""`laban character inspect`, `retarget`, `clean`, `render`: exit codes, files, and nothing written for bad input."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from laban.character import stance
from laban.character.bonemap import REQUIRED
from laban.character.made import make
from laban.cli import main
from laban.io import bvh, gltf_document
from laban.motion.skeletons import HUMANML22
from tests.character import example
from tests.character.test_transfer import walk

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "characters"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    gltf_document.write(example.character(arms_down=45), tmp_path / "hero.glb")
    bvh.write(walk(1.0), tmp_path / "walk.bvh")
    return tmp_path


def saved(document: gltf_document.Document, path: Path) -> Path:
    gltf_document.write(document, path)
    return path


def prop(folder: Path) -> Path:
    document = example.character(names={name: f"plank{k}" for k, name in enumerate(HUMANML22.names)})
    del document.json["skins"]
    for node in document.json["nodes"]:
        node.pop("skin", None)
        if "translation" in node:
            node["translation"] = [0.0, 0.0, 0.1]
    return saved(document, folder / "bad.glb")


def truncated(folder: Path) -> Path:
    whole = (folder / "hero.glb").read_bytes()
    (folder / "bad.glb").write_bytes(whole[: len(whole) // 2])
    return folder / "bad.glb"


def changed(folder: Path, **changes: Any) -> Path:
    document = example.character(mesh=False)
    document.json |= changes
    body = json.dumps(document.json).encode()
    body += b" " * (-len(body) % 4)
    data = bytes(document.buffers[0])
    chunks = struct.pack("<II", len(body), 0x4E4F534A) + body + struct.pack("<II", len(data), 0x004E4942) + data
    (folder / "bad.glb").write_bytes(struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks)
    return folder / "bad.glb"


BAD = {
    "a prop": (prop, "no skeleton"),
    "a truncated file": (truncated, "truncated"),
    "a huge accessor": (lambda f: changed(f, accessors=[
        {"bufferView": 0, "componentType": 5126, "count": 1 << 27, "type": "VEC4"}]), "wants 2147483648 bytes"),
    "cyclic nodes": (lambda f: changed(f, nodes=[{"children": [1]}, {"children": [0]}]), "circle"),
    "a missing buffer": (lambda f: changed(f, buffers=[{"byteLength": 8}, {"byteLength": 8}]), "is missing"),
    "a URI outside": (lambda f: changed(f, buffers=[{"byteLength": 8, "uri": "../../x"}]), "outside the file's folder"),
    "no glTF at all": (lambda f: (f / "bad.glb").write_text("hello") and f / "bad.glb", "do not begin as a GLB"),
    "a file that is not there": (lambda f: f / "none.glb", "no such file"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_characters_are_one_line_exit_2_and_nothing_written(
    place: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    make, said = BAD[case]
    path = make(place)  # type: ignore[operator]
    before = sorted(place.iterdir())
    assert main(["retarget", "walk.bvh", "--character", str(path), "--out", "out.glb"]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert sorted(place.iterdir()) == before


def test_inspect_writes_a_map_that_retarget_takes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["character", "inspect", "hero.glb"]) == 0
    shown = capsys.readouterr().out
    assert "left_knee" in shown and "its name, 'mixamorig:LeftLeg'" in shown and "90%" in shown
    text = json.loads((place / "hero.map.json").read_text())
    assert text["bones"]["left_knee"] == "mixamorig:LeftLeg" and set(REQUIRED) <= text["bones"].keys()
    text["bones"]["left_knee"] = None
    (place / "hero.map.json").write_text(json.dumps(text))
    assert main(["character", "inspect", "hero.glb"]) == 0
    assert "was kept" in capsys.readouterr().out
    assert json.loads((place / "hero.map.json").read_text()) == text
    order = ["retarget", "walk.bvh", "--character", "hero.glb", "--map", "hero.map.json", "--out", "out.glb"]
    assert main(order) == 2
    assert "no bone was found for left_knee" in capsys.readouterr().err


def test_retarget_writes_files_and_certificates(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order = ["retarget", "walk.bvh", "--character", "hero.glb", "--out", "a.glb", "a.bvh", "--fps", "60", "--json"]
    assert main(order) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["certificate"]["passed"] and told["certificate"]["fps"] == 60
    for name in ("a.glb", "a.bvh"):
        record = json.loads((place / f"{name}.certificate.json").read_text())
        assert record["values"]["limb_degrees"] < 3 and record["thresholds"]["skate_ratio"] == 1.2
    animation = gltf_document.read(place / "a.glb").json["animations"][0]
    assert animation["extras"]["laban"]["certificate"]["passed"]
    assert bvh.read(place / "a.bvh").fps == 60
    assert main(["retarget", "a.glb", "--character", "hero.glb", "--out", "b.glb", "--append", "--name", "again"]) == 0
    assert main(["retarget", "walk.bvh", "--character", "hero.glb", "--out", "b.vrm"]) == 2
    assert main(["retarget", "walk.bvh", "--character", "hero.glb", "--out", "b.xyz"]) == 2
    assert "unknown suffix" in capsys.readouterr().err


def test_a_failed_certificate_is_exit_1_and_keeps_the_file(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laban.character.certificate.LOOP_SEAM", 1.0)
    bvh.write(walk(0.7), place / "part.bvh")  # not a whole step: no loop
    assert main(["retarget", "part.bvh", "--character", "hero.glb", "--out", "out.glb", "--loop"]) == 1
    shown = capsys.readouterr().out
    assert "certificate: FAIL" in shown and "seam of the loop" in shown and (place / "out.glb").is_file()


def test_clean_tells_before_and_after(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clean", "walk.bvh", "--out", "c.bvh"]) == 2
    assert main(["clean", "walk.bvh", "--out", "c.bvh", "--foot-lock", "--ground", "--smooth", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["after"]["skate"] <= told["before"]["skate"] and abs(told["after"]["floor_cm"]) < 1
    assert main(["retarget", "walk.bvh", "--character", "hero.glb", "--out", "a.glb"]) == 0
    assert main(["clean", "a.glb", "--out", "d.glb", "--ground"]) == 0
    names = [a["name"] for a in gltf_document.read(place / "d.glb").json["animations"]]
    assert len(names) == 2 and names[0].endswith("(clean)")


def test_render_draws_a_character(place: Path) -> None:
    from PIL import Image

    assert main(["retarget", "walk.bvh", "--character", "hero.glb", "--out", "a.glb", "--quiet"]) == 0
    assert main(["render", "a.glb", "a.png", "--width", "400", "--height", "160", "--quiet"]) == 0
    with Image.open(place / "a.png") as picture:
        assert picture.size == (400, 160)
    assert main(["render", "hero.glb", "b.png"]) == 2  # no animation in it


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the project's own data, ../shared/data/characters")
@pytest.mark.parametrize("name", sorted(p.name for p in SHARED.rglob("*.glb")))
def test_published_characters(name: str) -> None:
    made = make(walk(), stance.load(next(SHARED.rglob(name))))
    assert made.certificate.passed, made.certificate.lines()


def test_generate_refuses_a_bad_character_before_it_loads_a_model(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "a person walks", "--character", "none.glb", "--out", "x.glb"]) == 2
    assert "no such file" in capsys.readouterr().err
    assert main(["generate", "a person walks", "--in-place", "--out", "x.glb"]) == 2
    assert "Give --character" in capsys.readouterr().err
