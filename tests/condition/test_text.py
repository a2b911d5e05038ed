"""The text encoder: tokenizer, contract, bad input, and what the shipped weights understand."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from laban.condition.text import FILES, WEIGHTS, SmallTextEncoder
from laban.condition.wordpiece import WordPiece, missing_letters, split_words
from laban.errors import InputError, WeightsError

SENTENCES = (
    "a person walks forward",
    "The grandfather ambles along, veering rightwards!",
    "she doesn't wave; he's lifting his left arm (slowly) 3 times",
    "  Café naïve\tRÉSUMÉ  ",
    "sidestepping counterclockwise",
)


@pytest.fixture(scope="module")
def encoder() -> SmallTextEncoder:
    return SmallTextEncoder.load()


def test_shapes_and_units(encoder: SmallTextEncoder) -> None:
    features = encoder.encode(SENTENCES)
    b, length = features.valid.shape
    assert b == len(SENTENCES) and features.valid.dtype == torch.bool
    assert features.pooled.shape == (b, encoder.width) and features.pooled.dtype == torch.float32
    assert features.tokens.shape == (b, length, encoder.token_width)
    assert torch.allclose(features.pooled.norm(dim=-1), torch.ones(b), atol=1e-5)
    assert (features.tokens[~features.valid] == 0).all()
    assert 0.5 < features.tokens[features.valid].pow(2).mean().sqrt() < 1.5
    assert features.valid.sum(1).tolist() == [len(encoder.tokenizer.encode(s)) for s in SENTENCES]


def test_a_text_does_not_depend_on_its_batch() -> None:
    one, many = SmallTextEncoder.load(), SmallTextEncoder.load()
    together = many.encode(SENTENCES)
    for i, sentence in enumerate(SENTENCES):
        alone = one.encode([sentence])
        n = alone.valid.shape[1]
        assert torch.allclose(alone.pooled[0], together.pooled[i], atol=1e-5)
        assert torch.allclose(alone.tokens[0], together.tokens[i, :n], atol=1e-4)
        assert not together.valid[i, n:].any()


def test_repeated_prompts_are_remembered_and_equal(encoder: SmallTextEncoder) -> None:
    first = encoder.encode(["a person runs", "a person bows", "a person runs"])
    again = encoder.encode(["a person runs"])
    assert torch.equal(first.pooled[0], first.pooled[2]) and torch.equal(first.pooled[0], again.pooled[0])
    again.pooled.zero_()
    again.tokens.zero_()
    assert torch.equal(encoder.encode(["a person runs"]).pooled[0], first.pooled[0])


@pytest.mark.parametrize("texts", [[""], ["   "], ["a person walks", "\n"], ["walk " * 2000], [], [None], "a person"])
def test_bad_input_is_one_clear_line(encoder: SmallTextEncoder, texts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        encoder.encode(texts)
    assert "\n" not in str(caught.value) and "expected" in str(caught.value)


def test_long_prompts_are_cut_with_a_warning(encoder: SmallTextEncoder) -> None:
    with pytest.warns(UserWarning, match="cut to 64"):
        features = encoder.encode(["a person walks " * 40])
    assert features.valid.shape == (1, 64)


@pytest.mark.parametrize("text", ["asdf qwerty zxcv", "一个人向前走", "🙂🙃🕺", "!!! ...", "12 34", "xkcdq jfjfjf"])
def test_nothing_understood(encoder: SmallTextEncoder, text: str) -> None:
    assert encoder.encode([text]).known.item() == 0


@pytest.mark.parametrize("text", [*SENTENCES[:3], *SENTENCES[4:], "the pensioner hobbles leftwards", "Run!"])
def test_english_is_understood(encoder: SmallTextEncoder, text: str) -> None:
    assert encoder.encode([text]).known.item() >= 0.8


def test_half_understood(encoder: SmallTextEncoder) -> None:
    assert 0.3 < encoder.encode(["a person qxzjv vvkkq"]).known.item() < 0.7


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("someone strolls ahead", "a person walks forward", "a person punches"),
        ("she lifts her left arm", "a person raises the left hand", "a person raises the right hand"),
        ("she lifts her right arm", "a person raises the right hand", "a person raises the left hand"),
        ("he paces and swivels left", "a person walks and turns left", "a person walks and turns right"),
        ("he paces and swivels right", "a person walks and turns right", "a person walks and turns left"),
        ("a grandfather walks", "a person walks forward, like an old person", "a person walks forward, like a child"),
        ("he retreats, stepping in reverse", "a person walks backward", "a person walks forward"),
    ],
)
def test_paraphrases_lie_nearer_to_their_caption(encoder: SmallTextEncoder, text: str, near: str, far: str) -> None:
    a, b, c = encoder.encode([text, near, far]).pooled
    assert a @ b > a @ c


def test_left_and_right_keep_their_distance(encoder: SmallTextEncoder) -> None:
    pairs = [f"a person {x} the {{}} hand" for x in ("raises", "waves")] + ["a person walks and turns {}"]
    left = encoder.encode([p.format("left") for p in pairs])
    right = encoder.encode([p.format("right") for p in pairs])
    assert ((left.pooled * right.pooled).sum(-1) < 0.97).all()


def test_shipped_files_are_small() -> None:
    assert (WEIGHTS / "text.safetensors").stat().st_size <= 7_000_000
    assert not missing_letters((WEIGHTS / "vocab.txt").read_text("utf-8").splitlines())


def test_a_prompt_costs_little(encoder: SmallTextEncoder) -> None:
    with FlopCounterMode(display=False) as counter:
        encoder.encode(["a person walks forward and turns left ten times"])
    assert 1e6 < counter.get_total_flops() < 5e7  # a few milliseconds on one core


@pytest.mark.parametrize("name", FILES)
def test_damaged_weights_are_one_clear_line(tmp_path: Path, name: str) -> None:
    for file in FILES:
        shutil.copy(WEIGHTS / file, tmp_path / file)
    assert SmallTextEncoder.load(tmp_path).fingerprint == SmallTextEncoder.load().fingerprint
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(WeightsError) as caught:
        SmallTextEncoder.load(tmp_path)
    assert "\n" not in str(caught.value)
    (tmp_path / name).unlink()
    with pytest.raises(WeightsError, match="missing"):
        SmallTextEncoder.load(tmp_path)


def test_wordpiece_rules() -> None:
    tokenizer = WordPiece(["[UNK]", "walk", "##ing", "un", "##walk", "##able", "!", "a"])
    assert tokenizer.tokenize("A walking! unwalkable") == ["a", "walk", "##ing", "!", "un", "##walk", "##able"]
    assert tokenizer.tokenize("walkx") == ["[UNK]"]
    assert tokenizer.tokenize("a" + "b" * 101) == ["[UNK]"]
    assert split_words("Don't\u00a0go—人 naïve\u200b\x00") == ["don", "'", "t", "go", "—", "人", "naive"]


def test_wordpiece_equals_berts_on_our_vocabulary(encoder: SmallTextEncoder) -> None:
    if importlib.util.find_spec("tokenizers") is None:
        pytest.skip("the oracle, PyPI's tokenizers, is not installed")
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    oracle = Tokenizer(models.WordPiece(dict(encoder.tokenizer.index), unk_token="[UNK]"))
    oracle.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    oracle.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    texts = [*SENTENCES, "人 walks"]
    texts += ["tai-chi (左)", "x" * 120, "İstanbul ﬁne ½ #1 a_b", "¡hola! “quoted” €5"]
    for text in texts:
        assert encoder.tokenizer.tokenize(text) == oracle.encode(text, add_special_tokens=False).tokens, text
