"""Generation without padding gives what the plain forward gives; training gives the plain trainer's gradients."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path[:0] = [str(Path(__file__).parents[1] / "systems"), str(Path(__file__).parents[2] / "benchmarks")]

from baselines.momask import Baseline, padding  # noqa: E402
from baselines.training import masked_loss, residual_loss  # noqa: E402
from released_folder import KIT  # noqa: E402

from laban.nn.sampling import batch_gumbel, generators  # noqa: E402
from laban.systems.momask import sampling  # noqa: E402
from laban.systems.momask.condition import Condition  # noqa: E402
from laban.systems.momask.config import PAPER, TINY  # noqa: E402
from laban.systems.momask.guided import GuidedMasked, GuidedResidual, Positions  # noqa: E402
from laban.systems.momask.masked import MaskedTransformer  # noqa: E402
from laban.systems.momask.released.names import to_ours, to_released  # noqa: E402
from laban.systems.momask.residual import ResidualTransformer  # noqa: E402

LENGTHS = [5, 9, 2, 9]


def told(words: bool) -> Condition:
    g = torch.Generator().manual_seed(0)
    pooled = torch.randn(4, 24, generator=g)
    if not words:
        return Condition(pooled)
    valid = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]]).bool()
    return Condition(pooled, torch.randn(4, 4, 24, generator=g), valid)


@pytest.mark.parametrize("words", [True, False])
@pytest.mark.parametrize("scale", [1.0, 3.0])
@torch.no_grad()
def test_equal_to_the_plain_forward(words, scale) -> None:
    torch.manual_seed(0)
    config = replace(TINY, text=replace(TINY.text, tokens=words, token_width=24 if words else 0))
    masked, residual = MaskedTransformer(config).eval(), ResidualTransformer(config).eval()
    condition, valid = told(words), sampling.real_places(LENGTHS, torch.device("cpu"))
    none = condition.dropped(torch.ones(4, dtype=torch.bool))
    at = Positions.of(valid & (torch.rand(4, 9, generator=torch.Generator().manual_seed(1)) < 0.6))
    ids = torch.randint(0, 33, (4, 9), generator=torch.Generator().manual_seed(2))

    def plain(model, *inputs) -> torch.Tensor:
        yes, no = model(*inputs, condition, valid), model(*inputs, none, valid)
        return (no + scale * (yes - no)).flatten(0, 1)[at.rows]

    guided = GuidedMasked(masked, condition, LENGTHS, scale)
    assert torch.allclose(guided.logits(ids, at), plain(masked, ids), atol=1e-5)
    # The tables follow the weights.
    with torch.no_grad():
        masked.embedding.weight.mul_(1.5)
    again = GuidedMasked(masked, condition, LENGTHS, scale)
    assert torch.allclose(again.logits(ids, at), plain(masked, ids), atol=1e-5)

    guided = GuidedResidual(residual, condition, LENGTHS, scale)
    below = torch.zeros(4, 9, 16)
    for q in range(1, residual.quantizers):
        guided.add(ids % 33, q - 1)
        below = below + residual.embed(ids % 33, q - 1)
        expected = plain(residual, below, torch.full((4,), q))
        assert torch.allclose(guided.logits(q, at), expected, atol=1e-5)


def small() -> tuple[Baseline, MaskedTransformer, ResidualTransformer]:
    """The same weights in the plain implementation and in ours."""
    made = Baseline.random(KIT, 1)
    from laban.nn.config import TokenizerConfig, TransformerConfig

    trunk = TransformerConfig(KIT.latent, KIT.layers, KIT.heads, KIT.feedforward)
    config = replace(
        PAPER, max_tokens=KIT.classes - 1, text=replace(PAPER.text, width=KIT.text),
        tokenizer=TokenizerConfig(251, KIT.width, KIT.code_dim, KIT.codes, KIT.quantizers),
        masked=replace(PAPER.masked, transformer=trunk), residual=replace(PAPER.residual, transformer=trunk),
    )  # fmt: skip
    ours = MaskedTransformer(config).eval(), ResidualTransformer(config).eval()
    for stage, module in zip(("masked", "residual"), ours, strict=True):
        state = dict(getattr(made, stage).state_dict())
        state.pop("position_enc.pe")
        module.load_state_dict(to_ours(stage, state, config))
    return made, *ours


def test_the_same_tokens_as_the_plain_algorithm_at_temperature_one() -> None:
    made, masked, residual = small()
    text, lengths = torch.randn(4, KIT.text, generator=torch.Generator().manual_seed(4)), [7, 13, 13, 2]
    theirs, mine = generators(5, 4), generators(5, 4)

    def noise(n: int, k: int) -> torch.Tensor:
        return batch_gumbel(lengths, k, theirs, "cpu")

    base = made.masked.generate(text, torch.tensor(lengths), 6, 3.0, noise)
    got = sampling.sample_base(masked, Condition(text), lengths, mine, 6, sampling.SamplingOptions(3.0))
    assert torch.equal(base, got) and len(got.unique()) > 5
    every = made.residual.generate(base, text, torch.tensor(lengths), 2.0, noise)
    options = sampling.SamplingOptions(2.0)
    upper = sampling.sample_residual(residual, got, Condition(text), lengths, mine, options, pad_class=True)
    assert torch.equal(every, upper)


def test_residual_inpainting_keeps_what_is_known() -> None:
    _, masked, residual = small()
    g = torch.Generator().manual_seed(6)
    text, known = (
        torch.randn(2, KIT.text, generator=g),
        torch.randint(0, KIT.codes, (2, 9, KIT.quantizers), generator=g),
    )
    inside = torch.zeros(2, 9, dtype=torch.bool)
    inside[:, 3:6] = True
    sources = generators(0, 2)
    first, whole = sampling.Inpainting(known[..., 0], inside), sampling.Inpainting(known, inside)
    options = sampling.SamplingOptions(2.0)
    base = sampling.sample_base(masked, Condition(text), [9, 9], sources, 5, options, first)
    every = sampling.sample_residual(residual, base, Condition(text), [9, 9], sources, options, inpainting=whole)
    assert torch.equal(every[~inside], known[~inside]) and not torch.equal(every[inside], known[inside])


def test_the_same_gradients_as_the_plain_trainer() -> None:
    made, masked, residual = small()
    g = torch.Generator().manual_seed(7)
    lengths = torch.tensor([4, 7, 6])
    codes = torch.randint(0, KIT.codes, (3, 13, KIT.quantizers), generator=g)
    text, pad = torch.randn(3, KIT.text, generator=g), padding(lengths, 13)
    hidden = (torch.rand(3, 13, generator=g) < 0.5) & ~pad
    ids = torch.where(pad, KIT.codes + 1, torch.where(hidden, KIT.codes, codes[..., 0]))
    q = torch.tensor([1, 3, 2])
    for module in (made.masked, made.residual):
        module.requires_grad_(True)
    masked_loss(made, ids, codes[..., 0], hidden, text, pad).backward()
    residual_loss(made, codes, q, text, pad).backward()

    n = 7  # ours: no more places than the longest clip has, and the loss over real places alone
    valid, cut = ~pad[:, :n], hidden[:, :n]
    logits = masked(ids[:, :n], Condition(text), valid)[cut]
    torch.nn.functional.cross_entropy(logits, codes[:, :n, 0][cut]).backward()
    tokens = torch.where(valid[..., None], codes[:, :n], KIT.codes)
    below = torch.stack([sum(residual.embed(tokens[i, :, j], j) for j in range(int(q[i]))) for i in range(3)])
    target = tokens.gather(2, q[:, None, None].expand(-1, n, 1))[..., 0][valid]
    torch.nn.functional.cross_entropy(residual(below, q, Condition(text), valid)[valid], target).backward()
    for stage, module in (("masked", masked), ("residual", residual)):
        theirs = {k: p.grad for k, p in getattr(made, stage).named_parameters()}
        mine = {k: p.grad for k, p in module.named_parameters()}
        renamed = to_released(stage, mine, PAPER)
        assert renamed.keys() == theirs.keys()
        for name, gradient in theirs.items():
            assert np.allclose(renamed[name], gradient, atol=1e-6), name
