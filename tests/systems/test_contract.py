"""What every system promises, on its `tiny` preset."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import laban
from laban import checkpoint
from laban.config import from_dict, to_dict
from laban.data.corpus import Corpus
from laban.data.synthesis import synthetic_digits, walkers
from laban.errors import InputError, WeightsError
from laban.motion.motion import Motion
from laban.systems.base import System
from laban.systems.registry import SYSTEMS, load, locate, resolve
from laban.systems.requests import MusicRequest, TextRequest

SETTINGS: dict[str, tuple[str, ...]] = {  # where `tiny` is a model that ships, a smaller one of the same kind
    "godiva": (
        "frames.count=4", "digits.frames=4", "prefixes=(2,4)", "coder.width=16", "coder.code_width=16",
        "coder.codes=32", "decoder.width=32", "decoder.heads=2", "score.width=8", "score.embedding=16",
        "tokenizer_schedule.batch_size=16", "decoder_schedule.batch_size=4", "score_schedule.batch_size=8",
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=SYSTEMS)
def kind(request: pytest.FixtureRequest) -> type[System]:
    return resolve(request.param)


@pytest.fixture(scope="module")
def corpus(kind: type[System], tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = tmp_path_factory.mktemp("corpus")
    if kind.makes == "video":
        config, _ = kind.configured("tiny", SETTINGS[kind.name])
        return kind.open_data(synthetic_digits.write(place / "mnist.tar"), config)
    return walkers.write(place, clips=16, seed=0)


def ask(kind: type[System], text: str, seconds: float | None = None) -> Any:
    """A request of the sort that the system takes; an empty text is one that it must refuse."""
    if kind.takes is TextRequest:
        return TextRequest(text, seconds)
    music = np.random.default_rng(len(text)).normal(0, 1, (240 if text else 0, 35))
    return MusicRequest(music.astype(np.float32), seconds, text=text)


def requests_of(kind: type[System]) -> list[Any]:
    if kind.makes == "video":
        return [TextRequest("digit 3 moves up then down"), TextRequest("Digit 1 is moving left and right.")]
    return [ask(kind, "a person walks forward", 2.0), ask(kind, "a person bows", 3.05), ask(kind, "waves")]


def values(result: Any) -> np.ndarray:
    """What is compared of a result."""
    return result.joints() if isinstance(result, Motion) else result.pixels.astype(np.float64)


def make(kind: type[System], corpus: Corpus, seed: int = 0) -> System:
    torch.manual_seed(seed)
    system = kind.create("tiny", corpus, SETTINGS.get(kind.name, ()))
    system.provenance.data, system.provenance.licence = corpus.names, corpus.licences[0]
    for stage in system.stages():  # weights that are used, not only initialised (codebooks start in training)
        step(system, stage, batch_of(system, stage, corpus), 1)
    return system.eval()


def batch_of(system: System, stage: str, corpus: Corpus, seed: int = 0) -> dict[str, torch.Tensor]:
    system.eval()
    draw = system.sampler(stage, corpus, "train")
    return draw(np.random.default_rng(seed), system.schedule(stage).batch_size)


def step(system: System, stage: str, batch: dict[str, torch.Tensor], count: int) -> list[float]:
    """Optimizer steps on one batch. Returns: the losses, the same noise at each step."""
    module = system.module(stage).train()
    optimizer = torch.optim.AdamW(module.parameters(), lr=3e-3)
    seen = []
    for _ in range(count):
        torch.manual_seed(0)
        losses = system.loss(stage, batch, torch.Generator().manual_seed(0))
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
        seen.append(float(losses["loss"].detach()))
    module.eval()
    return seen


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_names_presets_and_schedules(kind: type[System], corpus: Corpus) -> None:
    assert SYSTEMS[kind.name].endswith(f":{kind.__name__}")
    assert {"paper", "small", "tiny"} <= kind.presets.keys()
    for config in kind.presets.values():
        assert from_dict(kind.config_class, to_dict(config)) == config
    system = make(kind, corpus)
    assert len(set(system.stages())) == len(system.stages()) > 0
    for i, stage in enumerate(system.stages()):
        assert system.schedule(stage).steps > 0
        assert set(system.requires(stage)) <= set(system.stages()[:i])
        assert any(p.requires_grad for p in system.module(stage).parameters())


def test_loss_falls_on_one_batch(kind: type[System], corpus: Corpus) -> None:
    system = make(kind, corpus)
    for stage in system.stages():
        losses = step(system, stage, batch_of(system, stage, corpus), 40)
        assert np.isfinite(losses).all()
        assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:2]), f"{stage}: {losses[0]:.3f} -> {losses[-1]:.3f}"


def test_losses_and_gradients_are_close_under_bf16(kind: type[System], corpus: Corpus) -> None:
    system = make(kind, corpus)
    for stage in system.stages():
        module, batch = system.module(stage), batch_of(system, stage, corpus)
        plain = system.loss(stage, batch, torch.Generator().manual_seed(0))["loss"].detach()
        with torch.autocast("cpu", torch.bfloat16):
            module.train()
            loss = system.loss(stage, batch, torch.Generator().manual_seed(0))["loss"]
            module.eval()
            cast = system.loss(stage, batch, torch.Generator().manual_seed(0))["loss"].detach()
        loss.backward()
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        assert gradients and all(g.isfinite().all() for g in gradients), stage
        assert abs(float(cast - plain)) < 0.05 * float(plain), stage


def test_all_randomness_is_in_the_generators(kind: type[System], corpus: Corpus) -> None:
    for stage in make(kind, corpus).stages():
        seen = []
        for noise in (0, 0, 1):
            system = make(kind, corpus)
            module = system.module(stage).train()
            batch = batch_of(system, stage, corpus)
            module.train()
            torch.manual_seed(noise)
            losses = system.loss(stage, batch, torch.Generator().manual_seed(noise))
            seen.append({k: v.detach().clone() for k, v in losses.items()})
            assert all(v.ndim == 0 for v in losses.values())
        assert same(seen[0], seen[1])
        again = batch_of(make(kind, corpus), stage, corpus)
        assert same(again, batch) and not same(batch_of(make(kind, corpus), stage, corpus, seed=1), batch)


def test_save_then_load_is_bit_equal(kind: type[System], corpus: Corpus, tmp_path: Path) -> None:
    system = make(kind, corpus)
    system.save(tmp_path / "full")
    found = load(tmp_path / "full")
    assert type(found) is kind and found.config == system.config
    assert found.provenance.data == corpus.names and found.provenance.licence == corpus.licences[0]
    for stage in system.stages():
        assert same(dict(system.module(stage).state_dict()), dict(found.module(stage).state_dict()))
        assert not found.module(stage).training
    requests = requests_of(kind)[:1]
    before, after = system.generate(requests, 3)[0], found.generate(requests, 3)[0]
    assert np.array_equal(values(before), values(after))
    system.save(tmp_path / "half", half=True)
    small = load(tmp_path / "half")
    for stage, stored in checkpoint.load(tmp_path / "half").stages.items():  # may lack what only training needs
        assert stored.keys() >= {k for k, _ in system.module(stage).named_parameters()}
        for key in stored:
            value, got = system.module(stage).state_dict()[key], small.module(stage).state_dict()[key]
            assert got.dtype == value.dtype
            torch.testing.assert_close(got, value, rtol=1e-3, atol=1e-4)
    assert np.isfinite(values(small.generate(requests, 3)[0])).all()


def test_generation_is_finite_seeded_and_as_long_as_asked(kind: type[System], corpus: Corpus, tmp_path: Path) -> None:
    make(kind, corpus).save(tmp_path)
    system = load(tmp_path)
    requests = requests_of(kind)
    motions: Any = system.generate(requests, 7)
    assert len(motions) == len(requests)
    for request, motion in zip(requests, motions, strict=True):
        assert np.isfinite(values(motion)).all()
        if isinstance(motion, Motion):
            assert motion.joints().ndim == 3
            assert np.abs(np.linalg.norm(motion.rotations, axis=-1) - 1).max() < 1e-4
        else:
            assert motion.pixels.shape == (4, 64, 64, 1)
        if request.seconds is not None:
            assert abs(motion.frames - request.seconds * motion.fps) <= 1
        assert motion.frames >= 1
    again, other = system.generate(requests, 7), system.generate(requests, 8)
    assert all(np.array_equal(values(a), values(b)) for a, b in zip(motions, again, strict=True))
    assert any(
        a.frames != b.frames or not np.allclose(values(a), values(b)) for a, b in zip(motions, other, strict=True)
    )
    passport: dict[str, Any] = motions[0].passport or {}
    assert passport["system"] == kind.name and passport["seed"] == 7
    assert passport["weights"] == system.provenance.hash and len(passport["weights"]) == 64
    assert passport["request"] == {"text": requests[0].text, "seconds": requests[0].seconds}
    assert passport["laban"] == laban.__version__ and passport["licence"] == corpus.licences[0]


def test_bad_requests_are_input_errors(kind: type[System], corpus: Corpus) -> None:
    system = make(kind, corpus)
    for seconds in (0.0, -1.0, 1e6, float("nan"), float("inf")):
        with pytest.raises(InputError):
            system.generate([ask(kind, "walks", seconds)], 0)
    with pytest.raises(InputError):
        system.generate([ask(kind, "", 1.0)], 0)
    assert system.generate([], 0) == []


def test_damaged_checkpoints_are_weights_errors(kind: type[System], corpus: Corpus, tmp_path: Path) -> None:
    system = make(kind, corpus)
    stage = system.stages()[0]
    system.save(tmp_path)
    path = tmp_path / f"{stage}.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    with pytest.raises(WeightsError, match=path.name):
        load(tmp_path)
    path.unlink()
    with pytest.raises(WeightsError, match=path.name):
        load(tmp_path)
    path.write_bytes(whole)
    (tmp_path / "config.json").write_text((tmp_path / "config.json").read_text().replace(f'"{kind.name}"', '"polka"'))
    with pytest.raises(WeightsError, match="polka"):
        load(tmp_path)


def test_unknown_names_and_presets(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'momsk' is neither .*did you mean 'momask'"):
        locate("momsk")
    with pytest.raises(InputError, match=r"'zzzzzzzz' is not a system; known: .*momask.*; give one"):
        resolve("zzzzzzzz")
    with pytest.raises(InputError, match="did you mean 'momask'"):
        resolve("momsk")
    with pytest.raises(InputError, match="neither a known model nor a folder"):
        load(tmp_path / "absent")
    with pytest.raises(InputError, match="'text' is neither"):  # the text encoder's weights are no system's
        locate("text")
    (tmp_path / "file").write_text("x")
    with pytest.raises(WeightsError, match="expected a checkpoint folder"):
        load(tmp_path / "file")
    with pytest.raises(WeightsError, match=r"config\.json: missing"):
        load(tmp_path)
    for name in SYSTEMS:
        with pytest.raises(InputError, match="did you mean 'small'"):
            resolve(name).configured("smal")
        with pytest.raises(InputError, match="unknown field"):
            resolve(name).configured("tiny", ["no_such_field=1"])


def test_the_registry_imports_no_torch_by_itself() -> None:
    import subprocess
    import sys

    code = "import sys, laban.systems.base; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    for target in SYSTEMS.values():
        module, _, attribute = target.partition(":")
        assert issubclass(getattr(importlib.import_module(module), attribute), System)
