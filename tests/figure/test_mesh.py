"""The mannequin: a closed, symmetric, well-weighted figure that follows its skeleton."""

from __future__ import annotations

import time

import numpy as np
import pytest

from laban.errors import ShapeError
from laban.figure import mannequin as sculpture
from laban.figure.mesh import Mesh, landmarks, mannequin, person, skin
from laban.motion import kinematics, rotation
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22, KIT21, SMPL24

DOG = Skeleton(
    "dog",
    ("root", "neck", "left_ear", "tail", "paw"),
    (-1, 0, 1, 0, 0),
    np.array([[0, 0, 0], [0, 0.2, 0.4], [0.05, 0.1, 0.0], [0, 0.1, -0.3], [0, -0.4, 0]]),
)


def still(skeleton: Skeleton, frames: int = 1) -> np.ndarray:
    rotations = np.zeros((frames, len(skeleton), 4))
    rotations[..., 0] = 1.0
    return rotations


def welded(mesh: Mesh, vertices: np.ndarray | None = None) -> np.ndarray:
    """Faces over places: vertices that stand twice, for two colours, count once."""
    places = np.round(mesh.vertices if vertices is None else vertices, 7)
    _, number = np.unique(places, axis=0, return_inverse=True)
    return number.reshape(-1)[mesh.faces]


@pytest.mark.parametrize("skeleton", [HUMANML22, SMPL24, KIT21, DOG], ids=lambda s: s.name)
def test_arrays_are_a_skinned_mesh(skeleton: Skeleton) -> None:
    mesh = mannequin(skeleton)
    count = len(mesh.vertices)
    assert 100 < count < 10_000
    assert mesh.vertices.shape == mesh.normals.shape == mesh.colours.shape == (count, 3)
    assert mesh.joints.shape == mesh.weights.shape == (count, 4)
    assert mesh.faces.min() == 0 and mesh.faces.max() == count - 1
    assert mesh.joints.min() >= 0 and mesh.joints.max() < len(skeleton)
    assert np.isfinite(mesh.vertices).all()
    assert (mesh.weights >= 0).all()
    np.testing.assert_allclose(mesh.weights.sum(axis=1), 1.0, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1.0, atol=1e-6)
    assert mesh.colours.min() >= 0 and mesh.colours.max() <= 1
    assert (mesh.joints[mesh.weights == 0] == 0).all()
    assert mannequin(skeleton) is mesh
    with pytest.raises(ValueError):
        mesh.vertices[0] = 0


@pytest.mark.parametrize("skeleton", [HUMANML22, KIT21, DOG], ids=lambda s: s.name)
def test_surface_is_closed_and_faces_outwards(skeleton: Skeleton) -> None:
    mesh = mannequin(skeleton)
    faces = welded(mesh)
    faces = faces[(faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])]
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there = np.unique(directed, axis=0, return_counts=True)
    back = np.unique(directed[:, ::-1], axis=0, return_counts=True)
    np.testing.assert_array_equal(there[0], back[0])  # each edge is passed once in each direction: no hole
    np.testing.assert_array_equal(there[1], back[1])
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    area = np.cross(b - a, c - a)
    assert np.einsum("fa,fa->", a, area) / 6 > 0  # positive volume: counter-clockwise from outside
    agree = np.einsum("fa,fa->f", area, mesh.normals[mesh.faces].mean(axis=1))
    assert agree[agree != 0].min() > -1e-5 and (agree > 0).mean() > 0.99


def test_figure_has_a_persons_size_and_symmetry() -> None:
    mesh = mannequin(HUMANML22)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert 1.65 < high[1] - low[1] < 1.90 and 1.6 < high[0] - low[0] < 1.95
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    assert 0.05 < np.einsum("fa,fa->", a, np.cross(b, c)) / 6 < 0.09  # cubic metres
    vertices, _, _ = sculpture.sculpt()
    mirrored = vertices * [-1, 1, 1]
    order = [np.lexsort(np.round(v, 6).T) for v in (vertices, mirrored)]
    np.testing.assert_allclose(vertices[order[0]], mirrored[order[1]], atol=1e-5)
    feet = mesh.vertices[mesh.vertices[:, 1] < low[1] + 0.009]
    for side in (1, -1):  # heel and toe of both shoes stand on the floor
        own = feet[feet[:, 0] * side > 0]
        assert own[:, 2].min() < -0.05 and own[:, 2].max() > 0.12


def test_left_right_and_front_are_told_apart() -> None:
    mesh = mannequin(HUMANML22)
    for name, side in (("left", 1), ("right", -1)):
        own = mesh.vertices[(mesh.colours == sculpture.PALETTE[name]).all(axis=1)]
        assert len(own) > 100 and (own[:, 0] * side > 0).all()
    head = HUMANML22.rest()[HUMANML22.index("head")]
    dark = (mesh.colours == sculpture.PALETTE["dark"]).all(axis=1) & (mesh.vertices[:, 1] > head[1])
    assert dark.any() and (mesh.vertices[dark, 2] > head[2]).all()  # the visor


@pytest.mark.parametrize(
    ("point", "owner"),
    [
        ((0.60, 0.483, -0.056), "left_elbow"), ((-0.85, 0.475, -0.056), "right_wrist"),
        ((0.33, 0.483, -0.056), "left_shoulder"), ((0, 0.80, 0), "head"), ((0, 0.61, 0.09), "head"),
        ((-0.076, -0.70, 0), "right_knee"), ((0.09, -0.27, 0), "left_hip"), ((0.09, -0.97, -0.08), "left_ankle"),
        ((-0.095, -0.975, 0.17), "right_foot"), ((0, 0.0, -0.1), "pelvis"), ((0, 0.41, -0.13), "spine3"),
    ],
)  # fmt: skip
def test_weights_belong_to_the_nearest_bone(point: tuple[float, float, float], owner: str) -> None:
    weights = sculpture.weights(np.array([point]))[0]
    assert list(sculpture.joints())[int(weights.argmax())] == owner
    assert weights.max() > 0.9


def test_weights_change_smoothly_along_the_skin() -> None:
    mesh = mannequin(HUMANML22)
    dense = np.zeros((len(mesh.vertices), len(HUMANML22)))
    np.add.at(dense, (np.arange(len(dense))[:, None], mesh.joints), mesh.weights)
    pairs = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]]])
    change = np.abs(dense[pairs[:, 0]] - dense[pairs[:, 1]]).sum(axis=1) / 2
    length = np.linalg.norm(mesh.vertices[pairs[:, 0]] - mesh.vertices[pairs[:, 1]], axis=1)
    assert change.max() < 0.75
    assert np.percentile(change / np.maximum(length, 0.005), 99) < 30  # a hand-over takes centimetres


def test_skin_in_the_rest_pose_is_the_mesh_and_moves_with_the_root() -> None:
    mesh = mannequin(HUMANML22)
    root = np.array([[0.0, 0, 0], [1.0, 2.0, -3.0]])
    out = skin(mesh, HUMANML22, still(HUMANML22, 2), root)
    assert out.shape == (2, len(mesh.vertices), 3) and out.dtype == np.float32
    np.testing.assert_allclose(out - root[:, None], np.stack([mesh.vertices] * 2), atol=1e-6)


def test_skin_agrees_with_a_plain_loop() -> None:
    rng = np.random.default_rng(0)
    mesh = mannequin(HUMANML22)
    rotations = rotation.normalise(still(HUMANML22, 2) + 0.4 * rng.normal(size=(2, 22, 4)))
    root = rng.normal(size=(2, 3))
    out = skin(mesh, HUMANML22, rotations, root)
    world = rotation.to_matrix(kinematics.global_rotations(HUMANML22, rotations))
    joints, rest = kinematics.forward(HUMANML22, rotations, root), HUMANML22.rest()
    for vertex in rng.choice(len(mesh.vertices), 200):
        for t in range(2):
            place = np.zeros(3)
            for joint, weight in zip(mesh.joints[vertex], mesh.weights[vertex], strict=True):
                place += weight * (joints[t, joint] + world[t, joint] @ (mesh.vertices[vertex] - rest[joint]))
            np.testing.assert_allclose(out[t, vertex], place, atol=2e-6)


@pytest.mark.parametrize(
    "turns",
    [
        {"left_shoulder": (0, 0, -75), "right_shoulder": (0, 0, 75)},
        {"left_hip": (-85, 0, 0), "left_knee": (90, 0, 0)},
        {"left_elbow": (0, -110, 0), "right_elbow": (0, 110, 0)},
        {"spine1": (20, 0, 0), "spine2": (25, 0, 0), "neck": (20, 0, 0)},
    ],
    ids=["arms down", "sitting", "elbows bent", "bowing"],
)
def test_ordinary_poses_keep_the_body_whole(turns: dict[str, tuple[float, float, float]]) -> None:
    """The volume stays, no triangle is stretched to a flap, and no part collapses to a point."""
    mesh = mannequin(HUMANML22)
    rotations = still(HUMANML22)
    for name, degrees in turns.items():
        rotations[0, HUMANML22.index(name)] = rotation.from_axis_angle(np.radians(np.array(degrees, dtype=float)))
    posed = skin(mesh, HUMANML22, rotations, np.zeros((1, 3)))[0].astype(float)

    def volume(vertices: np.ndarray) -> float:
        a, b, c = (vertices[mesh.faces[:, k]] for k in range(3))
        return float(np.einsum("fa,fa->", a, np.cross(b, c)) / 6)

    assert 0.94 < volume(posed) / volume(mesh.vertices) < 1.06
    pairs = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]]])
    before, after = (np.linalg.norm(v[pairs[:, 0]] - v[pairs[:, 1]], axis=1) for v in (mesh.vertices, posed))
    assert (after - before).max() < 0.06


def test_other_lengths_fit_their_joints() -> None:
    tall = Skeleton("tall", HUMANML22.names, HUMANML22.parents, HUMANML22.offsets * 1.25)
    np.testing.assert_allclose(mannequin(tall).vertices, mannequin(HUMANML22).vertices * 1.25, atol=1e-9)
    offsets = HUMANML22.offsets.copy()
    offsets[HUMANML22.index("left_wrist")] *= 1.5
    long = Skeleton("long", HUMANML22.names, HUMANML22.parents, offsets)
    grown = mannequin(long).vertices[:, 0].max() - mannequin(HUMANML22).vertices[:, 0].max()
    assert abs(grown - 0.5 * HUMANML22.lengths[HUMANML22.index("left_wrist")]) < 0.003


def test_a_rig_with_other_names_gets_the_figure_and_a_lying_one_capsules() -> None:
    other = {
        "pelvis": "Hips",
        "spine1": "Spine",
        "spine2": "Spine1",
        "spine3": "Spine2",
        "neck": "Neck",
        "head": "Head",
    }
    parts = {"hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase", "collar": "Shoulder", "shoulder": "Arm"}
    parts |= {"elbow": "ForeArm", "wrist": "Hand"}

    def rename(name: str) -> str:
        side, _, part = name.partition("_")
        return other[name] if name in other else f"mixamorig:{side.capitalize()}{parts[part]}"

    names = tuple(rename(n) for n in HUMANML22.names)
    mixamo = mannequin(Skeleton("mixamo", names, HUMANML22.parents, HUMANML22.offsets))
    np.testing.assert_allclose(mixamo.vertices, mannequin(HUMANML22).vertices, atol=0.02)
    np.testing.assert_array_equal(mixamo.joints, mannequin(HUMANML22).joints)
    lying = Skeleton("lying", HUMANML22.names, HUMANML22.parents, HUMANML22.offsets[:, [0, 2, 1]])
    assert len(mannequin(lying).vertices) != len(mixamo.vertices)


def test_wrong_joint_count_is_said() -> None:
    with pytest.raises(ShapeError, match="humanml22"):
        skin(mannequin(HUMANML22), HUMANML22, still(SMPL24), np.zeros((1, 3)))


def test_it_is_built_and_moved_quickly() -> None:
    """Processor time, so that a busy machine does not matter much; 0.25 s and 20 ms per frame when measured."""
    start = time.process_time()
    person(*landmarks(HUMANML22))  # type: ignore[misc]
    assert time.process_time() - start < 2.0
    mesh = mannequin(HUMANML22)
    start = time.process_time()
    skin(mesh, HUMANML22, still(HUMANML22, 20), np.zeros((20, 3)))
    assert time.process_time() - start < 2.0
