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
        width: pixels.
        height: pixels.
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
        width: pixels.
        height: pixels.
    Returns: triangle number, x and y of every fragment, (N,) integers each, in the order of the triangles.
    """
    order = np.argsort(corners[..., 1], axis=1)
    x, y = (np.take_along_axis(corners[..., k], order, axis=1).T.copy() for k in range(2))
    first = np.clip(np.ceil(y[0] - 0.5), 0, height).astype(np.int64)
    rows = np.clip(np.ceil(y[2] - 0.5), 0, height).astype(np.int64) - first
    triangle, row = _runs(np.maximum(rows, 0))
    row += first[triangle]
    centre = row + 0.5
    ends = []
    for a, b in ((0, 2), (0, 1), (1, 2)):  # the long side, the upper and the lower short one: x = slope * y + start
        rise = y[b] - y[a]
        slope = (x[b] - x[a]) / np.where(rise > 0, rise, 1.0)
        ends.append((slope, x[a] - slope * y[a]))
    (long, start), (upper, upper_start), (lower, lower_start) = ends
    above = centre < y[1][triangle]
    one = long[triangle] * centre + start[triangle]
    other = np.where(above, upper[triangle], lower[triangle]) * centre
    other += np.where(above, upper_start[triangle], lower_start[triangle])
    left = np.clip(np.ceil(np.minimum(one, other) - 0.5), 0, width).astype(np.int64)
    right = np.clip(np.ceil(np.maximum(one, other) - 0.5), 0, width).astype(np.int64)
    span, place = _runs(right - left)
    return triangle[span], place + left[span], row[span]


def _runs(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For counts (N,), the owner and the place in the owner's run of each of the sum(counts) items."""
    owner = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owner, place


def visible(
    projected: np.ndarray, faces: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which triangle each pixel shows.

    Args:
        projected: (V, 3) from `Camera.project`.
        faces: (F, 3) vertex numbers; triangles turned away (clockwise on the world's side) are left out.
        width: pixels.
        height: pixels.
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
    # planes over the picture, c + x dx + y dy: two barycentric weights and 1 / depth
    anchor = corners[:, 0, :2] - 0.5
    second_dx, second_dy = ac[:, 1] / area, -ac[:, 0] / area
    third_dx, third_dy = -ab[:, 1] / area, ab[:, 0] / area
    depth = corners[..., 2]
    columns = [anchor[:, 0], anchor[:, 1], second_dx, second_dy, third_dx, third_dy]
    columns += [depth[:, 0], depth[:, 1] - depth[:, 0], depth[:, 2] - depth[:, 0]]
    at = [column.astype(np.float32)[triangle] for column in columns]
    dx, dy = x.astype(np.float32) - at[0], y.astype(np.float32) - at[1]
    second, third = dx * at[2] + dy * at[3], dx * at[4] + dy * at[5]
    inverse = np.maximum(at[6] + second * at[7] + third * at[8], np.float32(0))
    # the bits of a positive float sort as the float does: with the triangle's number they make a key, and the
    # greatest of a pixel wins
    key = inverse.view(np.int32).astype(np.int64) << _TRIANGLE_BITS
    key |= triangle
    pixel = y * width + x
    best = np.full(width * height, -1, dtype=np.int64)
    np.maximum.at(best, pixel, key)
    won = np.flatnonzero(best[pixel] == key)
    second, third = second[won], third[won]
    weights = np.stack([1.0 - second - third, second, third], axis=-1)
    return pixel[won], faces[triangle[won]], weights


def shade(normals: np.ndarray, views: np.ndarray, colours: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Colours under one soft key light, sky and floor light, a little gloss and a rim.

    Args:
        normals: (N, 3) unit, world.
        views: (N, 3) unit, from the surface to the eye.
        colours: (N, 3) in [0, 1].
        light: (3,) unit, towards the light.
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
        picture: (H, W) float32.
        radius: pixels, the half width of the box.
        passes: how many boxes.
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
