"""Which bone is which, from the shape of a skeleton alone: for rigs whose bones are called bone_017.

A person's skeleton branches at the pelvis into two mirrored chains that go down and one that goes up, and that one
branches at the chest into two mirrored chains that go sideways and one that goes on up. That is looked for.
"""

from __future__ import annotations

import numpy as np

from laban.character.rig import Rig
from laban.motion.legs import SIDES


def find(rig: Rig) -> dict[str, int]:
    """HumanML3D name -> node for a skeleton of a person's shape, Y or Z up; empty for any other."""
    tall = np.ptp(rig.place[list(rig.joints)], axis=0)
    ways = [np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])]
    for up in ways if tall[1] >= tall[2] else ways[::-1]:
        found = _body(rig, up)
        if found:
            return found
    return {}


def _body(rig: Rig, up: np.ndarray) -> dict[str, int]:
    joints = [n for n in rig.order if any(j in rig.joints for j in (n, rig.parents[n]))]
    height = {n: float(rig.place[n] @ up) for n in joints}
    low, high = min(height.values()), max(height.values())
    size = high - low
    if size < 1e-9:
        return {}
    inside = set(joints)

    def below(node: int) -> list[int]:
        return [n for n in rig.below(node) if n in inside]

    best: tuple[float, dict[str, int]] | None = None
    for pelvis in joints:
        branches = [c for c in rig.children[pelvis] if c in inside]
        legs = [c for c in branches if min(height[n] for n in below(c)) < low + 0.15 * size]
        ups = [c for c in branches if max(height[n] for n in below(c)) > low + 0.7 * size]
        if len(legs) != 2 or not ups or not all(0.25 < (height[leg] - low) / size < 0.75 for leg in legs):
            continue
        trunk = max(ups, key=lambda c: max(height[n] for n in below(c)))
        found = _upper(rig, trunk, height, inside)
        chains = [_leg(rig, leg, height, inside) for leg in legs]
        if found and all(chains):
            score = float(len(rig.below(pelvis)))  # the lowest that carries all
            if best is None or score < best[0]:
                best = (score, _sided(rig, {"pelvis": pelvis, **found[0]}, chains, found[1], up))
    return best[1] if best else {}


def _leg(rig: Rig, hip: int, height: dict[int, float], inside: set[int]) -> list[int]:
    """[hip, knee, ankle] or with a toe, going down from a hip by the lowest branch."""
    chain = [hip]
    while True:
        below = [c for c in rig.children[chain[-1]] if c in inside]
        if not below:
            break
        chain.append(min(below, key=lambda c: min(height[n] for n in rig.below(c) if n in inside)))
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
        chain[: chain.index(knee)], key=lambda n: abs(float(np.linalg.norm(rig.place[n] - rig.place[knee])) - shin)
    )
    after = chain[chain.index(ankle) + 1 :]
    return [hip, knee, ankle, *after[:1]]


def _upper(
    rig: Rig, trunk: int, height: dict[int, float], inside: set[int]
) -> tuple[dict[str, int], list[list[int]]] | None:
    """The head, and the two arms as [collar or -1, shoulder, elbow, wrist]."""
    node = trunk
    while True:
        branches = [c for c in rig.children[node] if c in inside]
        far = [c for c in branches if _reach(rig, c, inside) > 0]
        if len(far) >= 3:
            break
        if not far:
            return None
        node = max(far, key=lambda c: len(rig.below(c)))
    sideways = sorted(far, key=lambda c: -_reach(rig, c, inside))[:2]
    rest = [c for c in far if c not in sideways]
    up = max(rest, key=lambda c: max(height[n] for n in rig.below(c) if n in inside))
    arms = [_arm(rig, c, inside) for c in sideways]
    if not all(arms):
        return None
    chain = [up]
    while True:
        nexts = [c for c in rig.children[chain[-1]] if c in inside]
        if not nexts:
            break
        chain.append(max(nexts, key=lambda c: height[c]))
        if len([c for c in rig.children[chain[-1]] if c in inside]) > 1:
            break  # jaw and eyes hang on the head
    leaf = not [c for c in rig.children[chain[-1]] if c in inside]
    head = chain[-2] if leaf and len(chain) > 2 else chain[-1]
    return {"head": head}, arms


def _reach(rig: Rig, node: int, inside: set[int]) -> float:
    """How far the farthest point under a node lies from it."""
    return max(float(np.linalg.norm(rig.place[n] - rig.place[node])) for n in rig.below(node) if n in inside)


def _arm(rig: Rig, start: int, inside: set[int]) -> list[int]:
    """[collar or -1, shoulder, elbow, wrist]; the wrist is where fingers branch off, or the last joint but one."""
    chain = [start]
    fingers = False
    while not fingers:
        nexts = [c for c in rig.children[chain[-1]] if c in inside]
        if not nexts:
            break
        fingers = len(nexts) > 2 or len([c for c in nexts if any(n in inside for n in rig.children[c])]) > 1
        if not fingers:
            chain.append(max(nexts, key=lambda c: len(rig.below(c)) + _reach(rig, c, inside)))
    if len(chain) < 3:
        return []
    if fingers and len(chain) <= 4:
        return [-1, *chain] if len(chain) == 3 else chain
    place = [rig.place[n] for n in chain]
    lengths = [float(np.linalg.norm(b - a)) for a, b in zip(place, place[1:], strict=False)]
    best: tuple[float, list[int]] | None = None
    for wrist in [len(chain) - 1] if fingers else range(2, len(chain)):
        for elbow in range(1, wrist):
            for shoulder in range(0, min(elbow, 3)):
                upper, lower = sum(lengths[shoulder:elbow]), sum(lengths[elbow:wrist])
                score = upper + lower - 3 * abs(upper - lower)
                if best is None or score > best[0] + 1e-9:
                    collar = chain[shoulder - 1] if shoulder else -1
                    best = (score, [collar, chain[shoulder], chain[elbow], chain[wrist]])
    return best[1] if best else []


def _sided(
    rig: Rig, found: dict[str, int], legs: list[list[int]], arms: list[list[int]], up: np.ndarray
) -> dict[str, int]:
    """Names with sides: left is up x forward, and the feet point forward."""
    forward = np.zeros(3)
    for leg in legs:
        if len(leg) > 3:
            forward = forward + rig.place[leg[3]] - rig.place[leg[2]]
    forward = forward - (forward @ up) * up
    if np.linalg.norm(forward) < 1e-6:
        forward = np.array([0.0, 0.0, 1.0]) if up[1] else np.array([0.0, -1.0, 0.0])
    left = np.cross(up, forward)
    middle = rig.place[found["pelvis"]]
    legs = sorted(legs, key=lambda leg: -float((rig.place[leg[0]] - middle) @ left))
    arms = sorted(arms, key=lambda arm: -float((rig.place[arm[1]] - middle) @ left))
    for side, leg, arm in zip(SIDES, legs, arms, strict=True):
        for name, node in zip(("hip", "knee", "ankle", "foot"), leg, strict=False):
            found[f"{side}_{name}"] = node
        for name, node in zip(("collar", "shoulder", "elbow", "wrist"), arm, strict=True):
            if node >= 0:
                found[f"{side}_{name}"] = node
    return found
