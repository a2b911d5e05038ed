"""The fields of options dataclasses, read for whoever asks: the command line, and JSON with its schema."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from types import GenericAlias, NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from laban.actions.options import check, flags
from laban.config import nearest
from laban.errors import InputError


class Later:
    """Stands for a class that only callers in Python give, so that help needs no numpy."""


IN_PYTHON = {"Motion": Later, "Timeline": Later}
SAID = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", Path: "the name of a file"}


def flat(kind: type) -> Iterator[tuple[Field[Any], Any]]:
    """(field, type) of a dataclass's fields, with those of its dataclasses in their place."""
    hints = hints_of(kind)
    for field in fields(kind):
        if field.metadata.get("in_python"):
            continue
        if is_dataclass(hints[field.name]):
            yield from flat(hints[field.name])
        else:
            yield field, given_as(hints[field.name])


def hints_of(kind: type) -> dict[str, Any]:
    """The types of a dataclass's fields; those of IN_PYTHON are not looked up, and may be imported for types only."""
    return get_type_hints(kind, localns=IN_PYTHON, include_extras=True)


def given_as(hint: Any) -> Any:
    """A type as a command line or JSON gives it: unions without Laban's own classes, which callers in Python give."""
    origin, members = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        given = [given_as(m) for m in members if not getattr(m, "__module__", "").startswith("laban.")]
        return functools.reduce(operator.or_, given)
    return GenericAlias(tuple, tuple(given_as(m) for m in members)) if origin is tuple else hint


def built(kind: type, given: Mapping[str, Any]) -> Any:
    """The dataclass of what was given. Raises: InputError for what is out of bounds, naming it as it is given."""
    hints = hints_of(kind)
    values = {}
    for field in fields(kind):
        if is_dataclass(hints[field.name]):
            values[field.name] = built(hints[field.name], given)
        elif field.name in given:
            values[field.name] = given[field.name]
    options = kind(**values)
    check(options, flags(options))
    return options


def holds_files(hint: Any) -> bool:
    """Whether a field of this type is the path of a file or folder, or several."""
    return hint is Path or any(holds_files(member) for member in get_args(hint))


def from_json(
    kind: type, values: Mapping[str, Any], file_of: Callable[[str], Path], left_out: Collection[str] = (),
    fixed: Mapping[str, Any] | None = None,
) -> Any:  # fmt: skip
    """The options dataclass of a JSON object.

    Args:
        kind: the dataclass.
        values: field -> value, the fields of inner dataclasses beside the others.
        file_of: turns what a client wrote for a file into its path; may raise InputError.
        left_out: fields that are not given in JSON.
        fixed: their values, where they are not the dataclass's.
    Raises: InputError for an unknown field, one that is missing, a value of another type or out of bounds.
    """
    known = {field.name: (field, hint) for field, hint in flat(kind) if field.name not in left_out}
    for name in values:
        if name not in known:
            near = nearest(name, known)
            hope = f"Did you mean {near!r}?" if near else f"Known: {', '.join(known)}."
            raise InputError(f"there is no option {name!r}. {hope}")
    for name, (field, _) in known.items():
        if field.default is MISSING and field.default_factory is MISSING and name not in values:
            raise InputError(f"{_flag(name)} is missing. {field.metadata.get('help', '')}".strip())
    given = {name: _fitting(_flag(name), value, known[name][1], file_of) for name, value in values.items()}
    return built(kind, {**given, **(fixed or {})})


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _fitting(name: str, value: Any, hint: Any, file_of: Callable[[str], Path]) -> Any:
    """A JSON value as the type of its field. Raises: InputError if it is of another."""
    origin, members = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if value is None and NoneType in members:
            return None
        if isinstance(value, bool) and bool in members:
            return value
        rest = [m for m in members if m is not NoneType]
        return _fitting(name, value, next((m for m in rest if _is_of(value, m)), rest[0]), file_of)
    if origin is Literal:
        if value not in members or isinstance(value, bool):
            raise InputError(f"{name} is {value!r}, expected {' or '.join(map(str, members))}.")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise InputError(f"{name} is {_short(value)}, expected a list.")
        return tuple(_fitting(name, each, members[0], file_of) for each in value)
    if not _is_of(value, hint):
        raise InputError(f"{name} is {_short(value)}, expected {SAID.get(hint, hint)}.")
    if hint is Path:
        return file_of(value)
    return hint(value) if hint in (int, float) else value


def _is_of(value: Any, hint: Any) -> bool:
    """Whether a JSON value can be a field of one plain type; 3.0 is a whole number, as JSON schema has it."""
    if isinstance(value, bool) or hint is bool:
        return hint is bool and isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if hint is float:
        return isinstance(value, int | float) and abs(value) < 1e300
    return isinstance(value, str if hint is Path else hint)


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 60 else f"{said[:57]}..."


def schema(kind: type, left_out: Collection[str] = ()) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of what `from_json` takes: types, bounds, defaults and help of the fields.

    Args:
        kind: the dataclass.
        left_out: fields that are not given in JSON.
    """
    properties, required = {}, []
    for field, hint in flat(kind):
        if field.name in left_out:
            continue
        entry = _type_of(hint, field.metadata.get("bounds"))
        if "help" in field.metadata:
            entry["description"] = field.metadata["help"]
        if field.default is MISSING and field.default_factory is MISSING:
            required.append(field.name)
        elif isinstance(field.default, str | int | float | bool):
            entry["default"] = field.default
        properties[field.name] = entry
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _type_of(hint: Any, bounds: Any) -> dict[str, Any]:
    origin, members = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        rest = [_type_of(m, bounds) for m in members if m is not NoneType]
        one = rest[0] if len(rest) == 1 else {"anyOf": rest}
        return {"anyOf": [one, {"type": "null"}]} if NoneType in members else one
    if origin is Literal:
        return {"enum": list(members)}
    if origin is tuple:
        return {"type": "array", "items": _type_of(members[0], bounds)}
    if hint is Path:
        return {"type": "string", "format": "laban-file"}
    entry: dict[str, Any] = {"type": {str: "string", bool: "boolean", int: "integer", float: "number"}[hint]}
    if bounds is not None:
        entry |= {"minimum": bounds.low, "maximum": bounds.high}
    return entry
