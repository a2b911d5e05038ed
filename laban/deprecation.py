"""Renamed functions and options go on working for one minor version, with a warning that names the new one."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from laban.errors import InputError

P = ParamSpec("P")
R = TypeVar("R")


def renamed(function: Callable[P, R], old: str, until: str) -> Callable[P, R]:
    """A function under its former name: `old_name = renamed(new_name, "laban.old_name", "0.3")`.

    Args:
        function: the function under its new name.
        old: the former name, as callers write it.
        until: the version that removes the former name.
    """

    @functools.wraps(function)
    def under_old_name(*args: P.args, **kwargs: P.kwargs) -> R:
        _warn(f"{old} is now {function.__module__}.{function.__qualname__}", until)
        return function(*args, **kwargs)

    return under_old_name


def renamed_options(until: str, **names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator that also takes keyword arguments by their former names: `@renamed_options("0.3", map="bone_map")`.

    Args:
        until: the version that removes the former names.
        names: former name -> present name.
    Raises: InputError, when called, for an option that is given by both names.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def with_old_options(*args: P.args, **kwargs: P.kwargs) -> R:
            for old in [name for name in kwargs if name in names]:
                new = names[old]
                if new in kwargs:
                    raise InputError(f"{function.__name__}: {old} is the former name of {new}. Give {new} alone.")
                _warn(f"{function.__name__}: the option {old} is now {new}", until)
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return with_old_options

    return decorate


def _warn(what: str, until: str) -> None:
    warnings.warn(f"{what}; the former name goes with Laban {until}.", DeprecationWarning, stacklevel=3)
