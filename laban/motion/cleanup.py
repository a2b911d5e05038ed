"""Contact-aware clean-up of generated motion: feet that stand still and above the floor.

Networks place joints frame by frame, so a foot at rest drifts by millimetres. Here the stretches in which a foot
stands are found from its height and speed, the toe is held in one place over each of them, and the leg is bent to
follow. What the body does above the knees stays as it was, unless a filter against tremble is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from laban.motion import kinematics, rotation
from laban.motion.clip import Motion
from laban.motion.easing import smoothstep
from laban.motion.legs import SIDES, bend, sink


@dataclass(frozen=True)
class CleanupSettings:
    """Thresholds in metres, seconds and m/s."""

    smooth: float = 0.0  # standard deviation of a Gaussian over time; the shipped model does not tremble
    height: float = 0.075  # a standing toe is lower than this above the floor
    enter: float = 0.35  # speed below which a stretch of contact starts
    leave: float = 0.70  # speed above which it ends
    least: float = 0.12  # shorter stretches are no contact
    blend: float = 0.22  # how long a correction takes to fade
    sole: float = 0.016  # height of a standing toe joint above the floor: the mannequin's shoe ends there


def clean(motion: Motion, settings: CleanupSettings | None = None) -> Motion:
    """Filter tremble, level the floor, hold standing feet, lift feet out of the floor.

    Args:
        motion: on a skeleton with HumanML3D's leg names, Y up, floor near 0.
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


def corrections(toe: np.ndarray, fps: float, settings: CleanupSettings) -> np.ndarray:
    """(T, 3) metres to add so that the toe stays in one place over each contact, fading in between."""
    shift = np.zeros_like(toe)
    runs = contacts(toe, fps, settings)
    fade = max(1, round(settings.blend * fps))
    for start, end in runs:
        anchor = toe[start:end].mean(0)
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
