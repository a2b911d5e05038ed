"""Under which settings a system is scored, and its motions, kept on disk so that a stopped run goes on."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from laban.errors import InputError
from laban.evaluate.cases import Case
from laban.io.atomic import replacing
from laban.motion.humanml import HUMANML
from laban.systems.base import System
from laban.systems.requests import TextRequest

CHUNK = 32  # clips per file and per call of the system
STEPS = (1, 2, 5, 10, 18, 25)
GUIDANCE = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)
SAMPLES = 10  # motions per text, for MultiModality
TEXTS = 20


@dataclass(frozen=True)
class Variant:
    """One way to run a system. `axis` and `at` place it on a curve: ("steps", 5)."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    precision: str = "32"
    axis: str = ""
    at: float = 0.0


def variants(
    system: System, steps: Sequence[int] = STEPS, guidance: Sequence[float] = GUIDANCE, *, quick: bool = False
) -> list[Variant]:
    """The system as it is, and unless `quick` its settings one at a time.

    Settings equal to the system's own are not run twice: the plain row stands on both curves.
    """
    plain = Variant(system.name)
    if quick or not system.sweeps:
        return [plain]
    own = system.config.sampling
    rows = {
        "steps": [Variant(f"steps {n}", {"steps": n}, axis="steps", at=n) for n in steps if n != own.steps],
        "guidance": [
            Variant(f"guidance {g:g}", {"guidance": g}, axis="guidance", at=g) for g in guidance if g != own.guidance
        ],
        "base_only": [Variant("base layer only", {"base_only": True})],
        "precision": [Variant("bf16", precision="bf16")],
        "clean": [Variant("cleaned", {"clean": True})],
    }
    return [plain, *(row for option in system.sweeps for row in rows[option])]


@dataclass
class Made:
    """Motions of one variant: joints per case, CPU seconds per clip on the machine that made them."""

    clips: list[np.ndarray]
    seconds: float


def make(
    system: System,
    variant: Variant,
    cases: Sequence[Case],
    seed: int,
    folder: Path,
    advance: Callable[[int], None],
    samples: int = 1,
) -> Made:
    """Motions of a variant for the captions and lengths of the cases, case i from the seed (seed, i).

    Args:
        system: the model.
        variant: its options.
        cases: captions and lengths.
        seed: of the first sample.
        folder: where chunks are kept; those that were made with the same weights, settings and cases are not made
            again.
        advance: called with the number of clips that are ready.
        samples: motions per case, one after the other; case i has the seeds (seed, i * samples ...).
    Raises: InputError if the system's motions are not on HumanML3D's skeleton at its frame rate.
    """
    requests = [TextRequest(c.caption, c.seconds) for c in cases for _ in range(samples)]
    clips: list[np.ndarray] = []
    spent: list[float] = []
    for at in range(0, len(requests), CHUNK):
        part = requests[at : at + CHUNK]
        key = _key(system, variant, part, seed, at)
        path = folder / f"{at:05d}.npz"
        held = _kept(path, key)
        if held is None:
            begin = time.process_time()
            with _precision(variant.precision):
                motions = system.generate(part, seed=seed, first_index=at, **variant.options)
            took = (time.process_time() - begin) / len(part)
            for motion in motions:
                if motion.skeleton.name != "humanml22" or motion.fps != HUMANML.fps:
                    raise InputError(
                        f"{system.name}: makes {motion.skeleton.name} at {motion.fps:g} fps, expected humanml22 at "
                        f"{HUMANML.fps:g}. Evaluate it with a corpus of its own."
                    )
            joints = [motion.joints().astype(np.float32) for motion in motions]
            folder.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary, open(temporary, "wb") as file:
                np.savez(
                    file, joints=np.concatenate(joints), lengths=[len(j) for j in joints], seconds=took,
                    fps=HUMANML.fps, key=key, texts=[r.text for r in part],
                )  # fmt: skip
            held = joints, took
        clips += [np.asarray(j, np.float64) for j in held[0]]
        spent += [held[1]] * len(part)
        advance(len(part))
    return Made(clips, float(np.mean(spent)))


def slug(name: str) -> str:
    """A name for a folder."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")


def _key(system: System, variant: Variant, part: Sequence[TextRequest], seed: int, at: int) -> str:
    """Hash of all that decides what a chunk holds."""
    said = [
        system.provenance.hash, system.manifest()["laban"], variant.options, variant.precision, str(system.device),
        seed, at, [[r.text, r.seconds] for r in part],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _kept(path: Path, key: str) -> tuple[list[np.ndarray], float] | None:
    """What an earlier run left under this key; None if nothing usable is there."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if str(file["key"]) != key:
                return None
            ends = np.cumsum(file["lengths"])
            return np.split(file["joints"], ends[:-1]), float(file["seconds"])
    except Exception:  # absent, or damaged in any of zip's and npy's ways: it is made again
        return None


def _precision(precision: str) -> contextlib.AbstractContextManager[Any]:
    if precision == "32":
        return contextlib.nullcontext()
    import torch

    return torch.autocast("cuda" if torch.cuda.is_available() else "cpu", torch.bfloat16)
