"""`Rig`: the node tree of a character's glTF file, its rest pose, and forward kinematics over it.

World means the world of the file: its units, its axes, with every armature transform and scale applied. Which way is
up, and where the character faces, is found later, from its bones (`laban.character.stance`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from laban.errors import FormatError, InputError
from laban.io import bvh, gltf_document
from laban.io.gltf_document import Document
from laban.motion import rotation
from laban.motion.skeleton import Skeleton

MOST_SCALE = 1e6


@dataclass
class Rig:
    """Nodes of a file with a skeleton.

    Attributes:
        document: the file.
        names: N node names; a node without one is called `node_7`.
        parents: N parent numbers, -1 for the roots.
        order: node numbers, parents before children.
        translation: (N, 3) units of the parent.
        rotation: (N, 4) unit wxyz.
        scale: (N, 3). Local, at rest.
        joints: node numbers that some skin moves, in the order of the tree.
    """

    document: Document
    names: tuple[str, ...]
    parents: tuple[int, ...]
    order: tuple[int, ...]
    translation: np.ndarray
    rotation: np.ndarray
    scale: np.ndarray
    joints: tuple[int, ...] = field(default=())

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the nodes that hang on each node."""
        lists: list[list[int]] = [[] for _ in self.names]
        for node in self.order:
            if self.parents[node] >= 0:
                lists[self.parents[node]].append(node)
        return tuple(tuple(c) for c in lists)

    @cached_property
    def world(self) -> np.ndarray:
        """(N, 4, 4): node to world at rest."""
        return self.forward({}, {}, 1)[0]

    @cached_property
    def place(self) -> np.ndarray:
        """(N, 3): where the nodes are at rest, world."""
        return self.world[:, :3, 3]

    @cached_property
    def turn(self) -> np.ndarray:
        """(N, 4) unit wxyz: rotation of the nodes at rest, node to world, without scale."""
        return turn_of(self.world)

    @property
    def path(self) -> Path:
        """The file."""
        return self.document.path

    def forward(self, rotations: dict[int, np.ndarray], translations: dict[int, np.ndarray], frames: int) -> np.ndarray:
        """Where the nodes are when some of them are moved.

        Args:
            rotations: node -> (T, 4) unit wxyz, node to parent.
            translations: node -> (T, 3), parent's units.
            frames: T.
        Returns: (T, N, 4, 4), node to world; nodes that are not named rest in their parents.
        """
        out = np.zeros((frames, len(self.names), 4, 4))
        for node in self.order:
            local = np.zeros((frames if node in rotations or node in translations else 1, 4, 4))
            turn = rotations.get(node, self.rotation[node])
            local[:, :3, :3] = rotation.to_matrix(turn) * self.scale[node]
            local[:, :3, 3] = translations.get(node, self.translation[node])
            local[:, 3, 3] = 1.0
            parent = self.parents[node]
            out[:, node] = local if parent < 0 else out[:, parent] @ local
        return out

    def above(self, node: int) -> list[int]:
        """The node and what it hangs on, up to the root."""
        chain = [node]
        while self.parents[chain[-1]] >= 0:
            chain.append(self.parents[chain[-1]])
        return chain

    def below(self, node: int) -> list[int]:
        """The node and everything under it."""
        found = [node]
        for item in found:
            found.extend(self.children[item])
        return found

    def index(self, name: str) -> int:
        """A node's number by its name, joints first. Raises InputError if there is none."""
        for node in (*self.joints, *self.order):
            if self.names[node] == name:
                return node
        raise InputError(f"{self.path}: there is no bone {name!r}; its bones: {', '.join(self.shown())}.")

    def shown(self, most: int = 80) -> list[str]:
        """Names of the joints, for messages."""
        return [self.names[j] for j in self.joints[:most]] + (["…"] if len(self.joints) > most else [])


def turn_of(matrices: np.ndarray) -> np.ndarray:
    """(..., 4) unit wxyz: the rotations nearest to (..., 4, 4) affine matrices (their polar part)."""
    u, _, vt = np.linalg.svd(matrices[..., :3, :3])
    sign = np.sign(np.linalg.det(u @ vt))
    u[..., :, 2] *= sign[..., None]
    return rotation.from_matrix(u @ vt)


def read(path: str | Path) -> Rig:
    """Read a character (.glb, .vrm, .gltf), or the skeleton of a .bvh as one without a mesh.

    Returns: Rig. Its rest pose is the one that the meshes are bound in, where the nodes' own pose is another.
    Raises: InputError for a file without a skeleton or with two bones of one name; FormatError for a damaged one.
    """
    path = Path(path)
    if path.suffix.lower() == ".bvh":
        return rig_of(skeleton_document(bvh.read(path).skeleton, path))
    if path.suffix.lower() not in gltf_document.SUFFIXES:
        known = " ".join(gltf_document.SUFFIXES)
        raise InputError(f"{path}: a character is read from {known}. Convert it, for example with Blender.")
    return rig_of(gltf_document.read(path))


def skeleton_document(skeleton: Skeleton, path: Path) -> Document:
    """A glTF document that holds a skeleton and no mesh."""
    nodes: list[dict[str, Any]] = []
    for joint, name in enumerate(skeleton.names):
        node: dict[str, Any] = {"name": name, "translation": skeleton.offsets[joint].tolist()}
        if skeleton.children(joint):
            node["children"] = list(skeleton.children(joint))
        nodes.append(node)
    content = {
        "asset": {"version": "2.0", "generator": "Laban"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": nodes,
        "skins": [{"joints": list(range(len(nodes)))}],
    }  # fmt: skip
    return Document(content, [], path)


def rig_of(document: Document) -> Rig:
    """The rig in a document; see `read`."""
    path, nodes = document.path, document.items("nodes")
    parents = [-1] * len(nodes)
    for number, node in enumerate(nodes):
        for child in node.get("children", []):
            parents[child] = number
    order = [n for n in range(len(nodes)) if parents[n] < 0]
    for node_number in order:
        order.extend(nodes[node_number].get("children", []))
    try:
        local = [_local(node) for node in nodes]
    except (TypeError, ValueError):
        raise FormatError(f"{path}: a node's translation, rotation, scale or matrix is no list of numbers.") from None
    t, r, s = (np.array([part[k] for part in local], np.float64).reshape(len(nodes), -1) for k in range(3))
    if not (np.isfinite(t).all() and np.isfinite(r).all() and np.isfinite(s).all() and (np.abs(s) <= MOST_SCALE).all()):
        raise FormatError(f"{path}: a node's transform is not finite, or scales by more than {MOST_SCALE:g}.")
    skinned = {joint for skin in document.items("skins") for joint in skin["joints"]}
    if not skinned:
        raise InputError(
            f"{path}: has no skeleton (no skin), so there are no bones to move: a prop? Give it an armature, bind the "
            "mesh to it, and export again."
        )
    names = tuple(str(node.get("name", f"node_{k}")) for k, node in enumerate(nodes))
    joints = tuple(node for node in order if node in skinned)
    twice = sorted(name for name, times in Counter(names[j] for j in joints).items() if times > 1)
    if twice:
        raise InputError(
            f"{path}: bone names stand twice: {', '.join(twice[:5])}. Rename them, so that the map can tell them apart."
        )
    if np.abs(s[list(joints)]).min() < 1e-9:
        raise InputError(f"{path}: a bone is scaled to nothing, so it cannot be turned. Apply its scale and export.")
    rig = Rig(document, names, tuple(parents), tuple(order), t, rotation.normalise(r), s, joints)
    return _bound(rig)


def _local(node: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if "matrix" in node:
        matrix = np.array(node["matrix"], np.float64).reshape(4, 4).T
        turn = turn_of(matrix)
        rest = rotation.to_matrix(turn).T @ matrix[:3, :3]
        return matrix[:3, 3], turn, np.diag(rest)
    x, y, z, w = np.array(node.get("rotation", [0, 0, 0, 1]), np.float64)
    turn = np.array([w, x, y, z])
    if not np.linalg.norm(turn) > 1e-6:
        raise ValueError("a rotation of no length")
    place = np.array(node.get("translation", [0, 0, 0]), np.float64).reshape(3)
    return place, turn, np.array(node.get("scale", [1, 1, 1]), np.float64).reshape(3)


def inverse_binds(document: Document, skin: dict[str, Any]) -> np.ndarray:
    """(K, 4, 4): mesh to joint, in the order of the skin's joints; identities where the file gives none."""
    count = len(skin["joints"])
    if "inverseBindMatrices" not in skin:
        return np.tile(np.eye(4), (count, 1, 1))
    found = document.array(skin["inverseBindMatrices"])
    if found.shape[1] != 16 or len(found) < count or not np.isfinite(found).all():
        raise FormatError(f"{document.path}: a skin has {count} joints and bind matrices {found.shape}. Export again.")
    return found[:count].astype(np.float64).reshape(-1, 4, 4).transpose(0, 2, 1)


def _bound(rig: Rig) -> Rig:
    """The rig in the pose in which its meshes are bound, where that can be told and differs from the nodes' pose.

    A file may be saved in the middle of an animation. The bind matrices say how the skeleton stood when the mesh was
    made for it, which is what a rest pose is.
    """
    wanted: dict[int, np.ndarray] = {}
    for skin in rig.document.items("skins"):
        joints = skin["joints"]
        if "inverseBindMatrices" not in skin:
            continue
        try:
            bind = np.linalg.inv(inverse_binds(rig.document, skin))
        except (np.linalg.LinAlgError, FormatError):
            continue
        top = min(range(len(joints)), key=lambda k: rig.order.index(joints[k]))
        whole = rig.world[joints[top]] @ np.linalg.inv(bind[top])  # mesh to world, if the topmost joint is at rest
        for joint, matrix in zip(joints, bind, strict=True):
            wanted.setdefault(joint, whole @ matrix)
    size = max(float(np.ptp(rig.place[list(rig.joints)], axis=0).max()), 1e-9)
    turned = [rotation.to_matrix(turn_of(m)) for m in wanted.values()]
    now = [rotation.to_matrix(rig.turn[j]) for j in wanted]
    moved = [float(np.abs(m[:3, 3] - rig.place[j]).max()) for j, m in wanted.items()]
    spun = [float(np.arccos(np.clip((np.trace(a.T @ b) - 1) / 2, -1, 1))) for a, b in zip(turned, now, strict=True)]
    if not wanted or (max(moved) < 2e-3 * size and max(spun) < 0.02):
        return rig
    world = rig.world.copy()
    t, r, s = rig.translation.copy(), rig.rotation.copy(), rig.scale.copy()
    for node in rig.order:
        parent = world[rig.parents[node]] if rig.parents[node] >= 0 else np.eye(4)
        if node in wanted:
            local = np.linalg.inv(parent) @ wanted[node]
            t[node], r[node] = local[:3, 3], turn_of(local)
            s[node] = np.diag(rotation.to_matrix(r[node]).T @ local[:3, :3])
        local = np.eye(4)
        local[:3, :3] = rotation.to_matrix(r[node]) * s[node]
        local[:3, 3] = t[node]
        world[node] = parent @ local
    if not np.isfinite(world).all():
        return rig
    return Rig(rig.document, rig.names, rig.parents, rig.order, t, r, s, rig.joints)
