"""Whether what is asked can be done by the action that was drawn, said before any of it is forced."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from laban.motion import travel, wanted
from laban.motion.constraints import Effector, Goals, RootPath
from laban.motion.curves import Curve
from laban.motion.motion import Motion

SLOWEST, FASTEST = 0.74, 1.35  # of the action's own speed
TURN = 180.0  # degrees per second
TURN_SPEED = 0.3  # m/s: slower, a path's tangent is no turn of the body
STILL = 0.12  # m/s: who is asked to go no faster may stand or step on the spot
LEAN = 0.35  # metres by which trunk and knees bring a hand nearer
LEG_LEAN = 0.15
HIGHEST = 2.15  # metres that a hand of our body reaches


def reasons(motions: Sequence[Motion], best: Motion, goals: Goals, path: RootPath | None, texts: str) -> list[str]:
    """Why goals cannot be met; none if they can.

    Args:
        motions: all candidates on the timeline's clock: what the action does.
        best: the one chosen, aligned and on its path.
        goals: all of them.
        path: of the root, all places in one; None without.
        texts: what the action is called.
    """
    found = [] if path is None or len(path.points) < 2 else _speeds(motions, path, texts)
    if path is not None and len(path.points) > 2 and not found:
        found += _turning(path)
    for effector in () if found else goals.effectors:  # on a path that cannot be, nothing is where it should be
        found += _reaching(best, effector)
    return found


def _speeds(motions: Sequence[Motion], path: RootPath, texts: str) -> list[str]:
    """Stretches of a path that are faster or slower than the action can be made to go."""
    speeds = [moving_speed(motion, path) for motion in motions]
    low, high = min(speeds), max(speeds)
    curve = Curve.through(np.array([p.xz for p in path.points]), np.array([p.at for p in path.points]))
    slow, fast = SLOWEST * low if low > 2 * STILL else 0.0, max(FASTEST * high, STILL)
    broken: list[tuple[str, int, int]] = []  # neighbours with the same fault together
    for first, last in _stretches(path):
        asked = float(curve.knots[last] - curve.knots[first]) / (path.points[last].at - path.points[first].at)
        fault = "fast" if asked > fast else "" if asked >= slow else "still" if asked < STILL else "slow"
        if fault and broken and broken[-1][0] == fault and broken[-1][2] == first:
            broken[-1] = (fault, broken[-1][1], last)
        elif fault:
            broken.append((fault, first, last))
    found: list[str] = []
    for fault, first, last in broken:
        start, end = path.points[first].at, path.points[last].at
        length = float(curve.knots[last] - curve.knots[first])
        asked = length / (end - start)
        own = f"{texts} does {low:.2f}" + (f" to {high:.2f}" if high - low > 0.05 else "") + " m/s"
        if fault == "fast":
            more = length / max(FASTEST * high, 0.05) - (end - start)
            wait = f"Give it {more:.1f} s more" if high > 2 * STILL else "Say that the person walks"
            advice = f"{wait}, or " + ("say 'runs'." if asked > 1.2 else "bring the places nearer.")
        elif fault == "still":
            advice = "Say 'stands still' for that time."
        else:
            advice = "Give less time, put the places farther apart, or let the person stand in between."
        found.append(f"the path asks {asked:.2f} m/s from {start:g} to {end:g} s; {own}. {advice}")
    return found


def _stretches(path: RootPath) -> list[tuple[int, int]]:
    """Numbers of the points between which speed is looked at: a second or more apart."""
    found: list[tuple[int, int]] = []
    first = 0
    for k in range(1, len(path.points)):
        last = k == len(path.points) - 1
        if path.points[k].at - path.points[first].at >= 1.0 or last:
            if last and found and path.points[k].at - path.points[first].at < 1.0:
                found[-1] = (found[-1][0], k)
            else:
                found.append((first, k))
            first = k
    return found


def moving_speed(motion: Motion, path: RootPath) -> float:
    """m/s of a motion's own travel while the path lasts, where it moves at all."""
    way = travel.of(motion)
    a, b = (wanted.frame_of(motion, path.points[k].at) for k in (0, -1))
    speed = way.speed[a : b + 1]
    moves = speed > STILL
    return float(speed[moves].mean()) if moves.mean() > 0.3 else float(speed.mean())


def _turning(path: RootPath) -> list[str]:
    curve = Curve.through(np.array([p.xz for p in path.points]), np.array([p.at for p in path.points]))
    times = np.arange(path.points[0].at, path.points[-1].at, 0.05)
    if len(times) < 16:
        return []
    places = curve.at(curve.progress(times))
    step = places[10:] - places[:-10]  # over half a second
    speed = np.linalg.norm(step, axis=-1) / 0.5
    angle = np.unwrap(np.arctan2(step[:, 0], step[:, 1]))
    rate = np.degrees(np.abs(angle[5:] - angle[:-5])) / 0.25
    fast = rate * (speed[5:] > TURN_SPEED)
    if fast.max(initial=0.0) <= TURN:
        return []
    at = times[int(fast.argmax()) + 7]
    return [
        f"the path turns by {fast.max():.0f} degrees per second at {at:.1f} s; people turn by at most {TURN:.0f} as "
        "they go. Round the corner, or stop there."
    ]


def _reaching(motion: Motion, effector: Effector) -> list[str]:
    """Places too far from where the body is by then."""
    frames, _, places = wanted.effector(motion, effector, travel.of(motion))
    side, _, part = effector.joint.partition("_")
    skeleton, joints = motion.skeleton, motion.joints()
    if part in ("wrist", "elbow"):
        chain, lean = ("shoulder", "elbow", "wrist")[: 3 if part == "wrist" else 2], LEAN
    elif part in ("ankle", "foot", "knee"):
        chain, lean = ("hip", "knee", "ankle", "foot")[: {"knee": 2, "ankle": 3, "foot": 4}[part]], LEG_LEAN
    else:
        chain, lean = (), LEAN
    numbers = [skeleton.index(f"{side}_{name}") for name in chain]
    length = float(skeleton.lengths[numbers[1:]].sum()) if numbers else 0.0
    start = joints[frames, numbers[0] if numbers else skeleton.index(effector.joint)]
    far = np.linalg.norm(places - start, axis=-1)
    worst = int(far.argmax())
    at, name = frames[worst] / motion.fps, effector.id or effector.joint
    limb = {"shoulder": "an arm", "hip": "a leg"}.get(chain[0], "it") if chain else "the head"
    if places[worst, 1] < -0.01:
        return [f"{name}: its place at {at:.2f} s is {-places[worst, 1]:.2f} m below the floor. Lift it."]
    if places[:, 1].max() > HIGHEST:
        high = places[:, 1].max()
        return [f"{name}: its place at {at:.2f} s is {high:.2f} m high; this body reaches {HIGHEST} m. Lower it."]
    if far[worst] <= length + lean:
        return []
    return [
        f"{name}: its place at {at:.2f} s is {far[worst]:.2f} m away from where the body is by then; {limb} reaches "
        f"{length:.2f} m and the body {lean:.2f} m more. Lead the path past it, or bring it nearer."
    ]
