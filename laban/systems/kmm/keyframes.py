"""Key frames by density of token latents: the paper's score as it is printed, and mended.

Source: KMM (arXiv 2411.06481): density d_i = sum over j of exp(-D_ij^2), distance to higher density
S_i = min over j with d_j > d_i of D_ij (infinite where there is none), score d * S; the highest score is a key frame.
It is density-peak clustering (Rodriguez and Laio, 2014) with a cutoff of 1. Several key frames are taken as the top k:
the paper does not say how it takes several (our inference).

`compat` is that formula. `mended` differs in three places where it fails (docs/kmm.md, "Key frames, looked at"):
* distances are divided by a bandwidth, the median distance of the sequence: with latents of another scale every
  density is 1 or N, and the choice is arbitrary;
* it is meant for latents before quantization: of quantized ones the density is how often a token repeats;
* the density peak gets the largest distance to it instead of infinity, and ties go to the earlier position, so that a
  held pose is chosen once and not in every copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from laban.errors import InputError, ShapeError


@dataclass(frozen=True)
class Peaks:
    """Of N positions: distance (..., N, N), density (..., N), separation (..., N) and their product, score."""

    distance: Tensor
    density: Tensor
    separation: Tensor
    score: Tensor


def density_peaks(latents: Tensor, how: Literal["compat", "mended"] = "mended") -> Peaks:
    """The score of every position of a sequence.

    Args:
        latents: (..., N, D) token latents; before quantization for `mended`.
        how: the paper's formula, or ours (see the module).
    Returns: Peaks. In `compat` the separation and score of a density peak are infinite.
    Raises: ShapeError unless there are N >= 1 positions; InputError for an unknown `how` or NaN.
    """
    if latents.ndim < 2 or 0 in latents.shape[-2:]:
        raise ShapeError(f"density_peaks: latents have shape {tuple(latents.shape)}, expected (..., N, D).")
    if how not in ("compat", "mended"):
        raise InputError(f"density_peaks: how is {how!r}, expected 'compat' or 'mended'.")
    if not bool(latents.isfinite().all()):
        raise InputError("density_peaks: latents hold NaN or infinity. The tokenizer's input is damaged.")
    n = latents.shape[-2]
    distance = torch.cdist(latents, latents, compute_mode="donot_use_mm_for_euclid_dist")
    if how == "compat":
        density = torch.exp(-(distance**2)).sum(-1)
        higher = density[..., None, :] > density[..., :, None]
        separation = distance.masked_fill(~higher, float("inf")).amin(-1)
        return Peaks(distance, density, separation, density * separation)
    apart = ~torch.eye(n, dtype=torch.bool, device=latents.device)
    if n > 1:
        width = distance[..., apart].reshape(*distance.shape[:-2], -1).median(-1).values
    else:
        width = torch.ones_like(distance[..., 0, 0])
    width = torch.where(width > 0, width, torch.ones_like(width))
    distance = distance / width[..., None, None]
    density = torch.exp(-(distance**2)).sum(-1)
    place = torch.arange(n, device=latents.device)
    mine, other = density[..., :, None], density[..., None, :]
    higher = (other > mine) | ((other == mine) & (place[None, :] < place[:, None]))
    nearest = distance.masked_fill(~higher, float("inf")).amin(-1)
    separation = torch.where(nearest.isinf(), distance.amax(-1), nearest)
    return Peaks(distance, density, separation, density * separation)


def choose(score: Tensor, count: Tensor | int, valid: Tensor | None = None) -> Tensor:
    """(..., N) bool, True at the `count` positions of highest score; ties go to the earlier ones.

    Args:
        score: (..., N), infinite values allowed.
        count: int or (...,).
        valid: (..., N) bool; others are not chosen.
    """
    if valid is not None:
        score = score.masked_fill(~valid, float("-inf"))
    rank = score.sort(dim=-1, descending=True, stable=True).indices.argsort(-1)
    wanted = torch.as_tensor(count, device=score.device)
    chosen = rank < (wanted[..., None] if wanted.ndim else wanted)
    return chosen if valid is None else chosen & valid
