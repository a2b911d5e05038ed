"""Search at size: a library of 100,000 clips, and how fast a folder becomes an index. One thread.

    python benchmarks/search.py --data PREPARED [--model motionclip] [--clips 100000] [--build 300]

The index holds the latents of the real clips and, up to its size, synthetic ones: real ones turned at random.
"""

from __future__ import annotations

import argparse
import platform
import resource
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import torch

import laban
from laban import formats
from laban.data.corpus import Corpus
from laban.systems.motionclip import evaluation
from laban.systems.motionclip.library import Library


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, required=True)
    made.add_argument("--model", default="motionclip")
    made.add_argument("--clips", type=int, default=100_000)
    made.add_argument("--build", type=int, default=300, help="clips written as files and indexed")
    options = made.parse_args()
    torch.set_num_threads(1)
    corpus = Corpus.open(options.data)
    system = laban.load(options.model)
    print(f"{date.today()}, {platform.machine()}, 1 thread; weights {str(system.provenance.hash)[:12]}\n")
    with tempfile.TemporaryDirectory(prefix="laban-search-") as name:
        build(system, corpus, Path(name), options.build)
        query(system, corpus, Path(name), options.clips)


def build(system, corpus, folder: Path, count: int) -> None:
    records = [r for r in corpus.records if r.mirror_of is None]
    chosen = [records[i] for i in np.linspace(0, len(records) - 1, min(count, len(records))).astype(int)]
    print(
        "| files | clips | seconds of motion | clips per s of CPU | clips per s of wall time |\n"
        "|---|---:|---:|---:|---:|"
    )
    for suffix in (".npz", ".bvh"):
        place = folder / suffix[1:]
        place.mkdir()
        length = 0.0
        for r in chosen:
            motion = laban.Motion.from_joints(np.asarray(corpus.joints(r), np.float64), corpus.fps)
            length += motion.seconds
            formats.write(motion, place / f"{r.id.replace('/', '_')}{suffix}")
        library = Library.open(place, system)
        cpu, wall = time.process_time(), time.perf_counter()
        report = library.update(system)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(f"| {suffix} | {report.added} | {length:.0f} | {report.added / cpu:.0f} | {report.added / wall:.0f} |")
        assert report.added == len(chosen), report.skipped
        again = time.perf_counter()
        Library.open(place, system).update(system)
        print(f"| {suffix}, nothing new | {report.added} | | | {report.added / (time.perf_counter() - again):.0f} |")
    print()


def query(system, corpus, folder: Path, count: int) -> None:
    records = [r for r in corpus.records if r.mirror_of is None and r.captions]
    real = evaluation.directions(system, evaluation.clip_windows(system, corpus, records)).numpy()
    rng = np.random.default_rng(0)
    width = real.shape[1]
    library = Library(folder, str(system.provenance.hash), width)
    rows = np.empty((count, width), np.float32)
    rows[: len(real)] = real[:count]
    for at in range(len(real), count, 10_000):
        stop = min(count, at + 10_000)
        turned = (
            real[rng.integers(len(real), size=stop - at)] + 0.5 * rng.standard_normal((stop - at, width)) / width**0.5
        )
        rows[at:stop] = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    library.vectors = rows
    library.names = [f"clip-{i:06d}.bvh" for i in range(count)]
    library.files = {n: {"size": 1, "changed": 1, "seconds": 5.0} for n in library.names}
    library.owner = np.arange(count, dtype=np.int32)
    library.times = np.tile(np.float32([0, 5]), (count, 1))
    place = folder / "big.npz"
    library.save(place)
    del library, rows, turned
    before = _memory()
    begun = time.perf_counter()
    library = Library.open(folder, system, place)
    opened = time.perf_counter() - begun
    captions = [r.captions[0] for r in records[:: max(1, len(records) // 200)]]
    vectors = system.text_directions(captions).numpy()
    spent, found = [], []
    used = time.process_time()
    for vector in vectors:
        begun = time.perf_counter()
        found.append(library.search(vector, 10))
        spent.append(time.perf_counter() - begun)
    used = time.process_time() - used
    held = _memory() - before
    exact = np.concatenate([real.astype(np.float64), library.vectors[len(real) :].astype(np.float64)])
    hits = 0
    for vector, matches in zip(vectors.astype(np.float64), found, strict=True):
        best = set(np.argsort(-(exact @ vector), kind="stable")[:10].tolist())
        hits += len(best & {int(m.path.stem.split("-")[1]) for m in matches})
    size = place.stat().st_size / 1e6
    print(f"{count} clips ({len(real)} real), {width} numbers each; index file {size:.0f} MB, opened in {opened:.2f} s")
    middle, slow = 1000 * np.median(spent), 1000 * np.percentile(spent, 95)
    print(f"query: median {middle:.1f} ms, 95th percentile {slow:.1f} ms; {1000 * used / len(vectors):.1f} ms of CPU")
    print(f"memory that the index adds: {held / 1e6:.0f} MB; of the whole process now {_memory() / 1e6:.0f} MB")
    print(f"of the exact first 10 (real latents in float64), {hits / (10 * len(vectors)):.4f} are found")


def _memory() -> float:
    """Bytes of this process that are in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    main()
