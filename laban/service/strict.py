"""JSON from strangers: text that any reader of JSON reads alike, not too deep, with numbers that are numbers."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from laban.service.problems import Problem

DEPTH = 64
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def parse(body: bytes) -> Any:
    """The value of a JSON text. Raises: Problem (400) for whatever is none, is too deep, or holds NaN or Infinity."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem("malformed", "the body is not UTF-8. Send JSON as UTF-8.") from None
    depth = 0
    for mark in _MARKS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark[0], 0)
        if depth > DEPTH:
            raise Problem("malformed", f"the body is nested deeper than {DEPTH} levels.")
    try:
        value = json.loads(text, parse_constant=_refused, parse_float=_number)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # half a character cannot be kept
    except UnicodeEncodeError:
        raise Problem("malformed", "the body holds half a character (a lone surrogate). Send whole ones.") from None
    except (ValueError, RecursionError) as error:
        raise Problem("malformed", f"the body is no JSON: {str(error)[:200]}.") from None
    return value


def _refused(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large a number")
    return value
