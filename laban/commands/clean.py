"""`laban clean`: the clean-up of feet, floor and tremble as a tool of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from laban.commands.output import check_outputs, print_json, write
from laban.errors import InputError

if TYPE_CHECKING:
    from laban.motion.motion import Motion

FIGURES = {
    "skate": ("foot skate while in contact before", "m/s"),
    "penetration_cm": ("feet below the floor, mean of frames", "cm"),
    "floor_cm": ("height of the floor", "cm"),
    "jerk": ("jerk, mean of joints", "m/s3"),
}


def clean(
    source: Positional[Path],
    out: tuple[Path, ...],
    foot_lock: bool = False,
    ground: bool = False,
    smooth: bool = False,
    clip: str = "",
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Hold standing feet, level the floor, filter tremble, and say what changed.

    Args:
        source: A humanoid's motion: .bvh, .npz, or a .glb, .vrm or .gltf with an animation.
        out: Files to write. A character's .glb gets the cleaned clip before its own animations.
        foot_lock: Hold each foot in one place while it stands, and bend the leg to suit.
        ground: Put the floor at height 0.
        smooth: Filter tremble with a Gaussian of 0.04 s.
        clip: Which animation of a glTF file, by name or number; the first if not given.
        json: Print one JSON object.
        quiet: Print only warnings and errors.
    """
    if not (foot_lock or ground or smooth):
        raise InputError("nothing to clean was named. Give --foot-lock, --ground or --smooth, or several.")
    from laban import formats
    from laban.character import export, stance
    from laban.character.made import make
    from laban.formats import WRITERS
    from laban.io import gltf, gltf_document
    from laban.motion.cleanup import TREMBLE, tidy

    theirs = source.suffix.lower() in gltf_document.SUFFIXES and source.is_file() and not gltf.is_ours(source)
    check_outputs(out, formats.CHARACTER_WRITERS if theirs else WRITERS)
    motion = formats.read(source, clip)
    cleaned = tidy(motion, foot_lock=foot_lock, ground=ground, tremble=TREMBLE if smooth else 0.0)
    if theirs:
        made = make(cleaned, stance.load(source), name=f"{cleaned.segments[0].text} (clean)")
        for path in out:
            export.write(made, path)
    else:
        for path in out:
            write(cleaned, path, None, quiet)
    before, after = figures(motion, motion), figures(cleaned, motion)
    files = [str(path.resolve()) for path in out]
    if json:
        print_json({"files": files, "before": before, "after": after})
    elif not quiet:
        rows = [
            f"  {text:<38} {before[key]:10.3f} -> {after[key]:8.3f} {unit}" for key, (text, unit) in FIGURES.items()
        ]
        print("\n".join([*files, *rows]))
    return 0


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
