"""From texts to latents, and what every motion out of the latent goes through."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from laban.errors import InputError
from laban.motion import cleanup
from laban.motion.motion import Motion
from laban.nn.sampling import generators
from laban.systems.base import TextRequest
from laban.systems.motionclip.config import MotionClipConfig

if TYPE_CHECKING:
    from laban.systems.motionclip.system import MotionCLIP

CLEAN = cleanup.CleanupSettings(smooth=0.04)
"""Tokens of four frames meet with small steps, which double the jerk of real motion; 0.04 s of smoothing halves it."""
FREE = cleanup.CleanupSettings(smooth=0.04, enter=0.0, leave=0.0)
"""The same without holding feet."""
FARTHEST_PULL = 0.15
"""Metres that holding feet may move a joint. A blend of a walk and a stand glides; feet held then drag the body."""


def cleaned(motion: Motion) -> Motion:
    """Smoothed, and with standing feet held where that takes little."""
    held, free = cleanup.clean(motion, CLEAN), cleanup.clean(motion, FREE)
    pull = np.linalg.norm(held.joints() - free.joints(), axis=-1).max()
    return held if pull <= FARTHEST_PULL else free


def imagine(
    system: MotionCLIP,
    requests: Sequence[TextRequest],
    pooled: Tensor,
    seed: int,
    first_index: int,
    options: Mapping[str, Any],
) -> tuple[Tensor, list[int]]:
    """Latents for texts, and their lengths in frames."""
    config, prior = system.config, system.prior
    wanted = [0 if r.seconds is None else max(1, round(r.seconds * config.fps)) for r in requests]
    if prior is None or config.prior is None:
        return pooled, [n or min(60, config.max_frames) for n in wanted]  # released: 60 frames
    text = system.direction_of(pooled).to(system.device)
    usual = prior.usual_frames(text).tolist()
    frames = [n or int(min(config.max_frames, max(1, round(u)))) for n, u in zip(wanted, usual, strict=True)]
    width = config.network.latent
    noise = torch.stack([torch.randn(width, generator=g) for g in generators(seed, len(requests), first_index)])
    return (
        prior.draw(
            text, torch.tensor(frames, device=system.device), config.prior.spread * noise.to(system.device),
            options["steps"], options["guidance"],
        ).cpu(),
        frames,
    )  # fmt: skip


def check(
    config: MotionClipConfig, requests: Sequence[TextRequest], seed: int, first_index: int, options: Mapping[str, Any]
) -> None:
    """InputError for a request or option that cannot be met."""
    longest = config.max_frames / config.fps
    for i, request in enumerate(requests):
        if not isinstance(request.text, str) or not request.text.strip():
            raise InputError(f"motionclip.generate: request {i + 1} has an empty text; say what the person does.")
        seconds = request.seconds
        if seconds is not None and not (math.isfinite(seconds) and 0 < seconds <= longest):
            raise InputError(
                f"motionclip.generate: seconds is {seconds:g}, expected more than 0 and at most {longest:g}."
            )
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0 or first_index < 0:
        raise InputError(f"motionclip.generate: seed is {seed!r}, expected a whole number of 0 or more.")
    steps, guidance = options["steps"], options["guidance"]
    if config.prior is None:
        if steps is not None or guidance is not None:
            raise InputError("motionclip.generate: these weights have no prior, so neither steps nor guidance.")
        return
    if not isinstance(steps, int) or not 1 <= steps <= 1000:
        raise InputError(f"motionclip.generate: steps is {steps!r}, expected a whole number from 1 to 1000.")
    if not math.isfinite(guidance) or not 0 <= guidance <= 100:
        raise InputError(f"motionclip.generate: guidance is {guidance:g}, expected a number from 0 to 100.")


class Evaluating:
    """Networks in evaluation mode inside a `with`, and in their former mode after it."""

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self.modules = modules

    def __enter__(self) -> None:
        self.modes = [m.training for m in self.modules]
        for module in self.modules:
            module.eval()

    def __exit__(self, *_: object) -> None:
        for module, mode in zip(self.modules, self.modes, strict=True):
            module.train(mode)
