"""`Made`: a motion on a character, in a copy of the character's document, with the certificate of how well it fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from laban.character import animation, root_bone
from laban.character.certificate import Certificate, certify
from laban.character.stance import Stance, stance_of
from laban.character.transfer import CharacterMotion, transfer
from laban.io.gltf_document import Document
from laban.motion.motion import Motion


@dataclass(frozen=True)
class Made:
    """A motion on a character.

    Attributes:
        clip: the tracks of the character's nodes.
        document: the character's file with the animation in it.
        number: of the animation in the document.
        certificate: how well it fits.
        passport: of the motion.
    """

    clip: CharacterMotion
    document: Document
    number: int
    certificate: Certificate
    passport: dict[str, Any] | None


def make(
    motion: Motion,
    stance: Stance,
    *,
    fps: float | None = None,
    append: bool = False,
    loop: bool = False,
    **options: Any,
) -> Made:
    """A motion on a character, with its certificate.

    Args:
        motion: any humanoid.
        stance: the character.
        fps: frames per second of the result; the motion's if None.
        append: put it behind the file's own animations.
        loop: judge the seam.
        options: see `transfer`.
    """
    motion = motion if fps is None else motion.resample(fps)
    if options.get("root") == "root-bone":
        rig = root_bone.with_root(stance.rig, stance.map.node("pelvis"))
        stance = stance_of(rig, stance.map) if rig is not stance.rig else stance
    made = transfer(motion, stance, **options)
    document = animation.document_of(made, append=append, passport=motion.passport)
    number = len(document.items("animations")) - 1 if append else 0
    judged = certify(made, document, number, loop=loop)
    extras = document.items("animations")[number].setdefault("extras", {}).setdefault("laban", {})
    document.items("animations")[number]["extras"] = {"laban": {**extras, "certificate": judged.record()}}
    return Made(made, document, number, judged, motion.passport)
