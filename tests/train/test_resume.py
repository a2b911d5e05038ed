"""Killing `laban train` and starting it again gives the run that was never killed, bit for bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from laban import checkpoint
from laban.train import log

KILLS = (("tokenizer", 11), ("residual", 10))
"""In which stage, and after which step, the process is killed. Nearly all the time is the start of a process."""
PATIENCE = 900  # seconds for a run that takes five on an idle machine


def start(data: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "laban", "train", "momask", "--preset", "tiny", "--data", str(data), "--out", str(out),
        "--device", "cpu", "--threads", "1", "--log-every", "1", "--validate-every", "8", "--checkpoint-every", "4",
        "--quiet", "--no-preview", *more,
    ]  # fmt: skip
    return subprocess.Popen(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    try:
        _, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 0, errors.decode()


def kill_at(process: subprocess.Popen[bytes], out: Path, stage: str, step: int) -> None:
    """SIGKILL as soon as the metrics show that step."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, (process.communicate()[1] or b"it ended before it could be killed").decode()
        path = out / "metrics.jsonl"
        if path.exists() and any(r["stage"] == stage and r["step"] >= step for r in log.read(path)):
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return
        time.sleep(0.005)
    process.kill()
    pytest.fail(f"step {step} of {stage} did not come")


def rows(out: Path) -> list[dict]:
    found = [{k: v for k, v in r.items() if k != "seconds"} for r in log.read(out / "metrics.jsonl")]
    return sorted(found, key=lambda r: (r["stage"], r["split"], r["step"]))


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole")
    finish(start(data, out))
    return out


@pytest.mark.slow
def test_killed_twice_is_bit_equal_to_never_killed(data: Path, whole: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    for stage, step in KILLS:
        kill_at(start(data, killed), killed, stage, step)
    finish(start(data, killed))
    lines = (killed / "metrics.jsonl").read_text().splitlines()
    assert len(lines) > len(rows(killed)), "no step was done twice: the kills came too late to test anything"
    assert rows(killed) == rows(whole)
    assert len([r for r in rows(whole) if r["split"] == "train"]) == 80
    assert checkpoint.load(killed).hash == checkpoint.load(whole).hash
    assert not [p for p in (killed / "state").iterdir() if p.name.startswith(".")]


@pytest.mark.slow
def test_two_processes_train_two_stages_at_once(data: Path, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "parallel"
    finish(start(data, out, "--stage", "tokenizer"))
    pair = [start(data, out, "--stage", *stages) for stages in (("masked", "length"), ("residual",))]
    for process in pair:
        finish(process)
    assert rows(out) == rows(whole)
    assert checkpoint.load(out).hash == checkpoint.load(whole).hash


def test_a_changed_option_is_one_line_and_exit_code_2(data: Path, whole: Path) -> None:
    process = start(data, whole, "--set", "tokenizer.width=48")
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "config.tokenizer.width: 32, now 48" in errors.decode()
    assert len(errors.decode().strip().splitlines()) == 1
