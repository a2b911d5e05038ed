"""Editing: what stays is bit-equal, joins are measured, bad input writes nothing. Random weights of the tiny preset."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import laban
from laban import cli
from laban.errors import InputError
from laban.metrics.transitions import seam_error
from laban.motion import blend
from laban.motion.motion import Motion
from laban.systems.momask.config import TINY
from laban.systems.momask.editing import Edit, edit, join, window
from laban.systems.momask.system import MoMask
from laban.systems.requests import TextRequest


@pytest.fixture(scope="module")
def system() -> MoMask:
    torch.manual_seed(0)
    made = MoMask(TINY, {"mean": np.zeros(263, np.float32), "std": np.full(263, 0.1, np.float32)})
    for name, buffer in made.tokenizer.named_buffers():
        if name.endswith(".codes"):
            buffer.normal_()
    return made.eval()


@pytest.fixture(scope="module")
def clip() -> Motion:
    """A figure that walks, 3.4 s at 30 fps."""
    from laban.motion.skeletons import HUMANML22

    t = np.arange(102) / 30
    rotations = np.zeros((102, 22, 4))
    rotations[..., 0] = 1
    for name, sign in (("left_hip", 1), ("right_hip", -1), ("left_shoulder", -1), ("right_shoulder", 1)):
        angle = 0.5 * sign * np.sin(5 * t)
        rotations[:, HUMANML22.index(name)] = np.stack([np.cos(angle / 2), np.sin(angle / 2), 0 * t, 0 * t], -1)
    root = np.stack([0.1 * np.sin(t), 0.92 + 0.02 * np.cos(10 * t), 1.1 * t], -1)
    return Motion(HUMANML22, rotations, root, 30.0, (laban.Segment("a person walks", 0.0, 3.4),))


@pytest.mark.parametrize("stretches", [[(30, 61)], [(0, 40)], [(70, 102)], [(10, 30), (60, 80)], [(60, 80), (0, 9)]])
def test_what_stays_is_bit_equal(system, clip, stretches) -> None:
    edits = [Edit(f"a person bows {i}", a, b) for i, (a, b) in enumerate(stretches)]
    one, two = (edit(system, clip, edits, seed=3, samples=2) for _ in range(2))
    inside = np.zeros(102, bool)
    for a, b in stretches:
        inside[a:b] = True
    assert np.array_equal(one.motion.rotations[~inside], clip.rotations[~inside])
    assert np.array_equal(one.motion.root[~inside], clip.root[~inside])
    for a, b in stretches:
        assert np.abs(one.motion.joints()[a:b] - clip.joints()[a:b]).max() > 0.01
    assert np.array_equal(one.motion.rotations, two.motion.rotations)
    assert not np.array_equal(one.motion.root, edit(system, clip, edits, seed=4, samples=2).motion.root)
    assert len(one.seams) == sum((a > 0) + (b < 102) for a, b in stretches)
    assert [s.text for s in one.motion.segments if "bows" in s.text] == [
        e.text for e in sorted(edits, key=lambda e: e.first)
    ]
    assert one.motion.passport["edits"][0]["text"].startswith("a person bows") and one.motion.passport["seed"] == 3


def test_going_on_and_leading_over(system, clip) -> None:
    on = join(system, clip, "a person waves", 1.5, None, seed=0, samples=2).motion
    assert on.frames == 102 + 45 and np.array_equal(on.rotations[:102], clip.rotations)
    turned = replace(clip, root=clip.root[::-1] + [3.0, 0.0, 5.0])
    over = join(system, clip, "a person waves", 1.0, turned, seed=0, samples=2)
    motion = over.motion
    assert motion.frames == 234 and len(over.seams) == 2
    assert np.array_equal(motion.rotations[:102], clip.rotations) and np.array_equal(motion.root[:102], clip.root)
    assert np.allclose(motion.rotations[132:, 1:], turned.rotations[:, 1:])  # moved as a whole: no joint bends
    steps = [np.linalg.norm(np.diff(m.root, axis=0), axis=-1) for m in (motion, turned)]
    assert np.allclose(steps[0][132:], steps[1], atol=1e-9)
    with pytest.raises(InputError, match="30 and 20 fps"):
        join(system, clip, "a person waves", 1.0, turned.resample(20), seed=0)


def test_windows_hang_on_the_grid_and_fit_the_model(system, clip) -> None:
    seen = window(system, clip, Edit("x", 33, 57))
    assert seen.before % 4 == seen.gap % 4 == seen.after % 4 == 0 and seen.gap == 16
    assert seen.start + seen.before / 20 == pytest.approx(1.1)
    long = replace(clip, rotations=np.tile(clip.rotations, (6, 1, 1)), root=np.tile(clip.root, (6, 1)))
    seen = window(system, long, Edit("x", 300, 330))
    assert seen.frames == 196 and abs(seen.before - seen.after) <= 8
    with pytest.raises(InputError, match="at most 9.60 s"):
        window(system, long, Edit("x", 100, 500))


def test_inset_starts_where_the_kept_frames_end(clip) -> None:
    moved = clip.root + [0.2, 0.05, -0.1]
    joined = blend.inset(clip, clip.rotations[40:80], moved[40:80], 40)
    error = seam_error(joined.joints(), [40, 80])
    cut = seam_error(
        replace(clip, root=np.concatenate([clip.root[:40], moved[40:80], clip.root[80:]])).joints(), [40, 80]
    )
    assert error.max() < 0.01 and cut.min() > 0.1
    assert np.allclose(joined.root[60], moved[60], atol=0.02)  # the offsets have died out in the middle
    with pytest.raises(InputError, match="stretch inside"):
        blend.inset(clip, clip.rotations, clip.root, 1)


@pytest.fixture(scope="module")
def folder(system, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("model")
    system.save(place)
    return place


def test_the_command(folder, clip, tmp_path, capsys) -> None:
    laban.write(clip, tmp_path / "in.npz")
    argv = ["edit", str(tmp_path / "in.npz"), "--text", "a person bows", "--range", "1.0:2.0", "--text",
            "a person waves", "--range", "3:", "--out", str(tmp_path / "out.npz"), "--model", str(folder), "--samples",
            "2"]  # fmt: skip
    assert cli.main([*argv, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["frames"] == 102 and len(said["seams"]) == 3 and said["passport"]["edits"][1]["start"] == 3.0
    there, back = np.load(tmp_path / "in.npz"), np.load(tmp_path / "out.npz")
    kept = np.r_[0:30, 60:90]
    for name in ("rotations", "root"):
        assert np.array_equal(there[name][kept], back[name][kept])
        assert not np.array_equal(there[name][30:60], back[name][30:60])
    assert cli.main(argv) == 0
    assert capsys.readouterr().out.count("seam at") == 3
    argv = [
        "edit",
        str(tmp_path / "in.npz"),
        "--text",
        "a person waves",
        "--extend",
        "1",
        "--quiet",
        "--model",
        str(folder),
    ]
    assert cli.main([*argv, "--out", str(tmp_path / "longer.bvh")]) == 0
    assert laban.read(tmp_path / "longer.bvh").frames == 132


@pytest.mark.parametrize(("argv", "word"), [
    (["--range", "2:1"], "START before END"), (["--range", "1:1"], "START before END"), 
    (["--range", "1.0:9"], "outside"),
    (["--range", "-1:2"], "START:END"), (["--range", "one:2"], "START:END"), (["--range", "1.5"], "START:END"),
    (["--range", "nan:2"], "START:END"), (["--range", ":"], "whole clip"), (["--range", "1.0:1.01"], "at least 2"),
    (["--range", "0.1:"], "too few"), ([], "--range"), (["--range", "1:2", "--extend", "1"], "one of"),
    (["--range", "1:2", "--range", "2:3"], "one text per range"), (["--then", "in.npz"], "--gap"),
    (["--gap", "1", "--range", "1:2"], "--gap"), (["--extend", "60"], "at most"), (["--extend", "0"], "--extend"),
    (["--then", "slow.npz", "--gap", "1"], "fps"), (["--then", "none.npz", "--gap", "1"], "none.npz"),
    (["--range", "1:2", "--samples", "0"], "--samples"), (["--range", "1:2", "--text", "more"], "one text per range"),
    (["--range", "1:2", "--out", "in.npz"], "overwritten"),
])  # fmt: skip
def test_bad_input_writes_nothing(folder, clip, tmp_path, argv, word, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    laban.write(clip, "in.npz")
    laban.write(clip.resample(20), "slow.npz")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    base = ["edit", "in.npz", "--text", "a person bows", "--model", str(folder)]
    base += [] if "--out" in argv else ["--out", "x.npz"]
    assert cli.main([*base, *argv]) == 2
    said = capsys.readouterr()
    assert word in said.err and said.err.count("\n") == 1 and said.out == ""
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_ranges_apart_and_no_humanoid(system, clip, tmp_path) -> None:
    with pytest.raises(InputError, match="two ranges"):
        edit(system, clip, [Edit("a", 10, 30), Edit("b", 20, 40)], 0)
    tree = laban.Skeleton("table", ("top", "leg"), (-1, 0), np.array([[0, 0, 0], [0, -1, 0.0]]))
    table = Motion(tree, np.tile([1.0, 0, 0, 0], (50, 2, 1)), np.zeros((50, 3)), 30.0)
    with pytest.raises(InputError, match="recognised"):
        edit(system, table, [Edit("a", 10, 30)], 0)


def test_files_of_our_own_come_back_bit_for_bit(system, tmp_path) -> None:
    motion = system.generate([TextRequest("a person walks", 2.0)], seed=1)[0]
    laban.write(motion, tmp_path / "a.npz")
    laban.write(laban.read(tmp_path / "a.npz"), tmp_path / "b.npz")
    a, b = np.load(tmp_path / "a.npz"), np.load(tmp_path / "b.npz")
    assert all(np.array_equal(a[k], b[k]) for k in ("rotations", "root"))
