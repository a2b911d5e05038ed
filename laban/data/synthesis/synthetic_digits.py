"""Drawn digits in MNIST's layout: enough to try every command and to test, without MNIST. They are not handwriting."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from laban.io.atomic import replacing


def images(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(count, 28, 28) uint8 and (count,) uint8 labels 0 to 9 in turn: Pillow's font, shifted, scaled, turned."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 10).astype(np.uint8)
    result = np.zeros((count, 28, 28), np.uint8)
    for n, label in enumerate(labels):
        big = Image.new("L", (56, 56))
        font = ImageFont.load_default(size=float(rng.uniform(40, 50)))
        shift = rng.uniform(-3, 3, 2)
        ImageDraw.Draw(big).text(
            (28 + shift[0], 28 + shift[1]),
            str(label),
            font=font,
            fill=255,
            anchor="mm",
            stroke_width=int(rng.integers(3)),
        )
        turned = big.rotate(float(rng.uniform(-12, 12)), resample=Image.Resampling.BILINEAR)
        result[n] = np.asarray(turned.resize((28, 28), Image.Resampling.BOX))
    return result, labels


def write(path: str | Path, count: int = 400, seed: int = 0) -> Path:
    """A .tar of gzipped idx files with MNIST's names. Returns: the path."""
    pixels, labels = images(count, seed)
    path = Path(path)
    with replacing(path) as beside, tarfile.open(beside, "w") as tar:
        for name, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
            data = gzip.compress(head + array.tobytes(), mtime=0)
            member = tarfile.TarInfo(f"mnist/t10k-{name}-ubyte.gz")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path
