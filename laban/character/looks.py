"""Materials, pictures, texture coordinates and blend shapes of a character, for writers of other formats."""

from __future__ import annotations

from typing import Any

import numpy as np

from laban.character.skin import Part
from laban.errors import FormatError
from laban.figure.look import Look, Material, Picture, Shape
from laban.io.gltf_document import Document

MOST_SHAPES = 1000


class Looks:
    """The looks of one document's primitives; materials are read once.

    Args:
        document: the character's file.
    """

    def __init__(self, document: Document):
        self._document = document
        self._materials: dict[int, Material] = {}
        self._pictures: dict[int, Picture] = {}

    def material(self, number: int | None) -> Material:
        """A material by its number; white for none."""
        entries = self._document.items("materials")
        if type(number) is not int or not 0 <= number < len(entries):
            return Material("white")
        if number not in self._materials:
            self._materials[number] = self._read(entries[number], f"material{number}")
        return self._materials[number]

    def _read(self, entry: dict[str, Any], name: str) -> Material:
        surface = entry.get("pbrMetallicRoughness", {})
        old = entry.get("extensions", {}).get("KHR_materials_pbrSpecularGlossiness", {})
        red, green, blue, opacity = _numbers(surface.get("baseColorFactor", old.get("diffuseFactor")), (1, 1, 1, 1))
        glow = _numbers(entry.get("emissiveFactor"), (0, 0, 0))
        slots = {
            "colour": surface.get("baseColorTexture", old.get("diffuseTexture")),
            "normal": entry.get("normalTexture"),
            "glow": entry.get("emissiveTexture") if any(glow) else None,
        }
        found = {slot: self._picture(texture) for slot, texture in slots.items() if texture is not None}
        opacity = 1.0 if entry.get("alphaMode", "OPAQUE") == "OPAQUE" else opacity
        pictures = {slot: picture for slot, picture in found.items() if picture is not None}
        return Material(
            str(entry.get("name", name)), (red, green, blue, opacity), (glow[0], glow[1], glow[2]), pictures
        )

    def _picture(self, texture: dict[str, Any]) -> Picture | None:
        """The picture of a texture; None where it is none that other programs read, or is not there."""
        try:
            number = self._document.items("textures")[texture["index"]]["source"]
            if number not in self._pictures:
                image = self._document.items("images")[number]
                name = str(image.get("name") or f"picture{number}").rpartition("/")[2]
                data = self._document.picture(number)
                self._pictures[number] = Picture(name.removesuffix(".png").removesuffix(".jpg"), data)
            return self._pictures[number] if self._pictures[number].suffix else None
        except (KeyError, IndexError, TypeError, FormatError):
            return None

    def places(self, part: Part) -> np.ndarray | None:
        """(V, 2) texture coordinates of the picture that colours a primitive, moved as its material says."""
        entries = self._document.items("materials")
        number = part.primitive.get("material")
        surface = (
            entries[number].get("pbrMetallicRoughness", {}) if type(number) is int and number < len(entries) else {}
        )
        texture = surface.get("baseColorTexture", {})
        accessor = part.primitive["attributes"].get(f"TEXCOORD_{texture.get('texCoord', 0)}")
        if accessor is None:
            return None
        where = self._document.array(accessor).astype(np.float64)
        shift = texture.get("extensions", {}).get("KHR_texture_transform", {})
        turn = float(shift.get("rotation", 0.0))
        spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        where = (where * _numbers(shift.get("scale"), (1, 1))) @ spin.T + _numbers(shift.get("offset"), (0, 0))
        return where if where.shape == (len(part.positions), 2) else None

    def shapes(self, part: Part, names: list[str], weights: list[float], turns: np.ndarray) -> tuple[Shape, ...]:
        """The blend shapes of a primitive.

        Args:
            part: the primitive.
            names: of the mesh's shapes, as far as it names them.
            weights: at rest, as far as the mesh gives them.
            turns: (V, 3, 3) mesh to the place where the vertices are wanted.
        """
        found = []
        for number, target in enumerate(part.primitive.get("targets", [])[:MOST_SHAPES]):
            moves = np.zeros((len(part.positions), 3))
            if "POSITION" in target:
                moves = self._document.array(target["POSITION"]).astype(np.float64)
            if moves.shape != (len(part.positions), 3):
                raise FormatError(f"{self._document.path}: blend shape {number} has not as many places as its mesh.")
            name = names[number] if number < len(names) else f"shape{number}"
            weight = float(weights[number]) if number < len(weights) else 0.0
            found.append(Shape(name, np.einsum("vab,vb->va", turns, moves), weight))
        return tuple(found)

    def look(self, part: Part, faces: int, turns: np.ndarray) -> Look:
        """The look of a primitive with that many faces; see `shapes` for `turns`."""
        mesh = self._document.items("meshes")[self._document.items("nodes")[part.node]["mesh"]]
        extras = mesh.get("extras")
        names = extras.get("targetNames") if isinstance(extras, dict) else None
        names = [str(name) for name in names] if isinstance(names, list) else []
        weights = mesh.get("weights")
        weights = [float(w) for w in weights] if isinstance(weights, list) else []
        name = str(self._document.items("nodes")[part.node].get("name", mesh.get("name", "mesh")))
        return Look(
            name, (self.material(part.primitive.get("material")),), np.zeros(faces, int), self.places(part),
            self.shapes(part, names, weights, turns),
        )  # fmt: skip


def joined(looks: list[Look], counts: list[int]) -> Look:
    """The look of primitives that become one mesh; shapes and texture coordinates are those of any of them.

    Args:
        looks: of each primitive.
        counts: of each one's vertices.
    """
    materials = list(dict.fromkeys(id(material) for look in looks for material in look.materials))
    known = {id(material): material for look in looks for material in look.materials}
    of_face = [np.array([materials.index(id(material)) for material in look.materials])[look.of_face] for look in looks]
    places = None
    if any(look.places is not None for look in looks):
        places = np.concatenate([
            np.zeros((count, 2)) if look.places is None else look.places
            for look, count in zip(looks, counts, strict=True)
        ])  # fmt: skip
    names = list(dict.fromkeys(shape.name for look in looks for shape in look.shapes))
    shapes = []
    for name in names:
        own = [next((shape for shape in look.shapes if shape.name == name), None) for look in looks]
        moves = [np.zeros((n, 3)) if s is None else s.moves for s, n in zip(own, counts, strict=True)]
        shapes.append(Shape(name, np.concatenate(moves), max(s.weight for s in own if s is not None)))
    return Look(looks[0].name, tuple(known[m] for m in materials), np.concatenate(of_face), places, tuple(shapes))


def _numbers(value: Any, default: tuple[float, ...]) -> tuple[float, ...]:
    """Finite numbers of a JSON list, as many as `default` has; else those."""
    try:
        found = np.array(value, np.float64)
    except (TypeError, ValueError):
        return tuple(map(float, default))
    if found.shape != (len(default),) or not np.isfinite(found).all():
        return tuple(map(float, default))
    return tuple(found.tolist())
