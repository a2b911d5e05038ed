"""Shards: written and streamed, resumed exactly, foreign and broken ones; films and renders become shards."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from laban.data import shards
from laban.data.corpora import films
from laban.data.prepare import Settings, prepare
from laban.data.shards import ShardedVideos, ShardWriter
from laban.data.synthesis import walkers
from laban.errors import FormatError, InputError
from laban.io import frames, video
from laban.systems.godiva.system import Godiva
from laban.systems.schedule import StatefulSampler

SHAPE = (4, 16, 3)


def picture(n: int) -> np.ndarray:
    """A clip whose pixels say its number."""
    return np.full((4, 16, 16, 3), n, np.uint8)


def corpus(folder: Path, count: int = 30) -> ShardedVideos:
    writer = ShardWriter(folder, "ours", "CC0", SHAPE, per_shard=7)
    for n in range(count):
        writer.add("train" if n % 5 else "val", picture(n), [f"clip {n}", f"number {n}"], source=f"{n}.mp4")
    writer.close()
    return ShardedVideos.open(folder, *SHAPE)


def draws(stream: Any, rng: np.random.Generator, count: int) -> list[int]:
    found = []
    for _ in range(count):
        example = stream(rng)
        assert example.caption in (f"clip {example.pixels[0, 0, 0, 0]}", f"number {example.pixels[0, 0, 0, 0]}")
        found.append(int(example.pixels[0, 0, 0, 0]))
    return found


def film(path: Path, count: int = 12, fps: float = 4.0) -> Path:
    """A film whose frame k is of brightness 10 k, so that what was cut out can be read off."""
    pixels = np.stack([np.full((32, 48, 3), 10 * k, np.uint8) for k in range(count)])
    video.encode(pixels, path, fps)
    return path


def test_every_clip_once_per_round_in_another_order(tmp_path: Path) -> None:
    source = corpus(tmp_path)
    assert (source.count("train"), source.count("val"), source.count("test")) == (24, 6, 0)
    assert source.names == ("ours",) and "24 clips" in source.summary()[0]
    stream, rng = source.stream("train"), np.random.default_rng(0)
    first, second = draws(stream, rng, 24), draws(stream, rng, 24)
    assert sorted(first) == sorted(second) == [n for n in range(30) if n % 5]
    assert first != second != sorted(second)
    assert draws(source.stream("train"), np.random.default_rng(0), 24) == first
    with pytest.raises(InputError, match="no shard"):
        source.stream("test")


@pytest.mark.parametrize("after", [0, 3, 7, 24, 30])
def test_a_stream_goes_on_from_its_state(tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "BLOCK", 3)
    source = corpus(tmp_path)
    stream, rng = source.stream("train"), np.random.default_rng(1)
    draws(stream, rng, after)
    state, bits = json.loads(json.dumps(stream.state())), rng.bit_generator.state
    rest = draws(stream, rng, 40)
    again, other = source.stream("train"), np.random.default_rng(9)
    other.bit_generator.state = bits
    again.restore(state)
    assert draws(again, other, 40) == rest


def test_a_system_trains_on_shards_and_its_sampler_resumes(tmp_path: Path) -> None:
    source = corpus(tmp_path)
    settings = (
        "frames.count=4", "frames.size=16", "frames.channels=3", "prefixes=(4,)", "coder.width=8", "coder.code_width=8",
        "coder.codes=16", "decoder.width=12", "decoder.heads=2", "score.width=4",
    )  # fmt: skip
    config, _ = Godiva.configured("tiny", settings)
    opened = Godiva.open_data(tmp_path, config)
    assert isinstance(opened, ShardedVideos) and opened.fingerprint == source.fingerprint
    system = Godiva.create("tiny", opened, settings)
    assert {"clip", "number", "7"} <= set(system.config.text.words)
    for stage in system.stages():
        sampler: Any = system.sampler(stage, opened, "train")  # type: ignore[arg-type]
        assert isinstance(sampler, StatefulSampler)
        rng = np.random.default_rng(0)
        batch = sampler(rng, 5)
        loss = system.loss(stage, batch, torch.Generator().manual_seed(0))["loss"]
        assert torch.isfinite(loss)
        state, bits = sampler.state(), rng.bit_generator.state
        following = sampler(rng, 5)
        fresh: Any = system.sampler(stage, opened, "train")  # type: ignore[arg-type]
        fresh.restore(state)
        rng.bit_generator.state = bits
        assert all(torch.equal(a, b) for a, b in zip(fresh(rng, 5).values(), following.values(), strict=True))


def member(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def test_foreign_shards_from_lists_and_addresses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = film(tmp_path / "a.mp4").read_bytes()
    with tarfile.open(tmp_path / "part-000.tar", "w") as tar:
        member(tar, "x/1.mp4", data)
        member(tar, "x/1.json", json.dumps({"caption": "it grows brighter"}).encode())
        member(tar, "x/2.mp4", data[: len(data) // 3])  # broken
        member(tar, "x/2.txt", b"half a film")
        member(tar, "x/3.mp4", data)  # no caption
        member(tar, "x/4.jpg", b"no film")
        member(tar, "x/4.txt", b"nothing to see\n\n")
    whole = (tmp_path / "part-000.tar").read_bytes()
    (tmp_path / "part-001.tar").write_bytes(whole[: len(whole) // 2])  # breaks off
    (tmp_path / "list.txt").write_text(f"# shards\nfile://{tmp_path}/part-000.tar\npart-001.tar\n")
    source = ShardedVideos.open(tmp_path / "list.txt", *SHAPE)
    assert "it grows brighter" in source.captions()
    stream, rng = source.stream("train"), np.random.default_rng(0)
    for _ in range(3):
        example = stream(rng)
        assert example.caption == "it grows brighter" and example.pixels.shape == (4, 16, 16, 3)
        assert np.all(np.diff(example.pixels.astype(int).mean((1, 2, 3))) > 20)
    assert source.skipped["no caption"] >= 1 and source.skipped["broken or without frames"] >= 2
    assert "skipped a clip" in capsys.readouterr().err


def test_what_cannot_be_trained_on_is_said(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "part-0.tar", "w") as tar:
        member(tar, "1.png", b"no picture")
        member(tar, "1.txt", b"")
    source = ShardedVideos.open(tmp_path, *SHAPE)
    with pytest.raises(InputError, match="no clip has a caption"):
        source.captions()
    with pytest.raises(InputError, match="no shard holds a usable clip"):
        source.stream("train")(np.random.default_rng(0))
    (tmp_path / "list.txt").write_text("absent.tar\nftp://x/y.tar\n")
    for address, said in (("absent.tar", "cannot be opened"), ("ftp://x/y.tar", "expected a path or an address")):
        with pytest.raises(InputError, match=said):
            list(ShardedVideos({"train": [address]}, SHAPE).read(address))
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(InputError, match="names no shard"):
        ShardedVideos.open(tmp_path / "empty.txt", *SHAPE)
    (tmp_path / "shards.json").write_text("{}")
    with pytest.raises(FormatError, match="damaged"):
        ShardedVideos.open(tmp_path, *SHAPE)
    with pytest.raises(InputError, match="nothing written"):
        ShardWriter(tmp_path / "new", "x", "y", SHAPE).close()


def msrvtt(folder: Path) -> Path:
    (folder / "TrainValVideo").mkdir(parents=True)
    film(folder / "TrainValVideo" / "video0.mp4")
    (folder / "TrainValVideo" / "video1.mp4").write_bytes(b"broken")
    film(folder / "TrainValVideo" / "video3.mp4", count=2)
    about = {
        "info": {},
        "videos": [{"video_id": f"video{n}", "split": s, "start time": 1.0, "end time": 4.0, "category": 9}
                   for n, s in enumerate(("train", "validate", "test", "validate", "train"))],
        "sentences": [{"video_id": f"video{n}", "caption": c, "sen_id": k} for k, (n, c) in
                      enumerate([(0, "it grows"), (0, "light comes"), (1, "x"), (2, "y"), (3, "z")])],
    }  # fmt: skip
    (folder / "train_val_videodatainfo.json").write_text(json.dumps(about))
    return folder


def test_msrvtt_as_published(tmp_path: Path) -> None:
    report = prepare("msrvtt", msrvtt(tmp_path / "src"), tmp_path / "out", Settings(shape=SHAPE))
    assert report.clips == 1 and sorted(report.skipped) == ["video1.mp4", "video2", "video3.mp4", "video4"]
    assert "missing" in report.skipped["video2"] and "gave 2 frames" in report.skipped["video3.mp4"]
    source = ShardedVideos.open(tmp_path / "out" / "msrvtt", *SHAPE)
    assert sorted(source.captions()) == ["it grows", "light comes"]
    rng, stream = np.random.default_rng(0), source.stream("train")
    assert {stream(rng).caption for _ in range(20)} == {"it grows", "light comes"}


def test_howto100m_as_published(tmp_path: Path) -> None:
    film(tmp_path / "abc.mp4", count=24)  # 6 s
    said = {"start": [0.0, 3.0, 5.9], "end": [2.0, 6.0, 6.0], "text": ["dark", "light", "too short"]}
    other = {"start": [0.0], "end": [], "text": []}
    (tmp_path / "caption.json").write_text(json.dumps({"abc": said, "absent": said, "odd": other}))
    film(tmp_path / "odd.mp4")
    parts = list(films.howto100m(tmp_path))
    assert [p.captions[0] for p in parts if not isinstance(p, str)] == ["dark", "light"]
    assert [p for p in parts if isinstance(p, str)][0].startswith("odd")
    report = prepare("howto100m", tmp_path, tmp_path / "out", Settings(shape=SHAPE))
    assert (report.clips, report.hours, len(report.skipped)) == (2, round(5 / 3600, 3), 1)
    dark = frames.cut(tmp_path / "abc.mp4", 4, 16, 3, start=0.0, end=2.0)
    light = frames.cut(tmp_path / "abc.mp4", 4, 16, 3, start=3.0, end=6.0)
    assert dark.mean() < 100 < light.mean()


def test_folders_of_another_layout(tmp_path: Path) -> None:
    for corpus_name in ("msrvtt", "howto100m"):
        with pytest.raises(InputError, match="as published"):
            prepare(corpus_name, tmp_path, tmp_path / "out")
    (tmp_path / "caption.json").write_text("[1]")
    with pytest.raises(FormatError, match="expected an object"):
        list(films.howto100m(tmp_path))
    (tmp_path / "caption.json").write_text("{")
    with pytest.raises(FormatError, match="not readable as JSON"):
        list(films.howto100m(tmp_path))
    (tmp_path / "caption.json").write_text("{}")
    with pytest.raises(InputError, match="no clip of howto100m could be used"):
        prepare("howto100m", tmp_path, tmp_path / "out", Settings(shape=SHAPE))


def test_our_own_motions_become_films(tmp_path: Path) -> None:
    walkers.write(tmp_path / "motions", clips=4, seed=0)
    report = prepare("renders", tmp_path / "motions", tmp_path / "out", Settings(shape=(3, 32, 3)))
    assert report.clips == 4 and report.hours > 0 and not report.skipped
    source = ShardedVideos.open(tmp_path / "out" / "renders", 3, 32, 3)
    example = source.stream("train")(np.random.default_rng(0))
    assert example.pixels.shape == (3, 32, 32, 3) and example.caption
    assert example.pixels.std() > 5 and not np.array_equal(example.pixels[0], example.pixels[-1])
    assert source.licences == ("CC0-1.0",)
