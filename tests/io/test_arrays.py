"""npz: what is written comes back, and a hostile file is one clear line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import laban
from laban.errors import FormatError, InputError
from laban.io import arrays, bvh, gltf
from laban.motion.motion import Motion, Segment
from laban.motion.skeletons import HUMANML22

FRAMES = 4


def glide(**fields: Any) -> Motion:
    rotations = np.zeros((FRAMES, 22, 4))
    rotations[..., 0] = 1
    root = np.stack([np.zeros(FRAMES), np.full(FRAMES, 0.95), np.arange(FRAMES) * 0.05], axis=-1)
    return Motion(HUMANML22, rotations, root, 20.0, **fields)


@pytest.mark.parametrize("name", ["a.npz", "a.NPZ"])
def test_round_trip(tmp_path: Path, name: str) -> None:
    motion = glide(segments=(Segment("a person glides", 0.0, 0.2),), passport={"seed": 7, "words": ["é"]})
    laban.write(motion, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    back = laban.read(tmp_path / name)
    assert (back.skeleton, back.fps, back.segments) == (motion.skeleton, motion.fps, motion.segments)
    assert back.passport == motion.passport and back.skeleton.name == "humanml22"
    np.testing.assert_allclose(back.joints(), motion.joints(), atol=1e-6)


def test_joints_alone_are_enough(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", joints=glide().joints(), fps=20)
    np.testing.assert_allclose(laban.read(tmp_path / "a.npz").joints(), glide().joints(), atol=1e-6)


def damaged(kind: str, data: dict[str, Any]) -> None:
    about = json.loads(str(data["about"]))
    if kind == "passport is a list":
        about["passport"] = [1]
    elif kind == "passport is endless":
        about["passport"] = {"seconds": float("inf")}
    elif kind == "half a character":
        about["passport"] = {"text": "\ud800"}
    elif kind == "segment without an end":
        about["segments"] = [{"text": "a", "start": 0, "end": float("nan")}]
    elif kind == "about is a list":
        about = [1]
    data["about"] = np.array(json.dumps(about))
    if kind == "a joint is its own parent":
        data["parents"][3] = 3
    elif kind == "thousands of joints of one name":
        data["names"] = np.array(["a"] * 100_000)
        data["parents"], data["offsets"] = np.arange(-1, 99_999), np.zeros((100_000, 3))
    elif kind == "offsets are NaN":
        data["offsets"] = data["offsets"] * np.nan
    elif kind == "rotations are 0":
        data["rotations"] = data["rotations"] * 0
    elif kind == "rotations are huge":
        data["rotations"] = data["rotations"].astype(np.float64) * 1e200
    elif kind == "at the end of the world":
        data["root"] = data["root"] + 1e30
    elif kind == "a rate of nearly 0":
        data["fps"] = np.float64(5e-324)
    elif kind == "pickles":
        data["names"] = np.array([{}] * 22, dtype=object)


@pytest.mark.parametrize(
    "kind",
    ["passport is a list", "passport is endless", "half a character", "segment without an end", "about is a list",
     "a joint is its own parent", "thousands of joints of one name", "offsets are NaN", "rotations are 0",
     "rotations are huge", "at the end of the world", "a rate of nearly 0", "pickles"],
)  # fmt: skip
def test_damaged_files_are_one_clear_line(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.npz"
    arrays.write(glide(passport={"seed": 1}), path)
    with np.load(path) as file:
        data = {key: file[key] for key in file.files}
    damaged(kind, data)
    np.savez(path, **data)
    with pytest.raises(FormatError) as caught:
        laban.read(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_truncated_files_are_one_clear_line(tmp_path: Path) -> None:
    arrays.write(glide(), tmp_path / "whole.npz")
    whole = (tmp_path / "whole.npz").read_bytes()
    for content in (b"", whole[:10], whole[: len(whole) // 2], whole[:-30], whole[:200] + b"\xff" * 40 + whole[240:]):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(FormatError, match=r"a\.npz"):
            laban.read(tmp_path / "a.npz")


@pytest.mark.parametrize("module", [arrays, bvh, gltf])
@pytest.mark.parametrize("passport", [{"seed": float("nan")}, {"seed": {1, 2}}, {"text": "\ud800"}])
def test_a_passport_that_json_cannot_hold_writes_nothing(tmp_path: Path, module: Any, passport: dict) -> None:
    with pytest.raises(InputError, match="does not fit into JSON"):
        module.write(glide(passport=passport), tmp_path / f"a{module.__name__[-4:]}")
    assert list(tmp_path.iterdir()) == []
