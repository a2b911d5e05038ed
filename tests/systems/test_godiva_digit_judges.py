"""Directions read off real tracks, and judges that learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from laban.data.corpora.mnist import DigitsConfig, MovingDigits, path
from laban.data.synthesis import synthetic_digits
from laban.errors import ShapeError, WeightsError
from laban.systems.godiva.digit_judges import Judges, centroids, direction


@pytest.fixture(scope="module")
def digits() -> MovingDigits:
    return MovingDigits(*synthetic_digits.images(400))


@pytest.mark.parametrize("config", [DigitsConfig(), DigitsConfig(step=7.2, lattice=1)])
def test_every_motion_is_read_off_its_video(digits: MovingDigits, config: DigitsConfig) -> None:
    source, rng = MovingDigits(digits.images, digits.labels, config), np.random.default_rng(0)
    for motion in range(6):
        for digit in range(10):
            video = source.make(rng, "test", [(digit, motion)]).pixels[..., 0]
            assert direction(centroids(video), config) == motion


def test_directions_bear_noise_and_missing_frames_and_refuse_what_is_none() -> None:
    rng = np.random.default_rng(0)
    for motion in range(6):
        track = path(motion, DigitsConfig(), rng).astype(float) + rng.normal(0, 1.0, (10, 2))
        track[[2, 6]] = np.nan
        assert direction(track) == motion
    assert direction(np.zeros((10, 2))) == -1
    assert direction(rng.normal(0, 1.0, (10, 2))) == -1
    assert direction(np.full((10, 2), np.nan)) == -1
    assert direction(np.stack([np.arange(10.0) * 4, np.zeros(10)], -1)) == -1  # a straight way is none of the six
    with pytest.raises(ShapeError):
        direction(np.zeros((9, 2)))


def test_centroids() -> None:
    video = np.zeros((2, 8, 8), np.uint8)
    video[0, 2, 5] = video[0, 4, 5] = 255
    found = centroids(video)
    assert found[0].tolist() == [5.0, 3.0] and np.isnan(found[1]).all()


def test_judges_learn_and_are_kept(digits: MovingDigits, tmp_path: Path) -> None:
    judges = Judges.train(digits, seed=0, classifier_steps=60, detector_steps=40)
    rng = np.random.default_rng(0)
    examples = [digits.draw(rng, "test", digits=1) for _ in range(20)]
    found = judges.single(np.stack([e.pixels for e in examples]))
    assert [m for _, m in found] == [e.labels["m0"] for e in examples]
    assert np.mean([d == e.labels["d0"] for (d, _), e in zip(found, examples, strict=True)]) > 0.4
    assert judges.single(np.zeros((1, 10, 64, 64, 1), np.uint8)) == [(-1, -1)]
    two = judges.double(np.stack([digits.draw(rng, "test", digits=2).pixels for _ in range(2)]))
    assert all(len(pair) == 2 for pair in two)
    judges.save(tmp_path, digits)
    again = Judges.open(tmp_path)
    assert again.single(np.stack([e.pixels for e in examples])) == found
    (tmp_path / "config.json").write_text('{"format": 1, "stages": []}')
    with pytest.raises(WeightsError, match="no judges"):
        Judges.open(tmp_path)
