import math

import pytest
import torch
from torch import nn

from laban.errors import InputError, ShapeError
from laban.nn.config import TokenizerConfig, TransformerConfig
from laban.nn.masking import lowest, random_mask, remaining
from laban.nn.sampling import batch_gumbel, generators, gumbel, top
from laban.nn.tokenizer import Tokenizer
from laban.nn.transformer import Transformer


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_transformer_equals_torch() -> None:
    ours = Transformer(TransformerConfig(24, 2, 4, 40)).eval()
    layer = nn.TransformerEncoderLayer(24, 4, 40, activation="gelu", batch_first=True)
    oracle = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    for mine, theirs in zip(ours.layers, oracle.layers, strict=True):
        nn.init.normal_(theirs.self_attn.in_proj_bias)
        mine.attention.qkv.weight.data.copy_(theirs.self_attn.in_proj_weight.data)
        mine.attention.qkv.bias.data.copy_(theirs.self_attn.in_proj_bias.data)
        for a, b in (("attention.out", "self_attn.out_proj"), ("up", "linear1"), ("down", "linear2"),
                     ("norm_attention", "norm1"), ("norm_feedforward", "norm2")):  # fmt: skip
            mine.get_submodule(a).load_state_dict(theirs.get_submodule(b).state_dict())
    x = torch.randn(3, 7, 24, generator=seeded())
    valid = torch.arange(7) < torch.tensor([[7], [3], [5]])
    with torch.no_grad():
        assert torch.allclose(ours(x), oracle(x), atol=1e-5)
        padded = oracle(x, src_key_padding_mask=~valid)
        assert torch.allclose(ours(x, valid)[valid], padded[valid], atol=1e-5)
        alone = ours(x[1:2, :3])
        assert torch.allclose(ours(x, valid)[1, :3], alone[0], atol=1e-5)


def test_cosine_schedule_of_the_paper() -> None:
    counts = [int(remaining(torch.tensor([49]), step, 10)) for step in range(10)]
    assert counts == [49, 48, 46, 42, 38, 31, 24, 17, 9, 1]
    assert int(remaining(torch.tensor([1]), 0, 1)) == 1


@pytest.mark.parametrize("longest", [None, 30])
def test_random_mask_hides_real_positions_only(longest) -> None:
    valid = torch.arange(20) < torch.tensor([[20], [1], [7]]).repeat(200, 1)
    hidden = random_mask(valid, seeded(), longest)
    assert not (hidden & ~valid).any()
    if longest is None:
        assert (hidden.sum(-1) >= 1).all()
    share = (hidden.sum(-1) / valid.sum(-1))[0::3].mean()
    assert abs(share - 2 / math.pi) < 0.05
    assert torch.equal(hidden, random_mask(valid, seeded(), longest))


def test_lowest() -> None:
    scores = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    assert lowest(scores, torch.tensor([2, 1])).tolist() == [[False, True, True], [True, False, False]]


def test_gumbel_noise() -> None:
    noise = gumbel((200_000,), seeded(), "cpu")
    assert abs(noise.mean() - 0.5772) < 0.01
    assert abs(noise.var() - math.pi**2 / 6) < 0.03


def test_a_sample_draws_the_same_noise_in_any_batch() -> None:
    together = batch_gumbel([5, 3, 8], 6, generators(7, 3), "cpu")
    alone = batch_gumbel([3], 6, generators(7, 1, first=1), "cpu")
    assert torch.equal(together[1, :3], alone[0])
    assert not torch.equal(together[0, :3], together[1, :3])
    other = batch_gumbel([3], 6, generators(8, 1, first=1), "cpu")
    assert not torch.equal(other, alone)


def test_top_is_52_of_512() -> None:
    logits = torch.randn(2, 3, 512, generator=seeded())
    values, index = top(logits, 0.9)
    assert values.shape == (2, 3, 52) and torch.equal(logits.gather(-1, index), values)
    assert (values.amin(-1) > logits.scatter(-1, index, -9.0).amax(-1)).all()


CONFIG = TokenizerConfig(feature_width=12, width=16, code_width=8, codes=16, quantizers=3, depth=2)


def test_tokenizer_shapes_and_mode() -> None:
    tokenizer = Tokenizer(CONFIG)
    tokenizer(torch.randn(4, 32, 12), seeded())
    assert tokenizer.training
    codes = tokenizer.encode(torch.randn(2, 23, 12))
    assert tokenizer.training and codes.shape == (2, 5, 3) and codes.dtype == torch.int64
    assert tokenizer.decode(codes).shape == (2, 20, 12)
    assert tokenizer.decode(codes[..., :1]).shape == (2, 20, 12)
    tokenizer.eval()
    x = torch.randn(2, 24, 12)
    assert torch.allclose(tokenizer(x).motion, tokenizer.decode(tokenizer.encode(x)), atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 30, 12), (2, 32, 11), (32, 12), (2, 0, 12)])
def test_tokenizer_refuses_other_shapes(shape) -> None:
    with pytest.raises(ShapeError, match="Tokenizer: motion has shape"):
        Tokenizer(CONFIG)(torch.zeros(shape))


def test_configs_refuse_nonsense() -> None:
    with pytest.raises(InputError, match="gradient"):
        TokenizerConfig(gradient="both")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="width"):
        TransformerConfig(width=30, heads=4)
