"""Motions that end as they begin: where to cut a cycle out of a clip, how to close it, and how well it closes.

A cycle has one frame more than its period: its last pose, height and heading are its first, bit for bit, and its root
has moved on by the travel of one cycle, so that a player can repeat it without a jump.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from laban.errors import InputError
from laban.motion import cleanup, rotation, travel, warp
from laban.motion.easing import smoothstep
from laban.motion.motion import Motion, Segment
from laban.motion.paths import bent
from laban.motion.pathwarp import placed

SLACK = 0.2  # share by which the length of a cut may differ from the asked one, made up for by its clock
FADE = 0.35  # seconds over which the end gives way to what came before the beginning
LEAST = 0.8  # seconds of a cycle


@dataclass(frozen=True)
class LoopReport:
    """How a cycle closes.

    Attributes:
        period: seconds.
        travel: metres over the floor in one cycle.
        loop_error: mm; how far the step over the seam departs from its neighbours (mean of joints).
        inside_median: mm; the same inside the cycle.
        inside_max: mm.
        yaw: degrees that the heading of last and first frame differ.
        height: mm that the pelvis' heights differ.
        contact: frames by which spells of standing feet are cut at the seam: feet that stand before it and not after.
        jerk_ratio: largest jerk within three frames of the seam of the repeated cycle over the inside's 99th
            percentile.
    """

    period: float
    travel: float
    loop_error: float
    inside_median: float
    inside_max: float
    yaw: float
    height: float
    contact: int
    jerk_ratio: float

    @property
    def closes(self) -> bool:
        """Within the limits: error, yaw, contact, and no jerk at the seam that the inside does not have."""
        met = self.loop_error <= max(1.2 * self.inside_max, 3.0) and self.yaw <= 0.5 and self.contact <= 1
        return met and self.jerk_ratio <= 1.0

    def record(self) -> dict[str, float]:
        """JSON-able, rounded."""
        return {**{k: round(v, 3) for k, v in asdict(self).items()}, "closes": self.closes}


def cut(
    motion: Motion, seconds: float, slack: float = SLACK, earliest: float = 0.0, latest: float | None = None
) -> tuple[int, int]:
    """The stretch of a motion that comes nearest to repeating itself.

    Args:
        motion: longer than the cycle.
        seconds: of the cycle.
        slack: share by which the stretch may be longer or shorter.
        earliest: second before which it does not begin.
        latest: second after which it does not begin; None: anywhere.
    Returns: frames [first, last]: the pose at `last` is like that at `first`.
    Raises: InputError if the motion has no such stretch.
    """
    fps, ease = motion.fps, round(FADE * motion.fps)
    low, high = (max(4, round(seconds * (1 - slack) * fps)), round(seconds * (1 + slack) * fps))
    begin = round(earliest * fps)
    end = motion.frames - 1 - low if latest is None else min(round(latest * fps), motion.frames - 1 - low)
    if end < begin or low < 4:
        raise InputError(
            f"loop: the motion lasts {motion.seconds:.2f} s; expected more than the cycle's {seconds:g} s. Ask for a "
            "shorter cycle, or give a longer motion."
        )
    seen = _seen(motion)
    speed = np.gradient(seen, axis=0) * 0.2 * fps
    state = np.concatenate([seen, speed], 1).reshape(len(seen), -1)
    best, found = np.inf, (begin, begin + low)
    for first in range(begin, end + 1):
        lasts = np.arange(first + low, min(first + high, motion.frames - 1) + 1)
        off = np.sqrt(((state[lasts] - state[first]) ** 2).mean(-1))
        off = off + 0.02 * np.abs(np.log((lasts - first) / (seconds * fps)))
        off = off + 0.01 * (lasts + ease > motion.frames - 1)  # frames beyond the cut help to close it
        if off.min() < best:
            best, found = float(off.min()), (first, int(lasts[off.argmin()]))
    return found


def _seen(motion: Motion) -> np.ndarray:
    """(T, J, 3) joints, each frame from its own pelvis' place and heading."""
    way = travel.Travel(motion.root[:, [0, 2]], travel.facing(motion), motion.fps)
    return travel.taken_out(motion, way).joints()


def closed(
    motion: Motion, first: int, last: int, frames: int, *, turning: bool = False, straight: bool = True
) -> Motion:
    """A cycle out of a stretch.

    Around the seam the end gives way to what came before the beginning, as far as the motion has it: frames beyond the
    stretch are blended in at its beginning. Leftover yaw, and travel to the side, are taken out evenly.

    Args:
        motion: with the stretch.
        first: its first frame.
        last: the frame that is like the first.
        frames: period in frames of the result, at the motion's rate.
        turning: keep the yaw of a cycle: who repeats it goes in a circle.
        straight: take out the travel to the side.
    Returns: frames + 1 frames, the last pose equal to the first.
    """
    rate = (last - first) / frames
    fade = int(min(round(FADE * motion.fps), (motion.frames - 1 - last) / rate, frames // 3))
    stretch = warp.sampled(motion, first + np.arange(frames + 1) * rate)
    if fade > 1:
        beyond = warp.sampled(motion, last + np.arange(fade + 1) * rate)
        beyond = _onto(beyond, stretch, 0)
        share = smoothstep(np.arange(fade + 1) / fade)
        rotations, root = stretch.rotations.copy(), stretch.root.copy()
        turns = rotation.slerp(beyond.rotations, stretch.rotations[: fade + 1], share[:, None])
        rotations[: fade + 1] = turns
        root[: fade + 1] = beyond.root * (1 - share[:, None]) + stretch.root[: fade + 1] * share[:, None]
        stretch = replace(stretch, rotations=rotation.continuous(rotations), root=root)
    return sealed(stretch, turning=turning, straight=straight)


def sealed(motion: Motion, *, turning: bool = False, straight: bool = False, closing: bool = True) -> Motion:
    """A motion whose last frame is nearly its first, made to end exactly as it begins.

    Args:
        motion: frames + 1 frames.
        turning: keep the yaw between the two ends.
        straight: take out the travel to the side of the first heading.
        closing: spread what last and first pose differ in over FADE on either side of the seam.
    """
    frames = motion.frames - 1
    share = np.arange(frames + 1) / frames
    if not turning:
        yaw = travel.facing(motion)
        left = yaw[-1] - yaw[0]
        left -= 2 * np.pi * np.round(left / (2 * np.pi))  # whole turns are a cycle's own
        motion = bent(motion, -left * share)
    if straight:
        start = travel.facing(motion)[0]
        side = np.array([np.cos(start), 0.0, -np.sin(start)])
        net = (motion.root[-1] - motion.root[0]) @ side
        motion = replace(motion, root=motion.root - share[:, None] * net * side)
    rotations, root = motion.rotations.copy(), motion.root.copy()
    yaw = travel.facing(motion)
    turn = yaw[-1] - yaw[0] if turning else 0.0
    back = rotation.yaw(np.array(-turn))
    end = rotations[-1].copy()
    end[0] = rotation.multiply(back, end[0])
    if closing:
        fade = max(2, min(round(FADE * motion.fps), frames // 3))
        ramp = 0.5 * smoothstep(np.clip(1 - np.arange(frames + 1) / fade, 0, 1))
        gap = _vectors(rotations[0], end)  # joint by joint: what takes the end to the beginning
        low = root[0, 1] - root[-1, 1]
        for weight in (-ramp, ramp[::-1]):
            moved = rotation.multiply(rotation.from_axis_angle(weight[:, None, None] * gap), rotations)
            at = weight != 0
            rotations[at] = moved[at]
            root[:, 1] += weight * low
    first = rotations[0].copy()
    rotations = rotation.continuous(rotations)
    forward = rotation.yaw(np.array(turn))
    rotations[-1] = first
    if turn:
        rotations[-1, 0] = rotation.multiply(forward, first[0])
    root[-1, 1] = root[0, 1]
    return replace(motion, rotations=rotations, root=root)


def repeated(motion: Motion, times: int) -> Motion:
    """A cycle, played so many times, each where the last one ended.

    Args:
        motion: frames + 1 frames, the last as the first.
        times: 1 or more.
    Returns: times * frames + 1 frames.
    """
    parts, here = [replace(motion, segments=())], motion
    for _ in range(times - 1):
        here = _onto(motion, here, -1)
        parts.append(here)
    rotations = np.concatenate([*[p.rotations[:-1] for p in parts], parts[-1].rotations[-1:]])
    root = np.concatenate([*[p.root[:-1] for p in parts], parts[-1].root[-1:]])
    segments = tuple(
        Segment(s.text, s.start + k * (motion.frames - 1) / motion.fps, s.end + k * (motion.frames - 1) / motion.fps)
        for k in range(times) for s in motion.segments
    )  # fmt: skip
    return replace(motion, rotations=rotation.continuous(rotations), root=root, segments=segments)


def cleaned(motion: Motion) -> Motion:
    """A cycle with held feet (`cleanup.clean`), also across the seam."""
    three = cleanup.clean(repeated(motion, 3))
    frames = motion.frames - 1
    middle = replace(
        motion, rotations=three.rotations[frames : 2 * frames + 1], root=three.root[frames : 2 * frames + 1]
    )
    back = placed(middle, middle.root[0] * [1, 0, 1], motion.root[0] * [1, 0, 1],
                  float(travel.facing(motion)[0] - travel.facing(middle)[0]))  # fmt: skip
    return sealed(back, turning=turns(motion))


def turns(motion: Motion) -> bool:
    """Whether a cycle ends with another heading than it begins."""
    yaw = travel.facing(motion)
    return bool(abs(yaw[-1] - yaw[0]) > 1e-6)


def report(motion: Motion) -> LoopReport:
    """How a cycle closes. Args: motion: frames + 1 frames."""
    frames, fps = motion.frames - 1, motion.fps
    three = repeated(motion, 3)
    joints = three.joints()
    seen = joints - joints[:, :1] * np.array([1.0, 0.0, 1.0])
    off = np.linalg.norm(np.diff(seen, n=2, axis=0), axis=-1).mean(-1) * 1000  # of the step into frame k + 1
    seam, inside = off[2 * frames - 1], off[frames + 1 : 2 * frames - 2]
    jerk = np.linalg.norm(np.diff(joints, n=3, axis=0), axis=-1).mean(-1)
    near = jerk[2 * frames - 4 : 2 * frames + 2].max()
    usual = np.percentile(jerk[frames + 4 : 2 * frames - 5], 99) if frames > 14 else near
    yaw = travel.facing(motion)
    left = (yaw[-1] - yaw[0] + np.pi) % (2 * np.pi) - np.pi
    toes = joints[:, [motion.skeleton.index("left_foot"), motion.skeleton.index("right_foot")]]
    cutoff = sum(_broken(cleanup.contacts(toes[:, k], fps), 2 * frames) for k in (0, 1))
    return LoopReport(
        frames / fps, float(np.linalg.norm((motion.root[-1] - motion.root[0])[[0, 2]])), float(seam),
        float(np.median(inside)), float(inside.max()), float(abs(np.degrees(left))),
        float(abs(motion.root[-1, 1] - motion.root[0, 1]) * 1000), cutoff, float(near / max(usual, 1e-9)),
    )  # fmt: skip


def _broken(runs: list[tuple[int, int]], seam: int) -> int:
    """Frames between two spells of contact that end and begin within two frames of the seam."""
    ends = [end for _, end in runs if abs(end - seam) <= 2]
    starts = [start for start, _ in runs if abs(start - seam) <= 2]
    return max(0, starts[0] - ends[0]) if ends and starts else 0


def _onto(motion: Motion, other: Motion, frame: int) -> Motion:
    """A motion turned and moved as a whole so that its first frame stands and faces as a frame of another."""
    turn = float(travel.facing(other)[frame] - travel.facing(motion)[0])
    flat = np.array([1.0, 0.0, 1.0])
    return placed(motion, motion.root[0] * flat, other.root[frame] * flat, turn)


def _vectors(to: np.ndarray, start: np.ndarray) -> np.ndarray:
    """(J, 3) the turns on the parent's side that take rotations (J, 4) to others."""
    return rotation.to_axis_angle(rotation.multiply(to, rotation.conjugate(start)))
