"""GODIVA: its sizes, its words, its samples, what it refuses, and that it learns."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from laban import checkpoint
from laban.data.corpora.mnist import DigitsConfig, MovingDigits
from laban.data.synthesis import synthetic_digits
from laban.errors import InputError, ShapeError, WeightsError
from laban.nn.quantize import RUNNING
from laban.nn.sampling import generators
from laban.systems.godiva import sampling, words
from laban.systems.godiva.config import PAPER, PAPER128, SMALL, TINY, DecoderConfig, FrameCoderConfig, GodivaConfig
from laban.systems.godiva.decoder import Decoder
from laban.systems.godiva.system import Godiva
from laban.systems.godiva.tokenizer import FrameTokenizer
from laban.systems.registry import load
from laban.systems.requests import TextRequest

SHORT = ("frames.count=4", "digits.frames=4", "prefixes=(2,4)", "coder.width=16", "coder.code_width=16",
         "coder.codes=32", "decoder.width=32", "decoder.heads=2", "score.width=8", "score.embedding=16")  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> MovingDigits:
    return MovingDigits(*synthetic_digits.images(400), DigitsConfig(frames=4))


@pytest.fixture(scope="module")
def system(digits: MovingDigits) -> Godiva:
    torch.manual_seed(0)
    made = Godiva.create("tiny", digits, SHORT)
    batch = made.sampler("tokenizer", digits, "train")(np.random.default_rng(0), 16)
    made.tokenizer.train()
    made.loss("tokenizer", batch, torch.Generator().manual_seed(0))  # codes start in training
    made.sampler("decoder", digits, "train")
    return made.eval()


def test_presets_are_the_papers_sizes() -> None:
    assert (PAPER.tokens, PAPER128.tokens, SMALL.tokens, TINY.tokens) == (2560, 10240, 2560, 640)
    assert (PAPER.frames.count, PAPER.frames.size, PAPER.coder.codes, PAPER.coder.code_width) == (10, 64, 10_000, 128)
    decoder = PAPER.decoder
    assert (decoder.width, decoder.heads, decoder.layers, decoder.axes) == (1024, 16, 12, ("T", "R", "C"))
    assert decoder.mask == SMALL.decoder.mask == "godiva" and PAPER.text.max_words == 35
    assert (PAPER.decoder_schedule.batch_size, PAPER.decoder_schedule.learning_rate) == (32, 5e-4)
    assert (PAPER.tokenizer_schedule.batch_size, PAPER.tokenizer_schedule.learning_rate) == (32, 1e-3)
    coder = FrameTokenizer(PAPER.frames, PAPER.coder)
    assert [tuple(layer.weight.shape) for layer in coder.down] == [(128, 3, 4, 4), (128, 128, 4, 4)]
    assert len(coder.blocks_in) == len(coder.blocks_out) == 0
    network = Decoder(replace(PAPER, decoder=replace(decoder, width=16)))  # every size but the width
    assert [layer.axis for layer in network.stream.layers] == ["T", "R", "C"] * 4
    assert {layer.reach for layer in network.stream.layers} == {"before"}
    assert network.places[0].weight.shape == (2560, 16) and network.head.weight.shape == (10_000, 16)


def test_the_configuration_imports_no_torch() -> None:
    code = "import laban.systems.godiva.config, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("decoder.mask=axial_full", "decoder.layers=7"), "multiple of 6"),
        (("decoder.heads=7",), "multiple of 7 heads"),
        (("decoder.axes=('T','T')",), "each once"),
        (("decoder.mask=axial_ful",), "did you mean 'axial_full'"),
        (("frames.size=60",), "multiple of 8 pixels"),
        (("prefixes=(11,)",), "1 to 10 frames"),
        (("frames.channels=2",), "expected 1 or 3"),
    ],
)
def test_impossible_settings_are_input_errors(settings: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Godiva.configured("tiny", settings)


def test_words() -> None:
    assert words.split("Digit 9 is moving, don't UP.") == ["digit", "9", "is", "moving", "don't", "up"]
    assert words.vocabulary(["b a", "A c"]) == ("a", "b", "c")
    assert words.vocabulary(["b a", "a c"], most=2) == ("a", "b")
    reading = words.Vocabulary(("a", "b"), longest=3).read("a x b a b")
    assert reading.ids == [words.START, 3, words.UNKNOWN, 4]
    assert (reading.unknown, reading.cut, reading.understood) == (["x"], ["a", "b"], pytest.approx(0.4))
    assert words.Vocabulary((), 3).read("...").ids == [words.START]


def test_the_vocabulary_holds_every_caption_of_the_data(system: Godiva, digits: MovingDigits) -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        assert system.reading(digits.draw(rng, "train", seen=None).caption).understood == 1


@pytest.mark.parametrize("mask", ["godiva", "axial_full"])
def test_cached_sampling_equals_full_recomputation(mask: str) -> None:
    """Also with a prefix given, at batch sizes 1 and 2, in float32 with logits to 1e-5."""
    config = GodivaConfig(
        frames=replace(SMALL.frames, count=3, size=16), coder=FrameCoderConfig(halvings=2, code_width=8, codes=24),
        decoder=DecoderConfig(width=32, heads=2, layers=6, mask=mask), text=replace(TINY.text, words=("up", "down")),
    )  # fmt: skip
    torch.manual_seed(0)
    decoder = Decoder(config).eval()
    decoder.take(torch.randn(24, 8))
    torch.nn.init.normal_(decoder.head.weight, std=0.5)
    ids = torch.tensor([[1, 3, 4], [1, 4, 0]])
    valid = ids != 0
    draw, strongly = sampling.SamplingOptions(5, 0.9), sampling.SamplingOptions(5, 0.9, 3.0)
    cached = sampling.sample(decoder, ids, valid, generators(3, 2), draw)
    naive = sampling.sample_naive(decoder, ids, valid, generators(3, 2), draw)
    assert torch.equal(cached, naive)
    state, worst = decoder.begin(ids, valid), 0.0
    with torch.no_grad():
        whole = decoder(cached, ids, valid)
        for place in sampling.places(decoder.grid):
            worst = max(worst, float((state.logits(place) - whole[(slice(None), *place)]).abs().max()))
            state.put(place, cached[(slice(None), *place)])
    assert worst < 1e-5
    alone = sampling.sample(decoder, ids[1:, :2], valid[1:, :2], generators(3, 1, first=1), draw)
    assert torch.equal(alone[0], cached[1])  # a sample does not depend on its batch
    given = sampling.sample(decoder, ids, valid, generators(3, 2), draw, given=naive[:, :1])
    assert torch.equal(given[:, 0], naive[:, 0]) and given.shape == naive.shape
    strong = sampling.sample(decoder, ids, valid, generators(3, 2), strongly)
    assert torch.equal(strong, sampling.sample_naive(decoder, ids, valid, generators(3, 2), strongly))
    assert not torch.equal(strong, naive)
    blank = sampling.sample(decoder, ids, valid & (ids == words.START), generators(3, 2), draw)
    unguided = sampling.SamplingOptions(5, 0.9, 0.0)
    assert torch.equal(blank, sampling.sample(decoder, ids, valid, generators(3, 2), unguided))
    stopped = sampling.sample(decoder, ids, valid, generators(3, 2), draw, stop=7)
    assert torch.equal(stopped.flatten(1)[:, :7], naive.flatten(1)[:, :7]) and not stopped.flatten(1)[:, 7:].any()


def test_no_caption_leaks_into_another_and_later_tokens_never_into_earlier_logits(system: Godiva) -> None:
    ids, valid = system.words(["digit 3 moves up then down", "digit 4 moves left then right"])
    codes = torch.randint(0, 32, (2, *system.config.grid), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = system.decoder(codes, ids, valid)
        for place in ((0, 0, 0), (1, 3, 5), (3, 7, 7)):
            other = codes.clone()
            rows = system.tokenizer.codebook
            other[(0, *place)] = torch.cdist(rows[other[(0, *place)]][None], rows).argmax()  # codes may be equal rows
            changed = (system.decoder(other, ids, valid) - before).abs().amax(-1)
            n = (place[0] * 8 + place[1]) * 8 + place[2]
            assert changed[0].flatten()[: n + 1].max() == 0 and changed[1].max() == 0
            assert n == 255 or changed[0].flatten()[n + 1 :].max() > 0


def test_draws() -> None:
    logits = torch.tensor([[0.0, 3.0, 1.0, 2.0]]).repeat(400, 1)

    def sampled(top_k: int, temperature: float) -> torch.Tensor:
        options = sampling.SamplingOptions(top_k, temperature)
        return sampling.sampled_codes(logits, generators(0, 400), options)

    picks = sampled(2, 1.0)
    assert set(picks.tolist()) == {1, 3}
    assert float((picks == 1).float().mean()) == pytest.approx(torch.sigmoid(torch.tensor(1.0)).item(), abs=0.08)
    assert set(sampled(4, 0.0).tolist()) == {1}
    assert set(sampled(99, 100.0).tolist()) == {0, 1, 2, 3}


def test_a_prefix_has_the_loss_that_it_has_in_its_video(system: Godiva, digits: MovingDigits) -> None:
    rng = np.random.default_rng(0)
    pixels = np.stack([digits.draw(rng, "val").pixels for _ in range(2)])
    ids, valid = system.words(["digit 3 moves up then down"] * 2)
    codes = system.encode(system.normalise(system.tensor(pixels)))
    with torch.no_grad():
        torch.testing.assert_close(
            system.decoder.nll(codes[:, :2], ids, valid), system.decoder.nll(codes, ids, valid)[:, :2]
        )


def test_batches(system: Godiva, digits: MovingDigits) -> None:
    draw, rng = system.sampler("decoder", digits, "train"), np.random.default_rng(0)
    shapes = {tuple(draw(rng, 2)["videos"].shape) for _ in range(20)}
    assert shapes == {(2, 4, 1, 64, 64), (4, 2, 1, 64, 64)}
    whole = system.sampler("decoder", digits, "val")
    assert {tuple(whole(rng, 2)["videos"].shape) for _ in range(5)} == {(2, 4, 1, 64, 64)}


def test_it_learns_which_caption_is_right(digits: MovingDigits) -> None:
    """A decoder on four captions of two videos' codes: the right caption must become likelier than a wrong one."""
    torch.manual_seed(0)
    still = MovingDigits(digits.images, digits.labels, replace(digits.config, motions=(1, 3), doubles=0.0))
    system = Godiva.create("tiny", still, (*SHORT, "decoder.layers=6", "digits.doubles=0", "text.dropout=0"))
    batch = system.sampler("tokenizer", still, "train")(np.random.default_rng(0), 32)
    system.tokenizer.train()
    optimizer = torch.optim.AdamW(system.tokenizer.parameters(), lr=3e-3)
    for _ in range(30):
        optimizer.zero_grad()
        system.loss("tokenizer", batch, torch.Generator().manual_seed(0))["loss"].backward()
        optimizer.step()
    system.eval()
    draw, rng = system.sampler("decoder", still, "train"), np.random.default_rng(1)
    fixed = [draw(rng, 8)]
    system.decoder.train()
    optimizer = torch.optim.AdamW(system.decoder.parameters(), lr=4e-3)
    for _ in range(70):
        optimizer.zero_grad()
        system.loss("decoder", fixed[0], torch.Generator())["loss"].backward()
        optimizer.step()
    system.eval()
    right, wrong = [], []
    with torch.no_grad():
        for b in fixed:
            codes = system.encode(system.normalise(b["videos"]))
            right.append(float(system.decoder.nll(codes, b["words"], b["valid"]).mean()))
            wrong.append(float(system.decoder.nll(codes, b["words"].roll(1, 0), b["valid"].roll(1, 0)).mean()))
    assert np.mean(right) < np.mean(wrong) - 0.005


def test_a_blank_model_does_not_hear(digits: MovingDigits) -> None:
    torch.manual_seed(0)
    system = Godiva.create("tiny", digits, (*SHORT, "text.dropout=1.0")).eval()
    batch = system.sampler("decoder", digits, "val")(np.random.default_rng(0), 2)
    with torch.no_grad():
        a = system.loss("decoder", batch, torch.Generator())["loss"]
        other = {**batch, "words": torch.where(batch["words"] > 2, batch["words"] % 5 + 3, batch["words"])}
        assert torch.equal(system.loss("decoder", other, torch.Generator())["loss"], a)


def test_generation_goes_on_from_given_frames(system: Godiva, digits: MovingDigits) -> None:
    given = digits.draw(np.random.default_rng(0), "test").pixels[:2]
    seen: list[tuple[int, int]] = []
    request = [TextRequest("digit 3 moves up then down")]
    [video] = system.generate(request, 0, given=given, progress=lambda done, total: seen.append((done, total)))
    assert np.array_equal(video.pixels[:2], given) and video.frames == 4
    assert seen[-1] == (256, 256) and video.passport is not None and video.passport["given_frames"] == 2
    [other] = system.generate(request, 0, given=255 - given)
    assert not np.array_equal(other.pixels[2:], video.pixels[2:])
    with pytest.raises(InputError, match="given frames"):
        system.replay(video.passport)


def test_replay_and_first_index(system: Godiva, tmp_path: Path) -> None:
    system.save(tmp_path)
    found: Any = load(tmp_path)
    requests = [TextRequest("digit 3 moves up then down"), TextRequest("digit 4 moves left then right")]
    videos = found.generate(requests, 5, top_k=4, temperature=0.8)
    assert np.array_equal(found.replay(videos[1].passport).pixels, videos[1].pixels)
    with pytest.raises(WeightsError, match="names weights"):
        found.replay({**videos[0].passport, "weights": "other"})
    with pytest.raises(InputError, match="has no 'index'"):
        found.replay({"weights": found.provenance.hash, "seed": 1, "request": {"text": "x", "seconds": None}})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"top_k": 0}, "top_k is 0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": -1.0}, "temperature is -1"),
        ({"guidance": float("inf")}, "guidance is inf"),
        ({"steps": 3}, "unknown option 'steps'"),
        ({"given": np.zeros((4, 64, 64, 1), np.uint8)}, "given frames have shape"),
        ({"given": np.zeros((1, 32, 32, 1), np.uint8)}, "given frames have shape"),
    ],
)
def test_bad_options(system: Godiva, change: dict[str, Any], said: str) -> None:
    seed = change.pop("seed", 0)
    with pytest.raises(InputError, match=said):
        system.generate([TextRequest("digit 3 moves")], seed, **change)


def test_guidance_needs_a_model_that_saw_empty_captions(system: Godiva, digits: MovingDigits) -> None:
    told = Godiva.create("tiny", digits, (*SHORT, "text.dropout=0", "sampling.guidance=1"))
    request = [TextRequest("digit 3 moves")]
    with pytest.raises(InputError, match="never saw an empty caption"):
        told.eval().generate(request, 0, guidance=2.0)
    one, other = (system.generate(request, 0, guidance=g)[0] for g in (1.0, 6.0))
    assert (one.passport or {})["options"]["guidance"] == 1.0 and not np.array_equal(one.pixels, other.pixels)


def test_bad_data_and_shapes(system: Godiva, digits: MovingDigits) -> None:
    with pytest.raises(InputError, match=r"have \(frames, pixels, channels\) \(4, 64, 1\), the model expects \(10"):
        Godiva.create("tiny", digits)
    with pytest.raises(InputError, match="shape \\(3,\\)"):
        Godiva(PAPER, {"mean": [0.0], "std": [1.0]})
    with pytest.raises(ShapeError, match="expected"):
        system.likelihood(np.zeros((1, 5, 64, 64, 1), np.uint8), ["x"])
    with pytest.raises(ShapeError, match="FrameTokenizer"):
        system.tokenizer(torch.zeros(1, 1, 32, 32))
    with pytest.raises(InputError, match="unknown stage"):
        system.module("decodr")
    with pytest.raises(WeightsError, match="is of system 'polka'"):
        Godiva.restore(checkpoint.Checkpoint({"system": "polka"}, {}, {}, ""), "somewhere")


def test_scores_likelihood_and_reconstruction(system: Godiva, digits: MovingDigits) -> None:
    rng = np.random.default_rng(0)
    examples = [digits.draw(rng, "test") for _ in range(3)]
    pixels, captions = np.stack([e.pixels for e in examples]), [e.caption for e in examples]
    scores = system.rate(pixels, captions)
    assert scores.shape == (3,) and (np.abs(scores) <= 1 + 1e-6).all()
    a, b = system.likelihood(pixels, captions, batch=2), system.likelihood(pixels, captions, batch=3)
    assert np.allclose(a, b, atol=1e-5) and (a > 0).all()
    again = system.round_trip(pixels)
    assert again.shape == pixels.shape and again.dtype == np.uint8


def test_equal_captions_are_matches_in_the_score(system: Godiva, digits: MovingDigits) -> None:
    batch = system.sampler("score", digits, "train")(np.random.default_rng(0), 4)
    ids = batch["words"][:1].expand(4, -1)
    losses = system.score.loss(system.normalise(batch["videos"]), ids, ids != 0)
    assert float(losses["hit"]) == 1.0 and float(losses["loss"].detach()) == pytest.approx(np.log(4), abs=1e-4)


def test_shipped_form_leaves_out_running_sums_and_keeps_the_counts_that_choose_codes(
    system: Godiva, tmp_path: Path
) -> None:
    system = copy.deepcopy(system)
    assert system.config.coder.rate > 0
    with torch.no_grad():
        for book in system.tokenizer.quantizer.layers:
            book.code_count.copy_(torch.arange(1.0, 33.0))
    system.save(tmp_path, half=True)
    stored = checkpoint.load(tmp_path).stages["tokenizer"]
    assert [k.rpartition(".")[2] for k in stored if k.endswith(RUNNING)] == ["code_count"]
    found: Any = load(tmp_path)
    assert torch.equal(found.tokenizer.quantizer.layers[0].code_count, torch.arange(1.0, 33.0))
    plain = Godiva(replace(system.config, coder=replace(system.config.coder, rate=0.0)), system.stats)
    assert not plain.counts_are_used() and system.counts_are_used()
    assert np.allclose(found.tokenizer.codebook, system.tokenizer.codebook, atol=1e-2)


@pytest.fixture
def trained_weights() -> Iterator[Path]:
    from laban.systems.registry import WEIGHTS

    if not (WEIGHTS / "godiva").is_dir():
        pytest.skip("the shipped GODIVA weights are not in this checkout")
    yield WEIGHTS / "godiva"


def test_shipped_weights_are_small_and_follow_captions(trained_weights: Path) -> None:
    from laban.systems.godiva.digit_judges import centroids, direction

    assert sum(p.stat().st_size for p in trained_weights.iterdir()) <= 12e6
    system: Any = load("godiva")
    asked = {0: "digit 0 is moving up then down", 3: "digit 1 is moving right then left"}
    videos = system.generate([TextRequest(text) for text in asked.values() for _ in range(4)], seed=0)
    found = [direction(centroids(v.pixels[..., 0])) for v in videos]
    assert sum(a == b for a, b in zip(found, [m for m in asked for _ in range(4)], strict=True)) >= 6
