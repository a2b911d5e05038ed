"""Which bone is which, from the shape of a skeleton alone: for rigs whose bones are called bone_017.

A person's skeleton branches at the pelvis into two mirrored chains that go down and one that goes up, and that one
branches at the chest into two mirrored chains that go sideways and one that goes on up. That is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from laban.motion.joint_names import side_of

SIDES = ("left", "right")
_UPS = tuple(np.array(way) for way in ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)))


@dataclass(frozen=True)
class Tree:
    """Joints that hang on one another, in one pose; a skeleton of a motion or of a character.

    Attributes:
        names: what they are called.
        parents: their numbers, -1 for none.
        order: all numbers, parents before children.
        place: (N, 3) where they are, in any unit.
        joints: numbers of those that move a body (others are meshes, cameras, ends).
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    order: tuple[int, ...]
    place: np.ndarray
    joints: tuple[int, ...]

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the joints that hang on each."""
        lists: list[list[int]] = [[] for _ in self.names]
        for node in self.order:
            if self.parents[node] >= 0:
                lists[self.parents[node]].append(node)
        return tuple(tuple(c) for c in lists)

    def above(self, node: int) -> list[int]:
        """The joint and what it hangs on, up to the root."""
        chain = [node]
        while self.parents[chain[-1]] >= 0:
            chain.append(self.parents[chain[-1]])
        return chain

    def below(self, node: int) -> list[int]:
        """The joint and everything under it."""
        found = [node]
        for item in found:
            found.extend(self.children[item])
        return found


def find(tree: Tree) -> dict[str, int]:
    """HumanML3D name -> joint for a skeleton of a person's shape that stands along an axis; empty for any other."""
    tall = np.ptp(tree.place[list(tree.joints)], axis=0)
    for axis in sorted(range(3), key=lambda k: -tall[(1, 2, 0)[k]]):
        for up in (_UPS[axis], -_UPS[axis]):
            found = _body(tree, up)
            if found:
                return found
    return {}


def _body(tree: Tree, up: np.ndarray) -> dict[str, int]:
    joints = [n for n in tree.order if any(j in tree.joints for j in (n, tree.parents[n]))]
    height = {n: float(tree.place[n] @ up) for n in joints}
    low, high = min(height.values()), max(height.values())
    size = high - low
    if size < 1e-9:
        return {}
    inside = set(joints)

    def below(node: int) -> list[int]:
        return [n for n in tree.below(node) if n in inside]

    best: tuple[float, dict[str, int]] | None = None
    for pelvis in joints:
        branches = [c for c in tree.children[pelvis] if c in inside]
        legs = [c for c in branches if min(height[n] for n in below(c)) < low + 0.15 * size]
        ups = [c for c in branches if max(height[n] for n in below(c)) > low + 0.7 * size]
        if len(legs) != 2 or not ups or not all(0.25 < (height[leg] - low) / size < 0.75 for leg in legs):
            continue
        trunk = max(ups, key=lambda c: max(height[n] for n in below(c)))
        found = _upper(tree, trunk, height, inside)
        chains = [_leg(tree, leg, height, inside) for leg in legs]
        if found and all(chains):
            score = float(len(tree.below(pelvis)))  # the lowest that carries all
            if best is None or score < best[0]:
                best = (score, _sided(tree, {"pelvis": pelvis, **found[0]}, chains, found[1], up))
    return best[1] if best else {}


def _leg(tree: Tree, hip: int, height: dict[int, float], inside: set[int]) -> list[int]:
    """[hip, knee, ankle] or with a toe, going down from a hip by the lowest branch."""
    chain = [hip]
    while True:
        below = [c for c in tree.children[chain[-1]] if c in inside]
        if not below:
            break
        chain.append(min(below, key=lambda c: min(height[n] for n in tree.below(c) if n in inside)))
    if len(chain) < 3:
        return []
    drop = height[hip] - min(height[n] for n in chain)
    ends = [n for n in chain[2:] if height[n] < height[hip] - 0.75 * drop]
    if not ends:
        return []
    ankle = ends[0]
    between = chain[1 : chain.index(ankle)]
    half = (height[hip] + height[ankle]) / 2
    knee = min(between, key=lambda n: abs(height[n] - half)) if between else -1
    if knee < 0:
        return []
    shin = height[knee] - height[ankle]
    hip = min(
        chain[: chain.index(knee)], key=lambda n: abs(float(np.linalg.norm(tree.place[n] - tree.place[knee])) - shin)
    )
    after = chain[chain.index(ankle) + 1 :]
    return [hip, knee, ankle, *after[:1]]


def _upper(
    tree: Tree, trunk: int, height: dict[int, float], inside: set[int]
) -> tuple[dict[str, int], list[list[int]]] | None:
    """The head, and the two arms as [collar or -1, shoulder, elbow, wrist]."""
    node = trunk
    while True:
        branches = [c for c in tree.children[node] if c in inside]
        far = [c for c in branches if _reach(tree, c, inside) > 0]
        if len(far) >= 3:
            break
        if not far:
            return None
        node = max(far, key=lambda c: len(tree.below(c)))
    sideways = sorted(far, key=lambda c: -_reach(tree, c, inside))[:2]
    rest = [c for c in far if c not in sideways]
    up = max(rest, key=lambda c: max(height[n] for n in tree.below(c) if n in inside))
    arms = [_arm(tree, c, inside) for c in sideways]
    if not all(arms):
        return None
    chain = [up]
    while True:
        nexts = [c for c in tree.children[chain[-1]] if c in inside]
        if not nexts:
            break
        chain.append(max(nexts, key=lambda c: height[c]))
        if len([c for c in tree.children[chain[-1]] if c in inside]) > 1:
            break  # jaw and eyes hang on the head
    leaf = not [c for c in tree.children[chain[-1]] if c in inside]
    head = chain[-2] if leaf and len(chain) > 2 else chain[-1]
    return {"head": head}, arms


def _reach(tree: Tree, node: int, inside: set[int]) -> float:
    """How far the farthest point under a node lies from it."""
    return max(float(np.linalg.norm(tree.place[n] - tree.place[node])) for n in tree.below(node) if n in inside)


def _arm(tree: Tree, start: int, inside: set[int]) -> list[int]:
    """[collar or -1, shoulder, elbow, wrist]; the wrist is where fingers branch off, or the last joint but one."""
    chain = [start]
    fingers = False
    while not fingers:
        nexts = [c for c in tree.children[chain[-1]] if c in inside]
        if not nexts:
            break
        fingers = len(nexts) > 2 or len([c for c in nexts if any(n in inside for n in tree.children[c])]) > 1
        if not fingers:
            chain.append(max(nexts, key=lambda c: len(tree.below(c)) + _reach(tree, c, inside)))
    if len(chain) < 3:
        return []
    place = [tree.place[n] for n in chain]
    lengths = [float(np.linalg.norm(b - a)) for a, b in zip(place, place[1:], strict=False)]
    if not fingers and len(chain) == 4:  # a collar and no hand, or a hand and no collar: the bones of an arm are alike
        hand = abs(np.log(max(lengths[0], 1e-9) / max(lengths[1], 1e-9)))
        collar = abs(np.log(max(lengths[1], 1e-9) / max(lengths[2], 1e-9)))
        return [-1, *chain[:3]] if hand < collar else chain
    if len(chain) <= 4:
        return [-1, *chain] if len(chain) == 3 else chain
    best: tuple[float, list[int]] | None = None
    for wrist in [len(chain) - 1] if fingers else range(3, len(chain)):
        for elbow in range(2, wrist):
            for shoulder in range(1, min(elbow, 3)):  # so many joints begin with a collar
                upper, lower = sum(lengths[shoulder:elbow]), sum(lengths[elbow:wrist])
                score = upper + lower - 3 * abs(upper - lower)
                if best is None or score > best[0] + 1e-9:
                    best = (score, [chain[shoulder - 1], chain[shoulder], chain[elbow], chain[wrist]])
    return best[1] if best else []


def _sided(
    tree: Tree, found: dict[str, int], legs: list[list[int]], arms: list[list[int]], up: np.ndarray
) -> dict[str, int]:
    """Names with sides: left is up x forward, and the feet point forward."""
    forward = np.zeros(3)
    for leg in legs:
        if len(leg) > 3:
            forward = forward + tree.place[leg[3]] - tree.place[leg[2]]
    forward = forward - (forward @ up) * up
    if np.linalg.norm(forward) < 1e-6:
        forward = np.array([0.0, 0.0, 1.0]) if up[1] else np.array([0.0, -1.0, 0.0])
    left = np.cross(up, forward)
    middle = tree.place[found["pelvis"]]
    said = [side_of(tree.names[node]) for node in legs[0]]
    if said.count("left") != said.count("right"):  # what they are called goes before where the feet point
        across = tree.place[legs[0][0]] - tree.place[legs[1][0]]
        left = across if said.count("left") > said.count("right") else -across
    legs = sorted(legs, key=lambda leg: -float((tree.place[leg[0]] - middle) @ left))
    arms = sorted(arms, key=lambda arm: -float((tree.place[arm[1]] - middle) @ left))
    for side, leg, arm in zip(SIDES, legs, arms, strict=True):
        for name, node in zip(("hip", "knee", "ankle", "foot"), leg, strict=False):
            found[f"{side}_{name}"] = node
        for name, node in zip(("collar", "shoulder", "elbow", "wrist"), arm, strict=True):
            if node >= 0:
                found[f"{side}_{name}"] = node
    return found
