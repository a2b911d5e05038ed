"""`laban evaluate --protocol long` on formulas: a corpus, and files of BABEL's form; every row, and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import laban
from laban.cli import main
from laban.data.clips import canonical
from laban.data.corpus import Corpus
from laban.data.synthesis import walkers
from laban.errors import InputError
from laban.evaluate import long
from laban.metrics import control
from laban.metrics.composition import seam_measures, windows
from laban.motion import humanml
from laban.systems.kmm.system import KMM

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "corpora"))
from babel_files import label, sequence, write


@pytest.fixture(scope="module")
def kmm(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kmm")
    torch.manual_seed(0)
    KMM.create("tiny", corpus).save(folder)
    return folder


@pytest.fixture(scope="module")
def babel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """val.json and features: 24 recordings of two actions of 3 s that follow each other, one of them with a side."""
    folder = tmp_path_factory.mktemp("babel")
    table = {}
    for i in range(24):
        moving = canonical(walkers.joints(i % 4, 121, 0.8 + 0.02 * i, 0.1 * i))
        name = f"Set/{i}/{i}_poses"
        np.save(folder / f"{name.replace('/', '__')}.npy", humanml.features_of(moving).astype(np.float32))
        side = "left" if i % 2 else "right"
        rows = (label(f"turn {side} {i}", 0, 3), label(f"walk {i}", 3, 6))
        table[str(i)] = sequence(*rows, dur=6.0, path=f"{name}.npz")
    write(folder / "val.json", table)
    return folder


def run(argv: list[str], capsys: pytest.CaptureFixture[str]) -> dict:
    assert main(["evaluate", *argv, "--protocol", "long", "--json", "--device", "cpu"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_row_on_a_corpus(data: Path, kmm: Path, model: Path, judge: Path, tmp_path: Path, capsys) -> None:
    argv = [str(kmm), "--data", str(data), "--out", str(tmp_path / "o"), "--evaluator", str(judge), "--beside",
            str(model), "--compositions", "3", "--length", "4", "--repeats", "2"]  # fmt: skip
    facts = run(argv, capsys)
    assert [r["name"] for r in facts["rows"]] == ["real", "real clips, hard cut", "kmm", "momask, hard cut"]
    for row in facts["rows"]:
        assert set(row["seams"]) == {"PJ", "AUJ"} and row["seams"]["PJ"]["mean"] > 0
        judged = row["judged"]["evaluator 0"]
        assert {"FID", "MM-distance", "diversity", "transition FID", "transition diversity"} <= set(judged)
        assert all(np.isfinite(v["mean"]) and v["half"] >= 0 for v in judged.values())
    assert facts["rows"][0]["seams"]["AUJ"]["mean"] < facts["rows"][1]["seams"]["AUJ"]["mean"]
    assert facts["rows"][2]["cost"] > 0 and len(facts["rows"][2]["weights"]) == 64
    assert all(len(row) == 4 and all(30 <= n <= 200 for _, n in row) for row in facts["compositions"])
    page = (tmp_path / "o" / "long.md").read_text()
    assert "3 compositions of 4 segments" in page and "FlowMDM's size is 32 of 32" in page
    assert "| momask, hard cut |" in page and "±" in page
    assert json.loads((tmp_path / "o" / "long.json").read_text()) == facts
    again = run(argv, capsys)
    for a, b in zip(facts["rows"], again["rows"], strict=True):
        assert a["seams"] == b["seams"] and a["judged"] == b["judged"]


def test_babel_has_real_pairs_and_a_directional_subset(babel: Path, kmm: Path, judge: Path, tmp_path, capsys) -> None:
    argv = [str(kmm), "--babel", str(babel / "val.json"), "--features", str(babel), "--out", str(tmp_path), "--beside",
            str(kmm), "--evaluator", str(judge), "--compositions", "2", "--length", "3", "--repeats", "1"]  # fmt: skip
    facts = run([*argv], capsys)
    assert [r["name"] for r in facts["rows"]][:3] == ["real", "real, TEACH's pairs", "real clips, hard cut"]
    assert facts["data"]["pairs"] == 24 and facts["data"]["real"] == facts["data"]["captions"] == 48
    assert "R-precision" in facts["rows"][0]["judged"]["evaluator 0"]  # 48 different texts: a pool of 32
    # the labelled boundary lies inside one take: no jump there, whereas cuts have one
    assert facts["rows"][1]["seams"]["PJ"]["mean"] < facts["rows"][2]["seams"]["PJ"]["mean"]
    sided = run([*argv, "--directional"], capsys)
    assert sided["data"]["real"] == 24
    assert all(t.startswith("turn") for row in sided["compositions"] for t, _ in row)


def test_babel_s_own_features_are_another_layout(babel: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((180, 135), np.float32))
    write(tmp_path / "val.json", {"1": sequence(label("walk", 0, 6), dur=6.0, path="a.npz")})
    with pytest.raises(InputError, match="135 columns"):
        long.of_babel(tmp_path / "val.json", tmp_path)


def test_clips_are_cut_together_where_and_facing_as_the_last_one_ended() -> None:
    clips = [walkers.joints(i, 40, 1.0, 0.4 * i) for i in (0, 1, 2)]
    made = long.cut_together([("a", 30), ("b", 30), ("c", 30)], clips)
    assert made.bounds == (40, 80, 120) and made.joints.shape == (120, 22, 3)
    for part, clip in zip(made.parts(), clips, strict=True):  # moved and turned, nothing else
        assert np.allclose(part[..., 1], clip[..., 1])
        assert np.allclose(np.linalg.norm(part - part[:1, :1], axis=-1), np.linalg.norm(clip - clip[:1, :1], axis=-1))
    facing = control.facing(made.joints)
    for seam in (40, 80):
        assert np.allclose(facing[seam], facing[seam - 1])
    step = np.linalg.norm(np.diff(made.joints[:, 0], axis=0)[:, [0, 2]], axis=-1)
    assert step[39] == pytest.approx(step[38]) and step[79] == pytest.approx(step[78])
    assert seam_measures(windows(made.joints, [40, 80]), 20.0).jerk.min() > 0


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["kmm"], "--data"), (["kmm", "--babel", "x.json"], "--features"),
        (["kmm", "--data", "d", "--babel", "x.json", "--features", "f"], "one of them"),
        (["kmm", "--data", "d", "--cases", "4"], "--cases is of --protocol single"),
        (["kmm", "--data", "d", "--length", "1"], "--length"), (["kmm", "--data", "d", "--repeats", "0"], "--repeats"),
        (["kmm", "--data", "d", "--beside", "momsk"], "momask"), (["kmn", "--data", "d"], "kmm"),
        (["kmm", "--babel", "absent.json", "--features", "f"], "absent.json"),
        (["--motions", "m", "--data", "d"], "--motions is of --protocol single"),
    ],
)  # fmt: skip
def test_what_is_refused(argv: list[str], word: str, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", *argv, "--protocol", "long", "--out", "o"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and word in said.err and said.err.count("\n") == 1 and not (tmp_path / "o").exists()


def test_a_system_that_takes_no_texts(data: Path, kmm: Path, tmp_path: Path, capsys) -> None:
    argv = ["evaluate", str(kmm), "--protocol", "long", "--data", str(data), "--out", str(tmp_path / "o")]
    assert main([*argv, "--beside", "fact", "--device", "cpu"]) == 2
    assert "cannot make motions from sentences" in capsys.readouterr().err and not (tmp_path / "o").exists()


def test_options_of_compositions_are_refused_for_single_clips(data: Path, tmp_path: Path, capsys) -> None:
    for option in (["--compositions", "3"], ["--directional"]):
        assert main(["evaluate", "momask", "--data", str(data), "--out", str(tmp_path / "o"), *option]) == 2
        assert "is of --protocol long" in capsys.readouterr().err


def test_nothing_to_compose(data: Path, kmm: Path, judge: Path, tmp_path: Path) -> None:
    settings = long.LongSettings(directional=True)
    source = long.of_corpus(Corpus.open(data), settings)
    source.actions = [a for a in source.actions if "bow" in a.text]
    with pytest.raises(InputError, match="no action"):
        long.evaluate(source, tmp_path / "o", settings, laban.load(kmm), (), (judge,), True)
    with pytest.raises(InputError, match="compositions is 0"):
        long.LongSettings(compositions=0)
