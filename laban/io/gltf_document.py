"""Any glTF 2.0 file (.glb, .vrm, .vrma, .gltf) as a document: JSON and buffers, checked, kept, and written again.

Nothing is interpreted that need not be: what the file holds (meshes, materials, textures, morph targets, extensions,
extras, chunks of other makers) is carried along, and buffers are written byte for byte as they were read, with new
data after them. What is checked before anything is used: lengths of the container, every buffer, view and accessor
against what lies there, the node tree (in range, one parent each, no circles), and that no URI leaves the folder of
the file.

Source: Khronos, glTF 2.0 specification.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from laban.errors import FormatError, InputError
from laban.io import meshopt
from laban.io.atomic import replacing
from laban.io.gltf_container import (
    BIN_CHUNK,
    COMPRESSED,
    JSON_CHUNK,
    MAGIC,
    MOST_BYTES,
    buffer_of,
    bytes_at,
    chunks_of,
)  # fmt: skip

SUFFIXES = (".glb", ".vrm", ".vrma", ".gltf")
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
KINDS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
MOST_ELEMENTS = 1 << 26  # of an accessor that no buffer backs
MOST_NODES = 1 << 16


@dataclass
class Document:
    """A glTF file in memory.

    Attributes:
        json: the document's JSON, as parsed; changed by whoever adds to it.
        buffers: one per glTF buffer, the bytes as read.
        extra: bytes that were added behind buffer 0 (`add_bytes`).
        chunks: (type, bytes) of GLB chunks that the specification does not know.
        path: where it was read from.
        notes: what was mended, for a person to be told.
    """

    json: dict[str, Any]
    buffers: list[memoryview]
    path: Path
    extra: bytearray = field(default_factory=bytearray)
    chunks: list[tuple[int, bytes]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _decoded: dict[int, bytes] = field(default_factory=dict, repr=False)

    def items(self, key: str) -> list[dict[str, Any]]:
        """The objects of a top-level list ("nodes", "skins", …), empty if there is none.

        Raises: FormatError if it is something else.
        """
        value = self.json.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise FormatError(f"{self.path}: its {key!r} are no list of objects. The file is damaged; export it again.")
        return value

    def array(self, accessor: int) -> np.ndarray:
        """The elements of an accessor, (count, width) of its component type; normalised integers become floats.

        Raises: FormatError for data that cannot be had (out of range, or compressed by an extension).
        """
        entry = self.items("accessors")[check_index(accessor, len(self.items("accessors")), "an accessor", self.path)]
        out = self._dense(entry, accessor)
        if "sparse" in entry:
            out = self._sparse(entry, out.copy(), accessor)
        if entry.get("normalized") and out.dtype.kind in "iu":
            out = np.maximum(out.astype(np.float32) / np.iinfo(out.dtype).max, -1.0)
        return out

    def _dense(self, entry: dict[str, Any], number: int) -> np.ndarray:
        kind, width, count = _form(entry, number, self.path)
        if "bufferView" not in entry:
            return np.zeros((count, width), kind)
        view = self.items("bufferViews")[entry["bufferView"]]
        data = self._unpacked(entry["bufferView"]) if compressed(view) else self._view(view)
        size = width * np.dtype(kind).itemsize
        stride = view.get("byteStride") or size
        offset = entry.get("byteOffset", 0)
        if stride == size:
            return np.frombuffer(data, kind, count * width, offset).reshape(count, width)
        return np.ndarray((count, width), kind, data, offset, (stride, np.dtype(kind).itemsize))

    def _sparse(self, entry: dict[str, Any], out: np.ndarray, number: int) -> np.ndarray:
        sparse = entry["sparse"]
        count = sparse["count"]
        places = self._dense({"type": "SCALAR", "count": count, **sparse["indices"]}, number)[:, 0]
        values = {"type": entry["type"], "componentType": entry["componentType"], "count": count, **sparse["values"]}
        if count and int(places.max()) >= len(out):
            raise FormatError(f"{self.path}: accessor {number} replaces elements that it does not have. Export again.")
        out[places] = self._dense(values, number)
        return out

    def _unpacked(self, number: int) -> bytes:
        """The bytes of a view that is compressed by meshopt."""
        if number not in self._decoded:
            found = compressed(self.items("bufferViews")[number])
            try:
                start, length = found.get("byteOffset", 0), found["byteLength"]
                if not 0 <= found["count"] * found["byteStride"] <= MOST_BYTES or start < 0 or length < 0:
                    raise ValueError(f"{found['count']} elements of {found['byteStride']} bytes")
                self._decoded[number] = meshopt.decode(
                    bytes(self.buffers[found["buffer"]][start : start + length]), found
                )
            except (ValueError, KeyError, IndexError, TypeError) as error:
                raise FormatError(f"{self.path}: view {number}, compressed by meshopt, is damaged ({error}).") from None
        return self._decoded[number]

    def _view(self, view: dict[str, Any]) -> memoryview:
        start = view.get("byteOffset", 0)
        own = len(self.buffers[view["buffer"]])
        if view["buffer"] == 0 and self.extra and start >= own:
            return memoryview(bytes(self.extra[start - own : start - own + view["byteLength"]]))
        return self.buffers[view["buffer"]][start : start + view["byteLength"]]

    def view_bytes(self, number: int) -> bytes:
        """The bytes of a buffer view, for example of an embedded picture."""
        views = self.items("bufferViews")
        return bytes(self._view(views[check_index(number, len(views), "a buffer view", self.path)]))

    def picture(self, number: int) -> bytes:
        """The bytes of a picture, embedded or beside the file. Raises: FormatError if it cannot be had."""
        images = self.items("images")
        image = images[check_index(number, len(images), "a picture", self.path)]
        if "bufferView" in image:
            return self.view_bytes(image["bufferView"])
        return bytes_at(str(image.get("uri", "")), f"picture {number}", self.path)

    def add_bytes(self, data: bytes) -> int:
        """Put bytes behind buffer 0. Returns: the number of a new buffer view of them, aligned to 4."""
        if not self.buffers:
            self.json["buffers"] = [{"byteLength": 0}]
            self.buffers.append(memoryview(b""))
        start = len(self.buffers[0]) + len(self.extra)
        self.extra.extend(b"\0" * (-start % 4))
        start += -start % 4
        self.extra.extend(data)
        views = self.json.setdefault("bufferViews", [])
        views.append({"buffer": 0, "byteOffset": start, "byteLength": len(data)})
        return len(views) - 1

    def add_array(self, values: np.ndarray, shape: str, bounds: bool = False) -> int:
        """Append a float32 array (count, width). Returns: the number of its new accessor.

        Args:
            values: (count, width).
            shape: "SCALAR", "VEC3", "VEC4" or "MAT4".
            bounds: write min and max, which times need.
        """
        values = np.ascontiguousarray(values, "<f4").reshape(len(values), -1)
        entry: dict[str, Any] = {"bufferView": self.add_bytes(values.tobytes()), "componentType": 5126}
        entry |= {"count": len(values), "type": shape}
        if bounds:
            entry |= {"min": values.min(0).tolist(), "max": values.max(0).tolist()}
        accessors = self.json.setdefault("accessors", [])
        accessors.append(entry)
        return len(accessors) - 1


def compressed(view: dict[str, Any]) -> dict[str, Any]:
    """What meshopt's extension says of a buffer view; empty if it is not compressed."""
    extensions = view.get("extensions", {})
    return next((extensions[name] for name in COMPRESSED if name in extensions), {})


def read(path: str | Path) -> Document:
    """Read and check a glTF file.

    Returns: Document. A GLB's buffer is a view of the file's bytes, not a copy.
    Raises: InputError if the file is missing; FormatError, one line, for anything that is not sound glTF 2.0, and for
        URIs that are not plain files in the folder of the file (or below it).
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file.")
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise FormatError(f"{path}: {size >> 20} MiB; at most {MOST_BYTES >> 20} MiB are read.")
        data = memoryview(path.read_bytes())
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror or error}).") from None
    if path.suffix.lower() == ".gltf":
        text, binary, extra = bytes(data), None, list[tuple[int, bytes]]()
    else:
        text, binary, extra = chunks_of(data, path)
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: its JSON is damaged ({str(error)[:80]}). Export it again.") from None
    if not isinstance(found, dict) or not isinstance(found.get("asset"), dict):
        raise FormatError(f"{path}: its JSON has no 'asset'; expected glTF 2.0.")
    version = str(found["asset"].get("version", ""))
    if not version.startswith("2"):
        raise FormatError(f"{path}: is glTF {version[:20] or 'without a version'}; expected 2.0. Export it again.")
    document = Document(found, [], path, chunks=extra)
    try:
        for number, buffer in enumerate(document.items("buffers")):
            document.buffers.append(buffer_of(buffer, number, binary, path))
        _check_views(document)
        _check_nodes(document)
    except (KeyError, TypeError, AttributeError, OverflowError, ValueError) as error:
        raise FormatError(
            f"{path}: damaged glTF ({type(error).__name__}: {str(error)[:80]}). Export it again."
        ) from None
    return document


def write(document: Document, path: str | Path) -> None:
    """Write a document as one binary file (.glb, .vrm, .vrma), whatever it was read from.

    Buffers keep their bytes and order; several become one. Pictures that lay beside a .gltf are taken in.
    Raises: InputError if the place cannot be written to; FormatError for a picture that is missing.
    """
    out, parts = _packed(document)
    text = json.dumps(out, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    length = sum(len(part) for part in parts)
    tail = [struct.pack("<II", len(data), kind) + data for kind, data in document.chunks]
    binary = [struct.pack("<II", length, BIN_CHUNK), *parts] if length else []
    total = 20 + len(text) + sum(len(part) for part in (*binary, *tail))
    if total >= 1 << 32:
        raise InputError(f"{path}: would have {total >> 20} MiB; a GLB holds at most 4095. Use a smaller character.")
    with replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(struct.pack("<III", MAGIC, 2, total))
        file.write(struct.pack("<II", len(text), JSON_CHUNK) + text)
        for part in (*binary, *tail):
            file.write(part)


def _packed(document: Document) -> tuple[dict[str, Any], list[Any]]:
    """The JSON for one buffer, and the parts of that buffer in order."""
    out = dict(document.json)
    parts: list[Any] = []
    starts, place = [], 0
    for number, buffer in enumerate(document.buffers):
        starts.append(place)
        for part in (buffer, document.extra if number == 0 else b"", b"\0" * 3):
            padded = part[: -place % 4] if part == b"\0" * 3 else part
            parts.append(padded)
            place += len(padded)
    views = [dict(view) for view in document.items("bufferViews")]
    for view in views:
        _move(view, starts)
        for name in COMPRESSED:
            if name in view.get("extensions", {}):
                view["extensions"] = view["extensions"] | {name: dict(view["extensions"][name])}
                _move(view["extensions"][name], starts)
    images = [dict(image) for image in document.items("images")]
    for image in images:
        if "uri" in image and not str(image["uri"]).startswith("data:"):
            data = _picture(document, str(image["uri"]))
            if data is None:
                continue
            name = str(image.pop("uri"))
            views.append({"buffer": 0, "byteOffset": place, "byteLength": len(data)})
            image["bufferView"] = len(views) - 1
            image.setdefault("mimeType", "image/png" if name.lower().endswith(".png") else "image/jpeg")
            parts += [data, b"\0" * (-len(data) % 4)]
            place += len(data) + (-len(data) % 4)
    for key, value in (("bufferViews", views), ("images", images)):
        if value:
            out[key] = value
    if place:
        first = document.items("buffers")[0]
        kept = {key: value for key, value in first.items() if key not in ("uri", "byteLength")}
        out["buffers"] = [kept | {"byteLength": place}]
    return out, parts


def _picture(document: Document, uri: str) -> bytes | None:
    """A picture beside the file; None where there is none, which readers of glTF go on without."""
    try:
        return bytes_at(uri, "picture", document.path)
    except FormatError as error:
        if "is missing" not in str(error):
            raise
        return None


def missing_pictures(document: Document) -> list[str]:
    """The URIs of pictures that are not there."""
    uris = [str(image["uri"]) for image in document.items("images") if "uri" in image]
    return [uri for uri in uris if not uri.startswith("data:") and _picture(document, uri) is None]


def _move(view: dict[str, Any], starts: list[int]) -> None:
    shift = starts[view["buffer"]]
    if shift or "byteOffset" in view:
        view["byteOffset"] = view.get("byteOffset", 0) + shift
    view["buffer"] = 0


def _check_views(document: Document) -> None:
    path, views = document.path, document.items("bufferViews")
    for number, view in enumerate(views):
        check_index(view["buffer"], len(document.buffers), f"the buffer of view {number}", path)
        start, length = view.get("byteOffset", 0), view["byteLength"]
        if any(name in view.get("extensions", {}) for name in COMPRESSED):
            continue
        there = len(document.buffers[view["buffer"]])
        if not (_whole(start) and _whole(length) and start + length <= there):
            raise FormatError(f"{path}: view {number} wants bytes {start} to {start + length} of a buffer of {there}.")
    for number, entry in enumerate(document.items("accessors")):
        _check_accessor(entry, number, views, path)
        if "sparse" in entry:
            sparse = entry["sparse"]
            for name, shape in (("indices", {"type": "SCALAR"}), ("values", entry)):
                part = {"count": sparse["count"], "type": shape["type"], "componentType": entry["componentType"]}
                _check_accessor(part | sparse[name], number, views, path)


def _check_accessor(entry: dict[str, Any], number: int, views: list[dict[str, Any]], path: Path) -> None:
    kind, width, count = _form(entry, number, path)
    if "bufferView" not in entry:
        if count > MOST_ELEMENTS:
            raise FormatError(f"{path}: accessor {number} has {count} elements and no data. The file is damaged.")
        return
    view = views[check_index(entry["bufferView"], len(views), f"the view of accessor {number}", path)]
    size = width * np.dtype(kind).itemsize
    stride, offset = view.get("byteStride") or size, entry.get("byteOffset", 0)
    if not (_whole(stride) and _whole(offset) and stride >= size):
        raise FormatError(f"{path}: accessor {number} has stride {stride} and offset {offset}. The file is damaged.")
    need = offset + (stride * (count - 1) + size if count else 0)
    if need > view["byteLength"]:
        raise FormatError(
            f"{path}: accessor {number} wants {need} bytes of a view of {view['byteLength']}. The file is damaged or "
            "truncated; export it again."
        )


def _form(entry: dict[str, Any], number: int, path: Path) -> tuple[str, int, int]:
    kind, width, count = KINDS.get(entry["componentType"]), WIDTHS.get(entry["type"]), entry["count"]
    if kind is None or width is None or not _whole(count):
        raise FormatError(
            f"{path}: accessor {number} has type {entry['type']!r}, component {entry['componentType']!r} and "
            f"{count!r} elements; glTF 2.0 knows no such thing."
        )
    return kind, width, count


def _check_nodes(document: Document) -> None:
    """Children in range, one parent each, no circles."""
    path, nodes = document.path, document.items("nodes")
    if len(nodes) > MOST_NODES:
        raise FormatError(f"{path}: {len(nodes)} nodes; at most {MOST_NODES} were expected.")
    parents: dict[int, int] = {}
    for number, node in enumerate(nodes):
        for child in node.get("children", []):
            check_index(child, len(nodes), f"a child of node {number}", path)
            if child in parents or child == number:
                raise FormatError(f"{path}: node {child} hangs on more than one node, or on itself. Export it again.")
            parents[child] = number
    reached = [n for n in range(len(nodes)) if n not in parents]
    for found in reached:  # grows: with one parent each, what no root reaches lies in a circle
        reached.extend(nodes[found].get("children", []))
    if len(reached) != len(nodes):
        lost = min(set(range(len(nodes))) - set(reached))
        raise FormatError(f"{path}: its nodes form a circle (node {lost} hangs on itself). Export it again.")
    for number, skin in enumerate(document.items("skins")):
        for joint in skin["joints"]:
            check_index(joint, len(nodes), f"a joint of skin {number}", path)


def check_index(value: Any, count: int, what: str, path: Path) -> int:
    """`value` as an index below `count`. Raises FormatError that says what it was to number."""
    if type(value) is not int or not 0 <= value < count:
        raise FormatError(f"{path}: {what} is number {value!r}, and there are {count}. The file is damaged.")
    return value


def _whole(value: Any) -> bool:
    return type(value) is int and value >= 0


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
