"""The training loop on a small real system."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from toy import Toy

from laban import checkpoint
from laban.data.corpus import Corpus
from laban.data.synthesis import walkers
from laban.errors import InputError, LabanError, WeightsError
from laban.systems.schedule import StageSchedule
from laban.train import log, loop
from laban.train.average import WeightAverage
from laban.train.state import StageFiles, locked

OPTIONS = loop.Options(log_every=1, validate_every=10, preview=False, checkpoint_seconds=1e9)


def train(corpus: Corpus, folder: Path, settings: tuple[str, ...] = (), **changes: Any) -> loop.Outcome:
    options = replace(OPTIONS, **changes)
    torch.manual_seed(options.seed)
    system = Toy.create("tiny", corpus, settings)
    system.provenance.data, system.provenance.licence = corpus.names, corpus.licences[0]
    return loop.run(system, corpus, folder, options)


def losses(folder: Path, split: str = "train") -> list[tuple[str, int, float]]:
    return [(r["stage"], r["step"], r["loss"]) for r in log.read(folder / "metrics.jsonl") if r["split"] == split]


@pytest.fixture(scope="module")
def whole(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    outcome = train(corpus, folder, preview=True)
    assert outcome.finished == ["first", "second"] and outcome.stopped is None
    return folder


def test_a_run_becomes_a_checkpoint_that_loads(whole: Path) -> None:
    system = Toy.load(whole)
    assert system.provenance.data == ("synthetic",) and system.provenance.licence == "CC0-1.0"
    assert system.provenance.preset == "tiny" and system.provenance.trained == {"first", "second"}
    assert checkpoint.load(whole).hash == system.provenance.hash
    card = (whole / "README.md").read_text()
    assert "| first |" in card and "CC0-1.0" in card
    assert sorted(p.name for p in (whole / "previews").iterdir()) == ["first-000040-1.png", "second-000030-1.png"]


def test_metrics_have_every_step_with_rate_norm_and_seconds(whole: Path) -> None:
    rows = [r for r in log.read(whole / "metrics.jsonl") if r["split"] == "train"]
    assert [(r["stage"], r["step"]) for r in rows] == [("first", i) for i in range(1, 41)] + [
        ("second", i) for i in range(1, 31)
    ]
    schedule = Toy.presets["tiny"].first
    for row in rows[:40]:
        assert row["lr"] == schedule.rate(row["step"] - 1)
        assert row["grad_norm"] > 0 and row["seconds"] >= 0 and row["rmse"] > 0
    assert [s for _, s, _ in losses(whole, "val")] == [10, 20, 30, 40, 10, 20, 30]
    first = [v for stage, _, v in losses(whole) if stage == "first"]
    assert sum(first[-5:]) < 0.9 * sum(first[:5])


def test_rows_are_means_over_the_steps_between(corpus: Corpus, whole: Path, tmp_path: Path) -> None:
    train(corpus, tmp_path, log_every=8)
    each = [v for stage, _, v in losses(whole) if stage == "first"]
    rows = [(s, v) for stage, s, v in losses(tmp_path) if stage == "first"]
    assert [s for s, _ in rows] == [8, 16, 24, 32, 40]
    for s, value in rows:
        assert value == pytest.approx(sum(each[s - 8 : s]) / 8, rel=1e-12)


def test_the_same_seed_repeats_and_another_differs(corpus: Corpus, whole: Path, tmp_path: Path) -> None:
    train(corpus, tmp_path / "again")
    assert losses(tmp_path / "again") == losses(whole)
    assert losses(tmp_path / "again", "val") == losses(whole, "val")
    assert checkpoint.load(tmp_path / "again").hash == checkpoint.load(whole).hash
    train(corpus, tmp_path / "other", seed=1)
    assert losses(tmp_path / "other") != losses(whole)


def test_validation_and_previews_do_not_touch_training(corpus: Corpus, whole: Path, tmp_path: Path) -> None:
    train(corpus, tmp_path, validate_every=0, stages=("first",), preview=True, preview_every=25)
    assert len(list((tmp_path / "previews").iterdir())) == 2
    assert losses(tmp_path) == [row for row in losses(whole) if row[0] == "first"]
    a, b = (checkpoint.load_stage(folder, "first") for folder in (tmp_path, whole))
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_stages_one_by_one_are_the_same_as_in_one_go(corpus: Corpus, whole: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'second' needs 'first'"):
        train(corpus, tmp_path, stages=("second",))
    assert train(corpus, tmp_path, stages=("first",)).finished == ["first"]
    with pytest.raises(WeightsError, match="stage 'second' has no weights"):
        Toy.load(tmp_path)
    outcome = train(corpus, tmp_path)
    assert outcome.skipped == ["first"] and outcome.finished == ["second"]
    assert losses(tmp_path) == losses(whole)
    assert checkpoint.load(tmp_path).hash == checkpoint.load(whole).hash


def test_a_finished_run_is_left_alone(corpus: Corpus, whole: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in whole.rglob("*.safetensors")}
    assert train(corpus, whole).skipped == ["first", "second"]
    assert {p: p.stat().st_mtime_ns for p in whole.rglob("*.safetensors")} == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_the_next_call_goes_on(
    corpus: Corpus, whole: Path, tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = loop.StageTrainer._advance

    def interrupted(self: loop.StageTrainer) -> None:
        advance(self)
        if self.stage == "second" and self.step == 13:
            os.kill(os.getpid(), number)

    assert threading.current_thread() is threading.main_thread()
    with monkeypatch.context() as patch:
        patch.setattr(loop.StageTrainer, "_advance", interrupted)
        outcome = train(corpus, tmp_path, log_every=4)
    assert (outcome.stopped, outcome.step, outcome.finished) == ("second", 13, ["first"])
    assert train(corpus, tmp_path, log_every=4).finished == ["second"]
    assert checkpoint.load(tmp_path).hash == checkpoint.load(whole).hash
    straight = tmp_path / "straight"
    train(corpus, straight, log_every=4)
    assert losses(tmp_path) == losses(straight)  # 13 is inside a row of 4: its steps are not lost


def test_more_steps_go_on_from_the_end_with_milestones_only(corpus: Corpus, tmp_path: Path) -> None:
    train(corpus, tmp_path / "a", stages=("first",), steps=20)
    assert train(corpus, tmp_path / "a", stages=("first",), steps=10).skipped == ["first"]
    assert train(corpus, tmp_path / "a", stages=("first",), steps=40).finished == ["first"]
    train(corpus, tmp_path / "b", stages=("first",), steps=40)
    assert losses(tmp_path / "a") == losses(tmp_path / "b")
    train(corpus, tmp_path / "a", stages=("second",), steps=10)
    with pytest.raises(InputError, match=r"schedule\.steps: 10, now 20"):
        train(corpus, tmp_path / "a", stages=("second",), steps=20)


def test_other_settings_or_data_are_refused_by_name(corpus: Corpus, tmp_path: Path) -> None:
    train(corpus, tmp_path, stages=("first",), steps=3)
    for settings, changes, words in (
        (("width=17",), {}, r"config.width: 16, now 17"),
        (("first.batch_size=4",), {}, r"config.first.batch_size: 8, now 4"),
        ((), {"seed": 5}, r"seed: 0, now 5"),
        ((), {"precision": "bf16"}, r"precision: '32', now 'bf16'"),
    ):
        with pytest.raises(InputError, match=words):
            train(corpus, tmp_path, settings, stages=("first",), steps=3, **changes)
    other = walkers.write(tmp_path / "other", clips=16, seed=1)
    with pytest.raises(InputError, match="corpus: "):
        train(other, tmp_path, stages=("first",), steps=3)


def test_nan_stops_early_and_keeps_the_last_good_state(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(LabanError, match=r"stage 'first', step 13: loss is nan.*last good state is kept"):
        train(corpus, tmp_path, ("poison=12",), checkpoint_every=5)
    state = StageFiles(tmp_path, "first").load()
    assert state is not None and state["step"] == 10
    assert all(torch.isfinite(v).all() for v in state["module"].values() if v.is_floating_point())
    with pytest.raises(LabanError, match=r"step 1: .*no state was saved yet"):
        train(corpus, tmp_path / "at-once", ("poison=0",))
    assert not (tmp_path / "at-once" / "first.safetensors").exists()


def test_a_damaged_state_says_what_to_do(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(LabanError):
        train(corpus, tmp_path, ("poison=12",), checkpoint_every=5)
    path = StageFiles(tmp_path, "first").resume
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match=r"first.pt: damaged.*delete it"):
        train(corpus, tmp_path, ("poison=12",))


def test_a_second_process_on_the_same_stage_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    train(corpus, tmp_path, stages=("first",), steps=2)
    with locked(StageFiles(tmp_path, "second").lock):
        with pytest.raises(InputError, match="another process is training stage 'second'"):
            train(corpus, tmp_path, stages=("second",))


def test_unknown_stage_and_precision(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown stage 'frist'.*did you mean 'first'"):
        train(corpus, tmp_path, stages=("frist",))
    with pytest.raises(InputError, match="precision"):
        train(corpus, tmp_path, precision="16")


def test_bf16_trains(corpus: Corpus, tmp_path: Path) -> None:
    train(corpus, tmp_path, stages=("first",), precision="bf16")
    values = [v for _, _, v in losses(tmp_path)]
    assert sum(values[-5:]) < 0.9 * sum(values[:5])
    tensors = checkpoint.load_stage(tmp_path, "first")
    assert all(v.dtype == torch.float32 for v in tensors.values() if v.is_floating_point())


def test_clipping_bounds_the_step(corpus: Corpus, tmp_path: Path) -> None:
    train(corpus, tmp_path / "free", ("first.clip=0.0", "first.warmup=0"), stages=("first",), steps=1)
    train(corpus, tmp_path / "tight", ("first.clip=1e-12", "first.warmup=0"), stages=("first",), steps=1)
    norm = [r["grad_norm"] for r in log.read(tmp_path / "tight" / "metrics.jsonl") if r["split"] == "train"]
    assert norm[0] > 0.1  # what is logged is the norm before clipping
    torch.manual_seed(0)
    start = Toy.create("tiny", corpus).module("first").state_dict()["0.weight"]
    free = checkpoint.load_stage(tmp_path / "free", "first")["0.weight"]
    tight = checkpoint.load_stage(tmp_path / "tight", "first")["0.weight"]
    assert (tight - start).abs().max() < 0.1 * (free - start).abs().max()


def test_the_average_is_what_its_formula_says_and_is_put_back() -> None:
    module = torch.nn.Linear(2, 1)
    average = WeightAverage(module, 0.5)
    expected = module.weight.detach().clone()
    for step in range(6):
        with torch.no_grad():
            module.weight.add_(step + 1.0)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * module.weight.detach()
        average.update(step)
    torch.testing.assert_close(average.state()["weight"], expected)
    live = module.weight.detach().clone()
    with average.applied():
        torch.testing.assert_close(module.weight.detach(), expected)
    assert torch.equal(module.weight, live)
    assert not torch.equal(live, expected)


def test_schedules() -> None:
    steps = StageSchedule(100, 1, 1.0, warmup=10, milestones=(50, 80), gamma=0.1)
    assert [steps.rate(s) for s in (0, 4, 9, 49)] == [0.1, 0.5, 1.0, 1.0]
    assert steps.rate(50) == pytest.approx(0.1) and steps.rate(99) == pytest.approx(0.01)
    wave = StageSchedule(110, 1, 1.0, warmup=10, decay="cosine", floor=0.2)
    assert wave.rate(9) == wave.rate(10) == 1.0
    assert wave.rate(60) == pytest.approx(0.6) and wave.rate(110) == pytest.approx(0.2)
    with pytest.raises(InputError, match="batch_size"):
        StageSchedule(1, 0)


def test_half_a_line_in_the_metrics_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"stage": "a", "split": "train", "step": 1, "loss": 2}\n{"stage": "a", "sp')
    rows = log.MetricsLog(path)
    rows.write({"stage": "a", "split": "train", "step": 1, "loss": 3})
    rows.close()
    assert log.read(path) == [{"stage": "a", "split": "train", "step": 1, "loss": 3}]
    assert json.loads(path.read_text().splitlines()[-1])["loss"] == 3
