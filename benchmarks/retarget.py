"""How well and how fast motions go onto characters: the certificate over characters and clips, speed, memory.

    python benchmarks/retarget.py [--clips FOLDER] [--characters FOLDER] [--seconds 10]

Clips: of each content of Bandai-Namco's dataset-1 the first `normal` one by name, its first 10 s. Characters: every
.glb below the folder, and the two hostile rigs of `tests.character.example`. Without the folders the hostile rigs do
a motion made here, and only speed and memory are worth reading.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
from report import goal, parser, run
from report import table as aligned

import laban
from laban.character import export
from laban.character.animation import document_of
from laban.character.bonemap import find
from laban.character.certificate import THRESHOLDS
from laban.character.made import make
from laban.character.rig import rig_of
from laban.character.stance import Stance, load, stance_of
from laban.character.transfer import transfer
from laban.errors import InputError
from laban.io import gltf_document
from laban.motion import rotation
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22
from tests.character import example

KEYS = ("limb_degrees", "foot_height_cm", "skate_ratio", "penetration_cm", "reach", "round_trip_cm")


def clips(folder: Path | None, seconds: float) -> dict[str, Motion]:
    """Content -> motion."""
    if folder is None:
        return {"made here": swaying(seconds)}
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("dataset-1_*_normal_*.bvh")):
        found.setdefault(re.split("_", path.stem)[1], path)
    motions = {name: laban.read(path) for name, path in found.items()}
    if not motions:
        raise InputError(
            f"{folder}: no dataset-1_*_normal_*.bvh below it. Name the folder of Bandai-Namco's dataset-1."
        )
    return {name: m.crop(0, min(seconds, m.seconds)) for name, m in motions.items()}


def swaying(seconds: float, fps: float = 60.0) -> Motion:
    """Someone who shifts their weight and waves."""
    frames = round(seconds * fps)
    t = np.arange(frames) / fps
    turns = np.zeros((frames, 22, 3))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        turns[:, HUMANML22.index(f"{side}_shoulder"), 2] = -1.2 * sign + 0.4 * np.sin(3 * t)
        turns[:, HUMANML22.index(f"{side}_elbow"), 1] = -sign * (0.8 + 0.3 * np.sin(2 * t))
        turns[:, HUMANML22.index(f"{side}_hip"), 0] = -0.2 + 0.1 * np.sin(2 * t)
        turns[:, HUMANML22.index(f"{side}_knee"), 0] = 0.4 - 0.2 * np.sin(2 * t)
    root = np.stack([0.05 * np.sin(t), 0.92 + 0 * t, 0 * t], -1)
    return Motion(HUMANML22, rotation.from_axis_angle(turns), root, fps)


def characters(folder: Path | None) -> dict[str, Stance]:
    """Name -> character."""
    out = {} if folder is None else {p.stem: load(p) for p in sorted(folder.rglob("*.glb"))}
    for name, document in example.hostile().items():
        rig = rig_of(document)
        out[name] = stance_of(rig, find(rig))
    return out


def table(people: dict[str, Stance], motions: dict[str, Motion]) -> tuple[dict[str, Any], bool]:
    """Worst and mean figures over the clips of each character, and the clips that fail."""
    print(f"{len(motions)} clips: {', '.join(motions)}")
    print("worst (mean) of each figure over the clips; at most", {t.key: t.most for t in THRESHOLDS if t.most})
    cells, figures, fails = [], {}, []
    for name, stance in people.items():
        rows, failed = [], 0
        for clip, motion in motions.items():
            made = make(motion, stance).certificate
            rows.append([made.values[k] or 0.0 for k in KEYS])
            failed += not made.passed
            if not made.passed:
                fails.append(f"  {name}, {clip}: " + ", ".join(f"{k} {made.values[k]:.2f}" for k in made.failed))
        worst, mean = np.max(rows, axis=0), np.mean(rows, axis=0)
        figures[name] = {"passed": len(motions) - failed, "worst": worst.tolist(), "mean": mean.tolist()}
        shown = [f"{w:.2f} ({m:.2f})" for w, m in zip(worst, mean, strict=True)]
        cells.append([name, f"{len(motions) - failed}/{len(motions)}", *shown])
    print(aligned(["character", "pass", *KEYS], cells))
    print("\n".join(["fails:", *fails]) if fails else "no certificate fails")
    return figures, not fails


def speed(people: dict[str, Stance], seconds: float) -> bool:
    """CPU seconds of a clip onto the character with the most bones, after load."""
    name = max(people, key=lambda n: len(people[n].rig.joints))
    stance = people[name]
    for fps in (30.0, 60.0):
        motion = swaying(seconds, fps)
        times = []
        for _ in range(5):
            begin = time.process_time()
            document_of(transfer(motion, stance))
            middle = time.process_time()
            make(motion, stance)
            times.append((middle - begin, time.process_time() - middle))
        first, second = np.median(times, axis=0)
        print(f"{seconds:g} s at {fps:g} fps onto {name} ({len(stance.rig.joints)} bones): retarget and channels "
              f"{first:.3f} s of CPU, with certificate {second:.3f} s")  # fmt: skip
    line, ok = goal("retarget at 60 fps", float(first), 0.3, " s")
    print(line)
    return ok


def memory() -> bool:
    """Most memory allocated at a time for a character file of 20 MB, nearly all mesh: read, retarget, write."""
    document = example.character()
    primitive = document.json["meshes"][0]["primitives"][0]
    copies = 82
    for name in ("POSITION", "JOINTS_0", "WEIGHTS_0"):
        accessor = document.json["accessors"][primitive["attributes"][name]]
        values = np.tile(document.array(primitive["attributes"][name]), (copies, 1))
        accessor |= {"bufferView": document.add_bytes(values.tobytes()), "count": len(values)}
    motion = swaying(10, 30)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.glb"
        gltf_document.write(document, path)
        size = path.stat().st_size
        del document, values
        small = rig_of(example.character())
        export.write(make(motion, stance_of(small, find(small))), Path(folder) / "warm.glb")
        tracemalloc.start()
        export.write(make(motion, load(path)), Path(folder) / "out.glb")
        grown = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    line, ok = goal(f"memory for a character of {size / 1e6:.1f} MB", grown / size, 2.0, " x its size")
    print(line)
    return ok


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("motions onto characters")
    shared = Path(__file__).resolve().parents[2] / "shared" / "data" / "characters"
    made.add_argument("--clips", type=Path, help="folder with Bandai-Namco's dataset-1 as BVH")
    made.add_argument("--characters", type=Path, default=shared if shared.is_dir() else None, help="folder of .glb")
    made.add_argument("--seconds", type=float, default=10.0, help="of each clip")
    options = made.parse_args()
    small = memory()  # first: what follows would hide its peak
    people = characters(options.characters)
    fast = speed(people, options.seconds)
    figures, passed = table(people, clips(options.clips, options.seconds))
    return figures, small and fast and passed, options


if __name__ == "__main__":
    run(main)
