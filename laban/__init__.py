"""Laban: words and music into 3D human motion. Importing this module imports neither torch nor numpy."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from laban.version import __version__

# torch's threads spin while they wait, and with one busy neighbour on two cores everything takes 6 to 20 times as long.
# Read when torch is first imported; whoever sets it otherwise keeps that.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_PUBLIC = {
    "Motion": "laban.motion.motion",
    "Segment": "laban.motion.motion",
    "Skeleton": "laban.motion.skeleton",
    "TextRequest": "laban.systems.requests",
    "load": "laban.systems.registry",
    "read": "laban.formats",
    "write": "laban.formats",
    "LabanError": "laban.errors",
}

__all__ = ["__version__", "LabanError", "Motion", "Segment", "Skeleton", "TextRequest", "load", "read", "write"]

if TYPE_CHECKING:
    from laban.errors import LabanError
    from laban.formats import read, write
    from laban.motion.motion import Motion, Segment
    from laban.motion.skeleton import Skeleton
    from laban.systems.registry import load
    from laban.systems.requests import TextRequest


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'laban' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
