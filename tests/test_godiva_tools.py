"""The benchmarks' and tools' own arithmetic: wins of a blind sheet, rows of judges, floors."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _paths(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = ("benchmarks", "benchmarks/studies", "tools/checks")
    monkeypatch.setattr(sys, "path", [*(str(ROOT / folder) for folder in folders), *sys.path])


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
