"""GloVe files are read without running anything, and captions become what the T2M evaluator takes."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from laban.errors import FormatError, InputError
from laban.systems.evaluator.released_words import CLASSES, Glove, read_plain

WORDS = ["unk", "sos", "eos", "walk", "man"]


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "our_vab_data.npy", np.arange(15.0).reshape(5, 3))
    (tmp_path / "our_vab_words.pkl").write_bytes(pickle.dumps(WORDS))
    (tmp_path / "our_vab_idx.pkl").write_bytes(pickle.dumps({w: i for i, w in enumerate(WORDS)}))
    return tmp_path


def test_captions(folder):
    vectors, classes, lengths = Glove.open(folder).encode([["man/NOUN", "walk/NOUN", "zzz/VERB"], ["man/X"] * 30])
    assert vectors.shape == (2, 22, 3) and classes.shape == (2, 22, 15) and lengths.tolist() == [5, 22]
    said = [CLASSES[i] for i in classes[0].argmax(-1)]
    assert said[:6] == ["OTHER", "NOUN", "Act_VIP", "OTHER", "OTHER", "OTHER"]
    assert (vectors[0, :6, 0] / 3).tolist() == [1, 4, 3, 0, 2, 0]
    with pytest.raises(InputError, match="word/POS"):
        Glove.open(folder).encode([["walk"]])


class Bad:
    def __reduce__(self):
        return (print, ("called",))


@pytest.mark.parametrize(
    "raw",
    [pickle.dumps([Bad()]), pickle.dumps(Bad(), 0), pickle.dumps([np.zeros(2)]), b"", b"\x80\x04", b"text",
     b"\x80\x02]r\xff\xff\xff\x7f.", pickle.dumps(WORDS)[:-3], pickle.dumps({"a": 1})],
)  # fmt: skip
def test_hostile_and_damaged_pickles(folder, raw, capsys):
    (folder / "our_vab_words.pkl").write_bytes(raw)
    with pytest.raises(FormatError, match=r"our_vab_words\.pkl"):
        Glove.open(folder)
    assert capsys.readouterr().out == ""


def test_plain_values_of_every_protocol(tmp_path):
    value = [{"a": 1, "b": [2**70, -1, 0.5, None, True]}, ("x", "é" * 300)]
    for protocol in range(6):
        (tmp_path / "x.pkl").write_bytes(pickle.dumps(value, protocol))
        assert read_plain(tmp_path / "x.pkl") == value
