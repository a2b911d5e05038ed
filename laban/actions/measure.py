"""How good a motion file is, in figures: skate, floor, tremble, what it shows, and how its seams compare."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.actions.context import Context
from laban.actions.options import described

if TYPE_CHECKING:
    from laban.motion.motion import Motion


@dataclass(frozen=True)
class MeasureOptions:
    """Which motion is measured, and what it should show."""

    source: Path | Motion = described(MISSING, "A humanoid's motion: .bvh, .npz, or a .glb, .vrm or .gltf.")
    text: str = described("", "What it should show; the texts in the file if not given.")
    clip: str = described("", "Which animation of a glTF file, by name or number; the first if not given.")


@dataclass(frozen=True, eq=False)
class Measured:
    """A motion and its figures.

    Attributes:
        motion: as it was read.
        figures: as `laban.actions.clean.figures`, and path_m, the metres that the root travels over the floor.
        does: (rule, whether it holds) of texts that a rule of `laban.metrics.control` can tell; else None.
        seams: at each change of texts the error of the step across it, and the median of all steps, metres.
    """

    motion: Motion
    figures: dict[str, float]
    does: tuple[str, bool] | None
    seams: tuple[dict[str, float], ...]


def measure(options: MeasureOptions, context: Context) -> Measured:
    """Measures a motion file.

    Args:
        options: which file.
        context: asked whether to go on.
    Raises: InputError for a file that cannot be used.
    """
    import numpy as np

    from laban import formats
    from laban.actions.best_of import judge
    from laban.actions.clean import figures
    from laban.motion.retarget import retarget

    source = options.source
    motion = formats.read(source, options.clip) if isinstance(source, Path) else source
    context.check()
    steps = np.linalg.norm(np.diff(motion.root[:, [0, 2]], axis=0), axis=-1)
    found = {**figures(motion, motion), "path_m": float(steps.sum())}
    text = options.text or (motion.segments[0].text if len(motion.segments) == 1 else "")
    judged = judge(retarget(motion), text) if text else None
    does = None if judged is None or judged.asked is None else (judged.asked, bool(judged.does))
    return Measured(motion, found, does, _seams(motion))


def _seams(motion: Motion) -> tuple[dict[str, Any], ...]:
    import numpy as np

    from laban.metrics.transitions import seam_error

    places = sorted({round(segment.start * motion.fps) for segment in motion.segments})
    inner = [frame for frame in places if 2 <= frame <= motion.frames - 2]
    if not inner:
        return ()
    joints = motion.joints()
    usual = float(np.median(seam_error(joints, list(range(2, motion.frames - 1)))))
    errors = seam_error(joints, inner)
    return tuple(
        {"seconds": frame / motion.fps, "error_m": float(error), "usual_m": usual}
        for frame, error in zip(inner, errors, strict=True)
    )
