"""Tracks whose beats are where they say, and dances whose kinematic beats are on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from laban.condition import music, spectrum
from laban.data.corpus import Corpus
from laban.data.synthesis import choreography, tracks, walkers
from laban.metrics.dance import beat_alignment, kinematic_beats


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return walkers.write(tmp_path_factory.mktemp("corpus"), clips=16, seed=0)


def test_tracks_have_their_beats_and_are_reproducible() -> None:
    for name in tracks.GROOVES:
        track = tracks.synthesise(name, 100.0, 5.0, seed=4, silence=0.5)
        assert len(track.samples) == 5 * tracks.RATE + 1 and np.abs(track.samples).max() <= 0.9
        assert track.beats[0] == 0.5 and np.diff(track.beats) == pytest.approx(0.6)
        assert np.diff(track.bars) == pytest.approx(0.6 * tracks.GROOVES[name].beats)
        assert np.abs(track.samples[: tracks.RATE // 2]).max() == 0.0
        assert all(len(getattr(tracks.GROOVES[name], part)) == tracks.GROOVES[name].beats * tracks.GROOVES[name].steps
                   for part in ("kick", "snare", "hat", "extra", "bass"))  # fmt: skip
    same = tracks.synthesise("rock", 100.0, 2.0, seed=4)
    assert np.array_equal(same.samples, tracks.synthesise("rock", 100.0, 2.0, seed=4).samples)
    assert not np.array_equal(same.samples, tracks.synthesise("rock", 100.0, 2.0, seed=5).samples)


def test_sound_begins_on_the_beat() -> None:
    track = tracks.synthesise("house", 120.0, 6.0, seed=0)
    envelope = spectrum.onset_strength(spectrum.mel_decibels(track.samples))
    on = [envelope[round(60 * b) : round(60 * b) + 4].max() for b in track.beats[1:-1]]
    off = [envelope[round(60 * b) + 8 : round(60 * b) + 12].max() for b in track.beats[1:-1]]
    assert np.mean(on) > 3 * np.mean(off)


def test_training_tempi_keep_out_of_the_held_out_ones() -> None:
    rng = np.random.default_rng(0)
    tempi = [tracks.training_tempo("rock", rng) for _ in range(300)]
    assert all(not low <= t <= high for t in tempi for low, high in tracks.HELD_OUT_TEMPI)
    assert not set(tracks.TRAINING) & set(tracks.HELD_OUT)
    assert set(choreography.CAST) == set(tracks.TRAINING)


def test_locked_beats_are_whole_numbers_of_beats_apart() -> None:
    beats = np.array([10, 48, 80, 95, 150, 185])
    which, places = choreography.locked_to(beats, 36.0)
    assert places[0] == 0 and (np.diff(places) >= 1).all()
    ratio = np.diff(places) * 36.0 / np.diff(beats[which])
    assert (np.abs(np.log(ratio)) <= np.log(choreography.STRETCH) + 1e-9).all()
    assert len(which) >= 4
    assert choreography.locked_to(np.zeros(0, int), 30.0)[0].tolist() == []


def test_dances_are_on_the_beat_and_shifted_ones_are_not(corpus: Corpus) -> None:
    (dance,) = choreography.dances(corpus, 1, 12.0, seed=0)
    assert dance.motion.fps == 60.0 and len(dance.features) >= dance.motion.frames
    beats = np.flatnonzero(dance.features[:, music.BEAT][:, 0])
    found = kinematic_beats(dance.motion.joints(), "fact", "fixed")
    assert len(found) > 8
    gap = float(np.median(np.diff(beats)))
    here, away = beat_alignment(found, beats), beat_alignment(found, beats + gap / 2)
    assert here > 0.45 and here > away + 0.25
    inside = dance.locked[dance.locked > beats[0] - 3]  # the music may begin in silence
    assert beat_alignment(inside, beats) > 0.98


def test_dances_follow_their_seed(corpus: Corpus) -> None:
    (a,), (b,), (c,) = (choreography.dances(corpus, 1, 5.0, seed=s) for s in (0, 0, 1))
    assert np.array_equal(a.motion.joints(), b.motion.joints()) and np.array_equal(a.features, b.features)
    assert not np.array_equal(a.features, c.features)


def test_the_cast_is_of_training_clips() -> None:
    folder = Path("../shared/data")
    if not folder.is_dir():
        pytest.skip("the corpora are not here")
    from laban.data.corpora import cmu

    for cast in choreography.CAST.values():
        for name, first, last in cast:
            assert first < last
            if not name.startswith("dataset"):
                assert cmu.split_of(name) == "train"
