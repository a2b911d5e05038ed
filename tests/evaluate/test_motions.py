"""`laban evaluate --motions`: what is scored, and everything that is refused instead of scored."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import laban
from laban.cli import main
from laban.data.corpus import Corpus
from laban.evaluate.cases import choose
from laban.motion.motion import Motion
from laban.motion.skeletons import KIT21


@pytest.fixture
def clip(corpus: Corpus) -> np.ndarray:
    return choose(corpus, "test", None, 0)[0].joints


def scored(folder: Path, data: Path, judge: Path, out: Path, *more: str) -> int:
    return main([
        "evaluate", "--motions", str(folder), "--data", str(data), "--out", str(out), "--evaluator", str(judge),
        "--repeats", "2", "--quiet", *more,
    ])  # fmt: skip


def test_real_clips_from_files_score_as_the_real_row(
    corpus: Corpus, data: Path, judge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for case in choose(corpus, "test", None, 0):
        np.savez(folder / f"{case.id}.npz", joints=case.joints.astype(np.float32), fps=20.0)
    assert scored(folder, data, judge, tmp_path / "out", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in facts["rows"]}
    given, real = rows["motions"]["evaluators"]["evaluator 0"], rows["real"]["evaluators"]["evaluator 0"]
    assert given["fid"]["value"] < 1e-6
    assert [k["value"] for k in given["r_precision"]] == [k["value"] for k in real["r_precision"]]
    assert rows["motions"]["physics"]["joint_error"]["value"] < 1e-6
    assert facts["system"] is None and "tokenizer round trip" not in rows


def test_files_of_ours_and_texts_beside_them(
    corpus: Corpus, data: Path, judge: Path, clip: np.ndarray, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    motion = Motion.from_joints(clip, 20.0)
    laban.write(motion, folder / "a.bvh")
    laban.write(motion, folder / "b.npz")
    np.savez(folder / "c.npz", joints=clip, fps=20, text="a person walks forward")
    (folder / "captions.json").write_text(json.dumps({"a": "a person bows", "b": "a person walks forward"}))
    assert scored(folder, data, judge, tmp_path / "out") == 0
    facts = json.loads((tmp_path / "out" / "report.json").read_text())
    row = facts["rows"][-1]
    assert row["name"] == "motions" and row["clips"] == 3 and "joint_error" not in row["physics"]


def test_what_does_not_match_is_refused_by_name(
    data: Path, judge: Path, clip: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = clip.copy()
    broken[3, 4] = np.nan
    wrong = {
        "centimetres": (dict(joints=100 * clip, fps=20, text="a person bows"), "expected 0.3 to 4.0 m"),
        "rate": (dict(joints=clip, fps=30, text="a person bows"), "runs at 30 fps, expected 20"),
        "skeleton": (dict(joints=clip[:, :21], fps=20, text="a person bows"), "expected (T, 22, 3)"),
        "nan": (dict(joints=broken, fps=20, text="a person bows"), "NaN"),
        "short": (dict(joints=clip[:10], fps=20, text="a person bows"), "has 10 frames"),
        "no rate": (dict(joints=clip, text="a person bows"), "no array 'fps'"),
        "no text": (dict(joints=clip, fps=20), "has no text"),
        "strings": (dict(joints=np.full((20, 22, 3), "x"), fps=20, text="a person bows"), "expected (T, 22, 3)"),
        "objects": (dict(joints=np.array([None, {}]), fps=20, text="a person bows"), "not a readable .npz"),
    }
    for name, (arrays, said) in wrong.items():
        folder = tmp_path / name
        folder.mkdir()
        np.savez(folder / "it.npz", **arrays)
        assert scored(folder, data, judge, tmp_path / "out") == 2, name
        message = capsys.readouterr().err
        assert said in message and message.count("\n") == 1, (name, message)
        assert not (tmp_path / "out").exists()


def test_a_bvh_of_another_skeleton_or_rate_is_refused(
    data: Path, judge: Path, clip: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Motion(KIT21, np.tile([1.0, 0, 0, 0], (40, 21, 1)), np.zeros((40, 3)), 20.0)
    for name, motion, said in (
        ("kit", other, "expected HumanML3D's 22"),
        ("fast", Motion.from_joints(clip, 20.0).resample(30), "runs at 30 fps"),
    ):
        (tmp_path / name).mkdir()
        laban.write(motion, tmp_path / name / "a.bvh")
        assert scored(tmp_path / name, data, judge, tmp_path / "out") == 2
        assert said in capsys.readouterr().err


def test_commands_that_cannot_be_done(
    data: Path, judge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "a.npz").write_bytes(b"no zip")
    out = str(tmp_path / "out")
    for words, said in (
        (["evaluate", "--data", str(data), "--out", out], "SYSTEM or --motions"),
        (["evaluate", "momask", "--motions", str(tmp_path), "--data", str(data), "--out", out], "one of them"),
        (["evaluate", "momsk", "--data", str(data), "--out", out], "did you mean"),
        (["evaluate", "momask", "--data", str(tmp_path), "--out", out], "no prepared corpus"),
        (["evaluate", "--motions", str(tmp_path / "absent"), "--data", str(data), "--out", out], "no such folder"),
        (["evaluate", "--motions", str(tmp_path / "empty"), "--data", str(data), "--out", out], "no .npz"),
        (["evaluate", "--motions", str(tmp_path / "list"), "--data", str(data), "--out", out], "not a readable"),
        (["evaluate", "momask", "--data", str(data), "--out", out, "--cases", "1"], "--cases"),
        (["evaluate", "momask", "--data", str(data), "--out", out, "--steps", "0"], "--steps"),
    ):
        assert main(words) == 2, words
        message = capsys.readouterr().err
        assert said in message and message.count("\n") == 1, (words, message)
    assert not Path(out).exists()
