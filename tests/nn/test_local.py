"""Local layers: positions are relative, padding is not seen, neighbours are; byte dropout keeps the mean."""

import pytest
import torch

from laban.errors import InputError
from laban.nn.attention import attend
from laban.nn.config import TransformerConfig
from laban.nn.dropout import dropout
from laban.nn.local import LocalTransformer
from laban.nn.masking import mixed_mask, probe_masks

CONFIG = TransformerConfig(32, 2, 2, 48, dropout=0.0, attention_dropout=0.0, kind="local", kernel=3)


@pytest.fixture(scope="module")
def trunk():
    torch.manual_seed(0)
    return LocalTransformer(CONFIG).eval()


@torch.no_grad()
def test_padding_changes_nothing(trunk):
    x = torch.randn(1, 12, 32)
    valid = torch.ones(1, 18, dtype=torch.bool)
    valid[:, 12:] = False
    padded = torch.cat([x, torch.randn(1, 6, 32)], 1)
    assert torch.allclose(trunk(padded, valid)[:, :12], trunk(x), atol=1e-5)


@torch.no_grad()
def test_places_are_relative(trunk):
    x = torch.randn(1, 20, 32)
    inner = torch.zeros(1, 40, 32)
    inner[:, 10:30] = x
    valid = torch.zeros(1, 40, dtype=torch.bool)
    valid[:, 10:30] = True
    assert torch.allclose(trunk(inner, valid)[:, 10:30], trunk(x), atol=1e-4)


@torch.no_grad()
def test_the_front_is_seen_and_not_mixed(trunk):
    x = torch.randn(2, 9, 32)
    changed = x.clone()
    changed[:, 0] = torch.randn(2, 32)
    a, b = trunk(x, None, 1), trunk(changed, None, 1)
    assert (a - b)[:, -1].abs().max() > 1e-4


def test_odd_sizes_are_refused():
    with pytest.raises(InputError, match="odd kernel"):
        TransformerConfig(32, 1, 2, 48, kind="local", kernel=4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_byte_dropout_loses_its_share_and_keeps_the_mean(dtype):
    torch.manual_seed(1)
    x = torch.ones(401, 263, dtype=dtype)
    y = dropout(x, 0.1, training=True)
    assert (y == 0).float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert y.float().mean().item() == pytest.approx(1.0, abs=0.02)
    assert dropout(x, 0.1, training=False) is x


def test_byte_dropout_follows_torchs_generator():
    torch.manual_seed(7)
    a = dropout(torch.ones(100), 0.5, training=True)
    torch.manual_seed(7)
    assert torch.equal(a, dropout(torch.ones(100), 0.5, training=True))


def test_attention_in_bf16_is_the_same_in_training_and_out_of_it():
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 2, 7, 16, dtype=torch.bfloat16) for _ in range(3))
    mask = torch.ones(2, 1, 1, 7, dtype=torch.bool)
    mask[..., 5:] = False
    trained = attend(q.clone().requires_grad_(), k, v, mask)
    assert torch.allclose(trained.float(), attend(q, k, v, mask).float(), atol=0.03)


def test_masks_ask_for_one_four_half_and_all():
    valid = torch.ones(6, 20, dtype=torch.bool)
    valid[3:, 11:] = False
    generator = torch.Generator().manual_seed(0)
    masks = probe_masks(valid, generator)
    assert masks["one"].sum(-1).tolist() == [1] * 6 and masks["four"].sum(-1).tolist() == [4] * 6
    assert masks["half"].sum(-1).tolist() == [10, 10, 10, 6, 6, 6] and torch.equal(masks["all"], valid)
    mixed = mixed_mask(valid, 1.0, generator)
    assert (mixed & ~valid).sum() == 0 and ((mixed.sum(-1) >= 1) & (mixed.sum(-1) <= 8)).all()
    edges = (mixed.int().diff(dim=-1) != 0).sum(-1)
    assert (edges <= 2).all()  # one run each
