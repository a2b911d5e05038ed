"""FBX read: what we write comes back, files with pivots, orders, other axes and units are where they say, no crash."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laban
from laban.character import animation, rig
from laban.character.looks import Looks
from laban.character.skin import parts
from laban.errors import FormatError, InputError
from laban.figure.look import Look, Material, Picture, Shape
from laban.figure.mesh import Mesh, mannequin
from laban.io import gltf_document
from laban.io.fbx import animation as moving
from laban.io.fbx import container, document, write
from laban.io.fbx import scene as scenes
from laban.io.fbx.container import Node
from laban.motion import rotation
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ufbx") is None, reason="needs ufbx: pip install 'laban[fbx]'")
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


def wave(frames: int = 10) -> Motion:
    turns = np.zeros((frames, 22, 4))
    turns[..., 0] = 1.0
    swing = np.sin(np.linspace(0, 3, frames))[:, None]
    turns[:, HUMANML22.index("right_shoulder")] = rotation.from_axis_angle(swing * np.array([0.2, 0.3, 1.1]))
    turns[:, HUMANML22.index("left_knee")] = rotation.from_axis_angle(np.abs(swing) * np.array([0.7, 0.0, 0.0]))
    root = np.stack([0 * swing[:, 0], np.full(frames, 0.93), np.linspace(0, 0.6, frames)], axis=-1)
    return Motion(HUMANML22, turns, root, 30.0)


def test_what_we_write_comes_back(tmp_path: Path) -> None:
    mesh, motion = mannequin(HUMANML22), wave()
    moves = np.zeros_like(mesh.vertices)
    moves[:5] = 0.01, 0.02, -0.03
    places = np.random.default_rng(0).random((len(mesh.vertices), 2))
    look = Look(
        "body",
        (Material("skin", (0.5, 0.25, 0.125, 1.0), pictures={"colour": Picture("face", PNG)}), Material("cloth")),
        np.arange(len(mesh.faces)) % 2, places, (Shape("smile", moves, 0.25),),
    )  # fmt: skip
    write.write(motion, tmp_path / "a.fbx", mesh=Mesh(**{**vars(mesh), "look": look}))
    found = rig.read(tmp_path / "a.fbx")
    turns, steps, frames = animation.sampled(found.document, found, 0, 30.0)
    world = found.forward(turns, steps, frames)
    order = [found.names.index(name) for name in HUMANML22.names]
    np.testing.assert_allclose(world[:, order][..., :3, 3], motion.joints(), atol=1e-5)
    own = list(parts(found))
    lift = np.array([0, mesh.vertices[:, 1].min(), 0])
    seen = np.concatenate([part.at(found.world) for part in own])
    np.testing.assert_allclose(seen.min(0), (mesh.vertices - lift).min(0), atol=1e-5)
    np.testing.assert_allclose(seen.max(0), (mesh.vertices - lift).max(0), atol=1e-5)
    looks = Looks(found.document)
    skin = next(m for part in own if (m := looks.material(part.primitive["material"])).name == "skin")
    assert skin.pictures["colour"].data == PNG
    np.testing.assert_allclose(skin.colour, (0.5, 0.25, 0.125, 1.0), atol=1e-6)
    entry = found.document.items("meshes")[0]
    assert entry["extras"]["targetNames"] == ["smile"] and entry["weights"] == pytest.approx([0.25])
    coordinates = looks.places(own[0])
    assert coordinates is not None and np.abs(coordinates[:, None] - places[None]).sum(-1).min(1).max() < 1e-5


def test_a_clip_is_a_motion_in_every_way(tmp_path: Path) -> None:
    laban.write(wave(), tmp_path / "wave.fbx")
    motion = laban.read(tmp_path / "wave.fbx")
    assert motion.fps == 30.0 and motion.frames == 10 and motion.segments[0].text == "wave"
    order = [motion.skeleton.index("neck1" if name == "neck" else name) for name in HUMANML22.names]
    np.testing.assert_allclose(motion.joints()[:, order], wave().joints(), atol=1e-4)
    made = laban.retarget(tmp_path / "wave.fbx", tmp_path / "wave.fbx", out=(tmp_path / "worn.glb",))
    assert made.certificate.passed and gltf_document.read(tmp_path / "worn.glb").items("meshes")


ORDERS = ("xyz", "xzy", "yzx", "yxz", "zxy", "zyx")


def turned(angles: np.ndarray, order: str = "xyz") -> np.ndarray:
    """(3, 3): turns about fixed axes, the first letter first; degrees."""
    whole = np.eye(3)
    for axis in order:
        vector = np.zeros(3)
        vector["xyz".index(axis)] = np.radians(angles["xyz".index(axis)])
        whole = rotation.to_matrix(rotation.from_axis_angle(vector)) @ whole
    return whole


def local(values: dict[str, np.ndarray], order: int, angles: np.ndarray) -> np.ndarray:
    """(4, 4) of a node by the SDK's formula: T Roff Rp Rpre R Rpost^-1 Rp^-1."""

    def move(place: np.ndarray) -> np.ndarray:
        out = np.eye(4)
        out[:3, 3] = place
        return out

    def spin(matrix: np.ndarray) -> np.ndarray:
        out = np.eye(4)
        out[:3, :3] = matrix
        return out

    pre, post = spin(turned(values["PreRotation"])), spin(turned(values["PostRotation"]))
    middle = pre @ spin(turned(angles, ORDERS[order])) @ np.linalg.inv(post)
    pivot = move(values["RotationPivot"])
    return move(values["Lcl Translation"]) @ move(values["RotationOffset"]) @ pivot @ middle @ np.linalg.inv(pivot)


def maya() -> tuple[list[Node], list[str], Callable[[float], np.ndarray]]:
    """A skeleton as Maya has it: joint orients, pivots, every order of rotation, inches, Z up; and where it is at t."""
    rng = np.random.default_rng(5)
    made = scenes.Scene("Take 001", 24.0, 9, "null")
    bones: list[tuple[str, int, int, dict[str, np.ndarray], np.ndarray]] = []
    ids: list[int] = []
    for joint, name in enumerate(HUMANML22.names):
        parent, order = HUMANML22.parents[joint], joint % 6
        values = {
            "PreRotation": rng.uniform(-60, 60, 3), "PostRotation": rng.uniform(-20, 20, 3),
            "RotationPivot": rng.uniform(-1, 1, 3), "RotationOffset": rng.uniform(-1, 1, 3),
            "Lcl Translation": rng.uniform(-8, 8, 3),
        }  # fmt: skip
        ends = rng.uniform(-40, 40, (2, 3))
        rows: list[tuple[Any, ...]] = [("RotationActive", "bool", "", "", 1), ("RotationOrder", "enum", "", "", order)]
        rows += [(key, "Vector3D" if "Lcl" not in key else key, "", "A", *map(float, v)) for key, v in values.items()]
        rows.append(("Lcl Rotation", "Lcl Rotation", "", "A", *map(float, ends[0])))
        model = made.model(name, "LimbNode", ids[parent] if parent >= 0 else 0, tuple(rows))
        attribute, node = made.add("NodeAttribute", name, "NodeAttribute", "LimbNode")
        node.add("TypeFlags", "Skeleton")
        made.connect(attribute, model)
        ids.append(model)
        bones.append((name, parent, order, values, ends))
    layer = moving.stack(made, 9)
    for model, (*_, ends) in zip(ids, bones, strict=True):
        moving.animate(made, layer, model, moving.Track("Lcl Rotation", np.array([0.0, 8.0]), ends))
    nodes = made.file()
    settings = next(node for node in nodes if node.name == "GlobalSettings").children[1]
    wanted = {"UpAxis": 2, "FrontAxis": 1, "FrontAxisSign": -1, "UnitScaleFactor": 2.54}
    for row in settings.children:
        if row.properties[0] in wanted:
            row.properties = (*row.properties[:4], wanted[row.properties[0]])

    def places(second: float) -> np.ndarray:
        world: list[np.ndarray] = []
        for _, parent, order, values, ends in bones:
            angles = ends[0] + (ends[1] - ends[0]) * second * 24 / 8
            own = local(values, order, angles)
            world.append(own if parent < 0 else world[parent] @ own)
        inches = np.array([matrix[:3, 3] for matrix in world])
        return inches[:, [0, 2, 1]] * np.array([1, 1, -1]) * 0.0254

    return nodes, [bone[0] for bone in bones], places


def plain_text(nodes: list[Node], depth: int = 0) -> str:
    """Nodes as an ASCII file has them."""
    lines = []
    for node in nodes:
        words = []
        for value in node.properties:
            if isinstance(value, np.ndarray):
                numbers = ",".join(repr(float(v)) if value.dtype.kind == "f" else str(int(v)) for v in value)
                words.append(f"*{value.size} {{\n a: {numbers}\n}}")
            elif isinstance(value, str):
                name, _, family = value.partition("\0\x01")
                words.append(f'"{family}::{name}"' if family else f'"{value}"')
            else:
                words.append("T" if value is True else str(value))
        body = f" {{\n{plain_text(node.children, depth + 1)}{' ' * depth}}}" if node.children or node.closed else ""
        lines.append(f"{' ' * depth}{node.name}: {', '.join(words)}{body}\n")
    return "".join(lines)


@pytest.mark.parametrize("kind", ["binary", "ascii"])
def test_pivots_orders_axes_and_units(kind: str, tmp_path: Path) -> None:
    nodes, names, places = maya()
    path = tmp_path / "rig.fbx"
    if kind == "binary":
        path.write_bytes(container.encode(nodes))
    else:
        shown = [node for node in nodes if node.name not in ("FileId",)]
        path.write_text("; FBX 7.4.0 project file\n" + plain_text(shown))
    found = document.read(path)
    body = [str(node.get("name")) for node in found.items("nodes")]
    assert found.items("animations")[0]["name"] == "rig"  # nobody names a take "Take 001"
    order = [body.index(name) for name in names]
    for frame in (0, 3, 8):
        world = _world(found, frame)
        np.testing.assert_allclose(world[order, :3, 3], places(frame / 24), atol=1e-5)


def _world(found: gltf_document.Document, frame: int) -> np.ndarray:
    """(N, 4, 4) of a document's nodes at a frame of its first animation."""
    nodes = found.items("nodes")
    values = [{"translation": n["translation"], "rotation": n["rotation"], "scale": n["scale"]} for n in nodes]
    clip = found.items("animations")[0]
    for channel in clip["channels"]:
        track = found.array(clip["samplers"][channel["sampler"]]["output"])
        values[channel["target"]["node"]][channel["target"]["path"]] = track[frame].tolist()
    parents = {child: k for k, node in enumerate(nodes) for child in node.get("children", [])}
    world: dict[int, np.ndarray] = {}

    def of(number: int) -> np.ndarray:
        if number not in world:
            x, y, z, w = values[number]["rotation"]
            own = np.eye(4)
            own[:3, :3] = rotation.to_matrix(np.array([w, x, y, z])) * np.array(values[number]["scale"])
            own[:3, 3] = values[number]["translation"]
            world[number] = of(parents[number]) @ own if number in parents else own
        return world[number]

    return np.array([of(k) for k in range(len(nodes))])


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 3]


def _garbage(data: bytes) -> bytes:
    return b"Kaydara FBX Binary  \0\x1a\0" + bytes(range(256)) * 40


def _huge(data: bytes) -> bytes:
    """A count of an array that no memory holds."""
    place = data.index(b"Vertices") + 9
    return data[:place] + b"\xff\xff\xff\x7f" + data[place + 4 :]


def _mutated(data: bytes) -> bytes:
    rng = np.random.default_rng(1)
    out = bytearray(data)
    for place in rng.integers(27, len(out), 200):
        out[place] = rng.integers(0, 256)
    return bytes(out)


@pytest.mark.parametrize("spoil", [_cut, _garbage, _huge, _mutated, lambda data: b"", lambda data: b"no such thing"])
def test_a_hostile_file_is_one_clear_line(spoil: Callable[[bytes], bytes], tmp_path: Path) -> None:
    laban.write(wave(2), tmp_path / "a.fbx")
    (tmp_path / "b.fbx").write_bytes(spoil((tmp_path / "a.fbx").read_bytes()))
    with pytest.raises((FormatError, InputError)) as caught:
        laban.read(tmp_path / "b.fbx")
    assert "\n" not in str(caught.value) and "b.fbx" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laban.write(wave(2), tmp_path / "a.fbx")
    monkeypatch.setattr(document.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"laban\[fbx\]"):
        laban.read(tmp_path / "a.fbx")


def test_a_picture_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(PNG)
    inside = tmp_path / "inside"
    inside.mkdir()
    assert document.picture(b"", ["../secret.png", "/etc/passwd"], inside / "a.fbx") is None
    (inside / "secret.png").write_bytes(PNG)
    assert document.picture(b"", ["C:\\textures\\secret.png"], inside / "a.fbx") == PNG
