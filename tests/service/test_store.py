"""What is kept: one writer, events without gaps, keys, expiry, and a clock that jumps."""

from __future__ import annotations

from pathlib import Path

import pytest

from laban.errors import InputError
from laban.service.store import FORGOTTEN, KEY_SECONDS, KeyTaken, Store


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def test_two_services_cannot_share_a_folder(tmp_path: Path) -> None:
    first = Store(tmp_path / "a.sqlite")
    with pytest.raises(InputError, match="another service"):
        Store(tmp_path / "a.sqlite")
    first.close()
    Store(tmp_path / "a.sqlite").close()


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(InputError, match="no database"):
        Store(tmp_path / "a.sqlite")


def test_events_count_without_a_gap_and_end_with_the_job(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite")
    job, new = store.add("ann", "generate", {"args": {}})
    assert new
    store.begin(job.id)
    store.tell(job.id, "progress", {"done": 1})
    assert store.end(job.id, "done", result={"files": [{"bytes": 7}]})
    assert not store.end(job.id, "cancelled")  # it is over
    store.tell(job.id, "progress", {"done": 2})
    events = store.events(job, 0)
    assert [event.number for event in events] == [1, 2, 3, 4, 5]
    assert [event.kind for event in events] == ["state", "state", "progress", "state", "done"]
    assert store.events(job, 3) == events[3:] and store.get(job.id).bytes == 7
    store.close()


def test_a_key_stands_for_one_request_for_a_day(tmp_path: Path) -> None:
    clock = Clock()
    store = Store(tmp_path / "a.sqlite", clock)
    job, _ = store.add("ann", "generate", {}, "key", "digest")
    assert store.add("ann", "generate", {}, "key", "digest") == (job, False)
    assert store.add("bob", "generate", {}, "key", "other")[1]  # another's keys are other keys
    with pytest.raises(KeyTaken):
        store.add("ann", "generate", {}, "key", "other")
    clock.now += KEY_SECONDS + 1
    assert store.add("ann", "generate", {}, "key", "other")[1]
    store.close()


def test_results_expire_by_age_and_by_size_and_are_forgotten(tmp_path: Path) -> None:
    clock = Clock()
    store = Store(tmp_path / "a.sqlite", clock)
    jobs = []
    for size in (10, 20, 30):
        job, _ = store.add("ann", "generate", {})
        store.end(job.id, "done", keep=100, result={"files": [{"bytes": size}]})
        jobs.append(job.id)
    assert store.expire(45) == [jobs[1]]  # the newest stays; beyond the limit the next goes, and the small one fits
    clock.now -= 1000  # a clock that is set back keeps everything
    assert store.expire(1000) == []
    clock.now += 1200
    assert sorted(store.expire(1000)) == sorted([jobs[0], jobs[2]])
    assert [store.get(job).state for job in jobs] == ["expired"] * 3
    clock.now += FORGOTTEN
    store.expire(1000)
    assert store.jobs("ann", None, 10, None) == []
    store.close()


def test_uploads_are_kept_as_long_as_anyone_has_them(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite")
    assert store.add_asset("ann", "x", ".bvh", "text/plain", 3)
    assert not store.add_asset("ann", "x", ".bvh", "text/plain", 3)
    assert store.add_asset("bob", "x", ".bvh", "text/plain", 3)
    assert store.asset("cem", "x") is None
    assert not store.drop_asset("ann", "x")
    assert store.drop_asset("bob", "x")
    store.close()
