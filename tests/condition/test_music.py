"""Music features against librosa's values, and beats against songs that were made with known ones."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from laban.condition import beats, music, spectrum
from laban.data.synthesis import tracks
from laban.errors import InputError

FIXTURES = Path(__file__).parents[1] / "fixtures"
sys.path.insert(0, str(FIXTURES))
from make_music import START_BPM, song  # noqa: E402


@pytest.fixture(scope="module")
def found() -> music.Music:
    return music.analyse(song(), prior=START_BPM)


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    with np.load(FIXTURES / "music_librosa.npz") as held:
        return dict(held)


def test_features_are_librosas(found: music.Music, expected: dict[str, np.ndarray]) -> None:
    assert found.features.shape == (len(expected["strength"]), 35) and found.features.dtype == np.float32
    f = found.features
    assert np.abs(f[:, music.STRENGTH][:, 0] - expected["strength"]).max() < 1e-3
    assert np.abs(f[:, music.MFCC] - expected["mfcc"]).max() < 0.01
    chroma = f[:, music.CHROMA]
    assert np.abs(chroma - expected["cens"]).max() < 0.06 and np.abs(chroma - expected["cens"]).mean() < 0.005
    assert found.onsets.tolist() == expected["onsets"].tolist()
    assert set(expected["beats"]) <= set(found.beats)  # librosa cuts a beat more at either end
    first, last = expected["beats"][[0, -1]]
    assert found.beats[(found.beats >= first) & (found.beats <= last)].tolist() == expected["beats"].tolist()
    assert len(found.beats) <= len(expected["beats"]) + 2


def test_settings_that_matter_change_the_values(found: music.Music) -> None:
    louder = music.analyse(0.5 * song(), prior=START_BPM)
    assert np.abs(louder.features - found.features)[:, music.MFCC].max() > 1.0  # nothing is normalised
    assert found.features[:, music.MFCC][:, 0].mean() < -100


def within(a: np.ndarray, b: np.ndarray, frames: float = 3.0) -> float:
    return float((np.abs(a[:, None] - b[None]).min(axis=1) <= frames).mean())


@pytest.mark.parametrize(("groove", "bpm"), [("rock", 116.0), ("waltz", 132.0), ("shuffle", 96.0)])
def test_beats_of_synthesised_tracks_are_found_without_a_hint(groove: str, bpm: float) -> None:
    track = tracks.synthesise(groove, bpm, 14.0, seed=1)
    made = music.analyse(track.samples)
    assert made.bpm == pytest.approx(bpm, rel=0.02)
    true = track.beats * 60
    assert within(made.beats, true) > 0.9 and within(true, made.beats) > 0.85
    assert made.clarity > music.CLEAR and made.notes == ()
    assert next(iter(made.others)) == pytest.approx(made.bpm, rel=0.05)


@pytest.mark.parametrize("hint", [60.0, 96.0, 170.0])
def test_a_hint_is_followed_within_a_tenth_of_an_octave(hint: float) -> None:
    strength = np.zeros(60 * 30)
    strength[:: round(60 * 60 / 79)] = 1.0  # whatever the song says: 79 bpm, and nothing else
    assert abs(np.log2(beats.tempo(strength, hint, beats.HINT_WIDTH, beats.HINT_REACH) / hint)) <= beats.HINT_REACH
    assert beats.tempo(strength, 96.0) == pytest.approx(79, rel=0.03)


def test_a_hint_settles_the_octave() -> None:
    track = tracks.synthesise("rock", 100.0, 10.0, seed=2)
    for hint in (50.0, 100.0, 200.0):
        assert music.analyse(track.samples, bpm=hint).bpm == pytest.approx(hint, rel=0.06)


def test_silence_gets_a_steady_grid_and_says_so() -> None:
    quiet = music.analyse(np.zeros(spectrum.RATE * 3, np.float32))
    assert quiet.notes and "no beat was found" in quiet.notes[0] and quiet.bpm == music.FALLBACK
    assert np.diff(quiet.beats).tolist() == [30] * (len(quiet.beats) - 1)
    hinted = music.analyse(np.zeros(spectrum.RATE * 3, np.float32), bpm=90.0)
    assert np.diff(hinted.beats).tolist() == [40] * (len(hinted.beats) - 1)
    assert np.isfinite(quiet.features).all()


def test_noise_is_danced_to_with_a_warning() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, spectrum.RATE * 6).astype(np.float32)
    made = music.analyse(noise)
    assert made.clarity < music.CLEAR and "unclear" in made.notes[0] and len(made.beats) > 4


def test_speech_is_danced_to_with_a_warning() -> None:
    """Voiced syllables of uneven lengths at uneven times: strong onsets, no pulse."""
    rng, rate = np.random.default_rng(1), spectrum.RATE
    samples, at = np.zeros(rate * 8), 0.2
    while at < 7.5:
        seconds, pitch = rng.uniform(0.08, 0.3), rng.uniform(90, 180)
        t = np.arange(int(seconds * rate)) / rate
        voice = sum(np.sin(2 * np.pi * pitch * h * t) / h for h in range(1, 12)) * np.hanning(len(t))
        samples[int(at * rate) : int(at * rate) + len(t)] += voice
        at += seconds + rng.exponential(0.12) + 0.02
    made = music.analyse((0.2 * samples).astype(np.float32))
    assert beats.unevenness(made.beats) > music.UNEVEN and "unclear" in made.notes[0]


def test_bad_samples_and_hints_are_refused() -> None:
    with pytest.raises(InputError, match="quarter of a second"):
        music.analyse(np.zeros(100, np.float32))
    with pytest.raises(InputError, match="expected 40 to 240"):
        music.analyse(song(1.0), bpm=1000.0)
    with pytest.raises(InputError, match="NaN"):
        music.analyse(np.full(spectrum.RATE, np.nan, np.float32))


def test_the_cache_is_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    y = song(1.5)
    first = music.cached(y, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    monkeypatch.setattr(music, "analyse", lambda *a: pytest.fail("analysed again"))
    again = music.cached(y.copy(), folder=tmp_path)
    assert np.array_equal(first.features, again.features)
    assert (again.bpm, again.others, again.notes) == (first.bpm, first.others, first.notes)
    monkeypatch.undo()
    file.write_bytes(file.read_bytes()[:100])  # damage costs time only
    assert np.array_equal(music.cached(y, folder=tmp_path).features, first.features)
    music.cached(y, 90.0, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert len(music.cached(y, folder=Path("/proc/no-such-folder")).features) == len(first.features)


def test_onsets_are_peaks_of_any_envelope() -> None:
    envelope = np.zeros(60, np.float32)
    envelope[[10, 30, 31, 50]] = [1.0, 0.9, 0.5, 0.04]
    assert beats.onsets(envelope).tolist() == [10, 30]
    assert beats.onsets(np.zeros(10, np.float32)).tolist() == []
