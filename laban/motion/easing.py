"""How a weight goes from 0 to 1."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def smoothstep(x: T) -> T:
    """3 x² - 2 x³, flat at 0 and 1: a number, an array or a tensor in [0, 1]."""
    return x * x * (3 - 2 * x)  # type: ignore[operator]
