"""Renders of a moment, the small image encoder, and the features on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from laban.data.synthesis import walkers
from laban.errors import FormatError, InputError
from laban.motion.motion import Motion
from laban.systems.motionclip.pictures import read_features, render, train, write_features


def pose(action: int, frame: int = 20) -> Motion:
    joints = walkers.joints(action, 40, 1.0, 0.2)[frame : frame + 1]
    return Motion.from_joints(joints, 20.0)


def test_a_picture_shows_a_body_on_white_from_each_side() -> None:
    pictures = render(pose(0), 0, 64)
    assert pictures.shape == (3, 64, 64, 3) and pictures.dtype == np.uint8
    assert (pictures[:, 0] == 255).all()  # white above
    ink = (pictures.mean(-1) < 250).mean((1, 2))
    assert (ink > 0.02).all() and (ink < 0.5).all()
    assert not np.array_equal(pictures[1], pictures[2])
    assert np.array_equal(pictures, render(pose(0), 0, 64))
    for frame, size in ((5, 64), (0, 4), (-1, 64)):
        with pytest.raises(InputError):
            render(pose(0), frame, size)


def test_the_encoder_learns_which_picture_is_which() -> None:
    pictures = (
        torch.from_numpy(
            np.concatenate([render(pose(a, f), 0, 64, (0.0,)).mean(-1) for a in (0, 2) for f in (5, 15, 25, 35)])
        ).float()
        / 255
    )
    owners = torch.tensor([0] * 4 + [1] * 4)
    texts = F.normalize(torch.randn(2, 16, generator=torch.Generator().manual_seed(0)), dim=-1)
    model = train(pictures, texts, owners, 25, batch=16)
    with torch.no_grad():
        assert ((model(pictures) @ texts.T).argmax(-1) == owners).float().mean() >= 0.75


def test_features_come_back_and_other_files_are_refused(tmp_path: Path) -> None:
    features = {"b": torch.randn(3, 8), "a": torch.randn(3, 8)}
    write_features(tmp_path / "x.npz", features)
    found = read_features(tmp_path / "x.npz")
    assert found.keys() == features.keys() and (found["a"] - features["a"]).abs().max() < 2e-3
    with pytest.raises(InputError):
        read_features(tmp_path / "nothing.npz")
    with pytest.raises(InputError):
        write_features(tmp_path / "x.json", features)
    np.savez(tmp_path / "y.npz", ids=np.array(["a"]), features=np.zeros((2, 3)))
    with pytest.raises(FormatError):
        read_features(tmp_path / "y.npz")
