"""`Rig`: the node tree of a character's glTF file, its rest pose, and forward kinematics over it.

World means the world of the file: its units, its axes, with every armature transform and scale applied. Which way is
up, and where the character faces, is found later, from its bones (`laban.character.stance`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from laban.errors import FormatError, InputError
from laban.io import bvh, gltf_document
from laban.io.fbx import document as fbx
from laban.io.gltf_document import Document
from laban.motion import anatomy, frames, rotation, tpose
from laban.motion.shape import Tree
from laban.motion.skeleton import Skeleton

MOST_SCALE = 1e6
_UPRIGHT = np.radians(25.0)  # from the world's up: who is bound within it stands


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
        joints: node numbers that some skin moves, or that make a person without a skin, in the order of the tree.
        moved: those of them that the file's nodes do not show as they rest.
        notes: what was assumed or mended, for a person to be told.
    """

    document: Document
    names: tuple[str, ...]
    parents: tuple[int, ...]
    order: tuple[int, ...]
    translation: np.ndarray
    rotation: np.ndarray
    scale: np.ndarray
    joints: tuple[int, ...] = field(default=())
    moved: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the nodes that hang on each node."""
        lists: list[list[int]] = [[] for _ in self.names]
        for node in self.order:
            if self.parents[node] >= 0:
                lists[self.parents[node]].append(node)
        return tuple(tuple(c) for c in lists)

    @cached_property
    def tree(self) -> Tree:
        """The nodes at rest."""
        return Tree(self.names, self.parents, self.order, self.place, self.joints)

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


def read(path: str | Path, person: str = "") -> Rig:
    """Read a character (.glb, .vrm, .gltf, .fbx), or the skeleton of a .bvh as one without a mesh.

    Args:
        path: the file.
        person: of several the name of the topmost bone or its armature, or the number; the first if empty.
    Returns: Rig. Its rest pose is the one that the meshes are bound in, where the nodes' own pose is another.
    Raises: InputError for a file without a skeleton; FormatError for a damaged one.
    """
    path = Path(path)
    if path.suffix.lower() == ".bvh":
        motion = bvh.read(path, person=person)
        rig = rig_of(skeleton_document(motion.skeleton, path, frames.standing(motion)))
        return replace(rig, notes=(*motion.notes, *rig.notes))
    if path.suffix.lower() == ".fbx":
        return rig_of(fbx.read(path), person)
    if path.suffix.lower() not in gltf_document.SUFFIXES:
        known = " ".join((*gltf_document.SUFFIXES, ".fbx", ".bvh"))
        raise InputError(f"{path}: a character is read from {known}. Convert it, for example with Blender.")
    return rig_of(gltf_document.read(path), person)


def skeleton_document(skeleton: Skeleton, path: Path, pose: np.ndarray | None = None) -> Document:
    """A glTF document that holds a skeleton and no mesh, in a pose (J, 4), joint to parent; its rest pose if None."""
    nodes: list[dict[str, Any]] = []
    for joint, name in enumerate(skeleton.names):
        node: dict[str, Any] = {"name": name, "translation": skeleton.offsets[joint].tolist()}
        if pose is not None:
            node["rotation"] = np.roll(pose[joint], -1).tolist()
        if skeleton.children(joint):
            node["children"] = list(skeleton.children(joint))
        nodes.append(node)
    content = {
        "asset": {"version": "2.0", "generator": "Laban"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": nodes,
        "skins": [{"joints": list(range(len(nodes)))}],
    }  # fmt: skip
    return Document(content, [], path)


def rig_of(document: Document, person: str = "") -> Rig:
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
    notes = list(document.notes)
    if any(
        "KHR_draco_mesh_compression" in p.get("extensions", {})
        for m in document.items("meshes")
        for p in m["primitives"]
    ):
        notes.append(
            "its meshes are compressed by Draco, which is not read here: soles are made, and pictures show a mannequin"
        )
    if lost := gltf_document.missing_pictures(document):
        notes.append(f"pictures are missing, and were left out: {', '.join(lost[:4])}")
    skinned = {joint for skin in document.items("skins") for joint in skin["joints"]}
    joints = tuple(node for node in order if node in (skinned or _bones(nodes)))
    names = _names(nodes, set(joints), notes)
    if skinned and np.abs(s[list(joints)]).min() < 1e-9:
        raise InputError(f"{path}: a bone is scaled to nothing, so it cannot be turned. Apply its scale and export.")
    rig = Rig(document, names, tuple(parents), tuple(order), t, rotation.normalise(r), s, joints)
    if not skinned and not (_said(document) or set(anatomy.LIMBS) <= anatomy.recognise(rig.tree).keys()):
        raise InputError(
            f"{path}: has no skeleton (no skin, and no nodes that make a person), so there are no bones to move: a "
            "prop? Give it an armature, bind the mesh to it, and export again."
        )
    rig = _bound(_one_person(rig, person, notes), notes)
    return replace(rig, notes=tuple(notes))


def _bones(nodes: list[dict[str, Any]]) -> set[int]:
    """Nodes that may be bones where no skin says which are: all but meshes, cameras and lights that carry nothing."""

    def shown(node: dict[str, Any]) -> bool:
        return bool({"mesh", "camera"} & node.keys()) or "KHR_lights_punctual" in node.get("extensions", {})

    return {k for k, node in enumerate(nodes) if node.get("children") or not shown(node)}


def _said(document: Document) -> bool:
    """Whether the file itself says which node is which part of a person."""
    return any(name in document.json.get("extensions", {}) for name in ("VRM", "VRMC_vrm", "VRMC_vrm_animation"))


def _names(nodes: list[dict[str, Any]], joints: set[int], notes: list[str]) -> tuple[str, ...]:
    """Names of the nodes; joints of one name get numbers."""
    names = [str(node.get("name", f"node_{k}")) for k, node in enumerate(nodes)]
    taken: set[str] = set()
    twice: list[str] = []
    for k in sorted(joints):
        base, number = names[k], 1
        while names[k] in taken:
            names[k], number = f"{base}.{number:03}", number + 1
        if names[k] != base:
            twice.append(base)
        taken.add(names[k])
    if twice:
        notes.append(f"bones of one name got numbers: {', '.join(dict.fromkeys(twice[:4]))}")
    return tuple(names)


def _one_person(rig: Rig, person: str, notes: list[str]) -> Rig:
    """The rig with the joints of one person, where a file holds several."""
    inside = set(rig.joints)
    tops = [j for j in rig.joints if not inside & set(rig.above(j)[1:])]
    if len(tops) < 2:
        return rig
    people: dict[int, set[int]] = {}
    for top in tops:
        whole = set(rig.below(top))
        some = replace(rig.tree, joints=tuple(j for j in rig.joints if j in whole))
        if set(anatomy.LIMBS) <= anatomy.recognise(some).keys():
            people[top] = whole
    if len(people) < 2:
        return rig
    names = [rig.names[top] for top in people]
    tops = list(people)
    armatures = [rig.names[rig.parents[top]] if rig.parents[top] >= 0 else "" for top in tops]
    number = 0
    if person in names or person in armatures:
        number = (names if person in names else armatures).index(person)
    elif person.isdigit() and int(person) < len(names):
        number = int(person)
    elif person:
        raise InputError(f"{rig.path}: there is no person {person!r}; it holds {', '.join(names)} (or 0, 1, …).")
    else:
        notes.append(
            f"{len(names)} people are in it ({', '.join(names)}); {names[0]!r} was taken. --person says who of a "
            "source, --map of a character"
        )
    others = set().union(*(whole for top, whole in people.items() if top != tops[number]))
    return replace(rig, joints=tuple(j for j in rig.joints if j not in others))


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
    if found.shape[1] != 16 or not len(found) or not np.isfinite(found).all():
        raise FormatError(f"{document.path}: a skin has {count} joints and bind matrices {found.shape}. Export again.")
    found = found[:count].astype(np.float64).reshape(-1, 4, 4).transpose(0, 2, 1)
    return np.concatenate([found, np.tile(np.eye(4), (count - len(found), 1, 1))])


def _bound(rig: Rig, notes: list[str]) -> Rig:
    """The rig in the pose in which its meshes are bound, where that can be told and differs from the nodes' pose.

    A file may be saved in the middle of an animation. The bind matrices say how the skeleton stood when the mesh was
    made for it, which is what a rest pose is. They say it in a space of their own, of which the world, the mesh's node
    and the armature are tried: the person must stand upright in it. Where nobody does, the topmost joint is at rest.
    """
    wanted: dict[int, np.ndarray] = {}
    for skin in rig.document.items("skins"):
        joints = [j for j in skin["joints"] if j in rig.joints]
        if "inverseBindMatrices" not in skin or not joints:
            continue
        given = len(rig.document.array(skin["inverseBindMatrices"]))
        if given < len(skin["joints"]):
            notes.append(f"a skin has {len(skin['joints'])} joints and {given} bind matrices; the rest move no mesh")
        try:
            bind = dict(zip(skin["joints"], np.linalg.inv(inverse_binds(rig.document, skin)[:given]), strict=False))
        except np.linalg.LinAlgError:
            continue
        joints = [j for j in joints if j in bind]
        whole = _space(rig, skin, {j: bind[j] for j in joints})
        for joint in joints:
            wanted.setdefault(joint, whole @ bind[joint])
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
    return Rig(rig.document, rig.names, rig.parents, rig.order, t, r, s, rig.joints, tuple(wanted))


def _space(rig: Rig, skin: dict[str, Any], bind: dict[int, np.ndarray]) -> np.ndarray:
    """(4, 4): from the space in which a skin's joints are bound to the world."""
    top = min(bind, key=rig.order.index)
    as_saved = rig.world[top] @ np.linalg.inv(bind[top])
    places = rig.place.copy()
    for joint, matrix in bind.items():
        places[joint] = matrix[:3, 3]
    tree = replace(rig.tree, place=places, joints=tuple(j for j in rig.joints if j in bind))
    known = {name: places[some.joint] for name, some in anatomy.recognise(tree).items() if some.joint in bind}
    if not set(anatomy.LIMBS) <= known.keys():
        return as_saved
    upright = tpose.frame(known)
    if upright is None:
        return as_saved
    number = rig.document.items("skins").index(skin)
    meshes = [k for k, node in enumerate(rig.document.items("nodes")) if node.get("skin") == number]
    above = rig.parents[top]
    spaces = [np.eye(4), *(rig.world[k] for k in meshes[:1]), *([rig.world[above]] if above >= 0 else [])]
    size = np.linalg.det(rig.world[top][:3, :3])
    for space in spaces:
        if abs(np.linalg.det(space[:3, :3] @ bind[top][:3, :3]) / size - 1) > 0.02:
            continue
        up = rotation.rotate(upright, np.linalg.inv(space[:3, :3]) @ np.array([0.0, 1.0, 0.0]))
        if rotation.unit(up)[1] > np.cos(_UPRIGHT):
            return space
    return as_saved
