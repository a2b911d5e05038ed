"""What a surface looks like beyond a colour per vertex: materials with pictures, texture coordinates, blend shapes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True)
class Picture:
    """A picture as the file that it is.

    Attributes:
        name: without a suffix.
        data: bytes of a PNG or JPEG file.
    """

    name: str
    data: bytes

    @property
    def suffix(self) -> str:
        """ ".png" or ".jpg", by the first bytes; empty for anything else."""
        return ".png" if self.data[:4] == b"\x89PNG" else ".jpg" if self.data[:3] == b"\xff\xd8\xff" else ""


@dataclass(frozen=True)
class Material:
    """How faces look.

    Attributes:
        name: of the material.
        colour: linear red, green, blue and opacity, 0 to 1.
        glow: linear red, green, blue of what it emits.
        pictures: "colour", "normal" or "glow" -> picture, multiplied into the above.
    """

    name: str
    colour: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    glow: tuple[float, float, float] = (0.0, 0.0, 0.0)
    pictures: dict[str, Picture] = field(default_factory=dict)


@dataclass(frozen=True)
class Shape:
    """A blend shape.

    Attributes:
        name: of the shape.
        moves: (V, 3) from the vertices to where they are with the shape at 1.
        weight: of the shape at rest, 0 to 1.
    """

    name: str
    moves: np.ndarray
    weight: float = 0.0


@dataclass(frozen=True)
class Look:
    """The look of a mesh.

    Attributes:
        name: of the mesh.
        materials: at least one.
        of_face: (F,) number of each face's material.
        places: (V, 2) texture coordinates, from the top left of the picture; None for none.
        shapes: blend shapes.
    """

    name: str
    materials: tuple[Material, ...]
    of_face: np.ndarray
    places: np.ndarray | None = None
    shapes: tuple[Shape, ...] = ()

    def of_vertices(self, chosen: np.ndarray) -> Look:
        """The look of some vertices, by their numbers; faces stay as many."""
        places = None if self.places is None else self.places[chosen]
        shapes = tuple(replace(shape, moves=shape.moves[chosen]) for shape in self.shapes)
        return replace(self, places=places, shapes=shapes)
