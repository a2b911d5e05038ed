"""`laban dance` from end to end with random weights: files, sound, lengths, bad songs."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import av
import numpy as np
import pytest

import laban
from laban import cli
from laban.data.synthesis import tracks
from laban.io import audio, gltf_document
from tests.actions import tiny
from tests.character import example


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with random weights of the tiny preset."""
    folder = tmp_path_factory.mktemp("model")
    tiny.fact().save(folder, card="# Random weights\n")
    return folder


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("song")
    track = tracks.synthesise("rock", 110.0, 8.0, seed=2)
    audio.write(audio.resample(track.samples, tracks.RATE, 44_100), 44_100, folder / "song.mp3")
    return folder / "song.mp3"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABAN_CACHE", str(tmp_path / "cache"))


def test_a_song_becomes_a_film_with_its_sound(model: Path, song: Path, tmp_path: Path, capsys) -> None:
    out = [tmp_path / f"dance{suffix}" for suffix in (".glb", ".bvh", ".mp4")]
    argv = ["dance", str(song), "--model", str(model), "--seconds", "2", "--start", "3", "--bpm", "110", "--json",
            "--out", *map(str, out)]  # fmt: skip
    assert cli.main([*argv]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["seconds"] == 2.0 and said["bpm"] == pytest.approx(110, rel=0.03)
    assert {"fact", "bailando", "per_second"} == said["scores"]["as_made"].keys() == said["scores"]["locked"].keys()
    for path in out[:2]:
        assert laban.read(path).seconds == pytest.approx(2.0)
    passport = laban.read(out[0]).passport or {}
    assert passport["song"] == "song.mp3" and passport["start"] == 3.0 and len(passport["timing"]["beats"]) >= 3
    with av.open(str(out[2])) as film:
        assert float(film.streams.video[0].duration * film.streams.video[0].time_base) == pytest.approx(2.0, abs=0.05)
        heard = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in film.decode(audio=0)])
    wanted = audio.read(song, 48_000, 3.0, 2.0).samples
    count = min(len(heard), len(wanted))
    assert count > 1.9 * 48_000
    size = 1 << 18
    match = np.fft.irfft(np.fft.rfft(heard[:count], size) * np.conj(np.fft.rfft(wanted[:count], size)))
    lag = int(np.argmax(match))
    assert min(lag, size - lag) < 48  # the music in the film is the song's, within a millisecond
    assert match.max() / (np.linalg.norm(heard) * np.linalg.norm(wanted)) > 0.9


def test_the_same_seed_gives_the_same_dance_and_locking_can_be_off(model: Path, song: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"{n}.npz" for n in range(4)]
    for path, more in zip(files, ([], [], ["--seed", "5"], ["--no-lock-beats"]), strict=True):
        argv = ["dance", str(song), "--model", str(model), "--seconds", "3", "--quiet", "--out", str(path), *more]
        assert cli.main(argv) == 0
    a, b, c, d = (laban.read(path) for path in files)
    assert np.array_equal(a.joints(), b.joints())
    assert not np.allclose(a.joints(), c.joints()) and d.frames == 180


def test_a_character_wears_the_dance(model: Path, song: Path, tmp_path: Path, capsys) -> None:
    gltf_document.write(example.character(arms_down=45), tmp_path / "hero.glb")
    out = [tmp_path / "worn.glb", tmp_path / "worn.mp4"]
    argv = ["dance", str(song), "--model", str(model), "--seconds", "2", "--beats", "--json", "--fps", "30",
            "--character", str(tmp_path / "hero.glb"), "--out", *map(str, out)]  # fmt: skip
    passed = cli.main(argv)
    said = json.loads(capsys.readouterr().out)
    assert passed == int(not said["certificate"]["passed"])
    assert Path(f"{out[0]}.certificate.json").is_file()
    extras = gltf_document.read(out[0]).items("animations")[0]["extras"]["laban"]
    assert extras["song"] == "song.mp3" and extras["licence"] == "none"
    with av.open(str(out[1])) as film:
        lengths = [float(s.duration * s.time_base) for s in (film.streams.video[0], film.streams.audio[0])]
    assert lengths == pytest.approx([2.0, 2.0], abs=0.06)


def test_a_film_can_show_its_beats(model: Path, song: Path, tmp_path: Path) -> None:
    dance, plain, marked = tmp_path / "dance.glb", tmp_path / "plain.png", tmp_path / "marked.png"
    argv = ["dance", str(song), "--model", str(model), "--seconds", "3", "--quiet", "--out", str(dance)]
    assert cli.main(argv) == 0
    assert cli.main(["render", str(dance), str(plain), "--quiet"]) == 0
    assert cli.main(["render", str(dance), str(marked), "--beats", "--quiet"]) == 0
    assert plain.read_bytes() != marked.read_bytes()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("text", "is no sound that can be decoded"),
        ("short", "the song lasts 0.30 s; expected at least 2 s"),
        ("absent", "there is no such file"),
        ("suffix", "unknown suffix"),
        ("start", "start is 50 s; the song lasts"),
        ("seed", "the seed motion lasts 1.00 s"),
        ("bpm", "--bpm is 900"),
        ("other", "a momask model cannot dance to music; fact can"),
    ],
)
def test_what_cannot_be_danced_to_is_one_line(
    what: str, said: str, model: Path, song: Path, tmp_path: Path, capsys
) -> None:
    path, more = tmp_path / "bad.mp3", []
    if what == "text":
        path.write_text("no music " * 100)
    elif what == "short":
        path = tmp_path / "bad.wav"
        audio.write(np.zeros(2400, np.float32), 8_000, path)
    elif what == "suffix":
        path = tmp_path / "bad.docx"
        path.write_text("x")
    elif what != "absent":
        path = song
    if what == "start":
        more = ["--start", "50"]
    elif what == "bpm":
        more = ["--bpm", "900"]
    elif what == "other":
        more = ["--model", "momask"]
    elif what == "seed":
        from tests.motion.test_warp import swings

        laban.write(swings(60), tmp_path / "seed.npz")
        more = ["--seed-motion", str(tmp_path / "seed.npz")]
    out = tmp_path / "dance.glb"
    chosen = [] if what == "other" else ["--model", str(model)]
    assert cli.main(["dance", str(path), "--out", str(out), "--seconds", "3", *chosen, *more]) == 2
    printed = capsys.readouterr()
    assert said in printed.err and "Traceback" not in printed.err and not out.exists()


@pytest.mark.parametrize("kind", ["silence", "noise", "8k", "192k"])
def test_odd_sounds_have_a_stated_fallback(kind: str, model: Path, tmp_path: Path, capsys) -> None:
    rate = {"8k": 8_000, "192k": 192_000}.get(kind, 22_050)
    samples = np.zeros(rate * 3, np.float32)
    if kind == "noise":
        samples = np.random.default_rng(0).normal(0, 0.1, rate * 7).astype(np.float32)
    elif kind != "silence":
        track = tracks.synthesise("rock", 120.0, 3.0, seed=1)
        samples = audio.resample(track.samples, tracks.RATE, rate)
    path, out = tmp_path / "odd.wav", tmp_path / "dance.npz"
    audio.write(samples, rate, path)
    assert cli.main(["dance", str(path), "--model", str(model), "--seconds", "2", "--out", str(out), "--quiet"]) == 0
    said = capsys.readouterr().err
    assert laban.read(out).frames == 120
    if kind == "silence":
        assert "no beat was found, so a steady 120 bpm" in said
    elif kind == "noise":
        assert "the beat is unclear" in said


def test_the_shipped_weights_dance_to_the_example_song_without_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    song = Path(__file__).parents[2] / "examples" / "song.ogg"
    out = tmp_path / "dance.npz"
    assert cli.main(["dance", str(song), "--seconds", "6", "--bpm", "118", "--json", "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["bpm"] == pytest.approx(118, rel=0.02) and "CC BY-NC 4.0" in said["passport"]["licence"]
    assert said["scores"]["locked"]["fact"] >= said["scores"]["as_made"]["fact"]
    dance = laban.read(out)
    speed = np.linalg.norm(np.diff(dance.joints(), axis=0), axis=-1).mean() * 60
    assert dance.frames == 360 and 0.2 < speed < 2.0  # somebody moves, and nobody explodes
    assert np.abs(dance.root[:, [0, 2]] - dance.root[0, [0, 2]]).max() < 4.0
