"""The auto-encoder's loss. Source: Tevet et al. 2022, section 3.2, and the released weights; see config.LossConfig."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from laban.systems.motionclip.config import LossConfig, NetworkConfig
from laban.systems.motionclip.representation import SKELETON, ForwardKinematics


class AutoencoderLoss:
    """Named terms of one batch."""

    def __init__(self, config: LossConfig, network: NetworkConfig) -> None:
        self.config = config
        self.rows = network.joints
        self.kinematics = ForwardKinematics(SKELETON[network.joints])

    def __call__(
        self,
        channels: tuple[Tensor, Tensor],
        made: Tensor,
        latent: Tensor,
        batch: dict[str, Tensor],
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Named terms and their sum.

        Args:
            channels: made and real, (B, T, C) as the network sees them.
            made: (B, T, C) in their own unit.
            latent: (B, L).
            batch: as data.WindowSampler draws it.
            generator: the source of randomness.
        """
        config, valid = self.config, batch["valid"]
        out = {"reconstruction": _mean_square(channels[0] - channels[1], valid)}
        both = valid[:, 1:] & valid[:, :-1]
        out["velocity"] = _mean_square(channels[0].diff(dim=1) - channels[1].diff(dim=1), both)
        if config.joints or config.joint_velocity:
            out |= self._joints(made, batch["motion"].flatten(2), valid, generator)
        share = batch["share"]
        direction = F.normalize(latent.float(), dim=-1)
        out["text"] = _weighted(1 - (direction * batch["captions"][batch["caption"]]).sum(-1), share)
        if config.contrast:
            scores = F.log_softmax(direction @ batch["captions"].T / config.temperature, -1)
            out["contrast"] = _weighted(-(batch["targets"] * scores).sum(-1), share)
        if config.image and "image" in batch:
            out["image"] = _weighted(1 - (direction * batch["image"]).sum(-1), batch["seen"])
        total = torch.stack([getattr(config, name) * value for name, value in out.items()]).sum()
        return {"loss": total, **out}

    def _joints(self, made: Tensor, real: Tensor, valid: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Terms on joints, of some frames and their successors."""
        config, frames, step = self.config, made.shape[1], self.config.joint_frames
        first = int(torch.randint(step, (1,), generator=generator, device=generator.device)) if step > 1 else 0
        here = torch.arange(min(first, frames - 1), frames, step, device=made.device)
        after = (here + 1).clamp(max=frames - 1)
        pairs = step > 1 or config.joint_velocity > 0
        chosen = torch.cat([here, after]) if pairs else here
        places = [self._places(x[:, chosen]) for x in (made, real)]
        apart = places[0] - places[1]  # (B, S, J, 3)
        counted = valid[:, chosen]
        out = {"joints": _mean_distance(apart, counted) if config.place else _mean_square(apart.flatten(2), counted)}
        if config.joint_velocity:
            n = len(here)
            out["joint_velocity"] = _mean_distance(apart[:, n:] - apart[:, :n], counted[:, n:] & counted[:, :n])
        return out

    def _places(self, frames: Tensor) -> Tensor:
        """(B, S, C) -> (B, S, J, 3) metres."""
        x = frames.float().unflatten(-1, (self.rows + 1, 6))
        root = x[..., -1, :3] if self.config.place else torch.zeros_like(x[..., -1, :3])
        found = self.kinematics(x[..., :-1, :].flatten(0, 1), root.flatten(0, 1))
        return found.unflatten(0, frames.shape[:2])


def _mean_square(x: Tensor, valid: Tensor) -> Tensor:
    """Mean of x² over valid rows; x (B, T, C), valid (B, T)."""
    rows = x.float().square().mean(-1)
    return (rows * valid).sum() / valid.sum().clamp(min=1)


def _mean_distance(x: Tensor, valid: Tensor) -> Tensor:
    """Mean length of x (B, T, J, 3) over valid rows."""
    rows = (x.square().sum(-1) + 1e-10).sqrt().mean(-1)
    return (rows * valid).sum() / valid.sum().clamp(min=1)


def _weighted(x: Tensor, weight: Tensor) -> Tensor:
    """Mean of x (B,) by weight (B,); 0 where all weights are."""
    return (x * weight).sum() / weight.sum().clamp(min=1e-6)
