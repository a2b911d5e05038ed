"""The real service on a free port, as `laban serve` starts it."""

from __future__ import annotations

import gc
import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from tests.service.live import Live

NEEDED = ("httpx", "fastapi", "uvicorn", "mcp", "motionmcp")
collect_ignore_glob = [] if all(importlib.util.find_spec(name) for name in NEEDED) else ["test_*.py"]
"""Without the extras `serve` and `dev` there is nothing to test here."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Clients of MCP and MMCP leave their sockets to the garbage collector, which warns: no fault of the service."""
    for item in items:
        if item.path.parent.name == "service":
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))


@pytest.fixture(autouse=True)
def swept() -> Iterator[None]:
    """Sockets that a test's clients left are collected in that test, and not in another one."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A service whose worker loads no models before it is asked."""
    from tests.service.live import WALK, Live

    root = tmp_path_factory.mktemp("root")
    (root / "walk.bvh").write_text(WALK)
    (root.parent / "secret.bvh").write_text(WALK)
    (root / "out.bvh").symlink_to(root.parent / "secret.bvh")
    data = tmp_path_factory.mktemp("service")
    service = Live(data, "--workers", "1", "--root", str(root), "--origin", "https://studio.example", "--warm")
    service.ready()
    yield service
    assert service.end() == 0
    assert "Traceback" not in service.log.read_text()


@pytest.fixture(scope="session")
def walk(live: Live) -> str:
    """An upload: three frames of a BVH."""
    from tests.service.live import WALK

    return live.upload(WALK.encode())


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An .npz of a person who stands for ten minutes: a film of it takes long."""
    import laban
    from laban.motion.motion import Motion
    from laban.motion.skeletons import HUMANML22

    rotations = np.zeros((12_000, 22, 4))
    rotations[..., 0] = 1
    root = np.zeros((12_000, 3)) + [0, 0.95, 0]
    path = tmp_path_factory.mktemp("long") / "long.npz"
    laban.write(Motion(HUMANML22, rotations, root, 20.0), path)
    return path.read_bytes()
