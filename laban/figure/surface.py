"""Surfaces from signed fields: surface nets, relaxing, and cutting a mesh along curves. Pure numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def surface_nets(value: Array, lines: tuple[Array, Array, Array]) -> tuple[Array, NDArray[np.int64]]:
    """The zero surface of a sampled field: (V, 3) vertices and (F, 4) quads, counter-clockwise from outside.

    Args:
        value: (X, Y, Z) samples, negative inside, positive on the border.
        lines: the grid's coordinates.
    Source: Gibson 1998, "Constrained elastic surface nets" (the cell's vertex is the mean of its edge crossings).
    """
    inside = value < 0
    cells = tuple(n - 1 for n in value.shape)
    total, count = np.zeros((*cells, 3)), np.zeros(cells)
    number = np.full(cells, -1)
    edges: list[tuple[NDArray[np.int64], NDArray[np.bool_]]] = []
    quads: list[NDArray[np.int64]] = []
    for axis in range(3):
        low, high = (
            tuple(slice(s, e) if a == axis else slice(None) for a in range(3)) for s, e in ((0, -1), (1, None))
        )
        at = np.argwhere(inside[low] != inside[high])
        i, j, k = at.T
        up = at + np.eye(3, dtype=int)[axis]
        v0, v1 = value[i, j, k], value[tuple(up.T)]
        t = v0 / (v0 - v1)
        where = np.stack([lines[a][at[:, a]] for a in range(3)], axis=1)
        where[:, axis] += t * (lines[axis][up[:, axis]] - lines[axis][at[:, axis]])
        b, c = (axis + 1) % 3, (axis + 2) % 3
        around = []
        for db, dc in ((-1, -1), (0, -1), (0, 0), (-1, 0)):
            cell = at.copy()
            cell[:, b] += db
            cell[:, c] += dc
            np.add.at(total, tuple(cell.T), where)
            np.add.at(count, tuple(cell.T), 1.0)
            around.append(cell)
        edges.append((np.stack(around, axis=1), v0 < 0))
    used = count > 0
    number[used] = np.arange(int(used.sum()))
    for corners, outward in edges:
        quad = number[tuple(np.moveaxis(corners, -1, 0))]
        quads.append(np.where(outward[:, None], quad, quad[:, ::-1]))
    return total[used] / count[used][:, None], np.concatenate(quads)


def relaxed(vertices: Array, quads: NDArray[np.int64], amount: float) -> Array:
    """Vertices moved towards the mean of their neighbours, which evens out the quads."""
    total, count = np.zeros_like(vertices), np.zeros(len(vertices))
    for k in range(4):
        for other in (quads[:, (k + 1) % 4], quads[:, (k + 3) % 4]):
            np.add.at(total, quads[:, k], vertices[other])
            np.add.at(count, quads[:, k], 1.0)
    return vertices + amount * (total / count[:, None] - vertices)


def cut(
    vertices: Array,
    faces: NDArray[np.int32],
    normals: Array,
    sides: Array,
    number: int,
    border: Callable[[Array], Array],
) -> tuple[Array, NDArray[np.int32], Array, Array]:
    """Split the triangles that a curve on the surface crosses: where `border`, (V, 3) -> (V,), changes its sign.

    Args:
        vertices: (V, 3).
        faces: (F, 3) vertex numbers.
        normals: (V, 3) unit.
        sides: (V, B); column `number` is filled in: the sign of `border`, 0 for vertices on the curve, so that no
            triangle has both signs. The other columns are carried over to the new vertices.
        number: the column of `sides` that is filled in.
        border: signed distance to the curve, (V, 3) -> (V,).
    Returns: vertices, faces, normals and sides, with the new vertices at the end.
    """
    value = border(vertices)
    mixed = faces[(value[faces].min(axis=1) < 0) & (value[faces].max(axis=1) > 0)]
    edge = np.concatenate([mixed[:, [0, 1]], mixed[:, [1, 2]], mixed[:, [2, 0]]])
    edge = np.unique(np.sort(edge, axis=1), axis=0)
    edge = edge[value[edge[:, 0]] * value[edge[:, 1]] < 0]
    low, high = np.zeros(len(edge)), np.ones(len(edge))
    start, along = vertices[edge[:, 0]], vertices[edge[:, 1]] - vertices[edge[:, 0]]
    for _ in range(14):  # bisection: borders are curved, so the crossing is not where a straight line would put it
        t = (low + high) / 2
        before = border(start + t[:, None] * along) * value[edge[:, 0]] > 0
        low, high = np.where(before, t, low), np.where(before, high, t)
    t = (low + high)[:, None] / 2
    close = np.concatenate([edge[t[:, 0] < 0.06, 0], edge[t[:, 0] > 0.94, 1]])
    value[close] = 0.0  # near enough to a vertex: no sliver
    keep = (value[edge] != 0).all(axis=1)
    edge, t = edge[keep], t[keep]
    middle = {(int(a), int(b)): len(vertices) + k for k, (a, b) in enumerate(edge)}
    signs = np.sign(value)[faces]
    touched = (signs.max(axis=1) > 0) & (signs.min(axis=1) < 0)
    out = [faces[~touched]]
    for face in faces[touched].tolist():
        ring: list[int] = []
        for a, b in zip(face, face[1:] + face[:1], strict=True):
            ring += [a, *(middle[key] for key in [(min(a, b), max(a, b))] if key in middle)]
        first = next(k for k, n in enumerate(ring) if n >= len(vertices))
        ring = ring[first:] + ring[:first]
        out.append(np.array([[ring[0], ring[k], ring[k + 1]] for k in range(1, len(ring) - 1)]))
    a, b = edge.T
    blend = normals[a] * (1 - t) + normals[b] * t
    fresh = sides[a] * (1 - t) + sides[b] * t
    sides = np.concatenate([sides, fresh])
    sides[:, number] = np.concatenate([np.sign(value), np.zeros(len(edge))])
    return (
        np.concatenate([vertices, vertices[a] * (1 - t) + vertices[b] * t]),
        np.concatenate(out).astype(np.int32),
        np.concatenate([normals, blend / np.linalg.norm(blend, axis=1, keepdims=True)]),
        sides,
    )
