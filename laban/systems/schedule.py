"""How a stage is trained and where its batches come from. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from laban.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


@dataclass(frozen=True)
class StageSchedule:
    """How one stage is trained. Steps are optimizer steps."""

    steps: int
    batch_size: int
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0  # AdamW; never on parameters with fewer than two dimensions (biases, norms)
    warmup: int = 0  # steps of linear warm-up from 0
    decay: Literal["milestones", "cosine"] = "milestones"
    milestones: tuple[int, ...] = ()  # the rate is multiplied by gamma at each of these steps
    gamma: float = 0.1
    floor: float = 0.0  # cosine ends at this fraction of learning_rate
    clip: float = 0.0  # largest gradient norm; 0: no clipping
    weight_ema: float = 0.0  # decay of the averaged weights that are validated and saved; 0: no averaging

    def __post_init__(self) -> None:
        for name, low, high in (
            ("steps", 0, math.inf), ("batch_size", 1, math.inf), ("learning_rate", 0, math.inf),
            ("weight_decay", 0, math.inf), ("warmup", 0, math.inf), ("gamma", 0, math.inf), ("floor", 0, 1),
            ("clip", 0, math.inf), ("weight_ema", 0, 1 - 1e-9),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"StageSchedule.{name}: got {value}, expected a number from {low} to {high}.")

    def rate(self, step: int) -> float:
        """Learning rate of step `step` (0 is the first): linear warm-up, then milestones or a cosine."""
        scale = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        if self.decay == "cosine":
            part = min(1.0, max(0.0, (step - self.warmup) / max(1, self.steps - self.warmup)))
            scale *= self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * part))
        else:
            scale *= self.gamma ** sum(step >= m for m in self.milestones)
        return self.learning_rate * scale


class Sampler(Protocol):
    """Draws a batch. All randomness comes from `rng`: its state is the sampler's whole state."""

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]: ...


@runtime_checkable
class StatefulSampler(Protocol):
    """A sampler with a position: `state()` returns JSON that resumes it, besides the RNG."""

    def __call__(self, rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]: ...

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: Mapping[str, Any]) -> None: ...
