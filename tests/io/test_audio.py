"""Sound files: one decoder, any rate, parts of files, damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from laban.errors import FormatError, InputError
from laban.io import audio


def tone(seconds: float, rate: int, pitch: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize(("suffix", "close"), [(".wav", 1e-4), (".flac", 1e-4), (".ogg", 0.03), (".mp3", 0.03)])
def test_written_sounds_come_back_without_delay(suffix: str, close: float, tmp_path: Path) -> None:
    path = tmp_path / f"tone{suffix}"
    audio.write(tone(1.5, 44_100), 44_100, path)
    sound = audio.read(path, 44_100)
    assert abs(sound.seconds - 1.5) < 0.002 and sound.complete and sound.total == pytest.approx(1.5, abs=0.002)
    inner = slice(4000, 60_000)
    assert np.abs(sound.samples[inner] - tone(1.5, 44_100)[inner]).max() < close


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 44_099, 192_000])
def test_resampling_keeps_a_tone_and_its_place(rate: int) -> None:
    got = audio.resample(tone(0.5, rate), rate, 30_720)
    assert len(got) == 15_360 and got.dtype == np.float32
    assert np.abs(got - tone(0.5, 30_720))[400:-400].max() < 1e-4


def test_resampling_down_removes_what_would_fold_back() -> None:
    got = audio.resample(tone(0.5, 96_000, pitch=20_000.0), 96_000, 30_720)
    assert np.abs(got[400:-400]).max() < 1e-3


def test_an_excerpt_is_that_part_of_the_whole(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    samples = np.cumsum(rng.normal(0, 0.01, 44_100 * 6)).astype(np.float32)
    samples = np.stack([samples - samples.mean(), np.zeros_like(samples)], axis=1) * 0.1
    path = tmp_path / "walk.wav"
    audio.write(samples, 44_100, path)
    whole, part = audio.read(path), audio.read(path, start=2.0, seconds=3.0)
    assert part.start == 2.0 and part.seconds == pytest.approx(3.0, abs=1e-3)
    middle = slice(1000, -1000)
    shifted = whole.samples[2 * 30_720 : 2 * 30_720 + len(part.samples)]
    assert np.abs(part.samples[middle] - shifted[middle]).max() < 2e-4  # stereo became the mean of its channels
    assert np.abs(whole.samples).max() == pytest.approx(np.abs(samples.mean(axis=1)).max(), rel=0.05)


def test_a_truncated_mp3_gives_what_is_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "song.mp3"
    audio.write(tone(4.0, 44_100), 44_100, path)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    sound = audio.read(path)
    assert 1.0 < sound.seconds < 3.0 and np.isfinite(sound.samples).all()
    assert capfd.readouterr().err == ""  # libmpg123 would write there


def test_what_is_no_sound_is_a_format_error(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp3"
    text.write_text("this is no music " * 50)
    empty = tmp_path / "empty.wav"
    empty.write_bytes(b"")
    marked = tmp_path / "marked.mp3"  # looks like an mp3 at one place
    marked.write_bytes(b"x" * 500 + b"\xff\xfb" + b"y" * 500)
    for path in (text, empty, marked):
        with pytest.raises(FormatError, match=f"{path.name}: is no sound"):
            audio.read(path)
    with pytest.raises(InputError, match=r"unknown suffix '\.m4a'"):
        audio.read(tmp_path / "song.m4a")
    with pytest.raises(InputError, match="no such file"):
        audio.read(tmp_path / "absent.wav")


def test_a_start_beyond_the_end_and_nan_are_refused(tmp_path: Path) -> None:
    import soundfile

    path = tmp_path / "short.wav"
    audio.write(tone(0.3, 8_000), 8_000, path)
    with pytest.raises(InputError, match=r"start is 2 s; the song lasts 0\.30 s"):
        audio.read(path, start=2.0)
    bad = tmp_path / "nan.wav"
    soundfile.write(bad, np.array([0.0, np.nan, 0.0]), 8_000, subtype="FLOAT")
    with pytest.raises(FormatError, match="NaN"):
        audio.read(bad)


def test_memory_does_not_grow_with_the_song(tmp_path: Path) -> None:
    import tracemalloc

    import soundfile

    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 8_000, 1) as file:
        for _ in range(20):
            file.write(np.zeros(8_000 * 60, np.float32))
    assert audio.length(path) == pytest.approx(1200.0)
    tracemalloc.start()
    sound = audio.read(path, start=1100.0, seconds=5.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sound.seconds == pytest.approx(5.0, abs=1e-3) and peak < 16 << 20
