"""BABEL's label files, and features of AMASS beside them, on files of their form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from babel_files import label, sequence, write

from laban.data.corpora import babel
from laban.errors import FormatError, InputError


def test_labels_are_read_in_seconds_and_in_order_of_time(tmp_path: Path) -> None:
    first = sequence(
        label("sit down", 4.0, 8.5, "sit"), label("walk", 0.0, 4.0, "walk"), label("empty", 5.0, 5.0, "jump"),
        label("transition", 3.5, 4.5, "transition"), dur=8.0, whole=(label("walk then sit", None, None, "walk"),),
    )  # fmt: skip
    table = {"10": first, "9": sequence(dur=3.0, whole=(label("jump", None, None, "jump"),))}
    whole, frames = babel.read(write(tmp_path / "val.json", table))
    assert (whole.id, frames.id) == ("9", "10") and not whole.frame_level and frames.frame_level
    assert whole.actions == (babel.Action("jump", 0.0, 3.0, ("jump",), "JUMP"),)
    # the one without length is gone, and labels end with the recording
    assert [(a.text, a.start, a.end) for a in frames.actions] == [
        ("walk", 0.0, 4.0), ("transition", 3.5, 4.5), ("sit down", 4.0, 8.0),
    ]  # fmt: skip
    assert [a.is_transition for a in frames.actions] == [False, True, False]
    assert frames.actions[0].raw == "WALK" and frames.path == first["feat_p"] and frames.seconds == 8.0


def test_labels_of_the_whole_stand_in_for_none_of_stretches(tmp_path: Path) -> None:
    row = {**sequence(dur=2.0), "frame_ann": {"labels": []}}
    row["seq_ann"]["labels"] = [{"raw_label": "Odd", "proc_label": None, "act_cat": None}]
    (found,) = babel.read(write(tmp_path / "val.json", {"1": row}))
    assert found.actions == (babel.Action("Odd", 0.0, 2.0, (), "Odd"),) and not found.frame_level


@pytest.mark.parametrize(
    ("table", "match"),
    [
        ([1], "table of sequences"), ({}, "table of sequences"), ({"1": 3}, "sequence 1"),
        ({"1": {"dur": "long"}}, "dur"), ({"1": {"dur": -1, "feat_p": "x"}}, "dur"),
        ({"1": {**sequence(), "dur": float("nan")}}, "dur"), ({"1": {**sequence(), "seq_ann": None}}, "neither"),
        ({"1": sequence(label("a", 5, 4))}, "label 0"), ({"1": sequence({"proc_label": 3})}, "label 0"),
        ({"1": sequence(label(" ", 0, 4))}, "label 0"), ({"1": sequence(label("a", -1, 5))}, "label 0"),
        ({"1": sequence(label("a", 0, float("inf")))}, "label 0"),
        ({"1": sequence({**label("a"), "act_cat": "x"})}, "act_cat"),
        ({"1": {**sequence(), "frame_ann": {"labels": [2]}}}, "label 0"),
    ],
)  # fmt: skip
def test_damaged_files(table: Any, match: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=f"not BABEL.*{match}"):
        babel.read(write(tmp_path / "val.json", table))


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read.*train\.json"):
        babel.read(tmp_path / "absent.json")
    for text in ("{", "[" * 100_000):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(FormatError, match="not JSON"):
            babel.read(tmp_path / "bad.json")


def test_features_are_checked(tmp_path: Path) -> None:
    recording = babel.Recording("9", "BMLrub/rub018/rub018/0001_treadmill_poses.npz", 6.0, (), False)
    path = tmp_path / "BMLrub__rub018__rub018__0001_treadmill_poses.npy"
    with pytest.raises(InputError, match="missing"):
        babel.features(tmp_path, recording)
    for array, match in (
        (np.zeros((180, 7)), "shape"), (np.full((180, 135), np.nan), "finite"), (np.zeros((90, 135)), "about 180"),
        (np.full((180, 135), "a"), "shape"),
    ):  # fmt: skip
        np.save(path, array)
        with pytest.raises(FormatError, match=match):
            babel.features(tmp_path, recording)
    with path.open("wb") as file:
        np.savez(file, a=np.zeros((180, 135)))
    with pytest.raises(FormatError, match="several arrays"):
        babel.features(tmp_path, recording)
    path.write_bytes(b"no array")
    with pytest.raises(FormatError, match="cannot be read"):
        babel.features(tmp_path, recording)
    for width, frames in ((135, 180), (263, 120)):
        np.save(path, np.zeros((frames, width), np.float32))
        assert babel.features(tmp_path, recording).shape == (frames, width)
