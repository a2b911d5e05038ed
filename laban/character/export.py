"""A character and its clips, from files and into files: what the commands do, without their printing."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial as bound
from pathlib import Path
from typing import Any

import numpy as np

import laban.io
from laban.character import bonemap, clip, rig
from laban.character.certificate import Certificate, certify
from laban.character.figure import CharacterFigure
from laban.character.stance import Stance, stance_of
from laban.character.transfer import Clip, transfer
from laban.drawing import film, picture
from laban.errors import InputError
from laban.io import about, bvh, gltf_document
from laban.io.gltf_document import SUFFIXES, Document
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton

BINARY = (".glb", ".vrm")
OTHERS = {".vrma": "laban.character.vrma", ".usda": "laban.character.usda", ".fbx": "laban.character.fbx"}
FILMS = (".mp4", ".gif", ".png")
WRITERS = dict.fromkeys((*BINARY, ".bvh", ".npz", *FILMS), __name__) | OTHERS


@dataclass(frozen=True)
class Made:
    """A clip in its document, and how good it is."""

    clip: Clip
    document: Document
    number: int
    certificate: Certificate
    passport: dict[str, Any] | None


def load(path: str | Path, map_file: Path | None = None, partial: bool = False) -> Stance:
    """A character in the common rest pose.

    Args:
        path: .glb, .vrm, .gltf, or a .bvh, whose skeleton is taken.
        map_file: a mapping file. partial: accept a map that lacks limbs.
    Raises: InputError or FormatError, one line, for what is no character.
    """
    found = read_rig(path)
    return stance_of(found, bonemap.find(found, map_file, partial))


def read_rig(path: str | Path) -> rig.Rig:
    """The rig in a .glb, .vrm, .gltf or .bvh."""
    path = Path(path)
    return (
        rig.rig_of(skeleton_document(bvh.read(path).skeleton, path))
        if path.suffix.lower() == ".bvh"
        else rig.read(path)
    )


def skeleton_document(skeleton: Skeleton, path: Path) -> Document:
    """A glTF document that holds a skeleton and no mesh."""
    nodes: list[dict[str, Any]] = []
    for joint, name in enumerate(skeleton.names):
        node: dict[str, Any] = {"name": name, "translation": skeleton.offsets[joint].tolist()}
        if skeleton.children(joint):
            node["children"] = list(skeleton.children(joint))
        nodes.append(node)
    made = {
        "asset": {"version": "2.0", "generator": "Laban"}, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": nodes,
        "skins": [{"joints": list(range(len(nodes)))}],
    }  # fmt: skip
    return Document(made, [], path)


def read_source(path: str | Path, name: str = "", map_file: Path | None = None) -> Motion:
    """A humanoid's motion: what `laban.io.read` reads, or an animation of any rigged glTF file.

    Args:
        name: which animation of a glTF file; the first if empty.
        map_file: a mapping file for a glTF file whose bones are not recognised.
    """
    path = Path(path)
    if path.suffix.lower() in SUFFIXES and not ours(path):
        motion, _ = clip.read_motion(load(path, map_file), name)
        return motion
    return laban.io.read(path)


def ours(path: Path) -> bool:
    """Whether a glTF file is a motion that Laban wrote (`laban.io.gltf`)."""
    extras = gltf_document.read(path).json["asset"].get("extras")
    return isinstance(extras, dict) and isinstance(extras.get("laban"), dict) and "skeleton" in extras["laban"]


def make(
    motion: Motion,
    stance: Stance,
    *,
    fps: float | None = None,
    append: bool = False,
    loop: bool = False,
    **options: Any,
) -> Made:
    """A motion on a character, with its certificate.

    Args:
        fps: of the clip; the motion's if None. append: behind the file's own animations.
        loop: judge the seam. options: see `transfer`.
    """
    motion = motion if fps is None else motion.resample(fps)
    made = transfer(motion, stance, **options)
    document = clip.document_of(made, append, motion.passport)
    number = len(document.items("animations")) - 1 if append else 0
    judged = certify(made, document, number, loop)
    extras = document.items("animations")[number].setdefault("extras", {}).setdefault("laban", {})
    document.items("animations")[number]["extras"] = {"laban": {**extras, "certificate": judged.record()}}
    return Made(made, document, number, judged, motion.passport)


def write(made: Made, path: str | Path, **options: Any) -> None:
    """Write a clip as what the suffix says, and its certificate beside it (not for films and pictures).

    Args:
        options: of the film or picture (width, height, fps, progress, sound, beats).
    Raises: InputError for a suffix that is unknown, or a program or package that the format needs and is not there.
    """
    path = Path(path)
    suffix = laban.io.check_suffix(path, WRITERS)
    about.dumps(made.passport, path)
    if suffix in FILMS:
        return draw(made.clip, path, made.passport, **options)
    if suffix in BINARY:
        _check_vrm(made.document, path, suffix)
        gltf_document.write(made.document, path)
    elif suffix in OTHERS:
        importlib.import_module(OTHERS[suffix]).write(made, path)
    else:
        whole = clip.motion_from_world(made.clip.stance, _world(made.clip), made.clip.fps, every=True)
        laban.io.write(replace(whole, passport=made.passport), path)
    made.certificate.save(path)


def check_ready(paths: Sequence[Path], stance: Stance) -> None:
    """Refuses before any work what `write` would refuse: .fbx without Blender, .usda without usd-core, .vrm of no VRM.

    Raises: InputError that says what to install or to write instead.
    """
    from laban.character import fbx, usda

    for path in paths:
        suffix = path.suffix.lower()
        if suffix == ".fbx":
            fbx.blender()
        elif suffix == ".usda":
            usda.check(path)
        _check_vrm(stance.rig.document, path, suffix)


def _check_vrm(document: Document, path: Path, suffix: str) -> None:
    has = any(name in document.json.get("extensions", {}) for name in ("VRM", "VRMC_vrm"))
    if suffix == ".vrm" and not has:
        raise InputError(f"{path}: the character is no VRM, so it cannot become one here. Write a .glb.")


def _world(made: Clip) -> np.ndarray:
    return made.stance.rig.forward(made.rotations, made.translations, made.frames)


def draw(made: Clip, path: Path, passport: dict[str, Any] | None = None, **options: Any) -> None:
    """Show a clip: the skinned character, as a film (.mp4, .gif) or a row of poses (.png).

    Args:
        passport: of the motion; the beats of a dance are in it.
    """
    world = _world(made)
    motion = replace(shown(made.stance, world, made.fps, made.unit, made.name), passport=passport)

    def figure(at: Motion) -> CharacterFigure:
        there = made.stance.rig.forward(*clip.tracks(made, at.fps))[: at.frames]
        return CharacterFigure(made.stance, at, there, made.unit)

    if path.suffix.lower() == ".png":
        picture.write(motion, path, figure=CharacterFigure(made.stance, motion, world, made.unit), **options)
    else:
        film.write(motion, path, figure=figure, **options)


def shown(stance: Stance, world: np.ndarray, fps: float, unit: float, text: str) -> Motion:
    """What the camera follows: the mapped joints in metres of the picture."""
    from laban.motion.motion import Segment

    return clip.scaled(clip.motion_from_world(stance, world, fps, (Segment(text, 0.0, len(world) / fps),)), 1 / unit)


def draw_file(path: Path, out: Path, name: str = "", **options: Any) -> Motion:
    """Show an animation of a character's file. Returns: what was shown."""
    stance = load(path, partial=True)
    fps = min(float(options.get("fps") or 30.0), 60.0)
    motion, world = clip.read_motion(stance, name, fps)
    unit = stance.leg / 0.83  # as large as a grown person in the picture
    motion = clip.scaled(motion, 1 / unit)
    made: Callable[[Motion], CharacterFigure] = bound(_at, stance, world, fps, unit)
    if out.suffix.lower() == ".png":
        options.pop("fps", None)
        picture.write(motion, out, figure=made(motion), **options)
    else:
        film.write(motion, out, figure=made, **options)
    return motion


def _at(stance: Stance, world: np.ndarray, fps: float, unit: float, motion: Motion) -> CharacterFigure:
    """The figure at the rate of `motion`: the nearest frames of `world`."""
    frames = np.minimum(np.round(np.arange(motion.frames) / motion.fps * fps).astype(int), len(world) - 1)
    return CharacterFigure(stance, motion, world[frames], unit)
