"""One-dimensional convolutional encoder and decoder over time, without norms."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """x + dropout(conv1(relu(dilated conv3(relu(x))))), same length."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.wide = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.point = nn.Conv1d(width, width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, D, T) -> (B, D, T)."""
        h = self.wide(torch.relu(x))
        return x + self.dropout(self.point(torch.relu(h)))


def _blocks(width: int, depth: int, growth: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(width, growth ** (depth - 1 - i), dropout) for i in range(depth)))


class ConvEncoder(nn.Module):
    """Features over time to latents at 1 / 2**halvings of the rate.

    conv3, relu, halvings x {conv4 with stride 2, residual blocks}, conv3.
    Source: MoMask (Guo et al., CVPR 2024), residual VQ-VAE. Deviation: none.
    """

    def __init__(
        self, features: int, width: int, code_width: int, halvings: int, depth: int, growth: int, dropout: float
    ) -> None:
        super().__init__()
        self.first = nn.Conv1d(features, width, 3, padding=1)
        self.down = nn.ModuleList(nn.Conv1d(width, width, 4, stride=2, padding=1) for _ in range(halvings))
        self.blocks = nn.ModuleList(_blocks(width, depth, growth, dropout) for _ in range(halvings))
        self.last = nn.Conv1d(width, code_width, 3, padding=1)

    def forward(self, motion: Tensor) -> Tensor:
        """(B, T, features) -> (B, T // 2**halvings, code_width)."""
        x = torch.relu(self.first(motion.transpose(1, 2)))
        for down, blocks in zip(self.down, self.blocks, strict=True):
            x = blocks(down(x))
        return self.last(x).transpose(1, 2)


class ConvDecoder(nn.Module):
    """Latents to features at 2**halvings times the rate.

    conv3, relu, halvings x {residual blocks, nearest x2, conv3}, conv3, relu, conv3.
    Source: MoMask, residual VQ-VAE. Deviation: none.
    """

    def __init__(
        self, features: int, width: int, code_width: int, halvings: int, depth: int, growth: int, dropout: float
    ) -> None:
        super().__init__()
        self.first = nn.Conv1d(code_width, width, 3, padding=1)
        self.blocks = nn.ModuleList(_blocks(width, depth, growth, dropout) for _ in range(halvings))
        self.up = nn.ModuleList(nn.Conv1d(width, width, 3, padding=1) for _ in range(halvings))
        self.middle = nn.Conv1d(width, width, 3, padding=1)
        self.last = nn.Conv1d(width, features, 3, padding=1)

    def forward(self, latents: Tensor) -> Tensor:
        """(B, N, code_width) -> (B, N * 2**halvings, features)."""
        x = torch.relu(self.first(latents.transpose(1, 2)))
        for blocks, up in zip(self.blocks, self.up, strict=True):
            x = up(blocks(x).repeat_interleave(2, dim=-1))
        return self.last(torch.relu(self.middle(x))).transpose(1, 2)
