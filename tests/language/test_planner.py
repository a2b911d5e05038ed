"""Sentences into steps: what a user would want of 250 sentences, and what holds of every sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laban.language.plan import Plan, Route, Step
from laban.language.planner import plan

ROWS = [
    (row.split("\t") + ["", ""])[:3]
    for row in Path(__file__).with_name("plans.tsv").read_text("utf-8").splitlines()[1:]
]
WORDS = (
    "a person the man walks walking waves runs then and , . while before after stops twice three times for 5 seconds "
    "in circle place left right hand not never without doesn't but with turns around 90 degrees slowly back he is to "
    "no first finally until followed by instead half a minute who when forward does 0"
).split()


def told(step: Step) -> str:
    """A step in the notation of plans.tsv."""
    text = step.text
    text += "" if step.seconds is None else f" ;s={step.seconds:g}"
    text += "" if step.repeats == 1 else f" ;x={step.repeats}"
    if step.route is not None:
        route = step.route
        amount = route.degrees if route.kind == "turn" else route.turns
        parts = [route.kind.replace("_", " "), *([route.side] if route.side else [])]
        text += " ;p=" + ":".join([*parts, *([] if amount is None else [f"{amount:g}"])])
    text += "" if step.tempo is None else f" ;t={step.tempo:g}"
    return text + (" ;both=" + " + ".join(step.parts) if step.parts else "")


@pytest.mark.parametrize(("sentence", "steps", "warning"), ROWS, ids=[row[0][:50] for row in ROWS])
def test_a_sentence_becomes_the_steps_that_its_writer_wants(sentence: str, steps: str, warning: str) -> None:
    found = plan(sentence)
    assert " | ".join(told(step) for step in found.steps) == steps
    assert any(warning in text for text in found.warnings) if warning else found.warnings == ()


def test_there_are_200_sentences_and_each_is_there_once() -> None:
    assert len(ROWS) >= 200
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("sentence", ["a person bows and then waves", "A person chops and punches."])
def test_a_caption_of_the_data_stays_whole(sentence: str) -> None:
    assert len(plan(sentence).steps) == 2
    whole = plan(sentence, known={sentence.lower().rstrip(".")})
    assert whole.plain and whole.steps == (Step(sentence),)


def test_a_plan_of_one_plain_action_is_plain_and_one_that_asks_for_more_is_not() -> None:
    assert plan("a person walks forward").plain
    assert not plan("a person walks for five seconds").plain
    assert not plan("a person turns around").plain  # the sentence is the text, and the turn is known


def test_the_summary_is_one_line_with_lengths_and_counts() -> None:
    found = plan("a person walks forward for 2.5 s, stops, and waves with the right hand twice")
    assert found.summary() == "walks forward (2.5 s), stops, waves with the right hand twice"
    assert found.summary([2.5, 1.0, 3.0]) == "walks forward (2.5 s), stops (1 s), waves with the right hand twice (3 s)"
    assert plan("a man walks in a circle and turns 90 degrees to the right").summary() == (
        "a man walks in a circle to the left, a man turns right by 90 degrees to the right"
    )


def test_a_plan_is_json() -> None:
    found = plan("a person walks in a circle while waving, then never moves").to_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["steps"][0]["route"] == {"kind": "circle", "side": "left", "degrees": None, "turns": 1.0}
    assert found["steps"][1]["text"] == "a person stands still"


def test_routes_are_told_in_words() -> None:
    assert str(Route("circle", "right", turns=2.0)) == "in 2 circles to the right"
    assert str(Route("in_place")) == "in place"
    assert Plan("x", (Step("a person walks", route=Route("zigzag")),)).summary() == "walks in a zigzag"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join) | st.text(max_size=40))
def test_any_text_has_a_plan_with_texts_and_positive_numbers(sentence: str) -> None:
    found = plan(sentence)
    assert found.steps
    for step in found.steps:
        assert step.text.strip() or not sentence.strip()
        assert step.seconds is None or step.seconds > 0
        assert 1 <= step.repeats <= 20
    json.dumps(found.to_dict())


@pytest.mark.parametrize("negated", ["without waving", "but does not wave", "and never waves", "while not waving"])
@pytest.mark.parametrize("main", ["a person walks", "the man stands still", "she runs forward"])
def test_what_is_negated_is_in_no_step(main: str, negated: str) -> None:
    steps = plan(f"{main} {negated}").steps
    assert len(steps) == 1
    assert "wav" not in steps[0].text
