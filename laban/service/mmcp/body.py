"""The client's skeleton: as a character that our motions are put onto, and its goals as goals of our 22 joints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from laban.character import animation, bonemap
from laban.character.rig import rig_of, skeleton_document
from laban.character.stance import Stance, stance_of
from laban.character.transfer import transfer
from laban.errors import InputError
from laban.motion import rotation
from laban.motion.bearings import sized
from laban.motion.landmarks import perform
from laban.motion.motion import Motion
from laban.motion.retarget import retarget
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22
from laban.service.mmcp.errors import Refused
from laban.service.mmcp.models import CONTACTS

SAME = 1e-3  # metres by which a rest translation may differ from ours


@dataclass(frozen=True, eq=False)
class Tracks:
    """A motion on the client's skeleton.

    Attributes:
        rotations: (T, J, 4) xyzw, joint to parent, from rest, in the request's order of joints.
        root: (T, 3) metres, world.
        contacts: joint -> (T,) whether it stands on the floor.
    """

    rotations: np.ndarray
    root: np.ndarray
    contacts: dict[str, np.ndarray]


class Body:
    """A request's skeleton.

    Args:
        skeleton: as it came, checked.
    """

    def __init__(self, skeleton: dict[str, Any]) -> None:
        joints = skeleton["joints"]
        self.names = [joint["name"] for joint in joints]
        parents = tuple(self.names.index(j["parent"]) if j["parent"] is not None else -1 for j in joints)
        self.offsets = np.array([joint["rest_translation"] for joint in joints], np.float64)
        self._parents = parents
        ours = HUMANML22.offsets[1:]
        self.canonical = (
            tuple(self.names) == HUMANML22.names and parents == HUMANML22.parents
            and bool(np.allclose(self.offsets[1:], ours, atol=SAME))
        )  # fmt: skip

    @cached_property
    def stance(self) -> Stance:
        """The skeleton in the common rest pose. Raises: Refused if it is no humanoid's."""
        try:
            skeleton = Skeleton("request", tuple(self.names), self._parents, self.offsets)
            rig = rig_of(skeleton_document(skeleton, Path("the skeleton")))
            return stance_of(rig, bonemap.find(rig, None))
        except InputError as error:
            raise Refused("invalid_skeleton", str(error)) from None

    @cached_property
    def ours(self) -> dict[str, str]:
        """Our joint -> the client's."""
        if self.canonical:
            return {name: name for name in self.names}
        bones = self.stance.map.all()
        return {name: self.stance.rig.names[bones[name].node] for name in HUMANML22.names if name in bones}

    @cached_property
    def unit(self) -> float:
        """How much larger the client's body is than ours."""
        still = Motion(HUMANML22, _still(), np.array([[0.0, 0.95, 0.0]]), 30.0)
        return 1.0 if self.canonical else self.stance.leg / perform(still).leg

    def worn(self, motion: Motion) -> Tracks:
        """A motion of our 22 joints on the client's skeleton."""
        contact = perform(motion).contact
        names = ("left_ankle", "left_foot", "right_ankle", "right_foot")
        stands = dict(zip(names, contact.reshape(len(contact), 4).T, strict=True))
        if self.canonical:
            contacts = {name: stands[name] for name in CONTACTS}
            return Tracks(motion.rotations[..., [1, 2, 3, 0]], motion.root, contacts)
        clip = transfer(motion, self.stance)
        rig = self.stance.rig
        turns = np.zeros((motion.frames, len(self.names), 4)) + [1.0, 0, 0, 0]
        for node, track in clip.rotations.items():
            turns[:, self.names.index(rig.names[node])] = track
        pelvis = self.stance.map.node("pelvis")
        root = clip.translations[pelvis]
        node = pelvis
        while rig.parents[node] >= 0:  # joints above the pelvis carry its path
            root = root - self.offsets[self.names.index(rig.names[node])]
            node = rig.parents[node]
            root = root + self.offsets[self.names.index(rig.names[node])]
        contacts = {self.ours[name]: stands[name] for name in CONTACTS if name in self.ours}
        return Tracks(turns[..., [1, 2, 3, 0]], root, contacts)

    def our_goals(self, constraints: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
        """Constraints on the client's joints as constraints on ours, and what had to be left out.

        Raises: Refused as `stance`.
        """
        if self.canonical:
            return constraints, []
        theirs = {theirs: ours for ours, theirs in self.ours.items()}
        found, left_out = [], []
        for each in constraints:
            if each["type"] == "root_path":
                places = [self._place((x, 0.0, z)) for x, z in each["positions_xz"]]
                found.append({**each, "positions_xz": [[p[0], p[2]] for p in places]})
            elif each["type"] == "effector_target":
                if each["joint"] not in theirs:
                    left_out.append(each["joint"])
                    continue
                places = [self._place(p) for p in each["positions"]]
                found.append({"type": each["type"], "joint": theirs[each["joint"]], "frames": each["frames"],
                              "positions": places})  # fmt: skip
            else:
                found.append(self._pose(each, theirs))
        return found, left_out

    def _place(self, place: Any) -> list[float]:
        """A point of the client's world in ours."""
        return [float(v) / self.unit for v in rotation.rotate(self.stance.frame, np.array(place, np.float64))]

    def _pose(self, each: dict[str, Any], theirs: dict[str, str]) -> dict[str, Any]:
        """A key pose on our joints: the client's pose read as landmarks, like any motion."""
        rig = self.stance.rig
        turns = {}
        for name, q in each["joint_rotations"].items():
            x, y, z, w = q
            turns[rig.index(name)] = rotation.normalise(np.array([[w, x, y, z]], np.float64))
        root = each.get("root_position")
        place = self.offsets[0] if root is None else np.array(root, np.float64)
        world = rig.forward(turns, {rig.index(self.names[0]): place[None]}, 1)
        motion = retarget(sized(animation.motion_from_world(self.stance, world, 30.0), 1 / self.unit))
        named = [ours for name, ours in theirs.items() if name in each["joint_rotations"]]
        rest = each.get("fill_mode") == "rest"
        chosen = HUMANML22.names if rest else named
        pose = {
            name: [float(v) for v in motion.rotations[0, HUMANML22.index(name)][[1, 2, 3, 0]]] for name in chosen
        }  # fmt: skip
        there = {} if root is None else {"root_position": [float(v) for v in motion.root[0]]}
        return {"type": "pose_keyframe", "frame": each["frame"], "joint_rotations": pose, **there}


def _still() -> np.ndarray:
    turns = np.zeros((1, len(HUMANML22), 4))
    turns[..., 0] = 1.0
    return turns
