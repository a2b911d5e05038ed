"""Two motions at once: legs and path of one to the bit, trunk and arms of the other."""

import numpy as np
import pytest

from laban.data.synthesis import walkers
from laban.errors import InputError
from laban.motion import layers
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22


@pytest.fixture(scope="module")
def pair():
    walk = Motion.from_joints(walkers.joints(0, 80, 1.2, 0.0), 20)
    wave = Motion.from_joints(walkers.joints(2, 80, 0.0, 0.4), 20)
    return walk, wave


def test_the_upper_body_is_everything_but_root_and_legs():
    names = {HUMANML22.names[n] for n in layers.upper_body(HUMANML22)}
    assert {"left_wrist", "right_shoulder", "head", "spine1"} <= names
    assert not any(part in name for name in names for part in ("hip", "knee", "ankle", "foot", "pelvis"))


def test_legs_and_path_stay_to_the_bit_and_arms_are_the_others(pair):
    walk, wave = pair
    made = layers.upper_over(walk, wave)
    upper = layers.upper_body(HUMANML22)
    lower = [n for n in range(22) if n not in upper]
    assert np.array_equal(made.root, walk.root)
    assert np.array_equal(made.rotations[:, lower], walk.rotations[:, lower])
    dots = np.abs((made.rotations[:, upper] * wave.rotations[:, upper]).sum(-1))
    assert dots.min() > 1 - 1e-9


def test_a_stretch_fades_in_and_out_and_leaves_the_rest(pair):
    walk, wave = pair
    part = Motion(walk.skeleton, wave.rotations[:40], wave.root[:40], 20)
    made = layers.upper_over(walk, part, 20, 60)
    assert np.array_equal(made.rotations[:20], walk.rotations[:20])
    assert np.array_equal(made.rotations[60:], walk.rotations[60:])
    fastest = [
        np.linalg.norm(np.diff(m.joints()[:, 20:22], axis=0), axis=-1).max()
        for m in (made, layers.upper_over(walk, part, 20, 60, fade=0.0))
    ]
    assert fastest[0] < 0.5 * fastest[1]


def test_another_rate_or_length_is_refused(pair):
    walk, wave = pair
    with pytest.raises(InputError, match="one rate"):
        layers.upper_over(walk, wave.resample(30))
    with pytest.raises(InputError, match="frames for"):
        layers.upper_over(walk, wave, 40, 100)
