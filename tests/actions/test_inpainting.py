"""Stretches of a clip: what stays is bit-equal, joins are measured. Random weights of the tiny preset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import laban
from laban.actions.context import Context
from laban.actions.inpainting import Draws, extend, replace_stretches
from laban.errors import InputError
from laban.metrics.transitions import seam_error
from laban.motion import blend
from laban.motion.motion import Motion
from laban.motion.stretch import window
from laban.systems.momask.system import MoMask
from laban.systems.requests import Stretch, TextRequest
from tests.actions import tiny


@pytest.fixture(scope="module")
def system() -> MoMask:
    return tiny.momask()


@pytest.fixture(scope="module")
def clip() -> Motion:
    return tiny.walk()


@pytest.mark.parametrize("stretches", [[(30, 61)], [(0, 40)], [(70, 102)], [(10, 30), (60, 80)], [(60, 80), (0, 9)]])
def test_what_stays_is_bit_equal(system, clip, stretches) -> None:
    wanted = [Stretch(f"a person bows {i}", a, b) for i, (a, b) in enumerate(stretches)]
    (one, seams), (two, _) = (replace_stretches(system, clip, wanted, Draws(3, 2), Context()) for _ in range(2))
    inside = np.zeros(102, bool)
    for a, b in stretches:
        inside[a:b] = True
    assert np.array_equal(one.rotations[~inside], clip.rotations[~inside])
    assert np.array_equal(one.root[~inside], clip.root[~inside])
    for a, b in stretches:
        assert np.abs(one.joints()[a:b] - clip.joints()[a:b]).max() > 0.01
    assert np.array_equal(one.rotations, two.rotations)
    assert not np.array_equal(one.root, replace_stretches(system, clip, wanted, Draws(4, 2), Context())[0].root)
    assert len(seams) == sum((a > 0) + (b < 102) for a, b in stretches)
    assert [s.text for s in one.segments if "bows" in s.text] == [e.text for e in sorted(wanted, key=lambda e: e.first)]
    assert one.passport["edits"][0]["text"].startswith("a person bows") and one.passport["seed"] == 3


def test_going_on_and_leading_over(system, clip) -> None:
    on = extend(system, clip, "a person waves", 1.5, None, Draws(0, 2), Context())[0]
    assert on.frames == 102 + 45 and np.array_equal(on.rotations[:102], clip.rotations)
    turned = replace(clip, root=clip.root[::-1] + [3.0, 0.0, 5.0])
    motion, seams = extend(system, clip, "a person waves", 1.0, turned, Draws(0, 2), Context())
    assert motion.frames == 234 and len(seams) == 2
    assert np.array_equal(motion.rotations[:102], clip.rotations) and np.array_equal(motion.root[:102], clip.root)
    assert np.allclose(motion.rotations[132:, 1:], turned.rotations[:, 1:])  # moved as a whole: no joint bends
    steps = [np.linalg.norm(np.diff(m.root, axis=0), axis=-1) for m in (motion, turned)]
    assert np.allclose(steps[0][132:], steps[1], atol=1e-9)
    with pytest.raises(InputError, match="30 and 20 fps"):
        extend(system, clip, "a person waves", 1.0, turned.resample(20), Draws(), Context())


def test_windows_hang_on_the_grid_and_fit_the_model(system, clip) -> None:
    seen = window(clip, 33, 57, system.grid)
    assert seen.before % 4 == seen.gap % 4 == seen.after % 4 == 0 and seen.gap == 16
    assert seen.start + seen.before / 20 == pytest.approx(1.1)
    long = replace(clip, rotations=np.tile(clip.rotations, (6, 1, 1)), root=np.tile(clip.root, (6, 1)))
    seen = window(long, 300, 330, system.grid)
    assert seen.frames == 196 and abs(seen.before - seen.after) <= 8
    with pytest.raises(InputError, match=r"at most 9\.60 s"):
        window(long, 100, 500, system.grid)


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


def test_ranges_apart_and_no_humanoid(system, clip, tmp_path) -> None:
    with pytest.raises(InputError, match="two ranges"):
        replace_stretches(system, clip, [Stretch("a", 10, 30), Stretch("b", 20, 40)], Draws(), Context())
    tree = laban.Skeleton("table", ("top", "leg"), (-1, 0), np.array([[0, 0, 0], [0, -1, 0.0]]))
    table = Motion(tree, np.tile([1.0, 0, 0, 0], (50, 2, 1)), np.zeros((50, 3)), 30.0)
    with pytest.raises(InputError, match="recognised"):
        replace_stretches(system, table, [Stretch("a", 10, 30)], Draws(), Context())


def test_files_of_our_own_come_back_bit_for_bit(system, tmp_path) -> None:
    motion = system.generate([TextRequest("a person walks", 2.0)], seed=1)[0]
    laban.write(motion, tmp_path / "a.npz")
    laban.write(laban.read(tmp_path / "a.npz"), tmp_path / "b.npz")
    a, b = np.load(tmp_path / "a.npz"), np.load(tmp_path / "b.npz")
    assert all(np.array_equal(a[k], b[k]) for k in ("rotations", "root"))
