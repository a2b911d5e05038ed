"""Sixteen timelines from a desk, not from data: ten that can be done and six that cannot."""

from __future__ import annotations

from laban.authoring.timeline import Prompt, Timeline
from laban.motion.constraints import Effector, EffectorKey, PathPoint, RootPath

Places = tuple[tuple[float, float, float], ...]  # seconds, x, z


def _walk(length: float, places: Places, text: str = "a person walks forward", kind: str = "waypoints") -> Timeline:
    points = tuple(PathPoint(t, (x, z)) for t, x, z in places)
    path = RootPath(points, kind="path" if kind == "path" else "waypoints")
    return Timeline(length, prompts=(Prompt(0.0, length, text),), paths=(path,))


def _reach(length: float, text: str, joint: str, at: float, place: tuple[float, float, float]) -> Timeline:
    effector = Effector(joint, (EffectorKey(at, place, 0.2),))
    start = RootPath((PathPoint(0.0, (0.0, 0.0), 0.0),))
    return Timeline(length, prompts=(Prompt(0.0, length, text),), paths=(start,), effectors=(effector,))


STANDS = "a person stands still"
CASES: tuple[tuple[str, bool, Timeline], ...] = (
    ("straight walk", True, _walk(5.0, ((0, 0, 0), (4.5, 0, 3.2)))),
    ("walk in an S", True, _walk(6.0, ((0, 0, 0), (2, 0.5, 1.5), (4, -0.3, 2.9), (5.9, 0, 4.3)))),
    ("quarter circle", True, _walk(5.0, ((0, 0, 0), (2, 0.3, 1.4), (3.5, 1.0, 2.2), (4.9, 2.0, 2.6)), kind="path")),
    ("run ahead", True, _walk(3.0, ((0, 0, 0), (2.9, 0, 7.5)), "a person runs forward")),
    ("diagonal walk", True, _walk(5.0, ((0, 0, 0), (4.8, 1.5, 3.0)))),
    ("switch on the wall", True, _reach(4.0, STANDS, "right_wrist", 2.0, (-0.3, 1.3, 0.35))),
    ("something on the floor ahead", True, _reach(4.0, STANDS, "left_wrist", 2.0, (0.25, 0.9, 0.4))),
    ("foot on a step", True, _reach(4.0, STANDS, "right_foot", 2.0, (-0.12, 0.2, 0.35))),
    ("high shelf", True, _reach(4.0, STANDS, "right_wrist", 2.0, (-0.2, 1.75, 0.25))),
    ("nod forward", True, _reach(4.0, STANDS, "head", 2.0, (0.0, 1.45, 0.2))),
    ("stands, and is to be two metres away", False, _walk(4.0, ((0, 0, 0), (4, 0, 2.0)), STANDS)),
    ("walks, and is to go at 3 m/s", False, _walk(4.0, ((0, 0, 0), (4, 0, 12.0)))),
    ("walks, and is to take 4 s for a metre", False, _walk(4.0, ((0, 0, 0), (4, 0, 0.9)))),
    ("turns on its heel in full walk", False, _walk(4.0, ((0, 0, 0), (2, 0, 1.6), (4, 0.05, 0.1)))),
    ("hand three metres up", False, _reach(4.0, STANDS, "right_wrist", 2.0, (0.0, 3.0, 0.2))),
    ("hand two metres aside", False, _reach(4.0, STANDS, "left_wrist", 2.0, (2.2, 1.2, 0.0))),
)
"""Name, whether it can be done, and the timeline."""
