"""The tokenizer's loss: features, commitment, and joints decoded to metres."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from laban.motion import humanml
from laban.motion.humanml import Layout
from laban.nn.tokenizer import Reconstruction
from laban.systems.momask.config import TokenizerLossConfig


class TokenizerLoss:
    """Named scalars of a reconstruction.

    Args:
        weights: of the terms, see TokenizerLossConfig.
        layout: which columns of the features are what.
        mean, std: (W,) float32; normalised features are (features - mean) / std.
    Source: MoMask (Guo et al., CVPR 2024), as released: features, local positions, commitment. Deviation: the terms
        on decoded joints, which are 0 in `paper`.
    """

    def __init__(self, weights: TokenizerLossConfig, layout: Layout, mean: Tensor, std: Tensor) -> None:
        self.weights = weights
        self.layout = layout
        self.mean, self.std = mean, std

    def __call__(self, out: Reconstruction, motion: Tensor) -> dict[str, Tensor]:
        """`loss`, its terms and the perplexity; motion: (B, T, W) normalised, what `out` should be."""
        weights = self.weights
        predicted = out.motion.float()  # bf16 holds three digits: too few for paths that are summed over frames
        columns = self.layout.positions
        parts = {
            "features": F.smooth_l1_loss(predicted, motion),
            "local": F.smooth_l1_loss(predicted[..., columns], motion[..., columns]),
            "commit": out.commit,
        }
        loss = parts["features"] + weights.local * parts["local"] + weights.commit * parts["commit"]
        if weights.decodes:
            for name, value in self.joint_terms(predicted, motion).items():
                parts[name] = value
                loss = loss + getattr(weights, name) * value
        return {"loss": loss, **{k: v.detach() for k, v in parts.items()}, "perplexity": out.perplexity}

    def joint_terms(self, predicted: Tensor, real: Tensor) -> dict[str, Tensor]:
        """Differences of decoded joints, in metres and frames; predicted, real: (B, T, W) normalised, T >= 3."""
        a, b = self._joints(predicted), self._joints(real)
        difference = a - b
        moved = difference[:, 1:] - difference[:, :-1]
        bent = moved[:, 1:] - moved[:, :-1]
        feet = list(self.layout.feet)
        contact = self._features(real)[:, :-1, self.layout.contacts] > 0.5
        slips = _length(moved[:, :, feet]) * contact
        return {
            "joints": _length(difference).mean(),
            "velocity": _length(moved).mean(),
            "acceleration": _length(bent).mean(),
            "foot": slips.sum() / contact.sum().clamp_min(1),
        }

    def _features(self, normalised: Tensor) -> Tensor:
        return normalised * self.std.to(normalised) + self.mean.to(normalised)

    def _joints(self, normalised: Tensor) -> Tensor:
        """(B, T, W) normalised features -> (B, T, J, 3) metres."""
        features = self._features(normalised)
        if not self.weights.integrate:
            still = torch.zeros_like(features[..., : self.layout.root_height.start])
            features = torch.cat([still, features[..., self.layout.root_height.start :]], -1)
        return humanml.decode(features, self.layout) * self.layout.unit


def _length(x: Tensor) -> Tensor:
    """(..., 3) -> (...) Euclidean length, with a finite gradient at 0."""
    return (x.square().sum(-1) + 1e-10).sqrt()
