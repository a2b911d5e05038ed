"""A small real system for the loop's tests: a network predicts the next frame, a second one refines it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from laban.motion.humanml import decode
from laban.motion.motion import Motion
from laban.systems.base import System
from laban.systems.schedule import StageSchedule


@dataclass(frozen=True)
class ToyConfig:
    width: int = 16
    noise: float = 0.1
    poison: int = -1  # from this many draws of the sampler on, the data are NaN
    first: StageSchedule = field(
        default_factory=lambda: StageSchedule(40, 8, 3e-3, warmup=5, clip=1.0, weight_ema=0.9, weight_decay=1e-2)
    )
    second: StageSchedule = field(default_factory=lambda: StageSchedule(30, 8, 3e-3, decay="cosine"))


class Toy(System):
    name = "toy"
    config_class = ToyConfig
    presets: ClassVar[dict[str, ToyConfig]] = {"tiny": ToyConfig(), "wide": ToyConfig(width=32)}

    def __init__(self, config: ToyConfig, stats: Any) -> None:
        super().__init__(config, stats)
        w = config.width

        def network() -> nn.Module:
            return nn.Sequential(nn.Linear(263, w), nn.BatchNorm1d(w), nn.GELU(), nn.Dropout(0.2), nn.Linear(w, 263))

        self.nets = {"first": network(), "second": network()}

    def stages(self) -> tuple[str, ...]:
        return ("first", "second")

    def module(self, stage: str) -> nn.Module:
        return self.nets[stage]

    def schedule(self, stage: str) -> StageSchedule:
        return getattr(self.config, stage)

    def sampler(self, stage: str, corpus: Any, split: str) -> Any:
        records = corpus.select(split)
        mean, std = corpus.mean, corpus.std
        drawn = 0

        def draw(rng: np.random.Generator, batch_size: int) -> dict[str, Tensor]:
            nonlocal drawn
            drawn += 1
            rows = []
            for _ in range(batch_size):
                clip = corpus.features(records[rng.integers(len(records))])
                at = rng.integers(len(clip) - 1)
                rows.append((clip[at : at + 2] - mean) / std)
            batch = torch.from_numpy(np.stack(rows).astype(np.float32))
            if 0 <= self.config.poison < drawn:
                batch[0, 0, 0] = float("nan")
            return {"now": batch[:, 0], "next": batch[:, 1]}

        return draw

    def loss(self, stage: str, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        x = batch["now"]
        x = x + self.config.noise * torch.randn(x.shape, generator=generator, device=x.device)
        if stage == "second":
            with torch.no_grad():
                x = self.nets["first"](x)
        error = (self.nets[stage](x) - batch["next"]).square().mean()
        return {"loss": error, "rmse": error.detach().sqrt()}

    def generate(self, requests: Any, seed: int, **options: Any) -> list[Motion]:
        g = torch.Generator().manual_seed(seed)
        out = []
        for r in requests:
            x = torch.randn((round((r.seconds or 1) * 20), 263), generator=g) * 0.1
            with torch.no_grad():
                x = self.nets["second"](self.nets["first"](x))
            joints = decode((x * self.stats["std"] + self.stats["mean"]).numpy())
            out.append(replace(Motion.from_joints(joints, 20.0), passport=self.passport(r, seed)))
        return out

    def preview(self, seed: int) -> list[Motion]:
        from laban.systems.requests import TextRequest

        return self.generate([TextRequest("anything", 1.0)], seed)
