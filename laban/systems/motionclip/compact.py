"""The auto-encoder of `small`: principal components of whole clips, a language part, and transformers around them.

Deviation from the paper, for training in half an hour on one core and for clips of any length:
    frames are gathered into tokens of `patch` frames;
    the latent is two orthogonal parts of the language space. The first `language` principal directions of the captions
    hold what the reader says of the clip, at a fixed length; the rest hold the clip's principal components: tokens
    reduced, their cosine coefficients over the clip (a DCT of each clip's own length), and those reduced again and
    whitened. These components are computed once from training clips (`start`) and stay;
    the decoder inverts them and adds what the writer makes of the whole latent;
    positions are given both in tokens and as a part of the clip, so both transformers know how long it is.
docs/method/motionclip.md says what the components reconstruct alone.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.nn.attention import sinusoids
from laban.nn.config import TransformerConfig
from laban.nn.transformer import Transformer
from laban.systems.motionclip.config import NetworkConfig

MAX_TOKENS = 1024  # tokens
LANGUAGE_LENGTH = 2.0  # of the language part; the other part's length is about 1


class Clock(nn.Module):
    """Where each token is: an embedding of its number and of its place in the clip, and the cosines of the basis."""

    table: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.basis = config.basis
        self.register_buffer("table", sinusoids(MAX_TOKENS, config.width), persistent=False)
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

    language_axes: Tensor  # (G, L) orthonormal rows: the captions' principal directions
    detail_axes: Tensor  # (L - G, L) orthonormal rows: the rest
    token_in: Tensor  # (P, patch * C)
    token_out: Tensor  # (patch * C, P)
    clip_in: Tensor  # (L - G, K * P)
    clip_out: Tensor  # (K * P, L - G)
    clip_mean: Tensor  # (K * P,)

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        d, k, w, g = config.width, config.basis, config.basis_width, config.language
        sizes = TransformerConfig(d, config.layers, config.heads, config.feedforward, config.dropout, 0.0)
        patch, detail = config.patch * config.channels, config.latent - g
        for name, shape in (
            ("language_axes", (g, config.latent)), ("detail_axes", (detail, config.latent)), ("token_in", (w, patch)),
            ("token_out", (patch, w)), ("clip_in", (detail, k * w)), ("clip_out", (k * w, detail)),
            ("clip_mean", (k * w,)),
        ):  # fmt: skip
            self.register_buffer(name, torch.zeros(shape))
        self.clock_in, self.clock_out = Clock(config), Clock(config)
        self.enter = nn.Linear(patch + config.patch, d)  # the frames, and which of them are real
        self.reader = Transformer(sizes)
        self.gather = nn.Linear(d, w // 2)
        self.to_language = nn.Linear(k * (w // 2), g)
        self.from_latent = nn.Linear(config.latent, k * (w // 2))
        self.spread = nn.Linear(w + w // 2, d)
        self.writer = Transformer(sizes)
        self.leave = nn.Linear(d, patch)
        nn.init.zeros_(self.leave.weight)  # this branch adds nothing at first
        nn.init.zeros_(self.leave.bias)

    def encode(self, motion: Tensor, valid: Tensor) -> Tensor:
        """(B, T, C) standardised, (B, T) bool with the real frames first -> (B, latent)."""
        patches, marks, tokens = self._patches(motion, valid)
        place, cosines = self.clock_in(tokens, patches.shape[1])
        used = torch.arange(patches.shape[1], device=motion.device)[None] < tokens[:, None]
        x = self.gather(self.reader(self.enter(torch.cat([patches, marks], -1)) + place, used))
        language = self.to_language(_analysed(x, cosines, used, tokens))
        language = LANGUAGE_LENGTH * F.normalize(language, dim=-1)
        clip = _analysed(patches @ self.token_in.T, cosines, used, tokens)
        detail = (clip - self.clip_mean) @ self.clip_in.T
        return language @ self.language_axes + detail @ self.detail_axes

    def decode(self, latent: Tensor, valid: Tensor) -> Tensor:
        """(B, latent), (B, T) bool with the real frames first -> (B, T, C), zero where not valid."""
        config = self.config
        batch, frames = valid.shape
        count = -(-frames // config.patch)
        tokens = self._tokens(valid)
        place, cosines = self.clock_out(tokens, count)
        used = torch.arange(count, device=latent.device)[None] < tokens[:, None]
        clip = (latent @ self.detail_axes.T) @ self.clip_out.T + self.clip_mean
        x = cosines @ clip.unflatten(-1, (config.basis, -1))
        whole = cosines @ self.from_latent(latent).unflatten(-1, (config.basis, -1))
        made = self.writer(self.spread(torch.cat([x, whole], -1)) + place, used)
        x = self.leave(made) + x @ self.token_out.T
        return x.reshape(batch, count * config.patch, config.channels)[:, :frames] * valid[..., None]

    @torch.no_grad()
    def start(self, motion: Tensor, valid: Tensor, weight: Tensor, captions: Tensor) -> None:
        """Compute what does not train: the two parts of the space, and the clips' components.

        Args:
            motion: (B, T, C) standardised, (B, T) bool.
            valid: (B, T) bool, True where real.
            weight: (C,) how much an error in each channel matters.
            captions: (M, latent) unit vectors of the training captions.
        """
        config = self.config
        _, axes = torch.linalg.eigh(captions.double().T @ captions.double())
        self.language_axes.copy_(axes.flip(1)[:, : config.language].T)
        self.detail_axes.copy_(axes.flip(1)[:, config.language :].T)
        patches, _, tokens = self._patches(motion, valid)
        _, cosines = self.clock_in(tokens, patches.shape[1])
        used = torch.arange(patches.shape[1])[None] < tokens[:, None]
        scale = (weight / weight.mean()).repeat(config.patch).double()
        rows = patches[used].double() * scale
        _, axes = torch.linalg.eigh(rows.T @ rows)  # not centred: channels are standardised
        axes = axes.flip(1)[:, : config.basis_width]
        self.token_in.copy_((axes * scale[:, None]).T)
        self.token_out.copy_(axes / scale[:, None])
        clips = _analysed(patches @ self.token_in.T, cosines, used, tokens).double()
        self.clip_mean.copy_(clips.mean(0))
        clips -= clips.mean(0)
        values, axes = torch.linalg.eigh(clips.T @ clips / len(clips))
        count = min(len(self.clip_in), len(values))
        size = values.flip(0)[:count].clamp(min=1e-6 * float(values[-1])).sqrt() * count**0.5
        axes = axes.flip(1)[:, :count]
        self.clip_in[:count] = (axes / size).T.float()
        self.clip_out[:, :count] = (axes * size).float()

    def _patches(self, motion: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, N, patch * C) frames of each token, zero where not valid; (B, N, patch) which are; (B,) tokens."""
        config = self.config
        missing = -motion.shape[1] % config.patch
        real = valid.to(motion.dtype)
        x = F.pad(motion * real[..., None], (0, 0, 0, missing))
        marks = F.pad(real, (0, missing)).unflatten(1, (-1, config.patch))
        return x.unflatten(1, (-1, config.patch)).flatten(2), marks, self._tokens(valid)

    def _tokens(self, valid: Tensor) -> Tensor:
        """(B,) tokens of each clip."""
        return (valid.sum(1) + self.config.patch - 1) // self.config.patch


def _analysed(x: Tensor, cosines: Tensor, used: Tensor, tokens: Tensor) -> Tensor:
    """Amplitudes of the cosines in the tokens of each clip: (B, N, P), (B, N, K) -> (B, K * P)."""
    weights = cosines * (used / tokens[:, None])[..., None]
    weights = torch.cat([weights[..., :1], 2 * weights[..., 1:]], -1)
    return (weights.transpose(1, 2) @ x).flatten(1)
