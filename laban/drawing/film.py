"""Motions as films (.mp4, .gif), drawn by Laban's own rasteriser and encoded by `io.video`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from laban.drawing import caption, scene, timeline
from laban.errors import InputError
from laban.io import video
from laban.motion.motion import Motion

_MAX_GIF_BYTES = 768 << 20  # bytes of pictures that Pillow holds while it writes a GIF


def render(
    motion: Motion,
    view: scene.View = scene.USUAL,
    fps: float = 30.0,
    figure: Callable[[Motion], scene.Figure] = scene.Figure,
) -> Iterator[np.ndarray]:
    """The frames of a film, one by one.

    Args:
        motion: at least one frame; it is resampled to `fps`.
        view: size, side and what stands at the foot, captions above beats; 640x480 if it says no size.
        fps: frames per second.
        figure: makes what is drawn of the motion at `fps`; the mannequin if not given.
    Yields: (height, width, 3) uint8.
    Raises: InputError for sizes, rates or lengths that cannot be drawn.
    """
    width, height = view.sized(640, 480)
    scene.check_size("render", width, height)
    if not 1 <= fps <= 240:
        raise InputError(f"render: fps is {fps}; expected 1 to 240.")
    scene.check_length(motion.seconds * fps, len(motion.skeleton))
    marks = timeline.Timeline.of(motion) if view.beats else None
    if abs(motion.fps - fps) > 1e-6:
        motion = motion.resample(fps)
    drawn = figure(motion)
    facing = scene.heading(motion.skeleton, np.asarray(motion.joints(), dtype=np.float64))
    targets = scene.follow(np.asarray(motion.root, dtype=np.float64)[:, [0, 2]], fps)
    strip = timeline.height_of(height) if marks else 0
    band = caption.height_of(motion, width, height) if view.caption else 0
    room = height - strip - band  # feet are what one looks at: nothing is laid over them
    shot = scene.frame_shot(drawn.outline(), targets, width, room, facing + np.radians(view.yaw))
    stage = scene.Stage(shot, width, room)
    for frame in range(motion.frames):
        picture = np.full((height, width, 3), 255, np.uint8)
        picture[:room] = stage.draw(targets[frame], *drawn.pose(frame), drawn.mesh.colours, drawn.mesh.faces)
        if band:
            caption.write(picture[: height - strip], caption.text_at(motion, frame / fps))
        if marks:
            now = frame / fps
            picture[height - strip :] = marks.strip(width, strip, now - 1.5, now + 2.5, now)
        yield picture


def write(
    motion: Motion,
    path: str | Path,
    view: scene.View = scene.USUAL,
    *,
    fps: float | None = None,
    figure: Callable[[Motion], scene.Figure] = scene.Figure,
    sound: tuple[Path, float] | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write a film of a motion.

    Args:
        motion: what to show.
        path: ends in .mp4 or .gif.
        view: as of `render`; even sizes for .mp4. By default 640x480, for .gif 400x300.
        fps: frames per second, by default 30, for .gif 20 (a GIF counts in hundredths of a second).
        figure: see `render`.
        sound: a sound file and the second in it that belongs to the first frame; an .mp4 then carries it.
        progress: called with the number of frames done.
    Raises: InputError for another suffix, an odd size, a GIF that is too long, or a place that cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".mp4", ".gif"):
        raise InputError(f"film: {path.name} ends in {suffix or 'nothing'}; expected .mp4 or .gif.")
    moving = suffix == ".mp4"
    width, height = view.sized(*((640, 480) if moving else (400, 300)))
    fps = fps or (30.0 if moving else 20.0)
    if moving and (width % 2 or height % 2):
        raise InputError(f"film: the size is {width}x{height}; an mp4 needs even numbers. Change it by one.")
    if not moving:  # the hundredths that a frame lasts
        fps = 100.0 / max(2, round(100.0 / min(fps, 50.0)))
        if motion.seconds * fps * width * height * 3 > _MAX_GIF_BYTES:
            raise InputError(
                f"film: {motion.seconds:.0f} s at {width}x{height} are too much for a GIF, which is made in "
                "memory. Write an .mp4, or ask for a smaller size or fewer frames per second."
            )
    frames = render(motion, replace(view, width=width, height=height), fps, figure)
    if progress is not None:
        frames = _counted(frames, progress)
    video.encode(frames, path, fps, sound)


def _counted(frames: Iterator[np.ndarray], progress: Callable[[int], None]) -> Iterator[np.ndarray]:
    for number, frame in enumerate(frames, start=1):
        yield frame
        progress(number)
