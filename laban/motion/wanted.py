"""What goals ask of one motion, in its own frames and world: poses, places of joints, places of the travel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from laban.motion import kinematics, rotation
from laban.motion.constraints import Effector, PoseKey, RootPath
from laban.motion.curves import Curve
from laban.motion.motion import NEARLY_UNIT, Motion
from laban.motion.parts import joints_of
from laban.motion.travel import Travel

BETWEEN = 0.1  # seconds between the places of a path that are looked at


def frame_of(motion: Motion, at: float) -> int:
    """The frame nearest to a moment, within the motion."""
    return int(np.clip(round(at * motion.fps), 0, motion.frames - 1))


@dataclass(frozen=True, eq=False)
class WantedPose:
    """A key pose where a motion is at that moment.

    Attributes:
        frame: of the motion.
        joints: numbers of the joints that are asked for.
        rotations: (J, 4) of the whole body: those asked for, and the motion's own.
        root: (3,) metres.
        held: (J, 3) metres, world: all joints in that pose.
    """

    frame: int
    joints: list[int]
    rotations: np.ndarray
    root: np.ndarray
    held: np.ndarray


def pose(motion: Motion, key: PoseKey) -> WantedPose:
    """A key pose, placed where it says, or where the motion is.

    The pelvis' tilt is the key's; its turn about the vertical is the root's heading, or the motion's own.
    """
    frame, skeleton = frame_of(motion, key.at), motion.skeleton
    rotations, root = motion.rotations[frame].copy(), motion.root[frame].copy()
    counted = set(joints_of(key.parts, skeleton))
    joints = [j for j, name in enumerate(skeleton.names) if name in key.rotations and j in counted]
    heading = facing_of(rotations[0])
    for joint in joints:
        turn = np.array(key.rotations[skeleton.names[joint]], np.float64)
        if abs((turn * turn).sum() - 1.0) > NEARLY_UNIT:  # otherwise bit for bit
            turn = rotation.normalise(turn)
        rotations[joint] = turn if joint else turned_to(turn, heading)
    asked = key.root
    if asked is not None:
        if asked.xz is not None:
            root[[0, 2]] = asked.xz
        if asked.height is not None:
            root[1] = asked.height
        if asked.heading is not None:
            rotations[0] = turned_to(rotations[0], asked.heading)
    return WantedPose(frame, joints, rotations, root, kinematics.forward(skeleton, rotations, root))


def facing_of(turn: np.ndarray) -> float:
    """Radians about +Y that a pelvis' rotation (4,) faces."""
    forward = rotation.rotate(turn, np.array([0.0, 0.0, 1.0]))
    return float(np.arctan2(forward[0], forward[2]))


def turned_to(turn: np.ndarray, heading: float) -> np.ndarray:
    """A pelvis' rotation (4,), turned about the vertical until it faces `heading`."""
    return rotation.multiply(rotation.yaw(np.array(heading - facing_of(turn))), turn)


def effector(motion: Motion, asked: Effector, travel: Travel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where a joint is to be.

    Args:
        motion: the frames are its own.
        asked: the places.
        travel: of the motion, for places relative to it.
    Returns: frames (G,), the key that each belongs to (G,), and places (G, 3) metres, world.
    """
    frames: list[int] = []
    keys: list[int] = []
    for number, key in enumerate(asked.keys):
        span = range(frame_of(motion, key.at), frame_of(motion, key.at + key.hold) + 1)
        frames += span
        keys += [number] * len(span)
    places = np.array([asked.keys[k].position for k in keys])
    if asked.space == "root":
        places = rotation.rotate(travel.turn[frames], places) + travel.place[frames]
    return np.array(frames), np.array(keys), places


@dataclass(frozen=True, eq=False)
class WantedPath:
    """A path in a motion's frames.

    Attributes:
        points: (K,) frames of the points.
        places: (K, 2) metres of the points.
        between: (M,) frames at which the curve is looked at; of a path only.
        curve: (M, 2) metres.
    """

    points: np.ndarray
    places: np.ndarray
    between: np.ndarray
    curve: np.ndarray


def path(motion: Motion, asked: RootPath) -> WantedPath:
    """Where the travel is to be, at the points and, of a path, every tenth of a second between them."""
    times = np.array([p.at for p in asked.points])
    places = np.array([p.xz for p in asked.points], np.float64)
    frames = np.array([frame_of(motion, t) for t in times])
    if asked.kind != "path" or len(times) < 2:
        return WantedPath(frames, places, np.zeros(0, int), np.zeros((0, 2)))
    curve = Curve.through(places, times)
    between = np.arange(frames[0], frames[-1] + 1, max(1, round(BETWEEN * motion.fps)))
    return WantedPath(frames, places, between, curve.at(curve.progress(between / motion.fps)))
