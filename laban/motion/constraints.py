"""What an author asks of a motion: key poses, paths, places of hands and feet. Frozen types that JSON holds.

They are the same in a timeline file, in Python, in `laban.metrics.constraints` and in a report. Lengths are metres,
times seconds from the motion's start, Y up; a heading is radians about +Y, so that facing is (sin h, 0, cos h).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any, Literal

from laban.errors import InputError
from laban.motion.parts import PARTS
from laban.motion.skeletons import HUMANML22

MOST_ITEMS = 256  # of a list
MOST_POINTS = 4096  # of a path
LONGEST = 600.0  # seconds
FARTHEST = 1000.0  # metres from the origin
POSE_DEGREES = 1.0  # how far the joints of a key pose may be off
HEADING_DEGREES = 5.0
EFFECTORS = tuple(
    f"{side}_{name}" for side in ("left", "right") for name in ("wrist", "elbow", "ankle", "foot", "knee")
) + ("head",)
Quaternion = tuple[float, float, float, float]


@dataclass(frozen=True)
class RootKey:
    """Where the pelvis is in a key pose; None where that is free.

    Attributes:
        xz: place over the floor.
        height: of the pelvis.
        heading: radians about +Y.
    """

    xz: tuple[float, float] | None = None
    height: float | None = None
    heading: float | None = None


@dataclass(frozen=True)
class PoseFile:
    """A pose out of a motion file: the file, and seconds from its start (below 0: from its end)."""

    file: str
    time: float = 0.0


@dataclass(frozen=True)
class PoseKey:
    """A pose at a moment.

    Attributes:
        at: seconds.
        rotations: joint of the 22 -> unit wxyz, joint to parent, from the T-pose. The pelvis' rotation is its tilt: its
            turn about the vertical is the root's heading.
        source: a file instead of rotations.
        root: where the pelvis is; None: wherever the motion leads.
        parts: which of the given joints count.
        tolerance: metres.
    """

    at: float
    id: str = ""
    parts: tuple[str, ...] = ("all",)
    rotations: Mapping[str, Quaternion] = field(default_factory=dict)
    source: PoseFile | None = None
    root: RootKey | None = None
    tolerance: float = 0.005


@dataclass(frozen=True)
class PathPoint:
    """A place of the travel (the pelvis, smoothed over a second) at a moment, and perhaps a heading."""

    at: float
    xz: tuple[float, float]
    heading: float | None = None


@dataclass(frozen=True)
class RootPath:
    """Where the travel leads.

    Attributes:
        points: two or more, in order of time.
        kind: "waypoints": to be passed at their moments. "path": also the curve between them.
        heading: "path": facing along it as the action does. "free": whatever the sample does.
    """

    points: tuple[PathPoint, ...]
    id: str = ""
    kind: Literal["waypoints", "path"] = "waypoints"
    heading: Literal["path", "free"] = "path"
    tolerance: float = 0.01


@dataclass(frozen=True)
class EffectorKey:
    """A place at a moment, kept for `hold` seconds after it."""

    at: float
    position: tuple[float, float, float]
    hold: float = 0.0


@dataclass(frozen=True)
class Effector:
    """Where a hand, a foot, a knee, an elbow or the head is to be.

    Attributes:
        joint: one of EFFECTORS.
        keys: in order of time.
        space: "world", or "root": relative to the travel's place and heading.
        contact: the joint rests during a hold.
    """

    joint: str
    keys: tuple[EffectorKey, ...]
    id: str = ""
    space: Literal["world", "root"] = "world"
    contact: bool = False
    tolerance: float = 0.005


@dataclass(frozen=True)
class Goals:
    """All that is asked of one motion."""

    poses: tuple[PoseKey, ...] = ()
    paths: tuple[RootPath, ...] = ()
    effectors: tuple[Effector, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.poses or self.paths or self.effectors)

    @property
    def all(self) -> tuple[PoseKey | RootPath | Effector, ...]:
        """Every goal."""
        return (*self.poses, *self.paths, *self.effectors)


def times_of(goal: PoseKey | RootPath | Effector) -> list[float]:
    """The moments at which a goal asks something; of a hold, its two ends."""
    if isinstance(goal, PoseKey):
        return [goal.at]
    if isinstance(goal, RootPath):
        return [point.at for point in goal.points]
    return sorted({t for key in goal.keys for t in (key.at, key.at + key.hold)})


def checked(goals: Goals, length: float, where: str = "") -> Goals:
    """The same goals.

    Args:
        goals: to be looked at.
        length: seconds of the motion.
        where: what messages begin with.
    Raises: InputError for a moment outside the motion, moments out of order, unknown joints or parts, rotations that
        are not of length one, or more than fits; each says what was found and what was expected.
    """
    groups: dict[str, tuple[PoseKey | RootPath | Effector, ...]] = {
        "poses": goals.poses, "paths": goals.paths, "effectors": goals.effectors,
    }  # fmt: skip
    for kind, group in groups.items():
        if len(group) > MOST_ITEMS:
            raise InputError(f"{where}{kind}: {len(group)} of them; expected at most {MOST_ITEMS}. Leave some out.")
        for number, goal in enumerate(group):
            place = f"{where}{kind}[{number}]" + (f" ({goal.id})" if goal.id else "")
            _finite(goal, place)
            if not 0 < goal.tolerance <= 1:
                raise InputError(f"{place}: tolerance is {goal.tolerance:g} m; expected more than 0, at most 1.")
            for moment in times_of(goal):
                if not -1e-9 <= moment <= length + 1e-6:
                    raise InputError(f"{place}: at {moment:g} s, outside the {length:g} s of the motion. Move it.")
            if isinstance(goal, PoseKey):
                _check_pose(goal, place)
            elif isinstance(goal, RootPath):
                _check_path(goal, place)
            else:
                _check_effector(goal, place)
    ids = [goal.id for goal in goals.all if goal.id]
    for name in ids:
        if ids.count(name) > 1:
            raise InputError(f"{where}the id {name!r} is used twice; reports could not tell them apart. Rename one.")
    return goals


def _check_pose(pose: PoseKey, place: str) -> None:
    check_parts(pose.parts, place)
    if pose.source is None and not pose.rotations and pose.root is None:
        raise InputError(f"{place}: asks nothing. Give rotations, from or root.")
    if pose.source is not None and pose.rotations:
        raise InputError(f"{place}: has both from and rotations; expected one of them.")
    for joint, turn in pose.rotations.items():
        known("joint", joint, HUMANML22.names, place)
        if abs(math.fsum(x * x for x in turn) - 1) > 0.02:
            raise InputError(f"{place}: rotation of {joint} is {list(turn)}; expected a unit quaternion w, x, y, z.")
    if pose.root is not None and pose.root.height is not None and not 0 < pose.root.height < 3:
        raise InputError(f"{place}: pelvis height is {pose.root.height:g} m; expected more than 0, less than 3.")


def _check_path(path: RootPath, place: str) -> None:
    if not 1 <= len(path.points) <= MOST_POINTS:
        raise InputError(f"{place}: has {len(path.points)} points; expected 1 to {MOST_POINTS}.")
    for one, two in pairwise(path.points):
        if two.at - one.at < 1e-3:
            raise InputError(f"{place}: a point at {two.at:g} s follows one at {one.at:g} s; expected later ones.")
    if path.kind == "path" and len(path.points) < 2:
        raise InputError(f"{place}: a path of one point leads nowhere. Give a second, or kind waypoints.")


def _check_effector(effector: Effector, place: str) -> None:
    known("joint", effector.joint, EFFECTORS, place)
    if not 1 <= len(effector.keys) <= MOST_ITEMS:
        raise InputError(f"{place}: has {len(effector.keys)} keys; expected 1 to {MOST_ITEMS}.")
    for key in effector.keys:
        if key.hold < 0:
            raise InputError(f"{place}: hold is {key.hold:g} s; expected 0 or more.")
    for one, two in pairwise(effector.keys):
        if two.at < one.at + one.hold - 1e-9 or two.at - one.at < 1e-3:
            raise InputError(f"{place}: the key at {two.at:g} s begins before that at {one.at:g} s is over.")


def check_parts(parts: tuple[str, ...], place: str) -> None:
    """Raises InputError for no part, or one that is none of PARTS."""
    if not parts:
        raise InputError(f"{place}: names no part of the body; expected some of {', '.join(PARTS)}.")
    for part in parts:
        known("part", part, PARTS, place)


def known(what: str, name: str, names: Any, place: str) -> None:
    """Raises InputError unless `name` is one of `names`; the nearest is named."""
    if name not in names:
        from laban.config import nearest

        near = nearest(name, names)
        hope = f"did you mean {near!r}?" if near else f"known: {', '.join(names)}."
        raise InputError(f"{place}: unknown {what} {name!r}; {hope}")


def _finite(value: Any, place: str) -> None:
    """Raises InputError for numbers that are none, or beyond FARTHEST."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        if not (math.isfinite(value) and abs(value) <= FARTHEST):
            raise InputError(f"{place}: holds {value}; expected numbers within {FARTHEST:g}.")
    elif isinstance(value, tuple):
        for each in value:
            _finite(each, place)
    elif isinstance(value, Mapping):
        for each in value.values():
            _finite(each, place)
    elif hasattr(value, "__dataclass_fields__"):
        for each in fields(value):
            _finite(getattr(value, each.name), place)
