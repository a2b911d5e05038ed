"""The certificate: how well a clip does on a character what the performer did, measured on the animation as written.

Lengths are the performer's: a character's are divided by the ratio of leg lengths. The animation is read back from
the document, its nodes are put through forward kinematics, and the soles are those of the skinned mesh where there is
one. `docs/character.md` says what each figure means and where its threshold comes from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from laban.character.animation import motion_from_world, sampled
from laban.character.rig import turn_of
from laban.character.skin import Part
from laban.character.soles import STANDING
from laban.character.stance import Stance
from laban.character.transfer import CharacterMotion
from laban.io.atomic import replacing
from laban.io.gltf_document import Document
from laban.motion import kinematics, rotation, tpose
from laban.motion.landmarks import Performance, perform
from laban.motion.legs import SIDES
from laban.motion.skeletons import HUMANML22

SUFFIX = ".certificate.json"


@dataclass(frozen=True)
class Threshold:
    """One line: what is measured, in which unit, the most that passes (None: told, not judged), and what to do."""

    key: str
    text: str
    unit: str
    most: float | None
    hint: str = ""


_REST = "look at the source's zero pose and its bones: `laban character inspect SOURCE`, then --source-map"
_MAP = "look at the map: `laban character inspect CHARACTER`, then --map"
THRESHOLDS = (
    Threshold("limb_degrees", "limb directions, mean error", "degrees", 3.0, _MAP),
    Threshold("trunk_degrees", "trunk, hips, shoulders against the source's, worst mean", "degrees", 20.0, _REST),
    Threshold("head_degrees", "neck to head against the source's joints, mean", "degrees", 50.0, _REST),
    Threshold("head_turn", "head against the chest, as performed, mean", "degrees", 75.0, _REST),
    Threshold("hand_turn", "hands against the forearms, as performed, mean", "degrees", 80.0, _REST),
    Threshold("world_degrees", "the file's axes against the source's", "degrees", 12.0,
              "the character is turned or leans in its own file: save it in its rest pose, facing along an axis"),
    Threshold("foot_height_cm", "foot height on contact, mean error", "cm", 1.5, _MAP),
    Threshold("skate_ratio", "foot skate, against the performer's", "x", 1.2,
              "`laban clean --foot-lock` holds the source's feet"),
    Threshold("penetration_cm", "sole below the floor, worst", "cm", 1.5, "`laban clean --ground` puts the floor to 0"),
    Threshold("reach", "reach of the hands, mean error", "arm lengths", 0.15, "try --hand-reach"),
    Threshold("round_trip_cm", "back on our skeleton, mean joint error", "cm", 4.0, _MAP),
    Threshold("seam_cm", "seam of the loop, mean joint jump", "cm", None, "leave out --loop, or cut with --end"),
    Threshold("upright", "frames in which the performer is upright", "of all", None),
)  # fmt: skip
FRAMES = 64  # that are skinned at a time
LOOP_SEAM = 3.0  # cm: what passes for a clip that is said to be a loop
_STILL = 0.02  # m/s: skate that nobody sees; below it a ratio says nothing


@dataclass(frozen=True)
class Certificate:
    """What was measured.

    Attributes:
        values: key of THRESHOLDS -> figure, None where it cannot be measured.
        skate: m/s of the performer and of the character.
        passed: every judged figure within its threshold.
        failed: keys of those that are not.
        facts: names and numbers of what was judged.
    """

    values: dict[str, float | None]
    skate: tuple[float, float]
    failed: tuple[str, ...]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every judged figure is within its threshold."""
        return not self.failed

    def lines(self) -> list[str]:
        """The certificate for a person to read."""
        out = []
        for line in THRESHOLDS:
            value = self.values[line.key]
            most = self.facts.get("thresholds", {}).get(line.key)
            said = "not measured" if value is None else f"{value:.2f} {line.unit}"
            if line.key == "skate_ratio":
                said += f" ({self.skate[1]:.3f} against {self.skate[0]:.3f} m/s)"
            limit = " (not judged)" if most is None else f", at most {most:g}"
            mark = "" if most is None or value is None else (": FAILS" if line.key in self.failed else ": ok")
            out.append(f"  {line.text}: {said}{limit}{mark}")
            if line.key in self.failed and line.hint:
                out.append(f"    {line.hint}")
        return [f"certificate: {'pass' if self.passed else 'FAIL'}", *out]

    def record(self) -> dict[str, Any]:
        """For JSON."""
        values = {k: None if v is None else round(v, 5) for k, v in self.values.items()}
        skate = {"performer_m_s": round(self.skate[0], 5), "character_m_s": round(self.skate[1], 5)}
        return {"passed": self.passed, "failed": list(self.failed), "values": values, "skate": skate, **self.facts}

    def save(self, path: str | Path) -> Path:
        """Write it beside the file it is about. Returns: its path, `<path>.certificate.json`."""
        where = Path(f"{path}{SUFFIX}")
        with replacing(where) as temporary:
            temporary.write_text(json.dumps(self.record(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return where


def certify(clip: CharacterMotion, document: Document, animation: int, *, loop: bool = False) -> Certificate:
    """Measure a clip.

    Args:
        clip: what was made.
        document: what it was written into.
        animation: its number there.
        loop: whether the seam is judged too.
    """
    stance, done, unit = clip.stance, clip.performance, clip.unit
    rotations, translations, frames = sampled(document, stance.rig, animation, clip.fps)
    frames = min(frames, clip.frames)
    rotations = {node: track[:frames] for node, track in rotations.items()}
    translations = {node: track[:frames] for node, track in translations.items()}
    world = stance.rig.forward(rotations, translations, frames)
    joints = _joints(stance, world, unit) + clip.path[:frames, None]
    soles = _soles(stance, world, unit)
    clear = np.maximum(clip.planted.clearance[:frames], 0.0)
    touching = clear < STANDING * done.leg
    values: dict[str, float | None] = {
        "limb_degrees": _limbs(stance, joints, done),
        "foot_height_cm": 100 * float(np.abs(soles - clear)[touching].mean()) if touching.any() else None,
        "penetration_cm": 100 * float(np.maximum(-soles, 0.0).max()),
        "reach": _reach(stance, joints, done),
        **_body(stance, joints, done),
        **_turns_performed(done),
        "world_degrees": _axes(stance, world, unit, done),
    }
    own, theirs = _skate(stance, joints, done, frames)
    values["skate_ratio"] = own / theirs if theirs > _STILL else max(1.0, own / _STILL)
    values["round_trip_cm"] = _round_trip(stance, world, clip)
    flat = joints - joints[:, :1] * np.array([1.0, 0.0, 1.0])
    values["seam_cm"] = 100 * float(np.linalg.norm(flat[-1] - flat[0], axis=-1).mean())
    most = {line.key: line.most for line in THRESHOLDS} | ({"seam_cm": LOOP_SEAM} if loop else {})
    failed = tuple(k for k, limit in most.items() if limit is not None and (values[k] or 0.0) > limit)
    facts: dict[str, Any] = {
        "character": stance.rig.path.name, "clip": clip.name, "frames": frames, "fps": clip.fps,
        "file_units_per_metre": round(unit, 6), "soles": "mesh" if stance.feet[0].mesh else "made", "thresholds": most,
    }  # fmt: skip
    return Certificate(values, (theirs, own), failed, facts)


def _joints(stance: Stance, world: np.ndarray, unit: float) -> np.ndarray:
    """(T, J, 3) performer's metres, our axes: the mapped joints, with toes that the rig lacks fixed to their ankles."""
    out = np.zeros((len(world), len(stance.nodes), 3))
    for joint, node in enumerate(stance.nodes):
        if node >= 0 and not _is_detached(stance, joint):
            out[:, joint] = rotation.rotate(stance.frame, world[:, node, :3, 3]) / unit
        else:
            side = stance.skeleton.names[joint].partition("_")[0]
            ankle = stance.skeleton.index(f"{side}_ankle")
            turn = _turn(stance, world, ankle)
            shift = stance.skeleton.offsets[joint] if node < 0 else -stance.feet[SIDES.index(side)].node_shift
            base = rotation.rotate(stance.frame, world[:, stance.nodes[ankle], :3, 3])
            if node < 0 and side in stance.detached:
                shift = shift - stance.feet[SIDES.index(side)].node_shift
            out[:, joint] = (base + rotation.rotate(turn, np.broadcast_to(shift, base.shape))) / unit
    return out


def turns_of(clip: CharacterMotion) -> tuple[np.ndarray, np.ndarray]:
    """((T, J, 4) turns of a clip's joints away from the T-pose, (T, 3) its pelvis, performer's metres), our axes."""
    stance = clip.stance
    world = stance.rig.forward(clip.rotations, clip.translations, clip.frames)
    turns = np.zeros((clip.frames, len(stance.nodes), 4))
    for joint, node in enumerate(stance.nodes):
        from_above = node < 0  # what was made keeps still on its ankle
        turns[:, joint] = _turn(stance, world, stance.skeleton.parents[joint] if from_above else joint)
    return turns, _joints(stance, world, clip.unit)[:, 0]


def _is_detached(stance: Stance, joint: int) -> bool:
    side, _, base = stance.skeleton.names[joint].partition("_")
    return base == "ankle" and side in stance.detached


def _turn(stance: Stance, world: np.ndarray, joint: int) -> np.ndarray:
    """(T, 4): a joint's turn away from the T-pose, our axes."""
    now = rotation.multiply(stance.frame, turn_of(world[:, stance.nodes[joint]]))
    return rotation.multiply(now, rotation.conjugate(stance.rest[joint]))


def _soles(stance: Stance, world: np.ndarray, unit: float) -> np.ndarray:
    """(T, 2) performer's metres: height of the lowest point of each foot."""
    out = np.zeros((len(world), 2))
    up = rotation.rotate(rotation.conjugate(stance.frame), np.array([0.0, 1.0, 0.0]))
    for number, side in enumerate(SIDES):
        foot, found = stance.feet[number], []
        for part, rows in foot.mesh:
            found.append(_lowest(part, rows, world, up))
        if not found:
            joints = _joints(stance, world, 1.0)
            for name, points in ((f"{side}_ankle", foot.heel), (f"{side}_foot", foot.front)):
                if len(points):
                    joint = stance.skeleton.index(name)
                    turn = rotation.to_matrix(_turn(stance, world, joint))[:, 1]
                    found.append(joints[:, joint, 1] + np.einsum("ta,pa->tp", turn, points).min(1))
        out[:, number] = np.min(found, axis=0) / unit
    return out


def _lowest(part: Part, rows: np.ndarray, world: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(T,): the least height of some vertices, file units."""
    nodes, places = np.unique(part.nodes(rows), return_inverse=True)
    moves = np.einsum("a,tnab->tnb", up, world[:, nodes, :3] @ part.to_joint[nodes])  # what each node makes of a height
    points = np.concatenate([part.positions[rows], np.ones((len(rows), 1))], axis=1)
    corners = places.reshape(rows.shape[0], -1)
    out = np.empty(len(world))
    for start in range(0, len(world), FRAMES):
        some = slice(start, start + FRAMES)
        heights = np.einsum("tvkb,vb,vk->tv", moves[some][:, corners], points, part.weights[rows], optimize=True)
        out[some] = heights.min(1)
    return out


def _limbs(stance: Stance, joints: np.ndarray, done: Performance) -> float:
    """Degrees between the limbs' bones and the performer's, mean over limbs and frames."""
    errors = []
    for side in SIDES:
        for limb in tpose.LIMBS:
            for a, b in zip(limb, limb[1:], strict=False):
                if stance.has(f"{side}_{a}") and stance.has(f"{side}_{b}"):
                    i, j = (stance.skeleton.index(f"{side}_{n}") for n in (a, b))
                    own = rotation.unit(joints[:, j] - joints[:, i])
                    way = done.of(f"{side}_{b}") - done.of(f"{side}_{a}")
                    theirs = rotation.unit(way[: len(own)])
                    errors.append(np.degrees(np.arccos(np.clip((own * theirs).sum(-1), -1, 1))))
    return float(np.mean(errors))


def _body(stance: Stance, joints: np.ndarray, done: Performance) -> dict[str, float | None]:
    """Degrees between trunk, lines of hips and shoulders, and neck, and those that the source's joints make."""
    names = stance.skeleton.names

    def ways(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        own = [np.mean([joints[:, names.index(n)] for n in some], axis=0) for some in (a, b)]
        theirs = [np.mean([done.of(n)[: len(joints)] for n in some], axis=0) for some in (a, b)]
        return rotation.unit(own[1] - own[0]), rotation.unit(theirs[1] - theirs[0])

    hips, shoulders = (tuple(f"{s}_{n}" for s in SIDES) for n in ("hip", "shoulder"))
    lines = [(hips[1:], hips[:1])]
    if all(n in names for n in shoulders):
        lines += [(hips, shoulders), (shoulders[1:], shoulders[:1])]
    trunk = max(_apart(*ways(a, b)) for a, b in lines)
    neck = None
    if "head" in names and len(lines) > 1:
        neck = float(_apart(*ways(shoulders, ("head",))))
    return {"trunk_degrees": float(trunk), "head_degrees": neck}


def _apart(own: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((own * theirs).sum(-1), -1, 1))).mean())


def _turns_performed(done: Performance) -> dict[str, float | None]:
    """Degrees by which head and hands are turned from what carries them; and how often the trunk stands."""

    def mean(name: str, above: str) -> float:
        local = rotation.multiply(rotation.conjugate(done.turn(above)), done.turn(name))
        return float(np.degrees(2 * np.arccos(np.clip(np.abs(local[:, 0]), 0, 1))).mean())

    trunk = rotation.unit(done.of("neck") - done.of("pelvis"))
    return {
        "head_turn": mean("head", "spine3"),
        "hand_turn": max(mean(f"{s}_wrist", f"{s}_elbow") for s in SIDES),
        "upright": float((trunk[:, 1] > 0.5).mean()),
    }


def _axes(stance: Stance, world: np.ndarray, unit: float, done: Performance) -> float:
    """Degrees by which what the file shows must be turned, beyond a turn of axes onto axes, to be the source's.

    Both are taken as they stand in their own worlds: a body that leans in its file, or walks aside in it, is seen here.
    """
    names = [f"{s}_{n}" for s in SIDES for n in (*tpose.LEG, "shoulder", "elbow", "wrist")]
    names = [n for n in names if stance.has(n) and stance.nodes[stance.skeleton.index(n)] >= 0]
    nodes = [stance.nodes[stance.skeleton.index(n)] for n in names]
    own = world[:, nodes][..., :3, 3] / unit
    theirs = np.stack([done.of(n)[: len(world)] for n in names], 1)
    hips = [k for k, name in enumerate(names) if name.endswith("hip")]
    own, theirs = own - own[:, hips].mean(1, keepdims=True), theirs - theirs[:, hips].mean(1, keepdims=True)
    u, _, vt = np.linalg.svd(np.einsum("tja,tjb->ab", own, theirs))
    u[:, 2] *= np.sign(np.linalg.det(u @ vt))
    turn = rotation.from_matrix(u @ vt)
    return float(np.degrees(2 * np.arccos(min(1.0, abs(float(turn @ tpose.snapped(turn, np.pi)))))))


def _reach(stance: Stance, joints: np.ndarray, done: Performance) -> float | None:
    """Distance between where the hands are, from their shoulders and in arm lengths, and where the performer's are."""
    errors = []
    for side in SIDES:
        names = [f"{side}_{n}" for n in tpose.ARM]
        if not all(stance.has(n) for n in names):
            continue
        own = [joints[:, stance.skeleton.index(n)] for n in names]
        theirs = [done.of(n)[: len(joints)] for n in names]
        ways = []
        for shoulder, elbow, wrist in (own, theirs):
            arm = np.median(np.linalg.norm(elbow - shoulder, axis=-1) + np.linalg.norm(wrist - elbow, axis=-1))
            ways.append((wrist - shoulder) / arm)
        errors.append(np.linalg.norm(ways[0] - ways[1], axis=-1))
    return float(np.mean(errors)) if errors else None


def _skate(stance: Stance, joints: np.ndarray, done: Performance, frames: int) -> tuple[float, float]:
    """(character's, performer's) mean horizontal speed of ankles and toes while the performer's are in contact, m/s.

    The definition is `metrics.physics.skate`'s, with contacts of the performer for both.
    """
    speeds: tuple[list[float], list[float]] = ([], [])
    for number, side in enumerate(SIDES):
        for part, name in enumerate(("ankle", "foot")):
            touching = done.contact[: frames - 1, number, part]
            if not touching.any():
                continue
            own = joints[:, stance.skeleton.index(f"{side}_{name}")]
            for speed, places in zip(speeds, (own, done.of(f"{side}_{name}")[:frames]), strict=True):
                steps = np.linalg.norm(np.diff(places[:, [0, 2]], axis=0), axis=-1) * done.fps
                speed.append(float(steps[touching].mean()))
    return (float(np.mean(speeds[0])), float(np.mean(speeds[1]))) if speeds[0] else (0.0, 0.0)


def _round_trip(stance: Stance, world: np.ndarray, clip: CharacterMotion) -> float | None:
    """cm: the clip, read as any humanoid's motion and posed on HumanML3D's skeleton, against the performer's turns."""
    if stance.map.missing:
        return None
    back = perform(motion_from_world(stance, world, clip.fps)).turns
    still = np.zeros((len(back), 3))
    own, theirs = (
        kinematics.positions(HUMANML22, turns, still) for turns in (back, clip.performance.turns[: len(back)])
    )
    return 100 * float(np.linalg.norm(own - theirs, axis=-1).mean())
