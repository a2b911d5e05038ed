"""The travel of a motion, apart from the sway of its steps: what a client takes out to play it in place."""

from __future__ import annotations

from typing import Any

import numpy as np

STILL = 0.15  # metres; whoever stays within it does not travel
STRAIGHT = 0.06  # metres that the path may be off a straight line at an even speed
STRIDE = 1.0  # seconds over which steps are averaged


def trajectory(root: np.ndarray, fps: float, *, loop: bool = False) -> dict[str, Any]:
    """The simplest of a point, a straight line at an even speed, and a cubic Bezier curve.

    Args:
        root: (T, 3) metres, world.
        fps: of its frames.
        loop: whether the motion is a cycle; its line then closes on exactly the root's travel.
    Returns: model, loop, params, position (x, z) and yaw (radians about +Y, 0 at the first frame) per frame.
    """
    path = averaged(root[:, [0, 2]], fps)
    share = np.linspace(0.0, 1.0, len(path))[:, None]
    whole = root[-1, [0, 2]] - root[0, [0, 2]] if loop else path[-1] - path[0]
    seconds = max(1, len(path) - 1) / fps
    if np.linalg.norm(path - path[0], axis=1).max() < STILL:
        return _told("still", {}, np.repeat(path[:1], len(path), axis=0), np.zeros(len(path)), loop=loop)
    line = path[0] + share * whole
    if loop or np.linalg.norm(path - line, axis=1).max() < STRAIGHT:
        speed = float(np.linalg.norm(whole)) / seconds
        return _told("line", {"speed": round(speed, 4)}, line, np.zeros(len(path)), loop=loop)
    basis = np.concatenate(
        [(1 - share) ** 3, 3 * share * (1 - share) ** 2, 3 * share**2 * (1 - share), share**3], axis=1
    )
    ends = basis[:, [0, 3]] @ path[[0, -1]]
    inner = np.linalg.lstsq(basis[:, 1:3], path - ends, rcond=None)[0]
    points = np.stack([path[0], *inner, path[-1]])
    curve = basis @ points
    return _told("bezier", {"points": points.round(4).tolist()}, curve, _yaw(curve), loop=loop)


def averaged(path: np.ndarray, fps: float) -> np.ndarray:
    """(T, 2) averaged over a stride; at the ends over what there is on both sides."""
    half = round(STRIDE * fps / 2)
    sums = np.concatenate([np.zeros((1, 2)), np.cumsum(path, axis=0)])
    frames = np.arange(len(path))
    reach = np.minimum(half, np.minimum(frames, len(path) - 1 - frames))
    return (sums[frames + reach + 1] - sums[frames - reach]) / (2 * reach + 1)[:, None]


def _yaw(curve: np.ndarray) -> np.ndarray:
    """How far the curve has turned; where it hardly moves, as before."""
    steps = np.gradient(curve, axis=0)
    moves = np.linalg.norm(steps, axis=1) > 1e-4
    if not moves.any():
        return np.zeros(len(curve))
    angles = np.unwrap(np.arctan2(steps[moves, 0], steps[moves, 1]))
    return np.interp(np.arange(len(curve)), np.flatnonzero(moves), angles) - angles[0]


def _told(model: str, params: dict[str, Any], position: np.ndarray, yaw: np.ndarray, *, loop: bool) -> dict[str, Any]:
    places = position.round(5).tolist()
    return {"model": model, "loop": loop, "params": params, "position": places, "yaw": yaw.round(6).tolist()}
