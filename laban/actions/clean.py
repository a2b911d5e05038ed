"""The clean-up of feet, floor and tremble, and what it changed."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from laban.actions.context import Context
from laban.actions.options import described
from laban.actions.outputs import check_outputs, write
from laban.actions.reading import ReadOptions, read
from laban.errors import InputError

if TYPE_CHECKING:
    from laban.character.made import Made
    from laban.motion.motion import Motion


@dataclass(frozen=True)
class CleanOptions:
    """What `clean` reads, mends and writes."""

    source: Path | Motion = described(
        MISSING, "A humanoid's motion: .bvh, .npz, or a .glb, .vrm or .gltf with an animation."
    )
    out: tuple[Path, ...] = described(
        (), "Files to write. A character's .glb gets the cleaned clip before its own animations."
    )
    foot_lock: bool = described(False, "Hold each foot in one place while it stands, and bend the leg to suit.")
    ground: bool = described(False, "Put the floor at height 0.")
    smooth: bool = described(False, "Filter tremble with a Gaussian of 0.04 s.")
    clip: str = described("", "Which animation of a glTF file, by name or number; the first if not given.")
    reading: ReadOptions = ReadOptions()


@dataclass(frozen=True)
class Cleaned:
    """A cleaned motion.

    Attributes:
        motion: on the skeleton of the source.
        before: `figures` of the source.
        after: `figures` of the motion.
    """

    motion: Motion
    before: dict[str, float]
    after: dict[str, float]


def clean(options: CleanOptions, context: Context) -> Cleaned:
    """Holds standing feet, levels the floor or filters tremble, as asked, and writes the result, if files are named.

    Args:
        options: what to mend in which motion.
        context: told of progress; asked whether to go on before anything is written.
    Raises: InputError if nothing to mend is named, or for a motion or file that cannot be used.
    """
    if not (options.foot_lock or options.ground or options.smooth):
        raise InputError("nothing to clean was named. Give --foot-lock, --ground or --smooth, or several.")
    from laban import formats
    from laban.character import stance
    from laban.character.made import make
    from laban.io import gltf, gltf_document
    from laban.motion.cleanup import TREMBLE, tidy

    source, theirs = options.source, False
    if isinstance(source, Path):
        theirs = source.suffix.lower() in gltf_document.SUFFIXES and source.is_file() and not gltf.is_ours(source)
    if options.out:
        check_outputs(options.out, formats.CHARACTER_WRITERS if theirs else formats.WRITERS)
    motion = read(source, options.reading, context, options.clip)
    tremble = TREMBLE if options.smooth else 0.0
    cleaned = tidy(motion, foot_lock=options.foot_lock, ground=options.ground, tremble=tremble)
    context.check()
    shown: Motion | Made = cleaned
    if theirs and isinstance(source, Path):
        shown = make(cleaned, stance.load(source), name=f"{cleaned.segments[0].text} (clean)")
    for path in options.out:
        write(shown, path, context)
    return Cleaned(cleaned, figures(motion, motion), figures(cleaned, motion))


def figures(motion: Motion, before: Motion) -> dict[str, float]:
    """Skate, penetration, floor and jerk of a humanoid's motion.

    Skate is `metrics.physics.skate` over the frames in which the feet were in contact `before`: a foot that stands on
    the floor at last is in contact more often, and its figures could not be compared. Penetration is that of the toes
    below height 0, less what lies between a standing toe joint and its sole.
    """
    import numpy as np

    from laban.metrics import physics
    from laban.motion.cleanup import floor_of, sole_of
    from laban.motion.landmarks import perform

    done = perform(motion)
    sole = np.array([0.0, sole_of(motion, done), 0.0])
    feet = [done.of(f"{side}_foot")[:, 1] - sole[1] for side in ("left", "right")]
    touching = (done if before is motion else perform(before)).contact[: motion.frames - 1]
    speeds = []
    for number, side in enumerate(("left", "right")):
        for part, name in enumerate(("ankle", "foot")):
            steps = np.linalg.norm(np.diff(done.of(f"{side}_{name}")[:, [0, 2]], axis=0), axis=-1) * done.fps
            speeds += [float(steps[touching[:, number, part]].mean())] if touching[:, number, part].any() else []
    return {
        "skate": float(np.mean(speeds)) if speeds else 0.0,
        "penetration_cm": 100 * float(np.maximum(-np.min(feet, axis=0), 0.0).mean()),
        "floor_cm": 100 * floor_of(motion, done),
        "jerk": float(physics.jerk(done.joints, done.fps)) if motion.frames > 3 else 0.0,
    }
