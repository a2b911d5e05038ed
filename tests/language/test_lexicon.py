"""Forms of words."""

from __future__ import annotations

import pytest

from laban.language.inflection import gerund, past, singular, third_person
from laban.language.lexicon import KINDS, forms, kinds, lemma, verb_at


@pytest.mark.parametrize(
    ("base", "third", "progressive", "before"),
    [
        ("walk", "walks", "walking", "walked"), ("wave", "waves", "waving", "waved"),
        ("stop", "stops", "stopping", "stopped"), ("carry", "carries", "carrying", "carried"),
        ("catch", "catches", "catching", "caught"), ("do", "does", "doing", "did"),
        ("bow", "bows", "bowing", "bowed"), ("box", "boxes", "boxing", "boxed"),
        ("kneel", "kneels", "kneeling", "knelt"), ("lie", "lies", "lying", "lay"),
        ("crouch", "crouches", "crouching", "crouched"), ("jog", "jogs", "jogging", "jogged"),
        ("play", "plays", "playing", "played"), ("stretch", "stretches", "stretching", "stretched"),
        ("clap", "claps", "clapping", "clapped"), ("stumble", "stumbles", "stumbling", "stumbled"),
    ],
)  # fmt: skip
def test_verbs_are_inflected_and_found_again(base: str, third: str, progressive: str, before: str) -> None:
    assert (third_person(base), gerund(base), past(base)) == (third, progressive, before)
    assert [lemma(word) for word in (base, third, progressive, before)] == [base] * 4


@pytest.mark.parametrize(
    ("noun", "one"), [("hands", "hand"), ("feet", "foot"), ("boxes", "box"), ("glass", "glass"), ("berries", "berry")]
)
def test_plurals_become_singular(noun: str, one: str) -> None:
    assert singular(noun) == one == singular(one)


def test_every_kind_of_verb_is_named_in_the_table() -> None:
    assert {kind for found in kinds().values() for kind in found} == set(KINDS)


def test_left_is_a_side() -> None:
    assert "left" not in forms()


@pytest.mark.parametrize(
    ("text", "at", "expected"), [("a walk", 1, False), ("person walks", 1, True), ("with kicks", 1, False)]
)
def test_a_noun_is_no_verb(text: str, at: int, expected: bool) -> None:
    assert (verb_at(text.split(), at) is not None) is expected
