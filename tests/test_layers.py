"""The layers hold: imports go downwards, files import each other in no circle, and no system imports another.

Read from the source, not run; imports inside functions and for types count as well.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator
from functools import cache, lru_cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "laban"

# From the ground up; entries of one line do not import each other in a circle. A new package must be entered here.
# An entry of two words is one file or folder of a package that stands elsewhere.
FLOORS = (
    ("errors", "version"),
    ("deprecation",),
    ("config", "io.atomic", "work"),
    ("checkpoint", "io.torch_archives", "motion"),
    ("figure", "nn"),
    ("io",),
    ("metrics", "condition"),
    ("drawing", "language"),
    ("character",),
    ("formats",),
    ("data",),
    ("systems",),
    ("train", "evaluate", "check"),
    ("actions", "authoring"),
    ("commands", "api"),
    ("cli",),
    ("__main__",),
)
LAYERS = {entry: floor for floor, entries in enumerate(FLOORS) for entry in entries}
# `import laban` gives names of every layer lazily: those above them all may use them.
LAZY_ROOT = LAYERS["commands"]


@lru_cache(maxsize=1)
def modules() -> dict[str, ast.Module]:
    """Dotted name -> syntax tree of every module of the package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


@cache
def statements(tree: ast.Module) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """The import statements of a module, also those inside functions."""
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))


def imports(name: str, tree: ast.Module, known: Container[str]) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything of `laban` that a module imports."""
    package = name if (PACKAGE.parent / name.replace(".", "/")).is_dir() else name.rpartition(".")[0]
    for node in statements(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
            continue
        base = node.module or ""
        if node.level:
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, base] if base else above)
        for alias in node.names:
            whole = f"{base}.{alias.name}"
            yield node.lineno, whole if whole in known or base == "laban" else base


def violations(trees: dict[str, ast.Module]) -> list[str]:
    """Every import that goes up, every circle, and every import from one system to another."""
    found: list[str] = []
    for name, tree in trees.items():
        if name == "laban":
            continue
        own = entry_of(name)
        if own not in LAYERS:
            found.append(f"{name}: `{own}` has no layer; enter it in tests/test_layers.py")
            continue
        for line, target in imports(name, tree, trees):
            if target.split(".")[0] != "laban":
                continue
            where = f"{name}:{line} imports {target}"
            other = entry_of(target)
            if other not in LAYERS:
                if LAYERS[own] < LAZY_ROOT:
                    found.append(f"{where}: names of the root are for `commands` and above")
            elif LAYERS[other] > LAYERS[own]:
                found.append(f"{where}: `{own}` stands below `{other}`")
            elif own == other == "systems" and is_other_system(name, target):
                found.append(f"{where}: systems never import each other")
    found += [f"{', '.join(sorted(circle))} import each other" for circle in circles(trees)]
    return found


def circles(trees: dict[str, ast.Module]) -> list[set[str]]:
    """Files that import each other, directly or through others (the strongly connected components, by Tarjan)."""
    reached = {
        name: sorted({target for _, target in imports(name, tree, trees) if target in trees} - {name})
        for name, tree in trees.items()
    }
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[set[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        path.append(name)
        for target in reached[name]:
            if target not in order:
                visit(target)
                lowest[name] = min(lowest[name], lowest[target])
            elif target in path:
                lowest[name] = min(lowest[name], order[target])
        if lowest[name] == order[name]:
            members = set(path[path.index(name) :])
            del path[path.index(name) :]
            if len(members) > 1:
                found.append(members)

    for name in trees:
        if name not in order:
            visit(name)
    return found


def entry_of(name: str) -> str:
    """The entry of LAYERS that a dotted name belongs to, or would."""
    parts = name.split(".")
    longer = ".".join(parts[1:3])
    return longer if longer in LAYERS else ".".join(parts[1:2])


def is_other_system(name: str, target: str) -> bool:
    """Whether a module of one system's folder (or the base) imports from a system's folder that is not its own."""
    own, other = name.split(".")[2:3], target.split(".")[2:3]
    folder = PACKAGE / "systems" / (other[0] if other else "")
    return bool(other) and own != other and folder.is_dir()


def test_imports_go_downwards_and_never_in_a_circle() -> None:
    trees = modules()
    assert len(trees) > 10
    assert violations(trees) == []
    assert set(LAYERS) == {entry_of(name) for name in trees} - {""}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("laban.motion.motion", "from laban.io import bvh"),
        ("laban.motion.motion", "def f():\n    import laban.systems.base"),
        ("laban.nn.attention", "from ..condition import text\nimport laban.data.corpus"),
        ("laban.errors", "from laban import config"),
        ("laban.systems.fact.system", "from laban.systems.momask.config import PAPER"),
        ("laban.systems.base", "from laban.systems.momask import system"),
        ("laban.data.corpora.cmu", "from laban import load"),
        ("laban.systems.base", "import laban\nlaban.__version__"),
        ("laban.helpers", "import os"),
    ],
)
def test_a_wrong_import_is_found(name: str, source: str) -> None:
    trees = dict(modules())
    trees.setdefault("laban.systems.momask.config", ast.parse(""))
    assert violations(trees | {name: ast.parse(source)}) != []


def test_a_circle_between_files_is_found() -> None:
    def tree(*targets: str) -> ast.Module:
        return ast.parse("\n".join(f"def f():\n    import {target}" for target in targets))

    names = [f"laban.nn.{name}" for name in "abcd"]
    a, b, c, d = names
    assert circles({a: tree(b), b: tree(c, d), c: tree(a), d: tree()}) == [{a, b, c}]
    assert circles({a: tree(b, c), b: tree(d), c: tree(d), d: tree()}) == []
    assert violations({a: tree(b), b: tree(a), c: tree(), d: tree()}) == [f"{a}, {b} import each other"]


def test_the_architecture_page_draws_the_floors() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = re.search(r"```floors\n(.*?)```", page, re.DOTALL)
    assert drawn is not None
    rows = [line[:42].split() for line in drawn[1].splitlines()]  # what a floor does stands behind column 42
    assert [tuple(sorted(row)) for row in rows] == [tuple(sorted(floor)) for floor in reversed(FLOORS)]
