"""`Asset`: a skinned, animated body as any writer of rigged files needs it (GLB, FBX, USD): bones, tracks, meshes.

`asset_of` makes one of a motion and its mannequin; `laban.character.asset` makes one of a motion on a character.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from laban.figure.mesh import Mesh, mannequin
from laban.motion import rotation
from laban.motion.motion import Motion


@dataclass(frozen=True)
class Asset:
    """Bones, what moves them, and the surfaces that they move. World: metres or the file's units, Y up.

    Attributes:
        bones: J names, parents before children.
        parents: J numbers of bones, -1 for those at the top.
        rest: (J, 4, 4) bone to world in the pose that the meshes are bound in.
        offsets: (J, 3) bone to parent at rest; of a topmost bone, to the world.
        translations: (T, J, 3) bone to parent over time.
        rotations: (T, J, 4) unit wxyz, bone to parent over time, sign-continuous.
        scales: (J, 3) bone to parent.
        meshes: in the bind pose, world; their joints are numbers of bones.
        fps: frames per second.
        name: of the animation.
        passport: of the motion.
    """

    bones: tuple[str, ...]
    parents: tuple[int, ...]
    rest: np.ndarray
    offsets: np.ndarray
    translations: np.ndarray
    rotations: np.ndarray
    scales: np.ndarray
    meshes: tuple[Mesh, ...]
    fps: float
    name: str
    passport: Mapping[str, Any] | None = None

    @property
    def frames(self) -> int:
        """T."""
        return len(self.rotations)

    def rest_to_parents(self) -> np.ndarray:
        """(J, 4, 4) bone to parent at rest; of a topmost bone, to the world."""
        return to_parents(self.rest[None], self.parents)[0]

    def without_meshes(self) -> Asset:
        """The bones and what moves them alone."""
        return replace(self, meshes=())

    def children(self, bone: int) -> list[int]:
        """The numbers of the bones that hang on one."""
        return [number for number, parent in enumerate(self.parents) if parent == bone]


def to_parents(world: np.ndarray, parents: Sequence[int]) -> np.ndarray:
    """(T, J, 4, 4) bone to parent, of (T, J, 4, 4) bone to world; topmost bones stay in the world."""
    local = world.copy()
    for bone, parent in enumerate(parents):
        if parent >= 0:
            local[:, bone] = np.linalg.inv(world[:, parent]) @ world[:, bone]
    return local


def asset_of(motion: Motion, mesh: Mesh | None = None, name: str = "motion") -> Asset:
    """A motion and the body that shows it, in a rest pose that stands on the floor.

    Args:
        motion: any skeleton.
        mesh: a skinned mesh in the skeleton's rest pose; default `mannequin(motion.skeleton)`.
        name: of the animation, where no text describes the motion.
    """
    skeleton = motion.skeleton
    mesh = mesh if mesh is not None else mannequin(skeleton)
    lift = np.array([0.0, -float(mesh.vertices[:, 1].min()), 0.0])
    rest = np.tile(np.eye(4), (len(skeleton), 1, 1))
    rest[:, :3, 3] = skeleton.rest() + lift
    offsets = np.array(skeleton.offsets, np.float64)
    offsets[0] = lift
    translations = np.tile(offsets, (motion.frames, 1, 1))
    translations[:, 0] = motion.root
    text = motion.segments[0].text if motion.segments else ""
    return Asset(
        tuple(skeleton.names), tuple(skeleton.parents), rest, offsets, translations,
        rotation.continuous(motion.rotations), np.ones((len(skeleton), 3)),
        (replace(mesh, vertices=mesh.vertices + lift),), motion.fps, text[:60] or name,
        motion.passport,
    )  # fmt: skip
