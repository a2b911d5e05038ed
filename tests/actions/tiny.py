"""Tiny systems with random weights, and a clip, for the tests of actions and commands."""

from __future__ import annotations

import numpy as np
import torch

import laban
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22
from laban.systems.fact.config import TINY as TINY_FACT
from laban.systems.fact.representation import Relative
from laban.systems.fact.system import Fact, shipped_seed
from laban.systems.momask.config import TINY as TINY_MOMASK
from laban.systems.momask.system import MoMask


def momask() -> MoMask:
    """MoMask of the tiny preset."""
    torch.manual_seed(0)
    made = MoMask(TINY_MOMASK, {"mean": np.zeros(263, np.float32), "std": np.full(263, 0.1, np.float32)})
    for name, buffer in made.tokenizer.named_buffers():
        if name.endswith(".codes"):
            buffer.normal_()
    return made.eval()


def fact() -> Fact:
    """FACT of the tiny preset, which moves."""
    torch.manual_seed(0)
    rows = Relative().encode(shipped_seed())
    stats = {"mean": rows.mean(0), "std": np.full(136, 0.2), "audio_mean": np.zeros(35), "audio_std": np.full(35, 9.0)}
    system = Fact(TINY_FACT, {k: v.astype(np.float32) for k, v in stats.items()})
    torch.nn.init.normal_(system.network.head.weight, std=0.1)
    system.provenance.data, system.provenance.licence = ("nothing",), "none"
    return system


def walk() -> Motion:
    """A figure that walks, 3.4 s at 30 fps."""
    t = np.arange(102) / 30
    rotations = np.zeros((102, 22, 4))
    rotations[..., 0] = 1
    for name, sign in (("left_hip", 1), ("right_hip", -1), ("left_shoulder", -1), ("right_shoulder", 1)):
        angle = 0.5 * sign * np.sin(5 * t)
        rotations[:, HUMANML22.index(name)] = np.stack([np.cos(angle / 2), np.sin(angle / 2), 0 * t, 0 * t], -1)
    root = np.stack([0.1 * np.sin(t), 0.92 + 0.02 * np.cos(10 * t), 1.1 * t], -1)
    return Motion(HUMANML22, rotations, root, 30.0, (laban.Segment("a person walks", 0.0, 3.4),))
