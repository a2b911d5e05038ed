"""BVH files as people have them: one body out of roots, props, stretch, several people, rows that do not match."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from laban.errors import FormatError, InputError
from laban.io import bvh
from tests.motion.test_rest_poses import walker

FRAMES = 12
MOTION = walker(FRAMES)


@pytest.fixture
def text(tmp_path: Path) -> str:
    """A person as Laban writes one, names changed so that it is nobody's built-in."""
    bvh.write(MOTION, tmp_path / "plain.bvh")
    return (tmp_path / "plain.bvh").read_text()


def save(folder: Path, content: str) -> Path:
    path = folder / "made.bvh"
    path.write_text(content)
    return path


def parts(text: str) -> tuple[str, list[str]]:
    head, tail = text.split("MOTION\n")
    return head, tail.splitlines()


def same(motion, atol: float = 1e-4) -> None:
    """The 22 joints, wherever they stand, are those of the walker."""
    joints = dict(zip(motion.skeleton.names, np.moveaxis(motion.joints(), 1, 0), strict=True))
    for name, want in zip(MOTION.skeleton.names, np.moveaxis(MOTION.joints(), 1, 0), strict=True):
        np.testing.assert_allclose(joints[name], want[: motion.frames], atol=atol, err_msg=name)


@pytest.mark.parametrize(("declared", "kept"), [(11, 11), (13, 12), (40, 12)])
def test_rows_that_do_not_match_are_used_as_far_as_they_go(tmp_path, text, declared, kept) -> None:
    motion = bvh.read(save(tmp_path, text.replace(f"Frames: {FRAMES}", f"Frames: {declared}")))
    assert motion.frames == kept and f"says {declared} frames" in motion.notes[0]
    same(motion)


def test_a_row_that_is_cut_is_left_out(tmp_path, text) -> None:
    motion = bvh.read(save(tmp_path, text.rstrip()[:-40]))
    assert motion.frames == FRAMES - 1 and "whole ones" in motion.notes[0]
    same(motion)


def test_a_row_that_lacks_numbers_in_the_middle_is_damage(tmp_path, text) -> None:
    head, rows = parts(text)
    rows[5] = rows[5].rsplit(" ", 2)[0]
    with pytest.raises(FormatError, match="numbers in 12 lines"):
        bvh.read(save(tmp_path, head + "MOTION\n" + "\n".join(rows)))


def test_milliseconds_are_seen(tmp_path, text) -> None:
    motion = bvh.read(save(tmp_path, re.sub(r"Frame Time: \S+", "Frame Time: 33.333333", text)))
    assert motion.fps == 30 and "milliseconds" in motion.notes[0]


def test_two_people_and_who_is_meant(tmp_path, text) -> None:
    head, rows = parts(text)
    other = head.replace("HIERARCHY\n", "").replace("x:pelvis", "y:pelvis")
    shifted = [f"{500 + float(row.split()[0])} {row.split(' ', 1)[1]}" for row in rows[2:]]
    both = "MOTION\n" + "\n".join([*rows[:2], *(f"{a} {b}" for a, b in zip(rows[2:], shifted, strict=True))])
    path = save(tmp_path, head + other + both)
    first = bvh.read(path)
    assert "2 people are in it (x:pelvis, y:pelvis)" in first.notes[0]
    same(first)
    for who in ("y:pelvis", "1"):
        second = bvh.read(path, person=who)
        np.testing.assert_allclose(second.root, MOTION.root + [5, 0, 0], atol=1e-4)
        assert not second.notes
    with pytest.raises(InputError, match="no person 'z'"):
        bvh.read(path, person="z")


@pytest.mark.parametrize("props", [0, 1, 3])
def test_a_root_beside_whose_hips_other_things_travel(tmp_path, text, props) -> None:
    head, rows = parts(text)
    six = "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    body = head.split("HIERARCHY\n")[1].replace("ROOT x:pelvis", "JOINT x:pelvis")
    extra = "".join(
        f"JOINT IK_{k}\n{{\nOFFSET 0 0 0\n{six}\nEnd Site\n{{\nOFFSET 0 5 0\n}}\n}}\n" for k in range(props)
    )
    made = f"HIERARCHY\nROOT root\n{{\nOFFSET 0 0 0\n{six}\n{body}{extra}}}\n"
    lines = [f"0 0 0 0 0 0 {row}{f' {10 * k} 0 {k} 0 0 0' * props}" for k, row in enumerate(rows[2:])]
    motion = bvh.read(save(tmp_path, made + "MOTION\n" + "\n".join([*rows[:2], *lines])))
    assert motion.skeleton.names[0] == "x:pelvis" and not any("IK" in name for name in motion.skeleton.names)
    assert any("IK_0" in note for note in motion.notes) == bool(props)
    same(motion)


@pytest.mark.parametrize("who", ["x:spine2", "x:left_hip", "x:head"])
def test_a_joint_that_wanders_gets_one_place(tmp_path, text, who) -> None:
    head, rows = parts(text)
    joints = re.findall(r"(?:ROOT|JOINT) (\S+)", head)
    place = 6 + 3 * (joints.index(who) - 1)
    offset = np.array(re.search(rf"JOINT {who}\s*{{\s*OFFSET (\S+) (\S+) (\S+)", head).groups(), float)
    head = re.sub(rf"(JOINT {who}\s*{{\s*OFFSET .*\s*)CHANNELS 3", r"\1CHANNELS 6 Xposition Yposition Zposition", head)
    lines = []
    for k, row in enumerate(rows[2:]):
        words = row.split()
        moved = offset + [0, 1.5 * np.sin(k), 0]
        lines.append(" ".join([*words[:place], *(f"{v:.6f}" for v in moved), *words[place:]]))
    motion = bvh.read(save(tmp_path, head + "MOTION\n" + "\n".join([*rows[:2], *lines])))
    assert who in motion.notes[0] and "got one place" in motion.notes[0]
    same(motion, atol=0.02)


def test_joints_of_one_name_get_numbers(tmp_path, text) -> None:
    for side in ("left", "right"):
        text = text.replace(f"x:{side}_foot", "Toe")
    motion = bvh.read(save(tmp_path, text))
    assert {"Toe", "Toe.001"} <= set(motion.skeleton.names) and "Toe" in motion.notes[0]


def test_a_file_with_z_up_in_inches(tmp_path) -> None:
    from tests.motion.test_bearings import in_axes

    bvh.write(in_axes(MOTION, "z", rest=True), tmp_path / "z.bvh", scale=1 / 0.0254)
    motion = bvh.read(tmp_path / "z.bvh")
    same(motion)
    assert "inches" in motion.notes[0] and "Z is up" in motion.notes[1]
    assert not bvh.read(tmp_path / "z.bvh", up="z", units="in").notes
