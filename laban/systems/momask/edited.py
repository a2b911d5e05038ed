"""What is said of an edited motion: its texts, its passport, and how well the joins hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from laban.metrics.transitions import seam_error
from laban.motion.motion import Motion, Segment
from laban.systems.momask.system import MoMask
from laban.systems.requests import TextRequest


@dataclass(frozen=True)
class Seam:
    """How the step across a join departs from its neighbours, metres, and what is usual in the kept frames."""

    seconds: float
    error: float
    median: float
    highest: float


def segments_of(clip: Motion, taken: Sequence[tuple[str, int, int]]) -> tuple[Segment, ...]:
    """The clip's texts, cut where a stretch was made, and those of the stretches."""
    parts = list(clip.segments)
    for text, first, last in taken:
        start, end = first / clip.fps, last / clip.fps
        kept: list[Segment] = []
        for s in parts:
            kept += [Segment(s.text, s.start, min(s.end, start))] if s.start < start else []
            kept += [Segment(s.text, max(s.start, end), s.end)] if s.end > end else []
        parts = [*kept, Segment(text, start, end)]
    return tuple(sorted(parts, key=lambda s: s.start))


def seams_of(motion: Motion, joins: Sequence[int], taken: Sequence[tuple[str, int, int]]) -> tuple[Seam, ...]:
    """The error at every join, beside that of the frames that stayed (at the same frame rate)."""
    joints = motion.joints()
    inner = [f for f in sorted(set(joins)) if 2 <= f <= motion.frames - 2]
    if motion.frames < 5 or not inner:
        return ()
    usual = [
        f for f in range(2, motion.frames - 1) if all(not (first - 1 <= f <= last + 1) for _, first, last in taken)
    ]
    errors = seam_error(joints, inner)
    level = seam_error(joints, usual) if usual else np.array([np.nan])
    return tuple(
        Seam(f / motion.fps, float(e), float(np.median(level)), float(level.max()))
        for f, e in zip(inner, errors, strict=True)
    )


def passport_of(
    system: MoMask,
    clip: Motion,
    seed: int,
    samples: int,
    settings: dict[str, Any],
    taken: Sequence[tuple[str, int, int]],
) -> dict[str, Any]:
    said = system.passport(
        TextRequest("; ".join(text for text, _, _ in taken), None), seed, options=settings, samples=samples,
        text_encoder=system.text_encoder.fingerprint,
        edits=[{"text": t, "start": f / clip.fps, "end": e / clip.fps} for t, f, e in taken],
    )  # fmt: skip
    return said | {"source": clip.passport or {"frames": clip.frames, "fps": clip.fps}}
