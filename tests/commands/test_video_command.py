"""`laban video` and `laban train godiva`, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from laban.cli import main
from laban.data.synthesis import synthetic_digits

SMALL = [
    "frames.count=4", "digits.frames=4", "prefixes=(2,4)", "coder.width=8", "coder.code_width=8", "coder.codes=16",
    "decoder.width=24", "decoder.heads=2", "score.width=4", "score.embedding=16", "tokenizer_schedule.batch_size=8",
    "decoder_schedule.batch_size=2", "score_schedule.batch_size=4",
]  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained for three steps per stage, by the command."""
    place = tmp_path_factory.mktemp("train")
    data = synthetic_digits.write(place / "mnist.tar", 400)
    argv = ["train", "godiva", "--data", str(data), "--out", str(place / "run"), "--preset", "tiny", "--steps", "3",
            "--threads", "1", "--quiet", "--device", "cpu", "--set", *SMALL]  # fmt: skip
    assert main(argv) == 0
    assert main(argv) == 0  # finished: nothing to do
    previews = sorted(p.name for p in (place / "run" / "previews").iterdir())
    assert previews[0] == "decoder-000003-1.png"
    card = (place / "run" / "README.md").read_text()
    assert "moving digits" in card and "MNIST" in card
    return place / "run"


def test_video_in_every_format_and_again(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["video", "Digit 3 is moving up then down.", "--model", str(model), "--seed", "1", "--device", "cpu"]
    files = [tmp_path / f"v.{s}" for s in ("mp4", "gif", "png")]
    assert main([*argv, "--out", *map(str, files), "--json"]) == 0
    [result] = json.loads(capsys.readouterr().out)["results"]
    assert result["files"] == [str(f.resolve()) for f in files] and result["frames"] == 4
    assert result["passport"]["system"] == "godiva" and result["passport"]["understood"] == 1
    before = files[2].read_bytes()
    assert main([*argv, "--out", str(files[2]), "--quiet"]) == 0
    assert files[2].read_bytes() == before and capsys.readouterr().out == ""


def test_samples_are_ranked(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["video", "digit 3 moves up then down", "--model", str(model), "--device", "cpu", "--samples", "3", "--json"]
    assert main([*argv, "--out", str(tmp_path / "best.png")]) == 0
    [best] = json.loads(capsys.readouterr().out)["results"]
    assert main([*argv, "--every", "--out", str(tmp_path / "v.png")]) == 0
    every = json.loads(capsys.readouterr().out)["results"]
    scores = [r["score"] for r in every]
    assert scores == sorted(scores, reverse=True) and best["score"] == scores[0]
    assert "not CLIP" in best["scored_by"]
    assert sorted(p.name for p in tmp_path.glob("v-*.png")) == ["v-1.png", "v-2.png", "v-3.png"]
    assert (tmp_path / "v-1.png").read_bytes() == (tmp_path / "best.png").read_bytes()


def test_going_on_from_frames(model: Path, tmp_path: Path) -> None:
    assert main(["video", "digit 3 moves up then down", "--model", str(model), "--out", str(tmp_path / "a.png"),
                 "--quiet", "--size", "64"]) == 0  # fmt: skip
    argv = ["video", "digit 3 moves up then down", "--model", str(model), "--from-frames", str(tmp_path / "a.png"),
            "--keep", "2", "--seed", "5", "--quiet", "--size", "64"]  # fmt: skip
    assert main([*argv, "--out", str(tmp_path / "b.png")]) == 0
    a, b = (np.asarray(Image.open(tmp_path / f"{n}.png")) for n in "ab")
    assert np.array_equal(a[:, : 2 * 66 - 2], b[:, : 2 * 66 - 2])


def test_unknown_and_cut_words_are_said(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--model", str(model), "--out", str(tmp_path / "v.png"), "--quiet"]
    assert main(["video", "a purple digit 3 moves up then down", *out]) == 0
    assert "unknown words are read as one placeholder: a, purple." in capsys.readouterr().err
    assert main(["video", "digit 3 moves up then down " * 8, *out]) == 0
    assert "cut after 35 words; lost:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ([""], "there is no sentence"),
        (["   "], "there is no sentence"),
        (["x" * 600], "600 characters"),
        (["eine lila Kuh"], "no word of"),
        (["digit 3", "--out", "v.glb"], "unknown suffix '.glb'"),
        (["digit 3", "--samples", "0"], "--samples is 0"),
        (["digit 3", "--temperature", "nan"], "--temperature is nan"),
        (["digit 3", "--keep", "2"], "--keep was given without --from-frames"),
        (["digit 3", "--from-frames", "absent.mp4"], "no such file"),
        (["digit 3", "--from-frames", "{file}", "--keep", "4"], "at most 3"),
        (["digit 3", "--from-frames", "{file}"], "not a readable picture"),
        (["digit 3", "--samples", "2", "--clip", "absent"], "lacks config.json"),
    ],
)
def test_bad_input_is_one_line(
    model: Path, tmp_path: Path, extra: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file.png").write_bytes(b"text")
    argv = [a.replace("{file}", str(tmp_path / "file.png")) for a in extra]
    out = [] if "--out" in argv else ["--out", str(tmp_path / "v.png")]
    assert main(["video", *argv, *out, "--model", str(model), "--quiet"]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) == 1 and said in error[0]
    assert not (tmp_path / "v.png").exists()


def test_models_of_the_other_kind_are_refused(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "a person walks", "--model", str(model), "--out", str(tmp_path / "a.glb"), "--quiet"]) == 2
    assert "cannot make motions from sentences" in capsys.readouterr().err
    assert main(["video", "digit 3", "--model", "momask", "--out", str(tmp_path / "a.mp4"), "--quiet"]) == 2
    assert "cannot make videos; godiva can" in capsys.readouterr().err


def test_training_refuses_data_of_another_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = synthetic_digits.write(tmp_path / "mnist.tar", 400)
    argv = ["train", "godiva", "--out", str(tmp_path / "run"), "--quiet"]
    assert main([*argv, "--data", str(data), "--preset", "paper"]) == 2
    assert "the model expects (10, 64, 3)" in capsys.readouterr().err
    assert main([*argv, "--data", str(tmp_path / "absent"), "--preset", "tiny"]) == 2
    assert main([*argv, "--data", str(tmp_path), "--preset", "tiny", "--set", "frames.count=4"]) == 2
    assert "Traceback" not in capsys.readouterr().err
