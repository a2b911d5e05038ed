"""Strict conversion of configurations."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal

import pytest

from laban.config import differences, from_dict, override, to_dict
from laban.errors import InputError


@dataclass(frozen=True)
class Inner:
    width: int = 8
    rate: float = 0.5


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = Inner()
    windows: tuple[int, ...] = (64,)
    betas: tuple[float, float] = (0.9, 0.99)
    mode: Literal["cosine", "milestones"] = "cosine"
    limit: int | None = None
    on: bool = False
    table: dict[str, int] = field(default_factory=dict)


FULL = Outer("a", Inner(3, 1.5), (1, 2, 3), (0.1, 0.2), "milestones", 7, True, {"x": 1})


def test_through_json_and_back_is_equal() -> None:
    for config in (Outer("plain"), FULL):
        assert from_dict(Outer, json.loads(json.dumps(to_dict(config)))) == config


def test_integers_become_floats_where_floats_are_declared() -> None:
    rate = from_dict(Inner, {"rate": 2}).rate
    assert rate == 2.0 and isinstance(rate, float)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "a", "windws": [1]}, ["'windws'", "did you mean 'windows'"]),
        ({"name": "a", "inner": {"widht": 1}}, ["inner (Inner)", "'widht'", "did you mean 'width'"]),
        ({"name": "a", "zzzzzz": 1}, ["'zzzzzz'", "known: name, inner"]),
        ({}, ["'name'", "missing"]),
        ({"name": 3}, ["name", "got 3", "expected str"]),
        ({"name": "a", "on": 1}, ["on", "expected bool"]),
        ({"name": "a", "inner": {"width": True}}, ["inner.width", "expected int"]),
        ({"name": "a", "inner": {"width": 1.5}}, ["inner.width", "got 1.5", "expected int"]),
        ({"name": "a", "inner": 3}, ["inner", "got 3"]),
        ({"name": "a", "windows": [1, "b"]}, ["windows[1]", "'b'"]),
        ({"name": "a", "windows": 64}, ["windows", "expected a list"]),
        ({"name": "a", "betas": [1.0]}, ["betas", "2 values"]),
        ({"name": "a", "mode": "cosin"}, ["mode", "did you mean 'cosine'"]),
        ({"name": "a", "limit": "many"}, ["limit", "'many'"]),
        ({"name": "a", "table": {"x": "y"}}, ["table.x", "'y'"]),
        ({"name": "a", "inner": {"rate": float("nan")}}, ["inner.rate", "finite"]),
    ],
)
def test_what_does_not_fit_is_named(values: dict, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        from_dict(Outer, values)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_override_sets_nested_fields_and_leaves_the_original() -> None:
    base = Outer("a")
    changed = override(
        base, ["inner.width=32", "inner.rate=1e-3", "windows=(32, 64)", "mode=milestones", "limit=None", "on=true"]
    )
    assert changed == Outer("a", Inner(32, 1e-3), (32, 64), mode="milestones", on=True)
    assert base == Outer("a")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("width", ["no '='"]),
        ("inner.widht=3", ["did you mean 'width'"]),
        ("iner.width=3", ["did you mean 'inner'"]),
        ("inner=3", ["group of fields", "inner.width"]),
        ("name.first=3", ["'name' has no fields"]),
        ("inner.width=wide", ["inner.width", "'wide'"]),
    ],
)
def test_override_says_what_is_wrong(setting: str, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        override(Outer("a"), [setting])
    for word in words:
        assert word in str(caught.value)


def test_differences_name_every_leaf() -> None:
    a, b = to_dict(FULL), to_dict(override(FULL, ["inner.width=4", "windows=(1, 2)"]))
    assert differences(a, a) == []
    assert differences(a, b) == ["inner.width: 3, now 4", "windows: [1, 2, 3], now [1, 2]"]
    assert differences({"x": 1}, {"y": 2}) == ["x: 1, now absent", "y: absent, now 2"]
