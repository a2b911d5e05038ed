"""The best of several draws: by what was asked, then by skating feet and the floor; replayed exactly."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from laban import cli
from laban.actions import best_of
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22, KIT21
from laban.systems.momask.config import TINY
from laban.systems.momask.system import MoMask
from laban.systems.requests import TextRequest


@pytest.mark.parametrize(("text", "rule"), [
    ("a person raises the left hand", "raise_left"), ("someone lifts her right arm", "raise_right"),
    ("a person waves both hands", "raise_both"), ("a person raises a hand", None), ("she claps her hands", None),
    ("a person walks forward and turns left", "turn_left"),
    ("he veers right", "turn_right"), ("she turns around", None),
    ("a person turns left then right", None), ("a person walks backward", "walk_backward"),
    ("a person walks to the left", "walk_left"), ("a person walks forward", "walk"), ("a person runs", "run"),
    ("a person runs in place", None), ("a person bows", "bow"), ("a person sits down", None), ("", None),
])  # fmt: skip
def test_rules_are_taken_only_beyond_doubt(text, rule) -> None:
    assert best_of.expectation_of(text) == rule


def standing(hand: float, slide: float = 0.0, sink: float = 0.0) -> Motion:
    """A figure in T-pose whose left arm goes up by `hand` radians; it slides and sinks."""
    rotations = np.zeros((40, 22, 4))
    rotations[..., 0] = 1
    angle = np.linspace(0, hand, 40)
    rotations[:, HUMANML22.index("left_shoulder")] = np.stack(
        [np.cos(angle / 2), 0 * angle, 0 * angle, np.sin(angle / 2)], -1
    )
    low = -Motion(HUMANML22, rotations[:1], np.zeros((1, 3)), 20.0).joints()[..., 1].min()
    root = np.stack([slide * np.arange(40) / 20, np.full(40, low - sink), np.zeros(40)], -1)
    return Motion(HUMANML22, rotations, root, 20.0)


def test_order() -> None:
    motions = [standing(1.2, slide=0.4), standing(1.2), standing(0.0), standing(1.2, sink=0.05)]
    ranked = best_of.best(motions, "a person raises the left hand", 4)
    assert [j.index for j in ranked] == [1, 0, 3, 2]
    assert ranked[0].does and ranked[-1].does is False
    assert ranked[1].measures["skate"] == pytest.approx(0.4, abs=1e-6)
    assert ranked[2].measures["penetration"] == pytest.approx(0.05, abs=1e-6)
    assert [j.index for j in best_of.best(motions, "a person stands", 2)] == [1, 2]
    other = Motion(KIT21, np.tile([1.0, 0, 0, 0], (9, 21, 1)), np.zeros((9, 3)), 12.5)
    assert [j.index for j in best_of.best([other, other], "a person bows", 2)] == [0, 1]


@pytest.fixture(scope="module")
def system() -> MoMask:
    torch.manual_seed(0)
    made = MoMask(TINY, {"mean": np.zeros(263, np.float32), "std": np.full(263, 0.1, np.float32)})
    for name, buffer in made.tokenizer.named_buffers():
        if name.endswith(".codes"):
            buffer.normal_()
    return made.eval()


def test_replayed_and_said(system) -> None:
    request = TextRequest("a person walks", 2.0)
    everything = system.generate([request] * 5, seed=2)
    kept = best_of.draw_best(system, request, 2, 5, 2, {})
    chosen = [m.passport["selection"]["index"] for m in kept]
    assert chosen == [j.index for j in best_of.best(everything, request.text, 2)]
    for motion in kept:
        assert motion.passport["selection"]["drawn"] == 5 and json.dumps(motion.passport, allow_nan=False)
        again = system.replay(motion.passport)
        assert np.array_equal(again.rotations, motion.rotations) and again.passport == motion.passport
    plain = best_of.draw_best(system, request, 2, 2, 2, {})
    assert all("selection" not in m.passport for m in plain)
    assert best_of.drawn_by_default(system) == 4
    with pytest.raises(Exception, match="selection"):
        system.replay({**kept[0].passport, "selection": {"drawn": 0}})


def test_the_command(system, tmp_path, capsys) -> None:
    system.save(tmp_path / "model")
    base = ["generate", "a person walks", "--seconds", "1", "--model", str(tmp_path / "model"), "--json"]

    def passports(*argv: str) -> list[dict]:
        assert cli.main([*base, "--out", str(tmp_path / "x.npz"), *argv]) == 0
        return [r["passport"] for r in json.loads(capsys.readouterr().out)["results"]]

    assert passports()[0]["selection"]["drawn"] == 4
    assert "selection" not in passports("--samples", "1")[0]
    assert passports("--samples", "6", "--best", "1")[0]["selection"]["drawn"] == 6
    assert passports() == passports()
    assert len(passports("--samples", "3")) == 3 and len(passports("--samples", "3", "--best", "2")) == 2
    for argv, word in ((["--samples", "2", "--best", "3"], "more than"), (["--best", "0"], "--best")):
        assert cli.main([*base, *argv]) == 2
        assert word in capsys.readouterr().err


def test_another_first_index_is_another_motion(system) -> None:
    request = TextRequest("a person walks", 1.0)
    one = replace(system.generate([request], seed=2, first_index=1)[0], passport=None)
    two = replace(system.generate([request] * 2, seed=2)[1], passport=None)
    assert np.allclose(one.joints(), two.joints(), atol=1e-3)
