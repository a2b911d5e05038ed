"""`Stance`: a character in the common rest pose, as a `Skeleton` of its mapped joints, and what its feet stand on.

The skeleton has HumanML3D's names (spine1 … spineN, neck1 … neckM for chains of any length), our axes, and the
file's units. Its rest pose is the T-pose of `laban.motion.tpose`, so turns from the T-pose are its rotations.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from laban.character import bonemap, rig
from laban.character.bonemap import BoneMap
from laban.character.rig import Rig
from laban.character.skin import Part, moved_by
from laban.errors import InputError
from laban.motion import rotation, tpose
from laban.motion.landmarks import leg_length
from laban.motion.legs import SIDES
from laban.motion.skeleton import Skeleton

_UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Foot:
    """One foot in the T-pose, file units, our axes.

    Attributes:
        heel: (P, 3) points of the sole that the ankle moves, from the ankle.
        front: (Q, 3) points that the toe joint moves, from the toe joint; none where there is no toe joint.
        node_shift: (3,) from the ankle to the foot's node, where the two differ (a foot that hangs elsewhere).
        mesh: (part, vertices) of the foot's surface, to measure where it really is.
    """

    heel: np.ndarray
    front: np.ndarray
    node_shift: np.ndarray
    mesh: tuple[tuple[Part, np.ndarray], ...]


@dataclass(frozen=True)
class Stance:
    """A character in the T-pose.

    Attributes:
        rig: what it was made of.
        map: what it was made of.
        frame: (4,) unit wxyz, the file's world to our axes.
        skeleton: mapped joints, file units; toes that the rig lacks are made.
        nodes: node of each joint, -1 for what was made.
        rest: (J, 4) the nodes' world rotations in the T-pose, our axes.
        turns: (J, 4) rest pose to T-pose, our axes.
        height: how far a standing ankle and toe lie above the sole, (2,).
        feet: left, right.
        detached: sides whose foot does not hang on the shin.
    """

    rig: Rig
    map: BoneMap
    frame: np.ndarray
    skeleton: Skeleton
    nodes: tuple[int, ...]
    rest: np.ndarray
    turns: np.ndarray
    height: np.ndarray
    feet: tuple[Foot, Foot]
    detached: tuple[str, ...]

    @property
    def leg(self) -> float:
        """Hip to knee to ankle, mean of both legs, file units."""
        at = self.skeleton.lengths
        index = self.skeleton.index
        return float(np.mean([at[index(f"{s}_knee")] + at[index(f"{s}_ankle")] for s in SIDES]))

    def has(self, name: str) -> bool:
        """Whether there is a joint of that name."""
        return name in self.skeleton.names


def load(path: str | Path, bone_map: Path | None = None, *, partial: bool = False) -> Stance:
    """A character in the common rest pose.

    Args:
        path: .glb, .vrm, .gltf, or a .bvh, whose skeleton is taken.
        bone_map: a mapping file.
        partial: accept a map that lacks limbs.
    Raises: InputError or FormatError, one line, for what is no character.
    """
    found = rig.read(path)
    return stance_of(found, bonemap.find(found, bone_map, partial=partial))


def stance_of(rig: Rig, made: BoneMap) -> Stance:
    """A character in the T-pose.

    Args:
        rig: the character as its file rests.
        made: a checked map (`bonemap.check`).
    Raises: InputError for a skeleton that does not stand or whose legs have no length.
    """
    nodes = {name: bone.node for name, bone in made.all().items()}
    places = {name: rig.place[node] for name, node in nodes.items()}
    detached = tuple(s for s in SIDES if nodes[f"{s}_knee"] not in rig.above(nodes[f"{s}_ankle"]))
    for side in detached:  # where the shin ends is where the ankle is
        ends = [c for c in rig.children[nodes[f"{side}_knee"]] if c not in nodes.values() and c not in rig.joints]
        if ends:
            places[f"{side}_ankle"] = rig.place[ends[0]]
    top = {"head": places["head"]} if "head" in places else {"head": places[f"spine{len(made.spine)}"]}
    frame = tpose.frame(places | top)
    if frame is None or leg_length(places) < 1e-9:
        raise InputError(f"{rig.path}: its rest pose does not stand like a person, so it cannot be a common rest pose.")
    ours = {name: rotation.rotate(frame, place) for name, place in places.items()}
    parents = _parents(rig, nodes)
    leg = leg_length(ours)
    soles, meshes, floor = [], [], []
    for side in SIDES:
        below = {
            n for name in ("ankle", "foot") if f"{side}_{name}" in nodes for n in rig.below(nodes[f"{side}_{name}"])
        }
        points, mesh = moved_by(rig, below)
        points = rotation.rotate(frame, points) if len(points) else points
        if len(points) < 8 or np.ptp(points[:, 1]) > 0.6 * leg:  # no mesh, or boots up to the thigh
            points = np.zeros((0, 3))
        soles.append(points)
        meshes.append(tuple(mesh) if len(points) else ())
        if f"{side}_foot" not in ours:
            ours[f"{side}_foot"] = _made_toe(ours, side, points, leg)
            parents[f"{side}_foot"] = f"{side}_ankle"
        lowest = min(ours[f"{side}_ankle"][1], ours[f"{side}_foot"][1])
        if len(points):
            floor.append(float(points[:, 1].min()))
        elif -0.01 * leg < lowest < 0.2 * leg:
            floor.append(0.0)
        else:
            floor.append(lowest - 0.02 * leg)
    names = _ordered(list(ours), parents)
    turns = tpose.turns(ours)
    offsets = np.array([
        rotation.rotate(turns[parents[n]], ours[n] - ours[parents[n]]) if n in parents else np.zeros(3) for n in names
    ])  # fmt: skip
    skeleton = Skeleton(
        rig.path.stem, tuple(names), tuple(names.index(parents[n]) if n in parents else -1 for n in names), offsets
    )
    turned = np.array([turns[n] for n in names])
    base = np.array([rig.turn[nodes[n]] if n in nodes else rotation.conjugate(frame) for n in names])
    rest = rotation.multiply(turned, rotation.multiply(frame, base))
    height = np.array(
        [np.mean([ours[f"{s}_{n}"][1] - floor[k] for k, s in enumerate(SIDES)]) for n in ("ankle", "foot")]
    )
    feet = []
    for number, side in enumerate(SIDES):
        ankle, toe = ours[f"{side}_ankle"], ours[f"{side}_foot"]
        points = soles[number] if len(soles[number]) else _made_sole(ankle, toe, floor[number])
        points = points[points[:, 1] < floor[number] + max(0.5 * height[0], 0.03 * leg)]
        jointed = f"{side}_foot" in nodes and nodes[f"{side}_foot"] in rig.joints
        ahead = tpose.heading(side)
        ahead = rotation.rotate(rotation.conjugate(turns[f"{side}_ankle"]), ahead)
        front = ((points - toe) @ ahead > 0) & jointed
        shift = rotation.rotate(frame, rig.place[nodes[f"{side}_ankle"]]) - ankle
        heel = rotation.rotate(turns[f"{side}_ankle"], points[~front] - ankle)
        fore = rotation.rotate(turns[f"{side}_foot"], points[front] - toe)
        feet.append(Foot(heel, fore, rotation.rotate(turns[f"{side}_ankle"], shift), meshes[number]))
    return Stance(
        rig, made, frame, skeleton, tuple(nodes.get(n, -1) for n in names), rest, turned, height,
        (feet[0], feet[1]), detached,
    )  # fmt: skip


def _parents(rig: Rig, nodes: dict[str, int]) -> dict[str, str]:
    """Each joint's nearest mapped ancestor; a detached foot hangs on its shin."""
    by_node = {node: name for name, node in nodes.items()}
    found = {}
    for name, node in nodes.items():
        if name == "pelvis":
            continue
        above = next((by_node[n] for n in rig.above(node)[1:] if n in by_node), "pelvis")
        side, _, base = name.partition("_")
        found[name] = f"{side}_knee" if base == "ankle" else above
    return found


def _ordered(names: list[str], parents: dict[str, str]) -> list[str]:
    """Names with parents before children."""
    out = ["pelvis"]
    for name in out:
        out.extend(n for n in names if parents.get(n) == name)
    return out


def _made_toe(places: dict[str, np.ndarray], side: str, sole: np.ndarray, leg: float) -> np.ndarray:
    """The ball of a foot that has no toe joint: three quarters along the sole, or a usual length ahead."""
    ankle = places[f"{side}_ankle"]
    if len(sole):
        reach = float(sole[:, 2].max() - ankle[2])
        low = float(sole[:, 1].min())
        return np.array([ankle[0], low + 0.3 * (ankle[1] - low), ankle[2] + 0.75 * max(reach, 0.05 * leg)])
    return ankle + np.array([0.0, -0.6 * min(ankle[1], 0.1 * leg), 0.16 * leg])


def _made_sole(ankle: np.ndarray, toe: np.ndarray, floor: float) -> np.ndarray:
    """Heel and ball on the floor, for a rig without a mesh."""
    ahead = (toe - ankle) * (1.0, 0.0, 1.0)
    heel = ankle - 0.25 * ahead
    points = np.stack([heel, toe, toe + 0.3 * ahead])
    points[:, 1] = floor
    return points
