"""The shipped weights of GODIVA make the video that a sentence names, without the network."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from laban.cli import main
from laban.io import frames
from laban.systems.godiva.digit_judges import centroids, direction
from laban.systems.registry import WEIGHTS

FOLDER = WEIGHTS / "godiva"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no weights of godiva are shipped (docs/godiva.md)")


def test_a_sentence_becomes_a_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refused)
    out = tmp_path / "digits.mp4"
    assert main(["video", "digit 3 is moving up then down", "--out", str(out), "--seed", "1", "--quiet"]) == 0
    seen = frames.read(out, 1, 64, 10)
    assert seen.shape == (10, 64, 64, 1)
    assert direction(centroids(seen[..., 0])) == 0  # up then down
    assert sum(p.stat().st_size for p in FOLDER.iterdir()) <= 12e6
