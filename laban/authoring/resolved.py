"""A timeline whose files have been read: poses out of motion files as rotations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from laban.authoring.timeline import Timeline, located
from laban.errors import InputError
from laban.motion.constraints import PoseKey
from laban.motion.motion import Motion
from laban.motion.retarget import retarget
from laban.motion.skeletons import HUMANML22


def resolved(timeline: Timeline, folder: Path, *, allow_outside: bool) -> Timeline:
    """The timeline with every pose's rotations. Raises: InputError for a file that cannot be read or is too short."""
    poses = tuple(
        key if key.source is None else _read(key, folder, allow_outside=allow_outside) for key in timeline.poses
    )  # fmt: skip
    return replace(timeline, poses=poses)


def _read(key: PoseKey, folder: Path, *, allow_outside: bool) -> PoseKey:
    from laban import formats

    assert key.source is not None
    motion = ours(formats.read(located(key.source.file, folder, allow_outside=allow_outside)))
    seconds = key.source.time if key.source.time >= 0 else motion.seconds + key.source.time
    if not 0 <= seconds <= motion.seconds:
        raise InputError(f"{key.source.file}: has no pose at {key.source.time:g} s; it lasts {motion.seconds:.2f} s.")
    frame = min(motion.frames - 1, round(seconds * motion.fps))
    turns = {
        name: (float(q[0]), float(q[1]), float(q[2]), float(q[3]))
        for name, q in zip(motion.skeleton.names, motion.rotations[frame], strict=True)
    }
    return replace(key, rotations=turns, source=None)


def ours(motion: Motion) -> Motion:
    """A motion on the 22 joints; as it is if it stands on them."""
    return motion if motion.skeleton == HUMANML22 else retarget(motion, HUMANML22)
