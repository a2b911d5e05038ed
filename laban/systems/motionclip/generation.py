"""From texts to latents, and what every motion out of the latent goes through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from laban.motion import cleanup
from laban.motion.motion import Motion
from laban.nn.sampling import generators
from laban.systems.motionclip.config import MotionClipConfig
from laban.systems.motionclip.prior import Prior
from laban.systems.requests import TextRequest

CLEAN = cleanup.CleanupSettings(smooth=0.04)
"""Tokens of four frames meet with small steps, which double the jerk of real motion; 0.04 s of smoothing halves it."""
FREE = cleanup.CleanupSettings(smooth=0.04, enter=0.0, leave=0.0)
"""The same without holding feet."""
FARTHEST_PULL = 0.15
"""Metres that holding feet may move a joint. A blend of a walk and a stand glides; feet held then drag the body."""


@dataclass(frozen=True)
class GenerationOptions:
    """Options of `MotionCLIP.generate`.

    Attributes:
        steps: of the prior. Weights without a prior have neither steps nor guidance: the text's own vector is decoded,
            as released, and every seed gives the same motion.
        guidance: of the prior.
        clean: smooth, and clean up the feet, see CLEAN.
    """

    steps: int | None = None
    guidance: float | None = None
    clean: bool = False


def cleaned(motion: Motion) -> Motion:
    """Smoothed, and with standing feet held where that takes little."""
    held, free = cleanup.clean(motion, CLEAN), cleanup.clean(motion, FREE)
    pull = np.linalg.norm(held.joints() - free.joints(), axis=-1).max()
    return held if pull <= FARTHEST_PULL else free


def imagine(
    config: MotionClipConfig, prior: Prior | None, requests: Sequence[TextRequest], texts: Tensor, seed: int,
    first_index: int, options: GenerationOptions,
) -> tuple[Tensor, list[int]]:  # fmt: skip
    """Latents (N, latent) for texts, and their lengths in frames.

    Args:
        config: of the system.
        prior: None: the texts' own vectors are the latents, as released.
        requests: N, for their lengths.
        texts: (N, W) vectors as the prior reads them, on its device; without a prior, the text encoder's.
        seed: of the noise, with the number of the sample.
        first_index: number of the first sample.
        options: steps and guidance of the prior.
    """
    wanted = [0 if r.seconds is None else max(1, round(r.seconds * config.fps)) for r in requests]
    if prior is None or config.prior is None:
        return texts, [n or min(60, config.max_frames) for n in wanted]  # released: 60 frames
    usual = prior.usual_frames(texts).tolist()
    frames = [n or int(min(config.max_frames, max(1, round(u)))) for n, u in zip(wanted, usual, strict=True)]
    width, device = config.network.latent, texts.device
    noise = torch.stack([torch.randn(width, generator=g) for g in generators(seed, len(requests), first_index)])
    lengths, spread = torch.tensor(frames, device=device), config.prior.spread
    assert options.steps is not None and options.guidance is not None
    return prior.sample(texts, lengths, spread * noise.to(device), options.steps, options.guidance).cpu(), frames
