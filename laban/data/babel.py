"""BABEL's labels and the BABEL-60 recognition protocol of MotionCLIP, with its time alignment mended.

A label file (train.json, val.json) maps a sequence's id to {"feat_p": path in AMASS, "dur": seconds, "seq_ann":
{"labels": [...]}, "frame_ann": {"labels": [...]} or null}; a label has "raw_label", "proc_label", "act_cat" (a list)
and, in frame_ann, "start_t" and "end_t" in seconds.
Source: Punnakkal et al. 2021; the protocol: Tevet et al. 2022, section 4, and its released code as
specs/motionclip.md describes it. Deviation: the released parser brings labels to 30 fps but leaves the categories at
the recording's own rate, so at 60 or 120 fps they belong to another moment; here categories are looked up by time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from laban.errors import FormatError, InputError, ShapeError

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


@dataclass(frozen=True)
class Stretch:
    """A stretch of a sequence, in seconds, with its words and categories."""

    start: float
    end: float
    raw: str
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Recording:
    """One labelled recording. `stretches` cover all of it where only the whole was labelled."""

    id: str
    path: str
    seconds: float
    stretches: tuple[Stretch, ...]


def read(path: str | Path) -> list[Recording]:
    """The sequences of a label file, in its order. Stretches with no length are left out.

    Raises: InputError if the file is absent; FormatError if it is not BABEL's.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected BABEL's train.json or val.json.")
    try:
        held = dict(json.loads(path.read_text(encoding="utf-8")))
        if not held:
            raise ValueError("no recording in it")
        return [_sequence(key, held[key]) for key in held]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        said = " ".join(str(error).split())[:120]
        raise FormatError(f"{path}: not BABEL's labels ({type(error).__name__}: {said}).") from None


def _sequence(key: str, entry: dict[str, Any]) -> Recording:
    seconds = float(entry["dur"])
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError(f"{key}: dur is {seconds}")
    timed = (entry.get("frame_ann") or {}).get("labels")
    labels = timed if timed else (entry.get("seq_ann") or {}).get("labels") or []
    stretches = []
    for label in labels:
        start = float(label["start_t"]) if timed else 0.0
        end = min(seconds, float(label["end_t"])) if timed else seconds
        if not (math.isfinite(start) and math.isfinite(end)):
            raise ValueError(f"{key}: a label's time is not finite")
        if end > start:
            stretches.append(
                Stretch(max(0.0, start), end, str(label.get("raw_label") or ""), tuple(label.get("act_cat") or ()))
            )
    return Recording(str(key), str(entry["feat_p"]), seconds, tuple(stretches))


def caption(sequence: Recording, start: float, end: float) -> str:
    """The different raw labels of a stretch of time, in order of time, joined with "and"; as in training."""
    ordered = sorted(_inside(sequence, start, end), key=lambda s: s.start)
    return " and ".join(dict.fromkeys(s.raw for s in ordered if s.raw))


def categories(
    sequence: Recording, first_frame: int, frames: int = WINDOW, fps: float = FPS, valid: Sequence[str] = CLASSES
) -> set[str]:
    """The valid categories that any frame of a window has.

    Args:
        first_frame: of the window at `fps`, the rate of the motion that is recognised, whatever the recording's was.
    """
    start, end = first_frame / fps, (first_frame + frames) / fps
    return {c for s in _inside(sequence, start, end) for c in s.categories} & set(valid)


def _inside(sequence: Recording, start: float, end: float) -> list[Stretch]:
    return [s for s in sequence.stretches if s.start < end - 1e-9 and s.end > start + 1e-9]


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
        raise ShapeError(f"babel.score: similarity {similarity.shape}, expected ({len(truths)}, {len(names)}).")
    if not np.isfinite(similarity).all():
        raise InputError("babel.score: similarity holds NaN or infinity.")
    order = np.argsort(-similarity, axis=1, kind="stable")
    hits = [[names[j] in truth for j in row[:5]] for row, truth in zip(order, truths, strict=True) if truth]
    if not hits:
        raise InputError("babel.score: no window has a valid category; nothing can be scored.")
    table = np.array(hits)
    return {
        "top1": float(table[:, 0].mean()), "top5": float(table.any(1).mean()),
        "windows": len(hits), "dropped": len(truths) - len(hits),
    }  # fmt: skip
