"""How people walk and run: standing feet, the rhythm of the steps, knees, slides, and whether anyone hangs in the air.

Pure functions of joints (T, 22, 3) in metres, Y up, HUMANML22's order. The thresholds were set at 20 fps: resample
first. They are definitions of ours, chosen so that captured walks and runs pass: each is said at its function.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from laban.motion.phase import peaks

ROOT = 0
ANKLES, TOES = (7, 8), (10, 11)
LEGS = ((1, 4, 7), (2, 5, 8))
LONGEST_JUMP = 0.8  # seconds: whoever is longer in the air hangs there
STANDS = 0.35  # m/s: a standing foot point is slower


@dataclass(frozen=True)
class Gait:
    """Measures of one motion.

    Attributes:
        no_standing_foot: share of frames whose slowest foot point moves faster than 0.35 m/s.
        stride_cv: standard deviation of stride times over their mean; NaN for fewer than four strides.
        knee_range: degrees from the 2 % to the 98 % quantile of the knees' interior angles, mean of both.
        slide: metres between the two ends of a toe's spells near the floor, mean; NaN without one.
        hover: seconds of the longest spell with no foot within 5 cm of the floor.
        speed: metres per second of the root over the floor, mean.
    """

    no_standing_foot: float
    stride_cv: float
    knee_range: float
    slide: float
    hover: float
    speed: float


def gait(joints: np.ndarray, fps: float) -> Gait:
    """All measures of one motion.

    Args:
        joints: (T, 22, 3) metres, world, T of 3 or more.
        fps: frames per second.
    """
    strides = np.concatenate([stride_times(joints, fps, side) for side in (0, 1)])
    moves = np.linalg.norm(np.diff(joints[:, ROOT][:, [0, 2]], axis=0), axis=-1) * fps
    return Gait(
        no_standing_foot(joints, fps),
        float(strides.std() / strides.mean()) if len(strides) > 3 else float("nan"),
        knee_range(joints),
        slide_per_contact(joints, fps),
        hover(joints, fps),
        float(moves.mean()),
    )


def no_standing_foot(joints: np.ndarray, fps: float) -> float:
    """Share of frames in which the slowest of ankles and toes is faster than STANDS (central differences)."""
    points = joints[:, [*ANKLES, *TOES]]
    speed = np.linalg.norm(points[2:] - points[:-2], axis=-1) * fps / 2
    return float((speed.min(1) > STANDS).mean())


def stride_times(joints: np.ndarray, fps: float, side: int) -> np.ndarray:
    """Seconds between the forward peaks of one ankle (side 0 left, 1 right) relative to the root, along the heading."""
    return np.diff(peaks(joints, fps, side)) / fps


def knee_range(joints: np.ndarray) -> float:
    """Degrees, see Gait."""
    ranges = []
    for hip, knee, ankle in LEGS:
        thigh, shin = joints[:, hip] - joints[:, knee], joints[:, ankle] - joints[:, knee]
        cosine = (thigh * shin).sum(-1) / np.linalg.norm(thigh, axis=-1) / np.linalg.norm(shin, axis=-1)
        low, high = np.quantile(np.degrees(np.arccos(np.clip(cosine, -1, 1))), [0.02, 0.98])
        ranges.append(high - low)
    return float(np.mean(ranges))


def slide_per_contact(joints: np.ndarray, fps: float) -> float:
    """Metres, see Gait; near the floor: within 2.5 cm of the toe's own 5 % height, for 0.1 s or longer."""
    slides = []
    for toe in TOES:
        path = joints[:, toe]
        low = path[:, 1] < np.quantile(path[:, 1], 0.05) + 0.025
        for first, last in spells(low):
            if last - first >= 0.1 * fps:
                slides.append(np.linalg.norm((path[last - 1] - path[first])[[0, 2]]))
    return float(np.mean(slides)) if slides else float("nan")


def hover(joints: np.ndarray, fps: float) -> float:
    """Seconds, see Gait. The floor is y = 0, or the clip's own 5 % of the lowest foot where that is lower."""
    feet = np.minimum(joints[:, TOES, 1], joints[:, ANKLES, 1] - 0.06).min(1)
    floor = min(0.0, float(np.quantile(feet, 0.05)))
    return max((last - first for first, last in spells(feet > floor + 0.05)), default=0) / fps


def airborne(joints: np.ndarray, fps: float) -> float:
    """Seconds of the longest spell in which nothing bears the body: no foot near the floor, and no other joint either.

    As `hover`, but whoever lies, sits on the floor or stands on the hands is borne: a hip, knee, elbow, wrist or the
    head is lower than 20 cm.
    """
    feet = np.minimum(joints[:, TOES, 1], joints[:, ANKLES, 1] - 0.06).min(1)
    floor = min(0.0, float(np.quantile(feet, 0.05)))
    others = joints[:, [at for at in range(joints.shape[1]) if at not in (*ANKLES, *TOES)], 1].min(1)
    free = (feet > floor + 0.05) & (others > floor + 0.20)
    return max((last - first for first, last in spells(free)), default=0) / fps


def spells(mask: np.ndarray) -> list[tuple[int, int]]:
    """[first, last) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(mask, np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
