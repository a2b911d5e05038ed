"""How the functions of the API call an action: the surroundings, and the options dataclass from what is given."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from laban.actions.context import Context, Models
from laban.config import nearest
from laban.errors import InputError

Kind = TypeVar("Kind")
PACKAGE = Path(__file__).parents[1]

_models = Models()


def surroundings(context: Context | None) -> Context:
    """The context that a caller gave, or one that shares models with all calls and warns in Python's way."""
    return context or Context(models=_models, warn=_warn)


def options_of(kind: type[Kind], options: Mapping[str, Any], named: Mapping[str, Any]) -> Kind:
    """An options dataclass; text becomes a Path where a field holds one.

    Args:
        kind: the dataclass.
        options: what a caller gave by name beyond a function's own arguments.
        named: the function's own arguments, by the dataclass's names.
    Raises: InputError for an option that the dataclass does not have.
    """
    types = {each.name: str(each.type) for each in fields(kind)}  # type: ignore[arg-type]
    for name in options:
        if name not in types or name in named:
            near = nearest(name, sorted(set(types) - set(named)))
            hope = f"did you mean {near!r}?" if near else f"known: {', '.join(sorted(set(types) - set(named)))}."
            raise InputError(f"there is no option {name!r}; {hope}")
    return kind(**{name: _fitting(value, types[name]) for name, value in {**named, **options}.items()})


def _fitting(value: Any, kind: str) -> Any:
    if isinstance(value, list):
        value = tuple(value)
    if "Path" not in kind:
        return value
    if isinstance(value, tuple):
        return tuple(Path(each) if isinstance(each, str) else each for each in value)
    return Path(value) if isinstance(value, str) else value


def _warn(text: str) -> None:
    """A Python warning at the line that called into this package."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and Path(frame.f_code.co_filename).is_relative_to(PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, stacklevel=level)
