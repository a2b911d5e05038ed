"""`vocabulary.json`: built from rows, written, read back strictly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from laban.errors import InputError, WeightsError
from laban.language.vocabulary import NAME, Row, Vocabulary, build

ROWS = [
    Row("kick", ("a person kicks", "a person kicks high"), 30.0, "CC0 1.0"),
    Row("walk", ("a person walks forward", "a person walks"), 90.0, "CC BY-NC 4.0"),
    Row("walk", ("a person walks",), 30.0, "CC0 1.0"),
]
GOOD = {
    "action": "walk",
    "example": "a person walks",
    "captions": ["a person walks"],
    "minutes": 1.0,
    "licences": ["x"],
}


def test_rows_become_entries_with_most_minutes_first() -> None:
    found = build(ROWS)
    assert [entry.action for entry in found.entries] == ["walk", "kick"]
    walk = found.by_action["walk"]
    assert walk.minutes == 2.0
    assert walk.licences == ("CC BY-NC 4.0", "CC0 1.0")
    assert walk.example == "a person walks" == walk.captions[0]  # said twice
    assert found.captions["a person kicks high"] == "kick"


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    build(ROWS).write(tmp_path)
    assert Vocabulary.read(tmp_path) == build(ROWS) == Vocabulary.read(tmp_path / NAME)
    assert isinstance(json.loads((tmp_path / NAME).read_text("utf-8")), list)


@pytest.mark.parametrize(
    "row",
    [
        Row("", ("a",), 1.0, "x"), Row("walk", (), 1.0, "x"), Row("walk", ("",), 1.0, "x"),
        Row("walk", ("a",), 0.0, "x"),
        Row("walk", ("a",), float("nan"), "x"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named(row: Row) -> None:
    with pytest.raises(InputError, match="row 2"):
        build([ROWS[0], row])


def test_no_row_is_an_error() -> None:
    with pytest.raises(InputError, match="no captioned clip"):
        build([])


@pytest.mark.parametrize(
    "text",
    [
        "", "{}", "[]", "[1]", json.dumps([GOOD | {"more": 1}]), json.dumps([GOOD | {"captions": []}]),
        json.dumps([GOOD | {"captions": [1]}]), json.dumps([GOOD | {"minutes": "1"}]),
        json.dumps([GOOD | {"minutes": -1}]),
        json.dumps([GOOD | {"minutes": float("nan")}]), json.dumps([GOOD | {"action": ""}]), json.dumps([GOOD, GOOD]),
        json.dumps([{k: v for k, v in GOOD.items() if k != "licences"}]), json.dumps([GOOD | {"minutes": True}]),
    ],
)  # fmt: skip
def test_a_file_in_another_form_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text, "utf-8")
    with pytest.raises(WeightsError):
        Vocabulary.read(tmp_path)


def test_a_missing_file_and_a_missing_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is missing"):
        Vocabulary.read(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        build(ROWS).write(tmp_path / "none")
