"""Plans become motions: lengths, repeats, tempi, routes, legs and arms at once, and what is read of a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from laban.actions.context import Context
from laban.actions.generate import GenerateOptions, generate, model_of
from laban.actions.plans import STANDS, parts_of, scaled
from laban.errors import InputError
from laban.language.planner import plan
from laban.motion import paths


@pytest.fixture(scope="module")
def context() -> Context:
    return Context(device="cpu")


def made(sentence: str, context: Context, **options):
    said: list[str] = []
    heard = Context(device="cpu", models=context.models, warn=said.append)
    [result] = generate(GenerateOptions((sentence,), samples=1, fps=20.0, **options), heard)
    return result, said


def test_parts_are_repeated_and_scaled_to_the_seconds_that_are_asked_for():
    parts = parts_of(plan("a person walks for three seconds, stops and waves twice"), lambda _: 2.0)
    assert [p.text for p in parts][1] == STANDS and len(parts) == 4 and parts[0].seconds == 3.0
    assert sum(p.seconds for p in scaled(parts, 12.0)) == pytest.approx(12.0)
    assert scaled(parts, 12.0)[0].seconds == 3.0


def test_a_plan_is_performed_line_by_line(context):
    result, said = made("a person walks, stops and waves", context, seed=1)
    assert len(result.motion.segments) == 3 and not said
    speed = np.linalg.norm(np.diff(result.motion.root[:, [0, 2]], axis=0), axis=-1) * 20
    first, last = result.motion.segments[0], result.motion.segments[2]
    assert speed[: round(first.end * 20)].mean() > 3 * speed[round(last.start * 20) + 10 :].mean()


def test_a_circle_comes_around_and_on_the_spot_nobody_travels(context):
    circle, _ = made("a person walks in a circle", context, seed=2)
    turned = paths.heading(circle.motion)
    assert abs(turned[-1] - turned[0]) > np.radians(250)
    spot, _ = made("a man is jogging in place", context, seed=2)
    assert np.ptp(spot.motion.root[:, [0, 2]], axis=0).max() < 0.6


def test_the_legs_walk_while_an_arm_waves(context):
    result, _ = made("a person walks while waving with the left hand", context, seed=3)
    joints = result.motion.joints()
    assert np.linalg.norm(joints[-1, 0, [0, 2]] - joints[0, 0, [0, 2]]) > 1.0
    assert joints[:, 20, 1].max() > joints[:, 15, 1].mean() - 0.1 > joints[:, 21, 1].max() - 0.35


def test_typing_errors_are_read_and_unknown_actions_named(context):
    result, said = made("a persn wlaks foward", context, seed=1, seconds=2.0)
    assert result.reading.corrected == "a person walks forward" and "'wlaks' as 'walks'" in said[0]
    unknown, said = made("a person plays the violin", context, seed=1, seconds=2.0)
    assert not unknown.known and "'violin'" in said[0] and "Nearest known actions" in said[0]
    plain, said = made("a person plays the violin", context, seed=1, seconds=2.0, as_is=True)
    assert plain.reading is None and not said


def test_a_licence_without_weights_is_said():
    assert model_of("kmm", "any") == "kmm"
    with pytest.raises(InputError, match="there are no weights nothing-free"):
        model_of("nothing", "commercial")


def test_whoever_sits_down_stood_before(context):
    result, _ = made("a person sits down", context, seed=1)
    assert [segment.text for segment in result.motion.segments] == [STANDS, "a person sits down"]
    hips = result.motion.joints()[:, 0, 1]
    assert hips[:10].mean() > 0.75 and hips[-10:].mean() < 0.65
