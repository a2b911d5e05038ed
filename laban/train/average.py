"""Exponential moving average of a network's weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Averages every floating tensor of a module's state_dict, codebooks too; others are taken as they are.

    The decay starts low, min(decay, (1 + t) / (10 + t)), so that the random start is forgotten soon. With
    decay 0 the average is the module itself.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = module
        self.decay = decay
        self.values = {k: v.clone() for k, v in self._live().items()} if decay else {}

    def _live(self) -> dict[str, Tensor]:
        return {k: v for k, v in self.module.state_dict().items() if v.is_floating_point()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after optimizer step number `step` (0 is the first)."""
        if self.decay:
            weight = 1.0 - min(self.decay, (1 + step) / (10 + step))
            torch._foreach_lerp_(list(self.values.values()), list(self._live().values()), weight)

    def state(self) -> dict[str, Tensor]:
        """The module's state_dict with averages where there are any."""
        return {**self.module.state_dict(), **self.values}

    @torch.no_grad()
    def load(self, values: dict[str, Tensor]) -> None:
        """Go on from saved averages."""
        for key, value in self.values.items():
            value.copy_(values[key])

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The module holds the averages inside the block, and exactly its own weights again after it."""
        live = self._live()
        kept = {k: live[k].clone() for k in self.values}
        with torch.no_grad():
            for key, value in self.values.items():
                live[key].copy_(value)
        try:
            yield
        finally:
            with torch.no_grad():
                for key, value in kept.items():
                    live[key].copy_(value)
