"""`Motion`: what every system makes and every file format holds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from laban.errors import InputError, ShapeError
from laban.motion import kinematics, rotation
from laban.motion.skeleton import FARTHEST, Skeleton
from laban.motion.skeletons import HUMANML22

FPS = (1e-3, 1e5)  # frame rates that a motion may have
NEARLY_UNIT = 1e-6  # squared length of a quaternion off 1 by less is left as it is
MOST_RESAMPLED = 1 << 22  # frames times joints that `resample` makes: 128 MiB of rotations


@dataclass(frozen=True)
class Segment:
    """A stretch of a motion that one text describes, in seconds from its start."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Motion:
    """A skeleton that moves.

    Args:
        skeleton: J joints with rest offsets in metres.
        rotations: (T, J, 4) unit wxyz, joint to parent.
        root: (T, 3) metres, world position of joint 0; Y up, facing +Z when unrotated.
        fps: frames per second.
        segments: which text describes which stretch.
        passport: where the motion comes from: system, weights hash, seed, request, data, licence. JSON-able.
        notes: what its reader assumed or mended, a sentence each, for a person to be told. Files do not keep them.
    Raises: ShapeError if the arrays do not fit; InputError for a frame rate outside FPS, values that are not
        finite, or rotations of no length.
    """

    skeleton: Skeleton
    rotations: np.ndarray
    root: np.ndarray
    fps: float
    segments: tuple[Segment, ...] = ()
    passport: dict[str, Any] | None = field(default=None)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rotations = np.asarray(self.rotations, np.float64)
        root = np.asarray(self.root, np.float64)
        frames = len(root)
        if rotations.shape != (frames, len(self.skeleton), 4) or root.shape != (frames, 3) or frames == 0:
            raise ShapeError(
                f"Motion: rotations {rotations.shape} and root {root.shape}; skeleton {self.skeleton.name} needs "
                f"(T, {len(self.skeleton)}, 4) and (T, 3) with T > 0."
            )
        _check_fps("Motion", self.fps)
        size = np.abs(rotations).max(-1)
        if not (np.isfinite(size).all() and (np.abs(root) <= FARTHEST).all()):
            raise InputError(
                f"Motion: rotations or root hold NaN, infinity or more than {FARTHEST:g} m. The source is damaged."
            )
        if not ((size > 1e-6) & (size < 1e6)).all():
            raise InputError("Motion: some rotations are no unit quaternions (0, or huge). The source is damaged.")
        # What float32 files hold is unit to 1e-7; it stays bit for bit, so that reading and writing change nothing.
        unit = np.abs((rotations * rotations).sum(-1, keepdims=True) - 1.0) < NEARLY_UNIT
        if not unit.all():
            rotations = np.where(unit, rotations, rotation.normalise(rotations))
        object.__setattr__(self, "rotations", rotations)
        object.__setattr__(self, "root", root)
        object.__setattr__(self, "fps", float(self.fps))
        object.__setattr__(self, "segments", tuple(self.segments))

    def __repr__(self) -> str:
        """One line; the arrays are attributes."""
        said = "; ".join(segment.text for segment in self.segments)
        text = f", {said if len(said) <= 60 else said[:57] + '...'!r}" if said else ""
        return f"<Motion {self.seconds:.2f} s, {self.frames} frames at {self.fps:g} fps, {self.skeleton.name}{text}>"

    @classmethod
    def from_joints(cls, joints: np.ndarray, fps: float, skeleton: Skeleton = HUMANML22, **fields: Any) -> Motion:
        """A motion whose joints follow `joints` (T, J, 3) metres, by analytic IK (see `kinematics.fit`).

        The skeleton's bone lengths then hold exactly.
        """
        joints = np.asarray(joints, np.float64)
        if not np.isfinite(joints).all():
            raise InputError("Motion.from_joints: joints hold NaN or infinity. The source is damaged.")
        rotations, root = kinematics.fit(skeleton, joints)
        return cls(skeleton, rotations, root, fps, **fields)

    @property
    def frames(self) -> int:
        """T, the number of frames."""
        return len(self.root)

    @property
    def seconds(self) -> float:
        """Length in seconds: frames / fps."""
        return self.frames / self.fps

    def joints(self) -> np.ndarray:
        """(T, J, 3) metres, world: forward kinematics."""
        return kinematics.forward(self.skeleton, self.rotations, self.root)

    def resample(self, fps: float) -> Motion:
        """The same motion at another frame rate: slerp for rotations, linear for the root; never Euler angles.

        The first frame and the length in seconds (to the nearest frame) stay; times past the last source frame
        hold it. Going down, frames are picked, not averaged.
        Raises: InputError for a rate outside FPS, or one that would make far too many frames.
        """
        _check_fps("resample", fps)
        if abs(fps - self.fps) < 1e-9:
            return self
        count = max(1, round(self.seconds * fps))
        most = max(self.frames, MOST_RESAMPLED // len(self.skeleton))
        if count > most:
            raise InputError(
                f"resample: {fps:g} fps would make {count} frames of {self.seconds:.0f} s; at most {most} were "
                "expected. Ask for a lower rate."
            )
        rotations, root = self.at(np.arange(count) / fps)
        return replace(self, rotations=rotations, root=root, fps=fps)

    def at(self, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The pose at moments between frames: slerp for rotations, linear for the root.

        Args:
            seconds: (M,) from the start; before the first frame and after the last one the pose is held.
        Returns: rotations (M, J, 4) and root (M, 3).
        """
        place = np.clip(np.asarray(seconds) * self.fps, 0, self.frames - 1)
        low = np.minimum(np.floor(place).astype(int), self.frames - 1)
        high = np.minimum(low + 1, self.frames - 1)
        t = place - low
        rotations = rotation.slerp(self.rotations[low], self.rotations[high], t[:, None])
        return rotations, self.root[low] * (1 - t[:, None]) + self.root[high] * t[:, None]

    def crop(self, start: float, end: float | None = None) -> Motion:
        """The frames from `start` to `end` in seconds (end excluded; None: to the end); segments move along.

        Raises: InputError if no frame lies in the range.
        """
        stop = self.seconds if end is None else end
        first, last = round(start * self.fps), min(round(stop * self.fps), self.frames)
        if first < 0 or first >= last:
            raise InputError(
                f"crop: {start:g} to {stop:g} s holds no frame of this clip, which lasts {self.seconds:.2f} s."
            )
        offset, length = first / self.fps, (last - first) / self.fps
        segments = tuple(
            Segment(s.text, max(0.0, s.start - offset), min(length, s.end - offset))
            for s in self.segments
            if s.end > offset and s.start < offset + length
        )
        return replace(self, rotations=self.rotations[first:last], root=self.root[first:last], segments=segments)

    def mirror(self) -> Motion:
        """Left and right exchanged: reflected at the plane x = 0, with the skeleton's own offsets reflected too."""
        pairs = self.skeleton.pairs
        flip = np.array([-1.0, 1.0, 1.0])
        skeleton = replace(self.skeleton, offsets=self.skeleton.offsets[pairs] * flip)
        rotations = self.rotations[:, pairs] * np.array([1.0, 1.0, -1.0, -1.0])
        return replace(self, skeleton=skeleton, rotations=rotations, root=self.root * flip)


def _check_fps(who: str, fps: float) -> None:
    if not FPS[0] <= fps <= FPS[1]:
        raise InputError(f"{who}: fps is {fps}; expected a number from {FPS[0]:g} to {FPS[1]:g}.")
