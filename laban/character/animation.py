"""Clips in files: animation channels into a character's document, and animations of any file out of it as motions."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from laban.character import bonemap
from laban.character.rig import Rig, turn_of
from laban.character.rig import read as read_rig
from laban.character.stance import Stance, stance_of
from laban.character.transfer import CharacterMotion
from laban.errors import FormatError, InputError
from laban.io.gltf_document import Document, check_index
from laban.motion import kinematics, rotation
from laban.motion.anatomy import match
from laban.motion.bearings import settled
from laban.motion.legs import SIDES
from laban.motion.motion import Motion, Segment
from laban.motion.skeleton import Skeleton

MOST_KEYS = 1 << 20
SLOWEST, FASTEST = 1.0, 240.0  # frames per second that keys may be taken to have


def document_of(clip: CharacterMotion, *, append: bool = False, passport: dict[str, Any] | None = None) -> Document:
    """The character's document with the clip in it.

    Args:
        clip: the tracks.
        append: behind the file's own animations; else before them, where players look first.
        passport: written into the animation's `extras`.
    Returns: a document that shares the buffers of the character's and leaves it as it is.
    """
    rig = clip.stance.rig
    out = Document(copy.deepcopy(rig.document.json), list(rig.document.buffers), rig.document.path)
    out.chunks = rig.document.chunks
    times = out.add_array(np.arange(clip.frames) / clip.fps, "SCALAR", bounds=True)
    samplers: list[dict[str, Any]] = []
    channels: list[dict[str, Any]] = []
    tracks = [(node, "translation", track) for node, track in clip.translations.items()]
    tracks += [(node, "rotation", track[:, [1, 2, 3, 0]]) for node, track in clip.rotations.items()]
    for node, path, track in tracks:
        shape = "VEC4" if path == "rotation" else "VEC3"
        samplers.append({"input": times, "output": out.add_array(track, shape), "interpolation": "LINEAR"})
        channels.append({"sampler": len(samplers) - 1, "target": {"node": node, "path": path}})
        _unmatrix(out.json["nodes"][node], rig, node)
    taken = {a.get("name") for a in out.items("animations")}
    name, number = clip.name, 2
    while name in taken:
        name, number = f"{clip.name}.{number}", number + 1
    made: dict[str, Any] = {"name": name, "channels": channels, "samplers": samplers}
    if passport is not None:
        made["extras"] = {"laban": passport}
    animations = out.items("animations")
    out.json["animations"] = [*animations, made] if append else [made, *animations]
    return out


def _unmatrix(node: dict[str, Any], rig: Rig, number: int) -> None:
    """An animated node must not have a matrix."""
    if node.pop("matrix", None) is not None:
        w, x, y, z = rig.rotation[number].tolist()
        node["translation"], node["rotation"] = rig.translation[number].tolist(), [x, y, z, w]
        node["scale"] = rig.scale[number].tolist()


def sampled(
    document: Document, rig: Rig, animation: int, fps: float
) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray], int]:
    """An animation of a file at even times from 0.

    Returns: rotations node -> (T, 4) wxyz, translations node -> (T, 3), T. LINEAR and STEP are exact; CUBICSPLINE is
        taken at its keys and interpolated linearly. Scales and morph weights are not taken.
    Raises: FormatError for a damaged animation.
    """
    animations = document.items("animations")
    entry = animations[check_index(animation, len(animations), "an animation", document.path)]
    found: list[tuple[int, str, np.ndarray, np.ndarray, bool]] = []
    end = 0.0
    try:
        for channel in entry["channels"]:
            target = channel["target"]
            if target.get("path") not in ("rotation", "translation") or "node" not in target:
                continue
            sampler = entry["samplers"][channel["sampler"]]
            times = document.array(sampler["input"])[:, 0].astype(np.float64)
            values = document.array(sampler["output"]).astype(np.float64)
            way = sampler.get("interpolation", "LINEAR")
            if way == "CUBICSPLINE":
                values = values[1::3]
            if len(times) != len(values) or not len(times) or (np.diff(times) < 0).any():
                raise ValueError(f"{len(times)} times for {len(values)} values")
            node = check_index(target["node"], len(rig.names), "an animated node", document.path)
            found.append((node, target["path"], times, values, way == "STEP"))
            end = max(end, float(times[-1]))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise FormatError(f"{document.path}: animation {animation} is damaged ({error}). Export it again.") from None
    frames = int(round(end * fps)) + 1
    if not frames < MOST_KEYS:
        raise InputError(f"{document.path}: animation {animation} lasts {end:.0f} s; that is too long.")
    moments = np.arange(frames) / fps
    rotations: dict[int, np.ndarray] = {}
    translations: dict[int, np.ndarray] = {}
    for node, path, times, values, step in found:
        high = np.clip(np.searchsorted(times, moments + 1e-6, side="right"), 1, max(len(times) - 1, 1))
        low = high - 1
        high = np.minimum(high, len(times) - 1)
        share = np.clip((moments - times[low]) / np.maximum(times[high] - times[low], 1e-9), 0.0, 1.0)
        share = np.floor(share) if step else share
        if path == "rotation":
            turns = rotation.normalise(values[:, [3, 0, 1, 2]])
            rotations[node] = rotation.slerp(turns[low], turns[high], share)
        else:
            translations[node] = values[low] * (1 - share[:, None]) + values[high] * share[:, None]
    return rotations, translations, frames


def motion_from_world(
    stance: Stance, world: np.ndarray, fps: float, segments: tuple[Segment, ...] = (), *, every: bool = False
) -> Motion:
    """A character's animation as a motion, in our axes and the file's units.

    The skeleton's rest pose is the character's own, so its rotations are turns away from that.

    Args:
        stance: the character.
        world: (T, N, 4, 4) where the nodes are.
        fps: of `world`.
        segments: of the result.
        every: all bones under the names of the file; else the mapped joints under HumanML3D's names, without toes that
            the rig lacks, and with a pelvis between the hips where the file's lies on the floor.
    """
    rig, frame = stance.rig, stance.frame
    shift = np.zeros(3)
    keep = [j for j, node in enumerate(stance.nodes) if node >= 0]
    nodes = np.array([stance.nodes[j] for j in keep])
    names = [stance.skeleton.names[j] for j in keep]
    parents = [keep.index(stance.skeleton.parents[j]) if stance.skeleton.parents[j] >= 0 else -1 for j in keep]
    places = rotation.rotate(frame, rig.place[nodes])
    if every:
        mapped = dict(zip(nodes.tolist(), parents, strict=True))
        bones = [n for n in rig.below(nodes[0]) if n in rig.joints or n in mapped]
        hung = {n: nodes[mapped[n]] for n in mapped if n not in bones}  # feet that hang elsewhere
        extra = [n for top in hung for n in rig.below(top) if n in rig.joints and n not in bones]
        bones += [n for k, n in enumerate(extra) if n not in extra[:k]]
        above = {n: next((a for a in rig.above(n)[1:] if a in bones), nodes[0]) for n in bones[1:]}
        above |= {n: parent for n, parent in hung.items() if above.get(n, nodes[0]) == nodes[0]}
        order = sorted(bones, key=lambda n: _depth(n, above))
        parents = [order.index(above[n]) if n in above else -1 for n in order]
        nodes, names = np.array(order), [rig.names[n] for n in order]
        places = rotation.rotate(frame, rig.place[nodes])
    else:
        middle = np.mean([places[names.index(f"{s}_hip")] for s in SIDES], axis=0)
        if places[0][1] < middle[1] - 0.3 * stance.leg:
            shift = middle - places[0]
            places[0] = middle
    offsets = np.array([places[k] - places[p] if p >= 0 else np.zeros(3) for k, p in enumerate(parents)])
    if every and rig.path.suffix.lower() == ".bvh":  # whose zero pose is kept, whatever pose that is
        offsets = np.where(np.array(parents)[:, None] >= 0, rig.translation[nodes], 0.0)
        turns = rotation.multiply(frame, turn_of(world[:, nodes]))
    else:
        turns = rotation.multiply(turn_of(world[:, nodes]), rotation.conjugate(rig.turn[nodes]))
        turns = rotation.multiply(frame, rotation.multiply(turns, rotation.conjugate(frame)))
    skeleton = Skeleton(rig.path.stem, tuple(names), tuple(parents), offsets)
    root = rotation.rotate(frame, world[:, nodes[0], :3, 3])
    root = root + rotation.rotate(turns[:, 0], np.broadcast_to(shift, root.shape))
    local = rotation.continuous(kinematics.local_rotations(skeleton, turns))
    return Motion(skeleton, local, root, fps, segments)


def _depth(node: int, above: dict[int, int]) -> int:
    return 0 if node not in above else 1 + _depth(above[node], above)


def tracks(clip: CharacterMotion, fps: float) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray], int]:
    """A clip's tracks at another rate: rotations, translations, frames."""
    moments = np.arange(max(1, round(clip.frames / clip.fps * fps))) / fps * clip.fps
    low = np.minimum(moments.astype(int), clip.frames - 1)
    high = np.minimum(low + 1, clip.frames - 1)
    share = np.clip(moments - low, 0.0, 1.0)
    rotations = {n: rotation.slerp(t[low], t[high], share) for n, t in clip.rotations.items()}
    translations = {n: t[low] + share[:, None] * (t[high] - t[low]) for n, t in clip.translations.items()}
    return rotations, translations, len(moments)


def read_motion(stance: Stance, name: str = "", fps: float | None = 30.0) -> tuple[Motion, np.ndarray]:
    """One of a file's own animations as a motion, in the file's units, and (T, N, 4, 4) where the nodes are.

    Args:
        stance: the character in the file.
        name: of the animation, or its number as text; the first if empty.
        fps: frames per second of the result; None for that of its keys.
    Raises: InputError if there is none of that name.
    """
    rig, document = stance.rig, stance.rig.document
    number = _number(document, name)
    name = str(document.items("animations")[number].get("name", number))
    fps = fps or rate(document, number)
    rotations, translations, frames = sampled(document, rig, number, fps)
    world = rig.forward(rotations, translations, frames)
    return motion_from_world(stance, world, fps, (Segment(name, 0.0, frames / fps),)), world


def _number(document: Document, name: str) -> int:
    """The number of an animation by its name, or its number as text; the first if empty. Raises: InputError."""
    names = [str(a.get("name", k)) for k, a in enumerate(document.items("animations"))]
    if not names:
        raise InputError(f"{document.path}: holds no animation. Name a file that does, or a .bvh or .npz.")
    if name in names or not name:
        return names.index(name) if name else 0
    if name.isdigit() and int(name) < len(names):
        return int(name)
    raise InputError(f"{document.path}: there is no animation {name!r}; it has {', '.join(names)}.")


def rate(document: Document, animation: int) -> float:
    """Frames per second of an animation's keys: the usual step of the track with the most of them; 30 for none."""
    best: np.ndarray | None = None
    try:
        for sampler in document.items("animations")[animation]["samplers"]:
            times = document.array(sampler["input"])[:, 0].astype(np.float64)
            if best is None or len(times) > len(best):
                best = times
    except (KeyError, IndexError, TypeError):
        return 30.0
    steps = np.diff(best) if best is not None else np.zeros(0)
    steps = steps[steps > 1e-6]
    if not len(steps):
        return 30.0
    fps = 1.0 / float(np.median(steps))
    near = float(round(fps))
    fps = near if abs(fps - near) < 2e-3 * fps else fps
    return fps if SLOWEST <= fps <= FASTEST else 30.0


def read(
    path: str | Path, animation: str = "", bone_map: str | Path | None = None, units: str = "", person: str = ""
) -> Motion:
    """An animation of a character's file as a motion; see `laban.formats.read`."""
    found = read_rig(path, person)
    up = "y"
    try:
        made = bonemap.find(found, None if bone_map is None else Path(bone_map))
        motion, _ = read_motion(stance_of(found, made), animation, None)
    except InputError:
        if bone_map is not None or not found.document.items("animations"):
            raise
        motion, up = _as_it_moves(found, animation), ""
    motion = replace(motion, notes=found.notes)
    return settled(motion, up, units)


def _as_it_moves(rig: Rig, animation: str) -> Motion:
    """An animation of a rig whose rest pose is no person's: all its joints, in the file's axes."""
    number = _number(rig.document, animation)
    fps = rate(rig.document, number)
    rotations, translations, frames = sampled(rig.document, rig, number, fps)
    world = rig.forward(rotations, translations, frames)
    inside = set(rig.joints)
    top = max(rig.joints, key=lambda j: len(inside & set(rig.below(j))))
    nodes = [n for n in rig.below(top) if n in inside]
    parents = [next((nodes.index(a) for a in rig.above(n)[1:] if a in nodes), -1) for n in nodes]
    places = rig.place[nodes]
    offsets = np.array([places[k] - places[p] if p >= 0 else np.zeros(3) for k, p in enumerate(parents)])
    turns = rotation.multiply(turn_of(world[:, nodes]), rotation.conjugate(rig.turn[nodes]))
    skeleton = Skeleton(rig.path.stem, tuple(rig.names[n] for n in nodes), tuple(parents), offsets)
    match(skeleton)  # or it is no person's
    local = rotation.continuous(kinematics.local_rotations(skeleton, turns))
    name = str(rig.document.items("animations")[number].get("name", number))
    return Motion(skeleton, local, world[:, nodes[0], :3, 3], fps, (Segment(name, 0.0, frames / fps),))
