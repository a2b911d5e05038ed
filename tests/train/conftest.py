"""What the loop's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from laban.data.corpus import Corpus
from laban.data.synthesis import walkers


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a prepared corpus of 16 clips."""
    folder = tmp_path_factory.mktemp("data")
    walkers.write(folder, clips=16, seed=0)
    return folder


@pytest.fixture(scope="session")
def corpus(data: Path) -> Corpus:
    return Corpus.open(data)
