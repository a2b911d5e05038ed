"""FACT's network: pre-norm transformers over motion, music and both.

Source: Li et al. 2021 (ICCV), section 4, and the released code (google-research/mint). What is odd there is kept under
"width" scale: logits are scaled by width^-0.5; no norm after the last layer; no positions or modality marks in the
cross stage; no query tokens: the output at the positions of the oldest motion frames is the future.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.motion.easing import smoothstep
from laban.systems.fact.config import FactConfig, NetworkConfig

FADE = 20  # frames in which "fading" residuals have faded
TURN = 20  # frames over which `drift` sees the clock turn


class Attention(nn.Module):
    """Multi-head self-attention; queries, keys and values without bias."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.scale = (config.width if config.scale == "width" else config.width // config.heads) ** -0.5
        self.causal = config.attention == "causal"
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, S, D) -> (B, S, D)."""
        b, s, d = x.shape
        q, k, v = self.qkv(x).reshape(b, s, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal, scale=self.scale)
        return self.out(y.transpose(1, 2).reshape(b, s, d))


class Layer(nn.Module):
    """x + attention(norm(x)), then x + down(gelu(up(norm(x)))); GELU by tanh, LayerNorm eps 1e-5."""

    def __init__(self, config: NetworkConfig, dropout: float) -> None:
        super().__init__()
        d = config.width
        self.norm_attention, self.norm_feedforward = nn.LayerNorm(d), nn.LayerNorm(d)
        self.attention = Attention(config)
        self.up, self.down = nn.Linear(d, config.feedforward), nn.Linear(config.feedforward, d)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """(B, S, D) -> (B, S, D)."""
        x = x + self._drop(self.attention(self.norm_attention(x)))
        hidden = F.gelu(self.up(self.norm_feedforward(x)), approximate="tanh")
        return x + self._drop(self.down(hidden))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training) if self.dropout else x


class Encoder(nn.Module):
    """Patches of frames to tokens: linear, learned positions, layers."""

    def __init__(self, config: NetworkConfig, frames: int, columns: int, patch: int, layers: int, dropout: float):
        super().__init__()
        self.patch = patch
        self.embed = nn.Linear(columns * patch, config.width)
        self.positions = nn.Parameter(torch.empty(frames // patch, config.width))
        self.layers = nn.ModuleList(Layer(config, dropout) for _ in range(layers))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, W) -> (B, T / patch, D)."""
        x = self.embed(x.reshape(len(x), x.shape[1] // self.patch, -1)) + self.positions
        for layer in self.layers:
            x = layer(x)
        return x


class FactNetwork(nn.Module):
    """History of motion and a window of music -> the next frames of motion.

    Args:
        config: see config.py.
        columns: of a motion row (225 or 136).
        music: columns of the music (35).
    """

    def __init__(self, config: FactConfig, columns: int, music: int = 35) -> None:
        super().__init__()
        net = config.network
        self.columns, self.future = columns, config.future
        self.fading, self.causal = config.residual == "fading", net.attention == "causal"
        drop = config.loss.dropout
        self.drift = nn.Linear(8, net.width) if net.drift else None
        self.motion = Encoder(net, config.history, columns, net.motion_patch, net.motion_layers, drop)
        self.audio = Encoder(net, config.audio, music, net.audio_patch, net.audio_layers, drop)
        self.cross = nn.ModuleList(Layer(net, drop) for _ in range(net.cross_layers))
        self.norm = nn.LayerNorm(net.width) if net.final_norm else nn.Identity()
        self.tokens = config.future // net.motion_patch
        self.head = nn.Linear(net.width, columns * net.motion_patch)
        self.late = nn.Linear(net.width, 2) if config.loss.sync else None
        initialise(self)
        if self.fading:
            nn.init.zeros_(self.head.weight)

    def forward(self, history: Tensor, music: Tensor) -> Tensor:
        """Args:
            history: (B, history, W).
            music: (B, audio, 35).
        Returns: (B, future, W).
        """
        return self.predict(history, music, self.audio(music))

    def predict(self, history: Tensor, music: Tensor, heard: Tensor) -> Tensor:
        """The same with the music already encoded, (B, tokens, D): that does not depend on the motion."""
        return self.rows(self.outputs(history, music, heard), history)

    def outputs(self, history: Tensor, music: Tensor, heard: Tensor) -> Tensor:
        """(B, future / patch, D): what the head sees."""
        x = self.motion(history)
        if self.drift is not None:
            x = x + self.drift(drift(history, music[:, : history.shape[1], -2:]))[:, None]
        x = torch.cat([x, heard], dim=1)
        for layer in self.cross:
            x = layer(x)
        return self.norm(x[:, -self.tokens :] if self.causal else x[:, : self.tokens])

    def rows(self, outputs: Tensor, history: Tensor) -> Tensor:
        """(B, future, W)."""
        rows = self.head(outputs).reshape(len(outputs), self.future, self.columns)
        return rows + history[:, -1:] * fade(self.future).to(rows) if self.fading else rows


def drift(history: Tensor, clock: Tensor) -> Tensor:
    """Where the beat is, and how far the rests of a history are from it.

    Columns 0 to 3: speed over 5 frames, less its mean, times the clock, averaged over the history and over its second
    half: vectors that turn once per beat with the distance between rests and beats. 4, 5: the clock at the last frame.
    6, 7: how far it turned in the last TURN. Layers of attention learnt none of this in an hour.

    Args:
        history: (B, H, W) normalised, H above TURN.
        clock: (B, H, 2), sine and cosine of the phase of the beat, of deviation 1.
    Returns: (B, 8), of the order of 1.
    Source: ours.
    """
    speed = (history.diff(dim=1).square().mean(dim=-1) + 1e-8).sqrt()[:, None]
    speed = nn.functional.avg_pool1d(nn.functional.pad(speed, (3, 2), mode="replicate"), 5, stride=1)
    turned = (speed / speed.mean(dim=-1, keepdim=True) - 1).transpose(1, 2) * clock
    apart = 10 * torch.cat([turned.mean(dim=1), turned[:, turned.shape[1] // 2 :].mean(dim=1)], dim=-1)
    (sine, cosine), (old_sine, old_cosine) = clock[:, -1].unbind(-1), clock[:, -1 - TURN].unbind(-1)
    ahead = torch.stack([sine * old_cosine - cosine * old_sine, cosine * old_cosine + sine * old_sine], dim=-1) / 2
    return torch.cat([apart, clock[:, -1], ahead], dim=-1)


def fade(frames: int) -> Tensor:
    """(frames, 1): from almost 1 down to 0 in FADE frames, smoothly: the share of a start that is left after each."""
    x = (torch.arange(1, frames + 1, dtype=torch.float32)[:, None] / FADE).clamp_max(1.0)
    return 1 - smoothstep(x)


def initialise(network: FactNetwork) -> None:
    """Keras' defaults, as released: Glorot-uniform weights, zero biases; positions and head truncated normal 0.02."""
    for part in network.modules():
        if isinstance(part, nn.Linear):
            if part.out_features == 3 * part.in_features and part.bias is None:  # three square matrices in one
                for block in part.weight.data.chunk(3):
                    nn.init.xavier_uniform_(block)
            else:
                nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    for tensor in (network.motion.positions, network.audio.positions, network.head.weight):
        nn.init.trunc_normal_(tensor, std=0.02, a=-0.04, b=0.04)
