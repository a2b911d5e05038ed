"""From joints to a canonical clip with features, and its mirror image: what the BVH corpora share."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from laban.data import standing
from laban.data.captions import mirror, mirror_label
from laban.data.corpus import Clip
from laban.data.cycles import longest_hover
from laban.errors import FormatError
from laban.motion import humanml, rotation
from laban.motion.humanml import HUMANML
from laban.motion.motion import Motion
from laban.motion.skeletons import HUMANML22

MINIMUM = 16  # frames at 20 fps: shorter clips hold no action
_FLIP = np.array([-1.0, 1.0, 1.0])


def canonical(joints: np.ndarray) -> np.ndarray:
    """Joints (T, 22, 3) with the floor at 0, the first root at x = z = 0 and the first facing at +Z.

    The floor is the 5th percentile over time of the lowest joint, not the lowest point of the clip: one deep
    frame would otherwise lift the whole clip. The bones already are HUMANML22's. Otherwise as
    `humanml.canonical`.
    """
    joints = np.asarray(joints, np.float64)
    floor = np.percentile(joints[..., 1].min(-1), 5)
    moved = joints - np.array([joints[0, 0, 0], floor, joints[0, 0, 2]])
    across = moved[0, 2] - moved[0, 1] + moved[0, 17] - moved[0, 16]
    facing = np.cross([0.0, 1.0, 0.0], across)
    facing[1] = 0.0
    turn = rotation.between(facing, np.array([0.0, 0.0, 1.0]))
    return rotation.rotate(turn, moved)


def clip_pair(
    identity: str,
    joints: np.ndarray,
    captions: tuple[str, ...],
    *,
    subject: str,
    source: str,
    split: str,
    labels: dict[str, str],
) -> list[Clip]:
    """The clip and its mirror image, left and right exchanged in joints, words and labels."""
    clips = []
    for mirrored in (False, True):
        if mirrored:
            # Left and right bones of HUMANML22 differ by millimetres, so the mirror image is fitted again.
            joints = Motion.from_joints(joints[:, HUMANML22.pairs] * _FLIP, HUMANML.fps).joints()
            captions = tuple(mirror(c) for c in captions)
            labels = {key: mirror_label(value) if key == "content" else value for key, value in labels.items()}
        placed = canonical(joints)
        clips.append(
            Clip(
                id=f"M{identity}" if mirrored else identity,
                subject=subject,
                source=source,
                split=split,
                captions=captions,
                features=humanml.features_of(placed).astype(np.float32),
                joints=placed[:-1].astype(np.float32),
                labels=labels,
                mirror_of=identity if mirrored else None,
            )
        )
    return clips


MAX_HOVER_SECONDS = 0.8
"""Seconds without a joint near the floor that a jump may take. Whoever hangs longer hangs on what is not there."""


def supported(clips: list[Clip]) -> list[Clip]:
    """The clips, if nobody hangs in the air.

    Raises: FormatError where someone does: takes on ladders, bars and stools whose objects are missing.
    """
    for clip in clips:
        hover = longest_hover(clip.joints)
        if hover > MAX_HOVER_SECONDS:
            raise FormatError(f"{clip.id}: {hover:.1f} s in the air; what it stands or hangs on is not in the data.")
    return clips


def with_pieces(clips: list[Clip], manners: Mapping[str, str] | None = None) -> list[Clip]:
    """The clips, and what of them shows standing, starting, stopping or turning on the spot as clips of their own.

    Args:
        clips: of one take.
        manners: the label "style" -> how a caption says it.
    """
    found = list(clips)
    for clip in clips:
        if clip.mirror_of is not None or clip.labels.get("action") in PIECES_NOT_FROM:
            continue
        manner = (manners or {}).get(clip.labels.get("style", "normal"), "")
        for piece in standing.pieces(clip.joints):
            found += clip_pair(
                f"{clip.id}#{piece.action}-{piece.start}",
                clip.joints[piece.start : piece.end],
                standing.captions(piece.action, manner),
                subject=clip.subject,
                source=clip.source,
                split=clip.split,
                labels={**clip.labels, "action": piece.action, "content": piece.action},
            )
    return found


def with_backward(clips: list[Clip]) -> list[Clip]:
    """The clips of one take, and its straight plain walk, if of the training split, from its end as a walk backward.

    The leg's movement in walking backward is close to that of walking forward reversed in time (Thorstensson, "How is
    the normal locomotor program modified to produce backward walking?", Experimental Brain Research 61, 1986). Few
    takes show people who walk backward, and those slowly. Held-out splits keep to what was captured.
    """
    found = list(clips)
    for clip in clips:
        plain = clip.captions[0] in PLAIN_WALKS and clip.labels.get("style", "normal") == "normal"
        if clip.mirror_of is not None or clip.split != "train" or clip.labels.get("action") != "walk" or not plain:
            continue
        path = clip.joints[:, 0][:, [0, 2]]
        length = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
        if np.linalg.norm(path[-1] - path[0]) < max(0.5, 0.9 * length):
            continue
        found += clip_pair(
            f"{clip.id}#backward",
            clip.joints[::-1],
            BACKWARD,
            subject=clip.subject,
            source=clip.source,
            split=clip.split,
            labels={**clip.labels, "action": "walk-back", "content": "walk-back", "reversed": "yes"},
        )
    return found


PLAIN_WALKS = frozenset({"a person walks", "a person walks forward"})
BACKWARD = ("a person walks backward", "a person is walking backward", "a person walks backwards")

PIECES_NOT_FROM = frozenset({"referee-signal", "direct-traffic", "zombie-walk", "climb"})
"""Actions whose calm frames are part of them, or that name what they stand on."""
