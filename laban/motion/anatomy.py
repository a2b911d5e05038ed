"""Which joint of a humanoid is which, by names and by shape together, and the chains between them.

Names go first (`joint_names`). What they leave open, or put where no limb of a person bends (an elbow in the middle of
the upper arm), is taken from the shape of the skeleton (`shape`), in its rest pose or in any pose that it takes. A
limb whose last joint nobody named ends where its last bone ends.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from laban.errors import InputError
from laban.motion import kinematics, shape
from laban.motion.joint_names import MIDDLE, SIDED, named, part
from laban.motion.motion import Motion
from laban.motion.shape import SIDES, Tree
from laban.motion.skeleton import Skeleton

OPTIONAL = {"neck", "left_collar", "right_collar", "left_foot", "right_foot"}
"""What can be made from its neighbours if the rig has none."""
ARM, LEG = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
LIMBS = ("pelvis", "head", *(f"{s}_{n}" for s in SIDES for n in (*ARM, *LEG)))
"""What a whole body has."""
TWIST = ("twist", "roll", "twst")
"""Words in the names of joints that share a limb's twist."""
_BENDS = (0.28, 0.72)  # where along a limb its middle joint may be
_POSES = 7  # of a motion, in which the shape is looked for


@dataclass(frozen=True)
class Found:
    """A joint, how it was found, and how sure that is, 0 to 1."""

    joint: int
    reason: str
    confidence: float


@dataclass(frozen=True)
class Mapping:
    """Joint numbers of a source skeleton.

    Args:
        joints: HumanML3D name -> joint number, without the spine; names in OPTIONAL may be missing.
        spine: the joints strictly between pelvis and neck (or head), going up.
        chest: the last of them that carries both arms, or the last, or the pelvis.
    """

    joints: dict[str, int]
    spine: tuple[int, ...]
    chest: int


def tree_of(skeleton: Skeleton) -> Tree:
    """The joints of a skeleton in its rest pose."""
    count = len(skeleton)
    return Tree(skeleton.names, skeleton.parents, tuple(range(count)), skeleton.rest(), tuple(range(count)))


def recognise(tree: Tree, poses: Callable[[], Iterable[np.ndarray]] = tuple) -> dict[str, Found]:
    """The joints of a person, as far as they can be told; HumanML3D name, without the spine -> Found.

    Args:
        tree: the joints, at rest.
        poses: gives more poses, (N, 3) each, to look for the shape of a person in; asked only where names do not do.
    """
    ends = [n for n in tree.order if n not in tree.joints and tree.parents[n] in tree.joints]
    nodes = [n for n in (*tree.joints, *ends) if not any(word in part(tree.names[n])[1] for word in TWIST)]
    called = named([tree.names[n] for n in nodes])
    found = {name: Found(nodes[k], f"its name, {tree.names[nodes[k]]!r}", 0.9) for name, k in called.items()}
    bad = [limb for limb in _limbs() if not _bends(tree, found, limb)]
    if bad or "head" not in found:
        _from_shape(tree, found, bad, poses)
        for limb in bad:
            _end(tree, found, limb)
    _settle_pelvis(tree, found)
    return found


def _limbs() -> list[tuple[str, str, str]]:
    return [(f"{s}_{a}", f"{s}_{b}", f"{s}_{c}") for s in SIDES for a, b, c in (ARM, LEG)]


def _bends(tree: Tree, found: dict[str, Found], limb: tuple[str, str, str]) -> bool:
    """Whether a limb is there, joined in the right order, and bends where a person's does."""
    if not all(name in found for name in limb):
        return False
    a, b, c = (found[name].joint for name in limb)
    if a not in tree.above(b):
        return False
    if b not in tree.above(c):  # a foot that hangs elsewhere
        return limb[0].endswith("hip")
    upper, lower = _way(tree, a, b), _way(tree, b, c)
    return _BENDS[0] < upper / max(upper + lower, 1e-12) < _BENDS[1]


def _way(tree: Tree, start: int, end: int) -> float:
    """Length of the bones from a joint down to another, which no pose changes."""
    chain = tree.above(end)
    chain = chain[: chain.index(start) + 1]
    return sum(float(np.linalg.norm(tree.place[b] - tree.place[a])) for a, b in itertools.pairwise(chain))


def _from_shape(
    tree: Tree, found: dict[str, Found], bad: list[tuple[str, str, str]], poses: Callable[[], Iterable[np.ndarray]]
) -> None:
    """Puts what the shape says in the place of limbs that are missing or bend elsewhere, and of other lost joints."""
    seen: dict[str, int] = {}
    for place in itertools.chain([tree.place], poses()):
        seen = shape.find(replace(tree, place=place))
        if seen:
            break
    for limb in bad:
        side, _, last = limb[2].partition("_")
        extra = f"{side}_collar" if last == "wrist" else f"{side}_foot"
        if all(name in seen for name in limb):
            for name in (*limb, extra):
                found.pop(name, None)
    taken = {some.joint for some in found.values()}
    for name, joint in seen.items():
        if name not in found and joint not in taken:
            found[name] = Found(joint, "its place in the skeleton's shape", 0.6)


def _end(tree: Tree, found: dict[str, Found], limb: tuple[str, str, str]) -> None:
    """The last joint of a limb that has none: the end of its last bone, if it is as long as one."""
    first, middle, last = limb
    if last in found or first not in found or middle not in found:
        return
    a, b = found[first].joint, found[middle].joint
    taken = {some.joint for some in found.values()}
    below = [n for n in tree.children[b] if n not in taken]
    if a not in tree.above(b) or not below:
        return
    upper = _way(tree, a, b)
    best = max(below, key=lambda n: float(np.linalg.norm(tree.place[n] - tree.place[b])))
    if float(np.linalg.norm(tree.place[best] - tree.place[b])) > 0.35 * upper:
        found[last] = Found(best, f"the end of {tree.names[b]!r}", 0.7)


def _settle_pelvis(tree: Tree, found: dict[str, Found]) -> None:
    """The pelvis must carry legs and head; where the joint of that name does not, the lowest that does is taken."""
    if not {"left_hip", "right_hip", "head"} <= found.keys():
        return
    chains = [tree.above(found[name].joint)[1:] for name in ("left_hip", "right_hip", "head")]
    common = [n for n in chains[0] if n in chains[1] and n in chains[2]]
    if common and ("pelvis" not in found or found["pelvis"].joint not in common):
        reason = f"carries both legs and the head ({tree.names[common[0]]!r})"
        found["pelvis"] = Found(common[0], reason, 0.85)


def match(skeleton: Skeleton, poses: Callable[[], Iterable[np.ndarray]] = tuple) -> Mapping:
    """Find the 22 joints in a skeleton by its names and its shape.

    Args:
        skeleton: a humanoid's.
        poses: gives poses (J, 3) that it takes, for rigs whose names say nothing and whose rest pose is no person's.
    Raises: InputError that lists the joints that were not found and the names there are.
    """
    tree = tree_of(skeleton)
    joints = {name: some.joint for name, some in recognise(tree, poses).items()}
    wanted = [*MIDDLE, *(f"{side}_{target}" for side in SIDES for target in SIDED)]
    missing = [target for target in wanted if target not in joints and target not in OPTIONAL]
    if missing:
        shown = ", ".join(skeleton.names[:80]) + (" …" if len(skeleton) > 80 else "")
        raise InputError(
            f"retarget: no joint of {skeleton.name!r} was recognised as {', '.join(missing)}. Say which is which in a "
            f"mapping file (`laban character inspect` writes one) and pass --source-map; it has: {shown}."
        )
    joints = {name: joints[name] for name in wanted if name in joints}
    spine, chest = _spine(tree, joints)
    return Mapping(joints, spine, chest)


def match_motion(motion: Motion) -> Mapping:
    """As `match`, with the poses that a motion takes."""
    return match(motion.skeleton, lambda: poses_of(motion))


def poses_of(motion: Motion, count: int = _POSES) -> np.ndarray:
    """(K, J, 3): joints of at most `count` frames, evenly chosen."""
    chosen = np.unique(np.linspace(0, motion.frames - 1, count).astype(int))
    return kinematics.forward(motion.skeleton, motion.rotations[chosen], motion.root[chosen])


def _spine(tree: Tree, joints: dict[str, int]) -> tuple[tuple[int, ...], int]:
    pelvis = joints["pelvis"]
    top = joints.get("neck", joints["head"])
    chain = tree.above(top)
    below = chain.index(pelvis) if pelvis in chain else len(chain)
    spine: Sequence[int] = [joint for joint in reversed(chain[1:below]) if joint not in joints.values()]
    arms = set(tree.above(joints["left_shoulder"])) & set(tree.above(joints["right_shoulder"]))
    carrying = [joint for joint in spine if joint in arms]
    return tuple(spine), (carrying or spine or [pelvis])[-1]
