"""Steering in the latent of a motion tokenizer: what a decoder makes is moved towards places by moving its latents.

Between its encoder and decoder a tokenizer has one vector per token. Gradients of distances in the decoded motion go
back into these vectors, so that the whole body follows where one joint is asked to go. Related: MaskControl
(Pinyoanuntapong et al. 2025) optimises logits and, last, the summed embedding; here the embedding alone, from the
unquantised latents of a motion that may have been warped. What is returned is the change that steering made, in
metres: added to the motion it leaves what nobody asked for as it was, and what the tokenizer cannot express is not
    lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from laban.motion import humanml
from laban.nn.frozen import FrozenTokenizer

NEAR = 8  # tokens on either side of a goal that may move
WRAP = 10  # tokens on either side that make a circular decode exact: the decoder reaches 33 frames


@dataclass(frozen=True, eq=False)
class Aims:
    """Places of joints, in the frame of the features (the first root at the origin, facing +Z), metres.

    Attributes:
        frames: (G,).
        joints: (G,) numbers.
        places: (G, 3).
        axes: (G, 3) 1 where an axis counts.
        weights: (G,) of the goals; they should sum to about one.
    """

    frames: np.ndarray
    joints: np.ndarray
    places: np.ndarray
    axes: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class SteeringSettings:
    """How steering goes about it; weights are of squared metres and metres per second."""

    iterations: int = 100
    rate: float = 0.06
    betas: tuple[float, float] = (0.5, 0.9)
    slip: float = 0.03  # of a standing foot's speed
    stay: float = 0.01  # of the latents' way
    anchor: float = 0.1  # of the root's way where nothing is asked, every tenth frame
    floor: float = 1.0  # of how far toes are below the floor
    near: float = 0.008  # metres: who is as near as this to every goal stops; limbs do the rest


@dataclass(frozen=True, eq=False)
class Steered:
    """What steering changed.

    Attributes:
        change: (T, J, 3) metres by which the decoded joints moved; of a cycle (T + 1, J, 3).
        error: metres, the farthest goal after it.
        iterations: done.
        around: with `circular`, (T + 1, J, 3) metres by which decoding around the seam differs from decoding with open
            ends.
    """

    change: np.ndarray
    error: float
    iterations: int
    around: np.ndarray | None = None


@dataclass
class _Decoder:
    """Latents (1, N, D) to joints (T, J, 3) metres; of a cycle T + 1: the last is the first, one cycle on."""

    frozen: FrozenTokenizer
    circular: bool  # tokens at its end see those at its beginning
    frames: int
    cycle: bool  # one frame more

    def features(self, latents: Tensor) -> Tensor:
        decoder, frozen = self.frozen.tokenizer.decoder, self.frozen
        if not self.circular:
            normal = decoder(latents)[0, : self.frames]
        else:
            many = -(-WRAP // latents.shape[1])
            wide = torch.cat([latents] * (2 * many + 1), 1)
            stride, size = frozen.config.stride, latents.shape[1]
            start = many * size - WRAP
            normal = decoder(wide[:, start : start + size + 2 * WRAP])[0, WRAP * stride :][: self.frames]
        return normal.float().cpu() * frozen.std + frozen.mean

    def joints(self, latents: Tensor) -> Tensor:
        layout, features = self.frozen.layout, self.features(latents)
        if self.cycle:
            features = torch.cat([features, features[:1]])
        return humanml.decode(features, layout) * layout.unit


def latents_of(frozen: FrozenTokenizer, features: np.ndarray) -> Tensor:
    """(1, N, D) unquantised latents of features (T, W) in their own units; the end is held up to whole tokens."""
    values = torch.from_numpy(features.astype(np.float32))
    short = -len(values) % frozen.config.stride
    values = torch.cat([values, values[-1:].expand(short, -1)])
    with torch.no_grad():
        return frozen.tokenizer.encoder(((values - frozen.mean) / frozen.std)[None].to(frozen.device))


def steer(
    frozen: FrozenTokenizer, features: np.ndarray, truth: np.ndarray, aims: Aims, *, circular: bool = False,
    settings: SteeringSettings | None = None, latents: Tensor | None = None,
) -> Steered:  # fmt: skip
    """Moves the latents of a motion until its joints are where they are asked to be.

    Args:
        frozen: the tokenizer.
        features: (T, W) of the motion, in their own units.
        truth: (T, J, 3) metres: its joints in the frame of the features; of a cycle (T + 1, J, 3).
        aims: what is asked. None at all: only the seam of a cycle is looked at.
        circular: the motion is a cycle of whole tokens.
        settings: how.
        latents: (1, N, D) where they are known (a cycle's are encoded with its neighbours); None: encoded here.
    """
    settings = settings or SteeringSettings()
    start = latents_of(frozen, features) if latents is None else latents
    decoder = _Decoder(frozen, circular, len(features), circular)
    with torch.no_grad():
        before = decoder.joints(start)
        around = (before - _Decoder(frozen, False, len(features), True).joints(start)).numpy() if circular else None
    if not len(aims.frames):
        return Steered(np.zeros(tuple(before.shape)), 0.0, 0, around)
    layout, fps = frozen.layout, frozen.layout.fps
    frames, joints = torch.from_numpy(aims.frames), torch.from_numpy(aims.joints)
    axes = torch.from_numpy(aims.axes).float()
    # What the tokenizer does not express stays: aims are moved to where its own decoding is.
    missed = torch.from_numpy(truth[aims.frames, aims.joints]).float() - before[frames, joints]
    places = torch.from_numpy(aims.places).float() - missed
    weights = torch.from_numpy(aims.weights).float()
    feet = list(layout.feet)
    with torch.no_grad():
        stands = (decoder.features(start)[:, layout.contacts] > 0.5)[: len(before) - 1]
    anchors = _anchors(aims, len(before))
    free = _free(aims, start.shape[1], frozen.config.stride, circular=circular)[None, :, None].to(start)
    moved = start.clone().requires_grad_(True)
    optimiser = torch.optim.Adam([moved], settings.rate, settings.betas)
    done, error = 0, float("inf")
    best, best_error = start, float("inf")
    for done in range(settings.iterations + 1):
        made = decoder.joints(moved)
        off = (made[frames, joints] - places) * axes
        error = float(off.detach().norm(dim=-1).max())
        if error < best_error:
            best, best_error = moved.detach().clone(), error
        if error <= settings.near or done == settings.iterations:
            break
        speed = (made[1:, feet][..., [0, 2]] - made[:-1, feet][..., [0, 2]]) * fps
        loss = (off.square().sum(-1) * weights).sum()
        loss = loss + settings.slip * (speed.square().sum(-1) * stands).mean()
        loss = loss + settings.stay * (moved - start).square().mean()
        loss = loss + settings.floor * (-made[..., 1]).clamp_min(0).square().sum(-1).mean()
        if len(anchors):
            loss = loss + settings.anchor * (made[anchors, 0] - before[anchors, 0]).square().sum(-1).mean()
        optimiser.zero_grad()
        loss.backward()
        assert moved.grad is not None
        moved.grad *= free
        optimiser.step()
    with torch.no_grad():
        change = (decoder.joints(best) - before).numpy().astype(np.float64)
    return Steered(change, best_error, done, around)


def _free(aims: Aims, tokens: int, stride: int, *, circular: bool) -> Tensor:
    """(N,) 1 for tokens near a goal: what is farther off stays as it is."""
    away = np.abs(np.arange(tokens)[:, None] - aims.frames[None] // stride)
    if circular:
        away = np.minimum(away, tokens - away)
    return torch.from_numpy((away.min(1) <= NEAR).astype(np.float32))


def _anchors(aims: Aims, frames: int) -> Tensor:
    """Every tenth frame and the last, where no goal is within half a second."""
    at = np.unique([*range(0, frames, 10), frames - 1])
    far = np.abs(at[:, None] - aims.frames[None]).min(1) > 10
    return torch.from_numpy(at[far | (at == 0) & (np.abs(aims.frames).min() > 0)])
