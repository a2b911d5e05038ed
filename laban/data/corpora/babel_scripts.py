"""Long motion out of BABEL's labels: TEACH's pairs, FlowMDM's compositions, the directional subset.

Source: Athanasiou et al., "TEACH", 3DV 2022; Barquero et al., FlowMDM, CVPR 2024.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from laban.data.corpora.babel import Action, Recording
from laban.errors import InputError

_SIDE = re.compile(r"\b(left|right)\b", re.IGNORECASE)


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


def pairs(recording: Recording, fps: float = 30.0, shortest: int = 15, longest: int = 750) -> Iterator[Pair]:
    """TEACH's pairs: consecutive actions, with the transition between them or none.

    Rules: of a1, transition, a2 the pair is (a1, a2), the transition's frames go to a1; two actions that overlap meet
    in the middle of the overlap; two with a gap and no transition label are no pair; both parts must last `shortest`
    to `longest` frames.

    Args:
        recording: a sequence with its labelled stretches.
        fps: of the features.
        shortest: frames.
        longest: frames.
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
    actions: Sequence[Action],
    count: int = 32,
    length: int = 32,
    seed: int = 0,
    fps: float = 30.0,
    low: int = 30,
    high: int = 200,
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
