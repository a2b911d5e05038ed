"""Jobs over HTTP: what is taken, kept, followed, cancelled and downloaded, by the real service."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from pathlib import Path

import pytest

from laban import cli
from tests.service.live import WALK, Live


def test_a_job_runs_and_its_files_are_served(live: Live, walk: str) -> None:
    job = live.submit("convert", {"source": walk, "fps": 10}, ("bvh", "npz"))
    assert job["state"] in ("queued", "running") and job["links"]["self"] == f"/v1/jobs/{job['id']}"
    done = live.until(job["id"], "done")
    assert [file["name"] for file in done["files"]] == ["convert.bvh", "convert.npz"]
    assert done["result"]["motions"][0]["fps"] == 10
    first = done["files"][0]
    whole = live.client.get(first["href"])
    assert whole.status_code == 200 and hashlib.sha256(whole.content).hexdigest() == first["sha256"]
    assert whole.headers["etag"] == f'"{first["sha256"]}"' and whole.content.startswith(b"HIERARCHY")
    again = live.client.get(first["href"], headers={"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    part = live.client.get(first["href"], headers={"Range": "bytes=5-14"})
    assert (part.status_code, part.content) == (206, whole.content[5:15])
    assert live.client.get(first["href"], headers={"Range": "bytes=99999999-"}).status_code == 416
    stale = live.client.get(first["href"], headers={"Range": "bytes=5-14", "If-Range": '"other"'})
    assert (stale.status_code, stale.content) == (200, whole.content)
    assert live.client.get(f"/v1/jobs/{job['id']}/files/..%2Fresult.json").status_code == 404


def test_results_of_jobs_are_read_by_other_jobs(live: Live, walk: str) -> None:
    first = live.until(live.submit("convert", {"source": walk}, ("npz",))["id"], "done")
    name = f"job:{first['id']}/convert.npz"
    second = live.until(live.submit("convert", {"source": name}, ("bvh",))["id"], "done", "failed")
    assert second["state"] == "done"
    assert str(live.log.with_suffix("")) not in str(second)  # no path of this machine is told


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"kind": "generate", "args": {"text": "a person walks", "seconds": 0}}, ["a person walks", "--seconds", "0"]),
        ({"kind": "generate", "args": {"text": "a person walks", "fps": 1000}}, ["a person walks", "--fps", "1000"]),
        ({"kind": "generate", "args": {"text": " "}}, [" "]),
        ({"kind": "generate", "args": {"text": "walk", "model": "momsk"}}, ["walk", "--model", "momsk"]),
        ({"kind": "generate", "args": {"text": "a", "samples": 2, "best": 3}}, ["a", "--samples", "2", "--best", "3"]),
        ({"kind": "generate", "args": {"text": "x" * 600}}, ["x" * 600]),
    ],
)  # fmt: skip
def test_a_refusal_is_the_command_lines_sentence(
    live: Live, body: dict[str, object], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = live.client.post("/v1/jobs", json=body)
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"
    if "--model" in words:  # which the command looks for when it begins
        capsys.readouterr()
    assert cli.main(["generate", *words, "--out", "/tmp/never.glb"]) == 2
    assert capsys.readouterr().err == f"laban: error: {answer.json()['detail']}\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "no JSON object"),
        ({"kind": "generat", "args": {}}, "'generate'"),
        ({"kind": "generate", "args": {"txt": "a"}}, "'text'"),
        ({"kind": "generate", "args": {"text": 3}}, "expected a text"),
        ({"kind": "generate", "args": {"text": "a", "samples": True}}, "expected a whole number"),
        ({"kind": "generate", "args": {"text": "a", "out": ["/tmp/x.glb"]}}, "no option 'out'"),
        ({"kind": "generate", "args": {"text": "a", "samples": 64, "seconds": 600}}, "at most 120000"),
        ({"kind": "generate", "args": {"text": "a"}, "formats": ["obj"]}, ".obj"),
        ({"kind": "generate", "args": {"text": "a"}, "formats": ["glb", "glb"]}, "twice"),
        ({"kind": "generate", "args": {"text": "a"}, "formats": ["../../glb"]}, "suffix"),
        ({"kind": "search", "args": {"folder": "."}, "formats": ["glb"]}, "no files"),
        ({"kind": "convert", "args": {}}, "--source is missing"),
        ({"kind": "convert", "args": {"source": "../secret.bvh"}}, "outside"),
        ({"kind": "convert", "args": {"source": "/etc/passwd"}}, "outside"),
        ({"kind": "convert", "args": {"source": "out.bvh"}}, "outside"),
        ({"kind": "convert", "args": {"source": "https://example.org/a.bvh"}}, "no such file"),
        ({"kind": "convert", "args": {"source": "a\0.bvh"}}, "no such file"),
        ({"kind": "convert", "args": {"source": "asset:" + "0" * 64}}, "no such upload"),
        ({"kind": "convert", "args": {"source": "job:abc/x.bvh"}}, "no such result"),
        ({"kind": "generate", "args": {"text": "a", "model": "/etc"}}, "neither a known model"),
        ({"kind": "mix", "args": {"file": "walk.bvh", "plus": "../secret.bvh", "minus": "a"}}, "outside"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(live: Live, body: object, said: str) -> None:
    answer = live.client.post("/v1/jobs", json=body)
    assert answer.status_code == 422 and said in answer.json()["detail"], answer.text


def test_a_file_under_root_is_read(live: Live) -> None:
    job = live.until(live.submit("convert", {"source": "walk.bvh"}, ("npz",))["id"], "done", "failed")
    assert job["state"] == "done"


def test_a_job_that_fails_says_why_as_the_command_does(live: Live, capsys: pytest.CaptureFixture[str]) -> None:
    broken = live.upload(WALK.replace("Frame Time:", "Frame Thyme:").encode())
    job = live.until(live.submit("convert", {"source": broken}, ("npz",))["id"], "done", "failed")
    folder = Path(live.process.args[live.process.args.index("--data") + 1]) / "assets"  # type: ignore[union-attr,index]
    path = folder / f"{broken.removeprefix('asset:')}.bvh"
    assert cli.main(["convert", str(path), "/tmp/never.npz"]) == 2
    said = capsys.readouterr().err.removeprefix("laban: error: ").strip()
    assert job["error"]["detail"] == said.replace(str(path), broken)
    assert job["error"]["status"] == 422


def test_events_resume_without_loss(live: Live, walk: str) -> None:
    job = live.submit("render", {"source": walk, "width": 64, "height": 64}, ("gif",))["id"]
    whole = live.events(job)
    assert [number for number, _, _ in whole] == list(range(1, len(whole) + 1))
    assert [data["state"] for _, kind, data in whole if kind == "state"] == ["queued", "running", "done"]
    assert whole[-1][1:] == ("done", {"state": "done"})
    assert {"progress"} <= {kind for _, kind, _ in whole}
    pieces, last = [], 0
    while last < len(whole):
        pieces += live.events(job, last, most=1)
        last = pieces[-1][0]
    assert pieces == whole
    assert live.client.get(f"/v1/jobs/{job}/events", headers={"Last-Event-ID": str(last)}).status_code == 204
    assert live.client.get(f"/v1/jobs/{job}/events", headers={"Last-Event-ID": "x"}).status_code == 422


def test_a_running_job_is_cancelled_within_two_seconds(live: Live, long: bytes, walk: str) -> None:
    job = live.submit("render", {"source": live.upload(long)}, ("mp4",))["id"]
    live.wait(lambda: live.client.get(f"/v1/jobs/{job}").json(), lambda j: j["progress"] is not None)
    begin = time.monotonic()
    assert live.client.delete(f"/v1/jobs/{job}").status_code == 204
    assert live.client.get(f"/v1/jobs/{job}").json()["state"] == "cancelled"
    following = live.submit("convert", {"source": walk}, ("bvh",))["id"]
    live.until(following, "done")  # the worker is free again
    assert time.monotonic() - begin < 4  # of which the conversion takes its part
    assert live.client.delete(f"/v1/jobs/{job}").status_code == 409
    assert live.client.delete(f"/v1/jobs/{'0' * 24}").status_code == 404


def test_a_waiting_job_is_cancelled(live: Live, long: bytes) -> None:
    first = live.submit("render", {"source": live.upload(long)}, ("mp4",))["id"]
    second = live.submit("render", {"source": live.upload(long), "width": 100}, ("mp4",))["id"]
    assert live.client.delete(f"/v1/jobs/{second}").status_code == 204
    assert live.client.delete(f"/v1/jobs/{first}").status_code == 204
    assert [kind for _, kind, _ in live.events(second)] == ["state", "state", "done"]


def test_the_same_key_is_the_same_job(live: Live, walk: str) -> None:
    body = {"kind": "convert", "args": {"source": walk}, "formats": ["bvh"]}
    first = live.client.post("/v1/jobs", json=body, headers={"Idempotency-Key": "once"})
    second = live.client.post("/v1/jobs", json=body, headers={"Idempotency-Key": "once"})
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json()["id"] == second.json()["id"]
    other = live.client.post("/v1/jobs", json={**body, "formats": ["npz"]}, headers={"Idempotency-Key": "once"})
    assert other.status_code == 409 and other.json()["type"] == "urn:laban:conflict"


def test_jobs_are_listed_page_by_page(live: Live, walk: str) -> None:
    made = [live.submit("convert", {"source": walk}, ("bvh",))["id"] for _ in range(5)]
    for job in made:
        live.until(job, "done")
    found, cursor = [], None
    while len(found) < 5:
        page = live.client.get("/v1/jobs", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        found += [job["id"] for job in page["jobs"]]
        cursor = page["next"]
    assert found[:5] == made[::-1]
    assert live.client.get("/v1/jobs", params={"limit": 0}).status_code == 422
    assert all(job["state"] == "done" for job in live.client.get("/v1/jobs?state=done").json()["jobs"])


def test_a_worker_that_is_killed_is_replaced_and_its_job_done_once(live: Live, long: bytes) -> None:
    film = live.submit("render", {"source": live.upload(long), "width": 64, "height": 64}, ("gif",))["id"]
    live.wait(lambda: live.client.get(f"/v1/jobs/{film}").json(), lambda j: j["progress"] is not None)
    for pid in live.workers():
        os.kill(pid, signal.SIGKILL)
    live.wait(lambda: live.client.get(f"/v1/jobs/{film}").json(), lambda j: j["attempt"] == 2)
    live.wait(lambda: live.client.get(f"/v1/jobs/{film}").json(), lambda j: j["progress"] is not None)
    for pid in live.workers():
        os.kill(pid, signal.SIGKILL)
    job = live.until(film, "failed")
    assert job["error"]["type"] == "urn:laban:lost" and "2 times" in job["error"]["detail"]
    states = [data["state"] for _, kind, data in live.events(film) if kind == "state"]
    assert states == ["queued", "running", "queued", "running", "failed"]


def test_a_service_that_is_killed_loses_no_job(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = Live(data, "--workers", "1", "--warm")
    walk = first.upload(WALK.encode())
    jobs = [first.submit("convert", {"source": walk, "fps": fps}, ("bvh",))["id"] for fps in range(1, 9)]
    first.kill()
    second = Live(data, "--workers", "1", "--warm")
    for job in jobs:
        states = [d["state"] for _, kind, d in second.events(job) if kind == "state"]
        assert states.count("done") == 1
    assert second.end() == 0


def test_ending_the_service_lets_the_running_job_end_and_keeps_the_others(tmp_path: Path, long: bytes) -> None:
    service = Live(tmp_path / "data", "--workers", "1", "--warm", "--grace", "60")
    walk = service.upload(WALK.encode())
    clip = service.submit("render", {"source": walk, "width": 64, "height": 64}, ("gif",))["id"]
    late = [service.submit("convert", {"source": walk, "fps": fps}, ("bvh",))["id"] for fps in (5, 6)]
    service.wait(lambda: service.client.get(f"/v1/jobs/{clip}").json(), lambda j: j["state"] != "queued")
    assert service.end() == 0
    again = Live(tmp_path / "data", "--workers", "1", "--warm")
    assert again.client.get(f"/v1/jobs/{clip}").json()["state"] == "done"
    assert [again.until(job, "done")["attempt"] for job in late] == [1, 1]
    assert again.end() == 0
