"""Our FBX files in other people's programs: how far joints and skinned vertices are from ours, at half frames too.

    pip install ufbx                                                          # into Laban's environment
    python3.11 -m venv BPY && BPY/bin/pip install bpy==5.0.1                  # Blender as a module; GPL
    apt-get install assimp-utils && npm install --prefix THREE three@0.187.0  # Assimp 5.2.5; three.js on Node 20
    LABAN_BLENDER=BPY/bin/python python tools/checks/fbx.py --three THREE/node_modules --motion walk.bvh hero.glb ...

Prints a line per body (the mannequin and each character) and reader, in millimetres: the largest distance of a joint,
and of a skinned vertex from the nearest one of ours and back, over moments on and between frames. Programs that are
not there are left out. `--controls` spoils the file of the mannequin in four ways, each of which must be seen.
Exit code 1 beyond 0.1 mm, or where a control is not seen; 2 for wrong input.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from laban import formats
from laban.character import animation, rig
from laban.character.asset import asset_of as worn
from laban.character.made import make
from laban.character.skin import parts
from laban.character.stance import load
from laban.figure.asset import Asset, asset_of
from laban.figure.mesh import mannequin, skin
from laban.io import gltf_document
from laban.io.fbx import document
from laban.io.fbx.write import write_asset
from laban.motion import kinematics, rotation
from laban.motion.motion import Motion

HERE = Path(__file__).parent
TOLERANCE = 0.1  # mm
MOMENTS = 9


@dataclass(frozen=True)
class Places:
    """Where a body is.

    Attributes:
        bones: J names.
        joints: (M, J, 3) metres.
        vertices: (M, V, 3) metres.
    """

    bones: list[str]
    joints: np.ndarray
    vertices: np.ndarray


def moments(frames: int, fps: float) -> np.ndarray:
    """(M,) seconds, on frames and half way between them in turn."""
    last = 2 * (frames - 1)
    return (
        np.unique(np.linspace(0, last, MOMENTS).astype(int) // 2 * 2 + np.arange(MOMENTS) % 2).clip(0, last) / 2 / fps
    )


def of_motion(motion: Motion) -> tuple[Asset, Places, np.ndarray]:
    """The mannequin: its asset, where it is, and when."""
    times = moments(motion.frames, motion.fps)
    turns, root = motion.at(times)
    skeleton = motion.skeleton
    points = skin(mannequin(skeleton), skeleton, turns, root)
    return asset_of(motion), Places(list(skeleton.names), kinematics.forward(skeleton, turns, root), points), times


def of_character(motion: Motion, path: Path, glb: Path | None = None) -> tuple[Asset, Places, np.ndarray]:
    """A character: its asset, where its own skin puts it, and when; the clip is written as a GLB, if it is named."""
    made = make(motion, load(path))
    if glb is not None:
        gltf_document.write(made.document, glb)
    clip, body = made.clip, made.clip.stance.rig
    times = moments(clip.frames, clip.fps)
    place = times * clip.fps
    low = np.minimum(place.astype(int), clip.frames - 1)
    high, share = np.minimum(low + 1, clip.frames - 1), place - low
    turns = {n: rotation.slerp(t[low], t[high], share) for n, t in clip.rotations.items()}
    moves = {n: t[low] + share[:, None] * (t[high] - t[low]) for n, t in clip.translations.items()}
    world = body.forward(turns, moves, len(times))
    points = [np.stack([part.at(frame) for frame in world]) for part in parts(body)]
    joints = list(body.joints)
    return worn(made), Places(
        [body.names[j] for j in joints], world[:, joints][..., :3, 3],
        np.concatenate(points, axis=1) if points else np.zeros((len(times), 0, 3)),
    ), times  # fmt: skip


def ufbx(file: Path, times: np.ndarray, folder: Path) -> Places:
    """As ufbx reads it, in a process of its own: version 0.0.5 of the package lets go of what it still needs."""
    np.save(folder / "times.npy", times)
    _run([sys.executable, HERE / "fbx_ufbx.py", file, folder / "times.npy", folder / "ufbx.npz"])
    return _arrays(folder / "ufbx.npz")


def blender(way: str) -> Callable[[Path, np.ndarray, Path], Places]:
    """As one of Blender's importers reads it."""

    def read(file: Path, times: np.ndarray, folder: Path) -> Places:
        np.save(folder / "times.npy", times)
        program = os.environ["LABAN_BLENDER"]
        _run([program, HERE / "fbx_blender.py", "read", way, file, folder / "times.npy", folder / "blender.npz"])
        return _arrays(folder / "blender.npz")

    return read


def assimp(file: Path, times: np.ndarray, folder: Path) -> Places:
    """As Assimp reads it, by way of the GLB that it writes."""
    _run(["assimp", "export", file, folder / "assimp.glb", "-fglb2"])
    return _played(gltf_document.read(folder / "assimp.glb"), times, 0.01)  # Assimp keeps the file's centimetres


def three(modules: Path) -> Callable[[Path, np.ndarray, Path], Places]:
    """As three.js reads it."""

    def read(file: Path, times: np.ndarray, folder: Path) -> Places:
        (folder / "times.json").write_text(json.dumps(times.tolist()))
        _run(["node", HERE / "fbx_three.mjs", modules, file, folder / "times.json", folder / "three.json"])
        found = json.loads((folder / "three.json").read_text())
        vertices = np.array(found["vertices"], np.float64).reshape(len(times), -1, 3)
        return Places(found["bones"], np.array(found["joints"]), vertices)

    return read


def ours(file: Path, times: np.ndarray) -> Places:
    """As we read it."""
    return _played(document.read(file), times, 1.0)


def _played(found: gltf_document.Document, times: np.ndarray, metres: float) -> Places:
    """Where a glTF document's first animation puts its nodes and skinned vertices."""
    body = rig.rig_of(found)
    rate = 2400.0  # every moment of 20, 24, 30 or 60 fps falls on one
    turns, moves, frames = animation.sampled(found, body, 0, rate)
    at = np.minimum(np.round(times * rate).astype(int), frames - 1)
    world = body.forward({n: t[at] for n, t in turns.items()}, {n: t[at] for n, t in moves.items()}, len(at))
    points = [np.stack([part.at(frame) for frame in world]) for part in parts(body)]
    return Places(
        list(body.names), world[..., :3, 3] * metres,
        np.concatenate(points, axis=1) * metres if points else np.zeros((len(times), 0, 3)),
    )  # fmt: skip


def written_by_others(glb: Path, fps: float, folder: Path) -> dict[str, Path]:
    """The clip of a GLB as FBX by other programs: name -> file."""
    found = {}
    if os.environ.get("LABAN_BLENDER"):
        found["Blender"] = folder / "by_blender.fbx"
        _run([os.environ["LABAN_BLENDER"], HERE / "fbx_blender.py", "write", glb, found["Blender"], fps])
    if shutil.which("assimp"):
        for name, way in (("Assimp", "fbx"), ("Assimp, ASCII", "fbxa")):
            file = folder / f"by_assimp_{way}.fbx"
            _run(["assimp", "export", glb, file, f"-f{way}"])
            if subprocess.run(["assimp", "info", str(file)], capture_output=True, check=False).returncode:
                print(f"read: {name}: left out, because Assimp cannot read what it wrote either")
            else:
                found[name] = file
    return found


def _run(words: list[object]) -> None:
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise SystemExit(f"{words[0]}: {(done.stderr or done.stdout)[-300:]}")


def _arrays(path: Path) -> Places:
    with np.load(path) as found:
        return Places([str(n) for n in found["bones"]], found["joints"], found["vertices"])


def plain(name: str) -> str:
    """A bone's name without what three.js takes out of names."""
    return "".join(c for c in name.replace(" ", "_") if c not in "[].:/")


def errors(found: Places, truth: Places) -> tuple[float, float]:
    """Millimetres: joints by their names, vertices by the nearest one, both ways. Infinite for missing ones."""
    there = {plain(name): k for k, name in enumerate(found.bones)}
    pairs = [(there.get(plain(name)), j) for j, name in enumerate(truth.bones)]
    if any(k is None for k, _ in pairs):
        return float("inf"), float("inf")
    apart = np.linalg.norm(found.joints[:, [k for k, _ in pairs]] - truth.joints[:, [j for _, j in pairs]], axis=-1)
    if not truth.vertices.shape[1]:
        return 1000 * float(apart.max()), 0.0
    if not found.vertices.shape[1]:
        return 1000 * float(apart.max()), float("inf")
    far = [
        max(cKDTree(a).query(b)[0].max(), cKDTree(b).query(a)[0].max())
        for a, b in zip(found.vertices, truth.vertices, strict=True)
    ]
    return 1000 * float(apart.max()), 1000 * float(max(far))


def spoilt(asset: Asset) -> dict[str, Asset]:
    """Files that are wrong, each in one way that a reader must show."""
    mesh = asset.meshes[0]
    shuffled = replace(mesh, joints=np.random.default_rng(0).permutation(mesh.joints))
    transposed = asset.rest.copy()
    transposed[:, :3, :3] = transposed[:, :3, :3] @ rotation.to_matrix(rotation.from_axis_angle(np.array([0.3, 0, 0])))
    turned = asset.rotations.copy()
    turned[:, 1:] = rotation.multiply(rotation.from_axis_angle(np.array([0.0, 0.2, 0.0])), turned[:, 1:])
    larger = replace(
        asset, rest=asset.rest * np.array([[1, 1, 1, 1.01]] * 3 + [[1, 1, 1, 1]]), offsets=asset.offsets * 1.01,
        translations=asset.translations * 1.01,
    )  # fmt: skip
    return {
        "shuffled weights": replace(asset, meshes=(shuffled,)),
        "bind matrices turned": replace(asset, rest=transposed),
        "rotations of the rest left out": replace(asset, rotations=turned),
        "unit one hundredth off": larger,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("characters", type=Path, nargs="*", help=".glb, .vrm, .gltf")
    parser.add_argument("--motion", type=Path, required=True)
    parser.add_argument("--three", type=Path, help="folder node_modules with three in it")
    parser.add_argument("--controls", action="store_true")
    parser.add_argument("--read", action="store_true", help="also read what Blender and Assimp write of the characters")
    options = parser.parse_args()
    readers: dict[str, Callable[[Path, np.ndarray, Path], Places]] = {"ufbx": ufbx}
    if os.environ.get("LABAN_BLENDER"):
        readers |= {"Blender": blender("import_scene"), "Blender, new importer": blender("wm")}
    if shutil.which("assimp"):
        readers["Assimp"] = assimp
    if options.three and shutil.which("node"):
        readers["three.js"] = three(options.three)
    motion = formats.read(options.motion)
    failed = False
    bodies = [("mannequin", of_motion(motion))]
    bodies += [(path.stem, of_character(motion, path)) for path in options.characters]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, (asset, truth, times) in bodies:
            write_asset(asset, folder / "body.fbx")
            for reader, read in readers.items():
                joints, vertices = errors(read(folder / "body.fbx", times, folder), truth)
                fine = max(joints, vertices) <= TOLERANCE
                failed |= not fine
                print(
                    f"{title:32} {reader:22} joints {joints:8.4f} mm, vertices {vertices:8.4f} mm"
                    f"{'' if fine else '  FAILED'}", flush=True,
                )  # fmt: skip
        for path in options.characters if options.read else ():
            _, truth, times = of_character(motion, path, folder / "clip.glb")
            at = np.round(times * motion.fps) / motion.fps  # others turn between frames as they like
            whole = [int(k) for k in np.flatnonzero(np.abs(at - times) < 1e-9)]
            truth = Places(truth.bones, truth.joints[whole], truth.vertices[whole])
            for writer, file in written_by_others(folder / "clip.glb", motion.fps, folder).items():
                joints, vertices = errors(ours(file, times[whole]), truth)
                fine = max(joints, vertices) <= TOLERANCE
                failed |= not fine
                print(f"read: {path.stem:26} {writer:22} joints {joints:8.4f} mm, vertices {vertices:8.4f} mm"
                      f"{'' if fine else '  FAILED'}", flush=True)  # fmt: skip
        if options.controls:
            asset, truth, times = bodies[0][1]
            for title, wrong in spoilt(asset).items():
                write_asset(wrong, folder / "body.fbx")
                joints, vertices = errors(ufbx(folder / "body.fbx", times, folder), truth)
                seen = max(joints, vertices) > TOLERANCE
                failed |= not seen
                print(
                    f"control: {title:32} joints {joints:8.3f} mm, vertices {vertices:8.3f} mm"
                    f"{'' if seen else '  NOT SEEN'}"
                )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
