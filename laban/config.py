"""Strict conversion between frozen configuration dataclasses and plain dictionaries.

A configuration is a dataclass whose fields are bool, int, float, str, None, Literal, tuples, dictionaries
with string keys, or other such dataclasses. An unknown key is an error that names the nearest known one, so
that a misspelt field never passes in silence.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import math
import types
from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from laban.errors import InputError

T = TypeVar("T")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None when nothing is alike."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return found[0] if found else None


def to_dict(config: Any) -> dict[str, Any]:
    """Plain JSON-able dictionary of a configuration dataclass; tuples become lists.

    Raises: InputError if a field holds something that JSON cannot.
    """
    return {f.name: _plain(getattr(config, f.name), f.name) for f in dataclasses.fields(config)}


def from_dict(cls: type[T], values: Mapping[str, Any]) -> T:
    """Build `cls` from what `to_dict` gave.

    Args:
        cls: a dataclass type.
        values: field name -> plain value. Fields that have a default may be absent.
    Raises: InputError on an unknown key (names the nearest), a missing one, or a value of the wrong type.
    """
    return _build(cls, values, "")


def override(config: T, settings: Iterable[str]) -> T:
    """A copy of `config` with `field=value` settings applied; nested fields are dotted (`masked.width=128`).

    Values are Python literals (`3`, `1e-4`, `True`, `(1, 2)`) or bare words for strings.

    Raises: InputError if a setting has no `=`, names no field, or has a value of the wrong type.
    """
    values = to_dict(config)
    for setting in settings:
        key, equals, text = setting.partition("=")
        key = key.strip()
        if not equals or not key:
            raise InputError(f"setting {setting!r}: got no '='; expected field=value, for example width=256.")
        *parents, leaf = key.split(".")
        place: Any = values
        for depth, part in enumerate([*parents, leaf]):
            if not isinstance(place, dict):
                raise InputError(f"setting {key!r}: {'.'.join(key.split('.')[:depth])!r} has no fields of its own.")
            if part not in place:
                raise InputError(_unknown(part, place, type(config).__name__, ".".join(parents[:depth])))
            if depth < len(parents):
                place = place[part]
        if isinstance(place[leaf], dict):
            raise InputError(
                f"setting {key!r}: it is a group of fields; set one of {', '.join(place[leaf])}, for example "
                f"{key}.{next(iter(place[leaf]), 'field')}=value."
            )
        place[leaf] = _literal(text.strip())
    return from_dict(type(config), values)


def differences(a: Any, b: Any, prefix: str = "") -> list[str]:
    """Lines 'dotted.key: A, now B' for every leaf in which two plain values differ (a: before, b: now)."""
    if isinstance(a, dict) and isinstance(b, dict):
        out: list[str] = []
        for key in [*a, *(k for k in b if k not in a)]:
            name = f"{prefix}.{key}" if prefix else str(key)
            if key not in a:
                out.append(f"{name}: absent, now {b[key]!r}")
            elif key not in b:
                out.append(f"{name}: {a[key]!r}, now absent")
            else:
                out.extend(differences(a[key], b[key], name))
        return out
    return [] if a == b else [f"{prefix}: {a!r}, now {b!r}"]


def _plain(value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name), f"{where}.{f.name}") for f in dataclasses.fields(value)}
    if isinstance(value, bool | int | str | None):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InputError(f"config field {where}: got {value}, expected a finite number.")
        return value
    if isinstance(value, tuple | list):
        return [_plain(v, f"{where}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, Mapping):
        return {str(k): _plain(v, f"{where}.{k}") for k, v in value.items()}
    raise InputError(f"config field {where}: got a {type(value).__name__}, expected a plain value or a dataclass.")


def _build(cls: type[T], values: Any, where: str) -> T:
    if not isinstance(values, Mapping):
        raise InputError(f"config {where or cls.__name__}: got {values!r}, expected a table of fields.")
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    hints = get_type_hints(cls)
    for key in values:
        if key not in fields:
            raise InputError(_unknown(str(key), fields, cls.__name__, where))
    given: dict[str, Any] = {}
    for name, field in fields.items():
        path = f"{where}.{name}" if where else name
        if name in values:
            given[name] = _value(hints[name], values[name], path)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise InputError(f"config {cls.__name__}: field {path!r} is missing; give it a value.")
    return cls(**given)


def _value(hint: Any, value: Any, where: str) -> Any:
    """`value` as the type `hint`, or InputError."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _build(hint, value, where)
    if origin in (Union, types.UnionType):
        errors = []
        for option in sorted(args, key=lambda o: o is not type(value)):
            try:
                return _value(option, value, where)
            except InputError as error:
                errors.append(error)
        raise errors[0]
    if origin is Literal:
        if value not in args:
            hope = f"; did you mean {near!r}?" if (near := nearest(str(value), map(str, args))) else "."
            raise InputError(f"config field {where}: got {value!r}, expected one of {', '.join(map(repr, args))}{hope}")
        return value
    if origin is tuple:
        if isinstance(value, list | tuple):
            if len(args) == 2 and args[1] is Ellipsis:
                return tuple(_value(args[0], v, f"{where}[{i}]") for i, v in enumerate(value))
            if len(value) == len(args):
                return tuple(_value(a, v, f"{where}[{i}]") for i, (a, v) in enumerate(zip(args, value, strict=True)))
        size = "values" if len(args) == 2 and args[1] is Ellipsis else f"{len(args)} values"
        raise InputError(f"config field {where}: got {value!r}, expected a list of {size}.")
    if origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        if isinstance(value, Mapping):
            return {str(k): _value(args[1], v, f"{where}.{k}") for k, v in value.items()}
        raise InputError(f"config field {where}: got {value!r}, expected a table.")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint in (type(None), None) and value is None:
        return None
    if isinstance(hint, type) and isinstance(value, hint) and not (isinstance(value, bool) and hint is not bool):
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"config field {where}: got {value}, expected a finite number.")
        return value
    raise InputError(f"config field {where}: got {value!r}, expected {getattr(hint, '__name__', hint)}.")


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def _unknown(key: str, known: Iterable[str], owner: str, where: str) -> str:
    known = list(known)
    near = nearest(key, known)
    place = f"{where} ({owner})" if where else owner
    advice = f"did you mean {near!r}?" if near else f"known: {', '.join(known)}."
    return f"config {place}: unknown field {key!r}; {advice}"
