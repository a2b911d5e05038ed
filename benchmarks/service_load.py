"""The service under load: latencies, throughput, memory, kills, streams that break, mutated uploads.

    python benchmarks/service_load.py [--parts load control ...] [--seconds 60] [--clients 50] [--rounds 100]

Parts: load, control (the same on a handler that blocks, which must fail), throughput, memory, kills, streams, uploads.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from report import goal, parser, run

PARTS = ("load", "control", "throughput", "memory", "kills", "streams", "uploads")
SENTENCE = "a person walks forward"
LATE = 50  # milliseconds
PATIENCE = 30  # seconds that a client waits for an answer
SECONDS = 2  # of a motion that a job makes
CLIP = """HIERARCHY
ROOT Hips
{ OFFSET 0 0 0 CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
JOINT Chest { OFFSET 0 0.3 0 CHANNELS 3 Zrotation Xrotation Yrotation End Site { OFFSET 0 0.3 0 } } }
MOTION
Frames: 3
Frame Time: 0.05
0 1 0 0 0 0 0 0 0
0 1 0.1 0 0 5 0 0 0
0 1 0.2 0 0 9 0 0 0
"""


class Goals:
    """What was wanted, said as soon as it is known."""

    def __init__(self) -> None:
        self.figures: dict[str, Any] = {}
        self.reached = True

    def add(self, name: str, value: float, limit: float, unit: str = "", at_least: bool = False) -> None:
        """One goal. Args: as `report.goal`."""
        line, good = goal(name, value, limit, unit, at_least)
        print("  " + line, flush=True)
        self.figures[name] = value
        self.reached &= good


class Service:
    """`laban serve` in a process of its own; or, to fail, the same with a handler that does the work itself."""

    def __init__(self, data: Path, *options: str, blocking: bool = False) -> None:
        start = [__file__, "--serve-blocking"] if blocking else ["-m", "laban", "serve", "--port", "0"]
        command = [sys.executable, *start, "--data", str(data), "--queue", "1000", "--owner-queue", "1000", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self.process.stdout is not None
        select.select([self.process.stdout], [], [], 120)
        self.address = self.process.stdout.readline().decode().split()[-1]

    def ready(self) -> None:
        """Waits until the models are loaded."""
        while httpx.get(f"{self.address}/readyz", timeout=120).status_code != 200:
            time.sleep(0.2)

    def workers(self) -> list[int]:
        """Their process ids."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in path.read_text().split()]

    def memory(self) -> float:
        """MiB of the service and its workers."""
        pages = 0
        for pid in (self.process.pid, *self.workers()):
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()


async def client(base: str, end: float, times: list[float], codes: list[int], done: list[str]) -> None:
    """Submits, follows and downloads, until the time is over."""
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE) as http:

        async def get(path: str) -> httpx.Response:
            begin = time.perf_counter()
            try:
                answer = await http.get(path)
                codes.append(answer.status_code)
                return answer
            finally:  # whoever waited in vain waited, too
                times.append(time.perf_counter() - begin)

        number = 0
        while time.monotonic() < end:
            number += 1
            body = {"kind": "generate", "args": {"text": SENTENCE, "seconds": SECONDS, "samples": 1, "seed": number}}
            answer = await http.post("/v1/jobs", json={**body, "formats": ["npz"]})
            codes.append(answer.status_code)
            if answer.status_code not in (200, 202):
                await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
                continue
            job = answer.json()
            while job["state"] in ("queued", "running") and time.monotonic() < end:
                await asyncio.sleep(0.25)
                job = (await get(f"/v1/jobs/{job['id']}")).json()
            if job["state"] == "done":
                done.append(job["id"])
                await get(job["files"][0]["href"])


def load(arguments: argparse.Namespace, goals: Goals, blocking: bool = False) -> None:
    """Fifty clients: no 5xx, and answers in time while the workers are busy."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), "--workers", str(arguments.workers), blocking=blocking)
        service.ready()
        times: list[float] = []
        codes: list[int] = []
        done: list[str] = []
        gave_up: list[httpx.HTTPError] = []

        async def all_of_them() -> None:
            end = time.monotonic() + arguments.seconds
            several = (client(service.address, end, times, codes, done) for _ in range(arguments.clients))
            ended = await asyncio.gather(*several, return_exceptions=True)
            gave_up.extend(error for error in ended if isinstance(error, httpx.HTTPError))

        asyncio.run(all_of_them())
        service.end()
    times = sorted([*times, *[float(PATIENCE)] * len(gave_up)])
    p50, p95 = (1000 * times[int(len(times) * share)] for share in (0.5, 0.95))
    bad = sum(code >= 500 for code in codes)
    name = "control: blocking handler" if blocking else "load"
    print(f"{name}: {arguments.clients} clients, {arguments.seconds} s, {len(codes)} requests, {len(done)} jobs done")
    print(f"  clients that waited {PATIENCE} s in vain: {len(gave_up)}")
    print(f"  GET p50 {p50:.1f} ms, p95 {p95:.1f} ms; answers of 500 and more: {bad}")
    if blocking:
        goals.add("the control, p95 of GET", p95, LATE, " ms", at_least=True)
    else:
        goals.add("p95 of GET while the workers are busy", p95, LATE, " ms")
        goals.add("answers of 500 and more, or none", bad + len(gave_up), 0)


def throughput(arguments: argparse.Namespace, goals: Goals) -> None:
    """Jobs per second of one worker, and of the command line's own loop, with the same threads."""
    count = arguments.jobs
    with tempfile.TemporaryDirectory() as folder:
        prompts = Path(folder) / "prompts.txt"
        prompts.write_text(f"{SENTENCE}\n" * count)
        threads = str(max(1, (os.cpu_count() or 1) // arguments.workers))
        words = ["generate", "--prompts", str(prompts), "--seconds", str(SECONDS), "--samples", "1", "--json"]
        command = [sys.executable, "-m", "laban", *words, "--out", str(Path(folder) / "m.npz")]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": threads}
        )
        parts = json.loads(done.stdout)["timings"]
        alone = count / (parts["generate"] + parts["write npz"])
        service = Service(Path(folder) / "data", "--workers", str(arguments.workers))
        service.ready()
        with httpx.Client(base_url=service.address, timeout=120) as http:
            begin = time.perf_counter()
            body = {
                "kind": "generate",
                "args": {"text": SENTENCE, "seconds": SECONDS, "samples": 1},
                "formats": ["npz"],
            }
            jobs = [http.post("/v1/jobs", json=body).json()["id"] for _ in range(count)]
            while http.get(f"/v1/jobs/{jobs[-1]}").json()["state"] != "done":
                time.sleep(0.05)
            served = count / (time.perf_counter() - begin)
        service.end()
    wanted = 0.9 * arguments.workers
    ratio = served / alone
    print(f"throughput: command line {alone:.2f}/s, service of {arguments.workers} worker(s) {served:.2f}/s")
    goals.add("throughput over that of the command line's own loop", ratio, wanted, at_least=True)


def memory(arguments: argparse.Namespace, goals: Goals) -> None:
    """RSS of the service and its worker over 500 jobs."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), "--workers", "1", "--warm")
        service.ready()
        seen: dict[int, float] = {}
        with httpx.Client(base_url=service.address, timeout=120) as http:
            clip = http.post("/v1/assets", content=CLIP.encode()).json()["id"]
            for number in range(1, arguments.memory_jobs + 1):
                body = {"kind": "convert", "args": {"source": f"asset:{clip}"}, "formats": ["bvh"]}
                job = http.post("/v1/jobs", json=body).json()["id"]
                with http.stream("GET", f"/v1/jobs/{job}/events") as stream:
                    for _ in stream.iter_lines():
                        pass
                if number % (arguments.memory_jobs // 5) == 0:
                    seen[number] = service.memory()
        service.end()
    print("memory, MiB after jobs: " + ", ".join(f"{number}: {size:.1f}" for number, size in seen.items()))
    first, last = list(seen.values())[0], list(seen.values())[-1]
    goals.add(f"growth of memory over {arguments.memory_jobs} jobs", 100 * abs(last / first - 1), 5, " %")


def kills(arguments: argparse.Namespace, goals: Goals) -> None:
    """kill -9 of workers in mid-job and of the service in mid-queue: every job is done once."""
    lost = doubled = rounds = total = 0
    with tempfile.TemporaryDirectory() as folder:
        data, known = Path(folder) / "data", []
        while rounds < arguments.rounds:
            service = Service(data, "--workers", "1", "--warm")
            with httpx.Client(base_url=service.address, timeout=120) as http:
                clip = http.post("/v1/assets", content=CLIP.encode()).json()["id"]
                service.ready()
                for part in range(4):
                    args = {"source": f"asset:{clip}", "width": 64, "height": 64}
                    body = {"kind": "render", "args": args, "formats": ["png"]}
                    fresh = [http.post("/v1/jobs", json=body).json()["id"] for _ in range(3)]
                    known += fresh
                    while http.get(f"/v1/jobs/{fresh[0]}").json()["state"] == "queued":
                        time.sleep(0.01)
                    time.sleep(0.02 * (rounds % 7))
                    rounds += 1
                    if part == 3:
                        service.kill()
                        break
                    for pid in service.workers():
                        os.kill(pid, signal.SIGKILL)
                    while http.get(f"/v1/jobs/{fresh[-1]}").json()["state"] in ("queued", "running"):
                        time.sleep(0.05)
        service = Service(data, "--workers", "1", "--warm")
        with httpx.Client(base_url=service.address, timeout=120) as http:
            for job in known:
                states = []
                with http.stream("GET", f"/v1/jobs/{job}/events") as stream:
                    for line in stream.iter_lines():
                        if line.startswith("data: ") and '"state"' in line:
                            states.append(json.loads(line[6:])["state"])
                ended = [state for state in states[:-1] if state in ("done", "failed")]
                total += 1
                lost += ended.count("done") == 0
                doubled += len(ended) > 1
        service.end()
    print(f"kills: {rounds} rounds, {total} jobs, {lost} not done, {doubled} done twice")
    goals.add(f"jobs lost or doubled by {rounds} kills", lost + doubled, 0)


def streams(arguments: argparse.Namespace, goals: Goals) -> None:
    """200 event streams that break after every few events and go on: nothing lost, nothing twice."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder), "--workers", "1", "--warm")
        service.ready()

        async def broken(http: httpx.AsyncClient, job: str, most: int) -> list[str]:
            found: list[str] = []
            last = "0"
            while True:
                got = 0
                async with http.stream("GET", f"/v1/jobs/{job}/events", headers={"Last-Event-ID": last}) as stream:
                    if stream.status_code == 204:
                        return found
                    async for line in stream.aiter_lines():
                        if line.startswith("id: "):
                            last = line[4:]
                            found.append(last)
                            got += 1
                            if got == most:
                                break
                await asyncio.sleep(0.01)

        async def all_of_them() -> list[list[str]]:
            limits = httpx.Limits(max_connections=arguments.streams)
            async with httpx.AsyncClient(base_url=service.address, timeout=120, limits=limits) as http:
                clip = (await http.post("/v1/assets", content=CLIP.encode())).json()["id"]
                body = {
                    "kind": "render",
                    "args": {"source": f"asset:{clip}", "fps": 60},
                    "formats": ["gif", "mp4", "png"],
                }
                job = (await http.post("/v1/jobs", json=body)).json()["id"]
                return await asyncio.gather(*(broken(http, job, 1 + k % 3) for k in range(arguments.streams)))

        found = asyncio.run(all_of_them())
        service.end()
    whole = [str(k) for k in range(1, len(found[0]) + 1)]
    same = sum(each == whole for each in found)
    print(f"streams: {arguments.streams} broken again and again, {len(whole)} events each, {same} whole")
    goals.add("event streams with a loss or a repetition", len(found) - same, 0)


def uploads(arguments: argparse.Namespace, goals: Goals) -> None:
    """Mutated clips and songs: each is refused by a sentence or read, and the worker lives on."""
    rng = random.Random(18)
    song = (Path(__file__).parents[1] / "examples" / "song.ogg").read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        glb = Path(folder) / "walk.glb"
        clip = Path(folder) / "walk.bvh"
        clip.write_text(CLIP)
        subprocess.run([sys.executable, "-m", "laban", "convert", str(clip), str(glb)], check=True, capture_output=True)
        service = Service(Path(folder) / "data", "--workers", "1", "--warm")
        service.ready()
        worker = service.workers()
        seen: dict[str, int] = {}
        with httpx.Client(base_url=service.address, timeout=300) as http:
            for number in range(arguments.uploads):
                content = bytearray([CLIP.encode(), glb.read_bytes(), song][number % 3])
                for _ in range(rng.choice([1, 3, 30])):
                    content[rng.randrange(len(content))] = rng.randrange(256)
                if rng.random() < 0.3:
                    del content[rng.randrange(len(content)) :]
                answer = http.post("/v1/assets", content=bytes(content))
                state = f"refused with {answer.status_code}"
                if answer.status_code in (200, 201):
                    name = f"asset:{answer.json()['id']}"
                    kind = "dance" if answer.json()["type"].startswith("audio/") else "convert"
                    args = {"song": name, "seconds": 1} if kind == "dance" else {"source": name}
                    taken = http.post("/v1/jobs", json={"kind": kind, "args": args, "formats": ["bvh"]})
                    state = f"not taken, {taken.status_code}"
                    if taken.status_code == 202:
                        job = taken.json()["id"]
                        while (found := http.get(f"/v1/jobs/{job}").json())["state"] in ("queued", "running"):
                            time.sleep(0.02)
                        state = found["state"] if found["error"] is None else f"failed with {found['error']['status']}"
                seen[state] = seen.get(state, 0) + 1
        died = service.workers() != worker
        service.end()
    print("uploads: " + ", ".join(f"{state}: {count}" for state, count in sorted(seen.items())))
    faults = sum(count for state, count in seen.items() if any(code in state for code in ("500", "504")))
    goals.add("faults of mutated uploads, and workers that died of them", faults + died, 0)


def serve_blocking(words: list[str]) -> None:
    """The control: a service whose handler does the work itself."""
    import uvicorn

    from laban.actions.context import Context
    from laban.service.app import build
    from laban.service.jobs import Jobs, Wanted
    from laban.service.metrics import Metrics
    from laban.service.settings import ServeOptions
    from laban.service.store import Job
    from laban.service.worker import Worker, act, described

    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    given, _ = parser.parse_known_args(words)
    settings = ServeOptions(data=given.data, workers=1, warm=())
    worker = Worker(sys.stderr)

    class Blocking(Jobs):
        """Jobs that are done where they are taken."""

        def submit(self, owner: str, wanted: Wanted, key: str = "") -> tuple[Job, bool]:
            job, _ = self.store.add(owner, wanted.kind, wanted.record(), key, wanted.digest)
            self.store.begin(job.id)
            folder = self.folder / "results" / job.id
            folder.mkdir()
            order: dict[str, Any] = {"kind": wanted.kind, "args": wanted.args, "formats": wanted.formats, "files": {}}
            facts = act(order, folder, Context("cpu", worker.models))
            files = [described(path) for path in sorted(folder.iterdir())]
            self.store.end(job.id, "done", keep=3600, result={**facts, "files": files})
            return self.store.get(job.id), True

    settings.folder.mkdir(parents=True, exist_ok=True)
    app = build(settings, Blocking(settings, Metrics()))
    config = uvicorn.Config(app, port=0, log_level="error")
    server = uvicorn.Server(config)
    config.load()
    sock = config.bind_socket()
    print(f"listening on http://127.0.0.1:{sock.getsockname()[1]}", flush=True)
    server.run(sockets=[sock])


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("the service under load")
    made.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    made.add_argument("--seconds", type=float, default=60)
    made.add_argument("--clients", type=int, default=50)
    made.add_argument("--workers", type=int, default=1)
    made.add_argument("--jobs", type=int, default=50, help="of the part throughput")
    made.add_argument("--memory-jobs", type=int, default=500)
    made.add_argument("--rounds", type=int, default=100)
    made.add_argument("--uploads", type=int, default=500)
    made.add_argument("--streams", type=int, default=200)
    options = made.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)
    goals = Goals()
    rest = {"throughput": throughput, "memory": memory, "kills": kills, "streams": streams, "uploads": uploads}
    for part in options.parts:
        if part in ("load", "control"):
            load(options, goals, blocking=part == "control")
        else:
            rest[part](options, goals)
    return goals.figures, goals.reached, options


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve-blocking"]:
        serve_blocking(sys.argv[2:])
    else:
        run(main)
