"""The commands of the latent from the command line, with the shipped weights: what they write, print and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from laban import cli, formats
from laban.data.clips import canonical
from laban.data.synthesis import walkers
from laban.motion.motion import Motion
from laban.systems.registry import WEIGHTS

pytestmark = pytest.mark.skipif(not (WEIGHTS / "motionclip").is_dir(), reason="needs the shipped weights of motionclip")


def clip(action: int, frames: int = 60) -> Motion:
    return Motion.from_joints(canonical(walkers.joints(action, frames, 1.0, 0.3)), 20.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("library")
    for i in range(3):
        formats.write(clip(i), place / f"{i}.npz")
    formats.write(clip(0, 200), place / "long.bvh")
    (place / "broken.bvh").write_text("junk")
    return place


def said(capsys: pytest.CaptureFixture[str], *words: object) -> dict:
    assert cli.main([str(w) for w in (*words, "--json")]) == 0
    return json.loads(capsys.readouterr().out)


def test_search_finds_indexes_and_draws(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "found.png"
    facts = said(capsys, "search", "a person walks forward", "--in", folder, "--top", 2, "--sheet", sheet)
    assert len(facts["results"]) == 2 and facts["index"]["added"] == 4 and "broken.bvh" in facts["index"]["skipped"]
    assert facts["results"][0]["score"] >= facts["results"][1]["score"] and sheet.stat().st_size > 1000
    again = said(capsys, "search", "--like", folder / "1.npz", "--in", folder)
    assert again["index"]["added"] == 0 and Path(again["results"][0]["file"]).name == "1.npz"


def test_recognise_and_caption(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = said(capsys, "recognise", folder / "0.npz")
    assert len(facts["guesses"]) == 5 and facts["guesses"][0]["probability"] >= facts["guesses"][1]["probability"]
    facts = said(capsys, "recognise", folder / "long.bvh", "--classes", "walk", "a person sits down")
    assert {g["label"] for g in facts["guesses"]} == {"walk", "a person sits down"}
    assert facts["guesses"][0]["label"] == "walk"
    assert said(capsys, "caption", folder / "0.npz", "--top", 2)["guesses"][0]["label"].startswith("a person")


def test_quiet_prints_the_answer_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, lines in ((["recognise", folder / "0.npz"], 1), (["caption", folder / "0.npz"], 1),
                         (["search", "a person walks", "--in", folder, "--top", 2], 2),
                         (["info", folder / "0.npz"], 3)):  # fmt: skip
        assert cli.main([*map(str, words), "--quiet"]) == 0
        said = capsys.readouterr()
        assert said.out.count("\n") >= lines and "cosine" not in said.out and "passport" not in said.out
        assert said.out.count("\n") <= lines + 1 and said.err == ""


def test_blend_and_mix_write_files(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "b.npz"
    facts = said(capsys, "blend", folder / "0.npz", folder / "2.npz", "--steps", 3, "--out", out)
    files = [Path(f) for r in facts["results"] for f in r["files"]]
    assert [f.name for f in files] == ["b-1.npz", "b-2.npz", "b-3.npz"] and all(f.is_file() for f in files)
    motion = formats.read(files[1])
    assert motion.passport is not None and motion.passport["blend"] == {"step": 1, "steps": 3}
    mixed = tmp_path / "m.npz"
    said(capsys, "mix", folder / "0.npz", "--minus", "walk", "--plus", "walk sadly", "--out", mixed)
    assert np.isfinite(formats.read(mixed).joints()).all()
    said(capsys, "mix", folder / "0.npz", "--style", "like an old person", "--out", mixed)
    said(capsys, "mix", folder / "0.npz", "--minus", folder / "0.npz", "--plus", folder / "1.npz", "--out", mixed)


def test_generate_answers_from_the_library_or_says_why_not(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "g.npz"
    facts = said(
        capsys, "generate", "a person walks forward", "--model", "motionclip", "--library", folder, "--seconds", 2,
        "--out", out,
    )  # fmt: skip
    passport = facts["results"][0]["passport"]
    compared = passport["library"]
    assert compared["taken"] == (compared["score"] > compared["generated_score"])
    assert (passport["system"] == "library") == compared["taken"]
    assert abs(formats.read(out).seconds - 2) < 0.1


@pytest.mark.parametrize(
    "words",
    [
        ["search", "--in", "FOLDER"],
        ["search", "walk", "--in", "FOLDER/none"],
        ["search", "walk", "--in", "EMPTY"],
        ["recognise", "FOLDER/none.bvh"],
        ["recognise", "FOLDER/0.npz", "--classes", "walk", "walk"],
        ["recognise", "FOLDER/0.npz", "--model", "momask"],
        ["recognise", "FOLDER/0.npz", "--text-encoder", "EMPTY"],
        ["caption", "FOLDER/0.npz", "--phrases", "FOLDER/none.txt"],
        ["blend", "FOLDER/0.npz", "FOLDER/1.npz", "--steps", "1"],
        ["blend", "FOLDER/0.npz", "FOLDER/long.bvh", "--out", "FOLDER/none/x.bvh"],
        ["mix", "FOLDER/0.npz", "--minus", "walk"],
        ["mix", "FOLDER/0.npz", "--minus", "walk", "--plus", "walk", "--out", "EMPTY/m.npz"],
        ["mix", "FOLDER/0.npz", "--style", "old", "--strength", "nan", "--out", "EMPTY/m.npz"],
        ["import-weights", "motionclp", "EMPTY", "EMPTY/out"],
        ["import-weights", "motionclip", "EMPTY", "EMPTY/out"],
        ["check", "motionclip", "EMPTY"],
        ["generate", "walk", "--model", "motionclip", "--library", "EMPTY", "--out", "EMPTY/g.npz"],
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    words: list[str], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = [w.replace("FOLDER", str(folder)).replace("EMPTY", str(tmp_path)) for w in words]
    assert cli.main(argv) == 2
    error = [line for line in capsys.readouterr().err.splitlines() if "warning" not in line]
    assert len(error) == 1 and error[0].startswith("laban: error: ")
    assert not list(tmp_path.glob("*.npz")) and not (tmp_path / "out").exists()
