"""Arrays of the field and ASF/AMC: each kind comes in as the motion that it is; hostile files are one clear line."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laban
from laban.errors import FormatError, InputError
from laban.io import pickles
from laban.motion import humanml, rotation
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22, SMPL24


def walk(skeleton: Any = HUMANML22, frames: int = 30) -> Motion:
    rng = np.random.default_rng(2)
    turns = np.cumsum(rng.normal(0, 0.02, (frames, len(skeleton), 3)), axis=0)
    turns[:, 0] *= 0.2
    root = np.stack([np.zeros(frames), np.full(frames, 0.95), np.linspace(0, 1, frames)], axis=-1)
    return Motion(skeleton, rotation.from_axis_angle(turns), root, 20.0)


def poses(motion: Motion) -> np.ndarray:
    return rotation.to_axis_angle(motion.rotations).reshape(motion.frames, -1)


def z_up(places: np.ndarray) -> np.ndarray:
    return places[..., [0, 2, 1]] * np.array([1.0, -1.0, 1.0])


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("a.npz", {"fps": 20.0}), ("a.npz", {"fps": np.array([20.0])}), ("a.npz", {"mocap_framerate": 20}),
    ],
)  # fmt: skip
def test_joints_come_back_where_they_are(name: str, fields: dict[str, Any], tmp_path: Path) -> None:
    for skeleton in (HUMANML22, SMPL24):
        joints = walk(skeleton).joints()
        np.savez(tmp_path / name, joints=joints, **fields)
        motion = laban.read(tmp_path / name)
        assert motion.fps == 20.0 and motion.skeleton.name == skeleton.name and not motion.notes
        np.testing.assert_allclose(motion.joints(), joints, atol=1e-6)


def test_bodies_of_other_shapes_keep_theirs(tmp_path: Path) -> None:
    """Wider hips and a longer neck than HumanML3D's: the joints are where they were given, to the micrometre."""
    offsets = HUMANML22.offsets.copy()
    offsets[[1, 2]] *= (1.4, 0.7, 1.0)
    offsets[12] *= 1.2
    other = type(HUMANML22)("other", HUMANML22.names, HUMANML22.parents, offsets)
    joints = walk(other).joints()
    np.save(tmp_path / "a.npy", joints)
    motion = laban.read(tmp_path / "a.npy")
    np.testing.assert_allclose(motion.joints(), joints, atol=1e-6)
    assert motion.fps == 20.0 and "20 fps were assumed" in motion.notes[0]


def test_millimetres_and_z_up_are_found_and_told(tmp_path: Path) -> None:
    joints = walk().joints()
    np.savez(tmp_path / "a.npz", joints=z_up(joints) * 1000, fps=20.0)
    motion = laban.read(tmp_path / "a.npz")
    np.testing.assert_allclose(motion.joints(), joints, atol=1e-5)
    assert any("Z is up" in note for note in motion.notes)


def test_features_of_humanml3d(tmp_path: Path) -> None:
    joints = humanml.canonical(walk().joints())
    np.save(tmp_path / "a.npy", humanml.features_of(joints).astype(np.float32))
    motion = laban.read(tmp_path / "a.npy")
    assert motion.frames == 29 and motion.fps == 20.0
    np.testing.assert_allclose(motion.joints(), joints[:-1], atol=2e-3)


@pytest.mark.parametrize("width", [66, 72, 156, 165])
def test_poses_of_smpl_and_its_kin(width: int, tmp_path: Path) -> None:
    motion = walk(SMPL24)
    held = np.zeros((motion.frames, width))
    held[:, : min(width, 72)] = poses(motion)[:, :width]
    rest = {"betas": np.zeros(10), "gender": "neutral"}
    np.savez(tmp_path / "a.npz", poses=held, trans=motion.root, mocap_frame_rate=60.0, **rest)
    found = laban.read(tmp_path / "a.npz")
    assert found.fps == 60.0 and len(found.skeleton) == (24 if width == 72 else 22)
    np.testing.assert_allclose(found.joints()[:, :22], motion.joints()[:, :22], atol=1e-6)


def test_amass_is_turned_to_stand(tmp_path: Path) -> None:
    motion = walk()
    turn = rotation.from_axis_angle(np.array([np.pi / 2, 0.0, 0.0]))  # Y up to Z up
    held = motion.rotations.copy()
    held[:, 0] = rotation.multiply(turn, held[:, 0])
    whole = rotation.to_axis_angle(held).reshape(motion.frames, -1)
    np.savez(
        tmp_path / "a.npz", root_orient=whole[:, :3], pose_body=whole[:, 3:66], mocap_frame_rate=20.0,
        trans=rotation.rotate(turn, motion.root),
    )  # fmt: skip
    np.testing.assert_allclose(laban.read(tmp_path / "a.npz").joints(), motion.joints(), atol=1e-6)


@pytest.mark.parametrize(("extra", "fps"), [({"smpl_scaling": np.array([100.0])}, 60.0), ({"full_pose": None}, 30.0)])
def test_pickles_of_aist_and_edge(extra: dict[str, Any], fps: float, tmp_path: Path) -> None:
    motion = walk(SMPL24)
    scale = 100.0 if "smpl_scaling" in extra else 1.0
    extra = {key: motion.joints() if value is None else value for key, value in extra.items()}
    table = {"smpl_poses": poses(motion), "smpl_trans": motion.root * scale, **extra}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(table))
    found = laban.read(tmp_path / "a.pkl")
    assert found.fps == fps
    np.testing.assert_allclose(found.joints(), motion.joints(), atol=1e-6)


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('executed')",))


@pytest.mark.parametrize(
    "table",
    [Bomb(), {"smpl_poses": Bomb()}, [1, 2], {"smpl_poses": np.array([object()])}, {"smpl_poses": np.zeros((3, 72))}],
)
def test_a_hostile_pickle_is_refused_unexecuted(table: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(table, dict) and getattr(table["smpl_poses"], "dtype", None) == np.dtype(object):
        table = {"smpl_poses": np.array([None])}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(table))
    with pytest.raises(FormatError) as caught:
        laban.read(tmp_path / "a.pkl")
    assert "\n" not in str(caught.value) and "executed" not in str(caught.value)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 7)), np.zeros((4, 22, 2)), np.zeros((0, 22, 3)), np.zeros((4, 22, 3)), np.array("text"),
        np.full((4, 22, 3), np.nan), np.zeros((4, 22, 3), complex),
    ],
)  # fmt: skip
def test_arrays_that_are_no_motion_are_refused(array: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(FormatError) as caught:
        laban.read(tmp_path / "a.npy")
    assert "\n" not in str(caught.value) and "a.npy" in str(caught.value)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], object), allow_pickle=True)
    for name, data in (("b.npy", b"\x93NUMPY\x01\x00"), ("c.npy", b""), ("d.pkl", b"\x80\x04"), ("e.pkl", b"")):
        (tmp_path / name).write_bytes(data)
    for name in ("a.npy", "b.npy", "c.npy", "d.pkl", "e.pkl"):
        with pytest.raises(FormatError):
            laban.read(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        pickles.read(tmp_path / "f.pkl")


ASF = """# a comment
:version 1.10
:units
  mass 1.0
  length 1.0
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name upper
     direction 0 1 0
     length 2
     axis 0 0 90  XYZ
     dof rx ry rz
     limits (-160.0 20.0)
            (-70.0 70.0)
            (-60.0 70.0)
  end
  begin
     id 2
     name lower
     direction 1 0 0
     length 3
     axis 0 0 0  XYZ
     dof rz
  end
:hierarchy
  begin
    root upper
    upper lower
  end
"""
AMC = """#!OML
:FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 0 0 0
upper 90 0 0
lower 90
2
root 1 2 4 0 90 0
upper 0 0 0
lower 0
"""


def test_asf_and_amc(tmp_path: Path) -> None:
    """Joints by hand. Frame 1: `upper` turns by 90 degrees about its own x, which its axis line makes the world's y."""
    (tmp_path / "07.asf").write_text(ASF)
    (tmp_path / "07_01.amc").write_text(AMC)
    motion = laban.read(tmp_path / "07_01.amc", units="m")
    assert motion.skeleton.names == ("root", "upper", "lower", "lower_end") and motion.fps == 120.0
    assert "120 fps were assumed" in motion.notes[0]
    # `upper` begins at the root and leads up by 2; turned about the world's y, it stays. `lower` leads along x by 3,
    # which that turn brings to -z, after 90 degrees about z that bring it to y.
    expected = [[[1, 2, 3], [1, 2, 3], [1, 4, 3], [1, 7, 3]], [[1, 2, 4], [1, 2, 4], [1, 4, 4], [1, 4, 1]]]
    np.testing.assert_allclose(motion.joints(), expected, atol=1e-9)


@pytest.mark.parametrize(
    ("asf", "amc"),
    [(ASF, AMC.replace("lower 90\n", "lower 90 1\n")), (ASF, "1\nroot 1\n"), (ASF, ""), (ASF[:400], AMC),
     (ASF.replace("upper lower", "lower lower"), AMC), (ASF.replace("length 2", "length nan"), AMC), ("", AMC)],
)  # fmt: skip
def test_damaged_asf_and_amc_are_one_clear_line(asf: str, amc: str, tmp_path: Path) -> None:
    (tmp_path / "a.asf").write_text(asf)
    (tmp_path / "a.amc").write_text(amc)
    with pytest.raises(FormatError) as caught:
        laban.read(tmp_path / "a.amc")
    assert "\n" not in str(caught.value)


def test_amc_without_its_skeleton(tmp_path: Path) -> None:
    (tmp_path / "a.amc").write_text(AMC)
    with pytest.raises(InputError, match=r"a\.asf"):
        laban.read(tmp_path / "a.amc")
