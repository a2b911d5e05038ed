"""BABEL: labels of AMASS recordings, as its json files have them, and features that the user has made of AMASS.

A label file (train.json, val.json) maps a sequence's id to {"feat_p": path in AMASS, "dur": seconds, "seq_ann":
{"labels": [...]}, "frame_ann": {"labels": [...]} or null}; a label has "raw_label", "proc_label", "act_cat" (a list)
and, in frame_ann, "start_t" and "end_t" in seconds. What is done with them: babel_scripts.py
(pairs, compositions).

AMASS itself is not read here: features (T, 135) at 30 fps or (T, 263) at 20 fps are expected as
`<folder>/<feat_p with / replaced by __>.npy`, made by the user, since both corpora forbid passing them on.
Source: Punnakkal et al., "BABEL", CVPR 2021.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from laban.errors import FormatError, InputError

TRANSITION = "transition"
FPS = {135: 30.0, 263: 20.0}
"""Frames per second by the width of the features."""


@dataclass(frozen=True)
class Action:
    """A stretch of a recording, in seconds.

    `text` is proc_label (spelling mended; raw_label where there is none), `raw` is raw_label, `categories` are act_cat.
    """

    text: str
    start: float
    end: float
    categories: tuple[str, ...] = ()
    raw: str = ""

    @property
    def is_transition(self) -> bool:
        """Whether the label says that one action becomes another."""
        return self.text == TRANSITION or TRANSITION in self.categories


@dataclass(frozen=True)
class Recording:
    """One AMASS sequence with its labels in order of time; `frame_level` is False where they are of the whole of it."""

    id: str
    path: str
    seconds: float
    actions: tuple[Action, ...]
    frame_level: bool


def read(path: str | Path) -> list[Recording]:
    """A label file, sorted by id. Labels of no length are left out, and what is beyond a recording's end is cut off.

    Raises: FormatError, naming the sequence and the field, for what is not as BABEL's files are (its test.json, whose
        labels are not released, among them); InputError if the file cannot be read.
    """
    path = Path(path)
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give BABEL's train.json or val.json.") from None
    except (ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:120]
        raise FormatError(f"{path}: not BABEL's labels: it is not JSON ({said}).") from None
    if not isinstance(table, dict) or not table:
        raise FormatError(f"{path}: not BABEL's labels: expected a table of sequences by id.")
    return [_recording(path, key, table[key]) for key in sorted(table, key=lambda k: (len(k), k))]


def _recording(path: Path, key: str, row: Any) -> Recording:
    where = f"{path}: not BABEL's labels: sequence {key}"
    if not isinstance(row, dict):
        raise FormatError(f"{where}: expected a table with feat_p, dur, seq_ann and frame_ann.")
    feature, seconds = row.get("feat_p"), row.get("dur")
    if not isinstance(feature, str) or not _number(seconds) or not 0 < seconds < 1e5:
        raise FormatError(f"{where}: feat_p is {feature!r} and dur {seconds!r}; expected a path and seconds.")
    frames, whole = (_labels(row.get(name)) for name in ("frame_ann", "seq_ann"))
    labels = frames or whole
    if labels is None:
        raise FormatError(f"{where}: has neither frame_ann nor seq_ann with labels.")
    actions = []
    for number, label in enumerate(labels):
        if not isinstance(label, dict):
            raise FormatError(f"{where}, label {number}: expected a table.")
        raw = label.get("raw_label")
        text = label.get("proc_label") or raw
        start, end = (label.get(name) for name in ("start_t", "end_t"))
        start, end = 0.0 if start is None else start, seconds if end is None else end
        timed = _number(start) and _number(end) and 0 <= start <= end < 1e6
        if not isinstance(text, str) or not text.strip() or not timed:
            said = f"{text!r} from {start!r} to {end!r} s"
            raise FormatError(f"{where}, label {number}: {said}; expected text and times.")
        kinds = label.get("act_cat") or []
        if not isinstance(kinds, list):
            raise FormatError(f"{where}, label {number}: act_cat is {kinds!r}; expected a list.")
        end = min(float(end), float(seconds))
        if start < end:
            actions.append(
                Action(text.strip(), float(start), end, tuple(map(str, kinds)), raw if isinstance(raw, str) else "")
            )
    actions.sort(key=lambda a: (a.start, a.end))
    return Recording(key, feature, float(seconds), tuple(actions), bool(frames))


def _number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _labels(annotation: Any) -> list[Any] | None:
    labels = annotation.get("labels") if isinstance(annotation, dict) else None
    return labels if isinstance(labels, list) else None


def features(folder: str | Path, recording: Recording) -> np.ndarray:
    """(T, 135) or (T, 263) features of a recording.

    Raises: InputError if there is no file; FormatError for another shape, NaN, or a length that is not the recording's.
    """
    path = Path(folder) / (recording.path.removesuffix(".npz").replace("/", "__") + ".npy")
    if not path.is_file():
        raise InputError(f"{path}: missing; make features of AMASS's {recording.path} (docs/kmm.md says how).")
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise FormatError(f"{path}: cannot be read ({error}).") from None
    if not isinstance(array, np.ndarray):
        raise FormatError(f"{path}: holds several arrays, expected one, as numpy.save writes it.")
    fits = array.ndim == 2 and array.shape[1] in FPS and array.dtype.kind in "fiu"
    if not fits or not np.isfinite(array).all():
        raise FormatError(f"{path}: shape {array.shape}, expected (T, 135) at 30 fps or (T, 263) at 20 fps, finite.")
    expected = recording.seconds * FPS[array.shape[1]]
    if abs(len(array) - expected) > 0.05 * expected + 2:
        raise FormatError(f"{path}: {len(array)} frames, expected about {expected:.0f} for {recording.seconds:g} s.")
    return array.astype(np.float32)
