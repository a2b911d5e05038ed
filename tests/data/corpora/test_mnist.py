"""Moving digits: as specified, deterministic, with pairs that training never has."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

from laban.data.corpora.mnist import (
    CANVAS,
    DIGIT,
    MOTIONS,
    SPLITS,
    DigitsConfig,
    MovingDigits,
    caption,
    held_out,
    path,
    read_mnist,
)
from laban.data.synthesis import synthetic_digits
from laban.errors import FormatError, InputError, LabanError

MNIST = Path(__file__).parents[3].parent / "shared" / "data" / "mnist.tar"


@pytest.fixture(scope="module")
def digits() -> MovingDigits:
    return MovingDigits(*synthetic_digits.images(400))


def test_captions() -> None:
    assert caption([(9, 1)]) == "Digit 9 is moving down then up."
    assert caption([(3, 4)], form=1) == "Digit 3 moves up and down."
    assert caption([(7, 3), (3, 1)]) == "Digit 7 moves right then left while digit 3 moves down then up."


def test_held_out_pairs_are_one_in_four_of_the_four_orders() -> None:
    pairs = [(d, m) for d in range(10) for m in range(6) if held_out(d, m)]
    assert pairs == [(d, (d + 2) % 4) for d in range(10)]


@pytest.mark.parametrize("motion", range(6))
@pytest.mark.parametrize("config", [DigitsConfig(), DigitsConfig(step=7.2, lattice=1), DigitsConfig(step=5, frames=16)])
def test_ways(motion: int, config: DigitsConfig) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        way = path(motion, config, rng)
        assert way.shape == (config.frames, 2) and way.min() >= 0 and way.max() <= CANVAS - DIGIT
        axis = 1 if MOTIONS[motion].split()[0] in ("up", "down") else 0
        assert len(set(way[:, 1 - axis])) == 1
        steps = np.diff(way[:, axis])
        moving = steps[steps != 0]
        assert np.abs(moving).max() <= np.ceil(config.step)
        turns = int((np.diff(np.sign(moving)) != 0).sum())
        if motion < 4:
            assert turns == 1 and steps.sum() == 0
            first = {"up": -1, "down": 1, "left": -1, "right": 1}[MOTIONS[motion].split()[0]]
            assert np.sign(moving[0]) == first
        else:
            assert np.sign(moving[0]) == 1 and turns >= 1
            assert turns >= 2 or config != DigitsConfig()


def test_places_are_on_the_lattice() -> None:
    rng = np.random.default_rng(0)
    assert all((path(m, DigitsConfig(), rng) % 4 == 0).all() for m in range(6) for _ in range(20))
    assert any((path(0, DigitsConfig(lattice=1), rng)[:, 0] % 4).any() for _ in range(20))


def test_a_video_shows_its_digit_and_the_brighter_pixel_stands(digits: MovingDigits) -> None:
    example = digits.make(np.random.default_rng(0), "test", [(5, 2)])
    assert example.pixels.shape == (10, 64, 64, 1) and example.pixels.dtype == np.uint8
    image = next(
        digits.images[row] for row in digits.rows("test")[5] if digits.images[row].sum() == example.pixels[0].sum()
    )
    assert all(frame.sum() == image.sum() for frame in example.pixels)
    two = digits.make(np.random.default_rng(1), "test", [(5, 2), (1, 0)])
    assert two.caption.count("igit") == 2 and dict(two.labels) == {"d0": 5, "m0": 2, "d1": 1, "m1": 0}
    assert two.pixels.max() <= 255 and two.pixels.sum() > example.pixels.sum()


def test_same_seed_same_videos_and_digits_of_splits_are_disjoint(digits: MovingDigits) -> None:
    a = [digits.draw(np.random.default_rng(7), "train") for _ in range(2)]
    assert np.array_equal(a[0].pixels, a[1].pixels) and a[0].caption == a[1].caption
    again = MovingDigits(*synthetic_digits.images(400))
    assert np.array_equal(again.draw(np.random.default_rng(7), "train").pixels, a[0].pixels)
    assert again.fingerprint == digits.fingerprint
    assert MovingDigits(digits.images, digits.labels, DigitsConfig(step=4)).fingerprint != digits.fingerprint
    rows = [set(np.concatenate(digits.rows(split)).tolist()) for split in SPLITS]
    assert sum(map(len, rows)) == len(set().union(*rows)) == 400


def test_training_never_has_a_held_out_pair(digits: MovingDigits) -> None:
    rng = np.random.default_rng(0)
    doubles = 0
    for _ in range(400):
        labels = dict(digits.draw(rng, "train").labels)
        pairs = [(labels[f"d{n}"], labels[f"m{n}"]) for n in range(len(labels) // 2)]
        assert not any(held_out(*pair) for pair in pairs)
        assert len({d for d, _ in pairs}) == len(pairs)
        doubles += len(pairs) == 2
    assert 40 < doubles < 130
    for _ in range(50):
        labels = dict(digits.draw(rng, "test", seen=False, digits=2).labels)
        assert held_out(labels["d0"], labels["m0"]) and held_out(labels["d1"], labels["m1"])


def test_bad_settings(digits: MovingDigits) -> None:
    for wrong in ({"step": 0}, {"step": 99}, {"lattice": 0}, {"doubles": 2}, {"motions": (7,)}, {"frames": 1}):
        with pytest.raises(InputError, match="DigitsConfig"):
            DigitsConfig(**wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="split 'tests'"):
        digits.draw(np.random.default_rng(0), "tests")
    with pytest.raises(InputError, match="no pair"):
        MovingDigits(digits.images, digits.labels, DigitsConfig(motions=(4, 5))).draw(
            np.random.default_rng(0), "train", seen=False
        )
    with pytest.raises(InputError, match="too few"):
        MovingDigits(*synthetic_digits.images(20))


def test_reading_archives_and_folders(tmp_path: Path) -> None:
    images, labels = synthetic_digits.images(30)
    file = synthetic_digits.write(tmp_path / "mnist.tar", 30)
    for place in (file, tmp_path / "unpacked"):
        if place.suffix != ".tar":
            shutil.unpack_archive(file, place)
        got = read_mnist(place)
        assert np.array_equal(got[0], images) and np.array_equal(got[1], labels)


def test_damaged_archives_are_said_in_one_line(tmp_path: Path) -> None:
    def archive(name: str, **members: bytes) -> Path:
        with tarfile.open(tmp_path / name, "w") as tar:
            for member, data in members.items():
                info = tarfile.TarInfo(member.replace("_", "-"))
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        return tmp_path / name

    whole = synthetic_digits.write(tmp_path / "whole.tar", 30).read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:2000])
    good = bytes([0, 0, 8, 1]) + (3).to_bytes(4, "big") + bytes([1, 2, 3])
    cases = [
        (tmp_path / "absent.tar", InputError),
        (tmp_path / "cut.tar", FormatError),
        (archive("empty.tar"), InputError),
        (archive("short.tar", images_idx3_ubyte=good[:-1]), FormatError),
        (archive("letters.tar", images_idx3_ubyte=b"hello there"), FormatError),
        (archive("gzip.tar", images_idx3_ubyte=gzip.compress(good)[:-9]), FormatError),
        (archive("labels.tar", labels_idx1_ubyte=good), InputError),
    ]
    (tmp_path / "text.tar").write_text("no archive")
    for place, kind in [*cases, (tmp_path / "text.tar", FormatError)]:
        with pytest.raises(kind) as caught:
            read_mnist(place)
        assert isinstance(caught.value, LabanError) and "\n" not in str(caught.value), place


@pytest.mark.skipif(not MNIST.is_file(), reason="needs the project's own data, ../shared/data/mnist.tar")
def test_real_mnist() -> None:
    images, labels = read_mnist(MNIST)
    assert images.shape == (10_000, 28, 28)
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert images.mean() == pytest.approx(33.791, abs=1e-3)
