"""Foot targets: puts the character's soles where the performer's were, in metres at the performer's size.

A foot's direction is the performer's. While it stands, its place is taken from what it stands on: the toe while the
heel is up (a longer foot then turns about the same spot), the ankle while the toe is up; and its height is such that
its lowest point, of the character's own sole, is as far above the floor as the performer's lowest point, and never
below. In the air the leg points where the performer's does, with the correction eased from one stand to the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from laban.character.stance import Stance
from laban.motion import rotation, tpose
from laban.motion.easing import smoothstep
from laban.motion.landmarks import Performance
from laban.motion.legs import SIDES

_SOLE = 0.045  # of the leg: the performer's sole is this far below a standing toe joint
_HEEL = 0.25  # of the foot: how far the heel lies behind the ankle
_NEAR = (
    0.02,
    0.10,
)  # of the leg: toes bend fully below the first clearance of the toe joint, not at all above the second
STANDING = 0.025  # of the leg: a sole of the performer's nearer to the floor than this stands on it
_SLOW = 0.12  # legs per second: a standing foot slower than this stays where it is
_TURN = np.radians(30)  # hips that turn less than this between two stands move no foot
_AIR = 0.01  # of the leg: how far a sole in the air keeps from the floor, if the performer's does
_X = np.array([1.0, 0.0, 0.0])


@dataclass(frozen=True)
class Planted:
    """Goals of the legs, metres at the performer's size, floor at 0.

    Attributes:
        ankles: (T, 2, 3).
        toes: (T, 2, 4) turns of the toe joints.
        clearance: (T, 2) of the performer's lowest sole point above the floor, negative below it.
        floor: height of the performer's floor in the performer's own world, which becomes 0.
    """

    ankles: np.ndarray
    toes: np.ndarray
    clearance: np.ndarray
    floor: float


def clearance(done: Performance) -> tuple[np.ndarray, float]:
    """((T, 2) metres of the performer's lowest sole points above their floor, height of that floor)."""
    under = _SOLE * done.leg
    floor = float(done.low[1]) - under
    found = []
    for side in SIDES:
        ankle, toe, turn = done.of(f"{side}_ankle"), done.of(f"{side}_foot"), done.turn(f"{side}_ankle")
        length = float(np.median(np.linalg.norm(toe - ankle, axis=-1)))
        heel = np.array([0.0, floor - done.low[0], 0.0]) - _HEEL * length * tpose.heading(side)
        ball = np.array([0.0, -under, 0.0])
        lowest = [
            p[:, 1] + rotation.rotate(turn, np.broadcast_to(v, p.shape))[:, 1] for p, v in ((ankle, heel), (toe, ball))
        ]
        found.append(np.minimum(*lowest) - floor)
    return np.stack(found, 1), floor


def plant(stance: Stance, done: Performance, unit: float, free: np.ndarray, width: float) -> Planted:
    """Where the character's ankles and toes are to be.

    Args:
        stance: the character.
        done: the performer's landmarks over time.
        unit: file units per metre of the performer.
        free: (T, 2, 3) where the ankles are if the legs just point where the performer's do.
        width: how much farther apart the character's hips are than the performer's, metres; the feet go with them.
    """
    clear, floor = clearance(done)
    standing = clear < STANDING * done.leg
    sideways = _sideways(done, standing, width)
    skeleton = stance.skeleton
    ankles, toes = [], []
    for number, side in enumerate(SIDES):
        ankle, toe, turn = done.of(f"{side}_ankle"), done.of(f"{side}_foot"), done.turn(f"{side}_ankle")
        own = skeleton.offsets[skeleton.index(f"{side}_foot")] / unit
        theirs = rotation.rotate(rotation.conjugate(turn), toe - ankle).mean(0)
        ahead = rotation.rotate(turn, np.broadcast_to(tpose.heading(side), toe.shape))
        yaw = _yaw(ahead, tpose.heading(side))
        level = (own - theirs) * (1.0, 0.0, 1.0)
        reach = rotation.rotate(turn, np.broadcast_to(own, toe.shape))
        by_toe = toe + rotation.rotate(yaw, np.broadcast_to(level, toe.shape)) - reach
        heel_up = smoothstep(np.clip((-ahead[:, 1:2] + 0.1) / 0.2, 0.0, 1.0))
        goal = heel_up * by_toe + (1 - heel_up) * ankle + sideways[:, number]
        bent = _toe_turn(turn, ahead, clear[:, number] / done.leg)
        lowest = np.full(len(goal), np.inf)
        for turned, points, base in ((turn, stance.feet[number].heel, None), (bent, stance.feet[number].front, reach)):
            if len(points):
                drop = np.einsum("ta,pa->tp", rotation.to_matrix(turned)[:, 1], points / unit).min(1)
                lowest = np.minimum(lowest, drop + (base[:, 1] if base is not None else 0.0))
        goal[:, 1] = np.maximum(clear[:, number], 0.0) - lowest
        goal = free[:, number] + _held(goal - free[:, number], standing[:, number])
        least = np.minimum(np.maximum(clear[:, number], 0.0), _AIR * done.leg)
        goal[:, 1] = np.maximum(goal[:, 1], least - lowest)
        ankles.append(goal)
        toes.append(bent)
    return Planted(np.stack(ankles, 1), np.stack(toes, 1), clear, floor)


def _held(shift: np.ndarray, standing: np.ndarray) -> np.ndarray:
    """(T, 3): a correction as it is while the foot stands, and eased from one stand to the next in the air."""
    if not standing.any():
        return np.zeros_like(shift)
    frames, known = np.arange(len(shift)), np.flatnonzero(standing)
    before = known[np.clip(np.searchsorted(known, frames, side="right") - 1, 0, None)]
    after = known[np.clip(np.searchsorted(known, frames), None, len(known) - 1)]
    share = smoothstep(np.clip((frames - before) / np.maximum(after - before, 1), 0.0, 1.0))[:, None]
    return shift[before] * (1 - share) + shift[after] * share


def _sideways(done: Performance, standing: np.ndarray, width: float) -> np.ndarray:
    """(T, 2, 3): how far each foot goes outwards, along the hips, whose heading is held while a foot stands."""
    left = rotation.rotate(done.turn("pelvis"), np.broadcast_to(_X, done.of("pelvis").shape))
    angle = np.unwrap(np.arctan2(-left[:, 2], left[:, 0]))
    out = np.zeros((len(angle), 2, 3))
    for number, sign in enumerate((1.0, -1.0)):
        toe = done.of(f"{SIDES[number]}_foot")
        speed = np.linalg.norm(np.gradient(toe, axis=0), axis=-1) * done.fps if len(toe) > 1 else np.zeros(1)
        still = standing[:, number] & (speed < _SLOW * done.leg)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], still.astype(int), [0]])))
        held, runs = angle.copy(), edges.reshape(-1, 2)
        known = np.zeros(len(angle), bool)
        kept: float | None = None
        for start, end in runs:
            mean = float(angle[start:end].mean())
            kept = mean if kept is None or abs(mean - kept) > _TURN else kept
            held[start:end] = kept
            known[start:end] = True
        if known.any():
            held = np.interp(np.arange(len(angle)), np.flatnonzero(known), held[known])
        way = np.stack([np.cos(held), np.zeros(len(held)), -np.sin(held)], -1)
        out[:, number] = sign * 0.5 * width * way
    return out


def _toe_turn(turn: np.ndarray, ahead: np.ndarray, clear: np.ndarray) -> np.ndarray:
    """(T, 4): the toes' turn: flat on the floor under a heel that rises, straight in the air."""
    pitch = np.arcsin(np.clip(-ahead[:, 1], 0.0, 1.0))
    near = np.clip((_NEAR[1] - clear) / (_NEAR[1] - _NEAR[0]), 0.0, 1.0)
    back = -np.minimum(pitch, np.radians(60)) * near * near * (3 - 2 * near)
    return rotation.multiply(turn, rotation.from_axis_angle(back[:, None] * _X))


def _yaw(ahead: np.ndarray, heading: np.ndarray) -> np.ndarray:
    """(T, 4): the turn about Y of a foot; where it points up or down, as between its neighbours in time."""
    flat = np.linalg.norm(ahead[:, [0, 2]], axis=-1) > 0.5
    base = np.arctan2(heading[0], heading[2])
    if not flat.any():
        return rotation.yaw(np.zeros(len(ahead)))
    angle = np.unwrap(np.arctan2(ahead[flat, 0], ahead[flat, 2]))
    return rotation.yaw(np.interp(np.arange(len(ahead)), np.flatnonzero(flat), angle) - base)
