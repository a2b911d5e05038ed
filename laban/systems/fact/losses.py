"""What FACT is trained on: squared errors of rows, and of joints about the root."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from laban.motion.root_relative import HEIGHT, ROTATIONS
from laban.motion.skeletons import HUMANML22
from laban.systems.fact.config import LossConfig
from laban.systems.fact.representation import FPS


class FactLoss(nn.Module):
    """Args:
    config: weights.
    mean: (W,) of the rows.
    std: (W,) of the rows.
    relative: rows are root_relative's, so joints can be made.
    """

    def __init__(self, config: LossConfig, mean: Tensor, std: Tensor, *, relative: bool) -> None:
        super().__init__()
        self.config, self.relative = config, relative
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        self.register_buffer("offsets", torch.tensor(HUMANML22.offsets, dtype=torch.float32))
        self.mean: Tensor
        self.std: Tensor
        self.offsets: Tensor

    def forward(self, predicted: Tensor, target: Tensor, last: Tensor) -> dict[str, Tensor]:
        """Args:
            predicted: (B, N, W) normalised.
            target: (B, N, W) normalised.
            last: (B, 1, W), the frame before them in the history.

        Returns: `loss` and its parts. Steps count from the last frame seen, so that the seam is smooth too.
        """
        c = self.config
        square = (predicted - target).square()
        rows = square.mean()
        out = {"loss": rows, "rows": rows}
        if self.relative and c.root != 1.0:
            share = ROTATIONS.start / square.shape[-1]
            out["loss"] = rows + (c.root - 1.0) * share * square[..., : ROTATIONS.start].mean()
        if self.relative and (c.joints or c.velocity):
            made = torch.cat([last, predicted], 1).float()
            real = torch.cat([last, target], 1).float()
            places, true = self.joints(made), self.joints(real)
            joints = (places - true).square().sum(-1).mean()
            velocity = (self.steps(made, places) - self.steps(real, true)).square().sum(-1).mean()
            out |= {"joints": joints, "velocity": velocity}
            out["loss"] = out["loss"] + c.joints * joints + c.velocity * velocity
        return out

    def steps(self, rows: Tensor, joints: Tensor) -> Tensor:
        """(B, T, W) normalised rows and their joints -> (B, T - 1, 22, 3) metres per frame, the root's path included.

        Seen in the frame that turns with the heading: what moves a foot over the floor counts, however it comes about.
        """
        moved = (rows * self.std + self.mean)[:, 1:, : ROTATIONS.start] / FPS
        forward, sideways, turn = moved[..., 0, None], moved[..., 1, None], moved[..., 3, None]
        x, z = joints[:, 1:, :, 0], joints[:, 1:, :, 2]
        path = torch.stack([sideways + turn * z, torch.zeros_like(x), forward - turn * x], dim=-1)
        return joints.diff(dim=1) + path

    def joints(self, rows: Tensor) -> Tensor:
        """(B, T, W) normalised -> (B, T, 22, 3) metres, root over the origin, not turned by the heading."""
        rows = rows * self.std + self.mean
        six = rows[..., ROTATIONS].reshape(*rows.shape[:-1], 22, 6)
        x = nn.functional.normalize(six[..., :3], dim=-1)
        y = six[..., 3:] - (x * six[..., 3:]).sum(-1, keepdim=True) * x
        y = nn.functional.normalize(y, dim=-1)
        turns = torch.stack([x, y, torch.linalg.cross(x, y, dim=-1)], dim=-1)
        height = rows[..., HEIGHT]
        places = [torch.cat([torch.zeros_like(height), height, torch.zeros_like(height)], -1)]
        worlds = [turns[..., 0, :, :]]
        for joint in range(1, 22):
            parent = HUMANML22.parents[joint]
            places.append(places[parent] + worlds[parent] @ self.offsets[joint])
            worlds.append(worlds[parent] @ turns[..., joint, :, :])
        return torch.stack(places, dim=-2)
