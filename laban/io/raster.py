"""A small software rasteriser in numpy: a camera, z-buffered triangles by scanline spans, smooth shading, blur.

No loop runs over triangles or pixels: every triangle is cut into pixel rows, every row into its pixels, and the
nearest fragment of each pixel is found by one scatter-maximum over (inverse depth, triangle number) keys. A figure
of a few thousand triangles costs some milliseconds on one core.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from laban.errors import ShapeError

_TRIANGLE_BITS = 22
_LIGHT = (-0.45, 0.95, 0.62)  # towards the key light, in camera-aligned axes: right, world up, towards the viewer


@dataclass(frozen=True)
class Camera:
    """A pin-hole camera.

    Args:
        eye: (3,) metres, world.
        target: (3,) metres, world: the point at the middle of the picture.
        field: vertical field of view, radians.
        width: pixels. height: pixels.
    """

    eye: np.ndarray
    target: np.ndarray
    field: float
    width: int
    height: int

    @cached_property
    def axes(self) -> np.ndarray:
        """(3, 3): rows right, up and forward, unit vectors of the world."""
        forward = self.target - self.eye
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 1.0, 0.0))
        right = right / np.linalg.norm(right)
        return np.stack([right, np.cross(right, forward), forward])

    @property
    def focal(self) -> float:
        """Pixels per unit of tangent."""
        return 0.5 * self.height / np.tan(0.5 * self.field)

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points to the picture.

        Args:
            points: (..., 3) metres, world.
        Returns: (..., 3): x and y in pixels (y down, pixel centres at .5) and 1 / depth in 1 / metres; points
            nearer than 5 cm, or behind the eye, are moved to 5 cm.
        """
        local = (points - self.eye) @ self.axes.T
        inverse = 1.0 / np.maximum(local[..., 2], 0.05)
        x = 0.5 * self.width + self.focal * local[..., 0] * inverse
        y = 0.5 * self.height - self.focal * local[..., 1] * inverse
        return np.stack([x, y, inverse], axis=-1)

    def rays(self) -> np.ndarray:
        """(H, W, 3) float32: directions through the pixel centres, with 1 along the viewing axis."""
        x = (np.arange(self.width) + 0.5 - 0.5 * self.width) / self.focal
        y = (0.5 * self.height - np.arange(self.height) - 0.5) / self.focal
        right, up, forward = self.axes
        rays = x[None, :, None] * right + y[:, None, None] * up + forward
        return rays.astype(np.float32)

    def light(self) -> np.ndarray:
        """(3,) unit vector of the world towards the key light, which stands left above the viewer's shoulder."""
        right, _, forward = self.axes
        flat = np.array([forward[0], 0.0, forward[2]])
        flat /= max(float(np.linalg.norm(flat)), 1e-6)
        light = _LIGHT[0] * right + _LIGHT[1] * np.array([0.0, 1.0, 0.0]) - _LIGHT[2] * flat
        return light / np.linalg.norm(light)


def spans(corners: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pixels whose centres lie in each triangle, clipped to the picture.

    Args:
        corners: (F, 3, 2) pixels.
        width: pixels. height: pixels.
    Returns: triangle number, x and y of every fragment, (N,) integers each, in the order of the triangles.
    """
    y = corners[..., 1]
    first = np.clip(np.ceil(y.min(axis=1) - 0.5), 0, height).astype(np.int64)
    rows = np.clip(np.ceil(y.max(axis=1) - 0.5), 0, height).astype(np.int64) - first
    triangle, row = _runs(np.maximum(rows, 0))
    row = row + first[triangle]
    centre = row + 0.5
    low = np.full(len(row), np.inf)
    high = np.full(len(row), -np.inf)
    for a, b in ((0, 1), (1, 2), (2, 0)):  # where the row meets each side: the nearest and farthest meeting are the ends
        ya, yb = y[triangle, a], y[triangle, b]
        meets = (ya > centre) != (yb > centre)
        share = (centre - ya) / np.where(meets, yb - ya, 1.0)
        x = corners[triangle, a, 0] + share * (corners[triangle, b, 0] - corners[triangle, a, 0])
        np.minimum(low, x, out=low, where=meets)
        np.maximum(high, x, out=high, where=meets)
    left = np.clip(np.ceil(low - 0.5), 0, width)
    right = np.clip(np.ceil(high - 0.5), 0, width)
    span, x_of = _runs(np.maximum(right - left, 0).astype(np.int64))
    return triangle[span], x_of + left[span].astype(np.int64), row[span]


def _runs(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For counts (N,), the owner and the place in the owner's run of each of the sum(counts) items."""
    owner = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owner, place


def visible(projected: np.ndarray, faces: np.ndarray, width: int, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which triangle each pixel shows.

    Args:
        projected: (V, 3) from `Camera.project`.
        faces: (F, 3) vertex numbers; triangles turned away (clockwise on the world's side) are left out.
        width: pixels. height: pixels.
    Returns: pixel (N,) numbers y * width + x of the covered pixels, corners (N, 3) vertex numbers, weights (N, 3)
        float32 barycentric weights on the picture (not perspective-correct: the triangles are small).
    Raises: ShapeError for more triangles than fit the depth key.
    """
    if len(faces) >= 1 << _TRIANGLE_BITS:
        raise ShapeError(f"raster.visible: {len(faces)} triangles; at most {(1 << _TRIANGLE_BITS) - 1}. Simplify.")
    corners = projected[faces]
    ab, ac = corners[:, 1, :2] - corners[:, 0, :2], corners[:, 2, :2] - corners[:, 0, :2]
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    near = corners[..., 2].max(axis=1) < 19.9  # nothing that touches the 5 cm plane
    keep = np.flatnonzero((area < -1e-9) & near)
    faces, corners, area, ab, ac = faces[keep], corners[keep], area[keep], ab[keep], ac[keep]
    triangle, x, y = spans(corners[..., :2], width, height)
    if not len(triangle):
        none = np.zeros(0, dtype=np.int64)
        return none, np.zeros((0, 3), dtype=np.int64), np.zeros((0, 3), dtype=np.float32)
    ratio = 1.0 / area[triangle]
    dx = x + 0.5 - corners[triangle, 0, 0]
    dy = y + 0.5 - corners[triangle, 0, 1]
    second = (dx * ac[triangle, 1] - dy * ac[triangle, 0]) * ratio
    third = (dy * ab[triangle, 0] - dx * ab[triangle, 1]) * ratio
    depth = corners[:, 0, 2]
    inverse = depth[triangle] + second * (corners[:, 1, 2] - depth)[triangle] + third * (corners[:, 2, 2] - depth)[triangle]
    # 1/depth lies in (0, 20]: 36 bits of it and the fragment's number make one key, the greatest of which wins
    key = np.clip(inverse * 2.0**31, 0, 2.0**36 - 1).astype(np.int64) << _TRIANGLE_BITS
    key |= triangle
    pixel = y * width + x
    best = np.full(width * height, -1, dtype=np.int64)
    np.maximum.at(best, pixel, key)
    won = np.flatnonzero(best[pixel] == key)
    second, third = second[won].astype(np.float32), third[won].astype(np.float32)
    weights = np.stack([1.0 - second - third, second, third], axis=-1)
    return pixel[won], faces[triangle[won]], weights


def shade(normals: np.ndarray, views: np.ndarray, colours: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Colours under one soft key light, sky and floor light, a little gloss and a rim.

    Args:
        normals: (N, 3) unit, world. views: (N, 3) unit, from the surface to the eye.
        colours: (N, 3) in [0, 1]. light: (3,) unit, towards the light.
    Returns: (N, 3) float32, about [0, 1.2]; the writer clips.
    """
    light = light.astype(np.float32)
    facing = normals @ light
    key = np.maximum(0.22 + 0.78 * facing, 0.0) ** 1.3  # wrapped Lambert
    half = light + views
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    gloss = np.maximum(np.einsum("nd,nd->n", normals, half), 0.0) ** 28
    rim = (1.0 - np.clip(np.einsum("nd,nd->n", normals, views), 0.0, 1.0)) ** 3
    sky = 0.5 + 0.5 * normals[:, 1:2]
    ambient = np.array([0.34, 0.32, 0.31], np.float32) * (1 - sky) + np.array([0.44, 0.47, 0.52], np.float32) * sky
    warm = np.array([0.74, 0.71, 0.66], np.float32)
    out = colours * (ambient + key[:, None] * warm)
    out += (0.16 * gloss + 0.10 * rim * sky[:, 0])[:, None]
    return out.astype(np.float32)


def blur(picture: np.ndarray, radius: int, passes: int = 3) -> np.ndarray:
    """Repeated box blur, which comes close to a Gaussian; zeros outside.

    Args:
        picture: (H, W) float32. radius: pixels, the half width of the box.
    Returns: (H, W) float32.
    """
    if radius < 1:
        return picture
    width = 2 * radius + 1
    out = picture
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (radius + 1, radius)
        for _ in range(passes):
            total = np.cumsum(np.pad(out, pad), axis=axis, dtype=np.float32)
            if axis == 0:
                out = (total[width:] - total[:-width]) / width
            else:
                out = (total[:, width:] - total[:, :-width]) / width
    return out
