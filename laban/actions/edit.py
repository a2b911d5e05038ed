"""Edit a motion: regenerate stretches of it from sentences, go on after its end, or lead over into another motion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from laban.actions.character import Wearing
from laban.actions.context import Context
from laban.actions.inputs import MAX_SECONDS, check_motion_file, checked, give_encoder, motion_of, shares_understood
from laban.actions.options import Sampling, bounded, check, described
from laban.actions.outputs import check_outputs, write
from laban.errors import InputError
from laban.motion.motion import Motion
from laban.systems.options import SEED, Bounds

if TYPE_CHECKING:
    from laban.actions.inpainting import Draws, Seam
    from laban.character.certificate import Certificate
    from laban.systems.capabilities import Inpaints

LENGTH = Bounds(0.1, MAX_SECONDS)
SAMPLES = Bounds(1, 64, whole=True)


@dataclass(frozen=True)
class Range:
    """A stretch of a clip in seconds; None stands for an end of the clip."""

    start: float | None = None
    end: float | None = None

    @classmethod
    def parse(cls, text: str) -> Range:
        """`1.0:2.5`, `:2` or `4:` in seconds. Raises: InputError for anything else."""
        start, colon, end = text.partition(":")
        try:
            both = tuple(float(part) if part.strip() else None for part in (start, end))
        except ValueError:
            both = (math.nan, math.nan)
        if not colon or any(v is not None and not (math.isfinite(v) and v >= 0) for v in both):
            raise InputError(f"--range {text}: expected START:END in seconds, such as 1.0:2.5, :2 or 4:.")
        if both[0] is not None and both[1] is not None and both[0] >= both[1]:
            raise InputError(f"--range {text}: starts at or after its end; expected START before END.")
        return cls(*both)

    def frames(self, clip: Motion) -> tuple[int, int]:
        """Frames [first, last) of a clip. Raises: InputError if the range does not lie in it."""
        length = clip.frames / clip.fps
        for value in (self.start, self.end):
            if value is not None and value > length + 0.5 / clip.fps:
                raise InputError(f"--range: {value:g} s lies outside the clip, which lasts {length:.2f} s.")
        first = 0 if self.start is None else round(self.start * clip.fps)
        last = clip.frames if self.end is None else round(self.end * clip.fps)
        return first, min(last, clip.frames)


@dataclass(frozen=True)
class EditOptions:
    """Which motion is edited, how, and which files are written (None: none)."""

    source: Path | Motion = described(..., "The motion: a humanoid .bvh, an .npz or .glb of Laban.")
    text: tuple[str, ...] = described((), "What happens in a stretch. Repeat it, once per --range.")
    range: tuple[str | Range, ...] = described(
        (), "A stretch in seconds: 1.0:2.5, or :2 from the beginning, or 4: to the end. Repeatable."
    )
    extend: float | None = bounded(None, LENGTH, "Go on for so many seconds after the end, as --text says.")
    then: Path | Motion | None = described(
        None, "Lead over into this motion, through --gap seconds of --text. It is turned and moved as a whole."
    )
    gap: float | None = bounded(None, LENGTH, "Seconds between the two motions.")
    out: tuple[Path, ...] | None = described(
        None, "Files to write; the suffix says the format: .glb .bvh .npz .mp4 .gif .png .html."
    )
    seed: int = bounded(0, SEED, "Which of the many motions that fit.")
    samples: int = bounded(4, SAMPLES, "Drawn for each stretch; the best is taken.")
    model: str = described("momask", "Shipped weights by name, or a folder with weights.")
    sampling: Sampling = Sampling()
    text_encoder: Path | None = described(None, "CLIP's weights, for imported models.")
    wearing: Wearing = Wearing()


@dataclass(frozen=True)
class EditResult:
    """An edited motion.

    Attributes:
        motion: at the source's frame rate; its passport says what was asked.
        seams: the joins of its made stretches, in order.
        files: what was written.
        certificate: how well a character wears it; None without one.
    """

    motion: Motion
    seams: tuple[Seam, ...]
    files: tuple[Path, ...]
    certificate: Certificate | None
