"""BABEL's labels on files in its format that are made here, and the protocol's time alignment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from laban.data import babel
from laban.errors import FormatError, InputError, ShapeError


def label(raw: str, cats: list[str], start: float | None = None, end: float | None = None) -> dict[str, object]:
    entry: dict[str, object] = {"raw_label": raw, "proc_label": raw, "seg_id": "x", "act_cat": cats}
    if start is not None:
        entry |= {"start_t": start, "end_t": end}
    return entry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    held = {
        "1": {
            "babel_sid": 1, "url": "", "feat_p": "CMU/CMU/01/01_01_poses.npz", "dur": 8.0,
            "seq_ann": {"labels": [label("walk then sit", ["walk", "sit"])]},
            "frame_ann": {"labels": [
                label("sit down", ["sit"], 4.0, 8.5), label("walk", ["walk"], 0.0, 4.0),
                label("transition", ["transition"], 3.5, 4.5), label("empty", ["jump"], 5.0, 5.0),
            ]},
        },
        "2": {
            "babel_sid": 2, "url": "", "feat_p": "KIT/KIT/3/a_poses.npz", "dur": 3.0, "frame_ann": None,
            "seq_ann": {"labels": [label("jump", ["jump"])]},
        },
        "3": {"babel_sid": 3, "url": "", "feat_p": "KIT/KIT/3/b_poses.npz", "dur": 1.5, "frame_ann": None,
              "seq_ann": {"labels": [label("odd", ["transition"])]}},
    }  # fmt: skip
    place = tmp_path / "val.json"
    place.write_text(json.dumps(held))
    return place


def test_labels_are_read_in_seconds(path: Path) -> None:
    first, second, _ = babel.read(path)
    assert first.path.startswith("CMU") and len(first.stretches) == 3  # the one without length is gone
    assert max(s.end for s in first.stretches) == 8.0  # labels end with the recording
    assert [(s.start, s.end) for s in second.stretches] == [(0.0, 3.0)]
    assert babel.caption(first, 3.0, 5.0) == "walk and transition and sit down"
    assert babel.caption(first, 0.0, 1.0) == "walk"


def test_categories_belong_to_the_moment_whatever_the_recording_s_rate_was(path: Path) -> None:
    """The released code looks up frame i at the recording's rate: 5 s into a 120 fps clip it reads 1.25 s."""
    first = babel.read(path)[0]
    assert babel.categories(first, first_frame=150) == {"sit"}
    assert babel.categories(first, first_frame=0) == {"walk"}
    assert babel.categories(first, first_frame=90) == {"walk", "sit"}
    assert babel.categories(first, first_frame=100, frames=40, fps=20.0) == {"sit"}
    assert babel.categories(first, first_frame=60, frames=60) == {"walk"}  # up to 4 s, where sitting begins


def test_windows_are_seeded_and_fit(path: Path) -> None:
    first, second, third = babel.read(path)
    starts = {babel.window(first, seed) for seed in range(40)}
    assert len(starts) > 20 and min(s for s in starts if s is not None) >= 0
    assert max(s for s in starts if s is not None) <= 8 * 30 - 60
    assert babel.window(first, 3) == babel.window(first, 3) and babel.window(second, 0) in range(31)
    assert babel.window(third, 0) is None


def test_any_valid_category_is_a_hit_and_windows_without_one_are_dropped() -> None:
    names = ["walk", "sit", "jump", "run", "kick", "wave", "throw"]
    rows = np.array([[9, 8, 7, 6, 5, 4, 3], [9, 8, 7, 6, 5, 4, 3], [9, 8, 7, 6, 5, 4, 3], [1, 2, 3, 4, 5, 6, 7.0]])
    found = babel.score(rows, [{"sit", "walk"}, {"kick"}, set(), {"walk"}], names)
    assert found == {"top1": pytest.approx(1 / 3), "top5": pytest.approx(2 / 3), "windows": 3, "dropped": 1}
    with pytest.raises(InputError, match="nothing can be scored"):
        babel.score(rows[:1], [set()], names)
    with pytest.raises(ShapeError):
        babel.score(rows, [{"walk"}], names)


def test_there_are_sixty_classes() -> None:
    assert len(set(babel.CLASSES)) == len(babel.CLASSES) == 60


@pytest.mark.parametrize("text", ["[]", "{", '{"1": {"dur": "long"}}', '{"1": {"dur": -1, "feat_p": "x"}}', '{"1": 3}'])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    place = tmp_path / "val.json"
    place.write_text(text)
    with pytest.raises(FormatError, match="not BABEL"):
        babel.read(place)


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="train.json"):
        babel.read(tmp_path / "train.json")
