"""What a motion says of itself beside its numbers, passport and segments, as JSON: the same in every format.

Strict both ways: no NaN, no infinity and no broken Unicode, which other programs (and our own `--json`) refuse.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from laban.errors import FormatError, InputError
from laban.motion.motion import Motion, Segment


def about(motion: Motion) -> dict[str, Any]:
    """`{"passport": dict or None, "segments": [{"text", "start", "end"}, ...]}`, times in seconds."""
    segments = [{"text": s.text, "start": float(s.start), "end": float(s.end)} for s in motion.segments]
    return {"passport": motion.passport, "segments": segments}


def dumps(value: Any, path: str | Path, indent: int | None = None) -> bytes:
    """`value` as strict JSON in UTF-8, compact unless `indent` is given.

    Raises: InputError that names `path`, the file to be written, for what JSON cannot hold.
    """
    separators = (",", ":") if indent is None else None
    try:
        text = json.dumps(value, separators=separators, allow_nan=False, ensure_ascii=False, indent=indent)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: the passport or a segment does not fit into JSON ({error}). Use text, finite numbers, lists, "
            "dicts."
        ) from None


def parse(value: Any, path: str | Path) -> tuple[dict[str, Any] | None, tuple[Segment, ...]]:
    """Passport and segments from what `about` gave, after it went through a file.

    Raises: FormatError that names `path`, the file that was read, for anything else.
    """
    try:
        passport = value["passport"]
        if passport is not None and not isinstance(passport, dict):
            raise TypeError(f"the passport is a {type(passport).__name__}; an object was expected")
        segments = tuple(Segment(str(s["text"]), float(s["start"]), float(s["end"])) for s in value["segments"])
        if not all(math.isfinite(s.start) and math.isfinite(s.end) for s in segments):
            raise ValueError("a segment's time is not finite")
        json.dumps([passport, *(s.text for s in segments)], allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise FormatError(
            f"{path}: not a passport and segments that Laban wrote ({type(error).__name__}: {str(error)[:80]}). "
            "Repair it or write the file again."
        ) from None
    return passport, segments
