"""Surfaces of FBX as glTF wants them: triangles, one normal and texture coordinate per vertex, eight bones at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_BONES = 8  # of a vertex


@dataclass(frozen=True)
class Surface:
    """A mesh.

    Attributes:
        positions: (V, 3) metres.
        normals: (V, 3), or None.
        places: (V, 2) texture coordinates from the top left, or None.
        triangles: (material or -1, corners (C,)) in turn.
        sets: (joints (V, 4), weights (V, 4)) in turn; none without a skin.
        shapes: (name, moves (V, 3), weight).
    """

    positions: np.ndarray
    normals: np.ndarray | None
    places: np.ndarray | None
    triangles: list[tuple[int, np.ndarray]]
    sets: list[tuple[np.ndarray, np.ndarray]]
    shapes: list[tuple[str, np.ndarray, float]]


def surface(mesh: dict[str, Any], arrays: dict[str, np.ndarray]) -> Surface:
    """The surface of a mesh as `unpack` describes it. Raises: ValueError or IndexError where numbers do not fit."""
    points, corners = arrays[mesh["vertices"]], _below(arrays[mesh["corners"]], len(arrays[mesh["vertices"]]))
    columns = [corners[:, None].astype(np.float32)]
    given: dict[str, np.ndarray] = {}
    for name in ("normal", "uv"):
        if name in mesh:
            values = arrays[mesh[name]].astype(np.float32)
            given[name] = values[_below(arrays[mesh[f"{name}_of"]], len(values))]
            columns.append(given[name])
    rows = np.ascontiguousarray(np.concatenate(columns[1:] or columns, axis=1) + np.float32(0.0))
    keys = np.concatenate([corners[:, None].astype("<i4").view("u1"), rows.view("u1").reshape(len(rows), -1)], axis=1)
    keys = np.ascontiguousarray(keys).view(np.dtype((np.void, keys.shape[1])))[:, 0]
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    number = number.reshape(-1)
    vertex = corners[first]
    faces = arrays[mesh["faces"]]
    if len(faces) and (faces.min() < 0 or faces.sum(1).max() > len(corners)):
        raise ValueError("a face names corners that are not there")
    triangles, owner = _fans(faces)
    found = []
    named = arrays[mesh["face_material"]]
    of_face = named if len(named) == len(faces) else np.zeros(len(faces), int)
    for material in np.unique(of_face[owner]) if len(owner) else []:
        known = mesh["materials"][material] if 0 <= material < len(mesh["materials"]) else -1
        found.append((int(known), number[triangles[of_face[owner] == material]].ravel()))
    normals = given["normal"][first] if "normal" in given else None
    places = given["uv"][first] * (1, -1) + (0, 1) if "uv" in given else None
    for some in (points, normals, places):
        if some is not None and not np.isfinite(some).all():
            raise ValueError("a mesh holds numbers that are not finite")
    sets = _sets(mesh["skin"], arrays, len(points), vertex) if mesh["skin"] is not None else []
    shapes = []
    for shape in mesh["shapes"]:
        moves = np.zeros((len(points), 3))
        moves[_below(arrays[shape["vertices"]], len(points))] = arrays[shape["moves"]]
        shapes.append((str(shape["name"]), moves[vertex], float(shape["weight"])))
    return Surface(points[vertex], normals, places, found, sets, shapes)


def _below(numbers: np.ndarray, count: int) -> np.ndarray:
    if len(numbers) and not (numbers.min() >= 0 and numbers.max() < count):
        raise ValueError("a mesh names a vertex that is not there")
    return numbers


def _fans(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (N, 3) of triangles, fans of faces (first corner, number of corners), and each one's face (N,)."""
    counts = np.maximum(faces[:, 1] - 2, 0)
    owner = np.repeat(np.arange(len(faces)), counts)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    start = faces[owner, 0]
    return np.stack([start, start + step + 1, start + step + 2], axis=-1), owner


def _sets(
    skin: dict[str, Any], arrays: dict[str, np.ndarray], count: int, vertex: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Joints and weights of the vertices, the heaviest first, four in each set; a vertex of none follows joint 0."""
    vertices, weights = _below(arrays[skin["vertices"]], count), arrays[skin["weights"]]
    joints = np.repeat(np.arange(len(skin["counts"])), skin["counts"])
    good = np.isfinite(weights) & (weights > 0)
    vertices, weights, joints = vertices[good], weights[good], joints[good]
    order = np.lexsort((-weights, vertices))
    vertices, weights, joints = vertices[order], weights[order], joints[order]
    rank = np.arange(len(vertices)) - np.searchsorted(vertices, vertices)
    few = rank < MOST_BONES
    vertices, weights, joints, rank = vertices[few], weights[few], joints[few], rank[few]
    width = 4 * (int(rank.max()) // 4 + 1) if len(rank) else 4
    numbers, shares = np.zeros((count, width), int), np.zeros((count, width))
    numbers[vertices, rank], shares[vertices, rank] = joints, weights
    total = shares.sum(-1, keepdims=True)
    shares[total[:, 0] <= 0, 0] = 1.0
    shares /= np.where(total > 0, total, 1.0)
    return [(numbers[vertex, k : k + 4], shares[vertex, k : k + 4]) for k in range(0, width, 4)]
