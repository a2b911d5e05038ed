"""Prepare, train, evaluate, check and import from Python: what they tell, and how they are ended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from laban.actions.check import CheckOptions, check
from laban.actions.context import Cancelled, Context
from laban.actions.data import PrepareOptions, prepare
from laban.actions.evaluate import EvaluateOptions
from laban.actions.train import TrainOptions, train
from laban.actions.weights import ImportOptions, import_weights
from laban.data.synthesis import walkers
from laban.errors import CheckFailed, InputError
from laban.io import bvh
from laban.motion.motion import Motion


def test_a_run_tells_its_steps_and_is_ended_and_goes_on(tmp_path: Path) -> None:
    walkers.write(tmp_path / "data", clips=16, seed=0)
    told: list[tuple[int, int | None, str]] = []
    context = Context(device="cpu", progress=lambda *said: told.append(said), cancelled=lambda: len(told) >= 3)
    options = TrainOptions(
        "evaluator", tmp_path / "data", tmp_path / "run", preset="tiny", steps=6, log_every=1, preview=False
    )
    outcome = train(options, context)
    assert outcome.stopped is not None and 0 < outcome.step < 6
    assert told[0] == (1, 6, outcome.stopped) and told[-1][2].startswith(f"{outcome.stopped}: loss=")
    again = train(options, Context(device="cpu"))
    assert again.stopped is None and outcome.stopped in again.finished


def test_prepare_is_ended_between_files(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for number in (1, 2):
        motion = Motion.from_joints(walkers.joints(number, 70, 1.0, 0.3), 20).resample(30)
        bvh.write(motion, source / f"dataset-1_bow_sad_00{number}.bvh")
    options = PrepareOptions("bandai-namco", source, tmp_path / "out")
    with pytest.raises(Cancelled):
        prepare(options, Context(cancelled=lambda: True))
    assert len(list(tmp_path.rglob("parts-*/*.npz"))) == 1
    assert prepare(options, Context()).clips > 0 and not list(tmp_path.rglob("parts-*"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"system": "momask", "motions": Path("m")}, "one of them"),
        ({"system": "momask", "data": None}, "give --data FOLDER"),
        ({"system": "momask", "length": 4}, "--length is of --protocol long"),
        ({"system": "kmm", "protocol": "long", "cases": 4}, "--cases is of --protocol single"),
        ({"system": "momask", "steps": (0,)}, "--steps is 0"),
        ({"system": "momask", "babel": Path("b")}, "go together"),
    ],
)
def test_what_evaluate_cannot_do(given: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        EvaluateOptions(tmp_path, **{"data": tmp_path, **given}).checked()  # type: ignore[arg-type]


def test_check_and_import_name_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no finest\.tar in it"):
        check(CheckOptions("evaluator", tmp_path))
    np.savez(tmp_path / "x.npz", other=np.zeros(3))
    with pytest.raises(CheckFailed):
        check(CheckOptions("metrics", tmp_path / "x.npz"))
    with pytest.raises(InputError, match="not an empty folder"):
        import_weights(ImportOptions("momask", tmp_path, tmp_path), Context())
    with pytest.raises(InputError, match="about MoMask"):
        import_weights(ImportOptions("motionclip", tmp_path, tmp_path / "out", masked="m"), Context())
