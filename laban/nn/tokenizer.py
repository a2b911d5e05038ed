"""The residual VQ-VAE that turns motion features into tokens and back (shared by MoMask and KMM).

Released key layout -> ours, for importers (i = stage, j = block in running order):
    encoder.model.0 -> encoder.first;  encoder.model.{2+i}.0 -> encoder.down.{i}
    encoder.model.{2+i}.1.model.{j}.conv1|conv2 -> encoder.blocks.{i}.{j}.wide|point
    encoder.model.{2+halvings} -> encoder.last;  decoder.model.0 -> decoder.first
    decoder.model.{2+i}.0.model.{j}.conv1|conv2 -> decoder.blocks.{i}.{j}.wide|point
    decoder.model.{2+i}.2 -> decoder.up.{i};  decoder.model.{2+halvings} -> decoder.middle
    decoder.model.{4+halvings} -> decoder.last;  quantizer.layers.{q}.codebook -> quantizer.layers.{q}.codes
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from laban.errors import ShapeError
from laban.nn.config import TokenizerConfig
from laban.nn.conv import ConvDecoder, ConvEncoder
from laban.nn.quantize import ResidualQuantizer


@dataclass
class Reconstruction:
    """motion (B, T, features) normalised; codes (B, N, Q), -1 = dropped; commit and perplexity scalars."""

    motion: Tensor
    codes: Tensor
    commit: Tensor
    perplexity: Tensor


class Tokenizer(nn.Module):
    """Encoder, residual quantizer and decoder over normalised features."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        sizes = (config.feature_width, config.width, config.code_width, config.halvings, config.depth)
        self.encoder = ConvEncoder(*sizes, config.dilation_growth, config.dropout)
        self.quantizer = ResidualQuantizer(config)
        self.decoder = ConvDecoder(*sizes, config.dilation_growth, config.dropout)

    def forward(self, motion: Tensor, generator: torch.Generator | None = None) -> Reconstruction:
        """(B, T, features) normalised, T a multiple of the stride -> Reconstruction.

        Raises: ShapeError for another width or length.
        """
        self._check(motion)
        if self.config.fixed_codes and self.training:
            codes = self.encode(motion)
            nothing = torch.zeros((), device=motion.device)
            return Reconstruction(self.decode(codes), codes, nothing, nothing)
        quantized = self.quantizer(self.encoder(motion), generator)
        return Reconstruction(self.decoder(quantized.latents), quantized.codes, quantized.commit, quantized.perplexity)

    @torch.no_grad()
    def encode(self, motion: Tensor) -> Tensor:
        """(B, T, features) normalised -> (B, T // stride, Q) int64: nearest codes, whatever the mode.

        Raises: ShapeError for another width, or fewer frames than one token.
        """
        if motion.shape[-1] != self.config.feature_width or motion.shape[-2] < self.config.stride:
            self._check(motion)
        mode = self.training
        self.eval()
        try:
            return self.quantizer(self.encoder(motion)).codes
        finally:
            self.train(mode)

    def decode(self, codes: Tensor) -> Tensor:
        """(B, N, q <= Q) int64, -1 = nothing -> (B, N * stride, features) normalised."""
        return self.decoder(self.quantizer.decode(codes))

    def _check(self, motion: Tensor) -> None:
        width, stride = self.config.feature_width, self.config.stride
        if motion.ndim != 3 or motion.shape[-1] != width or motion.shape[1] < stride or motion.shape[1] % stride:
            raise ShapeError(
                f"Tokenizer: motion has shape {tuple(motion.shape)}, expected (B, T, {width}) with T a "
                f"multiple of {stride}."
            )
