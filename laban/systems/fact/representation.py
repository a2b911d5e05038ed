"""How FACT writes a motion down: the released 225 absolute numbers, or rows relative to the root."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from laban.errors import InputError
from laban.motion import root_relative, rotation
from laban.motion.motion import Motion
from laban.motion.retarget import retarget
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22, SMPL24
from laban.motion.warp import at_rate

FPS = 60.0


class Representation(ABC):
    """Motion at 60 fps <-> (T, width) rows."""

    width: ClassVar[int]
    skeleton: ClassVar[Skeleton]

    @abstractmethod
    def encode(self, motion: Motion) -> np.ndarray:
        """(T, width) float64 of a motion on `skeleton`."""

    @abstractmethod
    def decode(self, rows: np.ndarray, like: Motion | None = None) -> Motion:
        """A motion at 60 fps; where rows do not say where it begins, it begins where `like` ends."""

    def fitted(self, motion: Motion) -> Motion:
        """A motion of any known skeleton on this one. Raises InputError if its joints cannot be recognised."""
        if motion.skeleton == self.skeleton or (self.skeleton is SMPL24 and motion.skeleton.same_tree(SMPL24)):
            return motion
        if {motion.skeleton.names, self.skeleton.names} == {HUMANML22.names, SMPL24.names}:
            return _hands(motion, self.skeleton)
        if self.skeleton is SMPL24:
            return _hands(retarget(motion, HUMANML22), SMPL24)
        return retarget(motion, self.skeleton)


class Absolute(Representation):
    """Released: 6 zeros, translation in metres, 24 row-major rotation matrices. Nothing is normalised.

    Predictions are projected onto rotations by SVD only here; generation feeds them back raw.
    """

    width: ClassVar[int] = 225
    skeleton: ClassVar[Skeleton] = SMPL24
    TRANSLATION: ClassVar[slice] = slice(6, 9)
    MATRICES: ClassVar[slice] = slice(9, 225)

    def encode(self, motion: Motion) -> np.ndarray:
        rows = np.zeros((motion.frames, self.width))
        rows[:, self.TRANSLATION] = motion.root
        rows[:, self.MATRICES] = rotation.to_matrix(motion.rotations).reshape(motion.frames, -1)
        return rows

    def decode(self, rows: np.ndarray, like: Motion | None = None) -> Motion:
        raw = np.asarray(rows, np.float64)[:, self.MATRICES].reshape(len(rows), 24, 3, 3)
        left, _, right = np.linalg.svd(raw + 1e-9 * np.eye(3))
        sign = np.sign(np.linalg.det(left @ right))
        left[..., :, 2] *= sign[..., None]
        quaternions = rotation.continuous(rotation.from_matrix(left @ right))
        return Motion(SMPL24, quaternions, np.asarray(rows, np.float64)[:, self.TRANSLATION], FPS)


class Relative(Representation):
    """Rows of `motion.root_relative` on HumanML3D's 22 joints: where on the floor and which way does not matter."""

    width: ClassVar[int] = root_relative.width(22)
    skeleton: ClassVar[Skeleton] = HUMANML22

    def encode(self, motion: Motion) -> np.ndarray:
        return root_relative.encode(motion)

    def decode(self, rows: np.ndarray, like: Motion | None = None) -> Motion:
        if like is None:
            return root_relative.decode(rows, HUMANML22, FPS)
        x, _, z = like.root[-1]
        facing = float(root_relative.heading(like.rotations[:, 0])[-1])
        return root_relative.decode(rows, HUMANML22, FPS, (float(x), float(z)), facing)


def representation(name: str) -> Representation:
    """By its name in the configuration."""
    return Absolute() if name == "absolute" else Relative()


def _hands(motion: Motion, skeleton: Skeleton) -> Motion:
    """Between the 22 and the 24 joints: hands added at rest, or left out."""
    count = len(skeleton)
    rotations = np.zeros((motion.frames, count, 4))
    rotations[..., 0] = 1.0
    shared = min(count, len(motion.skeleton))
    rotations[:, :shared] = motion.rotations[:, :shared]
    return Motion(skeleton, rotations, motion.root, motion.fps, motion.segments, motion.passport)


def seed_rows(motion: Motion, kind: Representation, frames: int) -> tuple[np.ndarray, Motion]:
    """The last `frames` frames of a seed motion at 60 fps, as rows and as motion.

    Raises: InputError if it is shorter than that, or on a skeleton that cannot be recognised.
    """
    seconds = frames / FPS
    if motion.seconds < seconds - 0.5 / FPS:
        raise InputError(
            f"the seed motion lasts {motion.seconds:.2f} s; expected at least {seconds:g} s, of which the last "
            f"{seconds:g} are continued. Give a longer one, or none."
        )
    fitted = at_rate(kind.fitted(motion), FPS)
    last = Motion(fitted.skeleton, fitted.rotations[-frames:], fitted.root[-frames:], FPS)
    if last.frames < frames:
        raise InputError(f"the seed motion has {last.frames} frames at 60 fps; expected {frames}. Give a longer one.")
    return kind.encode(last), last
