"""Trunks of another backbone and equal size, for comparing backbones and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any


def equal_size(trunk: Any, backbone: str) -> Any:
    """The trunk with another backbone and as many parameters, to 5 %.

    Attention takes four square matrices per layer, more than a whole state-space layer whose inner width is its width:
    with as many layers nothing would be left for the feed-forward part. So there are fewer, the most with which `inner`
    is at least a quarter of the width.
    """
    wanted, step = size_of(trunk), 1 if backbone == "transformer" else trunk.heads
    for layers in range(trunk.layers, 0, -1):

        def sized(inner: int, layers: int = layers) -> Any:
            return replace(trunk, backbone=backbone, layers=layers, inner=inner)

        one, two = (size_of(sized(n * step)) for n in (1, 2))  # sizes grow evenly with inner
        inner = step * (1 + round((wanted - one) / (two - one)))
        if inner >= trunk.width / 4 and abs(size_of(sized(inner)) / wanted - 1) < 0.05:
            return sized(inner)
    raise AssertionError(f"{backbone}: no trunk of width {trunk.width} and {wanted} parameters")


def size_of(trunk: Any) -> int:
    """Parameters of a trunk, without building it: shapes on the meta device."""
    import torch

    from laban.systems.kmm.trunk import Trunk

    with torch.device("meta"):
        return sum(p.numel() for p in Trunk(trunk).parameters())
