"""Held-out clips that are training clips are found by their motion, whatever they are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from laban.actions import data
from laban.actions.context import Context
from laban.data.clips import canonical
from laban.data.corpus import Clip, Corpus, write
from laban.data.leaks import laid_over, leaks, mirrored, move_to_train, poses
from laban.data.synthesis import walkers
from laban.motion import humanml, rotation
from laban.motion.skeletons import HUMANML22

ACTIONS = {"walk": (0, 1.1), "curve": (1, 0.9), "wave": (2, 1.0), "bow": (3, 1.0)}


def moves(frames: int = 110, seed: int = 0) -> np.ndarray:
    """(T, 22, 3) metres: somebody who bends the trunk and the limbs as no other seed does."""
    rng = np.random.default_rng(seed)
    joints = walkers.joints(2, frames, 1.0, 0.0)
    t = np.arange(frames) / 20.0
    for chain in ((16, 18, 20), (17, 19, 21), (12, 15), (4, 7, 10), (5, 8, 11)):
        for number, joint in enumerate(chain, start=1):
            for axis in range(3):
                rate, at = rng.uniform(0.15, 0.5), rng.uniform(0, 2 * np.pi)
                joints[:, joint, axis] += 0.08 * number * np.sin(2 * np.pi * rate * t + at)
    return joints


def seen(joints: np.ndarray, fraction: float) -> np.ndarray:
    """At another tempo."""
    at = np.arange(0, len(joints) - 1, fraction)
    low, share = at.astype(int), (at % 1)[:, None, None]
    return (1 - share) * joints[low] + share * joints[low + 1]


def mirror(joints: np.ndarray) -> np.ndarray:
    return mirrored(joints.reshape(len(joints), -1), HUMANML22).reshape(joints.shape)


def elsewhere(joints: np.ndarray) -> np.ndarray:
    """Turned and moved over the floor."""
    return rotation.rotate(rotation.yaw(np.full(joints.shape[:2], 1.0)), joints) + [2.0, 0.0, -1.0]


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the same": lambda joints: joints,
    "turned and moved": elsewhere,
    "mirrored": mirror,
    "cut and shifted": lambda joints: joints[25:],
    "faster": lambda joints: seen(joints, 1.25),
    "slower, noisy": lambda joints: (
        seen(joints, 0.8) + np.random.default_rng(1).normal(0, 0.004, (seen(joints, 0.8).shape))
    ),
}


def corpus(folder: Path, held: dict[str, np.ndarray], train: dict[str, np.ndarray]) -> Corpus:
    def clips() -> list[Clip]:
        found = []
        for split, group in (("train", train), ("test", held)):
            for name, joints in group.items():
                placed = canonical(joints)
                features = humanml.features_of(placed, humanml.HUMANML)
                found.append(Clip(name, "s", f"{name}.bvh", split, ("a person moves",), features, placed[:-1]))
        return found

    return write(folder / "made", "made", "CC0-1.0", clips())


@pytest.mark.parametrize("how", list(COPIES))
def test_a_copy_under_another_name_is_found(how: str, tmp_path: Path) -> None:
    train = {f"t{seed}": moves(seed=seed) for seed in range(4)}
    made = corpus(tmp_path, {"other-name": COPIES[how](moves(seed=2)), "new": moves(seed=9)}, train)
    found = leaks(made)
    assert [(leak.clip.id, leak.twin.id) for leak in found] == [("other-name", "t2")]
    assert found[0].mirrored == (how == "mirrored")
    assert found[0].tempo == pytest.approx({"faster": 1.25, "slower, noisy": 0.8}.get(how, 1.0), abs=0.03)
    assert found[0].shift == pytest.approx(1.25 if how == "cut and shifted" else 0.0, abs=0.1)


def test_other_motions_of_one_action_and_people_who_stand_are_no_leaks(tmp_path: Path) -> None:
    still = walkers.joints(2, 80, 1.0, 0.0)[:1].repeat(80, 0)
    train = {"still": still, **{f"t{seed}": moves(seed=seed) for seed in range(4)}}
    assert leaks(corpus(tmp_path, {"still too": still, "new": moves(seed=8)}, train)) == []


def test_leaks_go_to_the_training_side_with_their_file_and_nothing_else(tmp_path: Path) -> None:
    train = {f"t{seed}": moves(seed=seed) for seed in range(3)}
    made = corpus(tmp_path, {"copy": moves(seed=1), "new": moves(seed=9)}, train)
    before = [asdict(r) for r in made.records]
    assert data.leaks(tmp_path, Context(), move=False)[1] == 0
    found, moved = data.leaks(tmp_path, Context(), move=True)
    assert (len(found), moved) == (1, 1)
    after = [asdict(r) for r in Corpus.open(tmp_path).records]
    assert [a["id"] for a, b in zip(after, before, strict=True) if a != b] == ["copy"]
    assert leaks(Corpus.open(tmp_path)) == []
    assert move_to_train(tmp_path, []) == 0


def test_poses_do_not_depend_on_place_and_heading() -> None:
    joints = moves()
    assert np.allclose(poses(joints, HUMANML22), poses(elsewhere(joints), HUMANML22), atol=1e-9)


def test_laid_over_itself_nothing_is_apart() -> None:
    local = poses(moves(), HUMANML22)
    distance, tempo, shift = laid_over(local[10:80], local)
    assert distance < 1e-6 and tempo == pytest.approx(1.0, abs=0.02) and shift == pytest.approx(10.0, abs=1.0)
