"""GLB (binary glTF 2.0): a skinned mannequin and its animation out; files that Laban wrote back in.

Written directly rather than through pygltflib: the container is two chunks, the layout below is fixed, and a reader
of our own checks every length before it uses it. What the file holds:

- nodes 0..J-1 are the joints, in the skeleton's order and with its names; node J carries the mesh and the skin;
- metres, Y up, facing +Z, which are glTF's own conventions; quaternions become xyzw;
- the bind pose is the rest pose, standing on the floor (y = 0);
- one animation, LINEAR: the root's translation and every joint's rotation, keys at frame / fps;
- `asset.extras.laban`: skeleton, fps, segments and passport, from which `read` makes the same `Motion` again.

Source: Khronos, glTF 2.0 specification.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from laban.errors import FormatError, LabanError
from laban.figure.asset import Asset, asset_of
from laban.figure.mesh import Mesh, colour_name, linear
from laban.io import about
from laban.io.atomic import replacing
from laban.motion.motion import Motion
from laban.motion.skeleton import Skeleton
from laban.motion.travel import Travel, put_back, taken_out

_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942
_FLOAT, _UBYTE, _USHORT, _UINT = 5126, 5121, 5123, 5125
_VERTICES, _INDICES = 34962, 34963
ROOT_BONE = "root"
_VERSION = 1  # of asset.extras.laban
_MOST_JSON, _MOST_BIN = 32 << 20, 128 << 20


def write(motion: Motion, path: str | Path, *, mesh: Mesh | None = None, travel: Travel | None = None) -> None:
    """Write a motion as a GLB: skeleton, skinned mannequin, materials, animation, passport.

    Args:
        motion: any skeleton; rotations are written as float32, sign-continuous in time.
        path: where to; the file is replaced as a whole or not at all.
        mesh: another skinned mesh in the skeleton's rest pose; default `mesh.mannequin(motion.skeleton)`.
        travel: of the motion: a bone `root` on the floor carries it, and the motion moves below that bone, as Unreal
            wants root motion and Unity reads it of a generic rig. None: no such bone.
    Raises: InputError for a folder that cannot be written to, or a passport that JSON cannot hold.
    """
    chunk = _Chunk()
    shown, record = motion if travel is None else taken_out(motion, travel), _record(motion)
    document = _document(asset_of(shown, mesh, Path(path).stem), record, chunk, travel)
    text = about.dumps(document, path)
    text += b" " * (-len(text) % 4)
    data = bytes(chunk.data)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(struct.pack("<III", _MAGIC, 2, 28 + len(text) + len(data)))
        file.write(struct.pack("<II", len(text), _JSON) + text)
        file.write(struct.pack("<II", len(data), _BIN) + data)


class _Chunk:
    """The binary buffer in the making, with the bufferViews and accessors that describe it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, array: np.ndarray, target: int | None = None) -> int:
        self.data.extend(b"\0" * (-len(self.data) % 4))
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.data), "byteLength": array.nbytes}
        if target is not None:
            view["target"] = target
        self.data.extend(np.ascontiguousarray(array).tobytes())
        self.data.extend(b"\0" * (-len(self.data) % 4))
        self.views.append(view)
        return len(self.views) - 1

    def accessor(
        self, array: np.ndarray, shape: str, target: int | None = None, bounds: bool = False,
        view: int | None = None, offset: int = 0,
    ) -> int:  # fmt: skip
        """Describe `array`, whose first axis counts elements; it goes into a view of its own unless one is given."""
        kind = {"f4": _FLOAT, "u1": _UBYTE, "u2": _USHORT, "u4": _UINT}[array.dtype.str[1:]]
        entry: dict[str, Any] = {
            "bufferView": self.view(array, target) if view is None else view,
            "byteOffset": offset,
            "componentType": kind,
            "count": len(array),
            "type": shape,
        }
        if bounds:
            flat = array.reshape(len(array), -1)
            entry["min"], entry["max"] = flat.min(axis=0).tolist(), flat.max(axis=0).tolist()
        self.accessors.append(entry)
        return len(self.accessors) - 1


def _document(asset: Asset, record: dict[str, Any], chunk: _Chunk, travel: Travel | None = None) -> dict[str, Any]:
    """The glTF JSON; fills `chunk` on the way."""
    count = len(asset.bones)
    nodes: list[dict[str, Any]] = []
    for bone, name in enumerate(asset.bones):
        node: dict[str, Any] = {"name": name, "translation": asset.offsets[bone].tolist()}
        children = asset.children(bone)
        nodes.append(node | ({"children": children} if children else {}))
    nodes.append({"name": "mannequin", "mesh": 0, "skin": 0})
    inverse = np.tile(np.eye(4, dtype="<f4"), (count, 1, 1))
    inverse[:, 3, :3] = -asset.rest[:, :3, 3]  # column-major; the bones of a rest pose of ours are not turned
    primitives, materials = _primitives(asset.meshes[0], chunk)
    bind = chunk.accessor(inverse.reshape(count, 16), "MAT4")
    animation, top = _animation(asset, chunk), 0
    if travel is not None:
        top = record[ROOT_BONE] = len(nodes)
        nodes.append({"name": ROOT_BONE, "children": [0]})
        _carry(animation, travel, top, chunk)
    chunk.data.extend(b"\0" * (-len(chunk.data) % 4))
    return {
        "asset": {"version": "2.0", "generator": "Laban", "extras": {"laban": record}},
        "scene": 0,
        "scenes": [{"name": "Laban", "nodes": [top, count]}],
        "nodes": nodes,
        "meshes": [{"name": "mannequin", "primitives": primitives}],
        "materials": materials,
        "skins": [{"name": "mannequin", "inverseBindMatrices": bind, "skeleton": 0, "joints": list(range(count))}],
        "animations": [animation],
        "accessors": chunk.accessors,
        "bufferViews": chunk.views,
        "buffers": [{"byteLength": len(chunk.data)}],
    }


def _record(motion: Motion) -> dict[str, Any]:
    """What glTF has no place for."""
    skeleton = motion.skeleton
    return {
        "version": _VERSION,
        "fps": motion.fps,
        "skeleton": {
            "name": skeleton.name,
            "names": list(skeleton.names),
            "parents": list(skeleton.parents),
            "offsets": skeleton.offsets.tolist(),
        },
        **about.about(motion),
    }


def _primitives(mesh: Mesh, chunk: _Chunk) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """One primitive and one material per colour; all share the vertices. (Engines often ignore vertex colours.)"""
    weights = mesh.weights.astype("<f4")
    weights[:, 0] += (1.0 - weights.sum(axis=1, dtype=np.float64)).astype("<f4")
    joints = np.where(weights > 0, mesh.joints, 0)
    attributes = {
        "POSITION": chunk.accessor(mesh.vertices.astype("<f4"), "VEC3", _VERTICES, bounds=True),
        "NORMAL": chunk.accessor(mesh.normals.astype("<f4"), "VEC3", _VERTICES),
        "JOINTS_0": chunk.accessor(joints.astype("u1" if joints.max() < 256 else "<u2"), "VEC4", _VERTICES),
        "WEIGHTS_0": chunk.accessor(weights, "VEC4", _VERTICES),
    }
    palette, number = np.unique(mesh.colours, axis=0, return_inverse=True)
    of_face = number.reshape(-1)[mesh.faces[:, 0]]
    primitives: list[dict[str, Any]] = []
    materials: list[dict[str, Any]] = []
    for index, colour in enumerate(palette):
        faces = mesh.faces[of_face == index]
        if not len(faces):
            continue
        corners = faces.reshape(-1).astype("<u2" if len(mesh.vertices) < 65535 else "<u4")
        primitives.append(
            {
                "attributes": attributes,
                "indices": chunk.accessor(corners, "SCALAR", _INDICES),
                "material": len(materials),
                "mode": 4,
            }
        )
        materials.append(
            {
                "name": colour_name(colour),
                "pbrMetallicRoughness": {
                    "baseColorFactor": [*np.round(linear(colour), 4).tolist(), 1.0],
                    "metallicFactor": 0.0,
                    "roughnessFactor": 0.6,
                },
            }
        )
    return primitives, materials


def _animation(asset: Asset, chunk: _Chunk) -> dict[str, Any]:
    times = chunk.accessor((np.arange(asset.frames) / asset.fps).astype("<f4"), "SCALAR", bounds=True)
    quaternions = asset.rotations[..., [1, 2, 3, 0]].astype("<f4").transpose(1, 0, 2)
    view = chunk.view(np.ascontiguousarray(quaternions))
    path = asset.translations[:, 0].astype("<f4")  # of the root alone: other bones of ours never leave their offsets
    samplers = [{"input": times, "output": chunk.accessor(path, "VEC3"), "interpolation": "LINEAR"}]
    channels: list[dict[str, Any]] = [{"sampler": 0, "target": {"node": 0, "path": "translation"}}]
    for bone, track in enumerate(quaternions):
        output = chunk.accessor(track, "VEC4", view=view, offset=bone * track.nbytes)
        samplers.append({"input": times, "output": output, "interpolation": "LINEAR"})
        channels.append({"sampler": bone + 1, "target": {"node": bone, "path": "rotation"}})
    return {"name": asset.name, "channels": channels, "samplers": samplers}


def _carry(animation: dict[str, Any], travel: Travel, node: int, chunk: _Chunk) -> None:
    """Adds the tracks of the bone that carries the travel."""
    times = animation["samplers"][0]["input"]
    tracks = {"translation": (travel.place, "VEC3"), "rotation": (travel.turn[:, [1, 2, 3, 0]], "VEC4")}
    for path, (values, shape) in tracks.items():
        output = chunk.accessor(values.astype("<f4"), shape)
        animation["channels"].append({"sampler": len(animation["samplers"]), "target": {"node": node, "path": path}})
        animation["samplers"].append({"input": times, "output": output, "interpolation": "LINEAR"})


def is_ours(path: str | Path) -> bool:
    """Whether a file is a GLB of a motion that Laban wrote, by its JSON; one whose JSON cannot be read is not."""
    try:
        with open(path, "rb") as file:
            return "skeleton" in _head(file, path)[0]["asset"]["extras"]["laban"]
    except (OSError, FormatError):
        return False


def read(path: str | Path) -> Motion:
    """Read a GLB that Laban wrote.

    Returns: the `Motion` that was written: rotations and root to float32 precision, skeleton, fps, segments and
        passport exactly.
    Raises: FormatError for other files: truncated, damaged, too large, or GLBs from elsewhere. Lengths are checked
        before they are used, and at most 160 MiB are read.
    """
    try:
        with open(path, "rb") as file:
            document, data = _chunks(file, path)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror or error}).") from None
    try:
        return _motion(document, data, path)
    except LabanError as error:
        raise error if isinstance(error, FormatError) else FormatError(f"{path}: damaged ({error})") from None
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise FormatError(
            f"{path}: damaged: its glTF structure is not what Laban writes ({type(error).__name__}: {error}). "
            "Export it again."
        ) from None


def _head(file: BinaryIO, path: str | Path) -> tuple[dict[str, Any], int]:
    """The JSON of a GLB that Laban wrote, and the size of the file."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(0)
    head = file.read(20)
    if len(head) < 20 or struct.unpack_from("<I", head)[0] != _MAGIC:
        raise FormatError(f"{path}: {size} bytes that do not begin as a GLB does ('glTF'); expected binary glTF 2.0.")
    _, version, total, length, kind = struct.unpack("<IIIII", head)
    if version != 2 or kind != _JSON:
        raise FormatError(f"{path}: GLB version {version}, first chunk {kind:#x}; expected version 2 and JSON.")
    if total > size or length > total - 20:
        raise FormatError(f"{path}: truncated: the header announces {total} bytes, the file has {size}.")
    if length > _MOST_JSON:
        raise FormatError(f"{path}: {length} bytes of JSON; Laban reads at most {_MOST_JSON}.")
    try:
        document = json.loads(file.read(length), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: its JSON chunk is damaged ({error}).") from None
    if not isinstance(document, dict):
        raise FormatError(f"{path}: its JSON chunk is a {type(document).__name__}; expected an object.")
    asset = document.get("asset")
    extras = asset.get("extras") if isinstance(asset, dict) else None
    if not isinstance(extras, dict) or not isinstance(extras.get("laban"), dict):
        maker = asset.get("generator", "unknown") if isinstance(asset, dict) else "unknown"
        raise FormatError(
            f"{path}: not written by Laban (generator: {str(maker)[:60]}); only Laban's own GLBs can be read back. "
            "Export the animation as BVH from your tool and use that."
        )
    return document, size


def _chunks(file: BinaryIO, path: str | Path) -> tuple[dict[str, Any], bytes]:
    """The JSON and the binary chunk of a GLB container."""
    document, size = _head(file, path)
    rest = file.read(8)
    if len(rest) < 8:
        raise FormatError(f"{path}: truncated: the binary chunk is missing.")
    length, kind = struct.unpack("<II", rest)
    if kind != _BIN or length > size - file.tell() or length > _MOST_BIN:
        raise FormatError(
            f"{path}: the binary chunk announces {length} bytes, {size - file.tell()} are left (at most {_MOST_BIN} "
            "are read). The file is truncated or damaged."
        )
    return document, file.read(length)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _motion(document: dict[str, Any], data: bytes, path: str | Path) -> Motion:
    record = document["asset"]["extras"]["laban"]
    if record["version"] != _VERSION:
        raise FormatError(
            f"{path}: written by a newer Laban (format {record['version']!r}); this one reads {_VERSION}."
        )
    tree = record["skeleton"]
    names, parents = tree["names"], tree["parents"]
    if not all(isinstance(n, str) for n in names):
        raise FormatError(f"{path}: joint names must be text. The file is damaged.")
    if not all(type(p) is int for p in parents):
        raise FormatError(f"{path}: joint parents must be whole numbers.")
    skeleton = Skeleton(str(tree["name"]), tuple(names), tuple(parents), tree["offsets"])
    joint_of = {node: j for j, node in enumerate(document["skins"][0]["joints"])}
    if ROOT_BONE in record:
        joint_of[int(record[ROOT_BONE])] = len(names)
    animation = document["animations"][0]
    tracks: dict[tuple[int, str], np.ndarray] = {}
    for channel in animation["channels"][: 3 * len(names)]:
        target = channel["target"]
        key = joint_of[target["node"]], str(target["path"])
        width = {"rotation": 4, "translation": 3}[key[1]]
        tracks[key] = _floats(document, data, animation["samplers"][channel["sampler"]]["output"], width)
    root = tracks[0, "translation"]
    missing = [n for j, n in enumerate(names) if (j, "rotation") not in tracks]
    if missing:
        raise FormatError(f"{path}: no rotation for {', '.join(missing[:5])}. The file is damaged.")
    if sum(track.nbytes for track in tracks.values()) > len(data):
        raise FormatError(f"{path}: tracks share their numbers, which Laban's never do. The file is damaged.")
    turns = np.stack([tracks[j, "rotation"] for j in range(len(names))], axis=1).astype(np.float64)
    if not np.all(np.abs((turns**2).sum(-1) - 1.0) < 1e-3):
        raise FormatError(f"{path}: rotations are not unit quaternions. The file is damaged.")
    passport, segments = about.parse(record, path)
    made = Motion(skeleton, turns[..., [3, 0, 1, 2]], root, float(record["fps"]), segments, passport)
    if ROOT_BONE not in record:
        return made
    place, turn = tracks[len(names), "translation"], tracks[len(names), "rotation"]
    yaw = np.unwrap(2 * np.arctan2(turn[:, 1], turn[:, 3]).astype(np.float64))
    return put_back(made, Travel(place[:, [0, 2]].astype(np.float64), yaw, made.fps))


def _floats(document: dict[str, Any], data: bytes, index: Any, width: int) -> np.ndarray:
    """(count, width) float32 that accessor `index` describes; every number is checked against the buffer."""
    accessor = document["accessors"][index]
    view = document["bufferViews"][accessor["bufferView"]]
    count, inner = accessor["count"], accessor.get("byteOffset", 0)
    start, length = view.get("byteOffset", 0), view["byteLength"]
    numbers = (index, count, inner, start, length)
    shape = {3: "VEC3", 4: "VEC4"}[width]
    if any(type(n) is not int or n < 0 for n in numbers) or accessor["type"] != shape:
        raise ValueError(f"accessor {index!r}")
    if accessor["componentType"] != _FLOAT or "byteStride" in view or "sparse" in accessor:
        raise ValueError(f"accessor {index} is not plain float32")
    if inner + 4 * width * count > length or start + length > len(data) or count == 0:
        raise ValueError(f"accessor {index} reaches beyond the buffer")
    return np.frombuffer(data, "<f4", count * width, start + inner).reshape(count, width)
