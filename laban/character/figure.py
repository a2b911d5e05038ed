"""A skinned character as the renderers draw figures: its own mesh, with the colours of its materials."""

from __future__ import annotations

import numpy as np

from laban.character.skin import colours, parts
from laban.character.stance import Stance
from laban.drawing import scene
from laban.errors import InputError
from laban.figure import mesh
from laban.motion import rotation
from laban.motion.motion import Motion

MOST_TRIANGLES = 1_500_000


class CharacterFigure(scene.Figure):
    """A character that moves.

    Args:
        stance: the character.
        motion: its mapped joints over time, for the camera (`clip.motion_from_world`).
        world: (T, N, 4, 4) where its nodes are. unit: file units per metre of the picture.
    Raises: InputError for a character without a mesh that can be read, or too large a one.
    """

    def __init__(self, stance: Stance, motion: Motion, world: np.ndarray, unit: float):
        scene.check_length(motion.frames, len(stance.rig.names))
        self.motion = motion
        rig, frame = stance.rig, rotation.to_matrix(stance.frame)
        points, faces, tints, columns, rows = [], [], [], [], []
        moves: list[np.ndarray] = []
        count = width = 0
        for part in parts(rig):
            triangles = _triangles(stance, part.primitive, len(part.positions))
            if not len(triangles):
                continue
            used, places = np.unique(part.nodes(), return_inverse=True)
            moved = (world[:, used] @ part.to_joint[used])[:, :, :3]
            moves.append((np.einsum("ab,tnbc->tnac", frame, moved) / unit).astype(np.float32))
            points.append(part.positions.astype(np.float32))
            tints.append(colours(rig, part))
            faces.append(triangles + count)
            columns.append(places.reshape(part.places.shape) + width)
            rows.append(part.weights)
            count, width = count + len(part.positions), width + len(used)
        if not points:
            raise InputError(f"{rig.path}: has no skinned mesh that can be read, so there is nothing to draw.")
        self.matrices = np.concatenate(moves, axis=1)
        self._points = np.concatenate(points)
        joints, weights = np.concatenate(columns), np.concatenate(rows).astype(np.float32)
        self._dense = np.zeros((count, width), np.float32)
        np.add.at(self._dense, (np.arange(count)[:, None], joints), weights)
        triangles = np.concatenate(faces)
        if len(triangles) > MOST_TRIANGLES:
            raise InputError(
                f"{rig.path}: {len(triangles)} triangles; at most {MOST_TRIANGLES} are drawn. Simplify it."
            )
        self._normals = np.zeros_like(self._points)
        empty = np.zeros((0, 4))
        self.mesh = mesh.Mesh(
            self._points.astype(np.float64), triangles.astype(np.int32), empty.astype(np.int32), empty,
            self._normals.astype(np.float64), np.concatenate(tints),
        )  # fmt: skip

    def pose(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """(V, 3) points in metres of the picture and (V, 3) unit normals at a frame, float32."""
        blended = (self._dense @ self.matrices[frame].reshape(-1, 12)).reshape(-1, 3, 4)
        points = np.matmul(blended[..., :3], self._points[..., None])[..., 0] + blended[..., 3]
        a, b, c = (points[self.mesh.faces[:, k]] for k in range(3))
        across = np.cross(b - a, c - a)
        normals = np.stack([_summed(self.mesh.faces, across[:, k], len(points)) for k in range(3)], -1)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        return points, normals.astype(np.float32)


def _summed(faces: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(faces.ravel(), np.repeat(values, 3), count)


def _triangles(stance: Stance, primitive: dict, count: int) -> np.ndarray:
    """(F, 3) vertex numbers; only the fronts are drawn, also of what is said to be two-sided."""
    if primitive.get("mode", 4) != 4:
        return np.zeros((0, 3), np.int64)
    document = stance.rig.document
    if "indices" in primitive:
        corners = document.array(primitive["indices"])[:, 0].astype(np.int64)
    else:
        corners = np.arange(count)
    corners = corners[: len(corners) - len(corners) % 3].reshape(-1, 3)
    corners = corners[(corners < count).all(1)]
    return corners
