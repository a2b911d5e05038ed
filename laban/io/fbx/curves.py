"""Rotations as Euler curves that do not jump, and follow the shortest turn between frames too.

FBX moves bones by three angles, each a curve of its own, and programs interpolate the angles, not the rotation. Two
things go wrong with angles taken frame by frame: a step from 170 to -170 degrees flings the limb around, and a
straight way from one triple of angles to the next is not the way that the rotation takes. So angles are made
continuous, and the curves are cubic with the slopes that the turn itself has at its ends; where that is not enough,
near the pole of the middle angle, keys are put between the frames.

Source: Shoemake 1994, "Euler angle conversion", Graphics Gems IV.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from laban.motion import rotation

MOST_PIECES = 64  # keys for one frame
STEP = np.radians(170.0)  # between two keys


def euler(turns: np.ndarray) -> np.ndarray:
    """(T, 3) radians x, y, z of rotations Rz·Ry·Rx, each triple the one nearest to the one before it.

    Args:
        turns: (T, 4) unit wxyz.
    """
    z, y, x = np.moveaxis(rotation.to_euler(turns, "ZYX"), -1, 0)
    pole = np.abs(np.abs(y) - np.pi / 2) < 1e-7
    if pole.any():  # z and x turn about one axis there: x stays as it was before, z takes the rest
        last = np.maximum.accumulate(np.where(pole, -1, np.arange(len(x))))
        x = np.where(last >= 0, x[last], 0.0)
        z = np.where(pole, z + np.sign(y) * x, z)
    ways = np.stack([np.stack([x, y, z], -1), np.stack([x + np.pi, np.pi - y, z + np.pi], -1)])
    stay, change = (_wrapped(way[1:] - ways[0, :-1]) for way in ways)
    flips = (change**2).sum(-1) < (stay**2).sum(-1)  # the two ways of a triple mirror each other, so this is all
    way = np.concatenate([[0], np.cumsum(flips) % 2])
    return np.unwrap(ways[way, np.arange(len(x))], axis=0)


def _wrapped(angles: np.ndarray) -> np.ndarray:
    """Angles from -pi to pi."""
    return (angles + np.pi) % (2 * np.pi) - np.pi


@dataclass(frozen=True)
class Keys:
    """Keys of the three curves of one bone.

    Attributes:
        places: (K,) in frames, increasing; every frame is among them.
        angles: (K, 3) radians.
        right: (K - 1, 3) slopes behind each key but the last, radians per frame.
        left: (K - 1, 3) slopes before each key but the first.
    """

    places: np.ndarray
    angles: np.ndarray
    right: np.ndarray
    left: np.ndarray


def keys(turns: np.ndarray, tolerance: float) -> Keys:
    """Keys whose cubic curves follow a bone.

    Args:
        turns: (T, 4) unit wxyz, one per frame.
        tolerance: radians that the curves may be off the shortest turn between two frames.
    """
    turns = rotation.continuous(turns)
    if len(turns) < 2:
        return Keys(np.zeros(len(turns)), euler(turns), np.zeros((0, 3)), np.zeros((0, 3)))
    rates = rotation.to_axis_angle(rotation.multiply(rotation.conjugate(turns[:-1]), turns[1:]))
    pieces = np.ones(len(turns) - 1, int)
    while True:
        starts = np.cumsum(pieces) - pieces
        frame = np.repeat(np.arange(len(pieces)), pieces)
        inside = (np.arange(pieces.sum()) - starts[frame]) / pieces[frame]
        places = np.concatenate([frame + inside, [float(len(pieces))]])
        angles = euler(_at(turns, places))
        found = Keys(places, angles, _slopes(angles[:-1], rates[frame]), _slopes(angles[1:], rates[frame]))
        worst = np.maximum.reduceat(_deviation(turns, found), starts)
        more = (worst > tolerance) & (pieces < MOST_PIECES)
        if not more.any():
            return found
        pieces = np.where(more, np.minimum(2 * pieces, MOST_PIECES), pieces)


def _slopes(angles: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """(K, 3) radians per frame: how the angles change where a bone turns by `rates` (K, 3) about its own axes."""
    x, y = angles[:, 0], angles[:, 1]
    flat = np.cos(y)
    flat = np.where(np.abs(flat) < 1e-6, 1e-6, flat)
    dz = (rates[:, 1] * np.sin(x) + rates[:, 2] * np.cos(x)) / flat
    dy = rates[:, 1] * np.cos(x) - rates[:, 2] * np.sin(x)
    return np.stack([rates[:, 0] + dz * np.sin(y), dy, dz], axis=-1)


def _at(turns: np.ndarray, places: np.ndarray) -> np.ndarray:
    low = np.minimum(places.astype(int), len(turns) - 2)
    return rotation.slerp(turns[low], turns[low + 1], places - low)


def _deviation(turns: np.ndarray, keys: Keys) -> np.ndarray:
    """(K - 1,) radians between the curves and the turn, the largest of three moments; a long step counts as far."""
    length = np.diff(keys.places)[:, None]
    a, b = keys.angles[:-1], keys.angles[1:]
    worst = np.where(np.abs(b - a).max(-1) > STEP, np.inf, 0.0)
    for u in (0.25, 0.5, 0.75):
        hermite = (2 * u**3 - 3 * u**2 + 1) * a + (3 * u**2 - 2 * u**3) * b
        hermite = hermite + length * ((u**3 - 2 * u**2 + u) * keys.right + (u**3 - u**2) * keys.left)
        there = _at(turns, keys.places[:-1] + u * length[:, 0])
        apart = np.linalg.norm(rotation.multiply(rotation.conjugate(turn_of(hermite)), there)[:, 1:], axis=-1)
        worst = np.maximum(worst, 2 * np.arcsin(np.minimum(apart, 1.0)))
    return worst


def turn_of(angles: np.ndarray) -> np.ndarray:
    """(..., 4) unit wxyz of angles (..., 3) in radians: Rz·Ry·Rx."""
    return rotation.from_euler(angles[..., ::-1], "ZYX")
