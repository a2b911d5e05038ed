"""FBX in: any version, binary or ASCII, as a glTF document, so that all that reads rigs reads FBX too.

ufbx reads the file in a process of its own (`unpack`); here its arrays are checked and become a glTF document: nodes,
surfaces of triangles with skins of up to eight bones a vertex, materials with embedded pictures, blend shapes, and
every animation, sampled at the file's own rate. Nothing of the file is executed, and no other file is read but a
picture that lies beside it.

Source: ufbx, https://ufbx.github.io.
"""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from laban.errors import FormatError, InputError
from laban.io.fbx.triangles import Surface, surface
from laban.io.gltf_document import MOST_NODES, Document
from laban.motion import rotation

MOST_BYTES = 512 << 20  # of a file
MOST_PICTURE = 64 << 20
SECONDS = 180
_BODY = (0.3, 12.0)  # metres that a skeleton may span
_NAMELESS = ("", "mixamo.com", "take 001", "unreal take", "layer0", "baselayer", "scene", "animation")
"""What programs call the only animation of a file when nobody named it."""
_UNPACK = Path(__file__).with_name("unpack.py")


def read(path: str | Path) -> Document:
    """An FBX file as a glTF document: metres, Y up; bones that no mesh needs are joints of a skin of their own.

    Raises: InputError if the file is missing, or the package ufbx; FormatError, one line, for a file that is no FBX,
        is damaged, too large, or takes too long.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    if importlib.util.find_spec("ufbx") is None:
        raise InputError(
            f"{path}: .fbx is read by the package ufbx: pip install 'laban[fbx]', or convert the file to .glb."
        )
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror or error}).") from None
    if size > MOST_BYTES:
        raise FormatError(f"{path}: {size >> 20} MiB; at most {MOST_BYTES >> 20} MiB are read.")
    if b"FBX" not in head:  # "Kaydara FBX Binary", or in the comment or header of an ASCII file
        raise FormatError(f"{path}: {size} bytes that do not begin as an FBX does. Export it again.")
    content, arrays = _unpacked(path)
    try:
        factor = _mended(content, arrays)
        made = _Builder(content, arrays, path).document
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        said = f"{type(error).__name__}: {str(error)[:80]}"
        raise FormatError(f"{path}: damaged FBX ({said}). Export it again.") from None
    if factor != 1:
        made.notes.append(f"its unit makes a body {1 / factor:g} times as large as people are; that was taken back")
    return made


def _mended(content: dict[str, Any], arrays: dict[str, np.ndarray]) -> float:
    """What all lengths are multiplied with, in place, so that the skeleton is as large as a body may be.

    Writers that keep metres and call them centimetres are many (Assimp is one), and so are those that do the reverse.
    """
    nodes = content["nodes"]
    world = np.zeros((len(nodes), 4, 4))
    for number, node in enumerate(nodes):
        x, y, z, w = node["r"]
        own = np.eye(4)
        own[:3, :3] = rotation.to_matrix(np.array([w, x, y, z])) * np.array(node["s"])
        own[:3, 3] = node["t"]
        world[number] = world[node["parent"]] @ own if 0 <= node["parent"] < number else own
    bones = [number for number, node in enumerate(nodes) if node["bone"]]
    size = float(np.ptp(world[bones, :3, 3], axis=0).max()) if bones else 0.0
    factor = next((f for f in (1.0, 100.0, 0.01) if _BODY[0] <= size * f <= _BODY[1]), 1.0)
    if factor != 1:
        for node in nodes:
            node["t"] = [factor * value for value in node["t"]]
        for mesh in content["meshes"]:
            arrays[mesh["vertices"]] = arrays[mesh["vertices"]] * factor
            if mesh["skin"] is not None:
                binds = arrays[mesh["skin"]["binds"]].copy()
                binds[:, 9:] *= factor
                arrays[mesh["skin"]["binds"]] = binds
            for shape in mesh["shapes"]:
                arrays[shape["moves"]] = arrays[shape["moves"]] * factor
        for animation in content["animations"]:
            arrays[animation["moved"]][..., :3] *= factor
    return factor


def _unpacked(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "scene.npz"
        words = [sys.executable, "-P", str(_UNPACK), str(path.resolve()), str(target)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=folder)
        except subprocess.TimeoutExpired:
            raise FormatError(f"{path}: reading took more than {SECONDS} s. Cut the take, or export less.") from None
        said = (done.stderr.strip().splitlines() or ["no word"])[-1][:160]
        if done.returncode == 3:
            raise FormatError(f"{path}: is no FBX that can be read ({said}). Export it again, as binary FBX.")
        if done.returncode or not target.is_file():
            raise FormatError(
                f"{path}: ufbx broke off (code {done.returncode}: {said}); the file is damaged or too large. Export it "
                "again, as binary FBX."
            )
        try:
            with np.load(target, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise FormatError(f"{path}: what ufbx found could not be kept ({str(error)[:80]}).") from None
    return json.loads(str(arrays.pop("scene"))), arrays


class _Builder:
    """The document in the making."""

    def __init__(self, content: dict[str, Any], arrays: dict[str, np.ndarray], path: Path):
        self._arrays, self._path = arrays, path
        nodes = content["nodes"][1:]
        if len(nodes) > MOST_NODES:
            raise FormatError(f"{path}: {len(nodes)} nodes; at most {MOST_NODES} were expected.")
        self._nodes = nodes
        self.document = Document(
            {
                "asset": {"version": "2.0", "generator": str(content["creator"])[:200]}, "scene": 0,
                "scenes": [{"nodes": [k for k, node in enumerate(nodes) if node["parent"] <= 0]}],
                "nodes": [self._node(node) for node in nodes], "meshes": [], "skins": [],
            },
            [], path,
        )  # fmt: skip
        for number, node in enumerate(nodes):
            if node["parent"] > 0:
                self.document.json["nodes"][node["parent"] - 1].setdefault("children", []).append(number)
        self._add_materials(content["materials"], content["pictures"])
        for mesh in content["meshes"]:
            self._add_mesh(mesh)
        self._add_bones()
        animations = content["animations"]
        for animation in animations:
            name = animation["name"].rpartition("|")[2]
            plain = len(animations) == 1 and name.lower() in _NAMELESS
            self._add_animation(animation, path.stem if plain else name)
        if self.document.buffers:  # what was added is the file's own from here on
            self.document.buffers[0] = memoryview(bytes(self.document.extra))
            self.document.json["buffers"] = [{"byteLength": len(self.document.extra)}]
            self.document.extra.clear()
        for key in ("meshes", "skins", "materials", "animations"):
            if not self.document.json.get(key):
                self.document.json.pop(key, None)

    def _node(self, node: dict[str, Any]) -> dict[str, Any]:
        values = np.array([*node["t"], *node["r"], *node["s"]], np.float64)
        if not np.isfinite(values).all():
            raise ValueError("a node's place is not finite")
        named = {"name": node["name"]} if node["name"] else {}
        return {**named, "translation": node["t"], "rotation": node["r"], "scale": node["s"]}

    def _add(self, values: np.ndarray, kind: str, shape: str) -> int:
        """An accessor of integers, which `Document.add_array` does not make."""
        component = {"<u2": 5123, "<u4": 5125}[kind]
        entry = {
            "bufferView": self.document.add_bytes(np.ascontiguousarray(values.astype(kind)).tobytes()),
            "componentType": component, "count": len(values), "type": shape,
        }  # fmt: skip
        self.document.json.setdefault("accessors", []).append(entry)
        return len(self.document.json["accessors"]) - 1

    def _add_materials(self, materials: list[dict[str, Any]], pictures: list[dict[str, Any]]) -> None:
        places: dict[int, int] = {}
        json = self.document.json
        for number, shown in enumerate(pictures):
            data = picture(self._arrays[shown["data"]].tobytes(), shown["files"], self._path)
            if data is None:
                continue
            kind = "image/png" if data[:4] == b"\x89PNG" else "image/jpeg"
            images = json.setdefault("images", [])
            images.append({"name": shown["name"], "mimeType": kind, "bufferView": self.document.add_bytes(data)})
            json.setdefault("textures", []).append({"source": len(images) - 1})
            places[number] = len(images) - 1
        for material in materials:
            surface_json: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": 0.6}
            opacity = float(np.clip(material["opacity"], 0, 1))
            surface_json["baseColorFactor"] = [*np.clip(material["colour"], 0, 1).tolist(), opacity]
            entry: dict[str, Any] = {"name": material["name"], "pbrMetallicRoughness": surface_json}
            own = {slot: {"index": places[k]} for slot, k in material["pictures"].items() if k in places}
            if "colour" in own:
                surface_json["baseColorTexture"] = own["colour"]
            if "normal" in own:
                entry["normalTexture"] = own["normal"]
            if "glow" in own:
                entry["emissiveTexture"] = own["glow"]
            if any(material["glow"]):
                entry["emissiveFactor"] = np.clip(material["glow"], 0, 1).tolist()
            if opacity < 1:
                entry["alphaMode"] = "BLEND"
            json.setdefault("materials", []).append(entry)

    def _add_mesh(self, mesh: dict[str, Any]) -> None:
        found = surface(mesh, self._arrays)
        document = self.document
        skinned = mesh["skin"] is not None and bool(mesh["skin"]["bones"])
        primitives = []
        for material, corners in found.triangles:
            used, numbers = np.unique(corners, return_inverse=True)
            primitive: dict[str, Any] = {"attributes": self._attributes(found, used, skinned=skinned)}
            primitive["indices"] = self._add(numbers.reshape(-1), "<u4", "SCALAR")
            if material >= 0:
                primitive["material"] = material
            if found.shapes:
                moves = [shape[1][used] for shape in found.shapes]
                primitive["targets"] = [{"POSITION": document.add_array(own, "VEC3", bounds=True)} for own in moves]
            primitives.append(primitive)
        if not primitives:
            return
        entry: dict[str, Any] = {"primitives": primitives}
        if found.shapes:
            entry["weights"] = [weight for _, _, weight in found.shapes]
            entry["extras"] = {"targetNames": [name for name, _, _ in found.shapes]}
        document.json["meshes"].append(entry)
        skin = {"skin": self._add_skin(mesh["skin"])} if skinned else {}
        for node in mesh["nodes"]:
            document.json["nodes"][node - 1] |= {"mesh": len(document.json["meshes"]) - 1} | skin

    def _attributes(self, found: Surface, used: np.ndarray, *, skinned: bool) -> dict[str, int]:
        """The accessors of some vertices of a surface."""
        document = self.document
        attributes = {"POSITION": document.add_array(found.positions[used], "VEC3", bounds=True)}
        if found.normals is not None:
            attributes["NORMAL"] = document.add_array(found.normals[used], "VEC3")
        if found.places is not None:
            attributes["TEXCOORD_0"] = document.add_array(found.places[used], "VEC2")
        for number, (joints, weights) in enumerate(found.sets if skinned else ()):
            attributes[f"JOINTS_{number}"] = self._add(joints[used], "<u2", "VEC4")
            attributes[f"WEIGHTS_{number}"] = document.add_array(weights[used], "VEC4")
        return attributes

    def _add_skin(self, skin: dict[str, Any]) -> int:
        binds = self._arrays[skin["binds"]].reshape(-1, 4, 3)  # columns
        whole = np.zeros((len(binds), 4, 4))
        whole[:, :, :3], whole[:, 3, 3] = binds, 1.0
        matrices = self.document.add_array(whole.reshape(-1, 16), "MAT4")
        joints = [bone - 1 for bone in skin["bones"]]
        self.document.json["skins"].append({"joints": joints, "inverseBindMatrices": matrices})
        return len(self.document.json["skins"]) - 1

    def _add_bones(self) -> None:
        """A skin of no mesh that names every bone, also those that move no vertex."""
        bones = [number for number, node in enumerate(self._nodes) if node["bone"]]
        known = {joint for skin in self.document.json["skins"] for joint in skin["joints"]}
        if not set(bones) <= known:
            self.document.json["skins"].append({"joints": bones})

    def _add_animation(self, animation: dict[str, Any], name: str) -> None:
        moved = self._arrays[animation["moved"]]
        if not animation["keys"] or not len(moved):
            return
        if not np.isfinite(moved).all():
            raise ValueError("an animation's places are not finite")
        document = self.document
        samplers: list[dict[str, Any]] = []
        channels: list[dict[str, Any]] = []
        times = document.add_array(np.arange(len(moved)) / animation["fps"], "SCALAR", bounds=True)
        for number, node in enumerate(self._nodes):
            for way, rest, track in (
                ("translation", node["t"], moved[:, number, :3]), ("rotation", node["r"], moved[:, number, 3:7])
            ):  # fmt: skip
                off = np.abs(track - np.array(rest)).max()
                if off < 1e-7 and not (way == "rotation" and node["bone"]):
                    continue
                output = document.add_array(track, "VEC4" if way == "rotation" else "VEC3")
                samplers.append({"input": times, "output": output, "interpolation": "LINEAR"})
                channels.append({"sampler": len(samplers) - 1, "target": {"node": number, "path": way}})
        if channels:
            entry = {"name": name, "channels": channels, "samplers": samplers}
            document.json.setdefault("animations", []).append(entry)


def picture(data: bytes, files: list[str], path: Path) -> bytes | None:
    """A PNG or JPEG of embedded bytes, or of a file of that name beside the FBX; None if there is none."""
    for name in files:
        if data:
            break
        plain = name.replace("\\", "/").rpartition("/")[2]
        beside = path.parent / plain
        if plain and "\0" not in plain and beside.is_file() and beside.stat().st_size <= MOST_PICTURE:
            data = beside.read_bytes()
    if not data or data[:4] == b"\x89PNG" or data[:3] == b"\xff\xd8\xff":
        return data or None
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as opened:
            if opened.width * opened.height > 1 << 26:
                return None
            out = io.BytesIO()
            opened.convert("RGBA").save(out, "png")
            return out.getvalue()
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
