"""Walks played from their end: whose, and that they go against where the body faces."""

import numpy as np
import pytest

from laban.data.clips import clip_pair, with_backward
from laban.data.synthesis import walkers


def _walk(split="train", caption="a person walks forward", style="normal", speed=1.2):
    joints = walkers.joints(0, 80, speed, 0.3)
    labels = {"action": "walk", "content": "walk", "style": style}
    return clip_pair("take", joints, (caption,), subject="s", source="take.bvh", split=split, labels=labels)


def _forward(joints):
    """Metres travelled in the direction that the body faces."""
    across = joints[0, 2] - joints[0, 1]
    facing = np.cross([0.0, 1.0, 0.0], across) / np.linalg.norm(across)
    return float((joints[-1, 0] - joints[0, 0]) @ facing)


def test_a_straight_plain_walk_gives_a_walk_backward_and_its_mirror_image():
    clips = _walk()
    made = with_backward(clips)[len(clips) :]
    assert [c.labels["action"] for c in made] == ["walk-back", "walk-back"]
    assert all("backward" in c.captions[0] for c in made) and made[0].split == "train"
    assert _forward(clips[0].joints) > 3 and _forward(made[0].joints) < -3
    # the same path and stride, one frame less for the features' differences
    assert np.ptp(made[0].joints[:, 7, 1]) == pytest.approx(np.ptp(clips[0].joints[:, 7, 1]), abs=0.01)


@pytest.mark.parametrize(
    "other",
    [dict(split="test"), dict(caption="a person walks like a zombie"), dict(style="tired"), dict(speed=0.0)],
    ids=["held out", "another sentence", "a style", "on the spot"],
)
def test_others_give_none(other):
    clips = _walk(**other)
    assert with_backward(clips) == clips
