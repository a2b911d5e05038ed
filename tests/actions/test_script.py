"""`script` from Python: one motion, or parts as they are ready."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from laban.actions.context import Cancelled, Context
from laban.actions.script import ScriptOptions, script, segments_of, stream
from laban.data.synthesis import walkers
from laban.errors import InputError
from laban.motion.motion import Segment
from laban.systems.kmm.script import Line
from laban.systems.kmm.system import KMM
from tests.actions import tiny

LINES = ("a person walks forward @2", Line("a person bows", 2.0))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("kmm")
    torch.manual_seed(0)
    KMM.create("tiny", walkers.write(folder / "corpus", clips=8)).save(folder / "model")
    return str(folder / "model")


def test_lines_become_one_motion(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = ScriptOptions(LINES, model=model, fps=20, raw=True, seed=3)
    [part] = script(options, Context("cpu"))
    assert part.motion.frames == 80
    assert [s.text for s in part.motion.segments] == ["a person walks forward", "a person bows"]
    assert part.files == ()
    assert not list(tmp_path.iterdir())


def test_parts_come_one_by_one_and_are_the_whole(model: str) -> None:
    context = Context("cpu")
    parts = list(stream(ScriptOptions(LINES, model=model, fps=20, parts=1.0, seed=3), context))
    [whole] = script(ScriptOptions(LINES, model=model, fps=20, raw=True, seed=3), context)
    assert len(parts) > 1
    root = np.concatenate([part.motion.root for part in parts])
    assert root.shape == whole.motion.root.shape
    assert np.allclose(root, whole.motion.root, atol=1e-4)


def test_a_stop_keeps_the_parts_that_are_written(model: str, tmp_path: Path) -> None:
    context = Context("cpu", cancelled=lambda: bool(list(tmp_path.iterdir())))
    options = ScriptOptions(("walks @6", "bows @6"), (tmp_path / "long.npz",), model=model, parts=1.0, fps=20)
    with pytest.raises(Cancelled):
        script(options, context)
    assert [path.name for path in tmp_path.iterdir()] == ["long-001.npz"]


def test_neighbours_of_one_text_are_one_segment() -> None:
    walk = tiny.walk()
    parts = [walk, walk]
    assert segments_of(parts) == (Segment("a person walks", 0.0, 6.8),)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (ScriptOptions(), "there is no script"),
        (ScriptOptions(LINES, only=3), "lines 1 to 2"),
        (ScriptOptions(LINES, text="runs"), "give --only too"),
        (ScriptOptions(LINES, only=1, parts=2.0), "do not go together"),
        (ScriptOptions((Line("bows", 0.01),)), "0.01"),
        (ScriptOptions(LINES, variation=-1), "variation is -1"),
    ],
)
def test_what_is_refused(options: ScriptOptions, match: str) -> None:
    with pytest.raises(InputError, match=match):
        script(options, Context("cpu"))
