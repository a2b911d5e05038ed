"""Motions that any tool made, from files, refused unless units, skeleton and frame rate are those of the corpus."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from laban import formats
from laban.errors import FormatError, InputError
from laban.evaluate.cases import MAX_FRAMES, MIN_FRAMES
from laban.metrics.samples import finite, require_metres
from laban.motion.humanml import HUMANML
from laban.motion.skeletons import HUMANML22

SUFFIXES = (".npz", ".bvh")
CAPTIONS = "captions.json"


@dataclass(frozen=True, eq=False)
class Found:
    """A motion from a file: its name without suffix, joints (T, 22, 3) metres, and what it is said to show."""

    name: str
    joints: np.ndarray
    text: str | None


def read_folder(folder: Path) -> list[Found]:
    """Every .npz and .bvh file of a folder, by name.

    An .npz holds `joints` (T, 22, 3) in metres and `fps`, and may hold `text`; or it is one that Laban wrote. A file
    `captions.json` may give texts by name: {"walk-1": "a person walks"}.

    Raises: InputError for no file, another skeleton or frame rate, joints that are not in metres, NaN, or a clip
        that is too short; FormatError for a file that cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder. --motions wants one with .npz or .bvh files.")
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    if not paths:
        raise InputError(f"{folder}: holds no .npz and no .bvh file. --motions wants joints or BVH, a file per clip.")
    captions: dict[str, str] = {}
    if (folder / CAPTIONS).is_file():
        try:
            captions = json.loads((folder / CAPTIONS).read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{folder / CAPTIONS}: not JSON ({error}); expected {{name: text}}.") from None
        if not isinstance(captions, dict) or not all(isinstance(text, str) for text in captions.values()):
            raise FormatError(f"{folder / CAPTIONS}: expected one object of name to text.")
    found = []
    for path in paths:
        joints, text = _read(path)
        require_metres(str(path), finite(str(path), "joints", joints))
        if len(joints) < MIN_FRAMES:
            raise InputError(f"{path}: has {len(joints)} frames, expected at least {MIN_FRAMES}. Leave it out.")
        found.append(Found(path.stem, np.asarray(joints[:MAX_FRAMES], np.float64), captions.get(path.stem, text)))
    return found


def _read(path: Path) -> tuple[np.ndarray, str | None]:
    if path.suffix.lower() == ".npz":
        plain = _plain(path)
        if plain is not None:
            return plain
    motion = formats.read(path)
    _check_rate(path, motion.fps)
    if motion.skeleton.names != HUMANML22.names:
        raise InputError(
            f"{path}: its {len(motion.skeleton)} joints are {motion.skeleton.names[0]}, {motion.skeleton.names[-1]} "
            "and others, expected HumanML3D's 22. Convert it: laban convert IN OUT --retarget."
        )
    return motion.joints(), motion.segments[0].text if motion.segments else None


def _plain(path: Path) -> tuple[np.ndarray, str | None] | None:
    """`joints` and `fps` alone, exactly as they stand; None if the file holds rotations as ours do."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if "rotations" in file.files:
                return None
            missing = [key for key in ("joints", "fps") if key not in file.files]
            if missing:
                raise InputError(f"{path}: has no array {missing[0]!r}; expected joints (T, 22, 3) metres and fps.")
            joints, fps = file["joints"], float(file["fps"])
            text = str(file["text"]) if "text" in file.files else None
    except InputError:
        raise
    except Exception as error:  # zip, npy and casting errors of a damaged file
        raise FormatError(f"{path}: not a readable .npz ({' '.join(str(error).split())[:100]}).") from None
    _check_rate(path, fps)
    if joints.ndim != 3 or joints.shape[1:] != (len(HUMANML22), 3) or joints.dtype.kind not in "fiu":
        raise InputError(
            f"{path}: joints have shape {joints.shape}, expected (T, {len(HUMANML22)}, 3) of HumanML3D's skeleton."
        )
    return joints, text


def _check_rate(path: Path, fps: float) -> None:
    if abs(fps - HUMANML.fps) > 1e-3:
        raise InputError(
            f"{path}: runs at {fps:g} fps, expected {HUMANML.fps:g}, the corpus' rate. Convert it: laban convert IN "
            f"OUT --fps {HUMANML.fps:g}."
        )
