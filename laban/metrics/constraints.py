"""How near a motion comes to what its author asked, and what it pays for that: slides, jerks, bones, bends.

Hits alone can be cheated: a statue that slides, a body that jumps for one frame. So every score of hits stands beside
the `Quality` of the motion, compared with the same sample unconstrained, and `tests/metrics/test_constraint_rows.py`
holds rows that cheat and must be found out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from laban.errors import ShapeError
from laban.metrics import gait, physics
from laban.metrics.samples import finite
from laban.motion import kinematics, rotation, travel, wanted
from laban.motion.constraints import HEADING_DEGREES, POSE_DEGREES, Effector, Goals, PoseKey, RootPath
from laban.motion.motion import Motion

CONTACT_SPEED = 0.002  # m/s of a joint that is asked to rest
PATH_MEAN, PATH_P95 = 2.0, 5.0  # times the tolerance: what a path may be off on the mean, and in 95 of 100 places
CALM, CALM_PEAK = 30.0, 120.0  # m/s^3: ratios are to no less, or who hardly moves could not move at all
STANDING_SKATE = 0.15  # m/s: below this nothing slides, whatever the ratio
LIMITS = {"skate": 1.2, "dense_skate": 1.5, "jerk": 1.3, "spike": 2.0, "bone": 0.001, "hinge": -2.0, "spine": 60.0,
          "facing": 5.0, "afloat": 0.3}  # fmt: skip
"""What `faults` allows: ratios to the reference, metres, degrees; a hinge also as far as it bends in the reference."""
HINGES = {"left_knee": (1.0, 0.0, 0.0), "right_knee": (1.0, 0.0, 0.0), "left_elbow": (0.0, -1.0, 0.0),
          "right_elbow": (0.0, 1.0, 0.0)}  # fmt: skip
SPINE = ("spine1", "spine2", "spine3", "neck")
FRAMES = 4  # the fewest of a motion that has a jerk


@dataclass(frozen=True)
class Reached:
    """How near one goal was come to.

    Attributes:
        id: of the goal; its kind and number where it has none.
        type: pose, path or effector.
        error_m: metres: of a pose the farthest joint; of waypoints the farthest; of a path the mean; of an effector the
            farthest moment.
        degrees: of a pose the largest joint angle off; of a path the largest heading off at points that have one.
        tolerance: metres.
        hit: whether all that was asked holds.
        unreachable: the solver found that the place cannot be reached.
    """

    id: str
    type: str
    error_m: float
    degrees: float
    tolerance: float
    hit: bool
    unreachable: bool = False

    def record(self) -> dict[str, Any]:
        """JSON-able."""
        return {k: round(v, 5) if isinstance(v, float) else v for k, v in asdict(self).items()}


def reached(motion: Motion, goals: Goals, *, circular: bool = False) -> tuple[Reached, ...]:
    """Every goal measured on a motion.

    Args:
        motion: on the 22 joints, with the author's world as its own.
        goals: with rotations in every pose.
        circular: the motion is a cycle (for its travel).
    Returns: in the order poses, paths, effectors.
    """
    way = travel.of(motion, circular=circular)
    joints = motion.joints()
    found = [_pose(motion, joints, key, f"poses[{n}]") for n, key in enumerate(goals.poses)]
    found += [_path(motion, way, path, f"paths[{n}]") for n, path in enumerate(goals.paths)]
    return (*found, *(_effector(motion, joints, way, e, f"effectors[{n}]") for n, e in enumerate(goals.effectors)))


def _pose(motion: Motion, joints: np.ndarray, key: PoseKey, name: str) -> Reached:
    asked = wanted.pose(motion, key)
    error = float(np.linalg.norm(asked.held - joints[asked.frame], axis=-1).max())
    turns = [*asked.joints, *([0] if key.root is not None and key.root.heading is not None else [])]
    off = _angle(asked.rotations[turns], motion.rotations[asked.frame][turns])
    degrees = float(off.max()) if len(off) else 0.0
    return Reached(
        key.id or name, "pose", error, degrees, key.tolerance, error <= key.tolerance and degrees <= POSE_DEGREES
    )


def _path(motion: Motion, way: travel.Travel, path: RootPath, name: str) -> Reached:
    asked = wanted.path(motion, path)
    at_points = np.linalg.norm(way.xz[asked.points] - asked.places, axis=-1)
    error, ok = float(at_points.max()), bool(at_points.max() <= path.tolerance)
    if len(asked.between):
        off = np.linalg.norm(way.xz[asked.between] - asked.curve, axis=-1)
        error = float(off.mean())
        ok = error <= PATH_MEAN * path.tolerance and float(np.percentile(off, 95)) <= PATH_P95 * path.tolerance
    turns = [
        abs((way.yaw[frame] - point.heading + np.pi) % (2 * np.pi) - np.pi)
        for frame, point in zip(asked.points, path.points, strict=True)
        if point.heading is not None
    ]
    degrees = float(np.degrees(max(turns, default=0.0)))
    return Reached(path.id or name, "path", error, degrees, path.tolerance, ok and degrees <= HEADING_DEGREES)


def _effector(motion: Motion, joints: np.ndarray, way: travel.Travel, asked: Effector, name: str) -> Reached:
    frames, keys, places = wanted.effector(motion, asked, way)
    there = joints[frames, motion.skeleton.index(asked.joint)]
    error = float(np.linalg.norm(there - places, axis=-1).max())
    ok = error <= asked.tolerance
    if asked.contact and len(frames) > 1:
        same = np.diff(keys) == 0
        speed = np.linalg.norm(np.diff(there, axis=0), axis=-1)[same] * motion.fps
        ok = ok and bool((speed <= CONTACT_SPEED).all())
    return Reached(asked.id or name, "effector", error, 0.0, asked.tolerance, ok)


def _angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Degrees between rotations (..., 4)."""
    return np.degrees(np.linalg.norm(rotation.to_axis_angle(rotation.multiply(a, rotation.conjugate(b))), axis=-1))


# Errors over many goals, as the field reports them


def hit_errors(errors: np.ndarray) -> dict[str, float]:
    """Mean, 95th percentile and maximum of errors in metres, as centimetres. Raises: ShapeError for none."""
    errors = np.asarray(errors, np.float64).ravel()
    if not len(errors):
        raise ShapeError("metrics.hit_errors: no error was given; expected one per key.")
    return {
        "mean": 100 * float(errors.mean()), "p95": 100 * float(np.percentile(errors, 95)),
        "max": 100 * float(errors.max()),
    }  # fmt: skip


def trajectory_error(clips: Sequence[np.ndarray], limit: float = 0.5) -> float:
    """Share of clips with any controlled frame off by more than `limit` metres.

    Args:
        clips: per clip (K,) metres: the mean error over the joints controlled in each controlled frame.
        limit: metres; 0.5 and 0.2 are usual.
    Source: Karunratanakul et al., "Guided Motion Diffusion" (ICCV 2023), section 5; Xie et al., "OmniControl" (2024).
    """
    return float(np.mean([bool((np.asarray(c) > limit).any()) for c in _clips(clips)]))


def location_error(clips: Sequence[np.ndarray], limit: float = 0.5) -> float:
    """Share of controlled frames off by more than `limit` metres; as `trajectory_error`."""
    return float((np.concatenate([np.ravel(c) for c in _clips(clips)]) > limit).mean())


def average_error(clips: Sequence[np.ndarray]) -> float:
    """Mean error in metres over controlled frames; as `trajectory_error`."""
    return float(np.concatenate([np.ravel(c) for c in _clips(clips)]).mean())


def _clips(clips: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
    if not len(clips) or any(not np.size(c) for c in clips):
        raise ShapeError("metrics.constraints: expected errors of one controlled frame or more in every clip.")
    return clips


def root2d(places: np.ndarray, asked: np.ndarray) -> dict[str, float]:
    """Horizontal errors of a root: mean and p95 in cm, and the share of frames within 10 cm.

    Args:
        places: (K, 2) metres.
        asked: (K, 2) metres.
    Source: the definitions that Kimodo's benchmark documents (mean xz distance; share within 10 cm; p95).
    """
    off = np.linalg.norm(np.asarray(places) - np.asarray(asked), axis=-1)
    return {
        "mean": 100 * float(off.mean()),
        "p95": 100 * float(np.percentile(off, 95)),
        "within": float((off <= 0.1).mean()),
    }


# What a motion pays


@dataclass(frozen=True)
class Quality:
    """What a motion is like, whatever it was asked. Ratios are to a reference; 1 without one.

    Attributes:
        skate: m/s of feet near the floor (`physics.skate`).
        skate_ratio: of skate.
        jerk_ratio: of mean jerk, or to CALM where the reference has less.
        spike: of the largest jerk of any frame, or to CALM_PEAK.
        bone: metres by which any bone's length changes.
        hinge: degrees; the least bend of any knee or elbow, below 0 the wrong way.
        spine: degrees; the largest rotation of any joint of the spine against the one below.
        hinge_less: by how much that is less than the reference's.
        facing: degrees between facing and travel, mean where it moves.
        facing_more: by how much that is more than the reference's.
        afloat: share of frames in which no foot stands (`gait.no_standing_foot`): all, of whoever slides.
        afloat_more: by how much that is more than the reference's.
        penetration: metres of the lowest joint below the floor, mean.
        floating: metres of the lowest joint above the floor, mean.
    """

    skate: float
    skate_ratio: float
    jerk_ratio: float
    spike: float
    bone: float
    hinge: float
    spine: float
    hinge_less: float
    facing: float
    facing_more: float
    afloat: float
    afloat_more: float
    penetration: float
    floating: float

    def record(self) -> dict[str, float]:
        """JSON-able, rounded."""
        return {k: round(v, 4) for k, v in asdict(self).items()}


def quality(motion: Motion, reference: Motion | None = None, joints: np.ndarray | None = None) -> Quality:
    """What a motion is like, beside the same sample unconstrained.

    Args:
        motion: on the 22 joints.
        reference: at the same rate; None: ratios are 1.
        joints: (T, 22, 3) metres, where they are not those of the motion's own bones.
    """
    own = motion.joints() if joints is None else finite("metrics.quality", "joints", joints)
    skate = float(physics.skate(own, motion.fps))
    hinge, spine = bends(motion)
    facing = float(facing_off(motion))
    afloat = gait.no_standing_foot(own, motion.fps)
    ratios = (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)
    if reference is not None:
        other = reference.joints()
        a, b = _jerks(own, motion.fps), _jerks(other, reference.fps)
        was = float(physics.skate(other, reference.fps))
        ratios = (
            max(skate, 1e-3) / max(was, 1e-3), float(a.mean() / max(b.mean(), CALM)),
            float(a.max() / max(b.max(), CALM_PEAK)),
            facing - float(facing_off(reference)), bends(reference)[0] - hinge,
            afloat - gait.no_standing_foot(other, reference.fps),
        )  # fmt: skip
    bones = np.linalg.norm(own[:, 1:] - own[:, list(motion.skeleton.parents[1:])], axis=-1)
    return Quality(
        skate, ratios[0], ratios[1], ratios[2], float(np.abs(bones - motion.skeleton.lengths[1:]).max()), hinge, spine,
        ratios[4], facing, ratios[3], afloat, ratios[5], float(physics.penetration(own)), float(physics.floating(own)),
    )  # fmt: skip


def faults(made: Quality, *, dense: bool = False) -> tuple[str, ...]:
    """Which limits a motion breaks (names in LIMITS), none if it may stand.

    Args:
        made: its quality beside the unconstrained sample.
        dense: a path was asked for throughout, to which feet slide a little more.
    """
    most = LIMITS["dense_skate" if dense else "skate"]
    broken = {
        "skate": made.skate > STANDING_SKATE and made.skate_ratio > most,
        "jerk": made.jerk_ratio > LIMITS["jerk"],
        "spike": made.spike > LIMITS["spike"],
        "bone": made.bone > LIMITS["bone"],
        "hinge": made.hinge < LIMITS["hinge"] and made.hinge_less > -LIMITS["hinge"],
        "spine": made.spine > LIMITS["spine"],
        "facing": made.facing_more > LIMITS["facing"],
        "afloat": made.afloat_more > LIMITS["afloat"],
    }
    return tuple(name for name, is_broken in broken.items() if is_broken)


def bends(motion: Motion) -> tuple[float, float]:
    """Degrees: the least bend of any knee or elbow about its hinge, the largest rotation of a joint of the spine."""
    least, most = 180.0, 0.0
    for name, axis in HINGES.items():
        turn = rotation.to_axis_angle(motion.rotations[:, motion.skeleton.index(name)])
        least = min(least, float(np.degrees((turn * np.array(axis)).sum(-1)).min()))
    for name in SPINE:
        turn = rotation.to_axis_angle(motion.rotations[:, motion.skeleton.index(name)])
        most = max(most, float(np.degrees(np.linalg.norm(turn, axis=-1)).max()))
    return least, most


def facing_off(motion: Motion) -> float:
    """Degrees between facing and the way of the travel, mean over frames weighted by speed; 0 for who stays."""
    way = travel.of(motion)
    weight = np.where(way.speed > travel.SLOW, way.speed, 0.0)
    if weight.sum() < 1e-6:
        return 0.0
    off = np.abs((way.direction() - way.yaw + np.pi) % (2 * np.pi) - np.pi)
    return float(np.degrees((off * weight).sum() / weight.sum()))


def apart(one: Motion, two: Motion) -> np.ndarray:
    """(T,) metres: the farthest joint between two motions, each frame seen from its own root's place and heading."""
    seen = [
        kinematics.forward(m.skeleton, travel.taken_out(m, travel.of(m)).rotations, m.root * np.array([0.0, 1.0, 0.0]))
        for m in (one, two)
    ]
    return np.linalg.norm(seen[0] - seen[1], axis=-1).max(-1)


def _jerks(joints: np.ndarray, fps: float) -> np.ndarray:
    """(T - 3,) m/s^3, mean over joints."""
    if len(joints) < FRAMES:
        raise ShapeError(f"metrics.quality: {len(joints)} frames; expected {FRAMES} or more.")
    return np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1).mean(-1) * fps**3
