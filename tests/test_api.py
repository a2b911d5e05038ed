"""The Python API: its names, what it refuses, and that it hands on what it is given."""

from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laban
from laban.api import authoring, changes, generation, motions, training
from laban.motion.skeletons import HUMANML22

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "api.md"
MODULES = (generation, authoring, changes, motions, training)


def still(frames: int = 40) -> laban.Motion:
    """Somebody who stands."""
    rotations = np.zeros((frames, 22, 4))
    rotations[..., 0] = 1
    return laban.Motion(HUMANML22, rotations, np.tile([0.0, 0.95, 0.0], (frames, 1)), 20.0)


def test_every_public_name_is_there_and_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in laban.__all__:
        assert not isinstance(getattr(laban, name), types.ModuleType), name
        if name != "__version__":
            assert f"`{name}`" in page, name
    for module in MODULES:
        own = {name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
        assert {name for name in own if not name.startswith("_")} <= set(laban.__all__)


def test_importing_the_api_is_quick_and_light() -> None:
    code = (
        "import sys, time; begin = time.process_time(); import laban; spent = time.process_time() - begin\n"
        "light = not {'torch', 'numpy'} & set(sys.modules)\n"
        "import laban.api.generation; print(light, 'torch' in sys.modules, spent < 0.05)"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["True", "False", "True"]


FUNCTIONS = [name for module in MODULES for name in laban.__all__ if inspect.isfunction(getattr(module, name, None))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_at_most_eight_parameters_and_all_are_described(name: str) -> None:
    function = getattr(laban, name)
    parameters = list(inspect.signature(function).parameters.values())
    assert len([p for p in parameters if p.kind is not p.VAR_KEYWORD]) <= 8
    for parameter in parameters:
        assert f"\n        {parameter.name}: " in function.__doc__, parameter.name


def test_options_are_handed_on_as_the_action_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from laban.actions import edit as action

    asked: list[Any] = []

    def answer(options: Any, context: laban.Context) -> action.EditResult:
        asked.append((options, context))
        return action.EditResult(still(), ())

    monkeypatch.setattr(action, "edit", answer)
    context = laban.Context()
    laban.edit("walk.bvh", "a person waves", (1.0, None), seed=3, context=context, samples=2, out=["a.glb"])
    laban.extend(still(), "a person waves", 2.0)
    laban.bridge(still(), "bow.bvh", "a person waves", 1.5)
    options, given = asked[0]
    assert (options.source, options.text, options.out) == (Path("walk.bvh"), ("a person waves",), (Path("a.glb"),))
    assert (options.range, options.seed, options.samples, given) == ((action.Range(1.0, None),), 3, 2, context)
    assert asked[1][0].extend == 2.0
    assert (asked[2][0].then, asked[2][0].gap) == (Path("bow.bvh"), 1.5)
    assert asked[1][1].models is asked[2][1].models


@pytest.mark.parametrize("name", ["guidence", "sentences"])
def test_an_option_that_there_is_not_is_refused(name: str) -> None:
    with pytest.raises(laban.InputError, match=name):
        laban.generate("a person waves", **{name: 2})


def test_warnings_of_an_action_are_python_warnings_at_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    from laban.actions import generate as action

    def answer(options: Any, context: laban.Context) -> list[action.Generated]:
        context.warn("no word is understood")
        return [action.Generated(options.sentences[0], still())]

    monkeypatch.setattr(action, "generate", answer)
    with pytest.warns(UserWarning, match="no word is understood") as caught:
        assert laban.generate("xyzzy").frames == 40
    assert caught[0].filename == __file__


def test_a_motion_is_cleaned_rendered_and_planned_without_a_model(tmp_path: Path) -> None:
    sunk = dataclasses.replace(still(), root=still().root - [0.0, 0.2, 0.0])
    assert abs(laban.clean(sunk).joints()[..., 1].min()) < 0.05 < abs(sunk.joints()[..., 1].min())
    laban.render(sunk, tmp_path / "a.png", width=320, height=120)
    laban.write(sunk, tmp_path / "a.npz")
    laban.render(tmp_path / "a.npz", tmp_path / "b.html")
    assert (tmp_path / "a.png").stat().st_size > 500
    assert "<html" in (tmp_path / "b.html").read_text()
    assert len(laban.plan("a person walks, then waves").steps) == 2
    with pytest.raises(laban.InputError, match="unknown suffix"):
        laban.render(sunk, tmp_path / "a.docx")
