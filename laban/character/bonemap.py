"""`BoneMap`: which node of a character is which joint, and why; found, checked, written to a file and read back.

Three ways are tried, the surest first: the file's own VRM humanoid map, the names of the bones, and the shape of the
skeleton (`laban.motion.anatomy`). What the first leaves open the next may fill. Then the map is checked against
the tree and the rest pose, whoever made it.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from laban.character.rig import Rig, rig_of, skeleton_document
from laban.errors import FormatError, InputError
from laban.io.atomic import replacing
from laban.motion import anatomy, tpose
from laban.motion.joint_names import part
from laban.motion.legs import SIDES
from laban.motion.motion import Motion

# What a map may name, in the order in which it is printed; spine and neck are lists, from below to above.
LISTS = ("spine", "neck")
SINGLE = ("pelvis", "head", *(f"{s}_{n}" for s in SIDES for n in (
    "collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "foot")))  # fmt: skip
REQUIRED = ("pelvis", "head", *(f"{s}_{n}" for s in SIDES for limb in tpose.LIMBS for n in limb))
VRM = {
    "hips": "pelvis", "head": "head", "leftShoulder": "left_collar", "leftUpperArm": "left_shoulder",
    "leftLowerArm": "left_elbow", "leftHand": "left_wrist", "leftUpperLeg": "left_hip", "leftLowerLeg": "left_knee",
    "leftFoot": "left_ankle", "leftToes": "left_foot",
}  # fmt: skip
VRM |= {k.replace("left", "right"): v.replace("left", "right") for k, v in VRM.items() if k.startswith("left")}
_FORMAT = 1


@dataclass(frozen=True)
class Bone:
    """One line of the map.

    Attributes:
        node: its number.
        reason: how it was found, in words.
        confidence: 0 to 1.
    """

    node: int
    reason: str
    confidence: float


@dataclass(frozen=True)
class BoneMap:
    """Joints of a character.

    Attributes:
        bones: HumanML3D name (without spine and neck) -> Bone.
        spine: from above the pelvis to the chest.
        neck: from the lowest to below the head. Both may be empty.
        twist: limb ("left_elbow": the forearm) -> nodes that share its twist, from the near to the far end.
        notes: what a person should know about the map.
    """

    bones: dict[str, Bone]
    spine: tuple[Bone, ...] = ()
    neck: tuple[Bone, ...] = ()
    twist: dict[str, tuple[int, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def node(self, name: str) -> int:
        """The number of a mapped node."""
        return self.bones[name].node

    @property
    def missing(self) -> list[str]:
        """What a body needs and the map lacks."""
        return [name for name in REQUIRED if name not in self.bones]

    @property
    def confidence(self) -> float:
        """Of the least sure bone, 0 to 1."""
        return min((b.confidence for b in self.all().values()), default=0.0)

    def all(self) -> dict[str, Bone]:
        """Every mapped bone: "spine1", "spine2", …, "neck1", … for the chains."""
        chains = {f"{n}{k}": b for n in LISTS for k, b in enumerate(getattr(self, n), start=1)}
        return self.bones | chains


def find(rig: Rig, file: Path | None = None, *, partial: bool = False) -> BoneMap:
    """The map of a character, checked.

    Args:
        rig: the character.
        file: a mapping file (`save`), which then says everything.
        partial: accept a map that lacks limbs.
    Raises: InputError for a map that is wrong, or incomplete and not `partial`; it says what to add.
    """
    made = load(rig, file) if file is not None else guess(rig)
    check(rig, made, partial=partial)
    return made


def guess(rig: Rig) -> BoneMap:
    """What the file, the names and the shape say, unchecked; bones may be missing."""
    notes: list[str] = []
    bones = _vrm(rig)
    if bones:
        notes.append("the file has a VRM humanoid map")
    vrm = bool(bones)
    for name, found in anatomy.recognise(rig.tree).items():
        taken = {b.node for b in bones.values()}
        if name not in ("neck", *bones) and found.joint not in taken and not (vrm and name in REQUIRED):
            bones[name] = Bone(found.joint, found.reason, found.confidence)
    return complete(rig, bones, tuple(notes))


def complete(rig: Rig, bones: dict[str, Bone], notes: tuple[str, ...] = ()) -> BoneMap:
    """A map with the chains between its bones: spine, neck and twist bones, which nobody need name."""
    spine: tuple[Bone, ...] = ()
    neck: tuple[Bone, ...] = ()
    if {"pelvis", "head"} <= bones.keys():
        chain = rig.above(bones["head"].node)[1:]
        pelvis = bones["pelvis"].node
        if pelvis in chain:
            between = list(reversed(chain[: chain.index(pelvis)]))
            carries = [
                n for n in between
                if any(n in rig.above(bones[a].node) for s in SIDES for a in (f"{s}_shoulder",) if a in bones)
            ]  # fmt: skip
            cut = between.index(carries[-1]) + 1 if carries else max(0, len(between) - 1)
            reason = "lies between pelvis and head"
            spine = tuple(
                Bone(n, f"{reason}, carries the arms" if n in carries[-1:] else reason, 0.95) for n in between[:cut]
            )
            neck = tuple(Bone(n, reason + ", above the arms", 0.95) for n in between[cut:])
    taken = {b.node for b in bones.values()} | {b.node for b in (*spine, *neck)}
    return BoneMap(bones, spine, neck, _twists(rig, bones, taken), notes)


def _vrm(rig: Rig) -> dict[str, Bone]:
    extensions = rig.document.json.get("extensions", {})
    found: dict[str, Any] = {}
    try:
        if "VRMC_vrm" in extensions:
            human = extensions["VRMC_vrm"]["humanoid"]["humanBones"]
            found = {name: bone["node"] for name, bone in human.items()}
        elif "VRM" in extensions:
            found = {bone["bone"]: bone["node"] for bone in extensions["VRM"]["humanoid"]["humanBones"]}
    except (KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{rig.path}: its VRM humanoid map is damaged ({error}). Export it again.") from None
    if any(type(n) is not int or not 0 <= n < len(rig.names) for n in found.values()):
        raise FormatError(f"{rig.path}: its VRM humanoid map names nodes that there are not. Export it again.")
    return {VRM[n]: Bone(node, f"VRM humanoid {n}", 1.0) for n, node in found.items() if n in VRM}


def _twists(rig: Rig, bones: dict[str, Bone], taken: set[int]) -> dict[str, tuple[int, ...]]:
    """Nodes on the line from a limb's joint to the next that are no joints themselves: twist, roll, doubled ones."""
    found: dict[str, tuple[int, ...]] = {}
    for side in SIDES:
        for limb in tpose.LIMBS:
            for a, b in zip(limb, limb[1:], strict=False):
                start, end = bones.get(f"{side}_{a}"), bones.get(f"{side}_{b}")
                if start is None or end is None:
                    continue
                way = rig.place[end.node] - rig.place[start.node]
                length = float(np.linalg.norm(way))
                if length < 1e-9:
                    continue
                passing = set(rig.above(end.node))
                some = []
                for node in rig.below(start.node)[1:]:
                    if node in taken or end.node in rig.above(node)[1:]:
                        continue
                    called = any(word in part(rig.names[node])[1] for word in anatomy.TWIST)
                    rel = rig.place[node] - rig.place[start.node]
                    share = float(rel @ way) / length**2
                    off = float(np.linalg.norm(rel - share * way)) / length
                    if (called or node in passing) and -0.05 <= share <= 1.05 and off < 0.12:
                        some.append((share, node))
                if some:
                    found[f"{side}_{a}"] = tuple(node for _, node in sorted(some))
    return found


def check(rig: Rig, made: BoneMap, *, partial: bool = False) -> None:
    """Raises InputError unless the map is a person's: complete (or `partial`), once each, joined in the right order,
    upright at rest, left on the left."""
    where = f"{rig.path}: "
    if made.missing and not partial:
        raise InputError(
            f"{where}no bone was found for {', '.join(made.missing)}. Add them to a mapping file (`laban character "
            f"inspect` writes one) and pass --map, or pass --partial; bones: {', '.join(rig.shown(40))}."
        )
    needed = ("pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle")
    lacking = [n for n in needed if n not in made.bones]
    if lacking or not (made.spine or "head" in made.bones):
        raise InputError(
            f"{where}even a partial map needs the pelvis, both legs and a head or spine; "
            f"{', '.join(lacking) or 'head'} is missing. Add it to a mapping file and pass --map FILE."
        )
    seen: dict[int, str] = {}
    for name, bone in made.all().items():
        if bone.node in seen:
            raise InputError(
                f"{where}{rig.names[bone.node]!r} is mapped twice, as {seen[bone.node]} and as {name}. Change one line."
            )
        seen[bone.node] = name
    for upper, lower in _pairs(made):
        if made.node(upper) not in rig.above(made.node(lower)):
            raise InputError(
                f"{where}{lower} ({rig.names[made.node(lower)]!r}) does not hang on {upper} "
                f"({rig.names[made.node(upper)]!r}). Correct one of them in a mapping file and pass --map FILE."
            )
    places = {name: rig.place[bone.node] for name, bone in made.bones.items()}
    if "head" not in places:
        places["head"] = rig.place[made.spine[-1].node]
    for side in SIDES:
        for limb in tpose.LIMBS:
            for a, b in zip(limb, limb[1:], strict=False):
                ends = [places.get(f"{side}_{n}") for n in (a, b)]
                if ends[0] is not None and ends[1] is not None and np.linalg.norm(ends[1] - ends[0]) < 1e-6:
                    raise InputError(f"{where}{side}_{a} and {side}_{b} are in one place. Map other bones with --map.")
    turn = tpose.frame(places)
    if turn is None:
        raise InputError(
            f"{where}the mapped bones do not stand like a person (head above pelvis above feet): an animal, or a wrong "
            "map. Only upright humanoids are moved; check `laban character inspect` and pass --map FILE."
        )
    forward = _forward(rig, made, turn)
    if forward < -0.2:
        raise InputError(
            f"{where}the feet point backwards, so left and right seem exchanged in the map. Exchange them and pass "
            "--map FILE."
        )


def _pairs(made: BoneMap) -> list[tuple[str, str]]:
    pairs = [("pelvis", f"{s}_hip") for s in SIDES] + [("pelvis", "head")]
    steps = (("hip", "knee"), ("shoulder", "elbow"), ("elbow", "wrist"), ("collar", "shoulder"), ("ankle", "foot"))
    pairs += [(f"{s}_{a}", f"{s}_{b}") for s in SIDES for a, b in steps]
    return [(a, b) for a, b in pairs if a in made.bones and b in made.bones]


def _forward(rig: Rig, made: BoneMap, turn: np.ndarray) -> float:
    """How far the toes lie ahead of the ankles, -1 to 1; 0 where there are no toes."""
    from laban.motion import rotation

    found = []
    for side in SIDES:
        if f"{side}_foot" in made.bones:
            way = rig.place[made.node(f"{side}_foot")] - rig.place[made.node(f"{side}_ankle")]
            found.append(float(rotation.unit(rotation.rotate(turn, way))[2]))
    return float(np.mean(found)) if found else 0.0


def save(rig: Rig, made: BoneMap, path: str | Path) -> None:
    """Write the map as a file to edit: JSON, names of bones, reasons beside them."""
    bones: dict[str, Any] = {}
    for name in SINGLE:
        bones[name] = rig.names[made.node(name)] if name in made.bones else None
    for name in LISTS:
        bones[name] = [rig.names[b.node] for b in getattr(made, name)]
    why = {name: f"{b.reason} ({b.confidence:.0%})" for name, b in made.all().items()}
    text = {"laban_bone_map": _FORMAT, "character": rig.path.name, "bones": bones, "reasons": why}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(text, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load(rig: Rig, path: str | Path) -> BoneMap:
    """The map in a file that `save` made and a person may have changed.

    Raises: InputError if it is missing, is no map, has unknown keys, or names bones that the character lacks.
    """
    path = Path(path)
    try:
        if path.stat().st_size > 1 << 20:
            raise InputError(f"{path}: more than 1 MiB; a mapping file was expected.")
        text = json.loads(path.read_text(encoding="utf-8"))
        bones = text["bones"] if isinstance(text, dict) else None
        if not isinstance(bones, dict) or text.get("laban_bone_map") != _FORMAT:
            raise ValueError("no bone map of format 1")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}).") from None
    except (ValueError, KeyError, RecursionError) as error:
        raise InputError(
            f"{path}: is no mapping file ({str(error)[:80]}). `laban character inspect` writes one."
        ) from None
    known = (*SINGLE, *LISTS)
    for name in bones:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise InputError(f"{path}: {name!r} is no joint." + (f" Did you mean {near[0]!r}?" if near else ""))
    single: dict[str, Bone] = {}
    chains: dict[str, tuple[Bone, ...]] = {}
    for name, value in bones.items():
        if name in LISTS:
            if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                raise InputError(f"{path}: {name!r} must be a list of bone names.")
            chains[name] = tuple(Bone(rig.index(v), "the mapping file", 1.0) for v in value)
        elif value is not None:
            if not isinstance(value, str):
                raise InputError(f"{path}: {name!r} must be a bone's name or null.")
            single[name] = Bone(rig.index(value), "the mapping file", 1.0)
    made = complete(rig, single)
    return BoneMap(single, chains.get("spine", made.spine), chains.get("neck", made.neck), made.twist)


def renamed(motion: Motion, bone_map: Path) -> Motion:
    """A motion whose joints have HumanML3D's names where a mapping file names them.

    Raises: InputError for a file that is no map of its joints.
    """
    rig = rig_of(skeleton_document(motion.skeleton, bone_map))
    bones = load(rig, bone_map).bones
    ours = {bone.node: name for name, bone in bones.items()}
    names = []
    for joint, name in enumerate(motion.skeleton.names):
        taken = name in bones and joint not in ours
        names.append(ours.get(joint, f"other {name}" if taken else name))
    return replace(motion, skeleton=replace(motion.skeleton, names=tuple(names)))
