"""The frame-wise VQ-VAE: every frame of a video becomes a small grid of codes, alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.errors import ShapeError
from laban.nn.quantize import Codebook, ResidualQuantizer
from laban.systems.godiva.config import FrameCoderConfig, FramesConfig


@dataclass
class Reconstruction:
    """frames (B, C, S, S) normalised; codes (B, h, w) int64; commit and perplexity scalars."""

    frames: Tensor
    codes: Tensor
    commit: Tensor
    perplexity: Tensor


class Block(nn.Module):
    """x + conv1(relu(conv3(relu(x))))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.wide = nn.Conv2d(width, width, 3, padding=1)
        self.point = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, D, h, w) -> the same."""
        return x + self.point(torch.relu(self.wide(torch.relu(x))))


class FrameTokenizer(nn.Module):
    """Encoder, quantizer and decoder of single frames.

    Source: GODIVA: two convolutions of kernel 4 and stride 2 on each side, pixel L2 + codebook + beta commitment.
    Deviations: moving averages with restarts in place of the codebook loss [I]; residual blocks and a third halving
    where the preset says so.
    """

    def __init__(self, frames: FramesConfig, config: FrameCoderConfig) -> None:
        super().__init__()
        self.frames, self.config = frames, config
        widths = [min(config.width * 2**n, 2 * config.width) for n in range(config.halvings - 1)]
        if config.halvings == 2:
            widths = [config.width]
        sizes = [frames.channels, *widths, config.code_width]
        pairs = list(zip(sizes[:-1], sizes[1:], strict=True))
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1, padding_mode=config.padding) for a, b in pairs
        )
        self.blocks_in = nn.Sequential(*(Block(config.code_width) for _ in range(config.blocks_in)))
        self.quantizer = ResidualQuantizer(config.quantizer)
        self.blocks_out = nn.Sequential(*(Block(config.code_width) for _ in range(config.blocks)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(b, a, 4, stride=2, padding=1) for a, b in reversed(pairs))

    @property
    def codebook(self) -> Tensor:
        """(K, d_B) the rows."""
        book = self.quantizer.layers[0]
        assert isinstance(book, Codebook)
        return book.codes

    def forward(self, frames: Tensor, generator: torch.Generator | None = None) -> Reconstruction:
        """(B, C, S, S) normalised -> Reconstruction. Raises: ShapeError for another shape."""
        latents = self._latents(frames)
        b, h, w, d = latents.shape
        quantized = self.quantizer(latents.reshape(b, h * w, d), generator)
        decoded = self._decoded(quantized.latents.reshape(b, h, w, d))
        return Reconstruction(decoded, quantized.codes.reshape(b, h, w), quantized.commit, quantized.perplexity)

    def loss(self, frames: Tensor, generator: torch.Generator | None = None) -> dict[str, Tensor]:
        """Pixel L2 + beta commitment, of frames (B, C, S, S) normalised."""
        out = self(frames, generator)
        pixels = F.mse_loss(out.frames.float(), frames)
        loss = pixels + self.config.commit * out.commit
        return {"loss": loss, "pixels": pixels.detach(), "commit": out.commit.detach(), "perplexity": out.perplexity}

    @torch.no_grad()
    def encode(self, frames: Tensor) -> Tensor:
        """(B, C, S, S) normalised -> (B, h, w) int64: nearest codes, whatever the mode."""
        latents = self._latents(frames)
        b, h, w, d = latents.shape
        book = self.quantizer.layers[0]
        assert isinstance(book, Codebook)
        with torch.autocast(latents.device.type, enabled=False):
            return book.nearest(latents.float().reshape(-1, d)).reshape(b, h, w)

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """(B, h, w) int64 -> (B, C, S, S) normalised."""
        return self._decoded(F.embedding(codes, self.codebook))

    def _latents(self, frames: Tensor) -> Tensor:
        expected = (self.frames.channels, self.frames.size, self.frames.size)
        if frames.ndim != 4 or tuple(frames.shape[1:]) != expected:
            raise ShapeError(f"FrameTokenizer: frames have shape {tuple(frames.shape)}, expected (B, *{expected}).")
        x = frames
        for n, layer in enumerate(self.down):
            x = layer(x if n == 0 else torch.relu(x))
        return self.blocks_in(x).permute(0, 2, 3, 1)

    def _decoded(self, latents: Tensor) -> Tensor:
        x = self.blocks_out(latents.permute(0, 3, 1, 2))
        for n, layer in enumerate(self.up):
            x = layer(torch.relu(x) if n or self.config.blocks else x)
        return x
