"""AIST++ as its owners publish it: SMPL motions in pickles, songs, splits, the ignore list.

    FOLDER/motions/gBR_sBM_cAll_d04_mBR0_ch01.pkl   smpl_poses (T, 72), smpl_trans (T, 3), smpl_scaling (1,); 60 fps
    FOLDER/splits/crossmodal_{train,val,test}.txt    one sequence name per line
    FOLDER/ignore_list.txt                           sequences with bad reconstructions
    FOLDER/wav/mBR0.wav                              the songs, by id (any suffix of laban.io.audio; also music/)

A name holds genre, situation (sBM basic, sFM advanced), camera, dancer, music and choreography. The nine cameras and
the key-point tasks of the dataset are not read. Annotations: CC BY 4.0 (Google); AIST Dance DB has its own terms.
Source: Li et al., ICCV 2021, and the published files. Deviation: none; pickles are read by `laban.io.pickles`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from laban.condition import music
from laban.condition.spectrum import RATE
from laban.data.synthesis.choreography import Dance
from laban.errors import FormatError, InputError
from laban.io import audio, pickles
from laban.metrics.dance import rests
from laban.motion import rotation
from laban.motion.motion import Motion, Segment
from laban.motion.skeletons import SMPL24

FPS = 60.0
GENRES = {
    "gBR": "break", "gPO": "pop", "gLO": "lock", "gMH": "middle hip-hop", "gLH": "LA-style hip-hop", "gHO": "house",
    "gWA": "waack", "gKR": "krump", "gJS": "street jazz", "gJB": "ballet jazz",
}  # fmt: skip
SITUATIONS = {"sBM": "basic", "sFM": "advanced"}
_NAME = re.compile(r"(g[A-Z]{2})_(s[A-Z]{2})_(c\w+)_(d\d\d)_(m[A-Z]{2}\d)_(ch\d\d)")


@dataclass(frozen=True)
class Name:
    """What the name of a sequence says."""

    genre: str
    situation: str
    camera: str
    dancer: str
    music: str
    choreography: str

    @property
    def bpm(self) -> float:
        """The song's tempo: house (mHO) 110 + 5 d, all others 80 + 10 d, d the last digit of the music's id."""
        digit = int(self.music[-1])
        return 110.0 + 5 * digit if self.music.startswith("mHO") else 80.0 + 10 * digit


def parse(name: str) -> Name:
    """`gBR_sBM_cAll_d04_mBR0_ch01` taken apart. Raises FormatError."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise FormatError(f"{name}: no name of an AIST++ sequence; expected gXX_sXX_cAll_dNN_mXXN_chNN.")
    return Name(*match.groups())


def read_motion(path: str | Path) -> Motion:
    """A motion file as a motion of SMPL's 24 joints at 60 fps.

    The root is `smpl_trans / smpl_scaling`, raw, as FACT is trained on it: no floor is found and SMPL's pelvis
    offset, which needs the body model, is not added. Our 24-joint skeleton stands in for the body: rotations are
    exact, joint positions are those of its bones.
    Raises: FormatError for missing arrays, other shapes, or values that are not finite.
    """
    path = Path(path)
    held = pickles.read(path)
    poses, trans = held.get("smpl_poses"), held.get("smpl_trans")
    if poses is None or trans is None or poses.ndim != 2 or poses.shape[1] != 72 or trans.shape != (len(poses), 3):
        shapes = {k: v.shape for k, v in held.items()}
        raise FormatError(f"{path}: holds {shapes}; expected smpl_poses (T, 72) and smpl_trans (T, 3).")
    scaling = float(held.get("smpl_scaling", np.ones(1)).ravel()[0])
    if not (np.isfinite(poses).all() and np.isfinite(trans).all() and np.isfinite(scaling) and scaling > 0):
        raise FormatError(f"{path}: holds NaN, infinity or no scale. It is damaged; fetch it again.")
    rotations = rotation.from_axis_angle(poses.astype(np.float64).reshape(len(poses), 24, 3))
    name = parse(path.stem) if _NAME.fullmatch(path.stem) else None
    text = f"{GENRES.get(name.genre, name.genre)}, {SITUATIONS.get(name.situation, name.situation)}" if name else ""
    segments = (Segment(text, 0.0, len(poses) / FPS),) if text else ()
    return Motion(SMPL24, rotation.continuous(rotations), trans.astype(np.float64) / scaling, FPS, segments)


def grounded(motion: Motion) -> Motion:
    """The motion with the 5th percentile over time of its lowest joint at height 0: the raw ones float at 0.9 m or so.

    For systems that need a floor; FACT's `paper` takes the motions raw.
    """
    floor = float(np.percentile(motion.joints()[..., 1].min(axis=-1), 5))
    return replace(motion, root=motion.root - np.array([0.0, floor, 0.0]))


class Aist:
    """A copy of AIST++ on disk.

    Args:
        folder: see above; `motions/` must be there.
    Raises: InputError if it is not.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.motions = {p.stem: p for p in sorted((self.folder / "motions").glob("*.pkl")) if _NAME.fullmatch(p.stem)}
        if not self.motions:
            raise InputError(f"{folder}: has no motions/gXX_....pkl. Give the folder of AIST++'s annotations.")
        ignore = self.folder / "ignore_list.txt"
        self.ignored = set(_lines(ignore)) if ignore.is_file() else set()

    def names(self, split: str) -> list[str]:
        """Sequences of `train`, `val`, `test`, or `testval` (the paper's 40 paired items), that are there and not
        ignored. Raises: InputError for another split or if its list is missing.
        """
        parts = {"train": ("train",), "val": ("val",), "test": ("test",), "testval": ("val", "test")}
        if split not in parts:
            raise InputError(f"split {split!r}: expected one of {', '.join(parts)}.")
        found: list[str] = []
        for part in parts[split]:
            path = self.folder / "splits" / f"crossmodal_{part}.txt"
            if not path.is_file():
                raise InputError(f"{path}: missing. AIST++'s splits come with its annotations.")
            found += [name for name in _lines(path) if name in self.motions and name not in self.ignored]
        return list(dict.fromkeys(found))

    def song(self, name: str) -> Path:
        """The sound file of a sequence. Raises InputError if it is not there."""
        identity = parse(name).music
        for folder in ("wav", "music", "musics", "audio"):
            for suffix in audio.SUFFIXES:
                path = self.folder / folder / f"{identity}{suffix}"
                if path.is_file():
                    return path
        raise InputError(f"{self.folder}: has no wav/{identity}.wav for {name}. The songs come from AIST Dance DB.")

    def dance(self, name: str) -> Dance:
        """A sequence with the features of its song, whose tempo comes from its name, as in FACT."""
        motion = read_motion(self.motions[name])
        sound = audio.read(self.song(name), RATE)
        return Dance(motion, music.analyse(sound.samples, prior=parse(name).bpm).features, rests(motion), name)


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
