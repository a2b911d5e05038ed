"""Pictures are opened again with Pillow and looked at where the poses must be."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from test_film import wave

from laban.drawing import picture
from laban.drawing.scene import View
from laban.errors import InputError


def warm(pixels: np.ndarray) -> np.ndarray:
    """(H, W): where a picture is clearly orange, as the mannequin's left hand and foot are."""
    pixels = pixels.astype(int)
    return pixels[..., 0] - pixels[..., 2] > 60


def test_png_is_one_row_of_poses(tmp_path):
    path = tmp_path / "row.png"
    picture.write(wave(1.0), path, View(640, 220), poses_shown=5)
    with Image.open(path) as image:
        assert image.size == (640, 220) and image.format == "PNG"
        pixels = np.asarray(image.convert("RGB"))
    columns = np.flatnonzero(warm(pixels).any(axis=0))
    groups = 1 + (np.diff(columns) > 25).sum()  # the left hand and foot of one pose stand close together
    assert 5 <= groups <= 10
    assert columns[0] < 160 and columns[-1] > 480  # they fill the width


def test_row_and_path_differ_and_the_same_call_gives_the_same_picture():
    motion = wave(1.0, speed=2.0)
    row = picture.poses(motion, 320, 160, 4)
    path = picture.poses(motion, 320, 160, 4, layout="path")
    assert row.shape == path.shape == (160, 320, 3)
    assert (row != path).any()
    assert (row == picture.poses(motion, 320, 160, 4)).all()


def test_contact_sheet_has_a_titled_row_per_motion(tmp_path):
    path = tmp_path / "sheet.png"
    motions = [wave(0.5), wave(0.5, turn=np.pi), wave(0.05)]
    picture.contact_sheet(motions, ["one", "two", ""], path, width=400, row_height=120, poses_shown=4)
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"))
    bar = len(picture._bar("one", 400, 13))
    assert pixels.shape == (3 * 120 + 2 * bar, 400, 3)
    for top in (0, bar + 120):
        strip = pixels[top : top + bar].astype(int)
        assert strip[0, 0].tolist() == list(picture._PAPER)
        assert strip.min() < 120 and strip[:, 300:].min() > 240  # a short title at the left of its paper
    for top in (bar, 2 * bar + 120, 2 * bar + 240):
        assert warm(pixels[top : top + 120]).sum() > 20


def test_one_frame_gives_one_pose(tmp_path):
    picture.write(wave(0.05), tmp_path / "one.png", View(200, 160))
    with Image.open(tmp_path / "one.png") as shown:
        assert shown.size == (200, 160)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda t: picture.write(wave(0.1), t / "a.jpg"), "expected .png"),
        (lambda t: picture.write(wave(0.1), t / "a.png", layout="ring"), "'row' or 'path'"),
        (lambda t: picture.write(wave(0.1), t / "a.png", poses_shown=0), "1 to 64"),
        (lambda t: picture.write(wave(0.1), t / "absent" / "a.png", View(96, 96)), "does not exist"),
        (lambda t: picture.contact_sheet([wave(0.1)], [], t / "a.png"), "1 motions and 0 titles"),
        (lambda t: picture.contact_sheet([], [], t / "a.png"), "0 motions"),
    ],
)
def test_errors_say_what_to_do(tmp_path, call, says):
    with pytest.raises(InputError, match=says):
        call(tmp_path)
    assert not list(tmp_path.iterdir())
