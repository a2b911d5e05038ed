"""Motions as films: .mp4 (H.264 by PyAV, in process) and .gif (Pillow), drawn by Laban's own rasteriser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from laban.errors import InputError
from laban.io import audio, scene, timeline
from laban.io.atomic import replacing
from laban.motion.motion import Motion

_CODECS: tuple[tuple[str, dict[str, str]], ...] = (  # the first that this build of FFmpeg can write
    ("libx264", {"crf": "20", "preset": "veryfast"}),
    ("libopenh264", {"b": "3M"}),
    ("mpeg4", {"b": "6M"}),
)
_MOST_GIF = 768 << 20  # bytes of pictures that Pillow holds while it writes a GIF


def render(
    motion: Motion,
    width: int = 640,
    height: int = 480,
    fps: float = 30.0,
    caption: bool = True,
    yaw: float = 38.0,
    figure: Callable[[Motion], scene.Figure] = scene.Figure,
    beats: bool = False,
) -> Iterator[np.ndarray]:
    """The frames of a film, one by one.

    Args:
        motion: at least one frame; it is resampled to `fps`.
        width: pixels. height: pixels. fps: frames per second.
        caption: write the segment's text at the foot.
        yaw: degrees that the camera stands off the character's mean facing, towards its left; 0 sees it from in front.
        figure: makes what is drawn of the motion at `fps`; the mannequin if not given.
        beats: draw beats at the foot; the caption then stands above them.
    Yields: (height, width, 3) uint8.
    Raises: InputError for sizes, rates or lengths that cannot be drawn.
    """
    scene.check_size("render", width, height)
    if not 1 <= fps <= 240:
        raise InputError(f"render: fps is {fps}; expected 1 to 240.")
    scene.check_length(motion.seconds * fps, len(motion.skeleton))
    marks = timeline.Timeline.of(motion) if beats else None
    if abs(motion.fps - fps) > 1e-6:
        motion = motion.resample(fps)
    drawn = figure(motion)
    facing = scene.heading(motion.skeleton, np.asarray(motion.joints(), dtype=np.float64))
    targets = scene.follow(np.asarray(motion.root, dtype=np.float64)[:, [0, 2]], fps)
    shot = scene.frame_shot(drawn.outline(), targets, width, height, facing + np.radians(yaw))
    stage = scene.Stage(shot, width, height)
    strip = timeline.height_of(height) if marks else 0
    for frame in range(motion.frames):
        picture = stage.draw(targets[frame], *drawn.pose(frame), drawn.mesh.colours, drawn.mesh.faces)
        if caption:
            scene.write_caption(picture[: height - strip], scene.text_at(motion, frame / fps))
        if marks:
            now = frame / fps
            picture[height - strip :] = marks.strip(width, strip, now - 1.5, now + 2.5, now)
        yield picture


def write(
    motion: Motion,
    path: str | Path,
    width: int | None = None,
    height: int | None = None,
    fps: float | None = None,
    caption: bool = True,
    yaw: float = 38.0,
    progress: Callable[[int], None] | None = None,
    figure: Callable[[Motion], scene.Figure] = scene.Figure,
    sound: tuple[Path, float] | None = None,
    beats: bool = False,
) -> None:
    """Write a film of a motion.

    Args:
        motion: what to show.
        path: ends in .mp4 or .gif.
        width: pixels. height: pixels; even for .mp4. By default 640x480, for .gif 400x300.
        fps: frames per second, by default 30, for .gif 20 (a GIF counts in hundredths of a second).
        caption: write the segment's text at the foot.
        yaw: degrees, see `render`.
        progress: called with the number of frames done.
        figure: see `render`.
        sound: a sound file and the second in it that belongs to the first frame; an .mp4 then carries it.
        beats: draw the music's beats and onsets and the dance's kinematic beats at the foot, see `timeline`.
    Raises: InputError for another suffix, an odd size, a GIF that is too long, or a place that cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".mp4", ".gif"):
        raise InputError(f"video.write: {path.name} ends in {suffix or 'nothing'}; expected .mp4 or .gif.")
    moving = suffix == ".mp4"
    width, height = width or (640 if moving else 400), height or (480 if moving else 300)
    fps = fps or (30.0 if moving else 20.0)
    if moving and (width % 2 or height % 2):
        raise InputError(f"video.write: the size is {width}x{height}; an mp4 needs even numbers. Change it by one.")
    if not moving:  # the hundredths that a frame lasts
        fps = 100.0 / max(2, round(100.0 / min(fps, 50.0)))
        if motion.seconds * fps * width * height * 3 > _MOST_GIF:
            raise InputError(
                f"video.write: {motion.seconds:.0f} s at {width}x{height} are too much for a GIF, which is made in "
                "memory. Write an .mp4, or ask for a smaller size or fewer frames per second."
            )
    frames = render(motion, width, height, fps, caption, yaw, figure, beats)
    if progress is not None:
        frames = _counted(frames, progress)
    with replacing(path) as temporary:
        if moving:
            _write_mp4(frames, temporary, width, height, fps, sound)
        else:
            _write_gif(frames, temporary, fps)


def encode(pictures: np.ndarray, path: str | Path, fps: float) -> None:
    """Write any pictures (T, H, W, 3) uint8 as .mp4 (H and W even) or .gif.

    Raises: InputError for another suffix, an odd size, or a place that cannot be written.
    """
    path = Path(path)
    suffix, (height, width) = path.suffix.lower(), pictures.shape[1:3]
    if suffix not in (".mp4", ".gif"):
        raise InputError(f"video.encode: {path.name} ends in {suffix or 'nothing'}; expected .mp4 or .gif.")
    if suffix == ".mp4" and (width % 2 or height % 2):
        raise InputError(f"video.encode: the size is {width}x{height}; an mp4 needs even numbers. Change it by one.")
    with replacing(path) as temporary:
        if suffix == ".mp4":
            _write_mp4(iter(pictures), temporary, width, height, fps, None)
        else:
            _write_gif(iter(pictures), temporary, fps)


def _counted(frames: Iterator[np.ndarray], progress: Callable[[int], None]) -> Iterator[np.ndarray]:
    for number, frame in enumerate(frames, start=1):
        yield frame
        progress(number)


def _write_mp4(
    frames: Iterator[np.ndarray], path: Path, width: int, height: int, fps: float, sound: tuple[Path, float] | None
) -> None:
    import av

    name, options = next((n, o) for n, o in _CODECS if n in av.codecs_available)
    rate = Fraction(fps).limit_denominator(1001)
    try:
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = cast("av.VideoStream", container.add_stream(name, rate=rate, options=options))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.thread_count = 1
            track = _SoundTrack(container, *sound) if sound else None
            for number, picture in enumerate(frames, start=1):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                if track:  # in step with the pictures, so that neither waits in memory for the other
                    track.advance(number / fps)
            container.mux(stream.encode())
            if track:
                track.close()
    except av.error.FFmpegError as error:
        raise OSError(error.errno, error.strerror) from None


class _SoundTrack:
    """AAC in a container, fed from a sound file as far as the pictures have come; silence where the song has ended."""

    RATE, FRAME = 48_000, 1024

    def __init__(self, container: Any, path: Path, start: float) -> None:
        import av

        self.container = container
        self.stream = container.add_stream("aac", rate=self.RATE, options={"b": "160k"})
        self.stream.layout = "stereo"
        self.source = audio.blocks(path, start)
        self.resampler = av.AudioResampler(format="fltp", layout="stereo", rate=self.RATE)
        self.held = np.zeros((2, 0), np.float32)
        self.sent = 0

    def advance(self, seconds: float) -> None:
        """Encodes whole frames up to a time."""
        import av

        while (self.sent + self.FRAME) / self.RATE <= seconds:
            while self.held.shape[1] < self.FRAME:
                self._fetch()
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(self.held[:, : self.FRAME]), format="fltp", layout="stereo"
            )
            frame.sample_rate, frame.pts = self.RATE, self.sent
            self.container.mux(self.stream.encode(frame))
            self.held = self.held[:, self.FRAME :]
            self.sent += self.FRAME

    def _fetch(self) -> None:
        import av

        block, rate = next(self.source, (None, 0))
        if block is None:
            self.held = np.pad(self.held, ((0, 0), (0, 4 * self.FRAME)))
            return
        pair = block[:, :2] if block.shape[1] > 1 else np.repeat(block, 2, axis=1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(pair.T), format="fltp", layout="stereo")
        frame.sample_rate = rate
        made = [part.to_ndarray() for part in self.resampler.resample(frame)]
        self.held = np.concatenate([self.held, *made], axis=1)

    def close(self) -> None:
        """Encodes what the encoder still holds."""
        self.container.mux(self.stream.encode(None))


def _write_gif(frames: Iterator[np.ndarray], path: Path, fps: float) -> None:
    pictures = [Image.fromarray(frame) for frame in frames]
    # one palette for the whole film, from a few moments of it, so that the colours do not flicker
    moments = [pictures[round(k)] for k in np.linspace(0, len(pictures) - 1, min(6, len(pictures)))]
    sheet = Image.new("RGB", (moments[0].width, moments[0].height * len(moments)))
    for k, moment in enumerate(moments):
        sheet.paste(moment, (0, k * moment.height))
    palette = sheet.quantize(255, method=Image.Quantize.MEDIANCUT)
    flat = [p.quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures]
    flat[0].save(path, save_all=True, append_images=flat[1:], duration=round(1000 / fps), loop=0, optimize=False)
