"""FBX that we write: the container byte by byte, curves between frames, and ufbx as the reader who decides."""

from __future__ import annotations

import importlib.util
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laban
from laban.figure.asset import asset_of
from laban.figure.look import Look, Material, Picture, Shape
from laban.figure.mesh import Mesh, mannequin, skin
from laban.io.fbx import container, curves, write
from laban.io.fbx.container import Long, Node
from laban.motion import kinematics, rotation
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22

READER = Path(__file__).parents[2] / "tools" / "checks" / "fbx_ufbx.py"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


def dance(frames: int = 12, step: float = 0.15) -> Motion:
    """Everything turns, fast and past half a turn."""
    rng = np.random.default_rng(3)
    turns = np.zeros((frames, 22, 4))
    turns[0] = rotation.normalise(rng.normal(size=(22, 4)))
    for frame in range(1, frames):
        turns[frame] = rotation.multiply(turns[frame - 1], rotation.from_axis_angle(rng.normal(size=(22, 3)) * step))
    turns[:, 0] = rotation.yaw(np.linspace(0, 3 * np.pi, frames))
    return Motion(HUMANML22, turns, np.cumsum(rng.normal(size=(frames, 3)) * 0.02, axis=0), 20.0)


def seen(path: Path, times: np.ndarray, folder: Path) -> dict[str, np.ndarray]:
    """What ufbx makes of a file, in a process of its own."""
    if importlib.util.find_spec("ufbx") is None:
        pytest.skip("the package ufbx is not here: pip install 'laban[fbx]'")
    np.save(folder / "times.npy", times)
    words = [sys.executable, "-P", str(READER), str(path), str(folder / "times.npy"), str(folder / "seen.npz")]
    subprocess.run(words, check=True, timeout=120)
    with np.load(folder / "seen.npz") as found:
        return dict(found)


def parsed(data: bytes, place: int, end: int) -> list[tuple[str, list[Any], list[Any]]]:
    """Nodes of a file as (name, properties, children): a second reading of the layout, strict about lengths."""
    nodes: list[tuple[str, list[Any], list[Any]]] = []
    while place < end:
        stop, count, size, length = struct.unpack_from("<IIIB", data, place)
        if stop == 0:
            assert data[place : place + 13] == bytes(13)
            return nodes
        name = data[place + 13 : place + 13 + length].decode()
        at, properties = place + 13 + length, []
        rest = at + size
        for _ in range(count):
            kind, at = data[at : at + 1].decode(), at + 1
            if kind in "SR":
                (width,) = struct.unpack_from("<I", data, at)
                properties.append(data[at + 4 : at + 4 + width])
                at += 4 + width
            elif kind in "dfil":
                number, packed, width = struct.unpack_from("<III", data, at)
                body = data[at + 12 : at + 12 + width]
                body = zlib.decompress(body) if packed else body
                values = np.frombuffer(body, {"d": "<f8", "f": "<f4", "i": "<i4", "l": "<i8"}[kind])
                assert len(values) == number
                properties.append(values)
                at += 12 + width
            else:
                form = {"C": "<?", "I": "<i", "L": "<q", "D": "<d"}[kind]
                properties.append(struct.unpack_from(form, data, at)[0])
                at += struct.calcsize(form)
        assert at == rest
        nodes.append((name, properties, parsed(data, rest, stop) if stop > rest else []))
        place = stop
    return nodes


def test_the_container_is_the_documented_one() -> None:
    top = Node("Top", (True, 7, Long(1 << 40), 0.5, "é", b"\0\1", np.arange(100.0), np.arange(3, dtype="<i4")))
    top.add("Child", Long(-1))
    empty = Node("Empty", closed=True)
    data = container.encode([top, empty])
    assert data[:23] == b"Kaydara FBX Binary  \0\x1a\0" and struct.unpack_from("<I", data, 23) == (7400,)
    nodes = parsed(data, 27, len(data))
    assert [node[0] for node in nodes] == ["Top", "Empty"]
    flag, whole, long, real, text, raw, floats, ints = nodes[0][1]
    assert (flag, whole, long, real, text.decode(), raw) == (True, 7, 1 << 40, 0.5, "é", b"\0\1")
    np.testing.assert_array_equal(floats, np.arange(100.0))
    np.testing.assert_array_equal(ints, [0, 1, 2])
    assert nodes[0][2] == [("Child", [-1], [])]
    stop, *_ = struct.unpack_from("<I", data, data.index(b"\x05Empty") - 12)
    assert data[stop - 13 : stop] == bytes(13)  # a sentinel even without children
    foot = data.rindex(bytes.fromhex("fabcab09d0c8d466b176fb831cf7267e"))
    tail = data[foot + 16 :]
    assert (len(data) - 16 - 120 - 4) % 16 == 0 and tail[-140:-136] == struct.pack("<I", 7400)
    assert 5 <= len(tail) - 140 <= 20 and not any(tail[:-140])  # four zeros and one to sixteen more


@pytest.mark.parametrize("seed", range(3))
def test_angles_give_the_rotations_and_do_not_jump(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turns = [rotation.normalise(rng.normal(size=4))]
    for move in rng.normal(size=(200, 3)) * 0.1:
        turns.append(rotation.multiply(turns[-1], rotation.from_axis_angle(move)))
    keys = curves.keys(np.array(turns), 1e-4)
    on_frames = np.isin(keys.places, np.arange(201))
    assert on_frames.sum() == 201
    same = np.abs((curves.turn_of(keys.angles[on_frames]) * np.array(turns)).sum(-1))
    np.testing.assert_allclose(same, 1, atol=1e-12)
    assert np.abs(np.diff(keys.angles, axis=0)).max() < np.radians(170)


def test_at_the_pole_the_outer_angle_carries_on() -> None:
    """Through 90 degrees about y, where x and z cannot be told apart."""
    angles = np.stack([np.full(21, 0.3), np.linspace(1.2, 1.9, 21), np.full(21, -0.4)], axis=-1)
    angles[10, 1] = np.pi / 2
    turns = curves.turn_of(angles)
    found = curves.euler(turns)
    assert np.abs(np.diff(found, axis=0)).max() < 0.1
    np.testing.assert_allclose(np.abs((curves.turn_of(found) * turns).sum(-1)), 1, atol=1e-12)


def test_ufbx_finds_joints_and_vertices_on_and_between_frames(tmp_path: Path) -> None:
    motion = dance()
    laban.write(motion, tmp_path / "dance.fbx")
    times = np.arange(2 * motion.frames - 1) / 2 / motion.fps
    found = seen(tmp_path / "dance.fbx", times, tmp_path)
    turns, root = motion.at(times)
    assert [str(name) for name in found["bones"]] == _by_depth()
    order = [HUMANML22.index(name) for name in _by_depth()]
    joints = kinematics.forward(HUMANML22, turns, root)[:, order]
    assert np.abs(found["joints"] - joints).max() < 1e-4
    points = skin(mannequin(HUMANML22), HUMANML22, turns, root)
    assert np.abs(found["vertices"] - points).max() < 1e-4


def _by_depth() -> list[str]:
    """Names in the order of ufbx: by depth, then as written."""
    depth = [0] * 22
    for joint in range(1, 22):
        depth[joint] = depth[HUMANML22.parents[joint]] + 1
    return [HUMANML22.names[j] for j in sorted(range(22), key=lambda j: depth[j])]


@pytest.mark.parametrize("wrong", ["weights", "bind", "unit"])
def test_control_rows_are_seen(wrong: str, tmp_path: Path) -> None:
    from dataclasses import replace

    motion = dance(3)
    asset = asset_of(motion)
    rest = asset.rest.copy()
    if wrong == "weights":
        mesh = asset.meshes[0]
        joints = np.random.default_rng(0).permutation(mesh.joints)
        asset = replace(asset, meshes=(replace(mesh, joints=joints),))
    elif wrong == "bind":
        rest[:, :3, :3] = rotation.to_matrix(rotation.from_axis_angle(np.array([0.2, 0.0, 0.0])))
        asset = replace(asset, rest=rest)
    else:
        rest[:, :3, 3] *= 1.01
        asset = replace(asset, rest=rest, offsets=asset.offsets * 1.01, translations=asset.translations * 1.01)
    write.write_asset(asset, tmp_path / "wrong.fbx")
    times = np.arange(motion.frames) / motion.fps
    found = seen(tmp_path / "wrong.fbx", times, tmp_path)
    points = skin(mannequin(HUMANML22), HUMANML22, motion.rotations, motion.root)
    assert np.abs(found["vertices"] - points).max() > 1e-3


def test_materials_pictures_and_blend_shapes_are_in_the_file(tmp_path: Path) -> None:
    mesh = mannequin(HUMANML22)
    moves = np.zeros_like(mesh.vertices)
    moves[:5, 1] = 0.01
    look = Look(
        "body",
        (Material("skin", (0.5, 0.25, 0.125, 1.0), pictures={"colour": Picture("face", PNG)}), Material("cloth")),
        np.arange(len(mesh.faces)) % 2, np.zeros((len(mesh.vertices), 2)), (Shape("smile", moves, 0.25),),
    )  # fmt: skip
    write.write(dance(2), tmp_path / "a.fbx", mesh=Mesh(**{**vars(mesh), "look": look}))
    data = (tmp_path / "a.fbx").read_bytes()
    nodes = {name: (properties, children) for name, properties, children in parsed(data, 27, len(data))}
    objects = nodes["Objects"][1]
    kinds = [(name, properties[1].split(b"\0")[0].decode()) for name, properties, _ in objects]
    assert {("Material", "skin"), ("Material", "cloth"), ("Texture", "face"), ("Video", "face")} <= set(kinds)
    video = next(children for name, _, children in objects if name == "Video")
    assert dict((name, properties) for name, properties, _ in video)["Content"] == [PNG]
    shape = next(children for name, properties, children in objects if name == "Geometry" and properties[2] == b"Shape")
    assert dict((name, properties) for name, properties, _ in shape)["Indexes"][0].tolist() == [0, 1, 2, 3, 4]
    count = dict((name, properties) for name, properties, _ in nodes["Definitions"][1])["Count"][0]
    assert count == len(objects) + 1
    links = [c[1] for c in nodes["Connections"][1]]
    ids = {properties[0] for _, properties, _ in objects} | {0}
    assert all(link[1] in ids and link[2] in ids for link in links)


def test_passport_and_name_are_kept_and_files_are_whole_or_none(tmp_path: Path) -> None:
    motion = Motion(HUMANML22, dance(2).rotations, dance(2).root, 20.0, passport={"seed": 7})
    laban.write(motion, tmp_path / "walk.fbx")
    data = (tmp_path / "walk.fbx").read_bytes()
    assert json.dumps({"seed": 7}, separators=(",", ":")).encode() in data and b"walk\0\x01AnimStack" in data
    with pytest.raises(laban.errors.InputError):
        laban.write(motion, tmp_path / "no" / "walk.fbx")
    bad = Motion(HUMANML22, dance(2).rotations, dance(2).root, 20.0, passport={"seed": float("nan")})
    with pytest.raises(laban.errors.InputError, match="passport"):
        laban.write(bad, tmp_path / "bad.fbx")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["walk.fbx"]


def test_the_skeleton_alone(tmp_path: Path) -> None:
    write.write(dance(2), tmp_path / "bare.fbx", bare=True)
    data = (tmp_path / "bare.fbx").read_bytes()
    assert b"LimbNode" in data and b"Geometry" not in data and b"BindPose" not in data
