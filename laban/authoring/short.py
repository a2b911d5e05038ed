"""Short ways to say on a command line what a timeline holds: poses, a path, places to reach, a loop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from laban.actions.options import bounded, described
from laban.errors import InputError
from laban.systems.options import Bounds

if TYPE_CHECKING:
    from laban.authoring.timeline import Timeline
    from laban.motion.constraints import Effector, EffectorKey, Goals, PoseFile, RootPath

SECONDS = 4.0  # where neither words nor goals say how long


@dataclass(frozen=True)
class Short:
    """What `generate` and `edit` take of a timeline; any of them makes one (docs/authoring.md)."""

    start_pose: str | None = described(None, "Begin in the pose of a motion file: FILE, or FILE@SECONDS.")
    end_pose: str | None = described(None, "End in the pose of a motion file: FILE, or FILE@SECONDS.")
    pose: tuple[str, ...] = described((), "Be in the pose of a motion file at a moment: FILE=AT or FILE@SECONDS=AT.")
    path: str | None = described(None, 'Where to be when: "0:0,0 4:0.5,2.4" (seconds:x,z in metres, +Z is ahead).')
    reach: tuple[str, ...] = described((), "A place for a hand, a foot or the head: right_wrist@5=0.3,1.4,2.6 (x,y,z).")
    loop: bool = described(False, "End as it begins, so that it can be repeated.")
    root: Literal["travel", "in_place"] = described("travel", "in_place: without the travel over the floor.")
    speed: float | None = bounded(None, Bounds(0.5, 2.0), "Faster (above 1) or slower; places and length stay.")
    save_timeline: Path | None = described(None, "Write the timeline that these options make.")

    @property
    def given(self) -> bool:
        """Whether any option asks for a timeline."""
        return self != replace(Short(), save_timeline=self.save_timeline) or self.save_timeline is not None

    def goals(self, length: float) -> Goals:
        """The goals. Args: length: seconds of the motion. Raises: InputError for text that is none of these."""
        from laban.motion.constraints import Goals, PoseKey

        poses = [PoseKey(0.0, source=_file(self.start_pose, "--start-pose"))] if self.start_pose else []
        poses += [PoseKey(length, source=_file(self.end_pose, "--end-pose"))] if self.end_pose else []
        for text in self.pose:
            file, equals, at = text.rpartition("=")
            if not equals:
                raise InputError(f"--pose {text}: expected FILE=AT or FILE@SECONDS=AT, such as bow.bvh@1.2=4.")
            poses.append(PoseKey(_number(at, f"--pose {text}"), source=_file(file, "--pose")))
        paths = () if self.path is None else (path_of(self.path),)
        return Goals(tuple(poses), paths, reaches(self.reach))

    @property
    def length(self) -> float:
        """Seconds that the goals need; 4 without any."""
        from laban.motion.constraints import times_of

        moments = [t for goal in self.goals(0.0).all for t in times_of(goal)]
        return max(moments) if max(moments, default=0.0) > 0 else SECONDS

    def onto(self, timeline: Timeline) -> Timeline:
        """A timeline with these goals as well. Raises: InputError for what cannot be asked."""
        from laban.authoring.timeline import Speed, checked

        goals, length = self.goals(timeline.length), timeline.length
        speed = () if self.speed is None else (Speed(0.0, length, self.speed),)
        made = replace(
            timeline, poses=goals.poses, paths=goals.paths, effectors=goals.effectors, speed=speed, root=self.root,
            loop="cycle" if self.loop else None,
        )  # fmt: skip
        return checked(made, "")


def path_of(text: str) -> RootPath:
    """`0:0,0 4:0.5,2.4` as a path. Raises: InputError for anything else."""
    from laban.motion.constraints import PathPoint, RootPath

    points = []
    for item in text.split():
        at, colon, place = item.partition(":")
        xz = [_number(v, f"--path {item}") for v in place.split(",")]
        if not colon or len(xz) != 2:
            raise InputError(f"--path {item}: expected SECONDS:X,Z, such as 4:0.5,2.4.")
        points.append(PathPoint(_number(at, f"--path {item}"), (xz[0], xz[1])))
    if not points:
        raise InputError('--path is empty; expected SECONDS:X,Z places, such as "0:0,0 4:0.5,2.4".')
    return RootPath(tuple(points))


def reaches(texts: Sequence[str]) -> tuple[Effector, ...]:
    """`right_wrist@5=0.3,1.4,2.6` as effectors, keys of one joint together. Raises: InputError for anything else."""
    from laban.motion.constraints import Effector, EffectorKey

    keys: dict[str, list[EffectorKey]] = {}
    for text in texts:
        name, _, place = text.partition("=")
        joint, at_sign, at = name.partition("@")
        xyz = [_number(v, f"--reach {text}") for v in place.split(",")]
        if not at_sign or len(xyz) != 3:
            raise InputError(f"--reach {text}: expected JOINT@SECONDS=X,Y,Z, such as right_wrist@5=0.3,1.4,2.6.")
        keys.setdefault(joint, []).append(EffectorKey(_number(at, f"--reach {text}"), (xyz[0], xyz[1], xyz[2])))
    return tuple(Effector(joint, tuple(sorted(found, key=lambda k: k.at))) for joint, found in keys.items())


def _file(text: str, option: str) -> PoseFile:
    from laban.motion.constraints import PoseFile

    file, at_sign, seconds = text.rpartition("@")
    if not at_sign:
        return PoseFile(text)
    return PoseFile(file, _number(seconds, f"{option} {text}"))


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {text!r} is no number.")
    return value
