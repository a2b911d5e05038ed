"""Laban: words and music into 3D human motion. Importing this module imports neither torch nor numpy.

Semantic versioning covers what `__all__` names, and the command line; see CONTRIBUTING.md.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from laban.version import __version__

_PUBLIC = {
    "Character": "laban.api",
    "Context": "laban.actions.context",
    "InputError": "laban.errors",
    "LabanError": "laban.errors",
    "Motion": "laban.motion.motion",
    "MusicRequest": "laban.systems.requests",
    "Segment": "laban.motion.motion",
    "Skeleton": "laban.motion.skeleton",
    "System": "laban.systems.base",
    "TextRequest": "laban.systems.requests",
    "Video": "laban.io.frames",
    "blend": "laban.api",
    "bridge": "laban.api",
    "clean": "laban.api",
    "dance": "laban.api",
    "edit": "laban.api",
    "extend": "laban.api",
    "generate": "laban.api",
    "generate_many": "laban.api",
    "load": "laban.systems.registry",
    "mix": "laban.api",
    "plan": "laban.api",
    "prepare_data": "laban.api",
    "read": "laban.formats",
    "recognise": "laban.api",
    "render": "laban.api",
    "retarget": "laban.api",
    "score_model": "laban.api",
    "script": "laban.api",
    "search": "laban.api",
    "stream": "laban.api",
    "train_model": "laban.api",
    "video": "laban.api",
    "write": "laban.formats",
}

__all__ = [
    "__version__",
    "Character",
    "Context",
    "InputError",
    "LabanError",
    "Motion",
    "MusicRequest",
    "Segment",
    "Skeleton",
    "System",
    "TextRequest",
    "Video",
    "blend",
    "bridge",
    "clean",
    "dance",
    "edit",
    "extend",
    "generate",
    "generate_many",
    "load",
    "mix",
    "plan",
    "prepare_data",
    "read",
    "recognise",
    "render",
    "retarget",
    "score_model",
    "script",
    "search",
    "stream",
    "train_model",
    "video",
    "write",
]

if TYPE_CHECKING:
    from laban.actions.context import Context
    from laban.api import (
        Character,
        blend,
        bridge,
        clean,
        dance,
        edit,
        extend,
        generate,
        generate_many,
        mix,
        plan,
        prepare_data,
        recognise,
        render,
        retarget,
        score_model,
        script,
        search,
        stream,
        train_model,
        video,
    )
    from laban.errors import InputError, LabanError
    from laban.formats import read, write
    from laban.io.frames import Video
    from laban.motion.motion import Motion, Segment
    from laban.motion.skeleton import Skeleton
    from laban.systems.base import System
    from laban.systems.registry import load
    from laban.systems.requests import MusicRequest, TextRequest


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'laban' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
