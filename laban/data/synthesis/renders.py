"""Our own motions as small captioned films: the mannequin of every clip, rendered, in shards.

So that text to video is not digits only: the same system learns "a person waves with both hands" from motion capture.
Of each clip the liveliest `seconds` are taken, of each caption at most `most` clips, and splits stay as they were.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from laban.data.corpus import Corpus, Record
from laban.data.shards import ShardWriter
from laban.drawing import film
from laban.errors import LabanError
from laban.io import frames
from laban.motion.motion import Motion


def prepare(
    src: Path, folder: Path, shape: tuple[int, int, int], quiet: bool = False, seconds: float = 2.0, most: int = 60
) -> tuple[int, float, dict[str, str]]:
    """Render the clips of prepared corpora in `src` into shards.

    Args: shape: (frames, pixels, channels). seconds: of motion in a film, less if the clip is shorter.
    Returns: films, seconds of motion in them, and skipped clip -> reason.
    Raises: InputError if `src` holds no prepared corpus.
    """
    corpus = Corpus.open(src)
    writer = ShardWriter(folder, "renders", "; ".join(corpus.licences), shape)
    skipped: dict[str, str] = {}
    used: Counter[tuple[str, str]] = Counter()
    total = 0.0
    records = [r for r in corpus.records if r.captions and r.length > shape[0]]
    order = np.random.default_rng(0).permutation(len(records))
    for n in tqdm(order, desc="renders", unit="clip", disable=quiet, file=sys.stderr):
        record = records[n]
        if used[record.split, record.captions[0]] >= most:
            continue
        try:
            pixels, span = film_of(corpus, record, shape, seconds)
        except LabanError as error:
            skipped[record.id] = str(error)
            continue
        used[record.split, record.captions[0]] += 1
        total += span
        writer.add(record.split, pixels, record.captions, source=record.id)
    writer.close(of=list(corpus.names), seconds=seconds)
    return sum(writer.counts.values()), total, skipped


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
    pictures = film.render(motion, side, side, 5.0, caption=False)
    pixels = np.stack([frames.square(Image.fromarray(p), channels, size) for p in pictures][:count])
    return pixels, length / corpus.fps
