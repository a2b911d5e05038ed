"""Captions say what the labels support, and mirror with the motion."""

import json
import re
from pathlib import Path

import pytest

from laban.data.captions import mirror, mirror_label
from laban.data.corpora import cmu
from laban.data.corpora.bandai_namco import CONTENTS, STYLES, captions

PARAPHRASES = Path(__file__).parents[3] / "benchmarks" / "paraphrases.json"
FUNCTION_WORDS = set(
    "a an the and or of to in on at for with while then his her their them he she it we us i you they is are be by "
    "from into through before this that someone somebody".split()
)


def test_normal_style_adds_no_word():
    assert captions("walk", "normal")[0] == "a person walks forward"
    assert captions("walk-turn-left", "exhausted")[0] == "a person walks and turns left, exhausted"


@pytest.mark.parametrize("content", CONTENTS)
def test_mirrored_labels_and_words_agree(content):
    for style in STYLES:
        for sentence in captions(content, style):
            other = mirror(sentence)
            if content in ("bye", "guide"):  # mirrored, these are done with the left hand; no label says so
                assert "left" in other
            else:
                assert other in captions(mirror_label(content), style)
            assert mirror(other) == sentence


def test_mirror_keeps_case_and_leaves_parts_of_words():
    assert mirror("Left hand, RIGHT foot, clockwise") == "Right hand, LEFT foot, counterclockwise"
    assert mirror("she leftovers upright") == "she leftovers upright"


def test_cmu_sentences_invent_nothing():
    assert cmu.sentences("climb 3 steps") == ("a person climbs three steps",)
    assert cmu.sentences("description of nothing")[0].endswith("description of nothing")
    assert cmu.sentences("dance - expressive arms, pirouette")[0] == "a person dances, expressive arms, pirouette"


def test_paraphrases_share_no_stem_with_a_caption():
    stemmer = pytest.importorskip("snowballstemmer", reason="snowballstemmer is in the dev extra").stemmer("english")

    def stems(text):
        return {stemmer.stemWord(w) for w in re.findall(r"[a-z]+", text.lower()) if w not in FUNCTION_WORDS}

    known = [s for content in CONTENTS for style in STYLES for s in captions(content, style)]
    known += [s for sentences in cmu.SENTENCES.values() for s in sentences]
    known += list(cmu.SENTENCES)
    seen = set().union(*map(stems, known)) - {"left", "right"}
    items = json.loads(PARAPHRASES.read_text())
    assert len(items) == 40 and len({i["text"] for i in items}) == 40
    for item in items:
        assert not stems(item["text"]) & seen, item["text"]
