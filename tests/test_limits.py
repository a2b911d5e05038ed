"""Few parameters, thin commands, short files, and no file that leads back to itself: without exception."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_layers import circles, modules

from laban.cli import COMMANDS

ROOT = Path(__file__).parents[1]
MAX_PARAMETERS = 8
MAX_COMMAND_LINES = 45  # its docstring, which is the help, included
MAX_FILE_LINES = 450

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def parameters(function: Function) -> list[str]:
    """Names of all parameters, *args and **kwargs too, but of `self` and `cls`."""
    a = function.args
    every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x is not None)]
    return [x.arg for x in every if x.arg not in ("self", "cls")]


def functions(tree: ast.AST) -> Iterator[tuple[str, Function]]:
    """(name, node) of every function, method and lambda, inner ones too."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield getattr(node, "name", "lambda"), node


def too_many(trees: dict[str, ast.Module]) -> list[str]:
    """Functions with more parameters than MAX_PARAMETERS."""
    return [
        f"{module}.{name}:{node.lineno} takes {len(parameters(node))}"
        for module, tree in trees.items()
        for name, node in functions(tree)
        if len(parameters(node)) > MAX_PARAMETERS
    ]


def too_long(trees: dict[str, ast.Module], packages: tuple[str, ...]) -> list[str]:
    """Functions of these packages that are longer than MAX_COMMAND_LINES."""
    found = []
    for module, tree in trees.items():
        if module.startswith(packages):
            lengths = [(name, (node.end_lineno or 0) - node.lineno + 1) for name, node in functions(tree)]
            found += [f"{module}.{name} has {n} lines" for name, n in lengths if n > MAX_COMMAND_LINES]
    return found


def test_functions_take_few_parameters() -> None:
    assert too_many(modules()) == []


def test_commands_are_thin() -> None:
    trees = modules()
    assert {place.partition(":")[0] for place, _ in COMMANDS.values()} <= set(trees)
    assert too_long(trees, ("laban.cli", "laban.commands", "laban.actions", "laban.api")) == []


def test_files_stay_short() -> None:
    files = [path for room in ("laban", "tests") for path in (ROOT / room).rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: n for name, n in lengths.items() if n > MAX_FILE_LINES} == {}


def test_no_file_leads_back_to_itself() -> None:
    assert circles(modules()) == []


@pytest.mark.parametrize(
    "source",
    [
        "def f(a, b, c, d, e, f, g, h, i): ...",
        "class A:\n    async def f(self, a, b, /, c, d, *, e, f, g, h, **options): ...",
        "def f():\n    def g(a, b, c, d, e, f, g, h, *rest): ...",
        "f = lambda a, b, c, d, e, f, g, h, i: 0",
    ],
)
def test_nine_parameters_are_found(source: str) -> None:
    assert len(too_many({"laban.x": ast.parse(source)})) == 1


def test_what_is_within_the_limits_is_not_found() -> None:
    source = "class A:\n    def f(self, a, b, c, d, e, f, g, *, h): ...\n" + "    x = 1\n" * 50
    assert too_many({"laban.x": ast.parse(source)}) == too_long({"laban.x": ast.parse(source)}, ("laban.x",)) == []
    body = "def f():\n" + "    x = 1\n" * MAX_COMMAND_LINES
    assert too_long({"laban.x": ast.parse(body)}, ("laban.x",)) == [f"laban.x.f has {MAX_COMMAND_LINES + 1} lines"]
