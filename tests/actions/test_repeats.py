"""Sentences that count, for a model that performs one action at a time."""

from __future__ import annotations

from laban.actions.context import Context
from laban.actions.generate import GenerateOptions, generate


def test_a_model_of_one_action_says_that_it_does_not_count() -> None:
    told: list[str] = []
    options = GenerateOptions(("a person bows twice",), model="momask", samples=1, seconds=2.0)
    (made,) = generate(options, Context(device="cpu", warn=told.append))
    assert made.motion.frames > 0
    assert any("performs one action" in line for line in told)
