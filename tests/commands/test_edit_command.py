"""`laban edit`: what stays is bit-equal, joins are printed, bad input writes nothing. Random weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import laban
from laban import cli
from laban.motion.motion import Motion
from laban.systems.momask.system import MoMask
from tests.actions import tiny


@pytest.fixture(scope="module")
def system() -> MoMask:
    return tiny.momask()


@pytest.fixture(scope="module")
def clip() -> Motion:
    return tiny.walk()


@pytest.fixture(scope="module")
def folder(system, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("model")
    system.save(place)
    return place


def test_the_command(folder, clip, tmp_path, capsys) -> None:
    laban.write(clip, tmp_path / "in.npz")
    argv = ["edit", str(tmp_path / "in.npz"), "--text", "a person bows", "--range", "1.0:2.0", "--text",
            "a person waves", "--range", "3:", "--out", str(tmp_path / "out.npz"), "--model", str(folder), "--samples",
            "2"]  # fmt: skip
    assert cli.main([*argv, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["frames"] == 102 and len(said["seams"]) == 3 and said["passport"]["edits"][1]["start"] == 3.0
    there, back = np.load(tmp_path / "in.npz"), np.load(tmp_path / "out.npz")
    kept = np.r_[0:30, 60:90]
    for name in ("rotations", "root"):
        assert np.array_equal(there[name][kept], back[name][kept])
        assert not np.array_equal(there[name][30:60], back[name][30:60])
    assert cli.main(argv) == 0
    assert capsys.readouterr().out.count("seam at") == 3
    argv = [
        "edit",
        str(tmp_path / "in.npz"),
        "--text",
        "a person waves",
        "--extend",
        "1",
        "--quiet",
        "--model",
        str(folder),
    ]
    assert cli.main([*argv, "--out", str(tmp_path / "longer.bvh")]) == 0
    assert laban.read(tmp_path / "longer.bvh").frames == 132


@pytest.mark.parametrize(("argv", "word"), [
    (["--range", "2:1"], "START before END"), (["--range", "1:1"], "START before END"), 
    (["--range", "1.0:9"], "outside"),
    (["--range", "-1:2"], "START:END"), (["--range", "one:2"], "START:END"), (["--range", "1.5"], "START:END"),
    (["--range", "nan:2"], "START:END"), (["--range", ":"], "whole clip"), (["--range", "1.0:1.01"], "at least 2"),
    (["--range", "0.1:"], "too few"), ([], "--range"), (["--range", "1:2", "--extend", "1"], "one of"),
    (["--range", "1:2", "--range", "2:3"], "one text per range"), (["--then", "in.npz"], "--gap"),
    (["--gap", "1", "--range", "1:2"], "--gap"), (["--extend", "60"], "at most"), (["--extend", "0"], "--extend"),
    (["--then", "slow.npz", "--gap", "1"], "fps"), (["--then", "none.npz", "--gap", "1"], "none.npz"),
    (["--range", "1:2", "--samples", "0"], "--samples"), (["--range", "1:2", "--text", "more"], "one text per range"),
    (["--range", "1:2", "--out", "in.npz"], "overwritten"),
])  # fmt: skip
def test_bad_input_writes_nothing(folder, clip, tmp_path, argv, word, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    laban.write(clip, "in.npz")
    laban.write(clip.resample(20), "slow.npz")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    base = ["edit", "in.npz", "--text", "a person bows", "--model", str(folder)]
    base += [] if "--out" in argv else ["--out", "x.npz"]
    assert cli.main([*base, *argv]) == 2
    said = capsys.readouterr()
    assert word in said.err and said.err.count("\n") == 1 and said.out == ""
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
