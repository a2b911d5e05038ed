"""Beats under a motion: a strip with the music's beats and onsets above, and the dance's kinematic beats below.

A person can then see what a score says: a dot under a line is a dancer who comes to rest on the beat.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from laban.drawing import caption
from laban.metrics.dance import rests
from laban.motion.motion import Motion

_PAPER, _BEAT, _ONSET, _DANCE, _HIT, _NOW = (
    (247, 247, 246), (52, 62, 78), (176, 182, 192), (196, 120, 40), (44, 140, 92), (200, 52, 52)
)  # fmt: skip
CLOSE = 0.05  # seconds: one sigma of the beat alignment score


def height_of(height: int) -> int:
    """Pixels of the strip in a picture of so many."""
    return int(np.clip(round(height * 0.11), 30, 90))


@dataclass(frozen=True, eq=False)
class Timeline:
    """Seconds from the first frame of a motion.

    Attributes:
        beats: of the music.
        onsets: of the music.
        kinematic: of the dance.
    """

    beats: np.ndarray
    onsets: np.ndarray
    kinematic: np.ndarray

    @classmethod
    def of(cls, motion: Motion) -> Timeline:
        """The kinematic beats of a motion, and the music's that `laban dance` wrote into its passport, if any."""
        held = (motion.passport or {}).get("timing")
        timing = held if isinstance(held, dict) else {}

        def seconds(name: str) -> np.ndarray:
            values = timing.get(name, [])
            good = isinstance(values, list) and all(isinstance(v, int | float) for v in values)
            return np.array(values if good else [], np.float64)

        return cls(seconds("beats"), seconds("onsets"), rests(motion) / motion.fps)

    def strip(self, width: int, height: int, start: float, end: float, now: float | None = None) -> np.ndarray:
        """The time from `start` to `end` seconds, left to right, (height, width, 3) uint8.

        Beats are tall lines, onsets short ones, kinematic beats dots (green within CLOSE of a beat); `now` is a red
        line.
        """
        image = Image.new("RGB", (width, height), _PAPER)
        draw = ImageDraw.Draw(image)
        face = caption.font(max(9, round(height / 5)))
        left = 0 if now is not None else round(draw.textlength("onsets ", font=face)) + 8
        middle, dot = 0.62 * height, max(2.0, height / 14)

        def across(moments: np.ndarray) -> list[float]:
            seen = moments[(moments >= start) & (moments <= end)]
            return list(left + (seen - start) / (end - start) * (width - left - 1))

        draw.line((left, middle, width, middle), fill=_ONSET, width=1)
        for x in across(self.onsets):
            draw.line((x, middle - 0.22 * height, x, middle), fill=_ONSET, width=1)
        for x in across(self.beats):
            draw.line((x, 0.12 * height, x, middle), fill=_BEAT, width=max(2, round(height / 30)))
        for moment, x in zip(self.kinematic[(self.kinematic >= start) & (self.kinematic <= end)],
                             across(self.kinematic), strict=True):  # fmt: skip
            hit = len(self.beats) and np.abs(self.beats - moment).min() <= CLOSE
            y = middle + 0.2 * height
            draw.ellipse((x - dot, y - dot, x + dot, y + dot), fill=_HIT if hit else _DANCE)
        if now is not None:
            x = left + (now - start) / (end - start) * (width - left - 1)
            draw.line((x, 0, x, height), fill=_NOW, width=2)
        else:
            for text, y in (("beats", 0.22), ("onsets", 0.5), ("dance", 0.82)):
                draw.text((4, y * height), text, font=face, fill=caption.INK, anchor="lm")
        return np.asarray(image)
