"""A latent for a text and a length, drawn by a small flow model; and the usual length for a text.

Source: rectified flow (Liu et al. 2023) between a Gaussian and standardised latents; ours, not in the paper.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.systems.motionclip.config import PriorConfig

TIMES = 16  # columns that tell the time of the flow
LENGTHS = 8  # columns that tell the length of the clip
DROPOUT = 0.1  # share of training rows whose text is hidden, for guidance


def noisy(text: Tensor, fraction: float, generator: torch.Generator | None) -> Tensor:
    """Unit vectors with noise of `fraction` of their norm, brought back to unit length."""
    if fraction == 0:
        return text
    noise = torch.randn(text.shape, generator=generator, device=text.device)
    return F.normalize(text + fraction / text.shape[-1] ** 0.5 * noise, dim=-1)


def _waves(x: Tensor, columns: int) -> Tensor:
    """(B,) in about [0, 1] -> (B, columns)."""
    rates = math.pi * 2.0 ** torch.arange(columns // 2, device=x.device)
    angles = x[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], -1)


class Prior(nn.Module):
    """The velocity of the flow, and the length."""

    latent_mean: Tensor
    latent_std: Tensor

    def __init__(self, config: PriorConfig, latent: int, text: int) -> None:
        super().__init__()
        self.config = config
        w = config.width
        self.register_buffer("latent_mean", torch.zeros(latent))
        self.register_buffer("latent_std", torch.ones(latent))
        self.enter = nn.Linear(latent + text + TIMES + LENGTHS, w)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(w), nn.Linear(w, w), nn.GELU(), nn.Linear(w, w)) for _ in range(config.blocks)
        )
        self.leave = nn.Sequential(nn.LayerNorm(w), nn.Linear(w, latent))
        self.length = nn.Sequential(nn.Linear(text, 64), nn.GELU(), nn.Linear(64, 1))

    def adopt(self, latents: Tensor) -> None:
        """Take the statistics of the training latents (N, L)."""
        self.latent_mean.copy_(latents.mean(0))
        self.latent_std.copy_(latents.std(0).clamp(min=1e-4))

    def velocity(self, x: Tensor, time: Tensor, text: Tensor, frames: Tensor) -> Tensor:
        """x (B, L) standardised, time (B,) in [0, 1], text (B, W), frames (B,) -> (B, L)."""
        size = (frames.float().clamp(min=1).log2() / 8).clamp(max=1.5)
        h = self.enter(torch.cat([x, text, _waves(time, TIMES), _waves(size, LENGTHS)], -1))
        for block in self.blocks:
            h = h + block(h)
        return self.leave(h)

    def loss(self, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Flow matching, and the squared error of the logarithm of the length."""
        device = batch["latent"].device
        text = noisy(batch["text"], self.config.noise, generator) if self.training else batch["text"]
        count = len(text)
        end = (batch["latent"] - self.latent_mean) / self.latent_std
        start = torch.randn(end.shape, generator=generator, device=device)
        time = torch.rand(count, generator=generator, device=device)
        kept = (torch.rand(count, generator=generator, device=device) >= DROPOUT).float()
        x = start + time[:, None] * (end - start)
        found = self.velocity(x, time, text * kept[:, None], batch["frames"])
        flow = (found.float() - (end - start)).square().mean()
        length = (self.length(text)[:, 0].float() - batch["frames"].float().log()).square().mean()
        return {"loss": flow + 0.1 * length, "flow": flow, "length": length}

    @torch.no_grad()
    def usual_frames(self, text: Tensor) -> Tensor:
        """(B, W) -> (B,) frames, not rounded."""
        return self.length(text)[:, 0].exp()

    @torch.no_grad()
    def sample(self, text: Tensor, frames: Tensor, noise: Tensor, steps: int, guidance: float) -> Tensor:
        """Latents by Euler steps.

        Args:
            text: (B, W) unit vectors.
            frames: (B,).
            noise: (B, L) where the flow starts.
            steps: Euler steps.
            guidance: 1: the text as learned; above: away from what no text would give.
        Returns: (B, L) in the latents' own scale.
        """
        x, nothing = noise, torch.zeros_like(text)
        for i in range(steps):
            time = torch.full((len(x),), i / steps, device=x.device)
            v = self.velocity(x, time, text, frames)
            if guidance != 1.0:
                v = v + (guidance - 1) * (v - self.velocity(x, time, nothing, frames))
            x = x + v / steps
        return x * self.latent_std + self.latent_mean
