"""The curve by which one thing gives way to another."""

from __future__ import annotations

from typing import Any


def smoothstep(x: Any) -> Any:
    """3 x^2 - 2 x^3: from 0 to 1 with level ends. Arrays of numpy and tensors of torch alike.

    Args:
        x: values in [0, 1].
    Returns: the same shape.
    """
    return x * x * (3 - 2 * x)
