"""What the latent is good for: recognising, captioning, blending, arithmetic. Each function takes a loaded MotionCLIP.

Latents are rows of (N, L) tensors; directions (N, G) are what language can say of them, see `MotionCLIP.directions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from laban.errors import InputError
from laban.motion.motion import Motion, Segment
from laban.systems.capabilities import Embeds
from laban.systems.motionclip import generation, representation

MOMENT = 3.0  # seconds of the windows that long clips are looked at through
LONG = 4.5  # seconds from which a clip has moments besides itself
MAX_STEPS = 64


@dataclass(frozen=True)
class Guess:
    """A label, the phrase that stands for it, the cosine to the motion and the softmax over all labels."""

    label: str
    phrase: str
    cosine: float
    probability: float


def spans(frames: int, fps: float, longest: int) -> list[tuple[int, int]]:
    """Half-open frame ranges that a clip is looked at through: the whole where it fits, and moments of long clips.

    Moments last MOMENT seconds, start every half of that, and the last ends with the clip. A clip that is longer than
    `longest` also has windows of that length.
    """
    found = [(0, frames)] if frames <= longest else []
    sizes = [] if frames <= longest else [longest]
    if frames > LONG * fps:
        sizes.append(min(longest, round(MOMENT * fps)))
    for size in sizes:
        starts = list(range(0, frames - size, max(1, size // 2))) + [frames - size]
        found += [(s, s + size) for s in starts]
    return found


def direction(system: Embeds, motion: Motion) -> Tensor:
    """(G,) unit vector of a motion of any length: of the whole, or the mean of its longest windows'."""
    frames = system.frames_of(motion)
    parts = spans(len(frames), system.config.fps, system.config.max_frames)
    size = max(b - a for a, b in parts)
    windows = [representation.rerooted(frames[a:b]) for a, b in parts if b - a == size]
    if system.config.released_place:
        windows = [frames[a:b] for a, b in parts if b - a == size]
    return F.normalize(system.directions(system.encode_windows(windows)).mean(0), dim=0)


def classes_of(system: Embeds, names: Sequence[str] | None) -> dict[str, str]:
    """Label -> phrase: the names themselves, or the words of the training corpus.

    A name that is one of the corpus's labels stands for that label's phrase.
    Raises: InputError for an empty or doubled name, or if the weights carry no words and none are given.
    """
    known: dict[str, str] = system.vocabulary["classes"]
    if names is None:
        if not known:
            raise InputError("motionclip: these weights carry no classes; name them, as --classes walk run sit.")
        return known
    cleaned = [" ".join(n.split()) for n in names]
    if not cleaned or not all(cleaned):
        raise InputError("motionclip: a class without a name; expected words, as --classes walk run sit.")
    if len(set(cleaned)) < len(cleaned):
        raise InputError("motionclip: a class is named twice; name each once.")
    return {n: known.get(n, n) for n in cleaned}


def scored(system: Embeds, vectors: Tensor, classes: Mapping[str, str]) -> tuple[Tensor, Tensor]:
    """Cosines and probabilities, both (N, classes), of directions (N, G)."""
    texts = system.text_directions(list(classes.values()))
    cosines = vectors @ texts.T
    return cosines, torch.softmax(cosines / system.config.loss.temperature, -1)


def recognise(system: Embeds, motion: Motion, classes: Sequence[str] | None = None, top: int = 5) -> list[Guess]:
    """The likeliest classes of a motion, best first.

    Args:
        system: the space.
        motion: any humanoid.
        classes: names or phrases; None: the training corpus's content labels.
        top: how many at most.
    Source: Tevet et al. 2022, section 4 (cosine to the texts of the class names).
    """
    chosen = classes_of(system, classes)
    cosines, chances = scored(system, direction(system, motion)[None], chosen)
    order = torch.argsort(cosines[0], descending=True, stable=True)[:top].tolist()
    items = list(chosen.items())
    return [Guess(items[i][0], items[i][1], float(cosines[0, i]), float(chances[0, i])) for i in order]


def caption(system: Embeds, motion: Motion, phrases: Sequence[str] | None = None, top: int = 5) -> list[Guess]:
    """The phrases nearest to a motion, best first: the training captions, or those given."""
    chosen = list(phrases) if phrases is not None else list(system.vocabulary["phrases"])
    if not chosen:
        raise InputError("motionclip: these weights carry no phrases; give some with --phrases FILE.")
    return recognise(system, motion, chosen, top)


def blend(system: Embeds, a: Motion, b: Motion, steps: int = 5, *, clean: bool = False) -> list[Motion]:
    """Motions from `a` to `b`, both ends as the decoder makes them; latents and lengths go evenly.

    Source: Tevet et al. 2022, section 4 (linear interpolation). Deviation: lengths differ, so they go along.
    Raises: InputError for fewer than 2 steps, or a clip that is too long for one latent.
    """
    if not 2 <= steps <= MAX_STEPS:
        raise InputError(f"blend: {steps} steps; expected 2 to {MAX_STEPS}, both ends counted.")
    windows = [_whole(system, m) for m in (a, b)]
    ends = system.encode_windows(windows)
    made = []
    for i in range(steps):
        t = i / (steps - 1)
        count = round((1 - t) * len(windows[0]) + t * len(windows[1]))
        latent = torch.lerp(ends[0], ends[1], t)
        passport = {**_passport(system), "blend": {"step": i, "steps": steps}, "of": [a.passport, b.passport]}
        segments = (Segment(f"step {i + 1} of {steps}", 0.0, count / system.config.fps),)
        made += system.motions(latent[None], [count], segments=segments, passport=passport)
    return _cleaned(made, clean=clean)


def mix(
    system: Embeds,
    motion: Motion,
    minus: str | Motion,
    plus: str | Motion,
    strength: float = 1.0,
    *,
    clean: bool = False,
) -> Motion:
    """The motion moved in the latent by what leads from `minus` to `plus`, each a text or a motion.

    Source: Tevet et al. 2022, section 4 (z_base - z_start + z_end, from data or from text).
    Raises: InputError if both say the same, or the clip is too long for one latent.
    """
    if not np.isfinite(strength) or abs(strength) > 10:
        raise InputError(f"mix: strength is {strength}, expected a number from -10 to 10.")
    window = _whole(system, motion)
    frames = len(window)
    latent = system.encode_windows([window])[0]
    step = _point(system, plus, frames) - _point(system, minus, frames)
    if float(step.norm()) < 1e-4 * float(latent.norm().clamp(min=1e-6)):
        raise InputError("mix: --minus and --plus say the same, so nothing would change; name two different things.")
    said = [x if isinstance(x, str) else "a clip" for x in (minus, plus)]
    facts = {"mix": {"minus": said[0], "plus": said[1], "strength": strength}, "of": [motion.passport]}
    segments = (Segment(f"{said[1]} instead of {said[0]}", 0.0, frames / system.config.fps),)
    passport = {**_passport(system), **facts}
    moved = (latent + strength * step)[None]
    return _cleaned(system.motions(moved, [frames], segments=segments, passport=passport), clean=clean)[0]


def restyle(system: Embeds, motion: Motion, style: str, strength: float = 1.0, *, clean: bool = False) -> Motion:
    """The motion in another style, as "like an old person": `mix` from its recognised class to that class in the style.

    Source: as `mix`; the paper's style transfer is its text edit.
    """
    if not style.strip():
        raise InputError("restyle: the style is empty; say how, for example 'like an old person'.")
    phrase = recognise(system, motion, top=1)[0].phrase
    return mix(system, motion, phrase, f"{phrase}, {style.strip()}", strength, clean=clean)


def reconstruct(system: Embeds, motion: Motion) -> Motion:
    """What is left of a motion after the latent."""
    window = _whole(system, motion)
    return system.motions(system.encode_windows([window]), [len(window)], passport=_passport(system))[0]


def _whole(system: Embeds, motion: Motion) -> np.ndarray:
    """A motion's frames if one latent can hold them."""
    frames, longest = system.frames_of(motion), system.config.max_frames
    if len(frames) > longest:
        raise InputError(
            f"motionclip: the clip lasts {len(frames) / system.config.fps:.1f} s, and one latent holds at most "
            f"{longest / system.config.fps:.1f} s; cut it."
        )
    return frames


def _point(system: Embeds, what: str | Motion, frames: int) -> Tensor:
    if isinstance(what, Motion):
        return system.encode_windows([_whole(system, what)])[0]
    if not what.strip():
        raise InputError("mix: an empty text; say what to take away and what to add.")
    return system.text_latents([what], frames)[0]


def _passport(system: Embeds) -> dict[str, object]:
    p = system.provenance
    return {"system": system.name, "weights": p.hash, "data": list(p.data), "licence": p.licence}


def _cleaned(motions: list[Motion], *, clean: bool) -> list[Motion]:
    return [generation.cleaned(m) for m in motions] if clean else motions


def fitted(motion: Motion, seconds: float, start: float = 0.0, end: float | None = None) -> Motion:
    """A stretch of a motion brought to a length: played up to a third faster or slower, then cut.

    Args:
        motion: any motion.
        seconds: wanted.
        start: seconds of the stretch that matters.
        end: seconds of the stretch that matters.
    Returns: a motion of `seconds`, or shorter where the clip is too short even at three quarters of its speed.
    """
    part = motion.crop(start, end)
    if part.seconds < seconds:  # there may be more around the stretch
        spare = seconds - part.seconds
        begin = max(0.0, start - spare / 2)
        part = motion.crop(begin, min(motion.seconds, begin + seconds))
    pace = float(np.clip(part.seconds / seconds, 0.75, 4 / 3))
    played = replace(
        part, fps=part.fps * pace, segments=tuple(Segment(s.text, s.start / pace, s.end / pace) for s in part.segments)
    ).resample(part.fps)
    return played.crop(0.0, min(seconds, played.seconds))
