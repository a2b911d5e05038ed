"""`laban script` on a tiny model: files, one line again, parts, and everything that is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import laban
from laban.cli import main
from laban.data.synthesis import walkers
from laban.systems.kmm import script
from laban.systems.kmm.system import KMM


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("kmm")
    torch.manual_seed(0)
    system = KMM.create("tiny", walkers.write(folder / "corpus", clips=8))
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
        (["walks @4 and bows @2"], "before its end"), (["@4 walks"], "before its end"),
        (["walks @4 5"], "before its end"), (["walks @4 # slowly"], "before its end"), (["walks # slowly"], "has a #"),
        (["walks @4", ""], "line 2: has no text"),
        (["walks @4", "--only", "0"], "--only is 0"), (["--file", "."], "is a folder"),
        (["walks @4", "--parts", "0.1"], "--parts"), (["walks @4", "--variation", "-1"], "--variation"),
    ],
)  # fmt: skip
def test_what_is_refused(words, match, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["script", *words, "--out", str(tmp_path / "x.npz")]) == 2
    assert match in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("held", "match"),
    [
        (b"", "is empty"), (b"# a comment\n\n  \n", "is empty"), (b"walks @4\r\n@3\r\n", "line 2: has no text"),
        (b"walks \xff\xfe @4\n", "not UTF-8"), ("walks @4".encode("utf-16"), "not UTF-8"), (b"a\0b @4", "no text"),
        (b"walks @1\n" * 10_001, "10001 lines"), (b"#" * (1 << 20) + b"\nwalks @4", "larger than 1 MiB"),
    ],
)  # fmt: skip
def test_script_files_that_are_refused(held, match, tmp_path, capsys) -> None:
    path = tmp_path / "script.txt"
    path.write_bytes(held)
    assert main(["script", "--file", str(path), "--out", str(tmp_path / "x.npz")]) == 2
    said = capsys.readouterr().err
    assert match in said and said.count("\n") == 1 and len(list(tmp_path.iterdir())) == 1


def test_a_script_file_of_another_system(tmp_path) -> None:
    path = tmp_path / "script.txt"
    path.write_bytes(b"\xef\xbb\xbf# a day\r\na person walks @4\r\n\r\n  # of it\r\nbows @2 #seed 7\r\n")
    assert script.read(path) == [script.Line("a person walks", 4.0), script.Line("bows", 2.0, 7)]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_what_an_interrupted_stream_has_written_stays_valid(how, model, tmp_path) -> None:
    lines = [f"a person walks @{3 + i % 3}" for i in range(1500)]
    (tmp_path / "script.txt").write_text("\n".join(lines))
    command = [sys.executable, "-m", "laban", "script", "--file", str(tmp_path / "script.txt"), "--model", model,
               "--parts", "1", "--fps", "20", "--device", "cpu", "--out", str(tmp_path / "long.npz")]  # fmt: skip
    root = str(Path(laban.__file__).parents[1])
    running = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while len(list(tmp_path.glob("long-*.npz"))) < 3 and time.monotonic() < until and running.poll() is None:
            time.sleep(0.02)
        running.send_signal(how)
        _, said = running.communicate(timeout=60)
    finally:
        running.kill()
    parts = sorted(tmp_path.glob("long-*.npz"))
    assert len(parts) >= 3 and "Traceback" not in said
    assert running.returncode == (130 if how == signal.SIGINT else -how)
    motions = [laban.read(part) for part in parts]
    assert all(np.isfinite(m.joints()).all() and m.segments for m in motions)
    assert [m.passport["first_frame"] for m in motions] == np.cumsum([0, *(m.frames for m in motions)])[:-1].tolist()
    if how == signal.SIGINT:
        assert {p.name for p in tmp_path.iterdir()} == {"script.txt", *(p.name for p in parts)}


def test_a_model_of_another_kind_is_refused(tmp_path, capsys) -> None:
    words = ["script", "walks @4", "--model", "momask", "--device", "cpu", "--out", str(tmp_path / "x.npz")]
    assert main(words) == 2
    assert "cannot perform scripts; kmm can" in capsys.readouterr().err
