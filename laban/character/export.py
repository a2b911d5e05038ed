"""A motion on a character into files, and the certificate beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from laban.character import animation, vrma
from laban.character.asset import asset_of
from laban.character.made import Made
from laban.character.stance import Stance
from laban.errors import InputError
from laban.io import about, arrays, bvh, gltf_document, usda
from laban.io.fbx import write as fbx
from laban.io.gltf_document import Document
from laban.motion.motion import Motion


def write(made: Made, path: str | Path) -> None:
    """Write a motion on a character as what the suffix says, and its certificate beside it.

    Args:
        made: what to write.
        path: .glb, .vrm, .vrma, .fbx, .usda, or .bvh and .npz, which hold the bones alone.
    Raises: InputError for another suffix, or a program or package that the format needs and is not there.
    """
    path = Path(path)
    if made.clip.root == "root-bone" and path.suffix.lower() in (".bvh", ".npz"):
        raise InputError(f"{path}: bones under a root that travels have no place in it. Write .glb, .fbx or .usda.")
    about.dumps(made.passport, path)
    match path.suffix.lower():
        case ".glb" | ".vrm":
            _check_vrm(made.document, path)
            gltf_document.write(made.document, path)
        case ".vrma":
            vrma.write(made, path)
        case ".fbx":
            fbx.write_asset(asset_of(made), path)
        case ".usda":
            usda.write(asset_of(made), path)
        case ".bvh":
            bvh.write(bones_of(made), path)
        case ".npz":
            arrays.write(bones_of(made), path)
        case suffix:
            raise InputError(f"{path}: a character cannot be written as {suffix or 'a file without suffix'!r}.")
    made.certificate.save(path)


def bones_of(made: Made) -> Motion:
    """The motion of all bones of the character under their own names."""
    clip = made.clip
    whole = animation.motion_from_world(clip.stance, clip.world(), clip.fps, every=True)
    return replace(whole, passport=made.passport)


def check_ready(paths: Sequence[Path], stance: Stance) -> None:
    """Refuses before any work what `write` would refuse: .usda without usd-core, .vrm of no VRM.

    Raises: InputError that says what to install or to write instead.
    """
    for path in paths:
        suffix = path.suffix.lower()
        if suffix == ".usda":
            usda.check(path)
        _check_vrm(stance.rig.document, path)


def _check_vrm(document: Document, path: Path) -> None:
    has = any(name in document.json.get("extensions", {}) for name in ("VRM", "VRMC_vrm"))
    if path.suffix.lower() == ".vrm" and not has:
        raise InputError(f"{path}: the character is no VRM, so it cannot become one here. Write a .glb.")
