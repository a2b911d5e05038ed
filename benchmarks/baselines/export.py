"""The released way from joints to a BVH, plainly: iterated inverse kinematics on a template skeleton.

Every iteration goes over the joints that have children; each time the whole body is placed by forward kinematics, and
the joint is turned by the average (in rotation vectors) of what would swing its children's directions onto the
targets. The released command runs 100 iterations, twice per clip (with and without foot locking). Written from
the published facts. Only its cost matters here.
"""

from __future__ import annotations

import numpy as np


def inverse_kinematics(joints: np.ndarray, offsets: np.ndarray, parents: list[int], iterations: int) -> np.ndarray:
    """(T, J, 3) targets -> (T, J, 4) local rotations wxyz, identity at the start."""
    frames, count = joints.shape[:2]
    local = np.zeros((frames, count, 4))
    local[..., 0] = 1.0
    children = [[c for c in range(count) if parents[c] == j] for j in range(count)]
    for _ in range(iterations):
        for j in range(count):
            if not children[j]:
                continue
            world, places = forward(local, offsets, parents, joints[:, 0])
            turns = []
            for c in children[j]:
                a, b = unit(places[:, c] - places[:, j]), unit(joints[:, c] - joints[:, j])
                axis = np.cross(a, b)
                size = np.linalg.norm(axis, axis=-1, keepdims=True)
                angle = np.arctan2(size, (a * b).sum(-1, keepdims=True))
                turns.append(axis / np.maximum(size, 1e-12) * angle)
            mean = np.mean(turns, axis=0)
            angle = np.linalg.norm(mean, axis=-1, keepdims=True)
            half = np.concatenate([np.cos(angle / 2), np.sin(angle / 2) * mean / np.maximum(angle, 1e-12)], -1)
            turned = multiply(half, world[:, j])
            above = world[:, parents[j]] if parents[j] >= 0 else np.tile([1.0, 0, 0, 0], (frames, 1))
            local[:, j] = multiply(above * [1, -1, -1, -1], turned)
    return local


def forward(
    local: np.ndarray, offsets: np.ndarray, parents: list[int], root: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    world, places = np.empty_like(local), np.empty((*local.shape[:-1], 3))
    world[:, 0], places[:, 0] = local[:, 0], root
    for j in range(1, local.shape[1]):
        world[:, j] = multiply(world[:, parents[j]], local[:, j])
        v = np.broadcast_to(offsets[j], root.shape)
        q = world[:, parents[j]]
        t = 2 * np.cross(q[:, 1:], v)
        places[:, j] = places[:, parents[j]] + v + q[:, :1] * t + np.cross(q[:, 1:], t)
    return world, places


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    w = a[:, 0] * b[:, 0] - (a[:, 1:] * b[:, 1:]).sum(-1)
    v = a[:, :1] * b[:, 1:] + b[:, :1] * a[:, 1:] + np.cross(a[:, 1:], b[:, 1:])
    return np.concatenate([w[:, None], v], -1)


def unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)
