"""The skinned meshes of a character: vertices at rest, what moves them, and their colours."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from laban.character.rig import Rig, inverse_binds
from laban.errors import FormatError

CHUNK = 1 << 14  # vertices that are blended at a time
MOST_SETS = 4  # of four joints and weights each that move a vertex


@dataclass(frozen=True)
class Part:
    """One primitive of a skinned mesh.

    Attributes:
        positions: (V, 3) in the mesh's own space.
        places: (V, K) numbers of `joints`; K is 4 for every set of joints that the file has.
        weights: (V, K), rows sum to 1.
        joints: node numbers.
        to_joint: (N, 4, 4) float32: mesh to node, for the nodes of its skin.
        primitive: its JSON.
        node: the number of the node that carries the mesh.
    """

    positions: np.ndarray
    places: np.ndarray
    weights: np.ndarray
    joints: np.ndarray
    to_joint: np.ndarray
    primitive: dict[str, Any]
    node: int = -1

    def nodes(self, chosen: np.ndarray | slice = slice(None)) -> np.ndarray:
        """(V, K) node numbers of some vertices, or of all."""
        return self.joints[self.places[chosen]]

    def turns(self, world: np.ndarray) -> np.ndarray:
        """(V, 3, 3): the blended linear parts that turn normals and moves of vertices when the nodes are at `world`."""
        moves = (world @ self.to_joint)[:, :3, :3]
        out = np.empty((len(self.positions), 3, 3))
        for start in range(0, len(out), CHUNK):
            rows = slice(start, start + CHUNK)
            out[rows] = np.einsum("vk,vkab->vab", self.weights[rows], moves[self.nodes(rows)])
        return out

    def at(self, world: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
        """(V, 3) float64: where vertices are when the nodes are at `world` (N, 4, 4); linear blend skinning."""
        moves = (world @ self.to_joint)[:, :3]
        some = np.arange(len(self.positions)) if chosen is None else chosen
        out = np.empty((len(some), 3))
        for start in range(0, len(some), CHUNK):
            rows = some[start : start + CHUNK]
            points = self.positions[rows].astype(np.float64)
            blended = np.einsum("vk,vkab->vab", self.weights[rows], moves[self.nodes(rows)])
            out[start : start + len(rows)] = np.einsum("vab,vb->va", blended[..., :3], points) + blended[..., 3]
        return out


def parts(rig: Rig) -> Iterator[Part]:
    """The primitives that a skin or a joint moves and that can be read; what an extension compresses is left out."""
    document = rig.document
    nodes, meshes, skins = (document.items(key) for key in ("nodes", "meshes", "skins"))
    hung = _hung(rig)
    for number, node in enumerate(nodes):
        if "mesh" not in node or ("skin" not in node and number not in hung):
            continue
        try:
            if "skin" not in node:
                yield from _rigid(rig, number, meshes[node["mesh"]])
                continue
            skin, mesh = skins[node["skin"]], meshes[node["mesh"]]
            joints = np.array(skin["joints"])
            to_joint = np.zeros((len(nodes), 4, 4))
            to_joint[joints] = inverse_binds(document, skin)
            for primitive in mesh["primitives"]:
                part = _part(rig, number, primitive, joints, to_joint)
                if part is not None:
                    yield part
        except (KeyError, IndexError, TypeError) as error:
            raise FormatError(f"{rig.path}: a mesh or skin is damaged ({error}). Export it again.") from None


def _hung(rig: Rig) -> set[int]:
    """Nodes that hang on a joint or are one: what is drawn there moves as a whole."""
    return {n for top in rig.joints for n in rig.below(top)}


def _rigid(rig: Rig, node: int, mesh: dict[str, Any]) -> Iterator[Part]:
    """The primitives of a mesh that one node moves."""
    joints, to_joint = np.array([node]), np.zeros((len(rig.names), 4, 4))
    to_joint[node] = np.eye(4)
    for primitive in mesh["primitives"]:
        if "POSITION" not in primitive["attributes"] or _unread(primitive):
            continue
        positions = rig.document.array(primitive["attributes"]["POSITION"])
        weights = np.zeros((len(positions), 4), np.float32)
        weights[:, :1] = 1.0
        if len(positions):
            yield Part(positions, np.zeros((len(positions), 4), np.int64), weights, joints, to_joint, primitive, node)


def _part(rig: Rig, node: int, primitive: dict[str, Any], joints: np.ndarray, to_joint: np.ndarray) -> Part | None:
    attributes, document = primitive["attributes"], rig.document
    if not {"POSITION", "JOINTS_0", "WEIGHTS_0"} <= attributes.keys() or _unread(primitive):
        return None
    positions = document.array(attributes["POSITION"])
    sets = [k for k in range(MOST_SETS) if {f"JOINTS_{k}", f"WEIGHTS_{k}"} <= attributes.keys()]
    places, weights = (
        _joined([document.array(attributes[f"{name}_{k}"]) for k in sets]) for name in ("JOINTS", "WEIGHTS")
    )
    if not len(positions):
        return None
    if places.max() >= len(joints) or len(places) != len(positions) or len(weights) != len(positions):
        raise FormatError(f"{rig.path}: a mesh names joints that its skin lacks. Export it again.")
    total = weights.sum(-1, keepdims=True)
    if np.abs(total - 1).max() > 1e-3:
        weights = weights / np.maximum(total, 1e-6)
    return Part(positions, places, weights, joints, to_joint, primitive, node)


def _joined(sets: list[np.ndarray]) -> np.ndarray:
    """Columns side by side; one set alone is the file's own bytes, not a copy."""
    return sets[0] if len(sets) == 1 else np.concatenate(sets, axis=1)


def triangles(rig: Rig, part: Part) -> np.ndarray:
    """(F, 3) vertex numbers; of what is said to be two-sided the fronts only. None of lines, points and strips."""
    if part.primitive.get("mode", 4) != 4:
        return np.zeros((0, 3), np.int64)
    count = len(part.positions)
    if "indices" in part.primitive:
        corners = rig.document.array(part.primitive["indices"])[:, 0].astype(np.int64)
    else:
        corners = np.arange(count)
    corners = corners[: len(corners) - len(corners) % 3].reshape(-1, 3)
    return corners[(corners < count).all(1)]


def _unread(primitive: dict[str, Any]) -> bool:
    return "KHR_draco_mesh_compression" in primitive.get("extensions", {})


def moved_by(rig: Rig, nodes: set[int], most: int = 400) -> tuple[np.ndarray, list[tuple[Part, np.ndarray]]]:
    """Vertices that some nodes move most: at rest (V, 3) in the file's world, and (part, vertex numbers) of them.

    At most about `most`, spread over all there are, the outermost among them.
    """
    found: list[tuple[Part, np.ndarray]] = []
    wanted = np.zeros(len(rig.names), bool)
    wanted[list(nodes)] = True
    places: list[np.ndarray] = []
    for part in parts(rig):
        chosen = np.concatenate([_mostly(part, wanted, start) for start in range(0, len(part.positions), CHUNK)])
        if not len(chosen):
            continue
        at = part.at(rig.world, chosen)
        keep = _outer(at, most)
        found.append((part, chosen[keep]))
        places.append(at[keep])
    return (np.concatenate(places) if places else np.zeros((0, 3))), found


def _mostly(part: Part, wanted: np.ndarray, start: int) -> np.ndarray:
    """Numbers of the vertices of one chunk that the wanted nodes move more than others do."""
    rows = slice(start, start + CHUNK)
    share = np.where(wanted[part.nodes(rows)], part.weights[rows], 0).sum(-1)
    return np.flatnonzero(share > 0.5) + start


def _outer(points: np.ndarray, most: int) -> np.ndarray:
    """Places of points that span the shape: the farthest along many directions, and some of all."""
    if len(points) <= most:
        return np.arange(len(points))
    rng = np.random.default_rng(0)
    ways = np.concatenate([np.eye(3), -np.eye(3), rng.normal(size=(most // 2, 3))])
    far = np.array([int((points @ way).argmax()) for way in ways])  # one by one: little memory
    even = np.linspace(0, len(points) - 1, most // 3).astype(int)
    return np.unique(np.concatenate([far, even]))


def colours(rig: Rig, part: Part) -> np.ndarray:
    """(V, 3) sRGB in 0..1: the material's colour and texture, looked up at each vertex."""
    document = rig.document
    count = len(part.positions)
    colour = np.ones((count, 3))
    materials = document.items("materials")
    number = part.primitive.get("material")
    if number is not None and number < len(materials):
        surface = materials[number].get("pbrMetallicRoughness", {})
        factor = np.clip(np.array(surface.get("baseColorFactor", [1, 1, 1, 1])[:3], np.float64), 0, 1)
        colour = colour * np.where(factor <= 0.0031308, factor * 12.92, 1.055 * factor ** (1 / 2.4) - 0.055)
        texture = surface.get("baseColorTexture")
        if texture is not None:
            seen = _texture(rig, texture, part, count)
            colour = colour if seen is None else colour * seen
    return np.clip(colour, 0.0, 1.0)


def _texture(rig: Rig, texture: dict[str, Any], part: Part, count: int) -> np.ndarray | None:
    """(V, 3) of a texture at the vertices' coordinates, None if the picture cannot be read."""
    from PIL import Image

    document = rig.document
    try:
        source = document.items("textures")[texture["index"]]["source"]
        image = document.items("images")[source]
        if "bufferView" not in image:
            return None
        with Image.open(io.BytesIO(document.view_bytes(image["bufferView"]))) as opened:
            if opened.width * opened.height > 1 << 26:
                return None
            pixels = np.asarray(opened.convert("RGB"), np.float64) / 255
        where = document.array(part.primitive["attributes"][f"TEXCOORD_{texture.get('texCoord', 0)}"])
    except (KeyError, IndexError, OSError, ValueError):
        return None
    shift = texture.get("extensions", {}).get("KHR_texture_transform", {})
    where = where * np.array(shift.get("scale", [1, 1])) + np.array(shift.get("offset", [0, 0]))
    u, v = (where[:, 0] % 1.0) * (pixels.shape[1] - 1), (where[:, 1] % 1.0) * (pixels.shape[0] - 1)
    return pixels[np.round(v).astype(int), np.round(u).astype(int)] if len(where) == count else None
