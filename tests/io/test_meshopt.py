"""meshopt's streams: written here by the simplest encoder there can be, read back; filters; damage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from laban.io import meshopt


def packed(values: list[int], bits: int) -> bytes:
    """Sixteen deltas in so many bits, what does not fit behind them."""
    most = (1 << bits) - 1
    small, more, out = [min(v, most) for v in values], [v for v in values if v >= most], bytearray()
    each = 8 // bits
    for start in range(0, 16, each):
        byte = 0
        for value in small[start : start + each]:
            byte = byte << bits | value
        out.append(byte)
    return bytes(out) + bytes(more)


def attributes(rows: np.ndarray) -> bytes:
    """An attribute stream that uses whichever mode is shortest."""
    count, stride = rows.shape
    first = np.zeros(stride, np.uint8)
    out, last = bytearray(b"\xa0"), first.copy()
    size = min((8192 // stride) & ~15, 256)
    for start in range(0, count, size):
        block = rows[start : start + size]
        groups = -(-len(block) // 16)
        before = np.concatenate([last[None], block[:-1]])
        delta = (block - before).astype(np.int8).astype(int)
        zigzag = np.where(delta < 0, -2 * delta - 1, 2 * delta)
        zigzag = np.concatenate([zigzag, np.zeros((groups * 16 - len(block), stride), int)])
        for column in range(stride):
            header, body = [0] * (4 * -(-groups // 4)), b""
            for group in range(groups):
                values = zigzag[group * 16 : group * 16 + 16, column].tolist()
                ways = [b"" if not any(values) else b"x" * 99, packed(values, 2), packed(values, 4), bytes(values)]
                header[group] = min(range(4), key=lambda k: len(ways[k]))
                body += ways[header[group]]
            out += bytes(sum(header[k + j] << 2 * j for j in range(4)) for k in range(0, len(header), 4)) + body
        last = block[-1]
    return bytes(out) + bytes(max(32 - stride, 0)) + bytes(first)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def zigzag(step: int) -> int:
    return 2 * step if step >= 0 else -2 * step - 1


def spec(count: int, stride: int, mode: str, **more: str) -> dict[str, Any]:
    return {"count": count, "byteStride": stride, "mode": mode, **more}


@pytest.mark.parametrize(("count", "stride"), [(1, 4), (16, 4), (17, 12), (300, 8), (1000, 16), (70, 256)])
@pytest.mark.parametrize("step", [0, 1, 7, 200])
def test_attributes(count: int, stride: int, step: int) -> None:
    rng = np.random.default_rng(count + step)
    rows = np.cumsum(rng.integers(-step, step + 1, (count, stride)), axis=0).astype(np.uint8)
    assert meshopt.decode(attributes(rows), spec(count, stride, "ATTRIBUTES")) == rows.tobytes()


@pytest.mark.parametrize("stride", [2, 4])
def test_indices(stride: int) -> None:
    wanted = [0, 5, 3, 60000, 2, 2, 1]
    data, last = b"\xd1", 0
    for value in wanted:
        data += varint(zigzag(value - last) << 1)
        last = value
    got = meshopt.decode(data + bytes(4), spec(len(wanted), stride, "INDICES"))
    assert np.frombuffer(got, f"<u{stride}").tolist() == wanted


def test_triangles_spelled_out() -> None:
    wanted = [(9, 4, 7), (0, 1, 2), (300, 2, 1)]
    codes, data, last = b"", b"", 0
    for triangle in wanted:
        codes += b"\xff"
        data += b"\xff"
        for value in triangle:
            data += varint(zigzag(value - last))
            last = value
    got = meshopt.decode(b"\xe1" + codes + data + bytes(16), spec(9, 2, "TRIANGLES"))
    assert np.frombuffer(got, "<u2").reshape(-1, 3).tolist() == [list(t) for t in wanted]


def test_triangles_on_edges() -> None:
    """A strip: the first triangle is new (0 1 2), each other hangs on the latest edge and has a new corner."""
    codes = bytes([0xF0, 0x00, 0x00, 0x10, 0x01])
    got = meshopt.decode(b"\xe1" + codes + bytes(16), spec(15, 4, "TRIANGLES"))
    triangles = np.frombuffer(got, "<u4").reshape(-1, 3)
    # edges after the first: (1 0) (2 1) (0 2); the latest is (0 2), its triangle 0 2 3, and so on
    assert triangles[:3].tolist() == [[0, 1, 2], [0, 2, 3], [0, 3, 4]]
    assert triangles[3].tolist() == [4, 3, 5]  # the edge before the latest
    assert triangles[4].tolist() == [4, 5, 4]  # the corner before the latest, no new one


def test_filters() -> None:
    ways = np.array([[1, 0, 0], [0, -1, 0], [0.6, 0, -0.8], [0.577, 0.577, 0.577], [-0.5, 0.5, -0.7071]])
    one = 32767
    octahedral = []
    for x, y, z in ways:
        size = abs(x) + abs(y) + abs(z)
        u, v = x / size, y / size
        if z < 0:
            u, v = (1 - abs(v)) * np.sign(u or 1), (1 - abs(u)) * np.sign(v or 1)
        octahedral.append([round(u * one), round(v * one), one, 5])
    rows = np.array(octahedral, "<i2").view(np.uint8).reshape(len(ways), 8)
    got = np.frombuffer(meshopt.decode(attributes(rows), spec(len(ways), 8, "ATTRIBUTES", filter="OCTAHEDRAL")), "<i2")
    np.testing.assert_allclose(got.reshape(-1, 4)[:, :3] / one, ways, atol=1e-3)
    assert (got.reshape(-1, 4)[:, 3] == 5).all()

    turns = np.array([[0.1, 0.2, 0.3, 0.9273618], [0.8, -0.4, 0.2, 0.4], [0.5, 0.5, 0.5, 0.5]])
    turns /= np.linalg.norm(turns, axis=-1, keepdims=True)
    quaternions = []
    for turn in turns:
        which = int(np.abs(turn).argmax())
        some = [turn[(which + 1 + k) & 3] * np.sign(turn[which]) for k in range(3)]
        quaternions.append([*(round(v * np.sqrt(2) * 2047) for v in some), (2047 & ~3) | which])
    rows = np.array(quaternions, "<i2").view(np.uint8).reshape(len(turns), 8)
    got = np.frombuffer(meshopt.decode(attributes(rows), spec(3, 8, "ATTRIBUTES", filter="QUATERNION")), "<i2")
    same = np.abs((got.reshape(-1, 4) / one * turns).sum(-1))
    np.testing.assert_allclose(same, 1.0, atol=2e-3)

    values = np.array([[0.5, -3.0, 1000.0]])
    exponents = np.array([[-20, -19, -10]])
    mantissas = np.rint(values / 2.0**exponents).astype(int)
    rows = ((exponents << 24) | (mantissas & 0xFFFFFF)).astype("<i4").view(np.uint8).reshape(1, 12)
    got = np.frombuffer(meshopt.decode(attributes(rows), spec(1, 12, "ATTRIBUTES", filter="EXPONENTIAL")), "<f4")
    np.testing.assert_allclose(got, values[0], rtol=1e-5)


def test_damage_is_said_and_nothing_beyond_the_bytes_is_read() -> None:
    rng = np.random.default_rng(0)
    good = attributes(rng.integers(0, 256, (64, 8)).astype(np.uint8))
    for data, extension in (
        (b"", spec(64, 8, "ATTRIBUTES")), (b"\xa1" + good[1:], spec(64, 8, "ATTRIBUTES")),
        (good[:60], spec(64, 8, "ATTRIBUTES")), (good, spec(6400, 8, "ATTRIBUTES")),
        (good, spec(64, 7, "ATTRIBUTES")), (good, spec(64, 8, "SPELLS")), (b"\xe1", spec(3, 2, "TRIANGLES")),
        (b"\xe1\xff" + bytes(16), spec(3, 2, "TRIANGLES")), (good, spec(-1, 8, "ATTRIBUTES")),
        (b"\xd1\xff\xff\xff\xff\xff\xff" + bytes(4), spec(1, 4, "INDICES")),
    ):  # fmt: skip
        with pytest.raises(ValueError):
            meshopt.decode(data, extension)
    for cut in range(0, len(good), 7):  # never anything but ValueError
        try:
            meshopt.decode(good[:cut], spec(64, 8, "ATTRIBUTES"))
        except ValueError:
            continue
