"""Typing errors are mended, and English is left alone."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laban.language.spelling import Correction, Speller, action_words, distance

HERE = Path(__file__).parent
CASES = [row.split("\t") for row in HERE.joinpath("spelling.tsv").read_text("utf-8").splitlines()[1:]]
words = st.text("abcde", max_size=6)


@pytest.fixture(scope="module")
def speller() -> Speller:
    return Speller.load()


@pytest.mark.parametrize(("typed", "read"), CASES)
def test_typing_errors_are_mended(speller: Speller, typed: str, read: str) -> None:
    found, corrections = speller.correct(typed)
    assert found == read
    assert bool(corrections) == (typed != read)


def test_corrections_are_told(speller: Speller) -> None:
    found, corrections = speller.correct("A persn wlaks.")
    assert found == "A person walks."
    assert corrections == (Correction("persn", "person"), Correction("wlaks", "walks"))
    assert str(corrections[1]) == "'wlaks' read as 'walks'"


def test_sentences_without_errors_stay_as_they_are(speller: Speller) -> None:
    for name in ("known", "unknown"):
        rows = [row.split("\t")[1] for row in HERE.joinpath(f"{name}.tsv").read_text("utf-8").splitlines()[1:]]
        assert [row for row in rows if speller.correct(row)[1]] == []


def test_every_word_of_an_action_survives_and_most_survive_a_slip(speller: Speller) -> None:
    listed = sorted(word for word in action_words() if len(word) >= 6 and word.isascii() and word.isalpha())
    assert all(speller.nearest(word) is None for word in listed)
    swapped = [(word, word[:2] + word[3] + word[2] + word[4:]) for word in listed[::7] if word[2] != word[3]]
    right = sum(speller.nearest(slip) == word for word, slip in swapped)
    assert right >= 0.9 * len(swapped) > 50


def test_five_words_take_less_than_five_milliseconds(speller: Speller) -> None:
    speller.correct("wamr up")
    start = time.process_time()
    for number in range(20):
        speller.correct(f"a persn wlaks foward qick{'ab'[number % 2]}ly twcie")
    assert (time.process_time() - start) / 20 < 0.005


@pytest.mark.parametrize(
    ("a", "b", "slips"),
    [("", "", 0), ("walk", "walk", 0), ("wlak", "walk", 1), ("foward", "forward", 1), ("ab", "", 2)],
)
def test_slips_are_counted(a: str, b: str, slips: int) -> None:
    assert distance(a, b)[0] == slips


@settings(max_examples=200, deadline=None)
@given(words, words)
def test_slips_are_symmetric_and_zero_only_for_equal_words(a: str, b: str) -> None:
    assert distance(a, b)[0] == distance(b, a)[0]
    assert (distance(a, b)[0] == 0) == (a == b)
    assert distance(a, b)[0] <= max(len(a), len(b))
