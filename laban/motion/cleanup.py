"""Contact-aware clean-up of generated motion: feet that stand still and above the floor.

Networks place joints frame by frame, so a foot at rest drifts by millimetres. Here the stretches in which a foot
stands are found from its height and speed, the toe is held in one place over each of them, and the leg is bent to
follow. What the body does above the knees stays as it was, unless a filter against tremble is asked for.

`clean` does this for the 22 joints that Laban generates. `tidy` does it for any humanoid: the legs are found by
`landmarks.perform`, bent as those of a T-pose, and the change is put on the rig's own joints; the rest of the body
keeps its rotations.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from laban.errors import InputError
from laban.motion import kinematics, rotation, tpose
from laban.motion.anatomy import match_motion
from laban.motion.easing import smoothstep
from laban.motion.landmarks import Performance, perform
from laban.motion.legs import HINGE, SIDES, bend, bend_limb, sink
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22

TREMBLE = 0.04  # seconds: standard deviation of the Gaussian
_SOLE = 0.045  # of the leg: how far a standing toe joint is above the floor, on rigs that are not ours
_UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class CleanupSettings:
    """Thresholds in metres, seconds and m/s."""

    smooth: float = 0.0  # standard deviation of a Gaussian over time; the shipped model does not tremble
    height: float = 0.075  # a standing toe is lower than this above the floor
    enter: float = 0.35  # speed below which a stretch of contact starts
    leave: float = 0.70  # speed above which it ends
    least: float = 0.12  # shorter stretches are no contact
    blend: float = 0.22  # how long a correction takes to fade
    airborne: float = 0.8  # seconds: no jump takes longer; whoever stays in the air is put down
    sole: float = 0.016  # height of a standing toe joint above the floor: the mannequin's shoe ends there


def clean(motion: Motion, settings: CleanupSettings | None = None) -> Motion:
    """Filter tremble, level the floor, put down who hangs in the air, hold standing feet, lift feet out of the floor.

    Args:
        motion: on a skeleton with HumanML3D's leg names, Y up, floor near 0.
        settings: how strongly; None: the defaults.
    Returns: Motion of the same skeleton, frames and fps; a skeleton without such legs is only smoothed.
    """
    settings = settings or CleanupSettings()
    motion = smooth(motion, settings.smooth)
    legs = [f"{side}_{name}" for side in SIDES for name in ("hip", "knee", "ankle", "foot")]
    if motion.frames < 4 or any(name not in motion.skeleton.names for name in legs):
        return motion
    skeleton = motion.skeleton
    world = kinematics.global_rotations(skeleton, motion.rotations)
    joints = kinematics.positions(skeleton, world, motion.root)
    toes = [skeleton.index(f"{side}_foot") for side in SIDES]
    floor = np.percentile(joints[..., 1].min(-1), 5) - settings.sole
    joints = joints - np.array([0.0, floor, 0.0])
    root = motion.root - np.array([0.0, floor, 0.0])
    lift = hanging(joints[..., 1].min(-1) - settings.sole, motion.fps, settings.airborne)[:, None] * _UP
    joints, root = joints - lift[:, None], root - lift

    ankles, hips = [], []
    for side, toe in zip(SIDES, toes, strict=True):
        shift = corrections(joints[:, toe], motion.fps, settings)
        ankle = joints[:, skeleton.index(f"{side}_ankle")] + shift
        ankle[:, 1] += np.maximum(0.0, settings.sole - (joints[:, toe, 1] + shift[:, 1]))  # out of the floor
        ankles.append(ankle)
        hips.append(joints[:, skeleton.index(f"{side}_hip")])
    drop = sink(skeleton, np.stack(hips, 1), np.stack(ankles, 1), motion.fps)[:, None] * np.array([0.0, 1.0, 0.0])
    for number, side in enumerate(SIDES):
        leg = [joints[:, skeleton.index(f"{side}_{name}")] for name in ("hip", "knee", "ankle")]
        bend(skeleton, world, side, hips[number] - drop, ankles[number], leg)
    rotations = rotation.continuous(kinematics.local_rotations(skeleton, world))
    return replace(motion, rotations=rotations, root=root - drop)


def hanging(low: np.ndarray, fps: float, longest: float, least: float = 0.05) -> np.ndarray:
    """How far a body is to be put down so that it is not in the air for longer than a jump.

    The lowest point's morphological opening over `longest` seconds: what is left of its height when every shorter spell
    near the floor has been spread over such a time. A jump leaves nothing.

    Args:
        low: (T,) metres of the lowest joint above the floor.
        fps: frames per second.
        longest: seconds that a jump may take.
        least: metres; where nothing hangs higher than this, nothing is changed.
    Returns: (T,) metres, 0 or more, smooth in time.
    """
    reach = max(1, round(longest * fps / 2))

    def spread(values: np.ndarray, pick: np.ufunc) -> np.ndarray:
        padded = np.pad(values, reach, "edge")
        return pick.reduce(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=-1)

    base = spread(spread(np.maximum(low, 0.0), np.minimum), np.maximum)
    return np.zeros(len(low)) if base.max() < least else np.maximum(filtered(base, 0.1 * fps), 0.0)


def smooth(motion: Motion, seconds: float) -> Motion:
    """Gaussian over time on rotations (as sign-continuous quaternions, normalised again) and root."""
    sigma = seconds * motion.fps
    rotations = rotation.normalise(filtered(rotation.continuous(motion.rotations), sigma))
    return replace(motion, rotations=rotations, root=filtered(motion.root, sigma))


def filtered(values: np.ndarray, sigma: float) -> np.ndarray:
    """(T, ...) under a Gaussian over time, whose standard deviation is `sigma` frames; the ends keep their slopes."""
    reach = int(np.ceil(3 * sigma))
    if reach < 1 or len(values) < 3:
        return values
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-6)) ** 2)
    taps /= taps.sum()
    ends = [(reach, reach)] + [(0, 0)] * (values.ndim - 1)
    if len(values) > reach:
        padded = np.pad(values, ends, "reflect", reflect_type="odd")
    else:
        padded = np.pad(values, ends, "edge")
    return np.lib.stride_tricks.sliding_window_view(padded, len(taps), axis=0) @ taps


def contacts(toe: np.ndarray, fps: float, settings: CleanupSettings | None = None) -> list[tuple[int, int]]:
    """Half-open frame ranges in which a toe (T, 3) stands: low, and slow with hysteresis."""
    settings = settings or CleanupSettings()
    speed = np.linalg.norm(np.gradient(toe, axis=0), axis=-1) * fps
    low = toe[:, 1] < settings.height
    runs, start = [], None
    for frame in range(len(toe) + 1):
        limit = settings.enter if start is None else settings.leave
        inside = frame < len(toe) and low[frame] and speed[frame] < limit
        if inside and start is None:
            start = frame
        elif not inside and start is not None:
            if (frame - start) / fps >= settings.least:
                runs.append((start, frame))
            start = None
    return runs


def corrections(toe: np.ndarray, fps: float, settings: CleanupSettings, pinned: Collection[int] = ()) -> np.ndarray:
    """(T, 3) metres to add so that the toe stays in one place over each contact, fading in between.

    Args:
        toe: (T, 3) metres, the floor at 0.
        fps: frames per second.
        settings: what a contact is.
        pinned: frames in which it stays where it is; a contact around one is held there.
    """
    shift = np.zeros_like(toe)
    runs = contacts(toe, fps, settings)
    fade = max(1, round(settings.blend * fps))
    for start, end in runs:
        held = [frame for frame in pinned if start <= frame < end]
        anchor = toe[held].mean(0) if held else toe[start:end].mean(0)
        anchor[1] = max(anchor[1], settings.sole)
        shift[start:end] = anchor - toe[start:end]
    edges = [(0, None)] + [(end, shift[end - 1]) for _, end in runs]
    starts = [(start, shift[start]) for start, _ in runs] + [(len(toe), None)]
    for (first, before), (last, after) in zip(edges, starts, strict=True):
        frames = np.arange(first, last)
        if before is not None:
            shift[first:last] += _ease(1 - (frames - first + 1) / min(fade, last - first + 1))[:, None] * before
        if after is not None:
            shift[first:last] += _ease(1 - (last - frames) / min(fade, last - first + 1))[:, None] * after
    return shift


def _ease(x: np.ndarray) -> np.ndarray:
    return smoothstep(np.clip(x, 0.0, 1.0))


def tidy(motion: Motion, *, foot_lock: bool = False, ground: bool = False, tremble: float = 0.0) -> Motion:
    """Clean a motion up.

    Args:
        motion: a humanoid whose joints `anatomy.match` knows, metres, Y up.
        foot_lock: hold each foot in one place while it stands, and bend its leg to suit.
        ground: put the floor at height 0.
        tremble: seconds of a Gaussian over time; 0 leaves it.
    Returns: Motion of the same skeleton, frames and fps.
    Raises: InputError if the joints are not recognised.
    """
    motion = smooth(motion, tremble) if tremble > 0 else motion
    if motion.frames < 4 or not (foot_lock or ground):
        return motion
    done = perform(motion)
    floor = floor_of(motion, done)
    if ground:
        motion = replace(motion, root=motion.root - floor * _UP)
        done = replace(done, joints=done.joints - floor * _UP, low=done.low - floor)
        floor = 0.0
    return _locked(motion, done, floor) if foot_lock else motion


def sole_of(motion: Motion, done: Performance) -> float:
    """How far a standing toe joint is above the floor, metres."""
    return CleanupSettings().sole if motion.skeleton.same_tree(HUMANML22) else _SOLE * done.leg


def floor_of(motion: Motion, done: Performance) -> float:
    """The height of the floor on which a performer stands, metres, from their lowest toes."""
    return float(done.low[1]) - sole_of(motion, done)


def _locked(motion: Motion, done: Performance, floor: float) -> Motion:
    sole = sole_of(motion, done)
    settings = CleanupSettings(sole=sole, height=sole + 0.06)
    legs, world = _legs(done)
    hips = np.stack([done.of(f"{s}_hip") for s in SIDES], 1)
    ankles = []
    for side in SIDES:
        toe = done.of(f"{side}_foot") - floor * _UP
        shift = corrections(toe, done.fps, settings)
        lift = np.maximum(0.0, sole - (toe + shift)[:, 1])
        ankles.append(done.of(f"{side}_ankle") + shift + lift[:, None] * _UP)
    drop = sink(legs, hips, np.stack(ankles, 1), done.fps)[:, None] * _UP
    turns = kinematics.global_rotations(motion.skeleton, motion.rotations)
    mapping = match_motion(motion).joints
    for number, side in enumerate(SIDES):
        chain = [legs.index(f"{side}_{name}") for name in tpose.LEG]
        before = world[:, chain[:2]].copy()
        leg = [done.of(f"{side}_{name}") for name in tpose.LEG]
        bend_limb(legs, world, chain, HINGE, hips[:, number] - drop, ankles[number], leg)
        change = rotation.multiply(world[:, chain[:2]], rotation.conjugate(before))
        hip, knee, ankle = (_under(motion.skeleton, mapping[f"{side}_{name}"]) for name in tpose.LEG)
        for joints, turn in ((hip - knee, change[:, 0]), (knee - ankle, change[:, 1])):
            for joint in joints:
                turns[:, joint] = rotation.multiply(turn, turns[:, joint])
    rotations = rotation.continuous(kinematics.local_rotations(motion.skeleton, turns))
    return replace(motion, rotations=rotations, root=motion.root - drop)


def _under(skeleton: Skeleton, joint: int) -> set[int]:
    found = [joint]
    for item in found:
        found.extend(skeleton.children(item))
    return set(found)


def _legs(done: Performance) -> tuple[Skeleton, np.ndarray]:
    """The performer's legs in the T-pose, and their turns (T, 7, 4)."""
    names, parents, offsets = ["pelvis"], [-1], [np.zeros(3)]
    for side in SIDES:
        chain = [f"{side}_{name}" for name in tpose.LEG]
        for number, name in enumerate(chain):
            parents.append(0 if number == 0 else len(names) - 1)
            names.append(name)
            if number == 0:
                offsets.append(np.zeros(3))
            else:
                above = chain[number - 1]
                length = float(np.median(np.linalg.norm(done.of(name) - done.of(above), axis=-1)))
                offsets.append(tpose.direction(above, name) * length)
    if min(np.linalg.norm(o) for o, n in zip(offsets, names, strict=True) if n.endswith(("knee", "ankle"))) < 1e-6:
        raise InputError("clean: a leg has no length; a body was expected.")
    return Skeleton("legs", tuple(names), tuple(parents), np.array(offsets)), np.stack([done.turn(n) for n in names], 1)
