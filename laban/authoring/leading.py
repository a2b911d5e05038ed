"""Where goals lead the root: all its places as one path, and a candidate laid on it or, with none, moved as a whole."""

from __future__ import annotations

import numpy as np

from laban.motion import pathwarp, travel, wanted
from laban.motion.constraints import Goals, PathPoint, RootPath
from laban.motion.curves import Curve
from laban.motion.motion import Motion

NEAR = 0.15  # seconds within which a key pose adds nothing to a path
DENSE = 0.25  # seconds between the waypoints that stand for a path, where several are merged
SPREAD = 0.3  # metres: places nearer to each other say nothing about the heading


def merged(motion: Motion, goals: Goals) -> RootPath | None:
    """All places of the root as one path; None where there are none.

    Args:
        motion: whose sway over its travel key poses are told apart from their travel by.
        goals: with the paths, and the poses whose root is placed.
    """
    points: dict[float, PathPoint] = {}
    for path in goals.paths:
        points |= {p.at: p for p in path.points}
        if path.kind == "path" and len(goals.paths) > 1:
            times = np.array([p.at for p in path.points])
            curve = Curve.through(np.array([p.xz for p in path.points]), times)
            between = np.arange(times[0] + DENSE, times[-1] - DENSE / 2, DENSE)
            places = curve.at(curve.progress(between))
            points |= {
                float(t): PathPoint(float(t), (float(x), float(z))) for t, (x, z) in zip(between, places, strict=True)
            }
    way = travel.of(motion)
    own = False
    for key in goals.poses:
        if key.root is None or any(abs(t - key.at) < NEAR for t in points):
            continue
        frame = wanted.frame_of(motion, key.at)
        sway = motion.root[frame, [0, 2]] - way.xz[frame]
        if key.root.xz is not None:
            xz = np.array(key.root.xz) - sway
            points[key.at] = PathPoint(key.at, (float(xz[0]), float(xz[1])), key.root.heading)
            own = True
    if not points:
        turned = [k for k in goals.poses if k.root is not None and k.root.heading is not None]
        if len(turned) == 1:  # a heading alone: the whole is turned where it is
            frame = wanted.frame_of(motion, turned[0].at)
            place = (float(way.xz[frame, 0]), float(way.xz[frame, 1]))
            assert turned[0].root is not None
            return RootPath((PathPoint(turned[0].at, place, turned[0].root.heading),))
        return None
    ordered = tuple(points[t] for t in sorted(points))
    alone = len(goals.paths) == 1 and not own
    free = bool(goals.paths) and all(path.heading == "free" for path in goals.paths)
    kind = goals.paths[0].kind if alone else "waypoints"
    return RootPath(ordered, kind=kind, heading="free" if free else "path")


def spans(path: RootPath) -> list[tuple[float, float, float]]:
    """Start and end in seconds, and metres, of each stretch between two points."""
    curve = Curve.through(np.array([p.xz for p in path.points]), np.array([p.at for p in path.points]))
    return [
        (one.at, two.at, float(curve.knots[k + 1] - curve.knots[k]))
        for k, (one, two) in enumerate(zip(path.points, path.points[1:], strict=False))
    ]


def led(motion: Motion, goals: Goals, *, circular: bool, free: bool = True) -> Motion:
    """A candidate on the path of its goals, or, without one and where it is `free`, moved as a whole towards them."""
    path = merged(motion, goals)
    if path is not None:
        return pathwarp.along(motion, path, circular=circular)
    return placed(motion, goals) if free else motion


def placed(motion: Motion, goals: Goals) -> Motion:
    """The motion turned and moved as a whole to where goals ask hands, feet and root to be; as it is without any."""
    path = merged(motion, goals)
    way, joints = travel.of(motion), motion.joints()
    here: list[np.ndarray] = []
    there: list[np.ndarray] = []
    if path is not None:
        if len(path.points) == 1:
            return pathwarp.along(motion, path)
        for point in path.points:
            here.append(way.xz[wanted.frame_of(motion, point.at)])
            there.append(np.array(point.xz))
    else:
        for effector in goals.effectors:
            if effector.space == "world":
                for key in effector.keys:
                    frame = wanted.frame_of(motion, key.at)
                    here.append(joints[frame, motion.skeleton.index(effector.joint)][[0, 2]])
                    there.append(np.array(key.position)[[0, 2]])
    if not here:
        return motion
    a, b = np.stack(here), np.stack(there)
    p, q = a - a.mean(0), b - b.mean(0)
    angle = 0.0
    if min(np.linalg.norm(p, axis=-1).max(), np.linalg.norm(q, axis=-1).max()) > SPREAD:
        angle = float(np.arctan2((p[:, 1] * q[:, 0] - p[:, 0] * q[:, 1]).sum(), (p * q).sum()))
    about, to = (np.array([m[0], 0.0, m[1]]) for m in (a.mean(0), b.mean(0)))
    return pathwarp.placed(motion, about, to, angle)
