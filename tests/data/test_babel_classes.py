"""BABEL-60: the protocol's time alignment, its windows and its score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from babel_files import label, sequence, write

from laban.data import babel_classes as classes
from laban.data.corpora.babel import read
from laban.errors import InputError, ShapeError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    table = {
        "1": sequence(
            label("sit down", 4.0, 8.5, "sit"), label("walk", 0.0, 4.0, "walk"),
            label("transition", 3.5, 4.5, "transition"), label("empty", 5.0, 5.0, "jump"),
            dur=8.0, whole=(label("walk then sit", None, None, "walk", "sit"),),
        ),
        "2": sequence(dur=3.0, whole=(label("jump", None, None, "jump"),)),
        "3": sequence(dur=1.5, whole=(label("odd", None, None, "transition"),)),
    }  # fmt: skip
    return write(tmp_path / "val.json", table)


def test_captions_are_raw_labels_in_order_of_time(path: Path) -> None:
    first = read(path)[0]
    assert classes.caption(first, 3.0, 5.0) == "WALK and TRANSITION and SIT DOWN"
    assert classes.caption(first, 0.0, 1.0) == "WALK"


def test_categories_belong_to_the_moment_whatever_the_recording_s_rate_was(path: Path) -> None:
    """The released code looks up frame i at the recording's rate: 5 s into a 120 fps clip it reads 1.25 s."""
    first = read(path)[0]
    assert classes.categories(first, first_frame=150) == {"sit"}
    assert classes.categories(first, first_frame=0) == {"walk"}
    assert classes.categories(first, first_frame=90) == {"walk", "sit"}
    assert classes.categories(first, first_frame=100, frames=40, fps=20.0) == {"sit"}
    assert classes.categories(first, first_frame=60, frames=60) == {"walk"}  # up to 4 s, where sitting begins


def test_windows_are_seeded_and_fit(path: Path) -> None:
    first, second, third = read(path)
    starts = {classes.window(first, seed) for seed in range(40)}
    assert len(starts) > 20 and min(s for s in starts if s is not None) >= 0
    assert max(s for s in starts if s is not None) <= 8 * 30 - 60
    assert classes.window(first, 3) == classes.window(first, 3) and classes.window(second, 0) in range(31)
    assert classes.window(third, 0) is None


def test_any_valid_category_is_a_hit_and_windows_without_one_are_dropped() -> None:
    names = ["walk", "sit", "jump", "run", "kick", "wave", "throw"]
    rows = np.array([[9, 8, 7, 6, 5, 4, 3], [9, 8, 7, 6, 5, 4, 3], [9, 8, 7, 6, 5, 4, 3], [1, 2, 3, 4, 5, 6, 7.0]])
    found = classes.score(rows, [{"sit", "walk"}, {"kick"}, set(), {"walk"}], names)
    assert found == {"top1": pytest.approx(1 / 3), "top5": pytest.approx(2 / 3), "windows": 3, "dropped": 1}
    with pytest.raises(InputError, match="nothing can be scored"):
        classes.score(rows[:1], [set()], names)
    with pytest.raises(ShapeError):
        classes.score(rows, [{"walk"}], names)


def test_there_are_sixty_classes() -> None:
    assert len(set(classes.CLASSES)) == len(classes.CLASSES) == 60
