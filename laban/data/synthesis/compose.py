"""Long feature sequences with a text per stretch: natural ones, and clips joined by alignment and a blend.

HumanML3D features hold velocities and poses in the frame of the heading, so joining them aligns place and heading by
itself. Here the two clips are cut where their poses and velocities are nearest, and crossed over for some frames.
Joined sequences are synthetic, and marked so: nobody ever moved like that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from laban.motion.easing import smoothstep

if TYPE_CHECKING:
    from laban.data.corpus import Corpus, Record
    from laban.motion.humanml import Layout


@dataclass(frozen=True)
class Stretch:
    """Frames [start, end) of a composition that one clip's captions describe."""

    start: int
    end: int
    record: Record


@dataclass
class Composition:
    """features (T, W) float32, not normalised; stretches in order, without gaps; synthetic: some seam was made."""

    features: np.ndarray
    stretches: list[Stretch]
    synthetic: bool


@dataclass(frozen=True)
class ComposeSettings:
    """How clips are joined. Frames at 20 fps."""

    blend: int = 10  # frames of cross-over
    search_end: int = 16  # frames at the end of the first clip, and
    search_start: int = 8  # at the start of the second, among which the cut is looked for
    longest: int = 196  # of one stretch; of longer clips a random window is taken
    natural: float = 0.5  # chance that a recording longer than that becomes two stretches with no seam made
    shortest: int = 24  # of a stretch that is cut out
    whole: int = 50  # frames up to which a clip is never cut to a part
    focus: float = 0.5  # chance that of a clip only the liveliest 40 to 100 % are taken: actions then come in more
    # lengths and seams meet more poses. Such halves of real clips pass the control checks as often as whole ones
    warp: float = 0.5  # chance that a clip is played at 0.85 to 1.2 of its speed


def compose(
    corpus: Corpus,
    records: Sequence[Record],
    weights: np.ndarray,
    frames: int,
    rng: np.random.Generator,
    settings: ComposeSettings = ComposeSettings(),
) -> Composition:
    """A sequence of at least `frames` frames.

    Args:
        corpus: that holds the clips.
        records: clips and the probability of each.
        weights: clips and the probability of each.
        frames: when that many are there, no further clip is drawn.
        rng: the source of randomness.
        settings: where and how clips are joined.
    """
    layout = corpus.layout
    scale = 1.0 / np.maximum(corpus.std, 1e-6)
    parts: list[np.ndarray] = []
    stretches: list[Stretch] = []
    total, seams = 0, 0
    tail: np.ndarray | None = None  # the last frames, still open to a cross-over
    while total < frames:
        record = records[int(rng.choice(len(records), p=weights))]
        clip = varied(np.array(corpus.features(record), np.float32), rng, layout, settings)
        if tail is not None:
            tail, clip, removed = joined(tail, clip, scale, settings)
            seams += 1
            total -= removed
            start = total + min(settings.blend, len(clip)) // 2  # the seam is the middle of the cross-over
            stretches[-1] = Stretch(stretches[-1].start, start, stretches[-1].record)
            parts.append(tail)
        else:
            start = 0
        total += len(clip)
        if len(clip) > settings.longest:  # a long recording: it goes on without a seam
            middle = (start + total) // 2
            stretches += [Stretch(start, middle, record), Stretch(middle, total, record)]
        else:
            stretches.append(Stretch(start, total, record))
        tail = clip
    assert tail is not None
    parts.append(tail)
    return Composition(np.concatenate(parts), stretches, seams > 0)


def varied(clip: np.ndarray, rng: np.random.Generator, layout: Layout, settings: ComposeSettings) -> np.ndarray:
    """A clip's window, cut to its liveliest part and played faster or slower by chance.

    Returns: (T, W), T up to `longest`, or up to twice that where two stretches are to be made of it.
    """
    dice = rng.random(6)
    if len(clip) > settings.longest:
        longest = settings.longest * (2 if dice[3] < settings.natural else 1)
        keep = int(min(len(clip), longest) * (0.6 + 0.4 * dice[0]))
        at = int(dice[1] * (len(clip) - keep + 1))
        clip = clip[at : at + keep]
    elif dice[2] < settings.focus and len(clip) > settings.whole:
        keep = max(int(len(clip) * (0.4 + 0.6 * dice[4])), min(len(clip), settings.shortest))
        clip = liveliest(clip, keep, layout)
    if dice[5] < settings.warp:
        clip = warped(clip, 0.85 + 0.35 * dice[5] / settings.warp, layout)
    return clip


def liveliest(clip: np.ndarray, keep: int, layout: Layout) -> np.ndarray:
    """The `keep` frames in a row in which joints move and the heading turns the most."""
    if keep >= len(clip):
        return clip
    speed = np.linalg.norm(clip[:, layout.velocities].reshape(len(clip), -1, 3), axis=-1).mean(1)
    speed = speed * layout.unit + 2 * np.abs(clip[:, layout.yaw_rate][:, 0])
    summed = np.concatenate([[0.0], np.cumsum(speed)])
    at = int((summed[keep:] - summed[:-keep]).argmax())
    return clip[at : at + keep]


def warped(clip: np.ndarray, rate: float, layout: Layout) -> np.ndarray:
    """The clip (T, W) played `rate` times as fast: frames interpolated, velocities scaled."""
    count = max(2, round(len(clip) / rate))
    place = np.linspace(0, len(clip) - 1, count)
    low = np.minimum(place.astype(int), len(clip) - 2)
    part = (place - low)[:, None].astype(np.float32)
    out = clip[low] * (1 - part) + clip[low + 1] * part
    for columns in (layout.yaw_rate, layout.root_velocity, layout.velocities):
        out[:, columns] *= (len(clip) - 1) / (count - 1)
    return out


def joined(
    first: np.ndarray, second: np.ndarray, scale: np.ndarray, settings: ComposeSettings
) -> tuple[np.ndarray, np.ndarray, int]:
    """Cut two clips where they are most alike and cross them over.

    Args:
        first: (T, W) features.
        second: (T, W) features.
        scale: (W,) what a unit of each column counts.
        settings: where to look for the cut, and how long the cross-over is.
    Returns: the first up to the cross-over; the second from the cross-over on, blended; and how many frames of the
        first are gone from it (cut off or moved into the cross-over).
    """
    blend = min(settings.blend, len(first) // 4, len(second) // 4)  # a kick of a second keeps its kick
    searched = min(settings.search_end, blend + len(first) // 8)
    ends = range(max(len(first) // 2, len(first) - searched), len(first) - blend + 1)
    starts = range(0, max(1, min(settings.search_start, len(second) // 8)))
    a = first[[e for e in ends]] * scale
    b = second[[s for s in starts]] * scale
    distance = ((a[:, None] - b[None]) ** 2).mean(-1)
    where = np.unravel_index(int(distance.argmin()), distance.shape)
    end, start = ends[int(where[0])], starts[int(where[1])]
    t = (np.arange(blend, dtype=np.float32) + 1) / (blend + 1)
    weight = smoothstep(t)[:, None]
    second = second[start:].copy()
    second[:blend] = first[end : end + blend] * (1 - weight) + second[:blend] * weight
    return first[:end], second, len(first) - end
