"""README's commands and its Python, run as they stand: in a temporary folder, smaller where they would take minutes."""

from __future__ import annotations

import functools
import importlib
import re
import shlex
import shutil
import time
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

import laban
from laban import cli
from laban.actions.context import Context, Models
from laban.data.synthesis import walkers
from laban.errors import InputError
from laban.motion.motion import Motion, Segment
from laban.systems.registry import WEIGHTS

ROOT = Path(__file__).parents[1]

NOT_RUN = {
    "make": "builds an environment from the network, or runs this very test",
    ".ci/run": "does what make does",
    "cd laban": "the tests stand in the clone already",
    "python3 -m venv": "makes an environment, into which",
    "pip install": "packages come from the network",
    "laban evaluate fact": "wants the captured dances of Bandai-Namco; test_fact_evaluation.py scores made ones",
}
"""How a line begins that is not run here -> why not."""

SMALLER = {
    "--seconds 6": "--seconds 1",
    "stops and waves twice, then walks in a circle": "stops",
    '"a person walks while waving with the left hand"': '"a person walks while waving with the left hand" --seconds 1',
    "--samples 16 --best 1": "--samples 5 --best 1 --seconds 1",
    "--extend 3": "--extend 1",
    "laban render walk.bvh": "laban render --width 160 --height 120 walk.bvh",
    "hero_dance.glb hero_dance.mp4": "hero_dance.glb hero_dance.png",
    "song.ogg --out": "song.ogg --seconds 2 --out",
    "--start 12.5 --seconds 30": "--start 0.5 --seconds 2",
    'forward @4" "turns left @2" "waves with both hands @3"': 'forward @1" "turns left @1"',
    "--steps 300": "--steps 1 --threads 1 --no-preview",
    "pool_hours=1": "pool_hours=0.01 masked_schedule.batch_size=2 residual_schedule.batch_size=2",
    "--preset small --data data/prepared --out": "--preset tiny --steps 1 --no-preview --data data/prepared --out",
    "evaluate runs/momask": "evaluate runs/momask --quick --repeats 1",
    "--protocol long": "--protocol long --compositions 1 --length 2 --repeats 1",
}
"""What is replaced in a command so that it takes a second or two."""

EXIT = {"plays the violin": 1}
"""Words of a command -> its exit code, where it is not 0."""


def blocks(language: str) -> list[str]:
    """The fenced blocks of README in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)


def commands() -> list[str]:
    """The lines of README's shell blocks without their comments."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    stripped = [re.split(r"(?:^|\s{2,})#", line)[0].strip() for line in lines]
    return [line for line in stripped if line]


def of_laban() -> list[str]:
    """Those that are run here."""
    return [line for line in commands() if not line.startswith(tuple(NOT_RUN))]


def smaller(line: str) -> str:
    """A command with everything of SMALLER replaced."""
    for words, fewer in SMALLER.items():
        line = line.replace(words, fewer)
    return line


def moving(action: int, frames: int = 60) -> Motion:
    """A few seconds of a person by formula, at 20 fps."""
    motion = Motion.from_joints(walkers.joints(action, frames, 1.0, 0.3), 20.0)
    return replace(motion, segments=(Segment(walkers.ACTIONS[action], 0.0, motion.seconds),))


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a clone in which a user put the files that README names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LABAN_CACHE", str(tmp_path / "cache"))
    for name in ("laban", "examples"):
        Path(name).symlink_to(ROOT / name)
    for name, action in {"capture.bvh": 0, "wave.bvh": 2, "hero.glb": 2}.items():
        laban.write(moving(action), name)
    shutil.copy(ROOT / "examples" / "song.ogg", "song.mp3")
    Path("sentences.txt").write_text("a person bows\n", encoding="utf-8")
    Path("script.txt").write_text("a person walks forward @1\na person bows @1\n", encoding="utf-8")
    clips, published, scored = Path("MY/CLIPS"), Path("PATH/TO/DATASET"), Path("FOLDER")
    for folder in (clips, published, scored):
        folder.mkdir(parents=True)
    rows = ["file\tcaptions\taction"]
    for action, caption in enumerate(walkers.ACTIONS):
        laban.write(moving(action), clips / f"{action}.npz")
        rows.append(f"{action}.npz\t{caption}\t{caption.split()[2]}")
        laban.write(moving(action), scored / f"{action}.npz")
        for take in (1, 5, 8):  # of training, test and validation
            name = ("walk", "walk-left", "wave-right-hand", "bow")[action]
            laban.write(moving(action, 60 + take).resample(30), published / f"dataset-2_{name}_normal_{take:03}.bvh")
    (clips / "captions.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def outputs(words: list[str]) -> list[Path]:
    """What a command says that it writes: the words behind --out, or a converter's second file and on."""
    if "--out" in words:
        behind = words[words.index("--out") + 1 :]
        return [Path(w) for w in behind[: next((i for i, w in enumerate(behind) if w.startswith("-")), len(behind))]]
    return [Path(w) for w in words[2:] if "." in w] if words[0] in ("convert", "render") else []


def test_every_line_of_the_tables_is_used() -> None:
    lines = commands()
    assert [words for words in NOT_RUN if not any(line.startswith(words) for line in lines)] == []
    assert [words for words in (*SMALLER, *EXIT) if not any(words in line for line in lines)] == []
    assert [line for line in of_laban() if not line.startswith("laban ")] == []
    assert len(of_laban()) > 30
    assert {line.split()[1] for line in of_laban()} <= {name.split()[0] for name in cli.COMMANDS}


@pytest.mark.skipif(not (WEIGHTS / "kmm").is_dir(), reason="needs the shipped weights")
@pytest.mark.usefixtures("clone")
def test_the_commands_run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "laban.commands.output.Context", functools.partial(Context, models=Models())
    )  # loads each model once
    wrong = []
    for line in of_laban():
        words = shlex.split(smaller(line).partition(">")[0])[1:]
        begin = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            code = cli.main(words)
        printed = capsys.readouterr()
        expected = next((exit for words_of, exit in EXIT.items() if words_of in line), 0)
        missing = [path for path in outputs(words) if not list(Path(path.parent).glob(f"{path.stem}*{path.suffix}"))]
        with capsys.disabled():
            print(f"{time.process_time() - begin:6.2f} s of CPU, exit {code}: {line}")
        if code != expected or missing:
            wrong.append(f"{line}: exit {code}, missing {missing}: {printed.err.strip()[-300:]}")
    assert "\n".join(wrong) == ""


def in_pages() -> list[str]:
    """The commands in README and docs/, each on one line; not those with a shell's variables or with brackets."""
    found = []
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for language, block in re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
            if language not in ("", "sh"):
                continue
            lines = block.replace("\\\n", " ").splitlines()
            commands = [re.split(r"\s{2,}#", line)[0].strip() for line in lines if line.startswith("laban ")]
            found += [f"{page.name}: {c}" for c in commands if not re.search(r"\$|\[-", c)]
    return found


def test_readme_and_the_pages_name_commands_and_options_that_there_are() -> None:
    wrong, lines = [], in_pages()
    for line in lines:
        words = shlex.split(line.partition(": ")[2].partition(" >")[0])[1:]
        name = next((n for n in (" ".join(words[:2]), words[0]) if n in cli.COMMANDS), "")
        module, _, function = cli.COMMANDS[name][0].partition(":")
        command = getattr(importlib.import_module(module), function)

        @functools.wraps(command)
        def parsed(*_: object, **__: object) -> int:
            return 0

        try:
            cli.parse_and_call(parsed, name, words[len(name.split()) :])
        except InputError as error:
            wrong.append(f"{line}: {error}")
    assert len(lines) > 120
    assert "\n".join(wrong) == ""


@pytest.mark.skipif(not (WEIGHTS / "kmm").is_dir(), reason="needs the shipped weights")
@pytest.mark.usefixtures("clone")
def test_the_python_runs_and_is_what_the_command_makes() -> None:
    [code] = blocks("python")
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert Path("walk.glb").is_file()
    [command] = [line for line in of_laban() if "walk.mp4" in line and line.startswith("laban generate")]
    assert cli.main([w for w in shlex.split(command)[1:] if not w.endswith((".bvh", ".mp4"))] + ["--quiet"]) == 0
    motion, ours = names["motion"], laban.read("walk.glb")
    assert isinstance(motion, Motion)
    assert motion.passport is not None and ours.passport is not None
    assert motion.passport["request"] == ours.passport["request"]
    assert motion.joints().shape == ours.joints().shape
    assert abs(motion.joints() - ours.joints()).max() < 1e-4
