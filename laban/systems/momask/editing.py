"""Editing with MoMask: a stretch of a clip is made anew by words, between what stays before and after it.

The clip becomes tokens, those of the stretch are hidden and filled in (in-painting), and the result is put back into
the clip so that every other frame stays as it was, bit for bit. Source: MoMask (Guo et al., CVPR 2024), section on
in-painting, as released. Deviations: the released code draws the residual tokens of the whole clip again and decodes
all of it, which changes what was not edited; here only the stretch is drawn, in every layer, its path through the room
is bent so that it arrives where the kept part begins, and the seams are blended inside the stretch. A clip longer than
the model's longest is seen through a window around the stretch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from laban.errors import InputError
from laban.motion import blend, humanml, legs, rotation
from laban.motion.easing import smoothstep
from laban.motion.motion import Motion, Segment
from laban.motion.retarget import retarget
from laban.motion.skeletons import HUMANML22, KIT21
from laban.systems import selection
from laban.systems.momask.edited import Seam, passport_of, seams_of, segments_of
from laban.systems.momask.system import MoMask
from laban.systems.options import check_sampling

LEAST = 2  # frames that a stretch must have
GUIDANCE = 2.0  # of the residual layers when editing, as released


@dataclass(frozen=True)
class Edit:
    """Frames [first, last) of the clip, and what happens in them."""

    text: str
    first: int
    last: int


@dataclass(frozen=True)
class Edited:
    """The motion, and the joins of its made stretches."""

    motion: Motion
    seams: tuple[Seam, ...]


def edit(system: MoMask, clip: Motion, edits: Sequence[Edit], seed: int, samples: int = 4, **options: Any) -> Edited:
    """Replace stretches of a clip, one after the other.

    Args:
        clip: any humanoid. On another skeleton it is retargeted first; frames outside the stretches are then those of
            `retarget(clip)`, bit for bit.
        edits: stretches that do not overlap. seed: of the draws; samples: drawn per stretch, of which the best is
            taken (least detour, least skating, and what was asked).
        options: steps, guidance, residual_guidance, temperature, residual_temperature, as of `MoMask.generate`.
    Returns: Edited, at the clip's frame rate.
    Raises: InputError for a stretch outside the clip, too short, too long for the model, overlapping, or all of it.
    """
    clip = onto_skeleton(system, clip)
    ordered = sorted(edits, key=lambda e: e.first)
    for one, two in zip(ordered, ordered[1:], strict=False):
        if two.first < one.last:
            raise InputError(f"edit: frames {two.first} to {one.last} are in two ranges; expected ranges apart.")
    for e in edits:
        _check(e, clip)
    settings = _settings(system, options)
    motion, joins = clip, []
    for number, e in enumerate(edits):
        motion = _replaced(system, motion, e, seed, number * samples, samples, settings)
        joins += [f for f in (e.first, e.last) if 0 < f < clip.frames]
    taken = [(e.text, e.first, e.last) for e in ordered]
    segments = segments_of(clip, taken)
    passport = passport_of(system, clip, seed, samples, settings, taken)
    return Edited(replace(motion, segments=segments, passport=passport), seams_of(motion, joins, taken))


def join(
    system: MoMask,
    clip: Motion,
    text: str,
    seconds: float,
    then: Motion | None,
    seed: int,
    samples: int = 4,
    **options: Any,
) -> Edited:
    """Go on after a clip, and, if another is given, lead over into it.

    The clip's frames stay bit for bit; `then` is turned about the vertical and moved over the floor, as a whole, to
    where the made stretch leads.

    Args: seconds: how long the made stretch is. Others as in `edit`.
    Raises: InputError for a length that the model cannot make, or two clips of different frame rates.
    """
    clip = onto_skeleton(system, clip)
    count = round(seconds * clip.fps)
    settings = _settings(system, options)
    place = Edit(text, clip.frames, clip.frames + count)
    if then is not None:
        then = onto_skeleton(system, then)
        if abs(then.fps - clip.fps) > 1e-6:
            raise InputError(
                f"edit: the clips run at {clip.fps:g} and {then.fps:g} fps; expected one rate. Convert one with "
                "laban convert --fps."
            )
        then = _facing_on(clip, then)
    whole = _held(clip, count, then)
    _check(place, whole)
    motion = _replaced(system, whole, place, seed, 0, samples, settings, follow=then is not None)
    taken = [(text, place.first, place.last)]
    joins = [f for f in (place.first, place.last) if 0 < f < motion.frames]
    passport = passport_of(system, clip, seed, samples, settings, taken)
    return Edited(
        replace(motion, segments=segments_of(whole, taken), passport=passport), seams_of(motion, joins, taken)
    )


def onto_skeleton(system: MoMask, clip: Motion) -> Motion:
    """The clip on the skeleton that the system makes; as it is, if it already stands on it."""
    skeleton = HUMANML22 if system.layout is humanml.HUMANML else KIT21
    same = clip.skeleton.names == skeleton.names and np.allclose(clip.skeleton.offsets, skeleton.offsets, atol=1e-6)
    return clip if same else retarget(clip, skeleton)


def _check(e: Edit, clip: Motion) -> None:
    where = f"edit: range {e.first / clip.fps:g} to {e.last / clip.fps:g} s"
    if not 0 <= e.first <= e.last <= clip.frames:
        raise InputError(f"{where} of a clip of {clip.seconds:.2f} s; expected a range inside it, start before end.")
    if e.last - e.first < LEAST:
        raise InputError(f"{where} holds {e.last - e.first} frames; expected at least {LEAST}. Make it longer.")
    if e.first == 0 and e.last == clip.frames:
        raise InputError(f"{where} is the whole clip, of which nothing would stay. Use laban generate.")
    if not e.text.strip():
        raise InputError(f"{where} has an empty text; say what the person does.")


def _settings(system: MoMask, options: dict[str, Any]) -> dict[str, Any]:
    chosen = system.config.sampling
    settings = {
        "steps": chosen.steps, "guidance": chosen.guidance,
        "residual_guidance": min(chosen.residual_guidance, GUIDANCE), "temperature": chosen.temperature,
        "residual_temperature": chosen.residual_temperature,
    }  # fmt: skip
    for name, value in options.items():
        if name not in settings:
            raise InputError(f"edit: unknown option {name!r}; expected one of {', '.join(settings)}.")
        if value is not None:
            settings[name] = value
    check_sampling("edit", settings)
    return settings


@dataclass(frozen=True)
class Window:
    """What the model sees, at its own frame rate: `before` frames that stay, `gap` made ones, `after` that stay.

    Attributes: start: seconds of its first frame in the clip, below 0 if the stretch begins the clip.
    """

    start: float
    before: int
    gap: int
    after: int

    @property
    def frames(self) -> int:
        return self.before + self.gap + self.after


def window(system: MoMask, clip: Motion, e: Edit) -> Window:
    """The window of a stretch: on the grid of tokens, within the model's longest, as much as fits on either side."""
    stride, fps, most = system.config.tokenizer.stride, system.config.fps, system.config.max_tokens
    gap = -(-round((e.last - e.first) / clip.fps * fps + 1e-6) // stride)
    gap = max(gap, 1)
    left = int(e.first / clip.fps * fps + 1e-6) // stride
    # At the clip's beginning the grid hangs on the end of the stretch, otherwise on its beginning.
    start = e.last / clip.fps - gap * stride / fps if e.first == 0 else e.first / clip.fps
    right = int(max(0.0, (clip.frames - 1) / clip.fps - start) * fps + 1 + 1e-6) // stride - gap
    right = max(right, 0) if e.last < clip.frames else 0
    free = most - gap
    if free < 1:
        raise InputError(
            f"edit: the range lasts {(e.last - e.first) / clip.fps:.2f} s; the model fills at most "
            f"{(most - 1) * stride / fps:.2f} s. Edit in parts."
        )
    before = min(left, max(free - right, free // 2))
    after = min(right, free - before)
    if not before + after:
        raise InputError(
            f"edit: fewer than {stride} frames at {fps:g} fps stay beside the range, too few to go by. Leave more."
        )
    return Window(start - before * stride / fps, before * stride, gap * stride, after * stride)


def _replaced(
    system: MoMask, clip: Motion, e: Edit, seed: int, first_index: int, samples: int, settings: dict[str, Any],
    follow: bool = False,
) -> Motion:  # fmt: skip
    """The clip with one stretch made anew; with `follow` what comes after it is moved to where it leads."""
    seen = window(system, clip, e)
    real, features, stand = _features(system, clip, seen)
    made = system.inpaint(
        features, seen.before, seen.before + seen.gap, e.text, seed, first_index=first_index, samples=samples,
        options=settings,
    )  # fmt: skip
    best: tuple[tuple[bool, float], Motion] | None = None
    for candidate in made:
        joints, detour, shift = _placed(system, real, features, candidate, seen, follow)
        skeleton = clip.skeleton
        context = Motion.from_joints(stand(joints), system.config.fps, skeleton)
        context = legs.plant(context, stand(joints))
        rest = clip if shift is None else _moved(clip, e.last, stand, shift)
        times = np.arange(e.first, e.last) / clip.fps - seen.start
        rotations, root = context.at(times)
        result = blend.inset(rest, rotations, root, e.first)
        low, high = max(0, e.first - 4), min(result.frames, e.last + 4)
        part = replace(result, rotations=result.rotations[low:high], root=result.root[low:high])
        judged = selection.judge(part, e.text)
        key = (judged.does is False and part.seconds > 1.0, judged.score + detour)
        if best is None or key < best[0]:
            best = (key, result)
    assert best is not None
    return best[1]


def _features(system: MoMask, clip: Motion, seen: Window) -> tuple[np.ndarray, np.ndarray, Any]:
    """Canonical joints (T, J, 3) and features (T, W) of the window, and the map from canonical to world joints.

    The last frame is held once more, since features need a next one.
    """
    times = seen.start + np.arange(seen.frames + 1) / system.config.fps
    rotations, root = clip.at(times)
    world = Motion(clip.skeleton, rotations, root, system.config.fps).joints()
    canonical = humanml.canonical(world / system.layout.unit, system.layout)
    features = humanml.features_of(canonical, system.layout)
    real = humanml.decode(features, system.layout) * system.layout.unit
    a, b = real.reshape(-1, 3), world[:-1].reshape(-1, 3)
    flat_a, flat_b = a[:, [0, 2]] - a[:, [0, 2]].mean(0), b[:, [0, 2]] - b[:, [0, 2]].mean(0)
    angle = np.arctan2((flat_a[:, 1] * flat_b[:, 0] - flat_a[:, 0] * flat_b[:, 1]).sum(), (flat_a * flat_b).sum())
    turn = rotation.yaw(np.array(angle))
    lift = b.mean(0) - rotation.rotate(turn, a.mean(0))

    def stand(joints: np.ndarray) -> np.ndarray:
        return rotation.rotate(np.broadcast_to(turn, (*joints.shape[:-1], 4)), joints) + lift

    return real, features, stand


Shift = tuple[float, np.ndarray, np.ndarray]
"""Turn in radians about the vertical, the place to turn about, and the place it goes to, canonical metres."""


def _placed(
    system: MoMask, real: np.ndarray, features: np.ndarray, made: np.ndarray, seen: Window, follow: bool
) -> tuple[np.ndarray, float, Shift | None]:
    """Canonical joints of the window with the stretch in it, how far its path had to be bent, where the rest moves."""
    layout, unit = system.layout, system.layout.unit
    a, b = seen.before, seen.before + seen.gap
    mixed = np.concatenate([features[:a], made, features[b:]])
    motion_columns = slice(layout.yaw_rate.start, layout.root_velocity.stop)
    if a >= 2:  # the step into the stretch is that of the frame before: the old one led elsewhere
        mixed[a - 1, motion_columns] = mixed[a - 2, motion_columns]
    joints = humanml.decode(mixed, layout) * unit
    if b >= len(mixed):
        return joints, 0.0, None
    yaw, place = _path(mixed, layout)
    yaw_real, place_real = _path(features, layout)
    turn = float((yaw_real[b] - yaw[b] + np.pi) % (2 * np.pi) - np.pi)
    if a == 0:  # nothing before: the stretch is moved as a whole to lead into what stays
        joints[:b] = _turned(joints[:b], turn, place[b], place_real[b])
        joints[b:] = real[b:]
        return joints, 0.0, None
    if follow:
        joints[b:] = _turned(real[b:], -turn, place_real[b], place[b])
        return joints, 0.0, (-turn, place_real[b], place[b])
    share = smoothstep(np.arange(1, seen.gap + 2) / (seen.gap + 1))
    steps = np.diff(place[a - 1 : b + 1], axis=0)  # into a ... b
    bent = place[a - 1] + np.cumsum(_about_y(steps, share * turn), axis=0)
    miss = place_real[b] - bent[-1]
    bent = bent + share[:, None] * miss
    for k in range(seen.gap):
        joints[a + k] = _turned(joints[a + k], float(share[k]) * turn, place[a + k], bent[k])
    joints[b:] = real[b:]
    seconds = seen.gap / system.config.fps
    return joints, (float(np.linalg.norm(miss)) + abs(turn)) / seconds, None


def _path(features: np.ndarray, layout: humanml.Layout) -> tuple[np.ndarray, np.ndarray]:
    """Heading (T,) radians about the vertical, and the root's place over the floor (T, 3) metres, y = 0."""
    root, place = humanml.recover_root(features, layout)
    ahead = rotation.rotate(rotation.conjugate(root), np.broadcast_to([0.0, 0.0, 1.0], (*root.shape[:-1], 3)))
    flat = place * layout.unit
    flat[:, 1] = 0.0
    return np.unwrap(np.arctan2(ahead[:, 0], ahead[:, 2])), flat


def _about_y(vectors: np.ndarray, angle: np.ndarray | float) -> np.ndarray:
    return rotation.rotate(np.broadcast_to(rotation.yaw(np.asarray(angle)), (*vectors.shape[:-1], 4)), vectors)


def _turned(joints: np.ndarray, angle: float, about: np.ndarray, to: np.ndarray) -> np.ndarray:
    return _about_y(joints - about, angle) + to


def _moved(clip: Motion, first: int, stand: Any, shift: Shift) -> Motion:
    """The frames from `first` turned and moved as a whole; the others stay."""
    angle, about, to = shift
    about, to = stand(about), stand(to)
    root, rotations = clip.root.copy(), clip.rotations.copy()
    root[first:] = _turned(clip.root[first:], angle, about, to)
    turn = np.broadcast_to(rotation.yaw(np.array(angle)), rotations[first:, 0].shape)
    rotations[first:, 0] = rotation.multiply(turn, rotations[first:, 0])
    return replace(clip, root=root, rotations=rotations)


def _facing_on(clip: Motion, then: Motion) -> Motion:
    """`then` turned and moved so that it begins where the clip ends, facing the same way."""
    ends = [m.joints()[[frame]] for m, frame in ((clip, -1), (then, 0))]
    left, right = clip.skeleton.index("left_hip"), clip.skeleton.index("right_hip")
    across = [j[0, left] - j[0, right] for j in ends]
    angles = [float(np.arctan2(v[0], v[2])) for v in across]
    flat = np.array([1.0, 0.0, 1.0])
    everything = (angles[0] - angles[1], then.root[0] * flat, clip.root[-1] * flat)
    return _moved(then, 0, lambda x: x, everything)


def _held(clip: Motion, count: int, then: Motion | None) -> Motion:
    """The clip, `count` frames of slow passage, and the second clip: what the tokens around a made stretch see."""
    if count < 1:
        raise InputError("edit: the made stretch has no frame; give a longer one.")
    end = clip if then is None else then
    at = -1 if then is None else 0
    t = np.arange(1, count + 1) / (count + 1)
    between = rotation.slerp(clip.rotations[-1:], end.rotations[[at]], t[:, None])
    passage = clip.root[-1:] * (1 - t[:, None]) + end.root[[at]] * t[:, None]
    rest_rotations = [] if then is None else [then.rotations]
    rest_root = [] if then is None else [then.root]
    offset = (clip.frames + count) / clip.fps
    later = () if then is None else tuple(Segment(s.text, s.start + offset, s.end + offset) for s in then.segments)
    return replace(
        clip,
        rotations=np.concatenate([clip.rotations, between, *rest_rotations]),
        root=np.concatenate([clip.root, passage, *rest_root]),
        segments=(*clip.segments, *later),
    )
