"""Which way is up and how long a metre is, from the body: told, and overruled by whoever knows better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from laban.errors import InputError
from laban.motion import rotation
from laban.motion.bearings import UNITS, per_metre, settled, sized
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22
from tests.motion.test_rest_poses import about, rested, scrambled, walker

# What takes our axes into those of a file with another axis up.
INTO = {
    "z": about("x", 90.0), "x": about("z", -90.0), "-y": about("x", 180.0), "-z": about("x", -90.0),
    "-x": about("z", 90.0),
}  # fmt: skip


def in_axes(motion: Motion, up: str, rest: bool) -> Motion:
    """The motion as a file with that axis up holds it; `rest`: its zero pose is turned, too."""
    turn = INTO[up]
    root = rotation.rotate(turn, motion.root)
    if not rest:
        rotations = motion.rotations.copy()
        rotations[:, 0] = rotation.multiply(turn, rotations[:, 0])
        return replace(motion, rotations=rotations, root=root)
    skeleton = replace(motion.skeleton, offsets=rotation.rotate(turn, motion.skeleton.offsets))
    rotations = rotation.multiply(rotation.multiply(turn, motion.rotations), rotation.conjugate(turn))
    return replace(motion, skeleton=skeleton, rotations=rotations, root=root)


def lying(motion: Motion) -> Motion:
    """On the back, on the floor, head towards -Z."""
    rotations = np.repeat(motion.rotations[:1], 40, axis=0)
    rotations[:, 0] = about("x", -90.0)
    return replace(motion, rotations=rotations, root=np.tile([0.0, 0.12, 2.0], (40, 1)))


@pytest.mark.parametrize("rest", [True, False])
@pytest.mark.parametrize("up", INTO)
def test_the_axis_that_is_up_is_found_and_told(up: str, rest: bool) -> None:
    motion = walker()
    found = settled(in_axes(motion, up, rest))
    np.testing.assert_allclose(found.joints(), motion.joints(), atol=1e-6)
    assert f"{up.upper()} is up in it" in found.notes[0]


def test_a_rig_without_a_rest_pose_is_turned_too() -> None:
    motion = walker()
    found = settled(in_axes(rested(motion, scrambled(1)), "z", rest=False))
    np.testing.assert_allclose(found.joints(), motion.joints(), atol=1e-6)


def test_who_lies_on_the_floor_stays_there() -> None:
    down = lying(walker())
    assert settled(down).notes == () and np.array_equal(settled(down).root, down.root)


def test_who_flies_ahead_goes_on_flying() -> None:
    flat = lying(walker())
    assert settled(replace(flat, root=np.tile([0.0, 1.4, 0.1], (40, 1)))).notes == ()


def test_who_knows_the_axis_says_so() -> None:
    motion = walker()
    forced = settled(motion, up="z")
    assert forced.joints()[0, :, 2].max() - forced.joints()[0, :, 2].min() > 1.3 and forced.notes == ()
    assert settled(in_axes(motion, "z", True), up="y").notes == ()
    with pytest.raises(InputError, match="expected one of y z x"):
        settled(motion, up="w")


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("tall", [0.9, 1.0, 1.15])
def test_units_are_found_from_the_body(unit: str, tall: float) -> None:
    motion = sized(walker(), tall)
    found = settled(sized(motion, UNITS[unit]))
    np.testing.assert_allclose(found.joints(), motion.joints(), atol=1e-6)
    assert bool(found.notes) == (unit not in ("m", "cm", "mm"))


def test_a_child_and_a_giant_in_usual_units_keep_their_size() -> None:
    for size in (0.6, 1.6):
        motion = sized(walker(), size)
        np.testing.assert_allclose(settled(sized(motion, 100.0)).root, motion.root, atol=1e-9)


def test_units_that_are_given() -> None:
    motion = walker()
    np.testing.assert_allclose(settled(motion, units="cm").root, motion.root / 100)
    np.testing.assert_allclose(settled(motion, units="2.5").root, motion.root / 2.5)
    for wrong in ("cubits", "0", "-1", "nan"):
        with pytest.raises(InputError, match="expected one of m cm mm"):
            per_metre(wrong)


def test_what_is_no_body_keeps_its_axes() -> None:
    still = np.zeros((2, 22, 4))
    still[..., 0] = 1.0
    names = tuple(f"part{k}" for k in range(22))
    odd = replace(HUMANML22, names=names, parents=(-1, *[0] * 21))
    motion = Motion(odd, still, np.zeros((2, 3)), 30.0)
    assert settled(motion, usual=1.0).notes == ()
