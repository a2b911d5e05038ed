"""Travel: where a motion goes over the floor and which way it faces, without the sway of the single steps.

Travel is the pelvis under a Hann window of a second. What is left when it is taken out is sway, surge and height; feet
in contact then move backward at the speed of travel, as on a treadmill. Game engines want it apart ("root motion").
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from laban.errors import InputError
from laban.motion import rotation
from laban.motion.motion import Motion

WINDOW = 1.0  # seconds
SLOW = 0.12  # m/s: below this the direction of travel is not known


@dataclass(frozen=True, eq=False)
class Travel:
    """Place and heading of a motion's travel.

    Attributes:
        xz: (T, 2) metres.
        yaw: (T,) radians about +Y, unwrapped.
        fps: frames per second.
    """

    xz: np.ndarray
    yaw: np.ndarray
    fps: float

    @property
    def speed(self) -> np.ndarray:
        """(T,) m/s over the floor."""
        return (
            np.linalg.norm(np.gradient(self.xz, axis=0), axis=-1) * self.fps if len(self.xz) > 1 else self.xz[:, 0] * 0
        )

    @property
    def turn(self) -> np.ndarray:
        """(T, 4) the headings as rotations."""
        return rotation.yaw(self.yaw)

    @property
    def place(self) -> np.ndarray:
        """(T, 3) metres, on the floor."""
        return np.stack([self.xz[:, 0], np.zeros(len(self.xz)), self.xz[:, 1]], -1)

    def direction(self) -> np.ndarray:
        """(T,) radians: which way the travel leads, unwrapped; between its neighbours where it hardly moves.

        Where it never moves, its heading.
        """
        reach = max(1, round(0.2 * self.fps))
        padded = np.pad(self.xz, [(reach, reach), (0, 0)], "edge")
        step = padded[2 * reach :] - padded[: -2 * reach]
        moves = np.linalg.norm(step, axis=-1) * self.fps / (2 * reach) > SLOW
        if not moves.any():
            return self.yaw.copy()
        at = np.flatnonzero(moves)
        return np.interp(np.arange(len(step)), at, np.unwrap(np.arctan2(step[at, 0], step[at, 1])))


def of(motion: Motion, seconds: float = WINDOW, *, circular: bool = False) -> Travel:
    """The travel of a motion.

    Args:
        motion: Y up.
        seconds: of the window; at the ends it is mirrored about the end point, so that travel ends where the pelvis is.
        circular: the motion is a cycle with its first pose held as its last: the window reaches around it.
    """
    yaw = facing(motion)
    rows = np.column_stack([motion.root[:, [0, 2]], yaw])
    rows = _hann(rows, seconds * motion.fps, circular=circular)
    return Travel(rows[:, :2], rows[:, 2], motion.fps)


def facing(motion: Motion) -> np.ndarray:
    """(T,) radians about +Y that the pelvis faces, unwrapped."""
    forward = rotation.rotate(motion.rotations[:, 0], np.array([0.0, 0.0, 1.0]))
    return np.unwrap(np.arctan2(forward[:, 0], forward[:, 2]))


def _hann(rows: np.ndarray, frames: float, *, circular: bool) -> np.ndarray:
    reach = int(frames / 2)
    if reach < 1 or len(rows) < 3:
        return rows.copy()
    taps = np.hanning(2 * reach + 3)[1:-1]
    taps /= taps.sum()
    if circular:
        cycle, size = rows[-1] - rows[0], len(rows) - 1
        index = np.arange(-reach, len(rows) + reach)
        padded = rows[index % size] + (index // size)[:, None] * cycle
    else:
        index = np.arange(-reach, len(rows) + reach)
        last = len(rows) - 1
        inside = np.clip(index, 0, last)
        beyond = np.clip(np.where(index < 0, -index, 2 * last - index), 0, last)
        padded = np.where((index == inside)[:, None], rows[inside], 2 * rows[inside] - rows[beyond])
    return np.lib.stride_tricks.sliding_window_view(padded, len(taps), axis=0) @ taps


def taken_out(motion: Motion, travel: Travel) -> Motion:
    """The motion in place: seen from its travel. `put_back` is the inverse."""
    back = rotation.conjugate(travel.turn)
    rotations = motion.rotations.copy()
    rotations[:, 0] = rotation.multiply(back, rotations[:, 0])
    return replace(motion, rotations=rotations, root=rotation.rotate(back, motion.root - travel.place))


def put_back(motion: Motion, travel: Travel) -> Motion:
    """A motion in place, carried along a travel of as many frames. Raises: InputError for another number."""
    if len(travel.xz) != motion.frames:
        raise InputError(f"travel: of {len(travel.xz)} frames for a motion of {motion.frames}; expected as many.")
    rotations = motion.rotations.copy()
    rotations[:, 0] = rotation.multiply(travel.turn, rotations[:, 0])
    return replace(motion, rotations=rotations, root=rotation.rotate(travel.turn, motion.root) + travel.place)
