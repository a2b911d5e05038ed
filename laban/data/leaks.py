"""Test clips that are, by their motion, clips of the training split: also mirrored, shifted, cut, or in another tempo.

Names and files of origin do not tell: a take may be published twice, cut differently, or slowed down. Poses are
compared, and where and how one faces does not count: joints relative to the root, in the frame of the heading.

1. Of every held-out clip a few poses are looked for among all training frames (one matrix product a chunk). Training
   clips that hold most of them, near enough, are candidates.
2. Of each candidate the straight time map (tempo and shift) is sought that lays the two over one another with the
   least mean distance; where most of the shorter one is covered and the distance is small beside what the clip itself
   does, it is the same motion.

So the time grows with the product of the frames, but by a small factor: 5,000 clips take minutes of one thread. Source:
Kovar and Gleicher, "Automated extraction and parameterization of motions in large data sets", SIGGRAPH 2004, section 3,
whose match webs are such time maps. Deviation: here they are straight, since a copy is slowed down as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from laban.data.corpus import Corpus, Record
from laban.io.atomic import replacing
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22, KIT21
from laban.work import Progress, ignore

SAME = 0.03  # metres, root mean square over joints: nearer on the mean is the same motion
SHARE = 0.4  # and nearer than this share of what the clip itself does (its own spread of poses)
STILL = 0.03  # metres: a clip whose poses spread less is not compared; whoever stands still is like any who do
NEAR = 0.05  # metres: a pose as near as this is found
KEYS, FOUND = 6, 4  # poses of a clip that are looked for, and how many must be found in a training clip
COVERED = 0.6  # of the shorter clip
CANDIDATES = 8  # training clips that a clip is laid over, the likeliest
TEMPI = np.arange(0.7, 1.45, 0.025)  # training frames per frame of the held-out clip
_CHUNK = 2_000  # training frames that are compared at once, so that memory stays small


@dataclass(frozen=True)
class Leak:
    """A held-out clip that is a training clip.

    Attributes:
        clip: the held-out record. twin: the training record.
        distance: metres, root mean square over joints, mean over the covered frames.
        mirrored: whether left and right are exchanged.
        tempo: training frames per frame of the held-out clip.
        shift: seconds into the training clip at which the held-out one begins; below 0 if it begins before.
    """

    clip: Record
    twin: Record
    distance: float
    mirrored: bool
    tempo: float
    shift: float


def leaks(corpus: Corpus, progress: Progress = ignore, check: Callable[[], None] = lambda: None) -> list[Leak]:
    """Pairs of a validation or test clip and the training clip that it is, one for each such clip.

    Args:
        corpus: prepared clips; their mirror images are left aside, since both are looked for.
        progress: told of held-out clips that are done.
        check: called between them; may raise to end the work.
    """
    skeleton = HUMANML22 if corpus.layout.joints == 22 else KIT21
    train = corpus.select("train", mirrored=False)
    held = [r for split in ("val", "test") for r in corpus.select(split, mirrored=False)]
    if not train or not held:
        return []
    sides = []
    for record in held:
        local = poses(np.asarray(corpus.joints(record), np.float64), skeleton)
        sides += [local, mirrored(local, skeleton)]
    keys = np.concatenate([side[_keys(len(side))] for side in sides]).astype(np.float32)
    nearest = _nearest(corpus, train, keys, skeleton, check)  # (held, 2, KEYS, train)
    nearest = nearest.reshape(len(held), 2, KEYS, len(train))
    found = []
    for number, record in enumerate(held):
        check()
        progress(number, len(held), "held-out clips")
        pair = sides[2 * number : 2 * number + 2]
        if _spread(pair[0]) < STILL:
            continue
        best = _best(corpus, record, train, pair, nearest[number], skeleton)
        found += [best] if best else []
    progress(len(held), len(held), "held-out clips")
    return found


def _best(
    corpus: Corpus,
    record: Record,
    train: list[Record],
    sides: list[np.ndarray],
    nearest: np.ndarray,
    skeleton: Skeleton,
) -> Leak | None:
    """The training clip that a held-out one is, or None."""
    ordered = np.sort(nearest, axis=1)[:, FOUND - 1]  # (2, train): how near the worst of the poses found is
    places = np.argwhere(ordered < NEAR)
    places = places[np.argsort(ordered[tuple(places.T)])][:CANDIDATES]
    best: Leak | None = None
    for side, other in places.tolist():
        twin = poses(np.asarray(corpus.joints(train[other]), np.float64), skeleton)
        distance, tempo, shift = laid_over(sides[side], twin)
        limit = min(SAME, SHARE * _spread(sides[side]))
        if distance < limit and (best is None or distance < best.distance):
            best = Leak(record, train[other], distance, bool(side), tempo, shift / corpus.fps)
    return best


def poses(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """(T, 3 J) metres: joints (T, J, 3) relative to the root, turned so that the hips face +Z."""
    left, right = _pair(skeleton)
    local = joints - joints[:, :1]
    across = joints[:, left] - joints[:, right]
    angle = np.arctan2(-across[:, 2], across[:, 0])[:, None]
    x, z = local[..., 0].copy(), local[..., 2].copy()
    local[..., 0] = x * np.cos(angle) - z * np.sin(angle)
    local[..., 2] = x * np.sin(angle) + z * np.cos(angle)
    return local.reshape(len(joints), -1)


def mirrored(local: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The same poses with left and right exchanged."""
    swap = list(range(len(skeleton)))
    for number, name in enumerate(skeleton.names):
        for one, two in (("left", "right"), ("right", "left"), ("L", "R"), ("R", "L")):
            if name.startswith(one) and two + name.removeprefix(one) in skeleton.names:
                swap[number] = skeleton.index(two + name.removeprefix(one))
                break
    return (local.reshape(len(local), -1, 3)[:, swap] * [-1.0, 1.0, 1.0]).reshape(len(local), -1)


def laid_over(one: np.ndarray, two: np.ndarray) -> tuple[float, float, float]:
    """The straight time map under which poses `one` (N, D) lie nearest on `two` (M, D).

    Returns: metres (mean over covered frames), frames of `two` per frame of `one`, and the frame of `two` at which
    `one` begins.
    """
    square = (one**2).sum(1)[:, None] + (two**2).sum(1) - 2 * one @ two.T
    apart = np.sqrt(np.maximum(square, 0.0) / (one.shape[1] / 3))
    best = (np.inf, 1.0, 0.0)
    for tempo in TEMPI:
        span = tempo * (len(one) - 1)
        least = COVERED * min(span, len(two) - 1)
        best = min(best, _at(apart, float(tempo), np.arange(np.ceil(least - span), len(two) - least)))
    for tempo in best[1] + np.arange(-4, 5) * 0.005:
        best = min(best, _at(apart, float(tempo), best[2] + np.arange(-4, 4.5, 0.5)))
    return best


def _at(apart: np.ndarray, tempo: float, shifts: np.ndarray) -> tuple[float, float, float]:
    """The best of several shifts at one tempo."""
    rows = np.arange(len(apart))
    columns = np.rint(tempo * rows[:, None] + shifts).astype(int)  # (N, shifts)
    inside = (columns >= 0) & (columns < apart.shape[1])
    values = np.where(inside, apart[rows[:, None], np.clip(columns, 0, apart.shape[1] - 1)], 0.0)
    count = inside.sum(0)
    shorter = min(len(apart), apart.shape[1] / tempo)
    means = np.where(count >= 0.95 * COVERED * shorter, values.sum(0) / np.maximum(count, 1), np.inf)
    at = int(means.argmin())
    return float(means[at]), tempo, float(shifts[at])


def _keys(frames: int) -> np.ndarray:
    """Frames of the poses of a clip that are looked for, evenly apart."""
    return np.rint((np.arange(KEYS) + 0.5) / KEYS * (frames - 1)).astype(int)


def _spread(local: np.ndarray) -> float:
    """Metres: root mean square over joints and frames of the distance to the mean pose."""
    return float(np.sqrt(((local - local.mean(0)) ** 2).sum(1).mean() / (local.shape[1] / 3)))


def _nearest(
    corpus: Corpus, train: list[Record], keys: np.ndarray, skeleton: Skeleton, check: Callable[[], None]
) -> np.ndarray:
    """(K, train) metres from each key to the nearest of every second frame of each training clip."""
    result = np.empty((len(keys), len(train)), np.float32)
    lengths = (keys**2).sum(1)[:, None]
    for first, chunk in _chunks(corpus, train, skeleton):
        check()
        joined = np.concatenate(chunk)
        square = lengths + (joined**2).sum(1) - 2 * keys @ joined.T
        starts = np.concatenate([[0], np.cumsum([len(c) for c in chunk])[:-1]])
        least = np.minimum.reduceat(square, starts, axis=1)
        result[:, first : first + len(chunk)] = np.sqrt(np.maximum(least, 0.0) / len(skeleton))
    return result


def _chunks(corpus: Corpus, train: list[Record], skeleton: Skeleton) -> Iterator[tuple[int, list[np.ndarray]]]:
    """Poses of training clips, every second frame, with the number of the first clip; as many as fit in one product."""
    chunk: list[np.ndarray] = []
    first = 0
    for number, record in enumerate(train):
        chunk.append(poses(np.asarray(corpus.joints(record)[::2], np.float64), skeleton).astype(np.float32))
        if sum(map(len, chunk)) > _CHUNK or number == len(train) - 1:
            yield first, chunk
            first, chunk = number + 1, []


def move_to_train(folder: Path, found: list[Leak]) -> int:
    """Put leaked clips, and all that come from the same files, into the training split of the prepared corpora.

    The index is written anew; arrays and statistics stay, since held-out clips that were trained on by another name
    change neither.

    Args:
        folder: of one prepared corpus, or of several.
        found: from `leaks`.
    Returns: records whose split was changed.
    """
    sources = {(leak.clip.corpus, leak.clip.source) for leak in found}
    changed = 0
    for index in [p for p in (folder / "index.json", *sorted(folder.glob("*/index.json"))) if p.is_file()]:
        about = json.loads(index.read_text("utf-8"))
        moved = [r for r in about["records"] if r["split"] != "train" and (about["corpus"], r["source"]) in sources]
        for record in moved:
            record["split"] = "train"
        if moved:
            with replacing(index) as path:
                path.write_text(json.dumps(about, indent=1), "utf-8")
        changed += len(moved)
    return changed


def _pair(skeleton: Skeleton) -> tuple[int, int]:
    names = ("left_hip", "right_hip") if "left_hip" in skeleton.names else ("LH", "RH")
    return skeleton.index(names[0]), skeleton.index(names[1])
