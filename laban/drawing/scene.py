"""What the pictures show: the mannequin of a motion on a checkered floor, and the camera that follows it.

`Figure` skins the motion, `Shot` chooses the camera for all of it, `Stage` draws one moment. A square of the floor
is half a metre wide, and its lines stand one metre apart. The mannequin's left is warm, its right is cool.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from laban.drawing import raster
from laban.errors import InputError
from laban.figure import mesh
from laban.motion.easing import smoothstep
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton

# colours of what does not move, 0 to 255; preview.html has them too, 0 to 1
SKY_TOP = np.array([204, 214, 224], np.float32)
SKY_LOW = np.array([237, 240, 240], np.float32)
FLOOR_LIGHT = np.array([204, 207, 207], np.float32)
FLOOR_DARK = np.array([182, 186, 189], np.float32)
FLOOR_LINE = np.array([153, 161, 168], np.float32)
SHADOW = np.array([51, 61, 82], np.float32)
_MAX_PIXELS = 9_500_000  # 3840 x 2160 and a little more; a picture needs about 120 bytes per pixel while it is drawn
_MAX_FRAMES = 36_000  # 20 minutes at 30 per second
_MAX_POSES = 1 << 22  # frames times joints, 96 bytes each
_CELL = 0.02  # metres of floor per shadow pixel
_BAND = 24  # rows of floor at a time
_SUPER = 2  # the body is drawn at twice the size and averaged


def check_size(name: str, width: int, height: int) -> None:
    """Raises InputError unless both sizes are from 32 to 8192 pixels, together not much more than 3840x2160."""
    if not (32 <= width <= 8192 and 32 <= height <= 8192 and width * height <= _MAX_PIXELS):
        raise InputError(
            f"{name}: the size is {width}x{height}; expected 32 to 8192 pixels each, and at most {_MAX_PIXELS} "
            "together. Change it."
        )


def check_length(frames: float, joints: int) -> None:
    """Raises InputError for more frames of a skeleton of so many joints than can be drawn in little memory."""
    most = min(_MAX_FRAMES, _MAX_POSES // joints)
    if frames > most:
        raise InputError(
            f"render: {frames:.0f} frames are too many to draw; at most {most} were expected with {joints} joints. "
            "Ask for fewer frames per second, or cut the motion."
        )


def heading(skeleton: Skeleton, joints: np.ndarray) -> float:
    """The angle about Y that the character faces, in the mean over the frames; 0 is +Z, 90 degrees is +X.

    Args:
        skeleton: with hips, by name.
        joints: (T, J, 3) metres, world.
    Returns: radians.
    """
    rest = skeleton.rest()
    left = [j for j, other in enumerate(skeleton.pairs) if other != j and rest[j, 0] > rest[other, 0]]
    if not left:
        return 0.0
    across = joints[:, left[0]] - joints[:, skeleton.pairs[left[0]]]
    forward = np.stack([-across[:, 2], across[:, 0]], axis=-1)  # left x up, on the floor: (x, z)
    forward = forward.sum(axis=0) if np.linalg.norm(forward.mean(axis=0)) > 0.02 else forward[0]
    return float(np.arctan2(forward[0], forward[1]))


@dataclass(frozen=True)
class View:
    """How large a motion is shown, from which side, and what is written at the foot.

    Attributes:
        width: pixels; None: as is usual for the format, and for `height` as well.
        height: pixels, captions and beats included.
        yaw: degrees that the camera stands off the character's mean facing, towards its left; 0 sees it from in front.
        caption: write the segments' texts.
        beats: draw the music's beats and onsets and the dance's kinematic beats, see `timeline`.
        at: seconds of the poses that a picture shows; empty: spread evenly.
    """

    width: int | None = None
    height: int | None = None
    yaw: float = 38.0
    caption: bool = True
    beats: bool = False
    at: tuple[float, ...] = ()

    def sized(self, width: int, height: int) -> tuple[int, int]:
        """Width and height, these where none were given."""
        return self.width or width, self.height or height


USUAL = View()


class Figure:
    """A motion's mannequin.

    Args:
        motion: any skeleton.
    Raises: InputError for a motion that is too long to draw.
    """

    def __init__(self, motion: Motion):
        check_length(motion.frames, len(motion.skeleton))
        self.motion = motion
        self.mesh = mesh.mannequin(motion.skeleton)
        self.matrices = mesh.skin_matrices(motion.skeleton, motion.rotations, motion.root).astype(np.float32)
        count = len(self.mesh.vertices)
        self._dense = np.zeros((count, len(motion.skeleton)), np.float32)
        np.add.at(self._dense, (np.arange(count)[:, None], self.mesh.joints), self.mesh.weights.astype(np.float32))
        self._points = self.mesh.vertices.astype(np.float32)
        self._normals = self.mesh.normals.astype(np.float32)

    def pose(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """(V, 3) points in metres of the world and (V, 3) unit normals at a frame, float32."""
        blended = (self._dense @ self.matrices[frame].reshape(-1, 12)).reshape(-1, 3, 4)
        points = np.matmul(blended[..., :3], self._points[..., None])[..., 0] + blended[..., 3]
        normals = np.matmul(blended[..., :3], self._normals[..., None])[..., 0]
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
        return points, normals

    def outline(self, most: int = 160) -> np.ndarray:
        """(T, S, 3) metres: some of the surface's points at every frame, enough to say how far the body reaches."""
        some = np.unique(np.linspace(0, len(self._points) - 1, most).astype(int))
        reach = [self._points @ d for d in np.concatenate([np.eye(3), -np.eye(3)]).astype(np.float32)]
        some = np.unique(np.concatenate([some, [int(np.argmax(r)) for r in reach]]))
        blended = np.einsum("sj,tjab->tsab", self._dense[some], self.matrices, optimize=True)
        return np.einsum("tsab,sb->tsa", blended[..., :3], self._points[some]) + blended[..., 3]


def follow(path: np.ndarray, fps: float, still: float = 0.9, sigma: float = 0.6) -> np.ndarray:
    """Where a camera looks that follows a path without its jitter.

    A path that stays within a square of side `still` gets one fixed point; any other a Gaussian average over time.

    Args:
        path: (T, 2) metres on the floor.
        fps: of the path.
        still: metres, the side of the square.
        sigma: seconds.
    Returns: (T, 2) metres.
    """
    low, high = path.min(axis=0), path.max(axis=0)
    if (high - low).max() <= still:
        return np.broadcast_to((low + high) / 2, path.shape).copy()
    width = max(1, round(sigma * fps))
    reach = 3 * width
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    bell /= bell.sum()
    padded = np.pad(path, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(padded[:, k], bell, mode="valid") for k in range(2)], axis=-1)


@dataclass(frozen=True)
class Shot:
    """A direction to look in and how far back to stand; the point looked at may move over the floor.

    Attributes:
        yaw: where the camera stands seen from the target, radians about Y, 0 is +Z.
        pitch: radians above the floor.
        field: vertical, radians.
        distance: metres.
        level: metres, height of the target.
        reach: metres (right, away): half the floor that shadows may fall on, around the target.
    """

    yaw: float
    pitch: float
    field: float
    distance: float
    level: float
    reach: tuple[float, float]

    def camera(self, target: np.ndarray, width: int, height: int) -> raster.Camera:
        """The camera that looks at `target` (x, z), metres."""
        middle = np.array([target[0], self.level, target[1]])
        flat = np.cos(self.pitch)
        back = np.array([flat * np.sin(self.yaw), np.sin(self.pitch), flat * np.cos(self.yaw)])
        return raster.Camera(middle + self.distance * back, middle, self.field, width, height)


@dataclass(frozen=True)
class Framing:
    """From how high a camera looks, through which lens, and how much of the picture the body may fill.

    Attributes:
        pitch: radians above the floor.
        field: vertical, radians.
        nearest: metres, the least distance.
        side: the part of the left and the right half that the body may fill.
        head: the part of the upper half.
        foot: the part of the lower half.
    """

    pitch: float
    field: float
    nearest: float
    side: float
    head: float
    foot: float


FILMED = Framing(np.radians(13), np.radians(32), nearest=3.4, side=0.84, head=0.86, foot=0.78)
"""Of a camera that follows a motion."""


def frame_shot(
    points: np.ndarray,
    targets: np.ndarray,
    width: int,
    height: int,
    yaw: float,
    framing: Framing = FILMED,
) -> Shot:
    """Stand just far enough back to keep every point in the picture at every frame.

    Args:
        points: (T, S, 3) metres, world.
        targets: (T, 2) metres on the floor.
        width: pixels.
        height: pixels.
        yaw: radians.
        framing: from how high, and how large.
    """
    head, foot, pitch, field = framing.head, framing.foot, framing.pitch, framing.field
    top, bottom = max(float(points[..., 1].max()), 0.3), min(float(points[..., 1].min()), 0.0)
    level = (top * foot + bottom * head) / (head + foot)
    trial = Shot(yaw, pitch, field, 1.0, level, (1.0, 1.0)).camera(np.zeros(2), width, height)
    local = points - np.stack([targets[:, 0], np.full(len(targets), level), targets[:, 1]], axis=-1)[:, None]
    across, up, towards = np.moveaxis(local @ trial.axes.T, -1, 0)
    half = np.tan(field / 2)
    room = np.maximum(np.abs(across) * height / (width * framing.side), np.maximum(up / head, -up / foot)) / half
    needed = room - towards
    flat = np.array([np.sin(yaw), np.cos(yaw)])
    right = np.abs(local[..., 0] * flat[1] - local[..., 2] * flat[0]).max()
    away = np.abs(local[..., 0] * flat[0] + local[..., 2] * flat[1]).max()
    reach = (float(right) + 0.6 * top + 0.4, float(away) + 0.8 * top + 0.4)
    return Shot(yaw, pitch, field, max(framing.nearest, float(needed.max())), level, reach)


class Stage:
    """Draws the floor, the shadow and the body for one shot. What does not change is worked out once.

    Args:
        shot: the camera's direction and distance.
        width: pixels.
        height: pixels.
    """

    def __init__(self, shot: Shot, width: int, height: int):
        check_size("render", width, height)
        self.shot, self.width, self.height = shot, width, height
        camera = shot.camera(np.zeros(2), width, height)
        self.light = camera.light()
        self._right = np.array([camera.axes[0, 0], camera.axes[0, 2]])
        self._right /= np.linalg.norm(self._right)
        self._away = np.array([self._right[1], -self._right[0]])
        rays = camera.rays()
        grade = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
        backdrop = np.broadcast_to(SKY_TOP + (SKY_LOW - SKY_TOP) * np.minimum(grade * 2.2, 1), rays.shape).copy()
        down = rays[..., 1] < -1e-3
        time = np.where(down, camera.eye[1] / np.where(down, -rays[..., 1], 1.0), 1e4)
        ground = camera.eye[[0, 2]].astype(np.float32) + time[..., None] * rays[..., [0, 2]]
        size = max(1.0, shot.distance / 5.0)
        # the outermost floor fades into the backdrop
        fog = 1 - smoothstep(np.clip((np.linalg.norm(ground, axis=-1) - 2.2 * size) / (9.0 * size), 0, 1))
        rows = np.flatnonzero((fog > 0.004).any(axis=1) & down.any(axis=1))
        self._top = int(rows[0]) if len(rows) else height
        self._ground = np.moveaxis(ground[self._top :], -1, 0).astype(np.float32)
        self._fog = np.where(down, fog, 0)[self._top :, :, None].astype(np.float32)
        slope = np.maximum(np.abs(np.gradient(ground, axis=1)).max(-1), np.abs(np.gradient(ground, axis=0)).max(-1))
        self._blur = np.clip(slope[self._top :], 1e-3, 8).astype(np.float32)
        self._backdrop = backdrop.astype(np.float32)
        self._backdrop[self._top :] *= 1 - self._fog
        self._laid: tuple[tuple[float, float] | None, np.ndarray] = (None, np.zeros((0, 3), np.float32))
        self._prepare_shadow()

    def _prepare_shadow(self) -> None:
        """Which floor pixels may be in shadow, and where each reads the shadow map."""
        reach = np.array(self.shot.reach)
        self._cell = max(_CELL, float(reach.max()) / 500)
        self._map = np.maximum(np.ceil(2 * reach / self._cell).astype(int), 8)
        along = np.moveaxis(np.tensordot([self._right, self._away], self._ground, 1), 0, -1)
        place = (along + reach) / self._cell - 0.5
        inside = ((place >= 0) & (place < self._map - 1.001)).all(axis=-1) & (self._fog[..., 0] > 0)
        self._shaded = np.flatnonzero(inside)
        place = place.reshape(-1, 2)[self._shaded]
        corner = place.astype(np.int64)
        share = (place - corner).astype(np.float32)
        self._corner = corner[:, 1] * self._map[0] + corner[:, 0]
        self._share = share

    def _floor(self, target: np.ndarray) -> np.ndarray:
        """(h, W, 3): the checkered floor below the horizon, each pixel averaged over its own footprint."""
        floor = np.empty((*self._blur.shape, 3), np.float32)
        for top in range(0, len(floor), _BAND):  # bands of rows, which stay in the processor's cache
            self._lay(floor[top : top + _BAND], slice(top, top + _BAND), target)
        return floor

    def _lay(self, floor: np.ndarray, rows: slice, target: np.ndarray) -> None:
        width = self._blur[rows]
        lined = float(width[-1].min()) < 0.12  # farther lines are too faint to see
        mix, line = np.full_like(width, -0.5), np.zeros_like(width)
        for k in range(2):
            x = self._ground[k][rows] + np.float32(target[k] % 1.0)
            # a square wave averaged over a width: the integral of a square wave is a triangle wave
            a, b = x - 0.5 * width, x + 0.5 * width
            a -= np.floor(a) + np.float32(0.5)
            b -= np.floor(b) + np.float32(0.5)
            mix *= (np.abs(b) - np.abs(a)) / width
            if lined:
                near = np.abs(x - np.round(x)) / np.maximum(0.008, 0.7 * width)
                line = np.maximum(line, np.maximum(1 - near, 0) * np.minimum(0.8, 0.0096 / width))
        floor[:] = FLOOR_DARK + (FLOOR_LIGHT - FLOOR_DARK) * (mix + np.float32(0.5))[..., None]
        if lined:
            floor += (FLOOR_LINE - floor) * line[..., None]

    def _shadow(self, target: np.ndarray, points: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """(N,) how dark each of the `_shaded` pixels is, 0 to 1: wide and soft from high parts, tight from low ones."""
        fallen = points[:, [0, 2]] - self.light[[0, 2]] * (np.maximum(points[:, 1:2], 0) / self.light[1]) - target
        flat = np.stack([fallen @ self._right, fallen @ self._away], axis=-1)
        corners = ((flat + self.shot.reach) / self._cell)[faces]
        across = corners[:, 1:] - corners[:, :1]
        lit = across[:, 0, 0] * across[:, 1, 1] - across[:, 0, 1] * across[:, 1, 0] > 0
        low = points[:, 1][faces].max(axis=1) < 0.16
        columns, rows = int(self._map[0]), int(self._map[1])
        step = 0.02 / self._cell
        dark = np.zeros((rows, columns), np.float32)
        for chosen, radius, weight in ((lit, max(1, round(3 * step)), 0.62), (lit & low, max(1, round(step)), 0.5)):
            _, x, y = raster.spans(corners[chosen], columns, rows)
            if not len(x):
                continue
            x0, x1 = max(0, x.min() - 3 * radius), min(columns, x.max() + 3 * radius + 1)
            y0, y1 = max(0, y.min() - 3 * radius), min(rows, y.max() + 3 * radius + 1)
            mask = np.zeros((y1 - y0, x1 - x0), np.float32)
            mask[y - y0, x - x0] = 1.0
            dark[y0:y1, x0:x1] = 1 - (1 - dark[y0:y1, x0:x1]) * (1 - weight * raster.blur(mask, radius))
        flat_dark, c, (u, v) = dark.ravel(), self._corner, self._share.T
        upper = flat_dark[c] * (1 - u) + flat_dark[c + 1] * u
        lower = flat_dark[c + columns] * (1 - u) + flat_dark[c + columns + 1] * u
        return upper * (1 - v) + lower * v

    def draw(
        self, target: np.ndarray, points: np.ndarray, normals: np.ndarray, colours: np.ndarray, faces: np.ndarray
    ) -> np.ndarray:
        """One picture.

        Args:
            target: (2,) metres: what the camera looks at, x and z on the floor.
            points: (V, 3) metres, world.
            normals: (V, 3) unit.
            colours: (V, 3) in [0, 1].
            faces: (F, 3).
        Returns: (height, width, 3) uint8.
        """
        picture = self._backdrop.copy()
        key = (float(target[0]), float(target[1]))
        if key != self._laid[0]:
            self._laid = (key, self._floor(target).reshape(-1, 3))
        floor = self._laid[1].copy()
        if len(self._shaded):
            dark = self._shadow(target, points, faces)
            touched = np.flatnonzero(dark > 1e-3)
            where, dark = self._shaded[touched], dark[touched, None]
            floor[where] += (SHADOW - floor[where]) * dark
        picture[self._top :] += floor.reshape(-1, self.width, 3) * self._fog
        self._body(picture, target, points, normals, colours, faces)
        return (picture + np.float32(0.5)).astype(np.uint8)

    def _body(
        self,
        picture: np.ndarray,
        target: np.ndarray,
        points: np.ndarray,
        normals: np.ndarray,
        colours: np.ndarray,
        faces: np.ndarray,
    ) -> None:
        camera = self.shot.camera(target, self.width * _SUPER, self.height * _SUPER)
        projected = camera.project(points.astype(np.float64))
        low = np.floor(projected[:, :2].min(axis=0) / _SUPER).astype(int)
        high = np.ceil(projected[:, :2].max(axis=0) / _SUPER).astype(int)
        x0, y0 = np.clip(low, 0, (self.width, self.height))
        x1, y1 = np.clip(high, 0, (self.width, self.height))
        if x1 <= x0 or y1 <= y0:
            return
        projected[:, :2] -= (x0 * _SUPER, y0 * _SUPER)
        wide, tall = (x1 - x0) * _SUPER, (y1 - y0) * _SUPER
        pixel, corners, weights = raster.visible(projected, faces, wide, tall)
        view = camera.eye.astype(np.float32) - points
        view /= np.linalg.norm(view, axis=1, keepdims=True)
        vertex = np.ones((len(points), 4), np.float32)  # colour and cover
        shaded = raster.shade(normals, view, colours.astype(np.float32), self.light)
        np.clip(shaded, 0, 1, out=vertex[:, :3])
        vertex[:, :3] *= 255
        colour = vertex[corners[:, 0]] * weights[:, :1]
        colour += vertex[corners[:, 1]] * weights[:, 1:2]
        colour += vertex[corners[:, 2]] * weights[:, 2:]
        layer = np.zeros((tall * wide, 4), np.float32)
        layer[pixel] = colour
        layer = layer.reshape(tall, wide, 4)
        layer = layer[0::2] + layer[1::2]
        layer = (layer[:, 0::2] + layer[:, 1::2]) * np.float32(0.25)
        patch = picture[y0:y1, x0:x1]
        patch *= 1 - layer[..., 3:]
        patch += layer[..., :3]
