"""Laban: words and music into 3D human motion. Importing this module imports neither torch nor numpy.

Semantic versioning covers what `__all__` names, and the command line; see CONTRIBUTING.md.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from laban.version import __version__

_PUBLIC = {
    "Character": "laban.api.motions",
    "Context": "laban.actions.context",
    "InputError": "laban.errors",
    "LabanError": "laban.errors",
    "Motion": "laban.motion.motion",
    "MusicRequest": "laban.systems.requests",
    "Segment": "laban.motion.motion",
    "Skeleton": "laban.motion.skeleton",
    "System": "laban.systems.base",
    "TextRequest": "laban.systems.requests",
    "Timeline": "laban.authoring.timeline",
    "Video": "laban.io.frames",
    "author": "laban.api.authoring",
    "blend": "laban.api.changes",
    "bridge": "laban.api.changes",
    "clean": "laban.api.changes",
    "dance": "laban.api.generation",
    "edit": "laban.api.changes",
    "extend": "laban.api.changes",
    "generate": "laban.api.generation",
    "generate_many": "laban.api.generation",
    "load": "laban.systems.registry",
    "mix": "laban.api.changes",
    "plan": "laban.api.generation",
    "prepare_data": "laban.api.training",
    "read": "laban.formats",
    "recognise": "laban.api.motions",
    "render": "laban.api.motions",
    "retarget": "laban.api.motions",
    "score_model": "laban.api.training",
    "script": "laban.api.generation",
    "search": "laban.api.motions",
    "stream": "laban.api.generation",
    "train_model": "laban.api.training",
    "video": "laban.api.generation",
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
    "Timeline",
    "Video",
    "author",
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
    from laban.api.authoring import author
    from laban.api.changes import blend, bridge, clean, edit, extend, mix
    from laban.api.generation import dance, generate, generate_many, plan, script, stream, video
    from laban.api.motions import Character, recognise, render, retarget, search
    from laban.api.training import prepare_data, score_model, train_model
    from laban.authoring.timeline import Timeline
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
