"""An array written row by row is the file that numpy writes of the whole, and its statistics are numpy's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from laban.data.corpora.registry import CORPORA, open_source
from laban.data.corpora.source import FilmSource, MotionSource
from laban.data.rows import Rows
from laban.errors import InputError


@pytest.mark.parametrize("shape", [(5,), (3, 2)])
def test_the_file_is_numpys(tmp_path: Path, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(count, *shape)).astype(np.float32) for count in (4, 1, 70_000)]
    with Rows(tmp_path / "a.npy") as rows:
        for part in parts:
            rows.append(part)
    np.save(tmp_path / "b.npy", np.concatenate(parts))
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()
    some = np.concatenate([parts[0][1:3], parts[2][1000:]]).astype(np.float64).reshape(-1, rows.width)
    mean, std = rows.statistics([(1, 2), (5 + 1000, 69_000)])
    np.testing.assert_array_equal(mean, some.mean(0))
    np.testing.assert_array_equal(std, some.std(0))


def test_rows_of_another_shape_are_refused(tmp_path: Path) -> None:
    with Rows(tmp_path / "a.npy") as rows:
        rows.append(np.zeros((2, 3)))
        with pytest.raises(ValueError, match=r"\(4,\) behind rows of \(3,\)"):
            rows.append(np.zeros((2, 4)))


def test_the_registry_names_sources(tmp_path: Path) -> None:
    (tmp_path / "a.bvh").write_text("")
    for name in CORPORA:
        if name not in ("folder", "renders"):  # which read their folder at once
            source = open_source(name, tmp_path)
            assert isinstance(source, MotionSource | FilmSource) and source.name == name and source.licence
    with pytest.raises(InputError, match="unknown corpus 'amass'"):
        open_source("amass", tmp_path)
