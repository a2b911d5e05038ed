"""The layers hold: imports go downwards only, and systems never import each other. Read from the source, not run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "laban"

# First name below `laban` -> layer. A new package must be entered here.
LAYERS = {
    "errors": -4,
    "config": -3,
    "io.atomic": -2,  # it knows nothing of motions: whatever writes a file may use it
    "checkpoint": -1,
    "released": -1,  # the one restricted loader of other people's files
    "motion": 0,
    "io": 1,
    "nn": 1,
    "condition": 1,
    "language": 1,
    "data": 2,
    "metrics": 2,
    "character": 2,
    "systems": 3,
    "train": 4,
    "evaluate": 4,
    "check": 5,
    "commands": 5,
    "server": 5,
    "viewer": 5,
    "cli": 6,
    "__main__": 7,
}
# `import laban` gives names of every layer lazily: those above them all may use them, and everyone the version.
LAZY_ROOT = 5


def modules() -> dict[str, ast.Module]:
    """Dotted name -> syntax tree of every module of the package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def imports(name: str, tree: ast.Module, known: set[str]) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything of `laban` that a module imports, also inside functions."""
    package = name if (PACKAGE.parent / name.replace(".", "/")).is_dir() else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield node.lineno, whole if whole in known or base == "laban" else base


def violations(trees: dict[str, ast.Module]) -> list[str]:
    """Every import that goes up, sideways in a circle, or from one system to another."""
    found: list[str] = []
    sideways: dict[str, set[str]] = {}
    for name, tree in trees.items():
        if name == "laban":
            continue
        own = entry_of(name)
        if own not in LAYERS:
            found.append(f"{name}: `{own}` has no layer; enter it in tests/test_layers.py")
            continue
        for line, target in imports(name, tree, set(trees)):
            parts = target.split(".")
            if parts[0] != "laban" or target == "laban.__version__":
                continue
            where = f"{name}:{line} imports {target}"
            other = entry_of(target)
            if other not in LAYERS:
                if LAYERS[own] < LAZY_ROOT and not uses_only_version(tree):
                    found.append(f"{where}: names of the root are for layer {LAZY_ROOT} and above")
                continue
            if LAYERS[other] > LAYERS[own]:
                found.append(f"{where}: layer {LAYERS[own]} may not import layer {LAYERS[other]}")
            elif other != own and LAYERS[other] == LAYERS[own]:
                sideways.setdefault(own, set()).add(other)
            elif own == other == "systems" and is_other_system(name, target):
                found.append(f"{where}: systems never import each other")
    for own, others in sideways.items():
        found += [f"{own} and {other} import each other" for other in others if own in sideways.get(other, set())]
    return found


def entry_of(name: str) -> str:
    """The entry of LAYERS that a dotted name belongs to, or would."""
    parts = name.split(".")
    longer = ".".join(parts[1:3])
    return longer if longer in LAYERS else ".".join(parts[1:2])


def uses_only_version(tree: ast.Module) -> bool:
    """Whether a module takes nothing but `__version__` from `laban` itself."""
    taken = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "laban"
    ]
    quoted = [
        node.args[1].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "getattr"
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Constant)
    ]
    return set(taken) <= {"__version__"} and (bool(taken) or "__version__" in quoted)


def is_other_system(name: str, target: str) -> bool:
    """Whether a module of one system's folder (or the base) imports from a system's folder that is not its own."""
    own, other = name.split(".")[2:3], target.split(".")[2:3]
    folder = PACKAGE / "systems" / (other[0] if other else "")
    return bool(other) and own != other and folder.is_dir()


def test_imports_go_downwards() -> None:
    trees = modules()
    assert len(trees) > 10
    assert violations(trees) == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("laban.motion.clip", "from laban.io import read"),
        ("laban.motion.clip", "def f():\n    import laban.systems.base"),
        ("laban.nn.attention", "from ..condition import text\nimport laban.data.corpus"),
        ("laban.errors", "from laban import config"),
        ("laban.systems.fact.system", "from laban.systems.momask.config import PAPER"),
        ("laban.systems.base", "from laban.systems.momask import system"),
        ("laban.data.cmu", "from laban import load"),
        ("laban.helpers", "import os"),
    ],
)
def test_a_wrong_import_is_found(name: str, source: str) -> None:
    trees = modules()
    trees.setdefault("laban.systems.momask.config", ast.parse(""))
    assert violations(trees | {name: ast.parse(source)}) != []


def test_a_circle_between_neighbours_is_found() -> None:
    wrong = {"laban.nn.a": ast.parse("import laban.condition.b"), "laban.condition.b": ast.parse("import laban.nn.a")}
    assert len(violations(wrong)) == 2
