"""`edit` from Python: motions in, motions out, no files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from laban.actions.context import Cancelled, Context
from laban.actions.edit import EditOptions, Range, edit, glides
from laban.data.synthesis import walkers
from laban.errors import InputError
from laban.motion.motion import Motion
from tests.actions import tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    tiny.momask().save(folder)
    return str(folder)


@pytest.fixture(scope="module")
def clip() -> Motion:
    return tiny.walk()


def test_a_range_is_replaced_and_nothing_is_written(
    model: str, clip: Motion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    warned: list[str] = []
    context = Context(device="cpu", warn=warned.append)
    options = EditOptions(clip, ("a person bows",), (Range(1.0, 2.0),), seed=3, samples=1, model=model)
    one = edit(options, context)
    assert np.array_equal(np.delete(one.motion.root, np.s_[30:60], 0), np.delete(clip.root, np.s_[30:60], 0))
    assert not np.array_equal(one.motion.root[30:60], clip.root[30:60])
    assert [round(s.seconds, 2) for s in one.seams] == [1.0, 2.0]
    assert (one.motion.passport or {})["seed"] == 3
    assert one.certificate is None
    assert not warned
    two = edit(replace(options, range=("1.0:2.0",)), context)  # the same in the command line's notation
    assert np.array_equal(one.motion.rotations, two.motion.rotations)
    assert f"load {model}" in context.clock.parts
    assert not list(tmp_path.iterdir())


def test_going_on_and_leading_over(model: str, clip: Motion) -> None:
    context = Context(device="cpu")
    longer = edit(EditOptions(clip, ("a person waves",), extend=1.5, samples=1, model=model), context).motion
    assert longer.frames == 102 + 45
    options = EditOptions(clip, ("a person waves",), then=clip, gap=1.0, samples=1, model=model)
    assert edit(options, context).motion.frames == 102 + 30 + 102


def test_words_that_nobody_knows_are_said(clip: Motion, model: str) -> None:
    warned: list[str] = []
    edit(EditOptions(clip, ("?!",), (Range(2.5),), samples=1, model=model), Context(device="cpu", warn=warned.append))
    assert warned == ["no word of '?!' is understood, so the motion is arbitrary. Write plain English."]


def test_a_caller_can_stop_it(model: str, clip: Motion) -> None:
    options = EditOptions(clip, ("a person bows",), (Range(1.0, 2.0),), model=model)
    with pytest.raises(Cancelled):
        edit(options, Context(device="cpu", cancelled=lambda: True))


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"range": (Range(1, 2),), "seed": -1}, "seed is -1"),
        ({"range": (Range(1, 2),), "samples": 0}, "samples is 0"),
        ({"range": (Range(9, 10),)}, "outside the clip"),
        ({"range": ("2:1",)}, "START before END"),
        ({}, "got no --range"),
        ({"extend": 1.0, "range": (Range(1, 2),)}, "expected one of"),
        ({"gap": 1.0, "extend": 1.0}, "belong together"),
        ({"range": (Range(1, 2),), "text": ("",)}, "missing or empty"),
        ({"range": (Range(1, 2),), "model": "momsk"}, "momask"),
    ],
)
def test_what_is_refused(asked: dict[str, object], match: str, model: str, clip: Motion) -> None:
    with pytest.raises(InputError, match=match):
        edit(EditOptions(**{"source": clip, "text": ("a person bows",), "model": model, **asked}), Context("cpu"))


def test_a_stretch_that_glides_is_told_from_one_that_steps() -> None:
    still = np.repeat(walkers.joints(0, 5, 1.0, 0.0)[:1], 80, 0)
    slid = still + np.clip(np.arange(80) - 30, 0, 30)[:, None, None] * [0, 0, 0.06]
    motion = Motion.from_joints(slid, 20.0)
    assert glides(motion, "a person walks", 30, 60)
    assert not glides(motion, "a person walks", 0, 28)
    assert not glides(motion, "a person waves", 30, 60)
