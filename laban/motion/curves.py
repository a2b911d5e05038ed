"""A curve over the floor through given places at given moments.

The geometry is a centripetal Catmull-Rom spline (Barry and Goldman 1988; Yuksel, Schaefer and Keyser,
"Parameterization and applications of Catmull-Rom curves", 2011), which makes no loops between points; it is then
walked by arc length, so that geometry and pace are apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from laban.errors import InputError
from laban.motion import warp

STEPS = 24  # straight pieces between two points of few, by which arc length is measured


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve by arc length.

    Attributes:
        places: (M, 2) metres, x and z, close together.
        arc: (M,) metres along the curve to each place.
        knots: (K,) metres along the curve to the given points.
        times: (K,) seconds of the given points.
    """

    places: np.ndarray
    arc: np.ndarray
    knots: np.ndarray
    times: np.ndarray

    @classmethod
    def through(cls, points: np.ndarray, times: np.ndarray) -> Curve:
        """The curve through (K, 2) metres at (K,) increasing seconds, K of 2 or more. Raises: InputError otherwise."""
        points, times = np.asarray(points, np.float64), np.asarray(times, np.float64)
        if len(points) < 2 or len(points) != len(times) or (np.diff(times) <= 0).any():
            raise InputError("curve: expected two points or more, at moments that increase.")
        ends = 2 * points[[0, -1]] - points[[1, -2]]
        padded = np.concatenate([ends[:1], points, ends[1:]])
        gap = np.maximum(np.linalg.norm(np.diff(padded, axis=0), axis=-1), 1e-9) ** 0.5
        pieces = STEPS if len(points) < 200 else 4
        share = np.arange(pieces) / pieces
        places = [_segment(padded[k : k + 4], gap[k : k + 3], share) for k in range(len(points) - 1)]
        whole = np.concatenate([*places, points[-1:]])
        arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(whole, axis=0), axis=-1))])
        return cls(whole, arc, arc[::pieces], times)

    @property
    def length(self) -> float:
        """Metres."""
        return float(self.arc[-1])

    def at(self, arc: np.ndarray) -> np.ndarray:
        """(N, 2) metres at (N,) metres along the curve; straight on beyond its ends."""
        x = np.asarray(arc, np.float64)
        inside = np.clip(x, 0.0, self.length)
        places = np.stack([np.interp(inside, self.arc, self.places[:, k]) for k in (0, 1)], -1)
        out = (x - inside)[:, None]
        return places + np.where(out < 0, out * self._tangent(0), out * self._tangent(-1))

    def _tangent(self, end: int) -> np.ndarray:
        moved = np.flatnonzero(np.diff(self.arc) > 1e-9)
        if not len(moved):
            return np.array([0.0, 1.0])
        k = moved[end]
        step = self.places[k + 1] - self.places[k]
        return np.asarray(step / np.linalg.norm(step))

    def progress(self, seconds: np.ndarray) -> np.ndarray:
        """(N,) metres along the curve at (N,) seconds: points are passed at their moments, at a smooth pace."""
        return paced(self.times, self.knots, np.asarray(seconds))


def paced(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """y at `at`, by a smooth curve through the pairs that never goes back (`warp.smooth_through`), straight beyond
    them.

    Args:
        x: (K,) increasing, K of 2 or more.
        y: (K,) not decreasing; where it rests it is let rise by a trifle.
        at: (N,).
    """
    lifted = np.asarray(y, np.float64) + 1e-6 * (x - x[0])
    return warp.smooth_through(lifted, np.asarray(x, np.float64), at)


def _segment(points: np.ndarray, gap: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(S, 2): a Catmull-Rom piece from the second to the third of four points, knots `gap` apart."""
    t0, t1, t2, t3 = np.concatenate([[0.0], np.cumsum(gap)])
    t = (t1 + share * (t2 - t1))[:, None]
    p0, p1, p2, p3 = points
    a1 = (t1 - t) / (t1 - t0) * p0 + (t - t0) / (t1 - t0) * p1
    a2 = (t2 - t) / (t2 - t1) * p1 + (t - t1) / (t2 - t1) * p2
    a3 = (t3 - t) / (t3 - t2) * p2 + (t - t2) / (t3 - t2) * p3
    b1 = (t2 - t) / (t2 - t0) * a1 + (t - t0) / (t2 - t0) * a2
    b2 = (t3 - t) / (t3 - t1) * a2 + (t - t1) / (t3 - t1) * a3
    return np.asarray((t2 - t) / (t2 - t1) * b1 + (t - t1) / (t2 - t1) * b2)
