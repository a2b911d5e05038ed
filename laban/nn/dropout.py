"""Dropout whose random numbers are bytes: on a CPU torch draws one float a number, which took an eighth of a step."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def dropout(x: Tensor, p: float, *, training: bool) -> Tensor:
    """`x` with a share p of its numbers set to 0 and the others divided by what is kept; `x` itself in evaluation.

    On a CPU p is rounded to 1/256 (at least 1/256), and eight numbers share 64 bits of torch's global generator, whose
    state is therefore all that a resumed run needs. On other devices it is torch's own.
    """
    if not training or p <= 0:
        return x
    if x.device.type != "cpu":
        return F.dropout(x, p, True)
    lost = max(1, round(p * 256))
    count = x.numel()
    words = torch.empty((count + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
    kept = words.view(torch.uint8)[:count].view(x.shape).to(x.dtype)
    return x * kept.sub_(lost - 1).clamp_(0, 1).mul_(256 / (256 - lost))


class Dropout(nn.Module):
    """The same as a layer."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Of any shape."""
        return dropout(x, self.p, training=self.training)
