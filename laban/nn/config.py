"""Settings of the shared networks: plain values, no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from laban.errors import InputError


@dataclass(frozen=True)
class TokenizerConfig:
    """Residual VQ-VAE of motion features. Defaults are MoMask's released model (Guo et al., CVPR 2024)."""

    feature_width: int = 263  # HumanML3D vector; KIT-ML has 251
    width: int = 512  # channels of every convolution between the first and the last
    code_width: int = 512  # width of a codebook row, and of the encoder's output
    codes: int = 512  # rows per codebook (K)
    quantizers: int = 6  # residual layers (Q); the paper's table of ablations also stops at 6
    halvings: int = 2  # stride-2 stages: one token per 2**halvings frames
    depth: int = 3  # residual blocks per stage
    dilation_growth: int = 3  # blocks run with dilations growth**(depth-1) ... 1, largest first
    dropout: float = 0.2  # after each residual block's second convolution, in training
    decay: float = 0.99  # EMA of code_sum and code_count
    rate: float = 0.0  # a code costs its squared distance and, times this and the codes' variance, -log(its share of
    # the uses): entropy-constrained quantization (Chou, Lookabaugh and Gray 1989). Released: 0, the nearest code. Where
    # many codes lie close together the nearest says little of the data, and a model of codes has to learn that noise
    sample_temperature: float = 0.5  # codes in training ~ softmax(-distance / temperature); 0 = nearest
    quantize_dropout: float = 0.2  # chance that a batch keeps only layers 0..k (KIT: 0.5)
    reset_below: float = 1.0  # a code whose EMA count falls below this is replaced by a vector of the batch
    reset_restarts: bool = False  # released: a reset leaves code_sum/code_count as they were, so the code is
    # replaced again at every step until it is used once per step. True restarts its statistics at one use.
    fixed_codes: bool = False  # train the decoder alone, on codes as they are encoded: all layers, the nearest rows.
    # Ours, for a last round: quantize dropout and drawn codes, which teach codebooks, teach a decoder to smooth
    gradient: Literal["single", "compat"] = (
        "single"  # "compat": each layer passes the gradient through, so it is multiplied by the
    )
    # number of active layers (the released model's, 6.0 without dropout); it also changes size from batch to
    # batch with quantize dropout. "single": one pass-through, d out / d latent = 1. Our presets take "single":
    # the encoder then sees the gradient of the loss itself, at one scale, and commitment keeps its weight.

    def __post_init__(self) -> None:
        if self.gradient not in ("single", "compat"):
            raise InputError(f"TokenizerConfig.gradient: got {self.gradient!r}, expected 'single' or 'compat'.")
        for name in ("feature_width", "width", "code_width", "codes", "quantizers", "halvings", "depth"):
            if getattr(self, name) < 1:
                raise InputError(f"TokenizerConfig.{name}: got {getattr(self, name)}, expected at least 1.")

    @property
    def stride(self) -> int:
        """Frames per token."""
        return int(2**self.halvings)


@dataclass(frozen=True)
class TransformerConfig:
    """A transformer encoder. Defaults are those of MoMask's released transformers."""

    width: int = 384
    layers: int = 8  # the paper's text says 6 layers; the released checkpoints have 8
    heads: int = 6
    feedforward: int = 1024
    dropout: float = 0.2  # inside blocks and after the positional encoding
    attention_dropout: float = 0.2  # of attention weights
    kind: Literal["postnorm", "local"] = "postnorm"  # "local": nn/local.py, which learns to read neighbours from
    # little data. Released: post-norm with sinusoids at the entrance
    kernel: int = 7  # of the depthwise convolution in each layer; "local" only

    def __post_init__(self) -> None:
        if self.kind not in ("postnorm", "local"):
            raise InputError(f"TransformerConfig.kind: got {self.kind!r}, expected 'postnorm' or 'local'.")
        if self.kind == "local" and (self.kernel % 2 == 0 or self.width // self.heads % 2):
            raise InputError("TransformerConfig: local layers need an odd kernel and an even width of each head.")
        if self.width % self.heads or self.width % 2:
            raise InputError(
                f"TransformerConfig.width: got {self.width} with {self.heads} heads, expected an even "
                "multiple of heads."
            )
