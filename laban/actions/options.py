"""Bounds of options, said once in the metadata of a dataclass's fields: for checks, help and JSON schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any

from laban.systems.options import Bounds


def bounded(default: Any, bounds: Bounds, text: str = "") -> Any:
    """A dataclass field with a default, bounds (which None is never held to) and a sentence of help."""
    return field(default=default, metadata={"bounds": bounds, "help": text})


def described(default: Any, text: str) -> Any:
    """A dataclass field with a default and a sentence of help."""
    return field(default=default, metadata={"help": text})


def in_python(default: Any, text: str) -> Any:
    """The same of a field that only callers in Python give; commands have another way to say it."""
    return field(default=default, metadata={"help": text, "in_python": True})


def check(options: Any, names: Mapping[str, str] | None = None) -> None:
    """Checks every field that has bounds.

    Args:
        options: an instance of a dataclass made with `bounded`.
        names: field -> what the caller calls it, for the message; otherwise the field's own name.
    Raises: InputError naming the option and what was expected.
    """
    for each in fields(options):
        bounds = each.metadata.get("bounds")
        value = getattr(options, each.name)
        if bounds is not None and value is not None:
            bounds.check((names or {}).get(each.name, each.name), value)


def flags(options: Any) -> dict[str, str]:
    """{field: --field-name}: how the command line spells the options, for `check`."""
    return {each.name: "--" + each.name.replace("_", "-") for each in fields(options)}
