"""The auto-encoder of `small`: a token per few frames, and cosines over the clip's duration before the latent.

Deviation from the paper, for training in half an hour on one core and for clips of any length:
    frames are gathered into tokens of `patch` frames;
    the latent is a linear map of the tokens' cosine coefficients over the clip (a DCT of each clip's own length)
    instead of one token's output, and the decoder's queries are that transform inverted instead of nothing: a
    linear auto-encoder in the frequencies of the whole clip, which the transformers correct;
    positions are given both in tokens and as a part of the clip, so the decoder knows how long the clip is.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from laban.nn.attention import sinusoids
from laban.nn.config import TransformerConfig
from laban.nn.transformer import Transformer
from laban.systems.motionclip.config import NetworkConfig

LONGEST = 1024  # tokens


class Clock(nn.Module):
    """Where each token is: an embedding of its number and of its place in the clip, and the cosines of the basis."""

    table: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.basis = config.basis
        self.register_buffer("table", sinusoids(LONGEST, config.width), persistent=False)
        self.place = nn.Linear(config.basis, config.width)

    def forward(self, lengths: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Args: lengths (B,) tokens. count: N, the longest. Returns: (B, N, D), and the cosines (B, N, K)."""
        number = torch.arange(count, device=lengths.device)
        part = (number[None] + 0.5) / lengths[:, None].float()
        order = torch.arange(self.basis, device=lengths.device)
        cosines = torch.cos(math.pi * part.clamp(max=1.0)[..., None] * order)
        return self.table[:count] + self.place(cosines), cosines


class CompactAutoencoder(nn.Module):
    """Motion to latent and back. Channels are standardised outside."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        d, k, w = config.width, config.basis, config.basis_width
        sizes = TransformerConfig(d, config.layers, config.heads, config.feedforward, config.dropout, 0.0)
        patch = config.patch * config.channels
        self.clock_in, self.clock_out = Clock(config), Clock(config)
        self.enter = nn.Linear(patch + config.patch, d)  # the frames, and which of them are real
        self.reader = Transformer(sizes)
        self.gather = nn.Linear(d, w)
        self.to_latent = nn.Linear(k * w, config.latent)
        self.from_latent = nn.Linear(config.latent, k * w)
        self.spread = nn.Linear(w, d)
        self.writer = Transformer(sizes)
        self.leave = nn.Linear(d, patch)

    def encode(self, motion: Tensor, valid: Tensor) -> Tensor:
        """(B, T, C) standardised, (B, T) bool with the real frames first -> (B, latent)."""
        config = self.config
        batch, frames, channels = motion.shape
        missing = -frames % config.patch
        real = valid.to(motion.dtype)
        x = nn.functional.pad(motion * real[..., None], (0, 0, 0, missing))
        real = nn.functional.pad(real, (0, missing))
        count = x.shape[1] // config.patch
        marks = real.reshape(batch, count, config.patch)
        x = torch.cat([x.reshape(batch, count, config.patch * channels), marks], -1)
        tokens = self._tokens(valid)
        place, cosines = self.clock_in(tokens, count)
        used = torch.arange(count, device=x.device)[None] < tokens[:, None]
        x = self.gather(self.reader(self.enter(x) + place, used))
        weights = cosines * (used / tokens[:, None])[..., None]
        weights = torch.cat([weights[..., :1], 2 * weights[..., 1:]], -1)
        return self.to_latent((weights.transpose(1, 2) @ x).flatten(1))

    def decode(self, latent: Tensor, valid: Tensor) -> Tensor:
        """(B, latent), (B, T) bool with the real frames first -> (B, T, C), zero where not valid."""
        config = self.config
        batch, frames = valid.shape
        count = -(-frames // config.patch)
        tokens = self._tokens(valid)
        place, cosines = self.clock_out(tokens, count)
        used = torch.arange(count, device=latent.device)[None] < tokens[:, None]
        coefficients = self.from_latent(latent).reshape(batch, config.basis, config.basis_width)
        x = self.writer(self.spread(cosines @ coefficients) + place, used)
        x = self.leave(x).reshape(batch, count * config.patch, config.channels)[:, :frames]
        return x * valid[..., None]

    def _tokens(self, valid: Tensor) -> Tensor:
        """(B,) tokens of each clip."""
        return (valid.sum(1) + self.config.patch - 1) // self.config.patch
