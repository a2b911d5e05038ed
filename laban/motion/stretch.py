"""A stretch of a motion and what stays on either side of it: windows on a grid of tokens, turns, moves and bridges.

Everything here is geometry: which frames a model of tokens sees around a stretch, and how the frames that it fills in
are turned and moved so that they lead from what stays before them to what stays after them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from laban.errors import InputError
from laban.motion import humanml, rotation
from laban.motion.easing import smoothstep
from laban.motion.humanml import Layout
from laban.motion.motion import Motion, Segment


@dataclass(frozen=True)
class TokenGrid:
    """How a model divides time: frames per second, frames of a token, and the most tokens that it sees at once."""

    fps: float
    stride: int
    most: int


@dataclass(frozen=True)
class Window:
    """What a model sees, at its own frame rate.

    Attributes:
        start: seconds of its first frame in the clip, below 0 if the stretch begins the clip.
        before: frames that stay before the stretch.
        gap: frames of the stretch.
        after: frames that stay after it.
    """

    start: float
    before: int
    gap: int
    after: int

    @property
    def frames(self) -> int:
        """All of them."""
        return self.before + self.gap + self.after


def window(clip: Motion, first: int, last: int, grid: TokenGrid) -> Window:
    """The window of frames [first, last): on the grid, within the longest, as much as fits on either side.

    Args:
        clip: at its own frame rate.
        first: the stretch's first frame.
        last: the frame after its last.
        grid: the model's.
    Raises: InputError for a stretch that is too long to fill, or beside which less than a token stays.
    """
    stride, fps, most = grid.stride, grid.fps, grid.most
    gap = max(-(-round((last - first) / clip.fps * fps + 1e-6) // stride), 1)
    left = int(first / clip.fps * fps + 1e-6) // stride
    # At the clip's beginning the grid hangs on the end of the stretch, otherwise on its beginning.
    start = last / clip.fps - gap * stride / fps if first == 0 else first / clip.fps
    right = int(max(0.0, (clip.frames - 1) / clip.fps - start) * fps + 1 + 1e-6) // stride - gap
    right = max(right, 0) if last < clip.frames else 0
    free = most - gap
    if free < 1:
        raise InputError(
            f"edit: the range lasts {(last - first) / clip.fps:.2f} s; the model fills at most "
            f"{(most - 1) * stride / fps:.2f} s. Edit in parts."
        )
    before = min(left, max(free - right, free // 2))
    after = min(right, free - before)
    if not before + after:
        raise InputError(
            f"edit: fewer than {stride} frames at {fps:g} fps stay beside the range, too few to go by. Leave more."
        )
    return Window(start - before * stride / fps, before * stride, gap * stride, after * stride)


@dataclass(frozen=True, eq=False)
class Shift:
    """A turn about a vertical axis and a move over the floor.

    Attributes:
        turn: radians.
        about: (3,) a point of the axis.
        to: (3,) where that point goes.
    """

    turn: float
    about: np.ndarray
    to: np.ndarray

    def of(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3), turned and moved."""
        return _about_y(points - self.about, self.turn) + self.to


@dataclass(frozen=True, eq=False)
class View:
    """A window of a clip as features, and the way back into the world.

    Attributes:
        window: which frames.
        layout: of the features.
        fps: of the features.
        features: (T, W) of the window, not normalised.
        joints: (T, J, 3) of the features, metres, in their canonical frame: it begins at the origin and faces +Z.
        turn: (4,) from the canonical frame to the world.
        lift: (3,) metres, after the turn.
    """

    window: Window
    layout: Layout
    fps: float
    features: np.ndarray
    joints: np.ndarray
    turn: np.ndarray
    lift: np.ndarray

    @classmethod
    def of(cls, clip: Motion, window: Window, layout: Layout, fps: float) -> View:
        """What the window shows of a clip. Its last frame is held once more: features need a next one."""
        times = window.start + np.arange(window.frames + 1) / fps
        rotations, root = clip.at(times)
        world = Motion(clip.skeleton, rotations, root, fps).joints()
        features = humanml.features_of(humanml.canonical(world / layout.unit, layout), layout)
        joints = humanml.decode(features, layout) * layout.unit
        a, b = joints.reshape(-1, 3), world[:-1].reshape(-1, 3)
        flat_a, flat_b = a[:, [0, 2]] - a[:, [0, 2]].mean(0), b[:, [0, 2]] - b[:, [0, 2]].mean(0)
        angle = np.arctan2((flat_a[:, 1] * flat_b[:, 0] - flat_a[:, 0] * flat_b[:, 1]).sum(), (flat_a * flat_b).sum())
        turn = rotation.yaw(np.array(angle))
        return cls(window, layout, fps, features, joints, turn, b.mean(0) - rotation.rotate(turn, a.mean(0)))

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """Canonical points (..., 3) in the clip's world."""
        return rotation.rotate(np.broadcast_to(self.turn, (*points.shape[:-1], 4)), points) + self.lift


@dataclass(frozen=True, eq=False)
class Filling:
    """A window whose stretch has been filled in.

    Attributes:
        joints: (T, J, 3) of the window, canonical metres.
        detour: metres and radians per second by which the stretch's path was bent to arrive where the rest begins.
        shift: where the rest goes, in the canonical frame, if it follows the stretch; None if it stays.
    """

    joints: np.ndarray
    detour: float
    shift: Shift | None


def fill(view: View, made: np.ndarray, follow: bool) -> Filling:
    """Puts made features into a window.

    Args:
        view: the window.
        made: (gap, W) features of the stretch.
        follow: move what comes after the stretch to where it leads; otherwise the stretch's path is bent so that it
            arrives where the rest begins.
    """
    layout, seen = view.layout, view.window
    a, b = seen.before, seen.before + seen.gap
    mixed = np.concatenate([view.features[:a], made, view.features[b:]])
    motion_columns = slice(layout.yaw_rate.start, layout.root_velocity.stop)
    if a >= 2:  # the step into the stretch is that of the frame before: the old one led elsewhere
        mixed[a - 1, motion_columns] = mixed[a - 2, motion_columns]
    joints = humanml.decode(mixed, layout) * layout.unit
    if b >= len(mixed):
        return Filling(joints, 0.0, None)
    yaw, place = _path(mixed, layout)
    real_yaw, real_place = _path(view.features, layout)
    turn = float((real_yaw[b] - yaw[b] + np.pi) % (2 * np.pi) - np.pi)
    if a == 0:  # nothing before: the stretch is moved as a whole to lead into what stays
        joints[:b] = Shift(turn, place[b], real_place[b]).of(joints[:b])
        joints[b:] = view.joints[b:]
        return Filling(joints, 0.0, None)
    if follow:
        shift = Shift(-turn, real_place[b], place[b])
        joints[b:] = shift.of(view.joints[b:])
        return Filling(joints, 0.0, shift)
    share = smoothstep(np.arange(1, seen.gap + 2) / (seen.gap + 1))
    steps = np.diff(place[a - 1 : b + 1], axis=0)  # into a ... b
    bent = place[a - 1] + np.cumsum(_about_y(steps, share * turn), axis=0)
    miss = real_place[b] - bent[-1]
    bent = bent + share[:, None] * miss
    for k in range(seen.gap):
        joints[a + k] = Shift(float(share[k]) * turn, place[a + k], bent[k]).of(joints[a + k])
    joints[b:] = view.joints[b:]
    return Filling(joints, (float(np.linalg.norm(miss)) + abs(turn)) / (seen.gap / view.fps), None)


def move(clip: Motion, first: int, shift: Shift) -> Motion:
    """The frames from `first` turned and moved as a whole; the others stay."""
    root, rotations = clip.root.copy(), clip.rotations.copy()
    root[first:] = shift.of(clip.root[first:])
    turn = np.broadcast_to(rotation.yaw(np.array(shift.turn)), rotations[first:, 0].shape)
    rotations[first:, 0] = rotation.multiply(turn, rotations[first:, 0])
    return replace(clip, root=root, rotations=rotations)


def continue_from(clip: Motion, then: Motion) -> Motion:
    """`then` turned and moved so that it begins where the clip ends, facing the same way."""
    ends = [m.joints()[[frame]] for m, frame in ((clip, -1), (then, 0))]
    left, right = clip.skeleton.index("left_hip"), clip.skeleton.index("right_hip")
    across = [j[0, left] - j[0, right] for j in ends]
    angles = [float(np.arctan2(v[0], v[2])) for v in across]
    flat = np.array([1.0, 0.0, 1.0])
    return move(then, 0, Shift(angles[0] - angles[1], then.root[0] * flat, clip.root[-1] * flat))


def bridge(clip: Motion, count: int, then: Motion | None) -> Motion:
    """The clip, `count` frames of a slow passage, and the second clip: what a model sees around a stretch to make.

    Raises: InputError for a passage without a frame.
    """
    if count < 1:
        raise InputError("edit: the made stretch has no frame; give a longer one.")
    end = clip if then is None else then
    at = -1 if then is None else 0
    t = np.arange(1, count + 1) / (count + 1)
    between = rotation.slerp(clip.rotations[-1:], end.rotations[[at]], t[:, None])
    passage = clip.root[-1:] * (1 - t[:, None]) + end.root[[at]] * t[:, None]
    rest_rotations = [] if then is None else [then.rotations]
    rest_root = [] if then is None else [then.root]
    offset = (clip.frames + count) / clip.fps
    later = () if then is None else tuple(Segment(s.text, s.start + offset, s.end + offset) for s in then.segments)
    return replace(
        clip,
        rotations=np.concatenate([clip.rotations, between, *rest_rotations]),
        root=np.concatenate([clip.root, passage, *rest_root]),
        segments=(*clip.segments, *later),
    )


def _path(features: np.ndarray, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Heading (T,) radians about the vertical, and the root's place over the floor (T, 3) metres, y = 0."""
    root, place = humanml.recover_root(features, layout)
    ahead = rotation.rotate(rotation.conjugate(root), np.broadcast_to([0.0, 0.0, 1.0], (*root.shape[:-1], 3)))
    flat = place * layout.unit
    flat[:, 1] = 0.0
    return np.unwrap(np.arctan2(ahead[:, 0], ahead[:, 2])), flat


def _about_y(vectors: np.ndarray, angle: np.ndarray | float) -> np.ndarray:
    return rotation.rotate(np.broadcast_to(rotation.yaw(np.asarray(angle)), (*vectors.shape[:-1], 4)), vectors)
