"""The dance protocol: controls score what controls must, and every figure is there."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from laban import cli
from laban.data.corpora import aist
from laban.data.corpus import Corpus
from laban.data.synthesis import tracks, walkers
from laban.errors import InputError
from laban.io import audio
from laban.metrics.frechet import FewSamplesWarning
from laban.motion import rotation
from laban.systems.fact import evaluation, tables
from laban.systems.fact.config import TINY
from laban.systems.fact.system import Fact
from tests.motion.test_warp import swings


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return walkers.write(tmp_path_factory.mktemp("corpus"), clips=16, seed=0)


@pytest.fixture(scope="module")
def system(corpus: Corpus) -> Fact:
    torch.manual_seed(0)
    made = Fact.create(TINY, corpus)
    torch.nn.init.normal_(made.network.head.weight, std=0.05)
    return made.eval()


@pytest.mark.filterwarnings(f"ignore::{FewSamplesWarning.__module__}.FewSamplesWarning")
def test_controls_score_what_they_must(system: Fact, corpus: Corpus) -> None:
    seen: list[int] = []
    found = evaluation.evaluate(system, corpus, evaluation.Programme(4, 360), progress=seen.append)
    rows = found["rows"]
    assert seen == [1, 2, 3, 4] and found["dances"] == 4 and found["block"] == 10
    assert rows["real"]["fact"] > 0.45 > rows["random"]["fact"]
    assert rows["frozen"]["fact"] == 0.0 and rows["frozen"]["frozen"] == 1.0 and rows["frozen"]["per_second"] == 0.0
    assert rows["locked"]["fact"] >= rows["made"]["fact"]
    assert set(rows["made"]["genres"]) == {"house", "rock", "latin", "waltz"} and set(found["kinds"]) == {"tempo"}
    for name in ("real", "made", "locked", "frozen"):
        for key in ("fid_k_compat", "fid_g_fixed", "dist_k_fixed", "dist_g_compat", "pfc_fixed", "skate", "jerk"):
            assert np.isfinite(rows[name][key]), (name, key)
    gap = found["differences"]["real - random"]
    assert gap["low"] <= gap["mean"] <= gap["high"] and gap["low"] > 0


@pytest.mark.filterwarnings(f"ignore::{FewSamplesWarning.__module__}.FewSamplesWarning")
def test_laban_evaluate_runs_the_papers_protocol(
    system: Fact, corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (tables.DANCES, tables.FRAMES) == (40, 1200)
    monkeypatch.setattr(tables, "DANCES", 4)
    monkeypatch.setattr(tables, "FRAMES", 240)
    system.provenance.data, system.provenance.licence = ("nothing",), "no licence at all"
    system.save(tmp_path / "model", card="# Random weights\n")
    walkers.write(tmp_path / "data", clips=16, seed=0)
    argv = ["evaluate", str(tmp_path / "model"), "--data", str(tmp_path / "data"), "--out", str(tmp_path / "report")]
    assert cli.main([*argv, "--quick", "--quiet"]) == 0
    report = (tmp_path / "report" / "report.md").read_text()
    assert "4 dances of 240 frames at 60 fps, k = 10" in report and "no licence at all" in report
    for row in ("generated, song shifted", "frozen", "choreography on another song", "dance clips, any song"):
        assert f"| {row} |" in report
    facts = json.loads((tmp_path / "report" / "report.json").read_text())
    assert facts["rows"]["made"]["n"] == 4 and "long" not in facts
    assert cli.main([*argv, "--steps", "3"]) == 2 and "not scored beside captions" in capsys.readouterr().err


def test_songs_are_held_out_and_seeded(corpus: Corpus) -> None:
    given = evaluation.songs(corpus, evaluation.Programme(8, 120))
    for song in given:
        if song.kind == "tempo":
            assert any(low <= song.bpm <= high for low, high in tracks.HELD_OUT_TEMPI)
        else:
            assert song.genre in tracks.HELD_OUT
        assert song.seed_motion.frames == 121 and len(song.features) >= 120 + 120
    again = evaluation.songs(corpus, evaluation.Programme(2, 120))
    assert np.array_equal(again[1].features, given[1].features) and again[1].bpm == given[1].bpm
    rng = np.random.default_rng(0)
    moved = evaluation.shifted(given[0], rng) - given[0].beats
    assert np.ptp(moved) == 0 and 0.25 <= moved[0] * given[0].bpm / 3600 <= 0.75


def test_long_dances_are_watched_in_windows(system: Fact, corpus: Corpus) -> None:
    (row,) = evaluation.endurance(system, corpus, 1, 6.0)
    assert 0 <= row["slowest"] <= row["fastest"] and row["farthest"] >= row["end"] >= 0
    four = evaluation.variety(system, corpus, 2.0)
    assert len(four["motions"]) == 4 and len(set(four["songs"])) == 4 and four["between songs"] > 0


def test_an_interval_holds_the_mean_and_narrows() -> None:
    values = np.random.default_rng(0).normal(1.0, 1.0, 400)
    low, high = evaluation.interval(list(values))
    few = evaluation.interval(list(values[:20]))
    assert low < values.mean() < high and high - low < few[1] - few[0]
    assert evaluation.interval([0.5, 0.5]) == (0.5, 0.5)


def test_an_aist_copy_gives_its_songs(system: Fact, corpus: Corpus, tmp_path: Path) -> None:
    name = "gHO_sFM_cAll_d20_mHO2_ch11"
    motion = swings(300)
    poses = rotation.to_axis_angle(np.concatenate([motion.rotations, motion.rotations[:, :2] * 0 + [1, 0, 0, 0]], 1))
    for folder in ("motions", "splits", "wav"):
        (tmp_path / folder).mkdir()
    held = {"smpl_poses": poses.reshape(300, 72), "smpl_trans": (motion.root + [0, 0.9, 0]) * 90,
            "smpl_scaling": np.array([90.0])}  # fmt: skip
    (tmp_path / "motions" / f"{name}.pkl").write_bytes(pickle.dumps(held))
    for split, text in (("val", ""), ("test", name)):
        (tmp_path / "splits" / f"crossmodal_{split}.txt").write_text(text)
    audio.write(tracks.synthesise("house", 120.0, 6.0).samples, tracks.RATE, tmp_path / "wav" / "mHO2.wav")
    (song,) = evaluation.of_aist(aist.Aist(tmp_path), 200)
    assert (song.genre, song.kind, song.bpm) == ("house", "advanced", 120.0)
    assert song.seed_motion.frames == 120 and song.before is not None and len(song.before) == 120
    assert abs(np.percentile(song.seed_motion.joints()[..., 1].min(axis=-1), 50)) < 0.1  # on a floor
    programme = evaluation.Programme(frames=200)
    found = evaluation.evaluate(system, corpus, programme, given=[song, replace(song, genre="pop")])
    assert found["dances"] == 2 and set(found["rows"]["made"]["genres"]) == {"house", "pop"}
    with pytest.raises(InputError, match="no dance of testval has a song that goes on for 5000 frames"):
        evaluation.of_aist(aist.Aist(tmp_path), 5000)
