"""The networks hold the released key layout weight for weight: outputs equal the released implementation's."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from laban.nn.config import TokenizerConfig, TransformerConfig
from laban.nn.length import LengthEstimator
from laban.nn.sampling import generators
from laban.nn.tokenizer import Tokenizer
from laban.systems.momask.condition import Condition
from laban.systems.momask.config import PAPER
from laban.systems.momask.masked import MaskedTransformer
from laban.systems.momask.residual import ResidualTransformer
from laban.systems.momask.sampling import Inpainting, SamplingOptions, sample_base, sample_residual

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "momask-t2m"
pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason="needs the project's own data, ../shared/golden/momask-t2m")

TRUNK = (
    (r"^token_emb\.", "embedding."), (r"^input_process\.poseEmbedding", "enter"), (r"^cond_emb", "prefix.pooled"),
    (r"^seqTransEncoder", "trunk"), (r"self_attn\.in_proj_", "attention.qkv."),
    (r"self_attn\.out_proj", "attention.out"), (r"linear1", "up"), (r"linear2", "down"), (r"norm1", "norm_attention"),
    (r"norm2", "norm_feedforward"), (r"^output_process\.dense", "head.dense"),
    (r"^output_process\.LayerNorm", "head.norm"), (r"^output_process\.poseFinal", "head.last"),
    (r"^quant_emb", "layer"), (r"^token_embed_weight_", "first"), (r"^embed_proj_shared_weight", "shared"),
    (r"^output_proj_weight_", "final"),
)  # fmt: skip
VQ = (
    (r"^encoder\.model\.0\.", "encoder.first."), (r"^encoder\.model\.4\.", "encoder.last."),
    (r"^decoder\.model\.0\.", "decoder.first."), (r"^decoder\.model\.4\.", "decoder.middle."),
    (r"^decoder\.model\.6\.", "decoder.last."), (r"conv1", "wide"), (r"conv2", "point"),
    (r"^encoder\.model\.2\.0\.", "encoder.down.0."), (r"^encoder\.model\.3\.0\.", "encoder.down.1."),
    (r"^encoder\.model\.2\.1\.model", "encoder.blocks.0"), (r"^encoder\.model\.3\.1\.model", "encoder.blocks.1"),
    (r"^decoder\.model\.2\.2\.", "decoder.up.0."), (r"^decoder\.model\.3\.2\.", "decoder.up.1."),
    (r"^decoder\.model\.2\.0\.model", "decoder.blocks.0"), (r"^decoder\.model\.3\.0\.model", "decoder.blocks.1"),
    (r"codebook", "codes"),
)  # fmt: skip
LENGTH = (
    (r"^output\.11\.", "last."), *((rf"^output\.{4 * i}\.", f"linear.{i}.") for i in range(3)),
    *((rf"^output\.{4 * i + 1}\.", f"norm.{i}.") for i in range(3)),
)  # fmt: skip


def renamed(path: str, key: str, rules: tuple[tuple[str, str], ...]) -> dict[str, torch.Tensor]:
    found = torch.load(GOLDEN / "checkpoints" / "t2m" / path, map_location="cpu", weights_only=True)[key]
    out = {}
    for name, value in found.items():
        for pattern, new in rules:
            name = re.sub(pattern, new, name)
        if name != "position_enc.pe":
            out[name] = value
    return out


@pytest.fixture(scope="module")
def golden() -> dict[str, torch.Tensor]:
    with np.load(GOLDEN / "expected.npz") as arrays:
        return {k: torch.from_numpy(arrays[k]) for k in arrays.files}


CONFIG = replace(
    PAPER,
    tokenizer=TokenizerConfig(width=32, code_width=24, codes=32),
    masked=replace(PAPER.masked, transformer=TransformerConfig(48, 2, 4, 96)),
    residual=replace(PAPER.residual, transformer=TransformerConfig(48, 2, 4, 96)),
)


def loaded(module: torch.nn.Module, tensors: dict[str, torch.Tensor], extra: tuple[str, ...] = ()) -> torch.nn.Module:
    missing, left = module.load_state_dict(tensors, strict=False)
    assert not left
    assert all(name.split(".")[-1] in extra for name in missing), missing
    return module.eval()


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    tensors = renamed("rvq_small/model/net_best_fid.tar", "vq_model", VQ)
    module = loaded(Tokenizer(CONFIG.tokenizer), tensors, ("code_sum", "code_count", "started"))
    assert isinstance(module, Tokenizer)
    return module


@pytest.fixture(scope="module")
def masked() -> MaskedTransformer:
    return loaded(MaskedTransformer(CONFIG), renamed("mask_small/model/latest.tar", "t2m_transformer", TRUNK))


@pytest.fixture(scope="module")
def residual() -> ResidualTransformer:
    return loaded(ResidualTransformer(CONFIG), renamed("res_small/model/net_best_fid.tar", "res_transformer", TRUNK))


def close(a: torch.Tensor, b: torch.Tensor) -> None:
    assert a.shape == b.shape
    assert (a - b).abs().max() < 1e-4


@torch.no_grad()
def test_tokenizer(tokenizer, golden) -> None:
    assert torch.equal(tokenizer.encode(golden["motion"]), golden["codes"].long())
    close(tokenizer.decode(golden["codes"].long()), golden["reconstruction"])
    close(tokenizer.decode(golden["codes_with_dropped"].long()), golden["reconstruction_with_dropped"])
    close(tokenizer(golden["motion"]).motion, golden["reconstruction"])


def real(golden) -> torch.Tensor:
    places = torch.arange(golden["masked_ids"].shape[1])
    return places < golden["lengths"].long()[:, None]


@torch.no_grad()
def test_masked_logits(masked, golden) -> None:
    condition, valid = Condition(golden["text"]), real(golden)
    ids = golden["masked_ids"].long()
    close(masked(ids, condition, valid)[valid], golden["masked_logits_cond"][valid])
    none = condition.dropped(torch.ones(len(ids), dtype=torch.bool))
    close(masked(ids, none, valid)[valid], golden["masked_logits_uncond"][valid])


@torch.no_grad()
@pytest.mark.parametrize(("steps", "scale"), [(10, 4), (18, 4), (10, 1)])
def test_greedy_base(masked, golden, steps, scale) -> None:
    lengths = golden["lengths"].tolist()
    got = sample_base(
        masked, Condition(golden["text"]), lengths, generators(0, 3), steps, SamplingOptions(scale, temperature=1e-8)
    )
    assert torch.equal(got, golden[f"greedy_base_T{steps}_s{scale}"].long())


@torch.no_grad()
def test_greedy_edit(masked, golden) -> None:
    got = sample_base(
        masked, Condition(golden["text"]), golden["lengths"].tolist(), generators(0, 3), 10,
        SamplingOptions(4, temperature=1e-8), Inpainting(golden["edit_tokens"].long(), golden["edit_mask"].bool()),
    )  # fmt: skip
    assert torch.equal(got, golden["greedy_edit_T10_s4"].long())


@torch.no_grad()
def test_greedy_residual_and_decoding(residual, tokenizer, golden) -> None:
    lengths = golden["lengths"].tolist()
    base = golden["greedy_base_T10_s4"].long()
    # The released draw is argmax(logits + Gumbel); dividing by a tiny temperature leaves the argmax.
    options = SamplingOptions(5, temperature=1e-8)
    got = sample_residual(residual, base, Condition(golden["text"]), lengths, generators(0, 3), options, pad_class=True)
    assert torch.equal(got, golden["greedy_all_codes_T10_s4_r5"].long())
    close(tokenizer.decode(got), golden["decoded_T10_s4_r5"])


@torch.no_grad()
@pytest.mark.parametrize("q", [1, 3, 5])
def test_residual_logits(residual, golden, q) -> None:
    condition, valid = Condition(golden["text"]), real(golden)
    codes = golden[f"residual_codes_q{q}"].long()
    codes = torch.where(codes < 0, residual.pad_id, codes)
    below = torch.stack([residual.embed(codes[..., j], j) for j in range(q)]).sum(0)
    which = torch.full((len(codes),), q)
    none = condition.dropped(torch.ones(len(codes), dtype=torch.bool))
    yes, no = residual(below, which, condition, valid), residual(below, which, none, valid)
    close((no + 5 * (yes - no))[valid], golden[f"residual_logits_q{q}_cfg5"][valid])


@torch.no_grad()
def test_length_logits(golden) -> None:
    plain = LengthEstimator(CONFIG.text.width, CONFIG.length.widths, CONFIG.max_tokens, CONFIG.length.dropout)
    estimator = loaded(plain, renamed("length_estimator/model/finest.tar", "estimator", LENGTH))
    close(estimator(golden["text"]), golden["length_logits"])
