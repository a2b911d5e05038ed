"""BABEL: labels of long recordings, as its json files have them, and the pairs that TEACH makes of them.

Source: Punnakkal et al., "BABEL", CVPR 2021; Athanasiou et al., "TEACH", 3DV 2022; specs/kmm.md, section 2. The labels
lie over AMASS, which this module does not read: features (T, 135) at 30 fps or (T, 263) at 20 fps are expected as
`<folder>/<feat_p with / replaced by __>.npy`, made by the user, since both corpora forbid passing them on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from laban.errors import FormatError, InputError

TRANSITION = "transition"
FPS = {135: 30.0, 263: 20.0}
"""Frames per second by the width of the features."""
_SIDE = re.compile(r"\b(left|right)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Action:
    """What `proc_label` says from `start` to `end`, seconds; `categories` are BABEL's act_cat."""

    text: str
    start: float
    end: float
    categories: tuple[str, ...] = ()

    @property
    def is_transition(self) -> bool:
        """Whether the label says that one action becomes another."""
        return self.text == TRANSITION or TRANSITION in self.categories


@dataclass(frozen=True)
class Recording:
    """One AMASS sequence with its labels; `frame_level` is False where one label covers the whole."""

    id: str
    path: str
    seconds: float
    actions: tuple[Action, ...]
    frame_level: bool


@dataclass(frozen=True)
class Pair:
    """Two actions that follow each other, in seconds of their recording; `middle` is where the second begins.

    start <= first_end <= middle <= end. Frames of a transition between first_end and middle belong to the first action
    (TEACH's length_1_with_transition) and have no text.
    """

    recording: Recording
    first: Action
    second: Action
    start: float
    first_end: float
    middle: float
    end: float


def read(path: str | Path) -> list[Recording]:
    """A BABEL json (train, val or extra), sorted by id.

    Raises: FormatError, naming the sequence and the field, for what is not as BABEL's files are; InputError if the
        file cannot be read.
    """
    path = Path(path)
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give BABEL's train.json or val.json.") from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: is not JSON ({error}).") from None
    if not isinstance(table, dict) or not table:
        raise FormatError(f"{path}: expected a table of sequences by id, as BABEL's files are.")
    return [_recording(path, key, table[key]) for key in sorted(table, key=lambda k: (len(k), k))]


def _recording(path: Path, key: str, row: Any) -> Recording:
    where = f"{path}, sequence {key}"
    if not isinstance(row, dict):
        raise FormatError(f"{where}: expected a table with feat_p, dur, seq_ann and frame_ann.")
    feature, seconds = row.get("feat_p"), row.get("dur")
    if not isinstance(feature, str) or not isinstance(seconds, int | float) or not 0 < seconds < 1e5:
        raise FormatError(f"{where}: feat_p is {feature!r} and dur {seconds!r}; expected a path and seconds.")
    frames = row.get("frame_ann")
    chosen = frames if frames is not None else row.get("seq_ann")
    labels = chosen.get("labels") if isinstance(chosen, dict) else None
    if not isinstance(labels, list):
        raise FormatError(f"{where}: has neither frame_ann nor seq_ann with labels.")
    actions = []
    for number, label in enumerate(labels):
        if not isinstance(label, dict):
            raise FormatError(f"{where}, label {number}: expected a table.")
        text = label.get("proc_label") or label.get("raw_label")
        start, end = label.get("start_t", 0.0), label.get("end_t", seconds)
        start, end = 0.0 if start is None else start, seconds if end is None else end
        good = isinstance(start, int | float) and isinstance(end, int | float) and 0 <= start < end
        if not isinstance(text, str) or not good:
            said = f"{text!r} from {start!r} to {end!r} s"
            raise FormatError(f"{where}, label {number}: {said}; expected text and times.")
        kinds = label.get("act_cat") or []
        actions.append(Action(text.strip(), float(start), min(float(end), float(seconds)), tuple(map(str, kinds))))
    kept = sorted((a for a in actions if a.start < a.end), key=lambda a: (a.start, a.end))
    return Recording(key, feature, float(seconds), tuple(kept), frames is not None)


def pairs(recording: Recording, fps: float = 30.0, shortest: int = 15, longest: int = 750) -> Iterator[Pair]:
    """TEACH's pairs: consecutive actions, with the transition between them or none.

    Rules: of a1, transition, a2 the pair is (a1, a2), the transition's frames go to a1; two actions that overlap meet
    in the middle of the overlap; two with a gap and no transition label are no pair; both parts must last `shortest`
    to `longest` frames.

    Args: fps: of the features. shortest, longest: frames.
    """
    steps = [a for a in recording.actions if not a.is_transition]
    changes = [a for a in recording.actions if a.is_transition]
    for first, second in zip(steps[:-1], steps[1:], strict=True):
        if second.end <= first.end:  # one inside the other: they do not follow each other
            continue
        if second.start < first.end:
            cut = 0.5 * (second.start + first.end)
            first_end = middle = cut
        else:
            first_end, middle = first.end, second.start
            covered = [c for c in changes if c.start <= first_end + 1e-6 and c.end >= middle - 1e-6]
            if middle - first_end > 1.0 / fps and not covered:
                continue
        lengths = (middle - first.start) * fps, (second.end - middle) * fps
        if all(shortest <= round(n) <= longest for n in lengths):
            yield Pair(recording, first, second, first.start, first_end, middle, second.end)


def single_actions(recordings: Iterable[Recording], low: int = 30, high: int = 200, fps: float = 30.0) -> list[Action]:
    """The actions that last `low` to `high` frames, transitions left out: what compositions are made of."""
    return [
        a for r in recordings for a in r.actions
        if not a.is_transition and low <= round((a.end - a.start) * fps) <= high
    ]  # fmt: skip


def directional(actions: Iterable[Action]) -> list[Action]:
    """Those that name one side by the word, left or right but not both (BABEL-D, by words)."""
    return [a for a in actions if len({w.lower() for w in _SIDE.findall(a.text)}) == 1]


def compositions(
    actions: Sequence[Action], count: int = 32, length: int = 32, seed: int = 0, fps: float = 30.0,
    low: int = 30, high: int = 200,
) -> list[list[tuple[str, int]]]:
    """Fixed scripts of (text, frames): half of the lengths the action's own, half drawn from `low` to `high`.

    Source: FlowMDM's protocol (32 compositions of 32 pairs, half in and half out of the distribution); which pairs it
    fixed is not published in a form we could read: these are ours, from a seed.
    Raises: InputError if there is no action.
    """  # fmt: skip
    if not actions:
        raise InputError("babel: there is no action of 30 to 200 frames to compose; give BABEL's val.json.")
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        row = []
        for place, pick in enumerate(rng.integers(len(actions), size=length)):
            action = actions[pick]
            own = int(np.clip(round((action.end - action.start) * fps), low, high))
            row.append((action.text, own if place % 2 == 0 else int(rng.integers(low, high + 1))))
        made.append(row)
    return made


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
    if array.ndim != 2 or array.shape[1] not in FPS or not np.isfinite(array).all():
        raise FormatError(f"{path}: shape {array.shape}, expected (T, 135) at 30 fps or (T, 263) at 20 fps, finite.")
    expected = recording.seconds * FPS[array.shape[1]]
    if abs(len(array) - expected) > 0.05 * expected + 2:
        raise FormatError(f"{path}: {len(array)} frames, expected about {expected:.0f} for {recording.seconds:g} s.")
    return array.astype(np.float32)
