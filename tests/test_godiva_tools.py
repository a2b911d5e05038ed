"""The benchmarks' and tools' own arithmetic: wins of a blind sheet, rows of judges, floors."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), str(ROOT / "tools"), *sys.path])


def test_tally_counts_wins_by_the_key(tmp_path: Path) -> None:
    import godiva_pairs  # type: ignore[import-not-found]

    from laban.errors import InputError

    key: dict[str, Any] = {"sheet": "s", "captions": ["x", "y"], "order": [["a", "b"], ["b", "a"]]}
    (tmp_path / "key.json").write_text(json.dumps(key))
    one = {"sheet": "s", "answers": {"VR0": "0", "VR1": "0", "SC0": "1", "SC1": "-1"}}
    (tmp_path / "one.json").write_text(json.dumps(one))
    found = godiva_pairs.tally(tmp_path / "key.json", [tmp_path / "one.json"] * 2)
    assert found == {"VR": {"a": (2, 4), "b": (2, 4)}, "SC": {"a": (0, 4), "b": (2, 4)}}
    (tmp_path / "two.json").write_text(json.dumps({**one, "sheet": "other"}))
    with pytest.raises(InputError, match="answers sheet 'other'"):
        godiva_pairs.tally(tmp_path / "key.json", [tmp_path / "two.json"])


def test_rows_of_judges() -> None:
    import godiva  # type: ignore[import-not-found]

    cells, facts = godiva.row("x", [(1, 2), (1, 3), (2, 2), (-1, -1)], [(1, 2), (1, 2), (1, 2), (1, 2)])
    assert (facts["digit"], facts["motion"], facts["joint"], facts["n"]) == (0.5, 0.5, 0.25, 4)
    assert cells[0] == "x" and cells[1].startswith("2/4 50% [")
    wanted = [[(7, 3), (3, 1)], [(7, 3), (3, 1)], [(7, 3), (3, 1)]]
    _, facts = godiva.doubles("x", [{7: 3, 3: 1}, {7: 1, 3: 3}, {7: 3, 4: 1}], wanted)
    assert facts["digit"] == pytest.approx(2 / 3) and facts["motion"] == 1.0 and facts["joint"] == pytest.approx(1 / 3)


def test_floors_leave_nothing_in_its_place() -> None:
    import godiva  # type: ignore[import-not-found]

    order = godiva.shuffled(np.random.default_rng(0), 50)
    assert sorted(order) == list(range(50)) and (order != np.arange(50)).all()
    pairs = [(d, m) for d in range(3) for m in range(2)]
    assert all(pairs[a][0] != pairs[b][0] for a, b in godiva.two_digits(np.random.default_rng(0), pairs, 30))
    assert godiva.spread(pairs, 8) == [*pairs, *pairs[:2]]
