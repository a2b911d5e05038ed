"""What a glTF file holds its data in: the chunks of a GLB, buffers, and files that lie beside it.

Lengths are checked against what lies there, and no URI leaves the folder of the file.

Source: Khronos, glTF 2.0 specification.
"""

from __future__ import annotations

import base64
import binascii
import struct
import urllib.parse
from pathlib import Path
from typing import Any

from laban.errors import FormatError

MAGIC, JSON_CHUNK, BIN_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
COMPRESSED = ("EXT_meshopt_compression", "KHR_meshopt_compression")
MOST_BYTES = 1 << 30  # of a file
MOST_JSON = 64 << 20


def chunks_of(data: memoryview, path: Path) -> tuple[bytes, memoryview | None, list[tuple[int, bytes]]]:
    """(JSON, binary chunk or None, other chunks as (type, bytes)) of a GLB file. Raises: FormatError for damage."""
    if len(data) < 20 or struct.unpack_from("<I", data)[0] != MAGIC:
        raise FormatError(f"{path}: {len(data)} bytes that do not begin as a GLB does ('glTF'); expected glTF 2.0.")
    _, version, total = struct.unpack_from("<III", data)
    if version != 2:
        raise FormatError(f"{path}: GLB version {version}; expected 2. Export it again.")
    if total > len(data):
        raise FormatError(f"{path}: truncated: its header announces {total} bytes, the file has {len(data)}.")
    text: bytes | None = None
    binary: memoryview | None = None
    extra: list[tuple[int, bytes]] = []
    place = 12
    while place + 8 <= total:
        length, kind = struct.unpack_from("<II", data, place)
        if length > total - place - 8:
            raise FormatError(f"{path}: truncated: a chunk announces {length} bytes, {total - place - 8} are left.")
        chunk = data[place + 8 : place + 8 + length]
        if text is None:
            if kind != JSON_CHUNK or length > MOST_JSON:
                raise FormatError(f"{path}: its first chunk is no JSON of at most {MOST_JSON >> 20} MiB.")
            text = bytes(chunk)
        elif kind == BIN_CHUNK and binary is None:
            binary = chunk
        else:
            extra.append((kind, bytes(chunk)))
        place += 8 + length + (-length % 4)
    if text is None:
        raise FormatError(f"{path}: holds no JSON chunk. The file is truncated; export it again.")
    return text, binary, extra


def buffer_of(buffer: dict[str, Any], number: int, binary: memoryview | None, path: Path) -> memoryview:
    """The bytes of a buffer, of its URI or of the binary chunk. Raises: FormatError if they are missing or too few."""
    length = buffer["byteLength"]
    if "uri" in buffer:
        data = memoryview(bytes_at(str(buffer["uri"]), f"buffer {number}", path))
    elif number == 0 and binary is not None:
        data = binary
    elif any(name in buffer.get("extensions", {}) for name in COMPRESSED):
        data = memoryview(bytes(0))  # a fallback buffer, which is allowed to be absent
        return data
    else:
        raise FormatError(
            f"{path}: buffer {number} is missing: it has no URI, and the file has no binary chunk for it."
        )
    if not isinstance(length, int) or not 0 <= length <= len(data):
        raise FormatError(f"{path}: buffer {number} announces {length} bytes, {len(data)} are there. It is truncated.")
    return data[:length]


def bytes_at(uri: str, what: str, path: Path) -> bytes:
    """The bytes that a URI names: data in itself, or a file in the folder of `path` or below it."""
    if uri.startswith("data:"):
        head, _, body = uri.partition(",")
        try:
            return (
                base64.b64decode(body, validate=True)
                if head.endswith(";base64")
                else urllib.parse.unquote_to_bytes(body)
            )
        except (binascii.Error, ValueError):
            raise FormatError(f"{path}: the data URI of {what} is damaged. Export it again.") from None
    plain = urllib.parse.unquote(uri).replace("\\", "/")
    folder = path.parent.resolve()
    outside = ":" in plain or plain.startswith("/") or "\0" in plain or not plain
    file = folder if outside else (folder / plain).resolve()
    if outside or not file.is_relative_to(folder):
        raise FormatError(
            f"{path}: {what} lies at {uri[:80]!r}, which is outside the file's folder; that is refused. Put it beside "
            "the file."
        )
    if not file.is_file():
        raise FormatError(f"{path}: {what} is missing: there is no {uri[:80]!r} beside the file.")
    if file.stat().st_size > MOST_BYTES:
        raise FormatError(f"{path}: {what} has more than {MOST_BYTES >> 20} MiB.")
    return file.read_bytes()
