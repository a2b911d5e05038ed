"""Commands whose options are a dataclass: its fields become the command's parameters, help and bounds with them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING
from inspect import Parameter
from typing import Annotated, Any, get_origin, get_type_hints

import tyro

from laban.actions.fields import built, flat

REQUIRED: Any = Parameter.empty
"""The default of a field that must be given."""


def takes_options(
    *positional: str, defaults: Mapping[str, Any] | None = None, **marks: Any
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Decorator of a command: its first parameter, an options dataclass, is given by the dataclass's fields.

    Help of a field is that of its metadata; fields that are dataclasses themselves are given by theirs. What is out of
    bounds is refused before the command is called.

    Args:
        positional: fields that are given without their name; help shows them in capitals.
        defaults: field -> its value where it is not given, if that is not the dataclass's.
        marks: field -> what tyro should know of it besides (`tyro.conf.arg(name="in")`).
    """

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        hints = get_type_hints(command, include_extras=True)
        first, *own = inspect.signature(command).parameters.values()
        kind = hints[first.name]
        parameters = {}
        for field, hint in flat(kind):
            default = Parameter.empty if field.default is MISSING else field.default
            default = (defaults or {}).get(field.name, default)
            about = [tyro.conf.arg(help=field.metadata.get("help"), help_behavior_hint=hint_of(default))]
            about += [marks[field.name]] if field.name in marks else []
            if field.name in positional:
                name = field.name.upper()
                many = get_origin(hint) is tuple
                about += [tyro.conf.arg(metavar=f"{name} [{name} ...]" if many else name), tyro.conf.Positional]
            parameters[field.name] = Parameter(
                field.name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[(hint, *about)]
            )
        for each in own:
            parameters[each.name] = each.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[each.name])

        @functools.wraps(command)
        def called(**given: Any) -> int:
            options = built(kind, given)
            return command(options, **{each.name: given[each.name] for each in own if each.name in given})

        del called.__wrapped__  # whose signature has the dataclass
        called.__signature__ = inspect.Signature(list(parameters.values()), return_annotation=int)  # type: ignore[attr-defined]
        called.__annotations__ = {name: each.annotation for name, each in parameters.items()} | {"return": int}
        return called

    return decorate


def hint_of(default: Any) -> str | None:
    """What help says of a default, where tyro's words for it would say nothing; None: tyro's."""
    if default is True:
        return "(default: on)"
    return "" if default is None or default == () or default == "" else None
