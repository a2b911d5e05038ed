"""Former names work, say what to write instead, and point at the caller."""

from __future__ import annotations

import warnings

import pytest

from laban.deprecation import renamed, renamed_options
from laban.errors import InputError


def area(width: float, height: float = 1.0) -> float:
    """Of a rectangle."""
    return width * height


def test_a_renamed_function_works_and_warns_at_the_caller() -> None:
    surface = renamed(area, "laban.surface", "0.3")
    with pytest.warns(DeprecationWarning, match=r"laban\.surface is now .*\.area; .* Laban 0\.3") as caught:
        assert surface(3, height=2) == 6
    assert caught[0].filename == __file__
    assert surface.__doc__ == area.__doc__


def test_a_renamed_option_works_and_warns_at_the_caller() -> None:
    wrapped = renamed_options("0.3", breadth="width", tallness="height")(area)
    with pytest.warns(DeprecationWarning, match="the option breadth is now width") as caught:
        assert wrapped(breadth=3, height=2) == 6
    assert [(str(w.category.__name__), w.filename) for w in caught] == [("DeprecationWarning", __file__)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert wrapped(3, height=2) == 6


def test_an_option_given_by_both_names_is_refused() -> None:
    wrapped = renamed_options("0.3", breadth="width")(area)
    with pytest.raises(InputError, match="breadth is the former name of width"):
        wrapped(breadth=3, width=3)
