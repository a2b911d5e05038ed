"""BABEL-60: the recognition protocol of MotionCLIP on BABEL's labels, with its time alignment mended.

Source: Tevet et al. 2022, section 4, and its released code as specs/motionclip.md describes it. Deviation: the released
parser brings labels to 30 fps but leaves the categories at the recording's own rate, so at 60 or 120 fps they belong to
another moment; here categories are looked up by time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from laban.data.corpora.babel import Action, Recording
from laban.errors import InputError, ShapeError

FPS = 30.0
WINDOW = 60  # frames

# The 60 most frequent categories, in the order of BABEL's released list.
CLASSES = (
    "walk", "stand", "hand movements", "turn", "interact with/use object", "arm movements", "t pose", "step",
    "backwards movement", "raising body part", "look", "touch object", "leg movements", "forward movement",
    "circular movement", "stretch", "jump", "touching body part", "sit", "place something", "take/pick something up",
    "run", "bend", "throw", "foot movements", "a pose", "stand up", "lowering body part", "sideways movement",
    "move up/down incline", "action with ball", "kick", "gesture", "head movements", "jog", "grasp object",
    "waist movements", "lift something", "knee movement", "wave", "move something", "swing body part", "catch",
    "dance", "lean", "greet", "poses", "touching face", "sports move", "exercise/training", "clean something", "punch",
    "squat", "scratch", "hop", "play sport", "stumble", "crossing limbs", "perform", "martial art",
)  # fmt: skip


def caption(sequence: Recording, start: float, end: float) -> str:
    """The different raw labels of a stretch of time, in order of time, joined with "and"; as in training."""
    return " and ".join(dict.fromkeys(a.raw for a in _inside(sequence, start, end) if a.raw))


def categories(
    sequence: Recording, first_frame: int, frames: int = WINDOW, fps: float = FPS, valid: Sequence[str] = CLASSES
) -> set[str]:
    """The valid categories that any frame of a window has.

    Args:
        first_frame: of the window at `fps`, the rate of the motion that is recognised, whatever the recording's was.
    """
    start, end = first_frame / fps, (first_frame + frames) / fps
    return {c for s in _inside(sequence, start, end) for c in s.categories} & set(valid)


def _inside(sequence: Recording, start: float, end: float) -> list[Action]:
    return [s for s in sequence.actions if s.start < end - 1e-9 and s.end > start + 1e-9]


def window(sequence: Recording, seed: int, frames: int = WINDOW, fps: float = FPS) -> int | None:
    """The first frame of the sequence's window, drawn by `seed` and its id; None if it is too short.

    Released: one random window per sequence, without a seed.
    """
    spare = math.floor(sequence.seconds * fps + 1e-6) - frames
    if spare < 0:
        return None
    rng = np.random.default_rng([seed, *sequence.id.encode()])
    return int(rng.integers(spare + 1))


def score(similarity: np.ndarray, truths: Sequence[set[str]], names: Sequence[str] = CLASSES) -> dict[str, float]:
    """Top-1 and top-5 of BABEL-60: a hit is any valid category of the window among the first k.

    Args:
        similarity: (N, C) of windows to the classes' texts. truths: N sets; windows without one are dropped.
    Returns: {"top1", "top5": shares of the windows kept; "windows", "dropped": counts}.
    Raises: ShapeError, InputError if no window has a label.
    """
    similarity = np.asarray(similarity, np.float64)
    if similarity.shape != (len(truths), len(names)):
        raise ShapeError(f"babel_classes.score: similarity {similarity.shape}, expected ({len(truths)}, {len(names)}).")
    if not np.isfinite(similarity).all():
        raise InputError("babel_classes.score: similarity holds NaN or infinity.")
    order = np.argsort(-similarity, axis=1, kind="stable")
    hits = [[names[j] in truth for j in row[:5]] for row, truth in zip(order, truths, strict=True) if truth]
    if not hits:
        raise InputError("babel_classes.score: no window has a valid category; nothing can be scored.")
    table = np.array(hits)
    return {
        "top1": float(table[:, 0].mean()), "top5": float(table.any(1).mean()),
        "windows": len(hits), "dropped": len(truths) - len(hits),
    }  # fmt: skip
