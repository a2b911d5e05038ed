"""The binary container of FBX 7400: nodes with properties and children, header and footer.

A node: end offset, number of properties and their bytes (uint32 each), length of the name and name, the properties,
the children, and 13 zero bytes behind the last child. Arrays are deflated.

Source: Blender developers 2013, "FBX binary file format specification" (public domain,
https://code.blender.org/2013/08/fbx-binary-file-format-specification/).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

VERSION = 7400
MAGIC = b"Kaydara FBX Binary  \0\x1a\0"
FILE_ID = bytes.fromhex("28b32aebb624ccc2bfc8b02aa92bfcf1")
CREATED = "1970-01-01 10:00:00:000"
"""The one moment whose FILE_ID and footer are known; the SDK computes both from it, and wants the three to agree."""
_FOOTER = bytes.fromhex("fabcab09d0c8d466b176fb831cf7267e")
_END = bytes.fromhex("f85a8c6adef5d97eece90ce3758f290b")
_SENTINEL = bytes(13)
_ARRAYS = {"f8": b"d", "f4": b"f", "i4": b"i", "i8": b"l"}
_PLAIN = 128  # bytes of an array that is not worth deflating


class Long(int):
    """A whole number of 64 bits, as identities and times are; plain ones have 32."""


@dataclass
class Node:
    """A node of the file.

    Attributes:
        name: at most 255 bytes.
        properties: bool, int, Long, float, str, bytes, and numpy arrays of float64, float32, int32, int64.
        children: in order.
        closed: end with a sentinel even without children, which Assimp wants of stacks and layers of animation.
    """

    name: str
    properties: tuple[Any, ...] = ()
    children: list[Node] = field(default_factory=list)
    closed: bool = False

    def add(self, name: str, *properties: Any, closed: bool = False) -> Node:
        """Hang a new node under this one. Returns: the new node."""
        child = Node(name, properties, closed=closed)
        self.children.append(child)
        return child

    def table(self, *rows: tuple[Any, ...]) -> Node:
        """Hang a `Properties70` of rows (name, type, label, flags, values …) under this node. Returns: this node."""
        table = self.add("Properties70")
        for row in rows:
            table.add("P", *row)
        return self


def encode(nodes: list[Node]) -> bytes:
    """A whole file of these nodes at the top."""
    parts = [MAGIC, struct.pack("<I", VERSION)]
    place = len(MAGIC) + 4
    for node in nodes:
        parts.append(_node(node, place))
        place += len(parts[-1])
    parts += [_SENTINEL, _FOOTER, bytes(4)]
    place += len(_SENTINEL) + len(_FOOTER) + 4
    parts += [bytes(16 - place % 16), struct.pack("<I", VERSION), bytes(120), _END]
    return b"".join(parts)


def _node(node: Node, start: int) -> bytes:
    name = node.name.encode()
    properties = b"".join(_property(value) for value in node.properties)
    parts = []
    place = start + 13 + len(name) + len(properties)
    for child in node.children:
        parts.append(_node(child, place))
        place += len(parts[-1])
    if node.children or node.closed:
        parts.append(_SENTINEL)
        place += len(_SENTINEL)
    head = struct.pack("<IIIB", place, len(node.properties), len(properties), len(name))
    return b"".join([head, name, properties, *parts])


def _property(value: Any) -> bytes:
    match value:
        case bool():
            return b"C" + bytes([value])
        case Long():
            return b"L" + struct.pack("<q", value)
        case int():
            return b"I" + struct.pack("<i", value)
        case float():
            return b"D" + struct.pack("<d", value)
        case str():
            data = value.encode("utf-8", "replace")
            return b"S" + struct.pack("<I", len(data)) + data
        case bytes():
            return b"R" + struct.pack("<I", len(value)) + value
        case np.ndarray():
            data = np.ascontiguousarray(value).tobytes()
            deflated = len(data) > _PLAIN
            body = zlib.compress(data, 1) if deflated else data
            return _ARRAYS[value.dtype.str[1:]] + struct.pack("<III", value.size, deflated, len(body)) + body
    raise TypeError(f"no property of FBX: {type(value).__name__}")
