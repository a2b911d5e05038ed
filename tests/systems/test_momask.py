import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from laban import checkpoint
from laban.data.corpus import Corpus
from laban.data.synthesis import walkers
from laban.errors import InputError, WeightsError
from laban.nn.quantize import RUNNING
from laban.systems.momask import data
from laban.systems.momask.condition import Condition, HashedText
from laban.systems.momask.config import PAPER, SMALL, TINY
from laban.systems.momask.system import MoMask
from laban.systems.requests import TextRequest

STATS = {"mean": np.zeros(263, np.float32), "std": np.ones(263, np.float32)}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    return walkers.write(tmp_path_factory.mktemp("corpus"), clips=16)


@pytest.fixture(scope="module")
def system(corpus) -> MoMask:
    torch.manual_seed(0)
    system = MoMask.create("tiny", corpus)
    draw = system.sampler("tokenizer", corpus, "train")
    for i in range(3):  # starts the codebooks
        system.loss("tokenizer", draw(np.random.default_rng(i), 8), torch.Generator().manual_seed(i))
    with torch.no_grad():  # random networks that disagree with themselves about the next token
        for stage in ("masked", "residual"):
            system.module(stage).head.last.weight.mul_(30)
            system.module(stage).prefix.words.weight.mul_(30)
    return system.eval()


def millions(system: MoMask) -> dict[str, float]:
    return {s: sum(p.numel() for p in system.module(s).parameters()) / 1e6 for s in system.stages()}


def test_paper_has_the_released_sizes() -> None:
    sizes = millions(MoMask(PAPER, STATS))
    assert {k: round(v, 2) for k, v in sizes.items() if k != "length"} == {
        "tokenizer": 19.44, "masked": 12.05, "residual": 13.36
    }  # fmt: skip
    assert round(sizes["length"], 3) == 0.435


def test_small_fits_its_file_budget() -> None:
    system = MoMask(SMALL, STATS)
    kept = [
        v.numel() for s in system.stages() for k, v in system.module(s).state_dict().items() if not k.endswith(RUNNING)
    ]
    assert 2 * sum(kept) < 19.8e6


def test_same_seed_same_motion_whatever_the_batch(system) -> None:
    requests = [TextRequest("a person walks", 2.0), TextRequest("a person bows", 1.2), TextRequest("she waves", 3.4)]
    together = system.generate(requests, seed=5)
    again = system.generate(requests, seed=5)
    other = system.generate(requests, seed=6)
    for a, b, c in zip(together, again, other, strict=True):
        assert np.array_equal(a.rotations, b.rotations) and np.array_equal(a.root, b.root)
        assert not np.allclose(a.root, c.root)
    for i, request in enumerate(requests):
        alone = system.generate([request], seed=5, first_index=i)[0]
        assert np.allclose(alone.joints(), together[i].joints(), atol=1e-3)
        assert alone.passport == together[i].passport
    assert not np.allclose(*(m.root[:24] for m in system.generate([requests[1]] * 2, seed=5)))


@pytest.mark.parametrize(("seconds", "frames"), [(0.01, 1), (0.05, 1), (1.0, 20), (1.25, 25), (9.8, 196)])
def test_length_is_honoured_to_the_frame(system, seconds, frames) -> None:
    motion = system.generate([TextRequest("a person walks", seconds)], seed=0)[0]
    assert motion.frames == frames and motion.fps == 20
    assert motion.segments[0].text == "a person walks" and motion.segments[0].end == frames / 20
    assert np.isfinite(motion.joints()).all()


def test_estimated_length(system) -> None:
    motion = system.generate([TextRequest("a person walks")], seed=1)[0]
    assert 4 <= motion.frames <= 196 and motion.frames % 4 == 0
    assert np.array_equal(system.replay(motion.passport).root, motion.root)


@pytest.mark.parametrize("seconds", [0, -1.0, 9.81, 1e6, float("nan"), float("inf")])
def test_seconds_out_of_range(system, seconds) -> None:
    with pytest.raises(InputError, match=r"more than 0 and at most 9\.8"):
        system.generate([TextRequest("a person walks", seconds)], seed=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "steps"), ({"steps": 2.5}, "steps"), ({"guidance": float("nan")}, "guidance"),
        ({"temperature": 0.0}, "temperature"), ({"speed": 2}, "unknown option 'speed'"), ({"seed": -1}, "seed"),
    ],
)  # fmt: skip
def test_options_out_of_range(system, options, words) -> None:
    with pytest.raises(InputError, match=words):
        system.generate([TextRequest("a person walks", 1.0)], **{"seed": 0, **options})


def test_empty_text_and_no_request(system) -> None:
    with pytest.raises(InputError, match="request 2 has an empty text"):
        system.generate([TextRequest("walk"), TextRequest("  ")], seed=0)
    assert system.generate([], seed=0) == []


def test_options_change_the_result_and_stand_in_the_passport(system) -> None:
    request = [TextRequest("a person walks", 2.0)]
    plain = system.generate(request, seed=3)[0]
    assert plain.passport["options"]["steps"] == TINY.sampling.steps
    for options in ({"steps": 2}, {"guidance": 1.0}, {"residual_guidance": 1.0}, {"temperature": 5.0}):
        changed = system.generate(request, seed=3, **options)[0]
        assert not np.allclose(changed.rotations, plain.rotations), options
        assert options.items() <= changed.passport["options"].items()
        assert np.array_equal(system.replay(changed.passport).root, changed.root)


def test_generate_leaves_the_mode_alone(system) -> None:
    system.masked.train()
    one = system.generate([TextRequest("walk", 1.0)], seed=0)[0]
    assert system.masked.training and not system.residual.training
    system.eval()
    assert np.array_equal(one.root, system.generate([TextRequest("walk", 1.0)], seed=0)[0].root)


def test_saved_and_loaded(system, tmp_path: Path) -> None:
    request = [TextRequest("a person walks", 2.0)]
    system.text_encoder.encode(["x"])
    system.save(tmp_path / "full")
    full = MoMask.load(tmp_path / "full")
    assert np.array_equal(full.generate(request, 0)[0].root, system.generate(request, 0)[0].root)
    passport = full.generate(request, 0)[0].passport
    assert passport["weights"] == full.provenance.hash and passport["text_encoder"] == "hashed-24"
    with pytest.raises(WeightsError, match="names weights"):
        system.replay(passport)
    with pytest.raises(InputError, match="no 'seed'"):
        full.replay({"weights": None})

    system.save(tmp_path / "half", half=True)
    stored = checkpoint.load_stage(tmp_path / "half", "tokenizer")
    assert not any(k.endswith(RUNNING) for k in stored)
    half = MoMask.load(tmp_path / "half")
    motion = half.generate(request, 0)[0]
    assert motion.frames == 40 and np.isfinite(motion.root).all()
    book = half.tokenizer.quantizer.layers[0]
    assert torch.equal(book.code_sum, book.codes) and torch.equal(book.code_count, torch.ones(32))

    full.text_encoder = HashedText(24)
    full.text_encoder.fingerprint = "another"
    with pytest.raises(WeightsError, match="trained with text encoder hashed-24"):
        full.generate(request, 0)


def test_paper_needs_a_given_encoder() -> None:
    config = replace(TINY, text=replace(PAPER.text, width=8))
    system = MoMask(config, STATS)
    with pytest.raises(InputError, match=r"set system\.text_encoder"):
        system.generate([TextRequest("walk", 1.0)], seed=0)
    system.text_encoder = HashedText(9)
    with pytest.raises(InputError, match=r"text\.width 8"):
        system.generate([TextRequest("walk", 1.0)], seed=0)
    system.text_encoder = HashedText(8)
    assert system.generate([TextRequest("walk", 1.0)], seed=0)[0].frames == 20


def test_unconditioned_forgets_the_text(system) -> None:
    ids = torch.full((2, 6), system.masked.mask_id)
    told = Condition.of(system.text_encoder.encode(["walk left", "bow"]), TINY.text, torch.device("cpu"))
    with torch.no_grad():
        yes = system.masked(ids, told)
        no = system.masked(ids, told.dropped(torch.tensor([True, True])))
    assert not torch.allclose(yes[0], yes[1], atol=1e-4)
    assert torch.allclose(no[0], no[1], atol=1e-5)


def test_feature_bias_weighs_root_and_contacts() -> None:
    system = MoMask(replace(TINY, feature_bias=25.0), STATS)
    assert torch.equal(system.std[:4], torch.full((4,), 1 / 25)) and system.std[-1] == 1 / 25
    assert torch.equal(system.std[4:-4], torch.ones(255))
    assert torch.equal(system.stats["std"], torch.ones(263))  # what is saved stays as it is


def test_windows_are_windows_of_clips(system, corpus) -> None:
    batch = system.sampler("tokenizer", corpus, "train")(np.random.default_rng(0), 6)["motion"]
    assert batch.shape == (6, 32, 263)
    rows = np.concatenate([corpus.features(r) for r in corpus.select("train")])
    back = (batch[3] * system.std + system.mean).numpy()
    start = np.abs(rows - back[0]).sum(-1).argmin()
    assert np.allclose(rows[start : start + 32], back, atol=1e-4)


def test_batches_hold_the_tokens_of_the_tokenizer(system, corpus) -> None:
    draw = system.sampler("masked", corpus, "train")
    batch = draw(np.random.default_rng(0), 8)
    assert batch["codes"].shape[::2] == (8, 3) and batch["codes"].shape[:2] == batch["valid"].shape
    assert ((batch["codes"] >= 0).all(-1) == batch["valid"]).all()
    records = data.captioned(corpus, "train", TINY)
    whole = []
    for record in records:
        for phase in range(4):
            f = torch.from_numpy(np.array(corpus.features(record)))[phase:]
            f = ((f[: len(f) // 4 * 4] - system.mean) / system.std)[None]
            whole.append(system.tokenizer.encode(f)[0])
    for codes, valid in zip(batch["codes"], batch["valid"], strict=True):
        row = codes[valid]
        assert any((w[i : i + len(row)] == row).all() for w in whole for i in range(len(w) - len(row) + 1))
    again = draw(np.random.default_rng(0), 8)
    assert all(torch.equal(batch[k], again[k]) for k in batch)


def test_clips_are_drawn_with_their_weights(system, corpus) -> None:
    records = data.captioned(corpus, "train", TINY)
    bank = data.CaptionBank([c for r in records for c in r.captions], HashedText(24), tokens=False, longest=8)
    tokens = [[np.full((r.length // 4, 3), i, np.int16)] for i, r in enumerate(records)]
    draw = data.TokenSampler(records, tokens, bank, replace(TINY, balance=1.0, shorten=0.0))
    rng, seen = np.random.default_rng(0), Counter()
    for _ in range(3000):
        seen.update(draw(rng, 2)["codes"][:, 0, 0].tolist())
    wanted = data.weights_of(records, 1.0) * [r.length for r in records]  # TINY counts tokens, not clips
    wanted /= wanted.sum()
    assert np.abs(np.array([seen[i] for i in range(len(records))]) / 6000 - wanted).max() < 0.02


def test_no_part_of_a_clip_goes_under_a_caption_of_the_whole(corpus) -> None:
    first, *_ = corpus.select("train")
    long = {"length": TINY.max_frames + 40}
    clips = {
        "one action": replace(first, labels={"content": "climb a ladder"}, **long),
        "style after a comma": replace(
            first, labels={"content": "walk", "style": "sad"}, captions=("walks, sadly",), **long
        ),
        "list": replace(first, labels={"content": "walk forward, backward, sideways"}, **long),
        "and": replace(first, labels={"content": "sit and stand up"}, **long),
        "short list": replace(first, labels={"content": "sit and stand up"}, length=TINY.max_frames),
    }

    class Clips:
        def select(self, split: str) -> list:
            return list(clips.values())

    kept = data.captioned(Clips(), "train", TINY)
    assert [name for name, r in clips.items() if r in kept] == ["one action", "style after a comma", "short list"]


def test_nothing_to_train_on(system, corpus) -> None:
    short = MoMask(replace(TINY, windows=(400,), min_frames=400), corpus_stats(corpus))
    with pytest.raises(InputError, match="none of 400 frames"):
        short.sampler("tokenizer", corpus, "train")
    with pytest.raises(InputError, match="at least 400 frames"):
        short.sampler("masked", corpus, "train")


def corpus_stats(corpus: Corpus) -> dict[str, np.ndarray]:
    return {"mean": corpus.mean, "std": corpus.std}


@pytest.mark.parametrize("field", ["joints", "velocity", "acceleration", "foot"])
def test_joint_terms_vanish_on_equal_motion_and_have_gradients(corpus, field) -> None:
    system = MoMask.create("tiny", corpus)
    real = system.sampler("tokenizer", corpus, "train")(np.random.default_rng(0), 2)["motion"]
    assert system.tokenizer_loss.joint_terms(real, real)[field] < 1e-4
    shaken = (real + 0.3 * torch.randn(real.shape, generator=torch.Generator().manual_seed(0))).requires_grad_()
    value = system.tokenizer_loss.joint_terms(shaken, real)[field]
    value.backward()
    assert value > 1e-3 and torch.isfinite(shaken.grad).all() and shaken.grad.abs().sum() > 0


def test_noise_keeps_the_norm_and_follows_the_generator() -> None:
    told = Condition(torch.nn.functional.normalize(torch.randn(50, 384, generator=torch.Generator().manual_seed(0))))
    one = told.noisy(SMALL.text, torch.Generator().manual_seed(1)).pooled
    assert torch.equal(one, told.noisy(SMALL.text, torch.Generator().manual_seed(1)).pooled)
    assert torch.allclose(one.norm(dim=-1), torch.ones(50), atol=1e-5)
    assert abs((one * told.pooled).sum(-1).mean() - 0.5**0.5) < 0.03  # noise as long as the feature
    assert torch.equal(told.noisy(PAPER.text, None).pooled, told.pooled)


@pytest.mark.parametrize("pooled", [True, False])
def test_words_alone_or_with_the_pooled_feature(pooled) -> None:
    system = MoMask(replace(TINY, text=replace(TINY.text, pooled=pooled)), STATS).eval()
    told = Condition.of(system.text_encoder.encode(["walk left", "bow"]), TINY.text, torch.device("cpu"))
    changed = Condition(told.pooled + 1, told.words, told.valid)
    ids = torch.zeros(2, 5, dtype=torch.int64)
    with torch.no_grad():
        assert torch.equal(system.masked(ids, told), system.masked(ids, changed)) == (not pooled)


def test_config_imports_no_torch() -> None:
    code = "import laban.systems.momask.config, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
