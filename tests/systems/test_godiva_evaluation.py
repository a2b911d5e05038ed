"""The judges' table: its arithmetic, its floors, and a whole report of a tiny model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from laban.cli import main
from laban.data.corpora.mnist import MovingDigits
from laban.data.synthesis import synthetic_digits
from laban.systems.godiva import evaluation
from laban.systems.godiva.digit_judges import Judges
from laban.systems.godiva.system import Godiva

SMALLER = ("coder.width=16", "coder.code_width=16", "coder.codes=32", "decoder.width=32", "decoder.heads=2",
           "score.width=8", "score.embedding=16", "sampling.batch=32")  # fmt: skip


def test_rows_count_digits_motions_and_both() -> None:
    row = evaluation.singles("x", [(1, 2), (1, 3), (2, 2), (-1, -1)], [(1, 2)] * 4)
    assert (row.digit, row.motion, row.joint, row.total) == (2, 2, 1, 4)
    assert row.cells()[:2] == ["x", "2/4 50.0% [15.0, 85.0]"]
    assert row.facts()["joint"] == 0.25 and row.facts()["joint_interval"] == pytest.approx((0.0456, 0.6994), abs=1e-3)
    row = evaluation.doubles("x", [{7: 3, 3: 1}, {7: 1, 3: 3}, {7: 3, 4: 1}], [[(7, 3), (3, 1)]] * 3)
    assert (row.digit, row.motion, row.joint) == (2, 3, 1)  # the right motions of the wrong digits are not joint


def test_floors_leave_nothing_in_its_place() -> None:
    order = evaluation.shuffled(np.random.default_rng(0), 50)
    assert sorted(order) == list(range(50)) and (order != np.arange(50)).all()
    pairs = [(d, m) for d in range(3) for m in range(2)]
    assert all(a[0] != b[0] for a, b in evaluation.of_two(np.random.default_rng(0), pairs, 30))
    assert evaluation.spread(pairs, 8) == [*pairs, *pairs[:2]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """digits.tar, judges that learned a little, and an untrained model."""
    folder = tmp_path_factory.mktemp("godiva")
    source = MovingDigits.open(synthetic_digits.write(folder / "digits.tar"))
    Judges.train(source, classifier_steps=40, detector_steps=2).save(folder / "judges", source)
    torch.manual_seed(0)
    made = Godiva.create("tiny", source, SMALLER)
    made.tokenizer.train()
    made.loss("tokenizer", made.sampler("tokenizer", source, "train")(np.random.default_rng(0), 16), torch.Generator())
    made.sampler("decoder", source, "train")
    made.provenance.trained |= set(made.stages())
    made.save(folder / "model")
    return folder


def test_evaluate_writes_the_judges_table(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    argv = ["evaluate", "model", "--data", "digits.tar", "--out", str(tmp_path), "--cases", "20", "--quiet"]
    assert main([*argv, "--judges", "judges", "--floor", "model"]) == 0
    facts = json.loads((tmp_path / "report.json").read_text())
    rows = facts["rows"]
    assert rows[evaluation.REAL]["motion"] == 1.0 and rows[evaluation.REAL]["digit"] > 0.3  # of 400 images, 40 steps
    assert rows[evaluation.SEEN]["joint"] < 0.3 and rows[evaluation.SEEN]["n"] == 20  # untrained
    assert {"floor: other videos' captions", "floor: a model without captions", "two digits, real"} <= set(rows)
    assert abs(facts["likelihood"]["gap"]) < 0.1
    page = (tmp_path / "report.md").read_text()
    assert "lattice of 4" in page and "| through the tokenizer |" in page
    assert main([*argv, "--split", "test", "--guidance", "2"]) == 2
    assert "leave out" in capsys.readouterr().err
