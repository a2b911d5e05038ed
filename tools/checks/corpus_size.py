"""A corpus of HumanML3D's size is prepared in flat memory: `python tools/checks/corpus_size.py [--clips 29000]`.

Makes a folder that is laid out as HumanML3D's, of motions by formula under as many names (hard links, so that the disk
holds few of them), prepares it, and prints the time and the highest memory of the process. Wants 6 GB of disk.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from laban.data.corpus import Corpus
from laban.data.prepare import prepare
from laban.data.synthesis import walkers
from laban.motion import humanml

LENGTHS = (84, 196)  # frames; 141 in the mean, as there
DIFFERENT = 64
LIMIT = 1.5  # GB


def make(folder: Path, clips: int) -> int:
    """Write the folder. Returns: its frames."""
    (folder / "new_joint_vecs").mkdir(parents=True)
    (folder / "texts").mkdir()
    rng = np.random.default_rng(0)
    frames, names = 0, []
    for number in range(clips):
        stem, first = f"{number:06d}", f"{number % DIFFERENT:06d}"
        for place in ("new_joint_vecs", "texts"):
            path = folder / place / (f"{stem}.npy" if place == "new_joint_vecs" else f"{stem}.txt")
            if number >= DIFFERENT:
                path.hardlink_to(path.with_name(first + path.suffix))
            elif place == "texts":
                path.write_text("a person walks forward#a/DET person/NOUN walk/VERB forward/ADV#0.0#0.0\n" * 3)
            else:
                length = int(rng.integers(*LENGTHS))
                joints = walkers.joints(number % len(walkers.ACTIONS), length + 1, rng.uniform(0.8, 1.4), 0.1 * number)
                np.save(path, humanml.encode(joints).astype(np.float32))
        names.append(stem)
    lengths = [len(np.load(folder / "new_joint_vecs" / f"{n:06d}.npy", mmap_mode="r")) for n in range(DIFFERENT)]
    frames = sum(lengths[n % DIFFERENT] for n in range(clips))
    parts = {"train": names[: int(0.8 * clips)], "val": names[int(0.8 * clips) : int(0.85 * clips)]}
    parts["test"] = names[int(0.85 * clips) :]
    for split, chosen in parts.items():
        (folder / f"{split}.txt").write_text("\n".join(chosen) + "\n")
    return frames


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--clips", type=int, default=29_000)
    clips = options.parse_args().clips
    with tempfile.TemporaryDirectory(prefix="laban-size-") as name:
        frames = make(Path(name) / "HumanML3D", clips)
        before = peak()
        begin = time.perf_counter()
        report = prepare("humanml3d", Path(name) / "HumanML3D", Path(name) / "prepared")
        seconds, memory = time.perf_counter() - begin, peak()
        corpus = Corpus.open(report.folder)
        assert report.clips == clips and sum(r.length for r in corpus.records) == frames
        print(f"{clips} clips, {frames / 1e6:.2f} M frames, {report.hours:.1f} h: {seconds:.0f} s")
        print(f"highest memory {memory:.2f} GB, {before:.2f} GB of it before; less than {LIMIT} GB is the goal")
        raise SystemExit(int(memory >= LIMIT))


def peak() -> float:
    """GB, the highest so far of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
