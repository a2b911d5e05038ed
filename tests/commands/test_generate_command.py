"""`laban generate` from end to end, with an untrained model of the tiny preset: files, seeds, names, passports."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import laban
from laban import cli


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with random weights."""
    import torch

    from laban.systems.registry import resolve

    torch.manual_seed(0)
    kind = resolve("momask")
    system = kind(kind.presets["tiny"], {"mean": np.zeros(263, np.float32), "std": np.full(263, 0.1, np.float32)})
    for name, buffer in system.module("tokenizer").named_buffers():
        if name.endswith(".codes"):  # an untrained codebook is all zeros, and every motion the same
            buffer.normal_()
    system.provenance.data, system.provenance.licence = ("nothing",), "none"
    folder = tmp_path_factory.mktemp("model")
    system.save(folder, card="# Random weights\n")
    return folder


def generate(model: Path, *argv: str | Path) -> int:
    """`laban generate`, without the clean-up, which is tested where it lives."""
    return cli.main(["generate", *map(str, argv), "--raw", "--device", "cpu", "--model", str(model)])


def test_files_agree_and_carry_the_passport(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = [tmp_path / "walk.glb", tmp_path / "walk.bvh", tmp_path / "walk.npz"]
    assert generate(model, "a person walks", "--seconds", "2", "--seed", "7", "--json", "--out", *out) == 0
    said = capsys.readouterr()
    assert "warning" not in said.err
    answer = json.loads(said.out)
    [result] = answer["results"]
    assert result["files"] == [str(path.resolve()) for path in out]
    assert result["fps"] == 30
    assert abs(result["seconds"] - 2) < 0.05
    assert {"import torch", "generate", "write glb", "write bvh", "write npz"} <= set(answer["timings"])
    assert result["passport"]["seed"] == 7
    assert result["passport"]["request"] == {"text": "a person walks", "seconds": 2.0}
    motions = [laban.read(path) for path in out]
    for motion in motions:
        assert motion.frames == result["frames"]
        assert motion.passport == result["passport"]
        np.testing.assert_allclose(motion.joints(), motions[0].joints(), atol=1e-4)


def test_a_seed_is_a_motion(model: Path, tmp_path: Path) -> None:
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        arguments = ("--seconds", "2", "--seed", seed, "--quiet", "--out", tmp_path / f"{name}.npz")
        assert generate(model, "a person walks", *arguments) == 0
    a, b, c = (laban.read(tmp_path / f"{name}.npz").joints() for name in "abc")
    assert np.array_equal(a, b)
    assert np.abs(a - c).max() > 1e-3


def test_a_line_of_a_file_gives_what_it_gives_alone(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("# two\na person bows\n\na person runs\n")
    asked = ("--seconds", "1.5", "--seed", "3", "--samples", "2")
    assert generate(model, "--prompts", prompts, *asked, "--out", tmp_path / "f.npz") == 0
    assert "by momask, seed " in capsys.readouterr().out
    assert generate(model, "a person runs", *asked, "--quiet", "--out", tmp_path / "alone.npz") == 0
    assert capsys.readouterr().out == ""
    names = {path.name for path in tmp_path.glob("*.npz")}
    pairs = {f"f-00{line}-{sample}.npz" for line in (1, 2) for sample in (1, 2)}
    assert names == pairs | {"alone-1.npz", "alone-2.npz"}
    for sample in (1, 2):
        left, right = laban.read(tmp_path / f"f-002-{sample}.npz"), laban.read(tmp_path / f"alone-{sample}.npz")
        assert np.array_equal(left.joints(), right.joints())
        assert left.passport == right.passport


def test_the_frame_rate_is_that_of_the_files(model: Path, tmp_path: Path) -> None:
    arguments = ("--seconds", "2", "--fps", "60", "--quiet", "--out", tmp_path / "x.bvh", tmp_path / "x.npz")
    assert generate(model, "a person walks", *arguments) == 0
    assert laban.read(tmp_path / "x.bvh").fps == laban.read(tmp_path / "x.npz").fps == 60


def test_words_that_nobody_knows_are_said_to_be(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate(model, "??? 123", "--seconds", "1", "--quiet", "--out", tmp_path / "x.npz") == 0
    said = capsys.readouterr().err
    assert said.startswith("laban: warning: no word of '??? 123' is understood")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("damage", "arguments", "word"),
    [
        (None, ("--seconds", "60"), "seconds"),
        (None, ("--device", "abacus"), "abacus"),
        ("masked.safetensors", (), "masked"),
        ("stats.safetensors", (), "stats"),
        ("config.json", (), "config.json"),
    ],
)
def test_what_only_the_model_can_refuse(
    damage: str | None,
    arguments: tuple[str, ...],
    word: str,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, out = tmp_path / "model", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    for path in model.iterdir():
        content = path.read_bytes()
        (folder / path.name).write_bytes(content[: len(content) // 2] if path.name == damage else content)
    argv = ["generate", "walk", "--raw", "--model", str(folder), "--out", str(out / "x.glb"), *arguments]
    assert cli.main(argv) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("laban: error: ")
    assert said.err.count("\n") == 1
    assert word in said.err
    assert list(out.iterdir()) == []
