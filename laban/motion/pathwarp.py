"""The same steps along an asked path: travel is replaced, sway and timing of the body stay.

Each frame is turned by the difference of the two ways (asked and own) and put where the asked travel is. Where the two
go at different speeds feet slide by the difference: callers choose a clock first, and clean afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from laban.motion import rotation, travel
from laban.motion.cleanup import filtered
from laban.motion.constraints import RootPath
from laban.motion.curves import Curve, paced
from laban.motion.motion import Motion
from laban.motion.travel import Travel

SMOOTH = 0.35  # seconds: of the turn that is added; shorter than this is the sway of single steps
MOST_PACE = 1.35  # how much faster or slower an action may be played to fit its path
ROUNDS = 4  # of mending what the smoothing of the travel leaves
DRIFT = 0.02  # m/s that a standing figure is taken to go, so that progress has a direction


@dataclass(frozen=True, eq=False)
class Asked:
    """A path in a motion's frames.

    Attributes:
        first: frame of the first point.
        last: frame of the last point.
        arc: (last - first + 1,) metres along the curve.
        curve: the geometry.
    """

    first: int
    last: int
    arc: np.ndarray
    curve: Curve


def asked_of(motion: Motion, way: Travel, path: RootPath, *, circular: bool = False) -> Asked | None:
    """What a path asks of a motion's frames; None for a path of one point, which only moves the whole.

    Of waypoints the motion's own pace between them is kept: progress along the curve follows its own progress, scaled.
    The path of a cycle from end to end goes on as it began, so that its two ends lead the same way.
    """
    if len(path.points) < 2:
        return None
    times, places = np.array([p.at for p in path.points]), np.array([p.xz for p in path.points])
    first, last = (int(np.clip(round(t * motion.fps), 0, motion.frames - 1)) for t in times[[0, -1]])
    seconds = np.arange(first, last + 1) / motion.fps
    around = circular and first == 0 and last == motion.frames - 1 and len(path.points) > 2
    if around:
        period, cycle = times[-1] - times[0], places[-1] - places[0]
        times = np.concatenate([[times[-2] - period], times, [times[1] + period]])
        places = np.concatenate([[places[-2] - cycle], places, [places[1] + cycle]])
    curve = Curve.through(places, times)
    if path.kind == "path":
        return Asked(first, last, curve.progress(seconds), curve)
    steps = np.linalg.norm(np.diff(way.xz[first : last + 1], axis=0), axis=-1) + DRIFT / motion.fps
    own = np.concatenate([[0.0], np.cumsum(steps)])
    if around:
        at = np.interp(times[1:-1], seconds, own)
        at = np.concatenate([[at[-2] - own[-1]], at, [at[1] + own[-1]]])
    else:
        at = np.interp(times, seconds, own)
    for k in range(1, len(at)):
        at[k] = max(at[k], at[k - 1] + 1e-6)
    return Asked(first, last, paced(at, curve.knots, own), curve)


def along(motion: Motion, path: RootPath, *, circular: bool = False) -> Motion:
    """The motion on a path.

    Before its first point and after its last the motion goes on by itself, turned and moved as a whole. Facing follows
    the path as the action faces its own way; a point with a heading of its own is faced so.

    Args:
        motion: Y up.
        path: within the motion.
        circular: the motion is a cycle, its first pose held as its last.
    """
    way = travel.of(motion, circular=circular)
    asked = asked_of(motion, way, path, circular=circular)
    if asked is None:
        [point] = path.points
        return _moved(
            motion, way, int(np.clip(round(point.at * motion.fps), 0, motion.frames - 1)), point.xz, point.heading
        )
    span = slice(asked.first, asked.last + 1)
    wanted = asked.curve.at(asked.arc)
    turn = _turns(motion, way, wanted, path, asked, circular=circular)
    goal = wanted.copy()
    made = _placed(motion, way, goal, turn, span)
    for _ in range(ROUNDS):  # travel is smoothed, which cuts corners: aim outside of them
        off = wanted - travel.of(made, circular=circular).xz[span]
        goal = goal + off
        made = _placed(motion, way, goal, turn, span)
    return made


def _turns(
    motion: Motion, way: Travel, wanted: np.ndarray, path: RootPath, asked: Asked, *, circular: bool
) -> np.ndarray:
    """(T,) radians by which each frame is turned."""
    span = slice(asked.first, asked.last + 1)
    wave = Travel(wanted, way.yaw[span], motion.fps)
    ahead = wave.direction() if np.linalg.norm(wanted[-1] - wanted[0]) + asked.curve.length > 0.2 else way.yaw[span]
    own = way.direction()[span]
    if path.heading == "free":
        inner = np.zeros(len(wanted))
    else:
        inner = np.unwrap(ahead - own)
        inner -= 2 * np.pi * np.round(inner.mean() / (2 * np.pi))
    faced = [(round(p.at * motion.fps) - asked.first, p.heading) for p in path.points if p.heading is not None]
    if faced:
        at = np.array([np.clip(f, 0, len(inner) - 1) for f, _ in faced], int)
        more = np.array([h for _, h in faced]) - (way.yaw[span] + inner)[at]
        more = (more + np.pi) % (2 * np.pi) - np.pi
        inner = inner + np.interp(np.arange(len(inner)), at, more)
    if circular:  # both ends are one pose and turn alike, but for whole turns
        gap = inner[-1] - inner[0]
        whole = 2 * np.pi * np.round(gap / (2 * np.pi))
        inner = inner - np.linspace(0, 1, len(inner)) * (gap - whole)
        three = np.concatenate([inner[:-1] - whole, inner[:-1], inner + whole])
        inner = filtered(three, SMOOTH * motion.fps)[len(inner) - 1 : 2 * len(inner) - 1]
    else:
        reach = min(round(3 * SMOOTH * motion.fps), len(inner) - 1)  # mirrored: at the ends the way is uncertain
        inner = filtered(np.pad(inner, reach, "reflect"), SMOOTH * motion.fps)[reach : reach + len(inner)]
    turns = np.empty(motion.frames)
    turns[: asked.first], turns[span], turns[asked.last + 1 :] = inner[0], inner, inner[-1]
    return turns


def _placed(motion: Motion, way: Travel, goal: np.ndarray, turn: np.ndarray, span: slice) -> Motion:
    """Every frame turned, the frames of `span` put on `goal` and the others carried along at its two ends."""
    quaternions = rotation.yaw(turn)
    root = motion.root.copy()
    sway = rotation.rotate(quaternions, motion.root - way.place)
    flat = np.stack([goal[:, 0], 0 * goal[:, 0], goal[:, 1]], -1)
    root[span] = flat + sway[span]
    for frames, edge, end in ((slice(0, span.start), span.start, 0), (slice(span.stop, None), span.stop - 1, -1)):
        moved = rotation.rotate(quaternions[frames], way.place[frames] - way.place[edge])
        root[frames] = flat[end] + moved + sway[frames]
    rotations = motion.rotations.copy()
    rotations[:, 0] = rotation.multiply(quaternions, motion.rotations[:, 0])
    return replace(motion, rotations=rotations, root=root)


def _moved(motion: Motion, way: Travel, frame: int, xz: tuple[float, float], heading: float | None) -> Motion:
    """The whole motion, turned and moved so that its travel is at a place (and faces so) in a frame."""
    turn = 0.0 if heading is None else heading - way.yaw[frame]
    return placed(motion, way.place[frame], np.array([xz[0], 0.0, xz[1]]), turn)


def placed(motion: Motion, about: np.ndarray, to: np.ndarray, turn: float) -> Motion:
    """The motion turned about the vertical through a point, which then goes to another.

    Args:
        motion: Y up.
        about: (3,) metres.
        to: (3,) metres.
        turn: radians.
    """
    quaternion = np.broadcast_to(rotation.yaw(np.array(turn)), motion.rotations[:, 0].shape)
    rotations = motion.rotations.copy()
    rotations[:, 0] = rotation.multiply(quaternion, rotations[:, 0])
    return replace(motion, rotations=rotations, root=rotation.rotate(quaternion, motion.root - about) + to)
