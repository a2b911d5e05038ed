"""The glTF document: lossless, and one clear error for each kind of damage."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from laban.errors import FormatError
from laban.io import gltf_document
from tests.character import example


def glb(text: dict[str, Any], binary: bytes = b"", extra: bytes = b"") -> bytes:
    body = json.dumps(text).encode()
    body += b" " * (-len(body) % 4)
    out = struct.pack("<II", len(body), 0x4E4F534A) + body
    if binary:
        binary += b"\0" * (-len(binary) % 4)
        out += struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<III", 0x46546C67, 2, 12 + len(out) + len(extra)) + out + extra


def base(**more: Any) -> dict[str, Any]:
    return {"asset": {"version": "2.0"}, "nodes": [{"name": "a"}], "skins": [{"joints": [0]}], **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_read_and_write_keep_every_byte(folder: Path) -> None:
    strange = struct.pack("<II", 8, 0x12345678) + b"whatever"
    text = base(
        extras={"kept": [1, 2.5]}, bufferViews=[{"buffer": 0, "byteLength": 5}], buffers=[{"byteLength": 5}],
        extensions={"SOME_vendor": {"x": 0.1}},
    )  # fmt: skip
    (folder / "a.glb").write_bytes(glb(text, b"\1\2\3\4\5", strange))
    document = gltf_document.read(folder / "a.glb")
    gltf_document.write(document, folder / "b.glb")
    again = gltf_document.read(folder / "b.glb")
    assert (
        again.json == document.json == text | {"buffers": [{"byteLength": 8}]} or again.json["extras"] == text["extras"]
    )
    assert again.chunks == document.chunks == [(0x12345678, b"whatever")]
    assert bytes(again.buffers[0])[:5] == b"\1\2\3\4\5"
    gltf_document.write(again, folder / "c.glb")
    assert (folder / "b.glb").read_bytes() == (folder / "c.glb").read_bytes()


def test_added_data_lies_behind_what_was_there(folder: Path) -> None:
    gltf_document.write(example.character(), folder / "a.glb")
    before = gltf_document.read(folder / "a.glb")
    document = gltf_document.read(folder / "a.glb")
    values = np.arange(12.0).reshape(4, 3)
    number = document.add_array(values, "VEC3", bounds=True)
    np.testing.assert_array_equal(document.array(number), values)
    gltf_document.write(document, folder / "b.glb")
    after = gltf_document.read(folder / "b.glb")
    np.testing.assert_array_equal(after.array(number), values)
    assert bytes(after.buffers[0])[: len(before.buffers[0])] == bytes(before.buffers[0])
    for k in range(len(before.items("accessors"))):
        np.testing.assert_array_equal(before.array(k), after.array(k))


def test_interleaved_sparse_and_normalised_accessors(folder: Path) -> None:
    rows = np.zeros(3, [("p", "<f4", 3), ("w", "u1", 4)])
    rows["p"], rows["w"] = np.arange(9).reshape(3, 3), [[255, 0, 0, 0]] * 3
    sparse = struct.pack("<HH", 1, 0) + np.array([7, 8, 9], "<f4").tobytes()
    data = rows.tobytes() + sparse
    size = len(rows.tobytes())
    text = base(
        buffers=[{"byteLength": len(data)}],
        bufferViews=[
            {"buffer": 0, "byteLength": size, "byteStride": 16},
            {"buffer": 0, "byteOffset": size, "byteLength": 2},
            {"buffer": 0, "byteOffset": size + 4, "byteLength": 12},
        ],
        accessors=[
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 0, "byteOffset": 12, "componentType": 5121, "count": 3, "type": "VEC4", "normalized": True},
            {"componentType": 5126, "count": 3, "type": "VEC3", "sparse": {
                "count": 1, "indices": {"bufferView": 1, "componentType": 5123}, "values": {"bufferView": 2}}},
        ],
    )  # fmt: skip
    (folder / "a.glb").write_bytes(glb(text, data))
    document = gltf_document.read(folder / "a.glb")
    np.testing.assert_array_equal(document.array(0), np.arange(9).reshape(3, 3))
    np.testing.assert_allclose(document.array(1), [[1, 0, 0, 0]] * 3)
    np.testing.assert_array_equal(document.array(2), [[0, 0, 0], [7, 8, 9], [0, 0, 0]])


def test_text_with_embedded_and_external_buffers_becomes_one_file(folder: Path) -> None:
    first, second = b"\1\2\3\4\5", b"\6\7\10"
    (folder / "sub").mkdir()
    (folder / "sub" / "b.bin").write_bytes(second)
    (folder / "skin.png").write_bytes(b"\x89PNG1")
    uri = "data:application/octet-stream;base64," + base64.b64encode(first).decode()
    text = base(
        buffers=[{"byteLength": 5, "uri": uri}, {"byteLength": 3, "uri": "sub/b.bin"}],
        bufferViews=[{"buffer": 0, "byteLength": 5}, {"buffer": 1, "byteLength": 3}],
        images=[{"uri": "skin.png"}],
    )
    (folder / "a.gltf").write_text(json.dumps(text))
    gltf_document.write(gltf_document.read(folder / "a.gltf"), folder / "out.glb")
    document = gltf_document.read(folder / "out.glb")
    assert [document.view_bytes(k) for k in range(3)] == [first, second, b"\x89PNG1"]
    assert document.json["images"][0] == {"bufferView": 2, "mimeType": "image/png"}


@pytest.mark.parametrize(
    "uri",
    ["../secret.bin", "%2e%2e/secret.bin", "/etc/passwd", "file:///etc/passwd", "http://x/y.bin", "..\\secret.bin", ""],
)
def test_uris_outside_the_folder_are_refused(folder: Path, uri: str) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (folder / "secret.bin").write_bytes(b"12345678")
    (inner / "a.gltf").write_text(json.dumps(base(buffers=[{"byteLength": 4, "uri": uri}])))
    with pytest.raises(FormatError, match="outside the file's folder"):
        gltf_document.read(inner / "a.gltf")


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (folder / "secret.bin").write_bytes(b"12345678")
    (inner / "b.bin").symlink_to(folder / "secret.bin")
    (inner / "a.gltf").write_text(json.dumps(base(buffers=[{"byteLength": 4, "uri": "b.bin"}])))
    with pytest.raises(FormatError, match="outside"):
        gltf_document.read(inner / "a.gltf")


HUGE = {"bufferView": 0, "componentType": 5126, "count": 134_217_728, "type": "VEC4"}
DAMAGE: dict[str, tuple[dict[str, Any], str]] = {
    "an accessor of 2 GB": (
        base(buffers=[{"byteLength": 4}], bufferViews=[{"buffer": 0, "byteLength": 4}], accessors=[HUGE]),
        "wants 2147483648 bytes of a view of 4",
    ),
    "an accessor of 2 GB without data": (
        base(accessors=[{k: v for k, v in HUGE.items() if k != "bufferView"}]), "and no data"),
    "a view beyond its buffer": (
        base(buffers=[{"byteLength": 4}], bufferViews=[{"buffer": 0, "byteLength": 400}]), "of a buffer of 4"),
    "a buffer that is missing": (base(buffers=[{"byteLength": 4}, {"byteLength": 4}]), "buffer 1 is missing"),
    "a file that is missing": (base(buffers=[{"byteLength": 4, "uri": "x.bin"}]), "there is no 'x.bin'"),
    "cyclic nodes": (base(nodes=[{}, {"children": [2]}, {"children": [1]}]), "circle"),
    "a node with two parents": (base(nodes=[{"children": [2]}, {"children": [2]}, {}]), "more than one node"),
    "a node on itself": (base(nodes=[{"children": [0]}]), "on itself"),
    "a child that is not there": (base(nodes=[{"children": [9]}]), "number 9"),
    "a joint that is not there": (base(skins=[{"joints": [4]}]), "number 4"),
    "nodes that are no list": (base(nodes={"a": 1}), "no list"),
    "version 1": (base(asset={"version": "1.0"}), "expected 2.0"),
    "a count that is text": (base(accessors=[{"componentType": 5126, "count": "4", "type": "VEC3"}]), "no such thing"),
    "a negative offset": (
        base(buffers=[{"byteLength": 4}], bufferViews=[{"buffer": 0, "byteOffset": -4, "byteLength": 4}]), "view 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_one_clear_line(folder: Path, case: str) -> None:
    text, said = DAMAGE[case]
    (folder / "a.glb").write_bytes(glb(text, b"1234"))
    with pytest.raises(FormatError, match=said) as caught:
        gltf_document.read(folder / "a.glb")
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_refused_at_every_length(folder: Path) -> None:
    whole = glb(base(buffers=[{"byteLength": 4}]), b"1234")
    for length in range(0, len(whole), 7):
        (folder / "a.glb").write_bytes(whole[:length])
        with pytest.raises(FormatError):
            gltf_document.read(folder / "a.glb")
