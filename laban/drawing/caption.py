"""Texts in pictures: the font, lines that fit, and the caption at the foot of a film."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from laban.motion.motion import Motion

INK = (38, 46, 58)


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, so that pictures look alike on every machine."""
    return ImageFont.load_default(size)


@lru_cache(maxsize=64)
def _label(text: str, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Colour (h, W, 3) and cover (h, W, 1) of a caption of at most two lines for the foot of a picture."""
    size = max(11, round(height / 26))
    face = font(size)
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    lines = wrap(text, lambda s: draw.textlength(s, font=face), width * 0.9, 2)
    step = round(size * 1.3)
    pad = round(size * 0.55)
    strip = Image.new("RGBA", (width, step * len(lines) + 2 * pad), (255, 255, 255, 0))
    draw = ImageDraw.Draw(strip)
    half = max(draw.textlength(line, font=face) for line in lines) / 2 + 1.4 * pad
    box = (width / 2 - half, 0, width / 2 + half, strip.height - 1)
    draw.rounded_rectangle(box, radius=pad * 1.3, fill=(255, 255, 255, 190))
    for k, line in enumerate(lines):
        draw.text((width / 2, pad + (k + 0.5) * step), line, font=face, fill=(*INK, 255), anchor="mm")
    pixels = np.asarray(strip, np.float32) / 255
    return pixels[..., :3], pixels[..., 3:]


def wrap(text: str, measure: Callable[[str], float], width: float, most: int) -> list[str]:
    """Break a text into at most `most` lines no wider than `width` by `measure(str)`; the rest becomes an ellipsis."""
    lines = [""]
    words = text.split()
    for number, word in enumerate(words):
        longer = f"{lines[-1]} {word}".strip()
        if measure(longer) <= width or not lines[-1]:
            lines[-1] = longer
        elif len(lines) < most:
            lines.append(word)
        else:
            lines[-1] = " ".join([lines[-1], *words[number:]])
            break
    for k, line in enumerate(lines):
        if measure(line) > width:
            while line and measure(line + "…") > width:
                line = line[:-1]
            lines[k] = line.rstrip() + "…"
    return lines


def height_of(motion: Motion, width: int, height: int) -> int:
    """Pixels at the foot of a picture that the longest caption of a motion needs; 0 without a text."""
    tallest = max((len(_label(s.text, width, height)[0]) for s in motion.segments if s.text.strip()), default=0)
    return tallest + 2 * max(2, round(height * 0.025)) if tallest else 0


def write(picture: np.ndarray, text: str) -> None:
    """Lay a caption over the foot of a picture (H, W, 3) uint8, in place. An empty text writes nothing."""
    if not text.strip():
        return
    height, width = picture.shape[:2]
    colour, cover = _label(text, width, height)
    bottom = height - max(2, round(height * 0.025))
    top = max(0, bottom - len(colour))
    part = picture[top:bottom].astype(np.float32)
    cover, colour = cover[: len(part)], colour[: len(part)]
    picture[top:bottom] = (part * (1 - cover) + 255 * colour * cover + 0.5).astype(np.uint8)


def text_at(motion: Motion, seconds: float) -> str:
    """The text of the segment at a time; between segments and outside them, nothing."""
    for segment in motion.segments:
        if segment.start <= seconds < segment.end:
            return segment.text
    last = motion.segments[-1] if motion.segments else None
    return last.text if last and abs(seconds - last.end) < 1.5 / motion.fps else ""
