"""Which sentences ask for what the data does not show; the figures of docs/language.md on the held-out half."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from laban.data.corpora.bandai_namco import CONTENTS
from laban.language.actions import action_of, find, phrases, table
from laban.language.known import Reader, whole_table
from laban.language.spelling import Speller
from laban.language.vocabulary import Row, build

HERE = Path(__file__).parent
KNOWN = [row.split("\t") for row in HERE.joinpath("known.tsv").read_text("utf-8").splitlines()[1:]]
UNKNOWN = [row.split("\t") for row in HERE.joinpath("unknown.tsv").read_text("utf-8").splitlines()[1:]]


@pytest.fixture(scope="module")
def words() -> Reader:
    return Reader()


@pytest.fixture(scope="module")
def embedded() -> Reader:
    from laban.condition.text import SmallTextEncoder

    encoder = SmallTextEncoder.load()
    return Reader(embed=lambda texts: encoder.encode(list(texts)).pooled.numpy(), speller=Speller.load())


def shares(reader: Reader, split: str) -> tuple[float, float]:
    """(false alarms on paraphrases of known actions, warnings on sentences about other things)."""
    known = [reader.understand(row[1]).known for row in KNOWN if row[0] == split]
    unknown = [reader.understand(row[1]).known for row in UNKNOWN if row[0] == split]
    assert len(known) >= 29 and len(unknown) >= 40
    return 1 - sum(known) / len(known), 1 - sum(unknown) / len(unknown)


@pytest.mark.parametrize("reader", ["words", "embedded"])
@pytest.mark.parametrize("split", ["tune", "held"])
def test_at_most_5_percent_false_alarms_and_at_least_95_percent_warned(
    reader: str, split: str, request: pytest.FixtureRequest
) -> None:
    alarms, warned = shares(request.getfixturevalue(reader), split)
    assert alarms <= 0.05
    assert warned >= 0.95


@pytest.mark.parametrize("split", ["later", "last", "final", "wild"])
def test_what_was_learnt_from_later_sentences_holds(embedded: Reader, split: str) -> None:
    alarms, warned = shares(embedded, split)
    assert alarms <= 0.05
    assert warned >= 0.95


def test_sentences_that_no_rule_was_made_with_are_told_apart(words: Reader) -> None:
    alarms, warned = shares(words, "unseen")
    assert alarms <= 0.05
    assert warned >= 0.93


@pytest.mark.parametrize(
    ("sentence", "unknown"),
    [
        ("a person throws a discus", "discus"),  # an object that no caption says and that is no ordinary one
        ("a person pushes their hair back", "hair"),
        ("a father lifts a child", "child"),
        ("a person walks with a stick", "stick"),
        ("a person lies on a sunlounger", "sunlounger"),
    ],
)
def test_a_word_that_no_data_says_with_an_action_makes_another_one(words: Reader, sentence: str, unknown: str) -> None:
    assert unknown in words.understand(sentence).unknown_words


@pytest.mark.parametrize(
    "sentence",
    ["a person throws a stone to his niece", "someone picks up a box and carries it", "he walks past the cathedral"],
)
def test_ordinary_objects_and_where_something_happens_change_nothing(words: Reader, sentence: str) -> None:
    assert words.understand(sentence).known


def test_the_named_action_is_found_in_the_paraphrases(words: Reader) -> None:
    rows = [row for row in KNOWN if row[0] in ("tune", "held")]
    right = sum(row[2] in words.understand(row[1]).actions for row in rows)
    assert right >= 0.95 * len(rows)
    assert {row[2] for row in rows} <= table().keys()


@pytest.mark.parametrize(
    ("sentence", "unknown"),
    [
        ("a person rides a horse", ("rides", "horse")),
        ("a person walks, then plays the violin", ("plays", "violin")),
        ("a person walks on stilts", ("stilts",)),
        ("a person walks like a robot", ("robot",)),
        ("a person does a handstand", ("handstand",)),
    ],
)
def test_unknown_words_are_named(words: Reader, sentence: str, unknown: tuple[str, ...]) -> None:
    found = words.understand(sentence)
    assert found.unknown_words == unknown
    assert not found.known
    assert len(found.nearest) == 3
    assert found.warning is not None and all(repr(word) in found.warning for word in unknown)


@pytest.mark.parametrize(
    "sentence", ["a person walks in the park", "an old king walks across the market", "he slowly walks to the door"]
)
def test_function_words_and_scenery_are_no_unknown_words(words: Reader, sentence: str) -> None:
    found = words.understand(sentence)
    assert found.known and found.warning is None and found.actions == ("walk",)


def test_what_must_not_happen_is_not_asked_for(words: Reader) -> None:
    assert words.understand("a person stands without juggling").known
    assert not words.understand("a person juggles without standing").known


def test_an_action_that_this_data_lacks_is_unknown() -> None:
    small = Reader(build([Row("walk", ("a person walks", "a person squats and walks"), 60.0, "x")]))
    assert small.understand("someone strolls").actions == ("walk",)
    assert small.understand("a person does squats").known  # a caption shows it
    assert small.understand("a person cartwheels").unknown_words == ("cartwheels",)


def test_a_caption_is_known_whatever_its_words() -> None:
    reader = Reader(build([Row("other", ("a person vogues outrageously",), 60.0, "x")]))
    assert reader.understand("A person vogues outrageously.").actions == ("other",)


def test_typing_errors_are_mended_before(embedded: Reader) -> None:
    found = embedded.understand("a persn wlaks foward")
    assert found.known and found.actions == ("walk",)
    assert found.corrected == "a person walks forward"
    assert [c.typed for c in found.corrections] == ["persn", "wlaks", "foward"]


def test_the_nearest_actions_are_those_of_the_embedding(embedded: Reader) -> None:
    assert "drive" in [near.action for near in embedded.understand("a person rides a motorbike").nearest]


def test_an_unknown_verb_near_a_caption_is_a_synonym_and_a_prop_never() -> None:
    rows = [Row("walk", ("a person walks",), 60.0, "x"), Row("bow", ("a person bows",), 60.0, "x")]

    def embed(texts: object) -> np.ndarray:
        return np.array([[0.0, 1.0] if "bow" in text else [1.0, 0.0] for text in texts])  # type: ignore[attr-defined]

    reader = Reader(build(rows), embed)
    assert reader.understand("a person glides").known
    assert not reader.understand("a person walks on stilts").known
    assert not reader.understand("a person shakes hands with someone").known


def test_an_understanding_is_json(words: Reader) -> None:
    found = words.understand("a person juggles").to_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["known"] is False and "juggles" in found["warning"]


@pytest.mark.parametrize("action", list(table()))
def test_the_example_of_an_action_is_that_action(action: str) -> None:
    found = Reader().understand(table()[action])
    assert found.known
    bare = [f.action for f in find(table()[action].split())]
    assert action in bare


@pytest.mark.parametrize("content", list(CONTENTS))
def test_the_captions_of_bandai_namco_have_actions(content: str) -> None:
    found = {action_of(f"a person {phrase}") for phrase in CONTENTS[content]}
    assert len(found) == 1
    assert found <= set(table())


def test_no_phrase_stands_for_two_actions() -> None:
    seen: dict[frozenset[tuple[str, ...]], str] = {}
    for phrase in phrases():
        if len(phrase.words) > 1:
            continue
        for word in phrase.words[0]:
            assert seen.setdefault(frozenset({(word,)}), phrase.action) == phrase.action, word


def test_the_whole_table_is_a_vocabulary() -> None:
    assert len(whole_table().entries) == len(table()) >= 110
