"""The released auto-encoder, key for key: a checkpoint's state dict fits as it is, `clip_model.*` apart.

Source: Tevet et al. 2022, section 3; the release, GuyTevet/MotionCLIP. Deviation: none.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from laban.nn.attention import sinusoids
from laban.systems.motionclip.config import NetworkConfig

POSITIONS = 5000
"""Rows of the positional table."""


class Positions(nn.Module):
    """Adds the first rows of a table of sinusoids, then dropout. The table is in the checkpoints."""

    pe: Tensor

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("pe", sinusoids(POSITIONS, width)[:, None])
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(T, B, D) -> (T, B, D)."""
        return self.dropout(x + self.pe[: len(x)])


class Encoder(nn.Module):
    """(B, T, C) -> (B, D): the transformer's output at the first of two learned tokens."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        d = config.width
        self.muQuery = nn.Parameter(torch.randn(1, d))
        self.sigmaQuery = nn.Parameter(torch.randn(1, d))  # its output is not used, in the release too
        self.skelEmbedding = nn.Linear(config.channels, d)
        self.sequence_pos_encoder = Positions(d, config.dropout)
        layer = nn.TransformerEncoderLayer(d, config.heads, config.feedforward, config.dropout, "gelu")
        self.seqTransEncoder = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)

    def forward(self, motion: Tensor, valid: Tensor) -> Tensor:
        """Args: motion (B, T, C); valid (B, T) bool, True where real. Returns: (B, D)."""
        count = len(motion)
        tokens = self.skelEmbedding(motion.transpose(0, 1))
        heads = torch.stack([self.muQuery.expand(count, -1), self.sigmaQuery.expand(count, -1)])
        x = self.sequence_pos_encoder(torch.cat([heads, tokens]))
        hidden = torch.cat([torch.zeros_like(valid[:, :1]).expand(-1, 2), ~valid], 1)
        return self.seqTransEncoder(x, src_key_padding_mask=hidden)[0]


class Decoder(nn.Module):
    """(B, D) -> (B, T, C): positions are the queries, the latent is a memory of length one."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        d = config.width
        self.actionBiases = nn.Parameter(torch.randn(1, d))  # not used, in the release too
        self.sequence_pos_encoder = Positions(d, config.dropout)
        layer = nn.TransformerDecoderLayer(d, config.heads, config.feedforward, config.dropout, "gelu")
        self.seqTransDecoder = nn.TransformerDecoder(layer, config.layers)
        self.finallayer = nn.Linear(d, config.channels)

    def forward(self, latent: Tensor, valid: Tensor) -> Tensor:
        """Args: latent (B, D); valid (B, T) bool. Returns: (B, T, C), zero where not valid."""
        count, frames = valid.shape
        queries = self.sequence_pos_encoder(latent.new_zeros(frames, count, latent.shape[-1]))
        x = self.seqTransDecoder(queries, latent[None], tgt_key_padding_mask=~valid)
        return self.finallayer(x).transpose(0, 1) * valid[..., None]


class ReleasedAutoencoder(nn.Module):
    """Encoder and decoder under their released names."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def encode(self, motion: Tensor, valid: Tensor) -> Tensor:
        """(B, T, C), (B, T) bool -> (B, latent)."""
        return self.encoder(motion, valid)

    def decode(self, latent: Tensor, valid: Tensor) -> Tensor:
        """(B, latent), (B, T) bool -> (B, T, C)."""
        return self.decoder(latent, valid)
