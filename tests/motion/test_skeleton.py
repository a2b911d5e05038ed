"""Skeletons: frozen trees, checked when made."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from laban.errors import InputError, ShapeError
from laban.motion.humanml import HUMANML, KIT
from laban.motion.skeleton import Skeleton
from laban.motion.skeletons import HUMANML22, KIT21, SKELETONS, SMPL24

LEG = Skeleton("leg", ("hip", "knee", "ankle"), (-1, 0, 1), np.array([[0, 0, 0], [0, -0.4, 0], [0, -0.5, 0]]))


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
class TestBuiltIn:
    def test_is_a_tree_with_parents_first(self, skeleton):
        assert skeleton.parents[0] == -1
        assert all(0 <= parent < joint for joint, parent in enumerate(skeleton.parents) if joint)
        for joint in range(len(skeleton)):
            assert all(skeleton.parents[child] == joint for child in skeleton.children(joint))
        assert sum(len(skeleton.children(j)) for j in range(len(skeleton))) == len(skeleton) - 1

    def test_left_is_plus_x_and_feet_point_forward(self, skeleton):
        rest = skeleton.rest()
        for name in ("left_hip", "left_shoulder", "left_wrist", "left_foot"):
            left, right = skeleton.index(name), skeleton.index(name.replace("left", "right"))
            assert rest[left, 0] > 0.03 > -0.03 > rest[right, 0]
        assert rest[skeleton.index("left_foot"), 2] > rest[skeleton.index("left_ankle"), 2] + 0.03
        assert rest[skeleton.index("head"), 1] > rest[skeleton.index("neck"), 1] > 0.2
        assert rest[skeleton.index("left_ankle"), 1] < -0.6

    def test_arms_lie_along_x(self, skeleton):
        rest = skeleton.rest()
        arm = rest[skeleton.index("left_wrist")] - rest[skeleton.index("left_shoulder")]
        assert arm[0] > 0.9 * np.linalg.norm(arm)

    def test_pairs_are_an_involution_that_swaps_names(self, skeleton):
        pairs = skeleton.pairs
        np.testing.assert_array_equal(pairs[pairs], np.arange(len(skeleton)))
        assert pairs[skeleton.index("left_knee")] == skeleton.index("right_knee")
        assert pairs[skeleton.index("head")] == skeleton.index("head")

    def test_lengths_are_those_of_the_offsets(self, skeleton):
        rest = skeleton.rest()
        for joint in range(1, len(skeleton)):
            length = np.linalg.norm(rest[joint] - rest[skeleton.parents[joint]])
            assert skeleton.lengths[joint] == pytest.approx(length, abs=1e-12)
        assert skeleton.lengths[0] == 0
        assert (skeleton.lengths[1:] > 0.02).all() and (skeleton.lengths < 0.6).all()


def test_joint_order_is_that_of_the_field():
    assert [HUMANML22.names[j] for j in (0, 1, 2, 7, 8, 10, 11, 15, 16, 17, 20, 21)] == [
        "pelvis", "left_hip", "right_hip", "left_ankle", "right_ankle", "left_foot", "right_foot", "head",
        "left_shoulder", "right_shoulder", "left_wrist", "right_wrist",
    ]  # fmt: skip
    assert (len(HUMANML22), len(SMPL24), len(KIT21)) == (22, 24, 21)
    assert SMPL24.names[:22] == HUMANML22.names


@pytest.mark.parametrize(("skeleton", "layout"), [(HUMANML22, HUMANML), (KIT21, KIT)], ids=["22", "21"])
def test_bones_agree_with_the_feature_layout(skeleton, layout):
    parents = {b: a for chain in layout.chains for a, b in zip(chain[:-1], chain[1:], strict=True)}
    for joint in range(1, len(skeleton)):
        assert parents[joint] == skeleton.parents[joint]
        assert skeleton.lengths[joint] == pytest.approx(layout.lengths[joint] * layout.unit, abs=1e-6)


def test_is_frozen():
    with pytest.raises(ValueError, match="read-only"):
        LEG.offsets[0, 0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        LEG.name = "arm"  # type: ignore[misc]


def test_does_not_share_memory_with_what_it_was_made_of():
    offsets = np.zeros((2, 3))
    skeleton = Skeleton("two", ("a", "b"), (-1, 0), offsets)
    offsets[1, 1] = 5.0
    assert skeleton.offsets[1, 1] == 0.0


def test_equality_is_by_value():
    same = Skeleton("other name", LEG.names, LEG.parents, LEG.offsets.copy())
    longer = Skeleton("leg", LEG.names, LEG.parents, LEG.offsets * 2)
    assert same == LEG and hash(same) == hash(LEG)
    assert longer != LEG and longer.same_tree(LEG)
    assert LEG != "leg"


@pytest.mark.parametrize(
    ("names", "parents", "offsets", "error"),
    [
        (("a", "b"), (-1,), np.zeros((2, 3)), ShapeError),
        (("a", "b"), (-1, 0), np.zeros((3, 3)), ShapeError),
        ((), (), np.zeros((0, 3)), ShapeError),
        (("a", "b"), (1, -1), np.zeros((2, 3)), ShapeError),
        (("a", "b"), (-1, -1), np.zeros((2, 3)), ShapeError),
        (("a", "b", "c"), (-1, 2, 1), np.zeros((3, 3)), ShapeError),
        (("a", "a"), (-1, 0), np.zeros((2, 3)), InputError),
    ],
)
def test_broken_trees_are_refused(names, parents, offsets, error):
    with pytest.raises(error, match="broken"):
        Skeleton("broken", names, parents, offsets)


def test_unknown_joint_lists_the_names():
    with pytest.raises(InputError, match=r"no joint 'toe'.*hip, knee, ankle"):
        LEG.index("toe")
