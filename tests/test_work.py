"""Pieces of work: whole or not at all, in one process or in several, and only those that are missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from laban.errors import InputError, LabanError
from laban.work import Counter, run


def write(piece: str, path: Path) -> None:
    """What the pieces of these tests are made by; it can be pickled."""
    path.write_text(piece[: len(piece) // 2])
    if piece == "bad":
        raise InputError("bad is not good.")
    if piece == "dead":
        os._exit(3)
    path.write_text(piece)


def pieces_in(folder: Path, *names: str) -> list[tuple[Path, str]]:
    return [(folder / f"{name}.txt", name) for name in names]


@pytest.mark.parametrize("workers", [1, 2])
def test_failures_leave_no_file_and_stop_nothing(workers: int, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    pieces = pieces_in(tmp_path, "one", "bad", "three")
    failures = run(write, pieces, workers, progress=lambda done, total: told.append((done, total)))
    assert [str(failure) if failure else None for failure in failures] == [None, "bad is not good.", None]
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"one.txt": "one", "three.txt": "three"}
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("before")
    assert run(write, pieces_in(tmp_path, "one", "two")) == [None, None]
    assert (tmp_path / "one.txt").read_text() == "before" and (tmp_path / "two.txt").read_text() == "two"


def test_an_end_between_pieces(tmp_path: Path) -> None:
    def check() -> None:
        raise LabanError("enough")

    with pytest.raises(LabanError, match="enough"):
        run(write, pieces_in(tmp_path, "one", "two"), check=check)
    assert [p.name for p in tmp_path.iterdir()] == ["one.txt"]


def test_a_worker_that_dies_is_said(tmp_path: Path) -> None:
    with pytest.raises(LabanError, match="ended from outside"):
        run(write, pieces_in(tmp_path, "dead", "two"), 2)
    assert not (tmp_path / "dead.txt").exists()


@pytest.mark.parametrize("runner", ["local", "processes"])
def test_ctrl_c_leaves_nothing_half_written(runner: str, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import sys, time\nfrom pathlib import Path\nfrom laban.work import run\n"
        "def make(piece, path):\n    path.write_text('half')\n    print('begun', flush=True)\n    time.sleep(0.6)\n"
        "    path.write_text('whole')\n"
        "if __name__ == '__main__':\n"
        f"    run(make, [(Path('out') / str(i), i) for i in range(40)], 2, {runner!r})\n"
    )
    out = tmp_path / "out"
    out.mkdir()
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(
        [sys.executable, "slow.py"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == b"begun\n"
    time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the process and its workers
    process.communicate(timeout=20)
    assert process.returncode != 0
    left = [p.read_text() for p in out.iterdir()]
    assert len(left) < 40 and set(left) <= {"whole"}


def test_a_counter_tells_what_is_being_done() -> None:
    told: list[tuple[int, int | None, str]] = []
    counter = Counter(lambda *said: told.append(said), 4, "score")
    counter.note("real")
    counter.add(3)
    assert told == [(0, 4, "score: real"), (3, 4, "score: real")]
