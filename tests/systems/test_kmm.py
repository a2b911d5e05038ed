"""KMM: key frames, masks, scripts, blocks and streams, long motion and its edits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from laban.data.batch import weights_of
from laban.data.corpus import Corpus
from laban.data.synthesis import walkers
from laban.data.synthesis.compose import ComposeSettings, compose
from laban.errors import InputError, WeightsError
from laban.motion import humanml
from laban.nn.frozen import DecoderStream, FrozenTokenizer
from laban.systems.kmm import script
from laban.systems.kmm.blocks import BlockMaker
from laban.systems.kmm.config import PAPER, SMALL, TINY, KMMConfig, TrunkConfig
from laban.systems.kmm.networks import Alignment
from laban.systems.kmm.script import Line, Planner, Span
from laban.systems.kmm.system import KMM
from laban.systems.kmm.trunk import Trunk, floats
from laban.systems.registry import load, resolve

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "kmm" / "keyframes.npz"
LINES = ("a person walks forward @4", "a person bows @2", "waves the right hand @3")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return walkers.write(tmp_path_factory.mktemp("corpus"), clips=16)


@pytest.fixture(scope="module")
def system(corpus: Corpus) -> KMM:
    torch.manual_seed(0)
    system = KMM.create("tiny", corpus)
    with torch.no_grad():  # random networks that disagree with themselves about the next token
        for stage in ("masked", "residual"):
            system.module(stage).head.last.weight.mul_(3)
            system.module(stage).told.latent.weight.mul_(30)
    return system.eval()


# Long training sequences


def test_compositions_cover_their_frames_and_seams_are_smooth(corpus) -> None:
    records = corpus.select("train")
    weights = weights_of(records, 0.0)
    made = compose(corpus, records, weights, 1200, np.random.default_rng(0))
    assert made.synthetic and made.features.shape[0] >= 1200
    assert made.stretches[0].start == 0 and made.stretches[-1].end == len(made.features)
    assert all(
        a.end == b.start and a.start < a.end for a, b in zip(made.stretches[:-1], made.stretches[1:], strict=True)
    )
    joints = humanml.decode(made.features.astype(np.float64))
    jump = np.abs(np.diff(joints, axis=0)).max((1, 2))
    at_seams = [jump[max(0, s.end - 8) : s.end + 8].max() for s in made.stretches[:-1]]
    assert max(at_seams) < 2.5 * np.percentile(jump, 99)
    again = compose(corpus, records, weights, 1200, np.random.default_rng(0))
    assert np.array_equal(made.features, again.features)
    long = ComposeSettings(longest=40, natural=1.0, focus=0.0, warp=0.0)
    natural = compose(corpus, records[:1], np.ones(1), 10, np.random.default_rng(0), long)
    assert not natural.synthetic and len(natural.stretches) == 2


def test_batches_say_where_tokens_stand(system, corpus) -> None:
    draw = system.sampler("masked", corpus, "train")
    batch = draw(np.random.default_rng(0), 8)
    assert batch["codes"].shape == (8, TINY.crop, 3) and batch["pooled"].shape[:2] == batch["group"].shape
    for segment, since, left, group in zip(*(batch[k] for k in ("segment", "since", "left", "group")), strict=True):
        step = segment[1:] - segment[:-1]
        assert bool(((step == 0) | (step == 1)).all()) and int(segment[0]) == 0
        assert bool(((since[1:] == since[:-1] + 1) | (step == 1)).all()) and bool((since[1:][step == 1] == 0).all())
        assert bool((left[:-1][step == 1] == 1).all()) and bool((since + left)[step.new_zeros(1)].gt(0).all())
        assert bool((group[: int(segment[-1]) + 1] >= 0).all()) and bool((group[int(segment[-1]) + 1 :] == -1).all())


# Scripts and blocks


def test_lines_are_read() -> None:
    assert script.parse_line("a person  walks @4", "x") == Line("a person walks", 4.0)
    assert script.parse_line("bows @ 2.5s #seed 7", "x") == Line("bows", 2.5, 7)
    assert script.parse_line("bows #seed 7 @2.5", "x") == Line("bows", 2.5, 7)
    assert script.parse_line("bows", "x") == Line("bows", None)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "no text"), ("@4", "no text"), ("walks @", "expected seconds"), ("walks @soon", "expected seconds"),
        ("walks @0.01", "0.01 s; expected"), ("walks @86400", "86400 s; expected"), ("walks @-3", "-3 s; expected"),
        ("walks @nan", "nan s; expected"), ("walks @4 @3", "more than one length"), ("walks @3 #seed x", "seed"),
        ("walks @3 #seed \u00b2", "seed"), ("walks #seed 1 #seed 2", "more than one seed"), ("walks #seed", "seed"),
        ("walks @4 then @5", "more than one|before its end"), ("walks @4, bows", "before its end"), ("walk #2", "a #"),
        ("walks\x07 @3", "no text"), ("w" * 600 + " @3", "600 characters"),
    ],
)  # fmt: skip
def test_bad_lines(text, match) -> None:
    with pytest.raises(InputError, match=match):
        script.parse_line(text, "line 1")


def test_script_files(tmp_path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("# a comment\n\na person walks @4\nbows @2 #seed 9\n")
    assert script.read(path) == [Line("a person walks", 4.0), Line("bows", 2.0, 9)]
    path.write_text("# only this\n")
    with pytest.raises(InputError, match="is empty"):
        script.read(path)
    path.write_bytes(b"\xff\xfe\x00walks")
    with pytest.raises(InputError, match="UTF-8"):
        script.read(path)
    path.write_text("walks\n" * 10_001)
    with pytest.raises(InputError, match="10001 lines"):
        script.read(path)
    path.write_text("walks @3\nbows @0\n")
    with pytest.raises(InputError, match="line 2"):
        script.read(path)
    with pytest.raises(InputError, match="no such file"):
        script.read(tmp_path / "absent")


def test_spans_do_not_drift_and_long_lines_are_parted() -> None:
    lines = [Line("x", 0.7) for _ in range(100)]
    found = list(script.spans(lines, 20.0, 4, 4.0, 40))
    assert found[-1].stop == -(-70 * 20 // 4) and all(
        a.stop == b.start for a, b in zip(found[:-1], found[1:], strict=True)
    )
    assert max(abs(s.stop - (i + 1) * 0.7 * 5) for i, s in enumerate(found)) <= 1
    parts = list(script.spans([Line("x", 60.0)], 20.0, 4, 4.0, 40))
    assert [s.stop - s.start for s in parts] == [37, 38] * 4 and {s.line for s in parts} == {0}


@pytest.mark.parametrize("seconds", [(4.0, 2.0, 3.0, 4.0), (0.6,) * 30, (60.0, 0.5, 9.0), (0.4,)])
def test_blocks_cover_the_script_and_keep_off_seams(seconds) -> None:
    found = list(script.spans([Line("x", s) for s in seconds], 20.0, 4, 4.0, 40))
    planner = Planner(iter(found), 24, 4)
    at, blocks = 0, []
    while (block := planner.next()) is not None:
        assert block[0] == at and 0 < block[1] - at <= 24
        assert planner.spans[0].start <= block[0] and planner.spans[-1].stop >= block[1]
        at = block[1]
        blocks.append(block)
    assert at == found[-1].stop
    if seconds == (4.0, 2.0, 3.0, 4.0):
        seams = [s.stop for s in found[:-1]]
        assert min(abs(b[1] - s) for b in blocks[:-1] for s in seams) >= 4


def test_a_plan_reads_no_further_than_it_must() -> None:
    taken = []

    def lines():
        for i in range(1000):
            taken.append(i)
            yield Span(i, "x", 20 * i, 20 * (i + 1))

    planner = Planner(lines(), 24, 4)
    for _ in range(10):
        planner.next()
    assert len(taken) <= 14 and len(planner.spans) <= 4


# The tokenizer that is not ours


def test_the_decoder_streams_with_bounded_look_ahead(system) -> None:
    for sizes in (TINY.random_tokenizer, replace(TINY.random_tokenizer, width=8, depth=2)):
        frozen = FrozenTokenizer.random(sizes, system.frozen.mean, system.frozen.std)
        codes = torch.randint(0, 32, (60, 3), generator=torch.Generator().manual_seed(0))
        before = frozen.continued(codes[: frozen.reach].flip(0)).flip(0)
        after = frozen.continued(codes[-2 * frozen.reach :])
        whole = frozen.decode(torch.cat([before, codes, after]))[4 * len(before) :][: 4 * len(codes)]
        stream, parts, at, longest = DecoderStream(frozen), [], 0, 0
        for size in (1, 7, 3, 12, 30, 7):
            parts.append(stream.push(codes[at : at + size]))
            at += size
            assert sum(len(p) for p in parts) == 4 * max(0, at - frozen.reach)
            longest = max(longest, len(stream.held))
        parts.append(stream.finish())
        torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-4, atol=1e-4)
        assert longest <= 30 + 2 * frozen.reach
        other = codes.clone()
        other[30:] = (other[30:] + 1) % 32
        moved = (frozen.decode(other) - frozen.decode(codes)).abs().amax(-1) > 1e-5
        assert not bool(moved[: 4 * (30 - frozen.reach)].any()) and bool(moved[120:].any())


def test_what_follows_is_what_followed_where_the_clip_was_most_alike(system) -> None:
    frozen = FrozenTokenizer.random(TINY.random_tokenizer, system.frozen.mean, system.frozen.std)
    stride = torch.tensor([[n, n, n] for n in (3, 9, 14, 20, 5)])
    steps = stride.repeat(3, 1)[:13]  # two strides and three tokens of the third
    assert torch.equal(frozen.continued(steps), torch.cat([stride[3:], stride[:2]]))
    stands = stride[:1].repeat(6, 1)
    assert torch.equal(frozen.continued(stands), stands[:4])
    assert torch.equal(frozen.continued(stride[:1]), stands[:4])


def test_tokenizer_comes_from_momask_and_is_not_stored(corpus) -> None:
    folder = Path(resolve("kmm").__module__ and __file__).parents[2] / "laban" / "weights" / "momask"
    frozen = FrozenTokenizer.load(folder)
    assert frozen.config.code_width == 128 and frozen.reach == 9
    assert frozen.digest == FrozenTokenizer.load(folder).digest
    shipped = load(folder)
    features = torch.randn(1, 40, 263, generator=torch.Generator().manual_seed(0)) * shipped.std + shipped.mean
    codes, latents = frozen.encode(features)
    assert torch.equal(codes, shipped.tokenizer.encode((features - shipped.mean) / shipped.std))
    torch.testing.assert_close(frozen.rows(codes), shipped.tokenizer.quantizer.decode(codes))
    assert latents.shape == (1, 10, 128)
    keys = [k for s in ("masked", "residual") for k in KMM.create("tiny", corpus).module(s).state_dict()]
    assert not [k for k in keys if "decoder" in k or k == "rows"]


def test_small_fits_its_file_budget() -> None:
    system = KMM(SMALL, {"mean": np.zeros(263, np.float32), "std": np.ones(263, np.float32)})
    assert 2 * sum(v.numel() for s in system.stages() for v in system.module(s).state_dict().values()) < 15e6
    assert isinstance(PAPER, KMMConfig) and PAPER.trunk.layers == SMALL.trunk.layers == 4


def test_wrong_tokenizers(system, corpus, tmp_path) -> None:
    system.save(tmp_path / "a")
    text = (tmp_path / "a" / "config.json").read_text()
    (tmp_path / "a" / "config.json").write_text(text.replace(system.frozen.digest, "0" * 64))
    with pytest.raises(WeightsError, match="trained on tokenizer 000000000000"):
        load(tmp_path / "a")
    (tmp_path / "a" / "config.json").write_text(text)
    with pytest.raises(WeightsError, match="no motion tokenizer"):
        KMM.create("small", corpus, [f"tokenizer_from={tmp_path / 'a'}"])
    with pytest.raises(InputError, match="neither a known model nor a folder"):
        KMM.create("small", corpus, ["tokenizer_from=nowhere"])


# Networks


@pytest.mark.parametrize("backbone", ["ssd", "causal", "transformer"])
def test_a_trunk_by_blocks_is_the_trunk_at_once(backbone) -> None:
    torch.manual_seed(0)
    trunk = Trunk(TrunkConfig(backbone, 16, 2, 32, 4, 8, 4, 0.0)).double().eval()
    x = torch.randn(2, 24, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    whole, end = trunk(x, None, 8)
    state, parts, sizes = None, [], []
    for at in range(0, 24, 8):
        y, state = trunk(x[:, at : at + 8], state)
        parts.append(y)
        sizes.append(floats(state))
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=1e-9, atol=1e-9)
    assert floats(end) == sizes[-1]
    assert (sizes[2] > sizes[0]) == (backbone == "transformer")  # only a transformer's memory grows


def test_alignment_pulls_pairs_together_and_spares_equal_captions() -> None:
    torch.manual_seed(0)
    config = replace(TINY, align=replace(TINY.align, shortest=2))
    align = Alignment(config, 8)
    rows = torch.randn(4, 12, 8)
    segment = torch.arange(12)[None].expand(4, -1) // 6
    latent = torch.randn(4, 2, TINY.text.latent)
    group = torch.arange(8).reshape(4, 2)
    assert abs(align(rows, segment, group, latent).item() - np.log(8)) < 2.5
    optimizer = torch.optim.Adam(align.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        align(rows, segment, group, latent).backward()
        optimizer.step()
    assert float(align(rows, segment, group, latent).detach()) < 0.2
    assert float(align(rows, segment, torch.zeros_like(group), latent).detach()) == 0.0  # all alike: nothing to part
    group[:, 1] = -1
    motion, text, size = align.towers(rows, segment, latent)
    assert motion.shape == text.shape == (4, 2, TINY.align.width) and bool((size == 6).all())


# Long motion


def test_a_stream_is_the_composition_in_parts(system) -> None:
    whole = system.compose(LINES, 3)
    parts = list(system.stream(iter(LINES), 3))
    assert len(parts) > 3 and whole.frames == sum(p.frames for p in parts) == 180
    assert np.allclose(np.concatenate([p.root for p in parts]), whole.root, atol=1e-4)
    turned = (np.concatenate([p.rotations for p in parts]) * whole.rotations).sum(-1)
    assert np.abs(turned).min() > 1 - 1e-4
    assert [p.passport["first_frame"] for p in parts] == np.cumsum([0, *(p.frames for p in parts)])[:-1].tolist()
    assert [s.text for s in whole.segments] == ["a person walks forward", "a person bows", "waves the right hand"]
    assert [(s.start, s.end) for s in whole.segments] == [(0.0, 4.0), (4.0, 6.0), (6.0, 9.0)]
    again = system.compose(LINES, 3)
    assert np.array_equal(again.rotations, whole.rotations) and np.array_equal(again.root, whole.root)
    assert not np.allclose(system.compose(LINES, 4).joints(), whole.joints())


def test_lines_may_come_while_a_stream_runs_and_it_may_be_left(system) -> None:
    taken = []

    def lines():
        for i in range(40):
            taken.append(i)
            yield f"a person walks @{1 + i % 3}"

    stream = system.stream(lines(), 0)
    first = next(stream)
    assert len(taken) <= 6 and first.frames > 0
    second = next(stream)
    stream.close()
    assert len(taken) < 10 and np.isfinite(second.joints()).all()  # what was given out stays valid


def test_every_round_of_a_block_starts_from_the_state_after_the_block_before(system, monkeypatch) -> None:
    calls: dict[str, list[tuple]] = {"masked": [], "residual": []}
    for name, kept in calls.items():
        network = system.module(name)

        def recorded(*given, forward=network.forward, kept=kept):
            found = forward(*given)
            kept.append((given, found[1]))
            return found

        monkeypatch.setattr(network, "forward", recorded)
    draw = system._sampling_options({})
    maker = BlockMaker(system.masked, system.residual, lambda text: torch.ones(TINY.text.width), draw, 1)
    spans = [Span(0, "bows", 0, 12), Span(1, "waves", 12, 24)]
    made = [maker.make(spans, at, at + 8) for at in (0, 8, 16)]
    rounds = draw.steps + 1  # the last one commits the block
    assert len(calls["masked"]) == 3 * rounds and len(calls["residual"]) == 3 * 2
    for block in range(3):
        mine = calls["masked"][block * rounds : (block + 1) * rounds]
        before = calls["masked"][block * rounds - 1][1] if block else None
        assert all(given[2] is before for given, _ in mine)
        assert torch.equal(mine[-1][0][0][0], made[block][:, 0])  # committed from the final tokens
        for q in (0, 1):
            assert calls["residual"][2 * block + q][0][3] is (
                calls["residual"][2 * block - 2 + q][1] if block else None
            )
    assert maker.memory.base is calls["masked"][-1][1] and maker.carried > 0


def test_what_comes_later_does_not_change_what_was_given_out(system) -> None:
    one, other = (list(system.stream([*LINES, last], 3)) for last in ("bows @4", "a person walks forward @4"))
    assert np.array_equal(one[0].rotations, other[0].rotations) and np.array_equal(one[1].root, other[1].root)
    assert not np.allclose(one[-1].joints(), other[-1].joints())


def test_one_line_is_made_again_and_the_others_stay(system) -> None:
    before = system.compose(LINES, 3)
    after = system.compose(LINES, 3, edits=[{"line": 2, "variation": 1, "text": None}])
    assert np.array_equal(after.rotations[:80], before.rotations[:80])
    assert np.array_equal(after.root[:80], before.root[:80])
    assert np.array_equal(after.rotations[120:, 1:], before.rotations[120:, 1:])
    assert not np.allclose(after.rotations[84:116], before.rotations[84:116], atol=1e-4)
    # as one body: distances inside a pose and from frame to frame are those of before
    a, b = before.joints()[120:], after.joints()[120:]
    assert (
        np.abs(np.linalg.norm(np.diff(a, axis=0), axis=-1) - np.linalg.norm(np.diff(b, axis=0), axis=-1)).max() < 1e-9
    )
    assert np.abs(a[..., 1] - b[..., 1]).max() < 1e-9
    step = np.linalg.norm(np.diff(after.joints(), axis=0), axis=-1).max(1)
    assert step[[79, 119]].max() <= np.percentile(step, 99) and after.segments == before.segments
    twice = system.compose(LINES, 3, edits=[{"line": 2}, {"line": 3, "text": "a person bows"}])
    assert np.array_equal(twice.rotations[:120], after.rotations[:120])
    assert [s.text for s in twice.segments][2] == "a person bows"


def test_lines_have_seeds_of_their_own(system) -> None:
    lines = [Line("a person walks", 4.0), Line("bows", 4.0, 5), Line("waves", 4.0)]
    a, b = system.compose(lines, 1), system.compose([replace(lines[0]), replace(lines[1], seed=6), lines[2]], 1)
    assert np.allclose(a.joints()[:40], b.joints()[:40]) and not np.allclose(a.joints()[90:150], b.joints()[90:150])


def test_passports_replay(system, tmp_path) -> None:
    system.save(tmp_path)
    found = load(tmp_path)
    made = found.compose(LINES, 3, clean=True, edits=[{"line": 1, "text": "a person bows"}], steps=2)
    again = found.replay(made.passport)
    assert np.array_equal(again.rotations, made.rotations) and again.passport == made.passport
    single = found.generate([laban_request("a person bows", 2.0)], 4, first_index=3)[0]
    assert np.array_equal(found.replay(single.passport).root, single.root)
    with pytest.raises(InputError, match="no 'seed'"):
        found.replay({k: v for k, v in made.passport.items() if k != "seed"})
    with pytest.raises(WeightsError, match="names weights"):
        found.replay({**made.passport, "weights": "0"})


def laban_request(text: str, seconds: float):
    from laban.systems.requests import TextRequest

    return TextRequest(text, seconds)


@pytest.mark.parametrize(
    ("lines", "options", "match"),
    [
        ([], {}, "empty"), ("a person walks", {}, "one string|expected a Line|no text|line"),
        (["walks @0.01"], {}, "0.01"), ([3], {}, "got a int"), (LINES, {"steps": 0}, "steps"),
        (LINES, {"guidance": float("nan")}, "guidance"), (LINES, {"guidence": 2.0}, "unknown option"),
        (LINES, {"seed": -1}, "seed"), (LINES, {"edits": [{"line": 9}]}, "no line 9"),
        (LINES, {"edits": [{"line": 1, "text": " "}]}, "no text"),
    ],
)  # fmt: skip
def test_bad_scripts_and_options(system, lines, options, match) -> None:
    if lines == "a person walks":
        with pytest.raises(InputError, match="one string"):
            next(system.stream(lines, 0))
        return
    options = dict(options)
    seed = options.pop("seed", 0)
    with pytest.raises(InputError, match=match):
        system.compose(lines, seed, **options)


def test_a_bad_line_ends_a_stream_where_it_stands(system) -> None:
    stream = system.stream(["a person walks @6", "bows @6", "waves @6", "@2"], 0)
    with pytest.raises(InputError, match="line 4: has no text"):
        for part in stream:
            assert np.isfinite(part.joints()).all()
    assert not system.masked.training
