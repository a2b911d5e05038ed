"""Pictures of characters: their own mesh, with the colours of its materials, where motions show the mannequin."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from laban.character import animation
from laban.character.made import Made
from laban.character.skin import colours, parts, triangles
from laban.character.stance import Stance, load
from laban.drawing import film, picture, scene
from laban.errors import InputError
from laban.figure.mesh import Mesh, normals_of
from laban.io import about
from laban.motion import rotation
from laban.motion.bearings import sized
from laban.motion.motion import Motion, Segment
from laban.motion.retarget import retarget

MAX_TRIANGLES = 1_500_000


class CharacterFigure(scene.Figure):
    """A character that moves.

    Args:
        stance: the character.
        motion: its mapped joints over time, for the camera (`animation.motion_from_world`).
        world: (T, N, 4, 4) where its nodes are.
        unit: file units per metre of the picture.
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
            corners = triangles(rig, part)
            if not len(corners):
                continue
            used, places = np.unique(part.nodes(), return_inverse=True)
            moved = (world[:, used] @ part.to_joint[used])[:, :, :3]
            moves.append((np.einsum("ab,tnbc->tnac", frame, moved) / unit).astype(np.float32))
            points.append(part.positions.astype(np.float32))
            tints.append(colours(rig, part))
            faces.append(corners + count)
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
        corners = np.concatenate(faces)
        if len(corners) > MAX_TRIANGLES:
            raise InputError(f"{rig.path}: {len(corners)} triangles; at most {MAX_TRIANGLES} are drawn. Simplify it.")
        self._normals = np.zeros_like(self._points)
        empty = np.zeros((0, 4))
        self.mesh = Mesh(
            self._points.astype(np.float64), corners.astype(np.int32), empty.astype(np.int32), empty,
            self._normals.astype(np.float64), np.concatenate(tints),
        )  # fmt: skip

    def pose(self, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """(V, 3) points in metres of the picture and (V, 3) unit normals at a frame, float32."""
        blended = (self._dense @ self.matrices[frame].reshape(-1, 12)).reshape(-1, 3, 4)
        points = np.matmul(blended[..., :3], self._points[..., None])[..., 0] + blended[..., 3]
        return points, normals_of(points, self.mesh.faces).astype(np.float32)


def write(made: Made, path: str | Path, view: scene.View = scene.USUAL, **options: Any) -> None:
    """Show a motion on a character: its own mesh, in a film (.mp4, .gif) or a row of poses (.png).

    Args:
        made: the beats of a dance are in its passport.
        path: where to.
        view: size, side and what stands at the foot.
        options: of the film or picture (fps, progress, sound).
    """
    path, clip = Path(path), made.clip
    about.dumps(made.passport, path)
    world = clip.world()
    motion = replace(shown(clip.stance, world, clip.fps, clip.unit, clip.name), passport=made.passport)

    if not any(len(triangles(clip.stance.rig, part)) for part in parts(clip.stance.rig)):
        figureless = film.write if path.suffix.lower() != ".png" else picture.write
        figureless(motion, path, view, **options)  # a mesh that cannot be read: the bones
        return

    def figure(at: Motion) -> CharacterFigure:
        there = clip.stance.rig.forward(*animation.tracks(clip, at.fps))[: at.frames]
        return CharacterFigure(clip.stance, at, there, clip.unit)

    if path.suffix.lower() == ".png":
        picture.write(motion, path, view, figure=CharacterFigure(clip.stance, motion, world, clip.unit), **options)
    else:
        film.write(motion, path, view, figure=figure, **options)


def shown(stance: Stance, world: np.ndarray, fps: float, unit: float, text: str) -> Motion:
    """What the camera follows: the mapped joints in metres of the picture."""
    segments = (Segment(text, 0.0, len(world) / fps),)
    return sized(animation.motion_from_world(stance, world, fps, segments), 1 / unit)


def render_file(
    path: Path, out: Path, name: str = "", view: scene.View = scene.USUAL, fps: float | None = None
) -> Motion:
    """Show an animation of a character's file.

    Args:
        path: of the character.
        out: a film or picture.
        name: of the animation, or its number; the first if empty.
        view: size, side and what stands at the foot.
        fps: frames per second of a film; as usual for the format if not given.
    Returns: what was shown.
    """
    stance = load(path, partial=True)
    sampled = min(fps or 30.0, 60.0)
    motion, world = animation.read_motion(stance, name, sampled)
    unit = stance.leg / 0.83  # as large as a grown person in the picture
    motion = sized(motion, 1 / unit)
    figure = partial(_at, stance, world, sampled, unit)
    shown: dict[str, Any] = {}
    if not any(len(triangles(stance.rig, part)) for part in parts(stance.rig)):
        motion = retarget(motion)  # bones alone: the mannequin shows them
    else:
        shown = {"figure": figure(motion) if out.suffix.lower() == ".png" else figure}
    if out.suffix.lower() == ".png":
        picture.write(motion, out, view, **shown)
    else:
        film.write(motion, out, view, fps=fps, **shown)
    return motion


def _at(stance: Stance, world: np.ndarray, fps: float, unit: float, motion: Motion) -> CharacterFigure:
    """The figure at the rate of `motion`: the nearest frames of `world`."""
    frames = np.minimum(np.round(np.arange(motion.frames) / motion.fps * fps).astype(int), len(world) - 1)
    return CharacterFigure(stance, motion, world[frames], unit)
