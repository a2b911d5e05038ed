"""GLB: the container and its arrays by our own checks, exact round trips, and files from strangers.

The checks with other people's software (Khronos' validator, Blender, a browser) are in tools/ and docs/.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pygltflib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from laban.errors import FormatError, InputError
from laban.figure.mesh import mannequin, skin
from laban.io import gltf
from laban.motion import rotation
from laban.motion.motion import Motion, Segment
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22, KIT21, SMPL24

PASSPORT = {"system": "momask", "seed": 7, "request": {"text": "a naïve wave 👋", "seconds": 1.5}, "weights": "0" * 64}


def make(skeleton: Skeleton = HUMANML22, frames: int = 30, fps: float = 20.0, **fields: Any) -> Motion:
    rng = np.random.default_rng(frames)
    start = rng.normal(size=(len(skeleton), 3)) * 0.4
    step = rng.normal(size=(len(skeleton), 3)) * 0.05
    rotations = rotation.from_axis_angle(start + step * np.arange(frames)[:, None, None])
    root = np.cumsum(rng.normal(size=(frames, 3)) * 0.02, axis=0) + [0, 0.95, 0]
    return Motion(skeleton, rotations, root, fps, **fields)


@pytest.fixture(scope="module")
def full() -> Motion:
    segments = (Segment("waves", 0.0, 0.7), Segment("winkt “so”", 0.7, 1.5))
    return make(segments=segments, passport=PASSPORT)


@pytest.fixture(scope="module")
def file(full: Motion, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gltf") / "wave.glb"
    gltf.write(full, path)
    return path


def unpack(data: bytes) -> tuple[dict[str, Any], bytes]:
    length = struct.unpack_from("<I", data, 12)[0]
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def pack(document: Any, binary: bytes) -> bytes:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<IIIII", 0x46546C67, 2, 28 + len(text) + len(binary), len(text), 0x4E4F534A)
    return head + text + struct.pack("<II", len(binary), 0x004E4942) + binary


def array(document: dict[str, Any], binary: bytes, index: int) -> np.ndarray:
    entry = document["accessors"][index]
    view = document["bufferViews"][entry["bufferView"]]
    kind = {5126: "<f4", 5121: "u1", 5123: "<u2", 5125: "<u4"}[entry["componentType"]]
    width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}[entry["type"]]
    start = view["byteOffset"] + entry.get("byteOffset", 0)
    assert start % np.dtype(kind).itemsize == 0 and view["byteOffset"] % 4 == 0
    assert entry.get("byteOffset", 0) + entry["count"] * width * np.dtype(kind).itemsize <= view["byteLength"]
    flat = np.frombuffer(binary, kind, entry["count"] * width, start)
    return flat.reshape(entry["count"], width) if width > 1 else flat


@pytest.mark.parametrize("skeleton", [HUMANML22, SMPL24, KIT21], ids=lambda s: s.name)
@pytest.mark.parametrize(("frames", "fps"), [(1, 20.0), (47, 29.97)])
def test_round_trip(skeleton: Skeleton, frames: int, fps: float, tmp_path: Path) -> None:
    motion = make(skeleton, frames, fps, passport=PASSPORT, segments=(Segment("x", 0, 1),))
    gltf.write(motion, tmp_path / "a.glb")
    back = gltf.read(tmp_path / "a.glb")
    assert back.skeleton == skeleton and back.skeleton.name == skeleton.name and back.fps == fps
    assert back.passport == PASSPORT and back.segments == motion.segments
    signs = np.sign((back.rotations * motion.rotations).sum(-1, keepdims=True))
    np.testing.assert_allclose(back.rotations * signs, motion.rotations, atol=1.2e-7)
    np.testing.assert_array_equal(back.root, motion.root.astype(np.float32))
    np.testing.assert_allclose(back.joints(), motion.joints(), atol=2e-6)
    gltf.write(back, tmp_path / "b.glb")
    np.testing.assert_allclose(gltf.read(tmp_path / "b.glb").rotations, back.rotations, atol=1.2e-7)


def test_nothing_beside_the_motion_is_needed(tmp_path: Path) -> None:
    gltf.write(make(), tmp_path / "a.glb")
    back = gltf.read(tmp_path / "a.glb")
    assert back.passport is None and back.segments == ()


def test_container(file: Path) -> None:
    data = file.read_bytes()
    magic, version, length = struct.unpack_from("<III", data)
    assert (magic, version, length) == (0x46546C67, 2, len(data))
    document, binary = unpack(data)
    assert len(binary) % 4 == 0 and [b["byteLength"] for b in document["buffers"]] == [len(binary)]
    assert document["asset"]["generator"] == "Laban" and document["asset"]["extras"]["laban"]["passport"] == PASSPORT
    other = pygltflib.GLTF2().load(str(file))  # another reader agrees on the structure
    assert len(other.nodes) == 23 and [n.name for n in other.nodes[:22]] == list(HUMANML22.names)
    assert other.skins[0].joints == list(range(22))


def test_mesh_skin_and_bounds(file: Path, full: Motion) -> None:
    document, binary = unpack(file.read_bytes())
    mesh = mannequin(HUMANML22)
    faces = 0
    for primitive in document["meshes"][0]["primitives"]:
        assert primitive["attributes"] == document["meshes"][0]["primitives"][0]["attributes"]
        corners = array(document, binary, primitive["indices"])
        assert corners.max() < len(mesh.vertices) and len(corners) % 3 == 0
        faces += len(corners) // 3
        colour = document["materials"][primitive["material"]]["pbrMetallicRoughness"]["baseColorFactor"]
        assert all(0 <= c <= 1 for c in colour)
    assert faces == len(mesh.faces)
    assert {m["name"] for m in document["materials"]} == {"body", "shirt", "dark", "left", "right"}
    names = document["meshes"][0]["primitives"][0]["attributes"]
    places, normals, joints, weights = (
        array(document, binary, names[k]) for k in ("POSITION", "NORMAL", "JOINTS_0", "WEIGHTS_0")
    )
    bounds = document["accessors"][names["POSITION"]]
    np.testing.assert_array_equal(np.float32(bounds["min"]), places.min(axis=0))
    np.testing.assert_array_equal(np.float32(bounds["max"]), places.max(axis=0))
    assert abs(places[:, 1].min()) < 1e-6  # the rest pose stands on the floor
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(weights.astype(np.float64).sum(axis=1), 1, atol=2e-7)
    assert joints.max() < 22 and (joints[weights == 0] == 0).all()


def test_a_client_that_follows_the_format_sees_our_joints_and_skin(file: Path, full: Motion) -> None:
    """An importer written from the specification alone: nodes, inverse bind matrices, animation, skinning."""
    document, binary = unpack(file.read_bytes())
    nodes, animation = document["nodes"], document["animations"][0]
    frame = 17
    local = {}
    for number, node in enumerate(nodes):
        local[number] = [np.array(node.get("translation", [0, 0, 0.0])), Rotation.identity()]
    for channel in animation["channels"]:
        sampler = animation["samplers"][channel["sampler"]]
        assert sampler["interpolation"] == "LINEAR"
        times = array(document, binary, sampler["input"])
        np.testing.assert_allclose(times, np.arange(30) / 20.0, atol=1e-6)
        value = array(document, binary, sampler["output"])
        node, path = channel["target"]["node"], channel["target"]["path"]
        if path == "rotation":
            assert ((value[1:] * value[:-1]).sum(axis=1) > 0).all()  # sign-continuous
            local[node][1] = Rotation.from_quat(value[frame])
        else:
            local[node][0] = value[frame]
    world: dict[int, np.ndarray] = {}

    def walk(number: int, above: np.ndarray) -> None:
        here = np.eye(4)
        here[:3, :3], here[:3, 3] = local[number][1].as_matrix(), local[number][0]
        world[number] = above @ here
        for child in nodes[number].get("children", ()):
            walk(child, world[number])

    for number in document["scenes"][0]["nodes"]:
        walk(number, np.eye(4))
    found = np.stack([world[j][:3, 3] for j in range(22)])
    np.testing.assert_allclose(found, full.joints()[frame], atol=1e-5)
    inverse = array(document, binary, document["skins"][0]["inverseBindMatrices"]).reshape(-1, 4, 4)
    matrices = np.stack([world[j] @ inverse[j].T for j in range(22)])
    names = document["meshes"][0]["primitives"][0]["attributes"]
    places, joints, weights = (array(document, binary, names[k]) for k in ("POSITION", "JOINTS_0", "WEIGHTS_0"))
    points = np.concatenate([places, np.ones((len(places), 1))], axis=1)
    skinned = np.einsum("vk,vkab,vb->va", weights, matrices[joints], points)[:, :3]
    ours = skin(mannequin(HUMANML22), HUMANML22, full.rotations[frame : frame + 1], full.root[frame][None])
    np.testing.assert_allclose(skinned, ours[0], atol=1e-5)


def test_a_passport_that_json_cannot_hold_is_said(tmp_path: Path) -> None:
    for passport in ({"x": float("nan")}, {"x": object()}):
        with pytest.raises(InputError, match="passport"):
            gltf.write(make(passport=passport), tmp_path / "a.glb")
    assert list(tmp_path.iterdir()) == []


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        gltf.write(make(), tmp_path / "no" / "a.glb")


@pytest.mark.parametrize("share", [0.0, 0.00002, 0.0001, 0.01, 0.05, 0.3, 0.999])
def test_truncated(file: Path, tmp_path: Path, share: float) -> None:
    data = file.read_bytes()
    (tmp_path / "a.glb").write_bytes(data[: int(share * len(data))])
    with pytest.raises(FormatError, match=r"a\.glb"):
        gltf.read(tmp_path / "a.glb")


def damage(document: dict[str, Any], kind: str) -> None:
    record, accessors = document["asset"]["extras"]["laban"], document["accessors"]
    output = document["animations"][0]["samplers"][3]["output"]
    if kind == "count":
        accessors[output]["count"] = 10**15
    elif kind == "negative offset":
        accessors[output]["byteOffset"] = -400
    elif kind == "view beyond the buffer":
        document["bufferViews"][accessors[output]["bufferView"]]["byteOffset"] = 10**12
    elif kind == "float count":
        accessors[output]["count"] = 30.0
    elif kind == "other component":
        accessors[output]["componentType"] = 5121
    elif kind == "missing channel":
        del document["animations"][0]["channels"][5]
    elif kind == "no animation":
        document["animations"] = []
    elif kind == "cycle":
        record["skeleton"]["parents"][3] = 9
    elif kind == "offsets":
        record["skeleton"]["offsets"] = record["skeleton"]["offsets"][:-1]
    elif kind == "huge offset":
        record["skeleton"]["offsets"][3][0] = 1e999
    elif kind == "parent is text":
        record["skeleton"]["parents"][3] = "0"
    elif kind == "million joints":
        record["skeleton"]["names"] = [f"j{k}" for k in range(10**5)]
    elif kind == "fps":
        record["fps"] = 0
    elif kind == "version":
        record["version"] = 99
    elif kind == "passport":
        record["passport"] = [1]
    elif kind == "segments":
        record["segments"] = [{"text": "a"}]
    elif kind == "endless passport":
        record["passport"] = {"seconds": 1e999}
    elif kind == "names":
        record["skeleton"]["names"] = 7
    elif kind == "boolean index":
        document["animations"][0]["samplers"][3]["output"] = True
    else:
        raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    ["count", "negative offset", "view beyond the buffer", "float count", "other component", "missing channel",
     "no animation", "cycle", "offsets", "huge offset", "parent is text", "million joints", "fps", "version",
     "passport", "endless passport", "segments", "names", "boolean index"],
)  # fmt: skip
def test_damaged_structure(file: Path, tmp_path: Path, kind: str) -> None:
    document, binary = unpack(file.read_bytes())
    damage(document, kind)
    path = tmp_path / "a.glb"
    path.write_bytes(pack(document, binary))
    with pytest.raises(FormatError) as caught:
        gltf.read(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_damaged_numbers(file: Path, tmp_path: Path) -> None:
    document, binary = unpack(file.read_bytes())
    entry = document["accessors"][document["animations"][0]["samplers"][3]["output"]]
    start = document["bufferViews"][entry["bufferView"]]["byteOffset"] + entry["byteOffset"]
    for value in (float("nan"), float("inf"), 5.0):
        wrong = bytearray(binary)
        struct.pack_into("<f", wrong, start, value)
        (tmp_path / "a.glb").write_bytes(pack(document, bytes(wrong)))
        with pytest.raises(FormatError):
            gltf.read(tmp_path / "a.glb")


def test_files_from_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "a.glb"
    path.write_bytes(pack({"asset": {"version": "2.0", "generator": "Khronos glTF Blender I/O"}}, b""))
    with pytest.raises(FormatError, match=r"not written by Laban .*Blender"):
        gltf.read(path)
    for document in (b"[1]", b'"x"', b"{", b"[" * 100_000, b'{"asset": NaN}', b"\xff\xfe"):
        path.write_bytes(pack(document, b""))
        with pytest.raises(FormatError):
            gltf.read(path)
    path.write_bytes(struct.pack("<IIIII", 0x46546C67, 2, 0xFFFFFFFF, 0xFFFFFFF0, 0x4E4F534A))
    with pytest.raises(FormatError, match="announces"):
        gltf.read(path)
    with pytest.raises(FormatError):
        gltf.read(tmp_path / "absent.glb")


def test_characters_of_others_are_refused() -> None:
    path = Path(__file__).parents[3] / "shared/data/characters/mesh2motion/human-male.glb"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    with pytest.raises(FormatError, match="not written by Laban"):
        gltf.read(path)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_fuzz(file: Path, tmp_path: Path, data: st.DataObject) -> None:
    """Bytes changed anywhere in the JSON or the headers: a motion or one FormatError, nothing else."""
    raw = bytearray(file.read_bytes())
    end = 28 + struct.unpack_from("<I", raw, 12)[0]
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, end - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "fuzz.glb"
    path.write_bytes(bytes(raw))
    try:
        assert gltf.read(path).frames >= 1
    except FormatError as error:
        assert len(str(error)) < 600
