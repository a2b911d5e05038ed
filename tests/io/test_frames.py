"""Small videos as files: what is written is read again; bad files are said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import laban
from laban.errors import FormatError, InputError, ShapeError
from laban.io import frames
from laban.io.frames import Video

RNG = np.random.default_rng(0)
PIXELS = (RNG.integers(0, 2, (5, 16, 16, 1)) * 255).astype(np.uint8)


@pytest.mark.parametrize("name", ["v.png", "v.gif", "v.mp4", "folder"])
def test_written_frames_are_read_again(tmp_path: Path, name: str) -> None:
    blocks = PIXELS[:, ::4, ::4].repeat(4, 1).repeat(4, 2)  # large squares: a film loses fine detail
    made = Video(blocks, 5.0, "squares", {"seed": 1})
    path = tmp_path / name
    if path.suffix:
        laban.write(made, path)
        note = json.loads((tmp_path / f"{name}.passport.json").read_text())
        assert note["passport"] == {"seed": 1} and note["text"] == "squares"
    else:
        path.mkdir()
        for n, frame in enumerate(blocks):
            Image.fromarray(frame[..., 0]).save(path / f"{n:03d}.png")
    got = frames.read(path, 1, 16, 10)
    assert got.shape == blocks.shape
    assert np.abs(got.astype(int) - blocks).max() <= (0 if name in ("v.png", "folder") else 40)
    assert np.array_equal(frames.read(path, 1, 16, 2), got[:2])
    assert frames.read(path, 3, 16, 2).shape == (2, 16, 16, 3)


def test_strips_have_lines_between_and_pictures_are_cut_square() -> None:
    strip = frames.strip(Video(PIXELS, 5.0), scale=2)
    assert strip.shape == (32, 5 * 32 + 4 * 2, 3) and (strip[:, 32:34] == 96).all()
    wide = Image.fromarray(np.concatenate([np.zeros((8, 4), np.uint8), np.full((8, 8), 200, np.uint8)] * 1, axis=1))
    assert frames.square(wide, 1, 4).shape == (4, 4, 1)


def test_cut_takes_frames_evenly(tmp_path: Path) -> None:
    from laban.io import video

    pixels = np.stack([np.full((32, 32, 3), 10 * k, np.uint8) for k in range(20)])
    video.encode(pixels, tmp_path / "a.mp4", 10.0)
    got = frames.cut(tmp_path / "a.mp4", 5, 16, 1).mean((1, 2, 3))
    assert np.allclose(np.diff(got), 40, atol=6)
    assert np.allclose(frames.cut(tmp_path / "a.mp4", 20, 16, 1).mean((1, 2, 3)), np.arange(20) * 10, atol=6)  # all
    with pytest.raises(FormatError, match="gave 20 frames"):
        frames.cut(tmp_path / "a.mp4", 21, 16, 1)
    for start, end in ((0.0, 0.2), (9.0, None), (1.0, 0.5)):
        with pytest.raises(FormatError, match=r"frames|part"):
            frames.cut(tmp_path / "a.mp4", 5, 16, 1, start, end)


def test_bad_files_and_arrays(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"no film at all")
    (tmp_path / "x.png").write_bytes(b"no picture")
    (tmp_path / "x.gif").write_bytes(b"GIF89a")
    (tmp_path / "empty").mkdir()
    for name, kind in (("x.mp4", FormatError), ("x.png", FormatError), ("x.gif", FormatError), ("empty", InputError),
                       ("absent.mp4", InputError)):  # fmt: skip
        with pytest.raises(kind) as caught:
            frames.read(tmp_path / name, 1, 16, 3)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"\.gif \.mp4 \.png"):
        laban.write(Video(PIXELS, 5.0), tmp_path / "x.bvh")
    with pytest.raises(ShapeError, match="expected uint8"):
        Video(PIXELS.astype(float), 5.0)
    with pytest.raises(InputError, match="fps is 0"):
        Video(PIXELS, 0.0)
