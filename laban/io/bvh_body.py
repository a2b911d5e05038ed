"""From the nodes and numbers of a BVH file to a `Motion`: one body, whose root alone travels.

Files hold more than bodies: a root beside which IK bones and props travel, joints that stretch, several people. What is
no part of the body is left out, what stretches gets one length, and the motion's `notes` say so.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from laban.errors import FormatError, InputError
from laban.io.bvh_parse import Layout, Node
from laban.motion import rotation
from laban.motion.anatomy import recognise
from laban.motion.motion import Motion
from laban.motion.shape import Tree
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import SKELETONS

STILL = 1e-4 / 1.7  # of the body's size (0.1 mm of a person): what stays within this is a joint of fixed offset
_STRETCH = 0.2  # of the body's size: joints that move farther in the body are no stretch
_REST = 0.6  # of the joints hang on the one that carries the body


def assembled(layout: Layout, name: str, what: str, person: str = "") -> Motion:
    """A layout as a motion in the file's own units and axes.

    Args:
        layout: as parsed.
        name: of the skeleton.
        what: how messages call the file.
        person: which of several roots: its name, or its number from 0 as text; the first if empty.
    Raises: FormatError for joints that move about in the body; InputError for a person who is not there.
    """
    nodes, notes = _person(layout, person, what)
    values, frames = layout.values, len(layout.values)
    offsets = np.array([node.offset for node in nodes], dtype=np.float64)
    places = {j: _place(node, offsets[j], values) for j, node in enumerate(nodes) if _moves(node)}
    rotations = _rotations(nodes, values)
    for joint, place in places.items():
        if joint:
            offsets[joint] = place[0]  # for the size and shape; what it is at last is said below
    body = _Body(nodes, offsets, places)
    root = places.get(0, np.broadcast_to(offsets[0], (frames, 3)))
    first = 0
    while (child := body.carrier(first, root, rotations)) is not None:
        root = root + rotation.rotate(rotations[:, first], places.pop(child))
        rotations[:, child] = rotation.multiply(rotations[:, first], rotations[:, child])
        first = child
    kept = body.kept(first)
    left = [nodes[j].name for j in range(len(nodes)) if j not in kept and j not in body.above(first)]
    tops = [
        nodes[j].name for j in range(len(nodes)) if nodes[j].name in left and nodes[j].parent in (kept | {first, 0})
    ]
    if [name for name in left if not name.endswith("_end")]:
        shown = ", ".join(tops[:4] or left[:4]) + (" …" if len(tops) > 4 else "")
        notes.append(f"what does not belong to the body is left out: {shown}")
    _fix(nodes, offsets, {j: p for j, p in places.items() if j in kept and j != first}, body, notes, what)
    order = sorted(kept)
    offsets[first] = 0.0
    skeleton = Skeleton(
        name,
        tuple(nodes[j].name for j in order),
        tuple(order.index(nodes[j].parent) if j != first else -1 for j in order),
        offsets[order],
    )
    motion = Motion(skeleton, rotations[:, order], np.array(root), _rate(layout, notes), notes=tuple(notes))
    return _builtin_order(motion, [nodes[j] for j in order])


def _person(layout: Layout, person: str, what: str) -> tuple[list[Node], list[str]]:
    """The nodes of one of the roots, numbered from 0, and what is to be said of it."""
    nodes, notes = layout.nodes, list(layout.notes)
    roots = [j for j, node in enumerate(nodes) if node.parent < 0]
    names = [nodes[j].name for j in roots]
    number = 0
    if person in names:
        number = names.index(person)
    elif person.isdigit() and int(person) < len(roots):
        number = int(person)
    elif person:
        raise InputError(f"{what}: there is no person {person!r}; its roots are {', '.join(names)} (or 0, 1, …).")
    elif len(roots) > 1:
        notes.append(f"{len(roots)} people are in it ({', '.join(names)}); {names[0]!r} was read. --person says who")
    start, end = roots[number], [*roots, len(nodes)][number + 1]
    moved = [replace(node, parent=node.parent - start if node.parent >= 0 else -1) for node in nodes[start:end]]
    return _renamed(moved, notes), notes


def _renamed(nodes: list[Node], notes: list[str]) -> list[Node]:
    """Names that stand once: a number behind the second, as Blender does it, and `<parent>_end` for End Sites."""
    taken: set[str] = set()
    twice: list[str] = []
    out = list(nodes)
    for ends in (False, True):
        for joint, node in enumerate(nodes):
            if node.end != ends:
                continue
            base = name = f"{out[node.parent].name}_end" if ends else node.name
            number = 2 if ends else 1
            while name in taken:
                name, number = (f"{base}{number}" if ends else f"{base}.{number:03}"), number + 1
            if name != base and not ends:
                twice.append(base)
            taken.add(name)
            out[joint] = replace(node, name=name)
    if twice:
        notes.append(f"joints of one name got numbers: {', '.join(dict.fromkeys(twice[:4]))}")
    return out


class _Body:
    """Which joints of a file make the body."""

    def __init__(self, nodes: list[Node], offsets: np.ndarray, places: dict[int, np.ndarray]) -> None:
        self.nodes, self.places = nodes, places
        self.children: list[list[int]] = [[] for _ in nodes]
        for joint, node in enumerate(nodes):
            if node.parent >= 0:
                self.children[node.parent].append(joint)
        self.size = max(_longest(nodes, offsets), 1e-9)
        parents = tuple(node.parent for node in nodes)
        rest = np.zeros_like(offsets)
        for joint in range(1, len(nodes)):
            rest[joint] = rest[parents[joint]] + offsets[joint]
        count = tuple(range(len(nodes)))
        tree = Tree(tuple(node.name for node in nodes), parents, count, rest, count)
        known = {name: some.joint for name, some in recognise(tree).items()}
        self.known = set(known.values())
        self.trunk = {known[name] for name in ("left_hip", "right_hip", "head") if name in known}

    def below(self, joint: int) -> set[int]:
        """The joint and what hangs on it."""
        found = [joint]
        for item in found:
            found.extend(self.children[item])
        return set(found)

    def above(self, joint: int) -> set[int]:
        """What the joint hangs on."""
        found = set()
        while (joint := self.nodes[joint].parent) >= 0:
            found.add(joint)
        return found

    def moves(self, joint: int) -> bool:
        """Whether a joint moves in its parent's frame."""
        return joint in self.places and float(np.ptp(self.places[joint], axis=0).max()) > 2 * STILL * self.size

    def carrier(self, first: int, root: np.ndarray, rotations: np.ndarray) -> int | None:
        """The child of a root that carries the body and its travel instead of it; None if the root does so itself."""
        children = self.children[first]
        if not children:
            return None
        child = max(children, key=lambda c: len(self.below(c)))
        if child not in self.places or self.nodes[child].end:
            return None
        if len(children) > 1:
            below = self.below(child)
            others = [c for c in children if c != child]
            whole = len(self.trunk) == 3 and self.trunk <= below
            small = not self.trunk and all(len(self.below(c)) <= 2 for c in others)
            if not ((whole or small) and len(below) >= _REST * len(self.below(first)) and self.moves(child)):
                return None
        idle = not root.any() and np.allclose(rotations[:, first, 1:], 0, atol=1e-12) and len(self.children[child]) > 1
        return child if idle or self.moves(child) else None

    def kept(self, first: int) -> set[int]:
        """The joints of the body: all under its root, without what moves about in it and carries no part of it."""
        kept = self.below(first)
        for joint in sorted(kept):
            if joint == first or joint not in kept or not self.moves(joint):
                continue
            below = self.below(joint)
            way = float(np.ptp(self.places[joint], axis=0).max())
            if (
                len(self.nodes) > 9
                and way > 0.1 * self.size
                and not below & self.known
                and len(below) < 0.35 * len(self.nodes)
            ):
                kept -= below
        return kept


def _fix(
    nodes: list[Node], offsets: np.ndarray, places: dict[int, np.ndarray], body: _Body, notes: list[str], what: str
) -> None:
    """Gives the joints that move in the body one place each, in `offsets`."""
    worst, who = 0.0, ""
    for joint, place in places.items():
        low, high = place.min(0), place.max(0)
        way = float((high - low).max())
        if way <= 2 * STILL * body.size:
            offsets[joint] = (low + high) / 2
            continue
        if way > _STRETCH * body.size:
            raise FormatError(
                f"{what}: joint {nodes[joint].name!r} moves by {100 * way / body.size:.0f} % of the body's size inside "
                "the body; only the root may travel. Export it with fixed bone lengths."
            )
        offsets[joint] = place.mean(0)
        if way > worst:
            worst, who = way, nodes[joint].name
    if worst > 1e-3 * body.size:
        notes.append(
            f"joints that stretch or wander got one place each; {who!r} moved most, by {100 * worst / body.size:.1f} % "
            "of the body's size"
        )


def _moves(node: Node) -> bool:
    return any(not turn for turn, _ in node.channels)


def _place(node: Node, offset: np.ndarray, values: np.ndarray) -> np.ndarray:
    place = np.repeat(offset[None], len(values), axis=0)
    for column, (turn, axis) in enumerate(node.channels, start=node.first):
        if not turn:
            place[:, axis] = values[:, column]
    return place


def _longest(nodes: list[Node], offsets: np.ndarray) -> float:
    """The longest way through the tree, from joint to joint (a person's is 1.5 to 2.2 m); the root's do not count."""
    lengths = np.linalg.norm(offsets, axis=-1)
    below = np.zeros(len(nodes))
    longest = 0.0
    for joint in range(len(nodes) - 1, 0, -1):
        node = nodes[joint]
        if nodes[node.parent].parent < 0 and _moves(node):
            lengths[joint] = 0.0  # Hips under a travelling root: that is a place in the world, not a bone
        reach = below[joint] + lengths[joint]
        longest = max(longest, below[node.parent] + reach)
        below[node.parent] = max(below[node.parent], reach)
    return longest


def usual_units(motion: Motion) -> float:
    """Units per metre of a file that nobody recognises a body in, from the longest way through the tree."""
    skeleton = motion.skeleton
    if sum(not name.endswith("_end") for name in skeleton.names) < 10:
        return 100.0
    nodes = [Node(n, p, offset=(0.0, 0.0, 0.0)) for n, p in zip(skeleton.names, skeleton.parents, strict=True)]
    longest = _longest(nodes, skeleton.offsets)
    if 0 < longest < 3.0:
        return 1.0
    return 1000.0 if longest > 400.0 else 100.0


def _rate(layout: Layout, notes: list[str]) -> float:
    """Frames per second; a frame that lasts longer than two seconds was given in milliseconds."""
    time = layout.frame_time
    if time > 2.0:
        notes.append(f"its frame time of {time:g} is taken as milliseconds; --source-fps says otherwise")
        time /= 1000.0
    fps = 1.0 / time
    return float(round(fps)) if abs(fps - round(fps)) < 1e-4 * fps else fps  # 0.0333333 means 30


def _rotations(nodes: list[Node], values: np.ndarray) -> np.ndarray:
    """(T, J, 4) joint to parent: the product of a joint's rotation channels in the order of the file."""
    out = np.zeros((len(values), len(nodes), 4))
    out[..., 0] = 1.0
    groups: dict[tuple[int, ...], list[tuple[int, list[int]]]] = {}
    for joint, node in enumerate(nodes):
        turns = [(axis, node.first + i) for i, (turn, axis) in enumerate(node.channels) if turn]
        if turns:
            groups.setdefault(tuple(axis for axis, _ in turns), []).append((joint, [c for _, c in turns]))
    for axes, members in groups.items():
        joints = [joint for joint, _ in members]
        columns = np.array([c for _, c in members])
        half = values[:, columns] * (np.pi / 360.0)
        cosine, sine = np.cos(half), np.sin(half)
        q = [np.ones(half.shape[:2]), *(np.zeros(half.shape[:2]) for _ in range(3))]  # w x y z, apart for speed
        for slot, axis in enumerate(axes):  # q times (cosine + sine e_axis), written out
            a, b, c = 1 + axis, 1 + (axis + 1) % 3, 1 + (axis + 2) % 3
            cos, sin = cosine[..., slot], sine[..., slot]
            q[0], q[a] = q[0] * cos - q[a] * sin, q[a] * cos + q[0] * sin
            q[b], q[c] = q[b] * cos + q[c] * sin, q[c] * cos - q[b] * sin
        out[:, joints] = np.stack(q, -1)
    return out


def _builtin_order(motion: Motion, nodes: list[Node]) -> Motion:
    """The motion in the joint order of a built-in skeleton if it has exactly its names and tree."""
    joints = [j for j, node in enumerate(nodes) if not node.end]
    names = motion.skeleton.names
    tree = {names[j]: names[motion.skeleton.parents[j]] if j else "" for j in joints}
    for builtin in SKELETONS.values():
        theirs = {n: builtin.names[p] if p >= 0 else "" for n, p in zip(builtin.names, builtin.parents, strict=True)}
        if theirs != tree:
            continue
        order = [motion.skeleton.index(n) for n in builtin.names]
        skeleton = Skeleton(motion.skeleton.name, builtin.names, builtin.parents, motion.skeleton.offsets[order])
        return replace(motion, skeleton=skeleton, rotations=motion.rotations[:, order])
    return motion


def as_builtin(motion: Motion) -> Motion:
    """The motion on the built-in skeleton itself where its offsets are those, but for what digits a file keeps."""
    for builtin in SKELETONS.values():
        if motion.skeleton.same_tree(builtin) and np.abs(motion.skeleton.offsets - builtin.offsets)[1:].max() < 2e-6:
            return replace(motion, skeleton=builtin)
    return motion
