"""FACT: the released network's oddities, representations, windows, block decoding, and locking."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from laban.condition.music import BEAT, WIDTH
from laban.data.corpora import aist
from laban.data.synthesis import tracks, walkers
from laban.data.synthesis.choreography import Dance
from laban.errors import InputError
from laban.io import audio
from laban.motion import root_relative, rotation
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22, SMPL24
from laban.systems.fact import data, decoding
from laban.systems.fact.config import PAPER, PRESETS, TINY, FactConfig, LossConfig, NetworkConfig
from laban.systems.fact.losses import FactLoss
from laban.systems.fact.network import FactNetwork, drift, fade
from laban.systems.fact.representation import Absolute, Relative, seed_rows
from laban.systems.fact.song import listen, lock, score
from laban.systems.fact.system import Fact, shipped_seed
from laban.systems.requests import MusicRequest, TextRequest
from tests.motion.test_warp import swings


def small_paper(**changes: object) -> FactConfig:
    """The released structure at a size for tests."""
    net = NetworkConfig(width=20, heads=2, feedforward=32, cross_layers=2, motion_layers=1, audio_layers=1)
    return replace(PAPER, network=replace(net, **changes))


def test_the_paper_preset_has_the_papers_size() -> None:
    with torch.device("meta"):
        net = FactNetwork(PRESETS["paper"], 225)
    assert sum(p.numel() for p in net.parameters()) == 120_406_977
    with torch.device("meta"):
        small = FactNetwork(PRESETS["small"], 136)
    assert 2 * sum(p.numel() for p in small.parameters()) < 12e6  # bytes in fp16


def by_hand(net: FactNetwork, history: torch.Tensor, music: torch.Tensor, scale: float) -> torch.Tensor:
    """The released forward pass, written out."""

    def layer(x: torch.Tensor, part) -> torch.Tensor:
        h = F.layer_norm(x, x.shape[-1:], part.norm_attention.weight, part.norm_attention.bias, 1e-5)
        q, k, v = (h @ part.attention.qkv.weight.T).chunk(3, -1)
        heads = part.attention.heads
        split = [a.unflatten(-1, (heads, -1)).transpose(1, 2) for a in (q, k, v)]
        weight = (split[0] @ split[1].transpose(-1, -2) * scale).softmax(-1)
        y = (weight @ split[2]).transpose(1, 2).flatten(2)
        x = x + y @ part.attention.out.weight.T + part.attention.out.bias
        h = F.layer_norm(x, x.shape[-1:], part.norm_feedforward.weight, part.norm_feedforward.bias, 1e-5)
        u = h @ part.up.weight.T + part.up.bias
        u = 0.5 * u * (1 + torch.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3)))
        return x + u @ part.down.weight.T + part.down.bias

    streams = []
    for encoder, rows in ((net.motion, history), (net.audio, music)):
        x = rows @ encoder.embed.weight.T + encoder.embed.bias + encoder.positions
        for part in encoder.layers:
            x = layer(x, part)
        streams.append(x)
    x = torch.cat(streams, 1)
    for part in net.cross:
        x = layer(x, part)
    return x[:, :20] @ net.head.weight.T + net.head.bias


def test_the_network_is_the_released_one() -> None:
    torch.manual_seed(0)
    net = FactNetwork(small_paper(), 225)
    for p in net.parameters():
        p.data += 0.1 * torch.randn_like(p)
    history, music = torch.randn(2, 120, 225), torch.randn(2, 240, 35)
    got = net(history, music)
    assert got.shape == (2, 20, 225)
    assert torch.allclose(got, by_hand(net, history, music, 20**-0.5), atol=1e-4)
    assert not torch.allclose(got, by_hand(net, history, music, 10**-0.5), atol=1e-3)  # the usual scale is another
    assert all(part.attention.qkv.bias is None for part in net.cross)


def test_full_attention_sees_the_future_and_causal_does_not_leak() -> None:
    torch.manual_seed(0)
    history, music = torch.randn(1, 120, 225), torch.randn(1, 240, 35)
    late = music.clone()
    late[:, -1] += 5.0
    full, causal = FactNetwork(small_paper(), 225), FactNetwork(small_paper(attention="causal"), 225)
    assert (full(history, music) - full(history, late)).abs().max() > 1e-5
    heard, changed = causal.audio(music), causal.audio(late)
    assert torch.equal(heard[:, :-1], changed[:, :-1]) and not torch.equal(heard[:, -1], changed[:, -1])
    assert causal(history, music).shape == (1, 20, 225)


def test_absolute_rows_are_released_rows() -> None:
    motion = swings(30)
    kind = Absolute()
    fitted = kind.fitted(motion)
    rows = kind.encode(fitted)
    assert rows.shape == (30, 225) and (rows[:, :6] == 0).all()
    assert np.array_equal(rows[:, 6:9], motion.root)
    matrix = rows[4, 9:].reshape(24, 3, 3)
    assert matrix[3] == pytest.approx(rotation.to_matrix(fitted.rotations)[4, 3])  # row-major
    back = kind.decode(rows)
    assert back.skeleton is SMPL24 and np.abs(back.joints() - fitted.joints()).max() < 1e-6
    noisy = kind.decode(rows + np.random.default_rng(0).normal(0, 0.05, rows.shape))
    matrices = rotation.to_matrix(noisy.rotations)
    assert np.abs(matrices @ np.swapaxes(matrices, -1, -2) - np.eye(3)).max() < 1e-6
    assert np.linalg.det(matrices).min() > 0.99


def test_relative_rows_continue_where_the_seed_ends() -> None:
    motion = swings(300)
    kind = Relative()
    rows = kind.encode(motion)
    before = Motion(HUMANML22, motion.rotations[:120], motion.root[:120], 60.0)
    after = kind.decode(rows[120:], before)
    assert (
        np.abs(after.joints() - motion.joints()[119:299] - (motion.joints()[120:] - motion.joints()[119:-1])).max()
        < 0.05
    )
    assert np.linalg.norm(after.root[0] - before.root[-1]) < 0.02


def test_seed_motions_are_checked_and_fitted() -> None:
    rows, last = seed_rows(shipped_seed(), Relative(), 120)
    assert rows.shape == (120, 136) and last.frames == 120
    with pytest.raises(InputError, match=r"lasts 1\.00 s; expected at least 2 s"):
        seed_rows(swings(60), Relative(), 120)
    slow = Motion(HUMANML22, swings(90).rotations, swings(90).root, 30.0)
    assert seed_rows(slow, Relative(), 120)[0].shape == (120, 136)
    other = Absolute().fitted(swings(150))
    assert seed_rows(other, Relative(), 120)[1].skeleton.names == HUMANML22.names
    licence = (shipped_seed().passport or {}).get("licence", "")
    assert "CMU" in licence


@pytest.fixture(scope="module")
def system() -> Fact:
    torch.manual_seed(0)
    stats = {"mean": np.zeros(136), "std": np.full(136, 0.2), "audio_mean": np.zeros(35), "audio_std": np.ones(35)}
    made = Fact(TINY, {k: v.astype(np.float32) for k, v in stats.items()})
    torch.nn.init.normal_(made.network.head.weight, std=0.05)
    rows = Relative().encode(shipped_seed())
    made.stats["mean"] = torch.from_numpy(rows.mean(0).astype(np.float32))
    return made.eval()


def song(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (round(seconds * 60), WIDTH)).astype(np.float32)


def test_block_one_is_frame_by_frame(system: Fact) -> None:
    network, config = system.network, replace(system.config, sampling=replace(TINY.sampling, noise=0.0, blend=0))
    seed, music = torch.randn(120, 136) * 0.1, torch.randn(300, 35)
    generator = torch.Generator()
    with torch.no_grad():
        got = decoding.decode(network, config, seed, music, 12, 1, generator)
        history, plain = seed, []
        for t in range(12):
            row = network(history[None], music[None, t : t + 240])[0, :1]
            plain.append(row)
            history = torch.cat([history[1:], row])
        assert torch.allclose(got, torch.cat(plain), atol=1e-5)
        block = decoding.decode(network, config, seed, music, 20, 20, generator)
        assert torch.allclose(block, network(seed[None], music[None, :240])[0], atol=1e-5)
        blended = decoding.decode(network, replace(config, sampling=replace(config.sampling, blend=10)), seed, music,
                                  40, 10, generator)  # fmt: skip
        unblended = decoding.decode(network, config, seed, music, 40, 10, generator)
    assert torch.equal(blended[:10], unblended[:10]) and not torch.equal(blended[10:20], unblended[10:20])


def test_dances_have_the_asked_length_and_follow_music_and_seed(system: Fact) -> None:
    request = MusicRequest(song(4.0), 3.5, text="a song")
    made = system.generate([request], 1)[0]
    assert made.frames == 210 and made.fps == 60.0 and made.segments[0].text == "a song"
    other = system.generate([replace(request, music=song(4.0, 1))], 1)[0]
    assert np.abs(made.joints() - other.joints()).max() > 1e-4
    seeded = system.generate([replace(request, seed_motion=swings(200))], 1)[0]
    assert np.abs(made.joints() - seeded.joints()).max() > 1e-3
    assert (made.passport or {})["options"] == {"block": 10, "clean": True}
    raw = system.generate([request], 1, clean=False, block=5)[0]
    assert (raw.passport or {})["options"] == {"block": 5, "clean": False}


def test_bad_requests_are_refused(system: Fact) -> None:
    for request, options, said in (
        (MusicRequest(song(1.0)[:, :30]), {}, "expected .M, 35."),
        (MusicRequest(np.full((60, 35), np.nan, np.float32)), {}, "finite"),
        (MusicRequest(song(1.0), 5.0), {}, "music lasts 1.00 s"),
        (MusicRequest(song(1.0)), {"block": 21}, "expected 1 to 20"),
        (MusicRequest(song(1.0)), {"polka": 1}, "unknown option 'polka'"),
    ):
        with pytest.raises(InputError, match=said):
            system.generate([request], 0, **options)
    with pytest.raises(InputError, match="request 1 is a TextRequest; FACT dances to music"):
        system.generate([TextRequest("a person walks")], 0)


def test_the_stage_is_not_left() -> None:
    rng = np.random.default_rng(0)
    rows = np.zeros((3600, 136))
    rows[:, 0] = 0.6 + 0.1 * rng.normal(size=3600)
    rows[:, 3] = 0.05
    rows[:, 4:] = Relative().encode(shipped_seed())[0, 4:]
    free = root_relative.decode(rows, HUMANML22, 60.0).root
    kept = root_relative.decode(decoding.on_stage(rows, 2.5), HUMANML22, 60.0).root
    assert np.linalg.norm(free[:, [0, 2]], axis=1).max() > 10
    assert np.linalg.norm(kept[:, [0, 2]], axis=1).max() < 4.0
    still = rows.copy()
    still[:, :4] = 0
    assert np.array_equal(decoding.on_stage(still, 2.5), still)


def test_steps_of_the_loss_are_those_of_the_dance() -> None:
    motion = swings(60)
    rows = torch.from_numpy(Relative().encode(motion)).float()[None]
    loss = FactLoss(LossConfig(), torch.zeros(136), torch.ones(136), relative=True)
    joints = loss.joints(rows)
    facing = root_relative.heading(motion.rotations[:, 0])
    about = rotation.rotate(rotation.yaw(-facing)[:, None], motion.joints() - motion.root[:, None] * [1, 0, 1])
    assert np.abs(joints[0].numpy() - about).max() < 1e-4
    moved = rotation.rotate(rotation.yaw(-facing[1:])[:, None], np.diff(motion.joints(), axis=0))
    assert np.abs(loss.steps(rows, joints)[0].numpy() - moved).max() < 3e-4


def test_windows_hold_what_follows_and_the_music_of_then() -> None:
    motion = swings(400)
    features = np.zeros((460, WIDTH), np.float32)
    features[:, BEAT] = np.arange(460)[:, None]
    pair = Dance(motion, features, np.zeros(0), "x")
    stats = {k: torch.from_numpy(v) for k, v in data.statistics([pair], Relative()).items()}
    short = replace(TINY, loss=replace(TINY.loss, rollout=1))
    draw = data.WindowSampler([pair], Relative(), short, stats, desync=0.0)
    batch = draw(np.random.default_rng(0), 3)
    assert batch["motion"].shape == (3, 160, 136) and batch["audio"].shape == (3, 260, 35)
    rows = Relative().encode(motion)
    beat = batch["audio"][..., 34] * stats["audio_std"][34] + stats["audio_mean"][34]
    for b in range(3):
        at = round(float(beat[b, 0]))
        got = batch["motion"][b].numpy() * stats["std"].numpy() + stats["mean"].numpy()
        assert np.abs(got - rows[at : at + 160]).max() < 1e-3
    late = data.WindowSampler([pair], Relative(), short, stats, desync=0.2)
    shifted = late(np.random.default_rng(0), 3)
    assert not torch.allclose(shifted["motion"][:, :120], batch["motion"][:, :120], atol=1e-3)
    assert torch.allclose(shifted["motion"][:, 159], batch["motion"][:, 159], atol=1e-4)  # back in step
    with pytest.raises(InputError, match="long enough"):
        data.WindowSampler([pair], Relative(), replace(TINY, loss=replace(TINY.loss, rollout=20)), stats, desync=0.0)


def test_the_clock_turns_once_per_beat() -> None:
    features = np.random.default_rng(0).normal(0, 1, (900, WIDTH)).astype(np.float32)
    features[:, BEAT] = 0.0
    features[7::30, BEAT] = 1.0
    phase = data.beat_phase(features)
    assert phase[7] == 0 and phase[7 + 10 * 30] == pytest.approx(10) and phase[0] == pytest.approx(-7 / 30)
    heard = data.heard(features, clock=True)
    assert heard.shape == (900, 37) and np.array_equal(heard[:, :WIDTH], features)
    assert np.allclose(heard[7::30, WIDTH:], [0.0, 1.0], atol=1e-5)  # on the beat
    assert np.allclose(heard[22::30, WIDTH:], [0.0, -1.0], atol=1e-5)  # half-way
    assert np.array_equal(data.heard(features, clock=False), features)
    few = data.heard(features[:60], clock=True)  # two beats: no tempo
    assert few.shape == (60, 37) and not few[:, WIDTH:].any()


def test_a_model_with_a_clock_dances_and_hears_the_beat(system: Fact) -> None:
    music = song(4.0)
    music[:, BEAT] = 0.0
    late = music.copy()
    music[::30, BEAT], late[15::30, BEAT] = 1.0, 1.0
    stats = {k: v.numpy() for k, v in system.stats.items()}
    stats |= {"audio_mean": np.zeros(37, np.float32), "audio_std": np.ones(37, np.float32)}
    torch.manual_seed(0)
    one = Fact(replace(TINY, clock=True), stats)
    torch.nn.init.normal_(one.network.head.weight, std=0.05)
    made = [one.generate([MusicRequest(m)], 0, clean=False)[0].joints() for m in (music, late)]
    assert np.abs(made[0] - made[1]).max() > 1e-4
    with pytest.raises(InputError, match=r"'audio_mean' of shape \(37,\)"):
        Fact(replace(TINY, clock=True), {k: v.numpy() for k, v in system.stats.items()})
    with pytest.raises(InputError, match="needs clock=true"):
        replace(TINY, network=replace(TINY.network, drift=True))


def test_drift_says_how_late_rests_are() -> None:
    """Rests every 30 frames, beats as far apart: the vector turns with the distance between them."""
    frames = np.arange(121)
    history = torch.from_numpy(np.cumsum(1.05 - np.cos(2 * np.pi * frames / 30)))[:120].float()[None, :, None]
    for half in (slice(0, 2), slice(2, 4)):
        found = []
        for late in (0, 5, 10, 15):
            phase = 2 * np.pi * (frames[:120] - late) / 30
            turn = torch.from_numpy(np.stack([np.sin(phase), np.cos(phase)], 1)).float()
            sine, cosine = drift(history, turn[None])[0, half]
            found.append(float(torch.atan2(-sine, -cosine)) / (2 * np.pi) * 30)
        apart = np.array(found) + (0, 5, 10, 15)
        assert np.abs(apart - 30 * np.round(apart / 30)).max() < 0.5


def test_a_model_that_is_told_its_drift_learns_by_how_much_it_is_late(tmp_path: Path) -> None:
    corpus = walkers.write(tmp_path, clips=8)
    config = replace(TINY, clock=True, network=replace(TINY.network, drift=True))
    torch.manual_seed(0)
    one = Fact.create(config, corpus)
    batch = one.sampler("dance", corpus, "train")(np.random.default_rng(0), 4)
    assert batch["late"].shape == (4,) and 0 < batch["late"].abs().max() < 1.1
    assert batch["late"].dtype == torch.float32
    losses = one.loss("dance", batch, torch.Generator())
    assert float(losses["sync"].detach()) > 0
    losses["loss"].backward()
    assert one.network.late is not None and one.network.late.weight.grad is not None
    assert one.network.late.weight.grad.abs().max() > 0
    still = one.sampler("dance", corpus, "val")(np.random.default_rng(0), 4)
    assert not still["late"].any()
    assert one.generate([MusicRequest(song(1.0))], 0)[0].frames == 60


def test_what_follows_a_disturbed_history_leaves_from_where_it_ended(system: Fact) -> None:
    """The target begins at the last frame that was seen, and is the true one after 20."""
    config = replace(TINY, loss=LossConfig(shrink=0.9, wander=1.0, noise=0.1))
    one = Fact(config, {k: v.numpy() for k, v in system.stats.items()})
    one.network.train()
    history = torch.randn(64, 1, 136) + 0.2 * torch.randn(64, 120, 136)
    seen = one._noisy(history, torch.Generator().manual_seed(0))
    assert (seen - history).abs().mean() > 0.1
    slow = Fact(replace(config, loss=LossConfig(wander=1.0)), {k: v.numpy() for k, v in system.stats.items()})
    slow.network.train()
    drift = slow._noisy(history, torch.Generator().manual_seed(0)) - history
    assert drift.diff(dim=1).abs().mean() < 0.15 * drift.abs().mean()  # slow: no tremble
    small = Fact(replace(config, loss=LossConfig(shrink=0.9)), {k: v.numpy() for k, v in system.stats.items()})
    small.network.train()
    drawn = small._noisy(history, torch.Generator().manual_seed(0))
    share = drawn.std(dim=1).mean(-1) / history.std(dim=1).mean(-1)
    assert 0.1 <= share.min() < 0.3 and share.max() > 0.8 and torch.allclose(drawn.mean(1), history.mean(1), atol=1e-4)

    asked: list[torch.Tensor] = []

    def watched(predicted: torch.Tensor, target: torch.Tensor, last: torch.Tensor) -> dict[str, torch.Tensor]:
        asked.extend((target, last))
        return {"loss": (predicted - target).square().mean()}

    one.criterion.forward = watched  # type: ignore[method-assign]
    batch = {"motion": torch.cat([history, torch.randn(64, 20, 136)], 1), "audio": torch.randn(64, 240, 35)}
    one.loss("dance", batch, torch.Generator().manual_seed(0))
    target, last = asked
    true, gap = batch["motion"][:, 120:], last - history[:, -1:]
    assert gap.abs().mean() > 0.1
    assert torch.allclose(target - true, gap * fade(20), atol=1e-6)
    assert fade(40)[19:].abs().max() == 0 and fade(40)[0] > 0.99


def test_noise_is_for_training_only(system: Fact) -> None:
    batch = {"motion": torch.randn(2, 200, 136), "audio": torch.randn(2, 300, 35)}
    plain = Fact(replace(TINY, loss=LossConfig(rollout=3, noise=0.0)), {k: v.numpy() for k, v in system.stats.items()})
    noisy = Fact(replace(TINY, loss=LossConfig(rollout=3, noise=0.5)), {k: v.numpy() for k, v in system.stats.items()})
    noisy.network.load_state_dict(plain.network.state_dict())
    for net in (plain, noisy):
        torch.nn.init.normal_(net.network.head.weight, std=0.05, generator=torch.Generator().manual_seed(0))
    losses = []
    for training in (False, True):
        row = []
        for one in (plain, noisy):
            one.network.train(training)
            row.append(float(one.loss("dance", batch, torch.Generator().manual_seed(2))["loss"].detach()))
        losses.append(row)
    assert losses[0][0] == losses[0][1] and losses[1][0] != losses[1][1]


def test_training_on_an_aist_copy(tmp_path: Path) -> None:
    """`paper` rows from AIST++ files, next-frame supervision included."""
    held = Absolute().fitted(swings(330))
    pair = Dance(held, np.zeros((400, WIDTH), np.float32), np.zeros(0), "gBR_sBM_cAll_d04_mBR0_ch01")
    torch.manual_seed(0)
    corpus = walkers.write(tmp_path, clips=8)
    one = Fact.create(replace(small_paper(), supervised=1, data=TINY.data), corpus)
    plain = one.sampler("dance", corpus, "train")(np.random.default_rng(0), 2)  # 22 joints as 24
    assert plain["motion"].shape == (2, 140, 225)
    one.use([pair])
    batch = one.sampler("dance", corpus, "train")(np.random.default_rng(0), 2)
    assert batch["motion"].shape == (2, 140, 225)
    assert one.loss("dance", batch, torch.Generator())["loss"].isfinite()
    assert one.generate([MusicRequest(song(1.0))], 0, block=1)[0].skeleton is SMPL24
    assert aist.parse(pair.name).genre == "gBR"


def test_listening_takes_only_the_part_that_is_danced_to(tmp_path: Path) -> None:
    path = tmp_path / "song.ogg"
    track = tracks.synthesise("rock", 110.0, 20.0, seed=2)
    audio.write(track.samples, tracks.RATE, path)
    heard = listen(path, 4.0, 8.0, bpm=110.0, cache=False)
    assert heard.frames == 240 and heard.total == pytest.approx(20.0, abs=0.01) and not heard.notes
    true = (track.beats - 8.0) * 60
    assert np.abs(heard.dance.beats[:, None] - true[None]).min(axis=1).max() <= 3
    assert len(heard.request().music) >= 240 + 300 and len(heard.request().before) >= 120
    begin = listen(path, 30.0, 0.0, bpm=110.0, cache=False)
    assert begin.frames == 1200 and "the song ends 20.0 s after" in begin.notes[0]
    with pytest.raises(InputError, match=r"1\.50 s of song follow"):
        listen(path, 4.0, 18.5, cache=False)


def test_locking_keeps_length_and_passport() -> None:
    motion = replace(swings(900, seed=3), passport={"a": 1})
    beats = np.arange(12.0, 900, 33.0)
    locked, before, after = lock(motion, beats)
    assert before == score(motion, beats) and after == score(locked, beats)
    assert locked.frames == 900 and locked.passport == {"a": 1}
    assert after.fact > before.fact + 0.2
    assert 0.5 < after.per_second / before.per_second < 2.0
    still = Motion(HUMANML22, motion.rotations[:1].repeat(100, 0), motion.root[:1].repeat(100, 0), 60.0)
    assert lock(still, beats)[0].frames == 100
