"""Does a motion do what was asked? Judged from joints by geometry, with no learned judge.

The definitions are the project's own:

- raise, wave: at the peak (the frame in which the higher wrist is highest above the pelvis) the named wrist
  is the higher one; both: both wrists are above the chest (spine3) at once, which parts the real clips of two
  raised hands (all at least 3 cm above it in dataset-2) from those of one (the other at least 13 cm below);
  above the head, a third of the real ones are not.
  A single named wrist must be above the chest at its peak too, and wrists must move
  against the body, or an arm that swings in a walk, or a statue, would count half of the time.
- turn: net yaw of the true facing (hips and shoulders with their correct labels), unwrapped over the clip,
  beyond 45 degrees; left (counter-clockwise from above) is positive.
- walk, run, walk_backward: horizontal path length of the root over time (walk 0.4 to 1.8 m/s, run above
  1.8), and the sign of velocity along the facing.
- bow: the head goes down by at least 20 cm, and by more than the pelvis does.

Guards: in all locomotion and turns the legs must alternate (so a statue that slides or spins is wrong) and
the path must agree with the facing (so a walk that faces away from its path is wrong).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from laban.errors import InputError, ShapeError
from laban.metrics.samples import finite, require_metres
from laban.motion.skeletons import HUMANML22

PELVIS, CHEST, HEAD = (HUMANML22.index(name) for name in ("pelvis", "spine3", "head"))
HIPS = (HUMANML22.index("left_hip"), HUMANML22.index("right_hip"))
SHOULDERS = (HUMANML22.index("left_shoulder"), HUMANML22.index("right_shoulder"))
WRISTS = (HUMANML22.index("left_wrist"), HUMANML22.index("right_wrist"))
ANKLES = (HUMANML22.index("left_ankle"), HUMANML22.index("right_ankle"))

WALK_SPEED = 0.4  # m/s
RUN_SPEED = 1.8  # m/s
BACKWARD_SPEED = 0.2  # m/s against the facing
TURN = np.radians(45.0)
AGREEMENT = 0.5  # mean cosine between velocity and facing
BOW = 0.20  # metres that the head goes down
BOW_BEYOND_PELVIS = 0.10  # metres more than the pelvis: bending, not sinking
HAND_TRAVEL = 0.03  # metres that a named wrist moves against the pelvis: a frozen arm has raised nothing
STEP = 0.12  # metres of fore-and-aft travel of one ankle against the other
SIDE_STEP = 0.3  # metres to the named side


@dataclass(frozen=True)
class Verdict:
    """Whether an expectation holds, why not, and the numbers that it was judged by. True when it holds."""

    ok: bool
    reason: str = ""
    measures: dict[str, float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.ok


def facing(joints: np.ndarray) -> np.ndarray:
    """True horizontal facing from hips and shoulders.

    Args:
        joints: (..., 22, 3) metres, world.
    Returns: (..., 3) unit vectors in the XZ plane (+Z where across is vertical).
    Source: ours. Deviation: not the facing of HumanML3D's features, whose hip labels are swapped.
    """
    across = (joints[..., HIPS[0], :] - joints[..., HIPS[1], :]) + (
        joints[..., SHOULDERS[0], :] - joints[..., SHOULDERS[1], :]
    )
    forward = np.stack([-across[..., 2], np.zeros_like(across[..., 0]), across[..., 0]], axis=-1)
    size = np.linalg.norm(forward, axis=-1, keepdims=True)
    return np.where(size > 1e-9, forward / np.maximum(size, 1e-9), np.array([0.0, 0.0, 1.0]))


def net_yaw(joints: np.ndarray) -> float:
    """Yaw of the last frame's facing against the first's, unwrapped over the clip.

    Args:
        joints: (T, 22, 3) metres, world.
    Returns: radians, left (counter-clockwise from above) positive; can exceed pi.
    """
    forward = facing(_checked(joints, 1.0))
    yaw = np.unwrap(np.arctan2(forward[:, 0], forward[:, 2]))
    return float(yaw[-1] - yaw[0])


def speed(joints: np.ndarray, fps: float) -> float:
    """Horizontal path length of the root over time.

    Args:
        joints: (T, 22, 3) metres, world.
        fps: frames per second.
    Returns: metres per second.
    """
    return float(np.linalg.norm(_velocity(_checked(joints, fps), fps), axis=-1).mean())


def agreement(joints: np.ndarray, fps: float) -> float:
    """Mean cosine between the root's horizontal velocity and the facing, weighted by speed.

    The weight keeps frames that stand still, where a direction means nothing, from counting.

    Args:
        joints: (T, 22, 3) metres, world.
        fps: frames per second.
    Returns: -1 (backwards) to 1 (forwards); 0 when nothing moves.
    """
    joints = _checked(joints, fps)
    velocity = _velocity(joints, fps)
    total = float(np.linalg.norm(velocity, axis=-1).sum())
    along = float((velocity * facing(joints)[:-1]).sum())
    return along / total if total > 1e-6 else 0.0


def steps(joints: np.ndarray) -> tuple[float, int]:
    """How the ankles move against each other, seen from the body.

    Args:
        joints: (T, 22, 3) metres, world.
    Returns: (range in metres of left minus right ankle in the body's horizontal frame, the larger of fore-aft
        and sideways, 5th to 95th percentile; how often the lead changes: crossings of the middle with a
        hysteresis of a quarter of the range).
    """
    joints = _checked(joints, 1.0)
    forward = facing(joints)
    left = _left(forward)
    gap = joints[:, ANKLES[0]] - joints[:, ANKLES[1]]
    best = (0.0, 0)
    for axis in (forward, left):
        along = (gap * axis).sum(axis=-1)
        low, high = np.percentile(along, [5, 95])
        centred = along - (low + high) / 2
        sides = np.sign(centred[np.abs(centred) > (high - low) / 8])
        changes = int((np.diff(sides) != 0).sum()) if len(sides) else 0
        best = max(best, (float(high - low), changes))
    return best


def judge(expectation: str, joints: np.ndarray, fps: float) -> Verdict:
    """Judge one motion by one expectation.

    Args:
        expectation: a key of EXPECTATIONS, or several joined by "+", which must all hold.
        joints: (T, 22, 3) metres, world, Y up, floor 0; T >= 2.
        fps: frames per second.
    Returns: Verdict.
    Raises: InputError on an unknown expectation, NaN, or joints that are not in metres; ShapeError on another shape.
    Source: ours; guards described at the top of this file.
    """
    joints = _checked(joints, fps)
    measures: dict[str, float] = {}
    for name in expectation.split("+"):
        if name.strip() not in EXPECTATIONS:
            raise InputError(
                f"metrics.control: unknown expectation {name.strip()!r}, expected one of "
                f"{', '.join(EXPECTATIONS)}. Join several with '+'."
            )
        verdict = EXPECTATIONS[name.strip()](joints, fps)
        measures.update(verdict.measures)
        if not verdict:
            return Verdict(False, verdict.reason, measures)
    return Verdict(True, "", measures)


def _hand(side: int) -> Callable[[np.ndarray, float], Verdict]:
    def check(joints: np.ndarray, fps: float) -> Verdict:
        height = joints[:, WRISTS, 1] - joints[:, PELVIS, 1:2]
        peak = int(height.max(axis=1).argmax())
        lead = float(height[peak, side] - height[peak, 1 - side])
        above = float(joints[peak, WRISTS[side], 1] - joints[peak, CHEST, 1])
        travel = _hand_travel(joints, side)
        measures = {"hand_lead": lead, "hand_above_chest": above, "hand_travel": travel}
        if lead <= 0:
            return Verdict(False, "the other hand is the higher one at the peak", measures)
        if above <= 0:
            return Verdict(False, f"the hand stays {-above:.2f} m below the chest", measures)
        if travel < HAND_TRAVEL:
            return Verdict(False, f"the hand moves by {travel:.2f} m only", measures)
        return Verdict(True, "", measures)

    return check


def _hand_travel(joints: np.ndarray, side: int) -> float:
    """Metres: diagonal of the box that the wrist, seen from the pelvis and its facing, moves in."""
    arm, forward = joints[:, WRISTS[side]] - joints[:, PELVIS], facing(joints)
    path = np.stack([(arm * forward).sum(-1), arm[:, 1], (arm * _left(forward)).sum(-1)], axis=-1)
    return float(np.linalg.norm(path.max(axis=0) - path.min(axis=0)))


def _both_hands(joints: np.ndarray, fps: float) -> Verdict:
    lower = joints[:, WRISTS, 1].min(axis=1)
    above = float((lower - joints[:, CHEST, 1]).max())
    travel = min(_hand_travel(joints, 0), _hand_travel(joints, 1))
    measures = {
        "both_above_chest": above,
        "both_above_head": float((lower - joints[:, HEAD, 1]).max()),
        "hand_travel": travel,
    }
    if above <= 0:
        return Verdict(False, f"the lower hand stays {-above:.2f} m below the chest", measures)
    if travel < HAND_TRAVEL:
        return Verdict(False, f"the hands move by {travel:.2f} m only", measures)
    return Verdict(True, "", measures)


def _stepping(joints: np.ndarray) -> Verdict:
    size, changes = steps(joints)
    measures = {"step": size, "step_changes": float(changes)}
    if size < STEP or changes < 1:
        return Verdict(False, f"the legs do not step (range {size:.2f} m, {changes} changes)", measures)
    return Verdict(True, "", measures)


def _along(joints: np.ndarray, fps: float, way: int) -> Verdict:
    cosine = agreement(joints, fps)
    measures = {"agreement": cosine}
    if way * cosine <= AGREEMENT:
        return Verdict(False, f"path and facing agree by {cosine:.2f} only", measures)
    return Verdict(True, "", measures)


def _pace(low: float, high: float) -> Callable[[np.ndarray, float], Verdict]:
    def check(joints: np.ndarray, fps: float) -> Verdict:
        pace = speed(joints, fps)
        measures = {"speed": pace}
        if not low < pace <= high:
            return Verdict(False, f"the root moves at {pace:.2f} m/s", measures)
        return _all(measures, _stepping(joints), _along(joints, fps, 1))

    return check


def _backward(joints: np.ndarray, fps: float) -> Verdict:
    along = float((_velocity(joints, fps) * facing(joints)[:-1]).sum(axis=-1).mean())
    measures = {"forward_speed": along}
    if along > -BACKWARD_SPEED:
        return Verdict(False, f"moves at {along:.2f} m/s along its facing", measures)
    return _all(measures, _stepping(joints), _along(joints, fps, -1))


def _turn(sign: int) -> Callable[[np.ndarray, float], Verdict]:
    def check(joints: np.ndarray, fps: float) -> Verdict:
        yaw = net_yaw(joints)
        measures = {"net_yaw_degrees": float(np.degrees(yaw))}
        if sign * yaw <= TURN:
            return Verdict(False, f"turns by {np.degrees(yaw):.0f} degrees", measures)
        guards = [_stepping(joints)]
        if speed(joints, fps) > WALK_SPEED:
            guards.append(_along(joints, fps, 1))
        return _all(measures, *guards)

    return check


def _sideways(sign: int) -> Callable[[np.ndarray, float], Verdict]:
    def check(joints: np.ndarray, fps: float) -> Verdict:
        forward = facing(joints)[:-1]
        aside = float((_velocity(joints, fps) * _left(forward)).sum() / fps)
        yaw = net_yaw(joints)
        measures = {"aside": aside, "net_yaw_degrees": float(np.degrees(yaw))}
        if sign * aside < SIDE_STEP:
            return Verdict(False, f"goes {aside:.2f} m to its left", measures)
        if abs(yaw) > TURN:
            return Verdict(False, f"turns by {np.degrees(yaw):.0f} degrees", measures)
        return _all(measures, _stepping(joints))

    return check


def _bow(joints: np.ndarray, fps: float) -> Verdict:
    head = joints[:, HEAD, 1]
    before = np.maximum.accumulate(head)
    lowest = int((before - head).argmax())
    upright = int(head[: lowest + 1].argmax())
    drop = float(head[upright] - head[lowest])
    sink = float(joints[upright, PELVIS, 1] - joints[lowest, PELVIS, 1])
    measures = {"head_drop": drop, "pelvis_drop": sink}
    if drop < BOW:
        return Verdict(False, f"the head goes down by {drop:.2f} m", measures)
    if drop - sink < BOW_BEYOND_PELVIS:
        return Verdict(False, f"the whole body goes down ({sink:.2f} m at the pelvis)", measures)
    return Verdict(True, "", measures)


EXPECTATIONS: dict[str, Callable[[np.ndarray, float], Verdict]] = {
    "raise_left": _hand(0),
    "raise_right": _hand(1),
    "raise_both": _both_hands,
    "wave_left": _hand(0),
    "wave_right": _hand(1),
    "wave_both": _both_hands,
    "turn_left": _turn(1),
    "turn_right": _turn(-1),
    "walk": _pace(WALK_SPEED, RUN_SPEED),
    "run": _pace(RUN_SPEED, float("inf")),
    "walk_backward": _backward,
    "walk_left": _sideways(1),
    "walk_right": _sideways(-1),
    "bow": _bow,
}

# The content labels of Bandai-Namco that the judge has a rule for.
CONTENTS: dict[str, str] = {
    "raise-up-left-hand": "raise_left",
    "raise-up-right-hand": "raise_right",
    "raise-up-both-hands": "raise_both",
    "wave-left-hand": "wave_left",
    "wave-right-hand": "wave_right",
    "wave-both-hands": "wave_both",
    "bye": "wave_right",
    "byebye": "wave_both",
    "walk-turn-left": "turn_left",
    "walk-turn-right": "turn_right",
    "walk": "walk",
    "run": "run",
    "dash": "run",
    "walk-back": "walk_backward",
    "walk-left": "walk_left",
    "walk-right": "walk_right",
    "bow": "bow",
}


def _all(measures: dict[str, float], *verdicts: Verdict) -> Verdict:
    reason = ""
    for verdict in verdicts:
        measures = {**measures, **verdict.measures}
        reason = reason or verdict.reason
    return Verdict(not reason, reason, measures)


def _left(forward: np.ndarray) -> np.ndarray:
    """(T, 3) horizontal facing -> (T, 3) to the character's left."""
    return np.stack([forward[:, 2], forward[:, 1], -forward[:, 0]], axis=-1)


def _velocity(joints: np.ndarray, fps: float) -> np.ndarray:
    """(T, 22, 3) -> (T-1, 3) m/s, the root's, with y zero."""
    step = np.diff(joints[:, PELVIS], axis=0) * fps
    step[:, 1] = 0.0
    return step


def _checked(joints: np.ndarray, fps: float) -> np.ndarray:
    joints = np.asarray(joints)
    if joints.ndim != 3 or joints.shape[1:] != (len(HUMANML22), 3) or len(joints) < 2 or not fps > 0:
        raise ShapeError(
            f"metrics.control: joints have shape {joints.shape} at {fps} fps, expected (T >= 2, "
            f"{len(HUMANML22)}, 3) at a positive rate. Pass one clip of HumanML3D-22 joints in metres."
        )
    joints = finite("metrics.control", "joints", joints)
    require_metres("metrics.control", joints)
    return joints
