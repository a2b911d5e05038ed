"""The auto-encoder of `small`: a token per few frames, and cosines over the clip's duration before the latent.

Deviation from the paper, for training in half an hour on one core and for clips of any length:
    frames are gathered into tokens of `patch` frames;
    the latent is a linear map of the tokens' cosine coefficients over the clip (a DCT of each clip's own length)
    instead of one token's output, and the decoder's queries are that transform inverted instead of nothing. Tokens go
    into it and come out of it directly too, beside the transformers: a linear auto-encoder in the frequencies of the
    whole clip. `start` sets it to the principal components of training clips, and training begins there;
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
        cosines = cosines * (order < lengths[:, None])[:, None]  # beyond, they repeat earlier ones
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
        self.past_reader = nn.Linear(patch, w, bias=False)
        self.to_latent = nn.Linear(k * w, config.latent)
        self.from_latent = nn.Linear(config.latent, k * w)
        self.spread = nn.Linear(w, d)
        self.writer = Transformer(sizes)
        self.leave = nn.Linear(d, patch)
        self.past_writer = nn.Linear(w, patch, bias=False)
        for last in (self.gather, self.leave):  # the transformers begin with no say
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def encode(self, motion: Tensor, valid: Tensor) -> Tensor:
        """(B, T, C) standardised, (B, T) bool with the real frames first -> (B, latent)."""
        patches, marks, tokens = self._patches(motion, valid)
        place, cosines = self.clock_in(tokens, patches.shape[1])
        used = torch.arange(patches.shape[1], device=motion.device)[None] < tokens[:, None]
        x = self.reader(self.enter(torch.cat([patches, marks], -1)) + place, used)
        return self.to_latent(_analysed(self.gather(x) + self.past_reader(patches), cosines, used, tokens))

    def decode(self, latent: Tensor, valid: Tensor) -> Tensor:
        """(B, latent), (B, T) bool with the real frames first -> (B, T, C), zero where not valid."""
        config = self.config
        batch, frames = valid.shape
        count = -(-frames // config.patch)
        tokens = self._tokens(valid)
        place, cosines = self.clock_out(tokens, count)
        used = torch.arange(count, device=latent.device)[None] < tokens[:, None]
        coefficients = self.from_latent(latent).reshape(batch, config.basis, config.basis_width)
        x = cosines @ coefficients
        x = self.leave(self.writer(self.spread(x) + place, used)) + self.past_writer(x)
        return x.reshape(batch, count * config.patch, config.channels)[:, :frames] * valid[..., None]

    @torch.no_grad()
    def start(self, motion: Tensor, valid: Tensor, weight: Tensor) -> None:
        """Set the linear part to principal components: of the tokens, then of clips' cosine coefficients, whitened.

        Args:
            motion: (B, T, C) standardised, (B, T) bool. weight: (C,) how much an error in each channel matters.
        """
        config = self.config
        patches, _, tokens = self._patches(motion, valid)
        _, cosines = self.clock_in(tokens, patches.shape[1])
        used = torch.arange(patches.shape[1])[None] < tokens[:, None]
        scale = weight.repeat(config.patch).double()
        rows = patches[used].double() * scale
        _, axes = torch.linalg.eigh(rows.T @ rows)  # not centred: channels are standardised
        axes = axes.flip(1)[:, : config.basis_width]
        self.past_reader.weight.copy_((axes * scale[:, None]).T)
        self.past_writer.weight.copy_(axes / scale[:, None])
        clips = _analysed(self.past_reader(patches), cosines, used, tokens).double()
        middle = clips.mean(0)
        values, axes = torch.linalg.eigh((clips - middle).T @ (clips - middle) / len(clips))
        size = values.flip(0)[: config.latent].clamp(min=1e-6).sqrt()
        axes = axes.flip(1)[:, : config.latent]
        self.to_latent.weight.copy_((axes / size).T)
        self.to_latent.bias.copy_(-(axes / size).T @ middle)
        self.from_latent.weight.copy_(axes * size)
        self.from_latent.bias.copy_(middle)

    def _patches(self, motion: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, N, patch * C) frames of each token, zero where not valid; (B, N, patch) which are; (B,) tokens."""
        config = self.config
        missing = -motion.shape[1] % config.patch
        real = valid.to(motion.dtype)
        x = nn.functional.pad(motion * real[..., None], (0, 0, 0, missing))
        marks = nn.functional.pad(real, (0, missing)).unflatten(1, (-1, config.patch))
        return x.unflatten(1, (-1, config.patch)).flatten(2), marks, self._tokens(valid)

    def _tokens(self, valid: Tensor) -> Tensor:
        """(B,) tokens of each clip."""
        return (valid.sum(1) + self.config.patch - 1) // self.config.patch


def _analysed(x: Tensor, cosines: Tensor, used: Tensor, tokens: Tensor) -> Tensor:
    """Amplitudes of the cosines in the tokens of each clip: (B, N, P), (B, N, K) -> (B, K * P)."""
    weights = cosines * (used / tokens[:, None])[..., None]
    weights = torch.cat([weights[..., :1], 2 * weights[..., 1:]], -1)
    return (weights.transpose(1, 2) @ x).flatten(1)
