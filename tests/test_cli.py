"""The command line: what it refuses, how it says so, and what the file commands write."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from laban import cli
from laban.actions.generate import GenerateOptions
from laban.actions.inputs import sentences
from laban.errors import CheckFailed, InputError
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22
from laban.systems.sentences import MAX_CHARACTERS


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """A second of a person who glides forward, as an .npz."""
    import laban

    frames = 20
    rotations = np.zeros((frames, 22, 4))
    rotations[..., 0] = 1
    root = np.stack([np.zeros(frames), np.full(frames, 0.95), np.arange(frames) * 0.05], axis=-1)
    path = tmp_path / "walk.npz"
    laban.write(Motion(HUMANML22, rotations, root, 20.0, passport={"system": "momask", "seed": 7}), path)
    return path


def refused(argv: list[str], capsys: pytest.CaptureFixture[str], code: int = 2) -> str:
    """The one line that the command prints when it refuses `argv` with `code`."""
    assert cli.main(argv) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("laban: error: ")
    assert said.err.count("\n") == 1
    return said.err


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["generat"], "`laban generate`"),
        (["data"], "data prepare"),
        (["data", "prepair"], "data prepare"),
        (["--verbose"], "--verbose"),
        (["generate"], "no sentence"),
        (["generate", "   "], "no sentence"),
        (["generate", "x" * 10_000], "10000 characters"),
        (["generate", "walk \udcff\udcfe"], "no text"),
        (["generate", "walk", "--seconds", "0"], "--seconds"),
        (["generate", "walk", "--seconds", "-3"], "--seconds"),
        (["generate", "walk", "--seconds", "1e6"], "--seconds"),
        (["generate", "walk", "--seconds", "nan"], "--seconds"),
        (["generate", "walk", "--seconds", "six"], "six"),
        (["generate", "walk", "--samples", "0"], "--samples"),
        (["generate", "walk", "--samples", "65"], "--samples"),
        (["generate", "walk", "--seed", "-1"], "--seed"),
        (["generate", "walk", "--fps", "0"], "--fps"),
        (["generate", "walk", "--steps", "0"], "--steps"),
        (["generate", "walk", "--guidance", "inf"], "--guidance"),
        (["generate", "walk", "--out", "walk.obj"], ".obj"),
        (["generate", "walk", "--out", "walk"], "suffix"),
        (["generate", "walk", "--out", "absent/walk.glb"], "absent"),
        (["generate", "walk", "--out", "a.glb", "a.glb"], "twice"),
        (["generate", "walk", "--out"], "no file"),
        (["generate", "walk", "--model", "momsk"], "momask"),
        (["generate", "walk", "--prompts", "p.txt"], "both"),
        (["generate", "--prompts", "absent.txt"], "absent.txt"),
        (["generate", "walk", "--sedonds", "3"], "--seconds"),
        (["generate", "a", "person", "walks"], "person"),
        (["convert", "absent.bvh", "x.glb"], "absent.bvh"),
        (["convert", "x.obj", "x.glb"], ".obj"),
        (["convert", "x.npz"], "no file"),
        (["render", "x.npz", "x.bvh"], ".bvh"),
        (["info", "absent.npz"], "absent.npz"),
        (["check", "features", "absent.npz"], "absent.npz"),
    ],
)
def test_bad_input_is_one_line_and_2(
    argv: list[str], word: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert word in refused(argv, capsys)
    assert list(tmp_path.iterdir()) == []


def test_bad_input_is_refused_before_torch_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys; from laban.cli import main\n"
        "for argv in (['--seconds', '-1'], ['--out', 'x.obj'], ['--model', 'nobody'], ['--samples', '99']):\n"
        "    assert main(['generate', 'walk', *argv]) == 2\n"
        "print('torch' in sys.modules)"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert done.stderr.count("laban: error: ") == 4


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (InputError("what,\n  got."), 2, "laban: error: what, got.\n"),
        (CheckFailed("a  1.0\nb  2.0"), 1, "laban: error: a  1.0\nb  2.0\n"),
        (FileNotFoundError(2, "No such file or directory", "x.npz"), 2, "x.npz: No such file"),
        (PermissionError(13, "Permission denied", "/o/x.glb"), 2, "/o/x.glb: Permission denied"),
        (MemoryError(), 2, "not enough memory"),
        (KeyboardInterrupt(), 130, "laban: interrupted"),
    ],
)
def test_errors_become_exit_codes(
    raised: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def info(file: str = "") -> int:
        """Raise."""
        raise raised

    monkeypatch.setattr("laban.commands.convert.info", info)
    monkeypatch.delenv("LABAN_DEBUG", raising=False)
    assert cli.main(["info"]) == code
    assert said in capsys.readouterr().err


def test_a_warning_is_one_line_and_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        cli.tell_once(UserWarning("few samples,\n  biased"), UserWarning, "frechet.py", 49)
    assert capsys.readouterr().err == "laban: warning: few samples, biased\n"


def test_debug_asks_for_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABAN_DEBUG", "1")
    with pytest.raises(InputError):
        cli.main(["info", "absent.npz"])


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in cli.COMMANDS:
        assert cli.main([*name.split(), "--help"]) == 0
        assert f"usage: laban {name}" in capsys.readouterr().out


def test_every_command_takes_json_and_quiet() -> None:
    servers = {"serve", "mcp"}  # go on until they are ended, and print an address or a protocol
    for name, (place, _) in cli.COMMANDS.items():
        if name in servers:
            continue
        module, _, function = place.partition(":")
        taken = inspect.signature(getattr(importlib.import_module(module), function)).parameters
        assert {"json", "quiet"} <= taken.keys(), name


def test_overview_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    import laban

    assert cli.main([]) == 0
    overview = capsys.readouterr().out
    assert all(name in overview for name in cli.COMMANDS)
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"laban {laban.__version__}\n"
    assert cli.main(["data", "--help"]) == 0
    assert "generate  " not in capsys.readouterr().out


def test_prompts_file(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    text = "\ufeff# four\na person walks\n\n  a person   bows \n   # not this\na person runs"
    path.write_text(text, encoding="utf-8")
    assert sentences("", path) == ["a person walks", "a person bows", "a person runs"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "no sentence"),
        (b"# only\n\n", "no sentence"),
        (b"\xff\xfe\x00walk", "UTF-8"),
        (b"walk\n" + b"x" * (MAX_CHARACTERS + 1), "line 2"),
        (b"walk\n" * 300_000, "larger"),
    ],
)
def test_bad_prompts_files(content: bytes, word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "prompts.txt"
    path.write_bytes(content)
    assert word in refused(["generate", "--prompts", str(path), "--out", str(tmp_path / "x.glb")], capsys)


def test_names_of_the_files() -> None:
    out = (Path("d/walk.glb"), Path("walk.bvh"))
    one, many = GenerateOptions(("a",), out), GenerateOptions(("a", "b"), out[1:])
    assert one.files(1, 1) == list(out)
    assert replace(one, samples=2).files(1, 2) == [Path("d/walk-2.glb"), Path("walk-2.bvh")]
    assert many.files(2, 1) == [Path("walk-002.bvh")]
    assert replace(many, samples=3).files(1, 3) == [Path("walk-001-3.bvh")]
    assert replace(many, sentences=("a",) * 5000).files(7, 1) == [Path("walk-0007.bvh")]


def test_too_many_motions(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="motions were asked for"):
        GenerateOptions(("a",) * 1000, (tmp_path / "x.glb",), samples=64).checked()


def test_convert_resamples_and_says_so(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import laban

    out = walk.with_suffix(".bvh")
    assert cli.main(["convert", str(walk), str(out), "--fps", "40", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["results"] == [{"files": [str(out.resolve())], "frames": 40, "fps": 40.0, "seconds": 1.0}]
    there, back = laban.read(walk), laban.read(out)
    assert back.frames == 40
    np.testing.assert_allclose(back.joints()[::2], there.joints(), atol=1e-5)
    assert back.passport == {"system": "momask", "seed": 7}


def test_info(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", str(walk), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["frames"], facts["fps"], facts["seconds"], facts["joints"]) == (20, 20.0, 1.0, 22)
    assert facts["path_metres"] == pytest.approx(0.95, abs=1e-3)
    assert facts["passport"]["seed"] == 7
    assert [bone["name"] for bone in facts["bones"]] == list(HUMANML22.names)
    assert cli.main(["info", str(walk)]) == 0
    assert "20 frames at 20 fps, 1.00 s" in capsys.readouterr().out


def test_render_picture(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    out = walk.with_suffix(".png")
    assert cli.main(["render", str(walk), str(out), "--width", "320", "--height", "200", "--quiet"]) == 0
    assert capsys.readouterr().out == ""
    with Image.open(out) as picture:
        assert picture.width == 320
        assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 10


def test_the_files_before_a_failed_one_are_whole(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import laban

    first, second = walk.with_suffix(".bvh"), walk.with_suffix(".mp4")
    assert "1 to 240" in refused(["convert", str(walk), str(first), str(second), "--fps", "500"], capsys)
    assert laban.read(first).fps == 500
    names = {walk.name, first.name, f"{first.name}.passport.json"}
    assert {path.name for path in walk.parent.iterdir()} == names


def test_a_damaged_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("x.npz", "x.bvh", "x.glb"):
        path = tmp_path / name
        path.write_bytes(b"\x00\x01 not this")
        assert name in refused(["convert", str(path), str(tmp_path / "y.npz")], capsys)
    assert not (tmp_path / "y.npz").exists()


def test_a_read_only_folder(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(["convert", str(walk), "/proc/x.bvh"], capsys)
