"""The project keeps its promises: the help is quick and light, files stay short, versions agree."""

from __future__ import annotations

import ast
import re
import resource
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "transformers", "lightning", "lightning_fabric", "matplotlib", "numpy", "scipy", "librosa", "PIL"}
EXCEPTIONS = 98  # to the lint rules, counted file by file; lower it when some are gone


def python(code: str) -> str:
    """What a new interpreter prints for `code`, run in the checkout."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def test_help_is_quick() -> None:
    times = []
    for _ in range(3):
        # CPU time, which is the waiting time on a machine that has nothing else to do; the best, as caches warm up
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-m", "laban", "--help"], cwd=ROOT, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.returncode == 0
        assert "generate" in done.stdout
    print(f"laban --help: {min(times):.2f} s of CPU")
    assert 0 < min(times) < 0.5


def imported(statement: str) -> set[str]:
    """The modules that a new interpreter imports for `statement` besides those it starts with; printed, too."""
    code = f"import sys; before = set(sys.modules)\n{statement}\nprint(*(set(sys.modules) - before))"
    names = set(python(code).splitlines()[-1].split())
    print(f"{statement}: {len(names)} modules, of Laban {sorted(name for name in names if name.startswith('laban'))}")
    return names


def test_importing_laban_imports_its_version_and_nothing_else() -> None:
    names = imported("import laban")
    assert {name for name in names if name.startswith("laban")} == {"laban", "laban.version"}
    assert {name.partition(".")[0] for name in names} <= {"laban"} | set(sys.stdlib_module_names)
    assert len(names) < 20  # 50 ms are some 50 small modules


def test_the_overview_imports_no_command() -> None:
    names = imported("from laban.cli import main; main(['--help'])")
    assert {name for name in names if name.startswith("laban")} == {
        "laban",
        "laban.cli",
        "laban.errors",
        "laban.version",
    }
    assert {name.partition(".")[0] for name in names} <= {"laban"} | set(sys.stdlib_module_names)
    assert len(names) < 30


def test_help_of_no_command_imports_anything_heavy() -> None:
    code = (
        "import contextlib, io, sys; from laban.cli import COMMANDS, main\n"
        f"seen = set(); heavy = {HEAVY!r}\n"
        "for name in COMMANDS:\n"
        "    with contextlib.redirect_stdout(io.StringIO()):\n"
        "        code = main([*name.split(), '--help'])\n"
        "    print(f'{name}: {code} {sorted(heavy & set(sys.modules) - seen)} {len(sys.modules)} modules')\n"
        "    seen |= heavy & set(sys.modules)"
    )
    lines = python(code).splitlines()
    print("\n".join(lines))
    assert len(lines) > 20
    assert [line for line in lines if ": 0 [] " not in line] == []


def test_the_base_install_is_light() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    base = {line.partition(">")[0] for line in project["dependencies"]}
    assert base.isdisjoint({"transformers", "librosa", "ray", "fastapi", "torchvision", "torchaudio", "torchmetrics"})


def test_the_package_imports_only_its_base_install() -> None:
    imports_as = {"pillow": "PIL", "lightning-fabric": "lightning_fabric"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    base = {line.partition(">")[0] for line in project["dependencies"]}
    allowed = {imports_as.get(name, name) for name in base} | set(sys.stdlib_module_names) | {"laban"}
    found: dict[str, str] = {}
    places: dict[str, str] = {}
    for path in (ROOT / "laban").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            found |= {name.partition(".")[0]: path.name for name in names}
            places |= {name.partition(".")[0]: path.relative_to(ROOT / "laban").parts[0] for name in names}
    extras = {"pxr": "usda.py", "ufbx": "unpack.py"}  # imported by one module, when its format is asked for
    served = {"fastapi", "starlette", "uvicorn", "pydantic", "pydantic_core", "prometheus_client", "mcp", "mcp_types"}
    others = {name: where for name, where in found.items() if name not in allowed}
    assert {name: where for name, where in others.items() if name not in served} == extras
    assert served <= set(others) and {places[name] for name in served} == {"service"}
    assert allowed - set(sys.stdlib_module_names) <= set(found)  # and nothing is installed in vain


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = {line.partition(">")[0] for lines in lists for line in lines}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.partition("==")[0] for line in lines if line and not line.startswith("#")}
    assert wanted <= pinned


def test_the_version_is_the_installed_one() -> None:
    import laban

    try:
        installed = metadata.version("laban")
    except metadata.PackageNotFoundError:
        pytest.skip("laban runs from the checkout without being installed")
    assert laban.__version__ == installed


def test_the_citation_names_the_version() -> None:
    import laban

    assert f"\nversion: {laban.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_no_module_says_nothing() -> None:
    names = {"utils.py", "util.py", "common.py", "helpers.py", "misc.py"}
    assert [path for path in (ROOT / "laban").rglob("*.py") if path.name in names] == []


def test_readme_tree_names_every_package() -> None:
    readme = (ROOT / "README.md").read_text()
    packages = [p.parent.name for p in (ROOT / "laban").glob("*/__init__.py")]
    assert [name for name in packages if f"{name}/" not in readme] == []


def test_the_list_of_lint_exceptions_only_shrinks() -> None:
    pages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["per-file-ignores"]
    files = {path: rules for path, rules in pages.items() if "*" not in path}
    assert [path for path in files if not (ROOT / path).is_file()] == []  # an entry goes with its file
    assert sum(map(len, files.values())) <= EXCEPTIONS


def test_pages_that_docstrings_name_are_here() -> None:
    written = {"report.md", "long.md", "README.md", "CMU-INDEX.md"}  # by commands, or by those who publish corpora
    named = re.compile(r"[\w./-]+\.md\b|\bspecs/\w+|\bgolden/\w+|\bissue \d+")
    found = {}
    for path in (ROOT / "laban").rglob("*.py"):
        for name in set(named.findall(path.read_text(encoding="utf-8"))):
            if name.rpartition("/")[2] not in written and not (ROOT / name).is_file():
                found[str(path.relative_to(ROOT))] = name
    assert found == {}
