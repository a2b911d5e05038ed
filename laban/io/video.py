"""Pictures one after another as .mp4 (H.264 by PyAV, in process) or .gif (Pillow)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from laban.errors import InputError
from laban.io import audio
from laban.io.atomic import replacing

_CODECS: tuple[tuple[str, dict[str, str]], ...] = (  # the first that this build of FFmpeg can write
    ("libx264", {"crf": "20", "preset": "veryfast"}),
    ("libopenh264", {"b": "3M"}),
    ("mpeg4", {"b": "6M"}),
)


def encode(
    pictures: Iterable[np.ndarray], path: str | Path, fps: float, sound: tuple[Path, float] | None = None
) -> None:
    """Write pictures as .mp4 or .gif.

    Args:
        pictures: at least one, each (H, W, 3) uint8 and all of one size, even for .mp4; an array (T, H, W, 3) will do.
        path: ends in .mp4 or .gif; an .mp4 takes the pictures one by one, a .gif holds them all.
        fps: frames per second.
        sound: a sound file and the second in it that belongs to the first picture; an .mp4 then carries it.
    Raises: InputError for another suffix, an odd size, or a place that cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".mp4", ".gif"):
        raise InputError(f"video.encode: {path.name} ends in {suffix or 'nothing'}; expected .mp4 or .gif.")
    with replacing(path) as temporary:
        frames = iter(pictures)
        first = next(frames)
        height, width = first.shape[:2]
        if suffix == ".mp4" and (width % 2 or height % 2):
            raise InputError(
                f"video.encode: the size is {width}x{height}; an mp4 needs even numbers. Change it by one."
            )
        frames = chain([first], frames)
        if suffix == ".mp4":
            _write_mp4(frames, temporary, width, height, fps, sound)
        else:
            _write_gif(frames, temporary, fps)


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
