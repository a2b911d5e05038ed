"""Standing, starting, stopping and turning on the spot, cut out of takes that show them without saying so.

Every gesture take begins and ends in a stance, and many walks begin or end in one; their captions speak of the gesture
or the walk alone. Joints are (T, 22, 3) metres at 20 fps, Y up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from laban.motion.humanml import HUMANML

FPS = HUMANML.fps
STILL = 0.14  # m/s, mean speed of the joints below which a person stands
CALM = 0.10  # m/s, of the root along the floor
WALKS = 0.45  # m/s
LEAST = 28  # frames of a stance: 1.4 s
MAX_PIECES = 100


@dataclass(frozen=True)
class Piece:
    """Frames [start, end) of a take: `action` is stand, stop, start, turn-left or turn-right."""

    action: str
    start: int
    end: int


PHRASES: dict[str, tuple[str, ...]] = {
    "stand": ("stands still", "stands and waits", "is standing", "waits", "stands in place"),
    "stop": ("walks and stops", "walks, then stops", "comes to a stop"),
    "start": ("stands, then starts to walk", "starts to walk", "begins to walk"),
    "turn-left": ("turns left on the spot", "turns to the left on the spot"),
    "turn-right": ("turns right on the spot", "turns to the right on the spot"),
}


def captions(action: str, manner: str = "") -> tuple[str, ...]:
    """Sentences for a piece, the plainest first; `manner` is a style phrase such as "like an old person"."""
    return tuple(f"a person {phrase}, {manner}" if manner else f"a person {phrase}" for phrase in PHRASES[action])


def pieces(joints: np.ndarray) -> list[Piece]:
    """What of a take shows standing, stopping, starting or turning on the spot. Pieces of one kind do not overlap."""
    root = _smoothed(np.linalg.norm(np.gradient(joints[:, 0][:, [0, 2]], axis=0), axis=-1) * FPS)
    every = _smoothed(np.linalg.norm(np.gradient(joints, axis=0), axis=-1).mean(-1) * FPS)
    height = joints[:, 0, 1]
    wrists = joints[:, 20:22, 1].max(1)
    upright = (height > 0.78) & (wrists < joints[:, 9, 1] - 0.08)  # hands below the chest
    stances = _spells((every < STILL) & (root < CALM) & upright, LEAST)
    found = [Piece("stand", a, min(b, a + MAX_PIECES)) for a, b in stances]
    rests = _spells((root < 1.4 * CALM) & (every < 2 * STILL) & upright, 14)
    for a, b in rests:
        before, after = root[max(0, a - 24) : a], root[b : b + 24]
        if len(before) >= 16 and before.max() > 1.2 * WALKS and np.mean(before > WALKS) > 0.4:
            found.append(Piece("stop", max(0, a - 60), min(len(joints), a + 44, b)))
        if len(after) >= 16 and after.max() > 1.2 * WALKS and np.mean(after > WALKS) > 0.4:
            found.append(Piece("start", max(a, b - 36), min(len(joints), b + 60)))
    return [p for p in found if p.end - p.start >= LEAST] + _turns(joints, root)


def _turns(joints: np.ndarray, root: np.ndarray) -> list[Piece]:
    """Stretches of slow travel in which the body turns by 60 degrees or more."""
    across = joints[:, 2] - joints[:, 1] + joints[:, 17] - joints[:, 16]
    yaw = np.unwrap(np.arctan2(-across[:, 2], across[:, 0]))
    found = []
    for a, b in _spells(root < 0.35, 24):
        turn = yaw[b - 1] - yaw[a]
        place = np.ptp(joints[a:b, 0][:, [0, 2]], axis=0).max()
        hands = joints[a:b, 20:22, 1].max(1) < joints[a:b, 12, 1]
        if abs(turn) > np.radians(60) and place < 0.6 and b - a <= 160 and hands.mean() > 0.9:
            found.append(Piece("turn-left" if turn > 0 else "turn-right", a, b))
    return found


def _smoothed(values: np.ndarray) -> np.ndarray:
    padded = np.pad(values, 3, mode="edge")
    return np.convolve(padded, np.ones(7) / 7, mode="valid")


def _spells(mask: np.ndarray, least: int) -> list[tuple[int, int]]:
    """[start, end) of the runs of True that are `least` frames or longer."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= least]
