"""Laban: words and music into 3D human motion. Importing this module imports neither torch nor numpy."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "Motion": "laban.motion.motion",
    "Segment": "laban.motion.motion",
    "Skeleton": "laban.motion.skeleton",
    "TextRequest": "laban.systems.base",
    "load": "laban.systems.base",
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
    from laban.systems.base import TextRequest, load


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'laban' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
