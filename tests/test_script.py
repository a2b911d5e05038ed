"""`laban script` on a tiny model: files, one line again, parts, and everything that is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import laban
from laban.cli import main
from laban.data import synthetic
from laban.systems.kmm.system import KMM


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("kmm")
    torch.manual_seed(0)
    system = KMM.create("tiny", synthetic.write(folder / "corpus", clips=8))
    system.save(folder / "model")
    return str(folder / "model")


LINES = ["a person walks forward @4", "a person bows @2", "waves the right hand @3"]


def test_a_script_becomes_one_file_and_one_line_is_made_again(model, tmp_path, capsys) -> None:
    a, b = tmp_path / "a.npz", tmp_path / "b.npz"
    common = ["--model", model, "--fps", "20", "--seed", "3", "--device", "cpu", "--raw", "--json"]
    assert main(["script", *LINES, *common, "--out", str(a), str(tmp_path / "a.bvh")]) == 0
    said = json.loads(capsys.readouterr().out)["results"][0]
    assert said["frames"] == 180 and [s["end"] for s in said["segments"]] == [4.0, 6.0, 9.0]
    assert said["passport"]["request"]["script"][1] == {"text": "a person bows", "seconds": 2.0, "seed": None}
    assert main(["script", *LINES, *common, "--out", str(b), "--only", "2"]) == 0
    one, two = laban.read(a), laban.read(b)
    assert np.array_equal(one.rotations[:80], two.rotations[:80])
    assert np.array_equal(one.rotations[120:, 1:], two.rotations[120:, 1:])
    assert not np.allclose(one.rotations[90:110], two.rotations[90:110])
    assert laban.read(tmp_path / "a.bvh").frames == 180


def test_a_script_file_in_parts(model, tmp_path, capsys) -> None:
    path = tmp_path / "script.txt"
    path.write_text("# a day\na person walks forward @6\n\nwaves @6 #seed 4\na person bows @6\n")
    out = tmp_path / "long.npz"
    code = main(["script", "--file", str(path), "--model", model, "--out", str(out), "--parts", "5", "--device", "cpu"])
    assert code == 0 and "long-001.npz" in capsys.readouterr().out
    parts = [laban.read(tmp_path / f"long-00{i}.npz") for i in (1, 2, 3)]
    assert sum(p.seconds for p in parts) == pytest.approx(18.0, abs=0.2) and not out.exists()
    assert [s.text for s in parts[0].segments][0] == "a person walks forward"
    gap = np.linalg.norm(parts[1].root[0] - parts[0].root[-1])
    assert gap < 3 * np.linalg.norm(np.diff(parts[0].root, axis=0), axis=-1).max() + 0.05  # one world


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ([], "there is no script"), (["walks @0.01"], "0.01"), (["walks @86400"], "86400"), (["@4"], "no text"),
        (["walks @4 @2"], "more than one length"), (["walks @4", "--only", "2"], "lines 1 to 1"),
        (["walks @4", "--text", "bows"], "give --only too"), (["walks @4", "--only", "1", "--parts", "4"], "together"),
        (["walks @4", "--file", "x.txt"], "both lines and --file"), (["--file", "x.txt"], "no such file"),
        (["walks @600"] * 13, "7800 s"), (["walks @4", "--model", "kmn"], "did you mean 'kmm'"),
        (["walks @4", "--seed", "-1"], "--seed"), (["walks @4", "--steps", "0"], "--steps"),
        (["walks @4", "--parts", "0.1"], "--parts"), (["walks @4", "--variation", "-1"], "--variation"),
    ],
)  # fmt: skip
def test_what_is_refused(words, match, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["script", *words, "--out", str(tmp_path / "x.npz")]) == 2
    assert match in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_model_of_another_kind_is_refused(tmp_path, capsys) -> None:
    words = ["script", "walks @4", "--model", "momask", "--device", "cpu", "--out", str(tmp_path / "x.npz")]
    assert main(words) == 2
    assert "performs single sentences" in capsys.readouterr().err
