"""Bounds of options: what is inside, what is not, and how it is said."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from laban.errors import InputError
from laban.systems.options import GUIDANCE, SEED, STEPS, Bounds, check_sampling, check_seed, check_texts, options_of
from laban.systems.requests import TextRequest


@pytest.mark.parametrize(
    ("bounds", "inside", "outside"),
    [
        (SEED, (0, 2**63 - 1), (-1, 2**63, 1.0, True, None, "7")),
        (STEPS, (1, 1000), (0, 1001, 5.0, False)),
        (GUIDANCE, (0, 1.5, 100), (-0.1, 100.1, float("nan"), float("inf"), "3", True, None)),
        (Bounds(-1, 1), (-1, 0.5), (-1.01,)),
    ],
)
def test_bounds(bounds: Bounds, inside: tuple, outside: tuple) -> None:
    for value in inside:
        bounds.check("x", value)
    for value in outside:
        with pytest.raises(InputError, match=r"x is .*, expected a (whole )?number"):
            bounds.check("x", value)


def test_bounds_are_said_as_a_reader_would_say_them() -> None:
    assert str(SEED) == "a whole number of 0 or more"
    assert str(STEPS) == "a whole number from 1 to 1000"
    assert str(GUIDANCE) == "a number from 0 to 100"


def test_sampling_options_are_checked_by_name_and_others_left_alone() -> None:
    check_sampling("here", {"steps": 10, "guidance": 4.0, "precision": "bf16", "clean": "anything"})
    for options in ({"steps": 0}, {"temperature": 0.0}, {"residual_guidance": -1.0}, {"precision": "16"}):
        with pytest.raises(InputError, match=f"here: {next(iter(options))} is"):
            check_sampling("here", options)
    check_sampling("here", {"temperature": 0.0}, {"temperature": GUIDANCE})
    with pytest.raises(InputError, match="first_index is -1"):
        check_seed("here", 3, -1)


def test_texts() -> None:
    check_texts("here", [TextRequest("walks"), TextRequest("bows", 9.8)], 9.8)
    wrong = {0.0: "more than 0", 9.9: "at most 9.8", float("nan"): "more than 0"}
    for request, word in [(TextRequest(" "), "empty text"), *((TextRequest("x", s), w) for s, w in wrong.items())]:
        with pytest.raises(InputError, match=word):
            check_texts("here", [TextRequest("walks"), request], 9.8)


@dataclass(frozen=True)
class Settings:
    steps: int
    clean: bool = False


@dataclass(frozen=True)
class Defaults:
    steps: int = 10
    batch: int = 4


def test_options_are_those_given_then_the_configurations_then_their_own() -> None:
    assert options_of(Settings, "x", {}, Defaults()) == Settings(10)
    assert options_of(Settings, "x", {"steps": 3, "clean": None}, Defaults()) == Settings(3)
    assert options_of(Settings, "x", {"clean": True}, Defaults(steps=2)) == Settings(2, clean=True)
    with pytest.raises(InputError, match=r"x: unknown option 'batch'; known: steps, clean\."):
        options_of(Settings, "x", {"batch": 4}, Defaults())
