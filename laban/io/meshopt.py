"""Decoding of EXT_meshopt_compression and of its filters, in numpy; nothing is read beyond the bytes that are given.

Source: Khronos, EXT_meshopt_compression, appendix A (bitstreams) and B (filters).
"""

from __future__ import annotations

from typing import Any

import numpy as np

GROUP = 16  # elements whose byte deltas share one mode
BLOCK_BYTES, BLOCK_ELEMENTS = 8192, 256
TAIL = 32  # bytes that the last part of an attribute stream has at least
_BITS = (0, 2, 4, 8)


def decode(data: bytes, extension: dict[str, Any]) -> bytes:
    """The bytes of a compressed buffer view.

    Args:
        data: the compressed stream.
        extension: the view's `EXT_meshopt_compression` object: count, byteStride, mode and filter.
    Raises: ValueError for a stream that is damaged, ends too early, or has a version or mode that is not known.
    """
    count, stride, mode = extension["count"], extension["byteStride"], extension["mode"]
    if not all(type(n) is int and n >= 0 for n in (count, stride)):
        raise ValueError("its count or stride is no whole number")
    if mode == "ATTRIBUTES":
        if not 4 <= stride <= 256 or stride % 4:
            raise ValueError(f"elements of {stride} bytes")
        elements = _attributes(data, count, stride)
    elif mode in ("TRIANGLES", "INDICES"):
        if stride not in (2, 4) or (mode == "TRIANGLES" and count % 3):
            raise ValueError(f"{count} indices of {stride} bytes")
        indices = _triangles(data, count) if mode == "TRIANGLES" else _indices(data, count)
        return np.asarray(indices, np.int64).astype(f"<u{stride}").tobytes()
    else:
        raise ValueError(f"mode {mode!r}")
    return _FILTERS[extension.get("filter", "NONE")](elements)


def _attributes(data: bytes, count: int, stride: int) -> np.ndarray:
    """(count, stride) bytes: deltas of each byte from one element to the next, in blocks."""
    if not data or data[0] != 0xA0:
        raise ValueError(f"an attribute stream of version {data[:1].hex() or 'none'}")
    raw = np.frombuffer(data, np.uint8)
    end = len(raw) - max(stride, TAIL)
    if end < 1:
        raise ValueError("the stream ends too early")
    last = raw[len(raw) - stride :].copy()
    size = min((BLOCK_BYTES // stride) & ~(GROUP - 1), BLOCK_ELEMENTS)
    out = np.empty((count, stride), np.uint8)
    place = 1
    for start in range(0, count, size):
        rows = min(size, count - start)
        groups = -(-rows // GROUP)
        deltas = np.zeros((groups * GROUP, stride), np.uint8)
        for column in range(stride):
            place = _bytes(raw, place, end, groups, deltas[:, column])
        half = deltas >> 1
        signed = np.where(deltas & 1, ~half, half)[:rows]
        out[start : start + rows] = last + np.cumsum(signed, axis=0, dtype=np.uint8)
        last = out[start + rows - 1]
    return out


def _bytes(raw: np.ndarray, place: int, end: int, groups: int, into: np.ndarray) -> int:
    """Fills one column of a block. Returns: the place behind it in the stream."""
    header = place
    place += -(-groups // 4)
    for group in range(groups):
        if place > end:
            raise ValueError("the stream ends too early")
        bits = _BITS[int(raw[header + group // 4]) >> (2 * (group % 4)) & 3]
        if not bits:
            continue
        packed = raw[place : place + 2 * bits]
        place += 2 * bits
        values = packed
        if bits < 8:  # the first of a byte has its highest bits; all ones: the value stands behind
            shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
            values = ((packed[:, None] >> shifts) & ((1 << bits) - 1)).ravel().astype(np.uint8)
            escaped = values == (1 << bits) - 1
            more = int(escaped.sum())
            if place + more > end or len(values) < GROUP:
                raise ValueError("the stream ends too early")
            values[escaped] = raw[place : place + more]
            place += more
        if len(values) < GROUP or place > end:
            raise ValueError("the stream ends too early")
        into[group * GROUP : (group + 1) * GROUP] = values
    return place


class _Varints:
    """Whole numbers of seven bits a byte, the lowest first."""

    def __init__(self, data: bytes, place: int, end: int) -> None:
        self.data, self.place, self.end = data, place, end

    def byte(self) -> int:
        if self.place >= self.end:
            raise ValueError("the stream ends too early")
        self.place += 1
        return self.data[self.place - 1]

    def number(self) -> int:
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number that is too long")

    def step(self) -> int:
        """A signed step: zigzag."""
        value = self.number()
        return (value >> 1) ^ -(value & 1)


def _indices(data: bytes, count: int) -> list[int]:
    if not data or data[0] != 0xD1:
        raise ValueError(f"an index stream of version {data[:1].hex() or 'none'}")
    varints, last, out = _Varints(data, 1, len(data) - 4), [0, 0], []
    for _ in range(count):
        value = varints.number()
        which, value = value & 1, value >> 1
        last[which] = (last[which] + ((value >> 1) ^ -(value & 1))) & 0xFFFFFFFF
        out.append(last[which])
    return out


class _Triangles:
    """Triangles as steps from the latest edges and vertices, of which sixteen each are remembered."""

    def __init__(self, data: bytes, total: int) -> None:
        self.table = data[-16:]
        self.varints = _Varints(data, 1 + total, len(data) - 16)
        self.edges: list[tuple[int, int]] = [(0, 0)] * 16
        self.corners = [0] * 16
        self.edge = self.corner = self.fresh = self.last = 0

    def on_edge(self, code: int) -> tuple[int, int, int]:
        """A triangle on a remembered edge."""
        a, b = self.edges[(self.edge - 1 - (code >> 4)) & 15]
        kind = code & 15
        if 0 < kind < 13:
            c = self.corners[(self.corner - 1 - kind) & 15]
        else:
            c = self._new(kind)
            self._keep(c)
        self._edges((c, b), (a, c))
        return a, b, c

    def _new(self, kind: int) -> int:
        if kind == 0:
            self.fresh += 1
            return self.fresh - 1
        self.last += self.varints.step() if kind == 15 else (1 if kind == 14 else -1)
        return self.last

    def alone(self, code: int) -> tuple[int, int, int]:
        """A triangle on no edge."""
        spelled = code >= 0xFE
        pair = self.varints.byte() if spelled else self.table[code & 15]
        if spelled and pair == 0:
            self.fresh = 0
        kinds = (15 if code == 0xFF else 0, pair >> 4, pair & 15)
        found = []
        for kind in kinds:
            if kind == 0:
                found.append(self._new(0))
            else:
                found.append(self.corners[(self.corner - kind) & 15])
        for place, kind in enumerate(kinds):
            if spelled and kind == 15:
                found[place] = self._new(15)
        for place, kind in enumerate(kinds):
            if place == 0 or kind == 0 or (spelled and kind == 15):
                self._keep(found[place])
        a, b, c = found
        self._edges((b, a), (c, b), (a, c))
        return a, b, c

    def _keep(self, corner: int) -> None:
        self.corners[self.corner & 15] = corner
        self.corner += 1

    def _edges(self, *edges: tuple[int, int]) -> None:
        for edge in edges:
            self.edges[self.edge & 15] = edge
            self.edge += 1


def _triangles(data: bytes, count: int) -> list[int]:
    total = count // 3
    if len(data) < 1 + total + 16 or data[0] != 0xE1:
        raise ValueError(f"a triangle stream of version {data[:1].hex() or 'none'} and {len(data)} bytes")
    decoder = _Triangles(data, total)
    out: list[int] = []
    for code in data[1 : 1 + total]:
        out += decoder.on_edge(code) if code < 0xF0 else decoder.alone(code)
    return [value & 0xFFFFFFFF for value in out]


def _plain(elements: np.ndarray) -> bytes:
    return elements.tobytes()


def _octahedral(elements: np.ndarray) -> bytes:
    """Unit vectors whose third component is left out: folded onto an octahedron."""
    kind = {4: "<i1", 8: "<i2"}.get(elements.shape[1])
    if kind is None:
        raise ValueError(f"directions of {elements.shape[1]} bytes")
    values = elements.view(kind).astype(np.float64)
    x, y = values[:, 0], values[:, 1]
    z = values[:, 2] - np.abs(x) - np.abs(y)
    fold = np.minimum(z, 0.0)
    x, y = x + np.where(x >= 0, fold, -fold), y + np.where(y >= 0, fold, -fold)
    out = elements.view(kind).copy()
    length = np.sqrt(x * x + y * y + z * z)
    scale = np.iinfo(kind).max / np.where(length > 0, length, 1.0)
    out[:, :3] = np.rint(np.stack([x, y, z], 1) * scale[:, None])
    return out.tobytes()


def _quaternion(elements: np.ndarray) -> bytes:
    """Unit quaternions without their largest component, whose number is in the last two bits."""
    if elements.shape[1] != 8:
        raise ValueError(f"quaternions of {elements.shape[1]} bytes")
    values = elements.view("<i2").astype(np.int64)
    scale = np.sqrt(0.5) / (values[:, 3] | 3)
    some = values[:, :3] * scale[:, None]
    largest = np.sqrt(np.maximum(1.0 - (some * some).sum(-1), 0.0))
    out = np.empty((len(values), 4), "<i2")
    rows, which = np.arange(len(values)), values[:, 3] & 3
    for k in range(3):
        out[rows, (which + 1 + k) & 3] = np.rint(some[:, k] * 32767)
    out[rows, which] = np.rint(largest * 32767)
    return out.tobytes()


def _exponential(elements: np.ndarray) -> bytes:
    """Floats as a mantissa of 24 bits and an exponent of 8."""
    values = elements.view("<i4")
    mantissa, exponent = (values << 8) >> 8, values >> 24
    with np.errstate(over="ignore"):
        return np.ldexp(mantissa.astype(np.float64), exponent).astype("<f4").tobytes()


_FILTERS = {"NONE": _plain, "OCTAHEDRAL": _octahedral, "QUATERNION": _quaternion, "EXPONENTIAL": _exponential}
