"""Small videos as arrays of pixels: written as .mp4, .gif or a .png strip, read from films, pictures and folders."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from laban.errors import FormatError, InputError, ShapeError
from laban.io import about
from laban.io.atomic import replacing
from laban.io.video import encode

FILMS = (".mp4", ".webm", ".mkv", ".avi", ".mov", ".m4v")
_MOST_PIXELS = 1 << 25  # of one frame that is read
_MOST_FRAMES = 100_000  # of one film that is looked through


@dataclass(frozen=True)
class Video:
    """pixels (T, H, W, C) uint8, C 1 or 3; fps; the sentence it was made from; a passport as motions have."""

    pixels: np.ndarray
    fps: float
    text: str = ""
    passport: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        p = self.pixels
        if p.ndim != 4 or p.dtype != np.uint8 or p.shape[-1] not in (1, 3) or min(p.shape) < 1:
            raise ShapeError(f"Video: pixels are {p.dtype} {p.shape}, expected uint8 (T, H, W, 1 or 3).")
        if not (math.isfinite(self.fps) and 0 < self.fps <= 240):
            raise InputError(f"Video: fps is {self.fps}; expected more than 0 and at most 240.")

    @property
    def frames(self) -> int:
        """How many pictures."""
        return len(self.pixels)

    @property
    def seconds(self) -> float:
        """Length, the last frame's duration included."""
        return self.frames / self.fps


def rgb(pixels: np.ndarray, scale: int = 1) -> np.ndarray:
    """(T, H, W, C) -> (T, scale H, scale W, 3), every pixel a square."""
    pixels = np.broadcast_to(pixels, (*pixels.shape[:3], 3)) if pixels.shape[-1] == 1 else pixels
    return pixels.repeat(scale, axis=1).repeat(scale, axis=2) if scale > 1 else np.ascontiguousarray(pixels)


def strip(video: Video, scale: int = 1, gap: int = 2) -> np.ndarray:
    """All frames side by side, (scale H, ..., 3) uint8, with a grey line of `gap` pixels between."""
    frames = rgb(video.pixels, scale)
    line = np.full((frames.shape[1], gap, 3), 96, np.uint8)
    parts: list[np.ndarray] = []
    for n, frame in enumerate(frames):
        parts += [frame] if n == 0 else [line, frame]
    return np.concatenate(parts, axis=1)


def write(video: Video, path: str | Path, size: int | None = None) -> None:
    """Write .mp4, .gif or a .png strip; the passport beside it, in <name>.passport.json.

    Args:
        video: what to write.
        path: ends in .mp4, .gif or .png.
        size: pixels of the height at least; frames are enlarged by a whole number. By default 256, for .png 128.
    Raises: InputError for another suffix or a place that cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    wanted = size or (128 if suffix == ".png" else 256)
    scale = max(1, -(-wanted // video.pixels.shape[1]))
    if suffix == ".png":
        with replacing(path) as beside:
            Image.fromarray(strip(video, scale)).save(beside, format="PNG", optimize=True)
    else:
        encode(rgb(video.pixels, scale), path, video.fps)
    if video.passport is not None:
        note = path.with_name(path.name + ".passport.json")
        said = {"passport": dict(video.passport), "text": video.text, "fps": video.fps, "frames": video.frames}
        content = about.dumps(said, note, indent=1)
        with replacing(note) as beside:
            beside.write_bytes(content + b"\n")


def read(path: str | Path, channels: int, size: int, most: int) -> np.ndarray:
    """The first frames of a film, a .gif, a .png strip that `write` made, a picture, or a folder of pictures.

    Args:
        path: a film, a .gif, a picture or a folder of pictures.
        channels: 1 or 3.
        size: pixels; frames are cut square about the middle and scaled.
        most: frames at most.
    Returns: (T, size, size, channels) uint8, T <= most.
    Raises: InputError if there is no such file or nothing in it; FormatError if it cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file; expected a film, a .gif, a .png or a folder of pictures.")
    found: list[np.ndarray] = []
    for picture in _pictures(path):
        found.append(square(picture, channels, size))
        if len(found) == most:
            break
    if not found:
        raise InputError(f"{path}: holds no frame; expected a film, a .gif, a .png or a folder of pictures.")
    return np.stack(found)


def square(picture: Image.Image, channels: int, size: int) -> np.ndarray:
    """(size, size, channels) uint8 of a picture, cut square about the middle; enlarged pixels come back exactly."""
    picture = picture.convert("L" if channels == 1 else "RGB")
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    box = (left, top, left + side, top + side)
    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.BOX if side >= size else Image.Resampling.BICUBIC, box)
    array = np.asarray(picture)
    return array[..., None] if channels == 1 else array


def _pictures(path: Path) -> Iterator[Image.Image]:
    if path.is_dir():
        for file in sorted(p for p in path.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg")):
            with _open(file) as picture:
                yield picture
    elif path.suffix.lower() in FILMS:
        for _, picture in decode(path):
            yield picture
    else:
        with _open(path) as picture:
            count = getattr(picture, "n_frames", 1)
            if count == 1:
                yield from _unstrip(picture)
                return
            try:
                for n in range(min(count, _MOST_FRAMES)):
                    picture.seek(n)
                    yield picture.convert("RGB")
            except (OSError, EOFError, ValueError) as error:
                raise FormatError(f"{path}: frame {n + 1} cannot be read ({error}).") from None


def _open(path: Path) -> Image.Image:
    try:
        picture = Image.open(path)
        if picture.width * picture.height > _MOST_PIXELS:
            raise FormatError(f"{path}: has {picture.width}x{picture.height} pixels; expected fewer than 2**25.")
        picture.load()
        return picture
    except FormatError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise FormatError(f"{path}: not a readable picture ({str(error)[:100]}).") from None


def _unstrip(picture: Image.Image) -> Iterator[Image.Image]:
    """The frames of a strip as `write` makes it (squares with lines of 2 pixels between), or the picture itself."""
    width, height = picture.size
    count, rest = divmod(width + 2, height + 2)
    if rest or count < 2:
        yield picture
        return
    for n in range(count):
        left = n * (height + 2)
        yield picture.crop((left, 0, left + height, height))


def cut(
    film: str | Path | BinaryIO,
    count: int,
    size: int,
    channels: int,
    start: float = 0.0,
    end: float | None = None,
    name: str | None = None,
) -> np.ndarray:
    """`count` frames spread evenly over a film, or over its part from `start` to `end` seconds.

    The film is cut into equal spans and each gives the frame that is shown at its middle, cut square and scaled; no
    frame is given twice.

    Args:
        film: a file, or its open bytes.
        count: how many frames.
        size: pixels of their height and width.
        channels: 1 for grey, 3 for colour.
        start: seconds.
        end: seconds; None: to the end.
        name: what to call it in errors.
    Returns: (count, size, size, channels) uint8.
    Raises: FormatError if it is no film, breaks off, or has fewer frames than `count` in that part.
    """
    name = name or str(film)
    length = _duration(film, name)
    last = length if end is None else min(end, length)
    if not last > start:
        raise FormatError(f"{name}: lasts {length:.1f} s, expected a part from {start:g} to {last:g} s in it.")
    targets = [start + (k + 0.5) * (last - start) / count for k in range(count)]
    found: list[np.ndarray] = []
    shown: Image.Image | None = None  # the last frame that was not given
    for seconds, picture in decode(film, start, last, name):
        if shown is not None and seconds > targets[len(found)] + 1e-3:
            found.append(square(shown, channels, size))
        if len(found) == count:
            break
        shown = picture
    else:
        if shown is not None:
            found.append(square(shown, channels, size))
    if len(found) < count:
        raise FormatError(f"{name}: gave {len(found)} frames from {start:g} to {last:g} s, expected {count}.")
    return np.stack(found)


def _duration(film: str | Path | BinaryIO, name: str) -> float:
    import av

    try:
        with av.open(film if not isinstance(film, str | Path) else str(film), "r") as container:
            if not container.streams.video:
                raise FormatError(f"{name}: holds no video stream.")
            stream = container.streams.video[0]
            if stream.duration and stream.time_base:
                return float(stream.duration * stream.time_base)
            if container.duration:
                return container.duration / 1e6
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise FormatError(f"{name}: not a readable film ({str(error)[:100]}).") from None
    raise FormatError(f"{name}: does not say how long it is.")


def decode(
    film: str | Path | BinaryIO, start: float = 0.0, end: float = math.inf, name: str | None = None
) -> Iterator[tuple[float, Image.Image]]:
    """(seconds, picture) of the frames of a film from `start` up to `end`, through PyAV.

    Raises: FormatError if the file is no film or breaks off.
    """
    import av

    path = name or str(film)
    try:
        if not isinstance(film, str | Path):
            film.seek(0)
        with av.open(film if not isinstance(film, str | Path) else str(film), "r") as container:
            if not container.streams.video:
                raise FormatError(f"{path}: holds no video stream.")
            stream = container.streams.video[0]
            stream.thread_count = 1
            if start > 0 and stream.time_base:
                container.seek(int(start / stream.time_base), stream=stream)
            for n, frame in enumerate(container.decode(stream)):
                seconds = float(frame.time or 0.0)
                if seconds >= end or n >= _MOST_FRAMES:
                    return
                if frame.width * frame.height > _MOST_PIXELS:
                    raise FormatError(f"{path}: has {frame.width}x{frame.height} pixels; expected fewer than 2**25.")
                if seconds >= start - 1e-6:
                    yield seconds, frame.to_image()
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise FormatError(f"{path}: not a readable film ({str(error)[:100]}).") from None
