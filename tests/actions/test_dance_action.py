"""`dance` from Python: a song in, a motion and its scores out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from laban.actions.context import Cancelled, Context
from laban.actions.dance import DanceOptions, dance
from laban.data.synthesis import tracks
from laban.errors import InputError
from laban.io import audio
from tests.actions import tiny


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> DanceOptions:
    folder = tmp_path_factory.mktemp("dance")
    tiny.fact().save(folder / "model", card="# Random weights\n")
    track = tracks.synthesise("rock", 110.0, 6.0, seed=2)
    audio.write(track.samples, tracks.RATE, folder / "song.wav")
    return DanceOptions(folder / "song.wav", seconds=2.0, bpm=110, model=str(folder / "model"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABAN_CACHE", str(tmp_path / "cache"))


def test_a_dance_its_scores_and_its_progress(asked: DanceOptions) -> None:
    seen: list[tuple[int, int | None, str]] = []
    result = dance(asked, Context("cpu", progress=lambda *now: seen.append(now)))
    passport = result.motion.passport or {}
    assert result.motion.seconds == pytest.approx(2.0)
    assert (passport["song"], passport["lock_beats"]) == ("song.wav", True)
    assert result.locked is not None
    assert result.locked.fact >= result.as_made.fact
    assert seen[-1][0] <= 120
    assert {now[1:] for now in seen} == {(120, "dance")}


def test_what_the_dancer_did_before_matters(asked: DanceOptions) -> None:
    context = Context("cpu")
    plain = dance(replace(asked, lock_beats=False), context)
    led = dance(replace(asked, lock_beats=False, seed_motion=tiny.walk()), context)
    assert plain.locked is None
    assert not np.allclose(plain.motion.root, led.motion.root)


def test_a_caller_can_stop_it(asked: DanceOptions, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        dance(replace(asked, out=(tmp_path / "a.npz",)), Context("cpu", cancelled=lambda: True))
    assert not (tmp_path / "a.npz").exists()


@pytest.mark.parametrize(("field", "value"), [("bpm", 900), ("block", 0), ("seconds", 0.5), ("fps", 1000)])
def test_what_is_out_of_bounds(asked: DanceOptions, field: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{field} is {value}"):
        dance(replace(asked, **{field: value}), Context("cpu"))
