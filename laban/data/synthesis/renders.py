"""Our own motions as small captioned films: the mannequin of every clip, rendered, in shards.

So that text to video is not digits only: the same system learns "a person waves with both hands" from motion capture.
Of each clip the liveliest `seconds` are taken, of each caption at most `most` clips, and splits stay as they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from laban.data.corpora.source import Film, FilmSource
from laban.data.corpus import Corpus, Record
from laban.drawing import film
from laban.drawing.scene import View
from laban.errors import LabanError
from laban.io import frames
from laban.motion.motion import Motion

SECONDS = 2.0
"""Of motion in a film, less if the clip is shorter."""


class Renders(FilmSource):
    """The clips of prepared corpora, rendered.

    Raises: InputError if the folder holds no prepared corpus.
    """

    name = "renders"

    def __init__(self, src: Path) -> None:
        super().__init__(src)
        self.corpus = Corpus.open(src)
        self.licence = "; ".join(self.corpus.licences)

    def films(self, shape: tuple[int, int, int], most: int, skipped: dict[str, str]) -> Iterator[Film]:
        """The clips in random order, of each caption and split at most `most`."""
        used: Counter[tuple[str, str]] = Counter()
        records = [r for r in self.corpus.records if r.captions and r.length > shape[0]]
        for n in np.random.default_rng(0).permutation(len(records)):
            record = records[n]
            if used[record.split, record.captions[0]] >= most:
                continue
            try:
                pixels, span = film_of(self.corpus, record, shape, SECONDS)
            except LabanError as error:
                skipped[record.id] = str(error)
                continue
            used[record.split, record.captions[0]] += 1
            yield Film(pixels, record.split, record.captions, span, {"source": record.id})

    def facts(self, skipped: Mapping[str, str]) -> dict[str, Any]:
        """Which corpora the films show, and how much of a clip."""
        return {"of": list(self.corpus.names), "seconds": SECONDS}


def film_of(corpus: Corpus, record: Record, shape: tuple[int, int, int], seconds: float) -> tuple[np.ndarray, float]:
    """(T, S, S, C) uint8 of the liveliest part of a clip, and how many seconds it spans."""
    count, size, channels = shape
    joints = np.asarray(corpus.joints(record), np.float64)
    length = min(len(joints), max(count, round(seconds * corpus.fps)))
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean(-1)
    sums = np.convolve(speed, np.ones(length - 1), "valid")
    start = int(sums.argmax())
    moments = start + np.linspace(0, length - 1, count).round().astype(int)
    motion = Motion.from_joints(joints[moments], 5.0)
    side = max(64, 2 * size)  # drawn larger and averaged: thin arms stay visible
    pictures = film.render(motion, View(side, side, caption=False), 5.0)
    pixels = np.stack([frames.square(Image.fromarray(p), channels, size) for p in pictures][:count])
    return pixels, length / corpus.fps
