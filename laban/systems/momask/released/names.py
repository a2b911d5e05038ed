"""Names of tensors: released <-> ours. The grammar stands at the modules (nn/tokenizer.py, masked.py, residual.py)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from laban.errors import WeightsError
from laban.systems.momask.config import MoMaskConfig

POSITIONS = "position_enc.pe"
STATISTICS = ("code_sum", "code_count", "started")
"""Buffers of the codebooks that the release does not keep."""

TRUNK = (
    ("token_emb.", "embedding."), ("input_process.poseEmbedding.", "enter."), ("cond_emb.", "prefix.pooled."),
    ("quant_emb.", "layer."), ("seqTransEncoder.layers.", "trunk.layers."), (".self_attn.in_proj_", ".attention.qkv."),
    (".self_attn.out_proj.", ".attention.out."), (".linear1.", ".up."), (".linear2.", ".down."),
    (".norm1.", ".norm_attention."), (".norm2.", ".norm_feedforward."), ("output_process.dense.", "head.dense."),
    ("output_process.LayerNorm.", "head.norm."), ("output_process.poseFinal.", "head.last."),
    ("token_embed_weight_", "first"), ("embed_proj_shared_weight", "shared"), ("output_proj_weight_", "final"),
)  # fmt: skip


def _tokenizer_pairs(halvings: int) -> list[tuple[str, str]]:
    pairs = [(f"encoder.model.{2 + halvings}.", "encoder.last."), ("encoder.model.0.", "encoder.first.")]
    pairs += [
        (f"decoder.model.{2 + halvings}.", "decoder.middle."),
        (f"decoder.model.{4 + halvings}.", "decoder.last."),
    ]
    pairs.append(("decoder.model.0.", "decoder.first."))
    for i in range(halvings):
        pairs += [
            (f"encoder.model.{2 + i}.0.", f"encoder.down.{i}."),
            (f"encoder.model.{2 + i}.1.model.", f"encoder.blocks.{i}."),
            (f"decoder.model.{2 + i}.0.model.", f"decoder.blocks.{i}."),
            (f"decoder.model.{2 + i}.2.", f"decoder.up.{i}."),
        ]  # fmt: skip
    return [*pairs, (".conv1.", ".wide."), (".conv2.", ".point."), (".codebook", ".codes")]


def _length_pairs(depth: int) -> list[tuple[str, str]]:
    pairs = [(f"output.{4 * depth - 1}.", "last.")]
    for i in range(depth):
        pairs += [(f"output.{4 * i}.", f"linear.{i}."), (f"output.{4 * i + 1}.", f"norm.{i}.")]
    return pairs


def pairs(stage: str, config: MoMaskConfig) -> list[tuple[str, str]]:
    """(part of a released name, part of ours). A part without a leading dot stands at the beginning of the name."""
    if stage == "tokenizer":
        return _tokenizer_pairs(config.tokenizer.halvings)
    return _length_pairs(len(config.length.widths)) if stage == "length" else list(TRUNK)


def _renamed(name: str, rules: list[tuple[str, str]]) -> str:
    for old, new in rules:
        if old.startswith("."):
            name = name.replace(old, new)
        elif name.startswith(old):
            name = new + name[len(old) :]
            # Two rules never begin the same name; the inner ones may still follow.
            rules = [r for r in rules if r[0].startswith(".")]
            return _renamed(name, rules)
    return name


def to_ours(stage: str, state: Mapping[str, Tensor], config: MoMaskConfig) -> dict[str, Tensor]:
    """Released names -> ours. WeightsError if two released tensors become one."""
    rules, out = pairs(stage, config), {}
    for name, value in state.items():
        new = _renamed(name, rules)
        if new in out:
            raise WeightsError(f"released {stage}: two tensors are {new!r} ({name!r} is one). Restore the file.")
        out[new] = value.float()
    return out


def to_released(stage: str, state: Mapping[str, Tensor], config: MoMaskConfig) -> dict[str, Tensor]:
    """Ours -> released names; the codebooks' training statistics are left out, as the release does."""
    rules = [(new, old) for old, new in pairs(stage, config)]
    return {
        _renamed(name, rules): value.detach().cpu().clone()
        for name, value in state.items()
        if not re.search(rf"\.({'|'.join(STATISTICS)})$", name)
    }
