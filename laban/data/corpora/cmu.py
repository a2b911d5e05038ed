"""CMU motion capture, subjects 01 to 14, as converted by cgspeed: everyday actions with one line of text each.

Source: mocap.cs.cmu.edu through AtelierCircle/CMU-MoCap-01-09 and -10-14. "The data used in this project was
obtained from mocap.cs.cmu.edu. The database was created with funding from NSF EIA-0196217."
A BVH is named SS_TT.bvh; `captions.tsv` (file, description) or CMU-INDEX.md beside them gives the text.
Defects handled: the artificial T-pose and the fade from it (5 frames at 60 fps, 9 at 120) are dropped; takes with
distorted legs or many 45-degree flips, and a duplicate, are left out; each clip is levelled by its own floor.
Splits: by file, from a hash of its name.
"""

from __future__ import annotations

import csv
import hashlib
import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from laban.data.clips import MINIMUM, clip_pair, supported, with_backward, with_pieces
from laban.data.corpora.source import MotionSource
from laban.data.corpus import Clip
from laban.errors import FormatError
from laban.io import bvh
from laban.motion.humanml import HUMANML
from laban.motion.retarget import retarget

LICENCE = "CMU mocap: free for any use, with acknowledgement"
ACKNOWLEDGEMENT = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)

_NAME = re.compile(r"(\d\d)_(\d\d)\.bvh")
_FLIPPED = ("05_05", "05_06", "05_08", "05_10", "05_16", "05_17", "05_18", "05_19")
EXCLUDED = {
    **dict.fromkeys(("01_14", "07_12", "09_10"), "distorted legs, floor off by 70 cm"),
    **dict.fromkeys(_FLIPPED, "many rotation flips of more than 45 degrees"),
    "14_36": "identical to 14_31",
}
"""Takes that are left out, and why."""

# The index's notes as sentences; nothing is added to what they say. Others become "a person: <note>".
SENTENCES: dict[str, tuple[str, ...]] = {
    "walk": ("a person walks", "a person walks forward", "a person is walking"),
    "slow walk": ("a person walks slowly",),
    "brisk walk": ("a person walks briskly",),
    "walk/stride": ("a person walks with long strides",),
    "slow walk/stride": ("a person walks slowly with long strides",),
    "walk, exaggerated stride": ("a person walks with an exaggerated stride",),
    "walk on uneven terrain": ("a person walks on uneven terrain",),
    "navigate - walk forward, backward, sideways": ("a person walks forward, backward and sideways",),
    "run": ("a person runs", "a person is running"),
    "run/jog": ("a person runs", "a person jogs"),
    "jump": ("a person jumps",),
    "forward jump": ("a person jumps forward",),
    "jump, balance": ("a person jumps and balances",),
    "jump up to grab, reach for, tiptoe": ("a person jumps up to grab something and reaches on tiptoe",),
    "climb 3 steps": ("a person climbs three steps",),
    "climb ladder": ("a person climbs a ladder",),
    "laugh": ("a person laughs",),
    "boxing": ("a person boxes",),
    "punch/strike": ("a person punches and strikes",),
    "swordplay": ("a person fights with a sword",),
    "soccer - kick ball": ("a person kicks a soccer ball",),
    "drink soda": ("a person drinks a soda",),
    "unscrew bottlecap, drink soda": ("a person unscrews a bottle cap and drinks a soda",),
    "wash windows": ("a person washes windows",),
    "wash self": ("a person washes themselves",),
    "direct traffic, wave": ("a person directs traffic and waves",),
    "sit on stepstool, stand up": ("a person sits on a stepstool and stands up",),
    "sit on high stool, stand up": ("a person sits on a high stool and stands up",),
    "bend over, scoop up, rise, lift arm": ("a person bends over, scoops something up, rises and lifts an arm",),
    "basketball - forward dribble": ("a person dribbles a basketball forward",),
    "basketball - backward dribble": ("a person dribbles a basketball backward",),
    "basketball - sideways dribble": ("a person dribbles a basketball sideways",),
    "basketball - dribble, shoot": ("a person dribbles and shoots a basketball",),
    "jumping jacks, side twists, bend over, jog": ("a person does jumping jacks, side twists, bends over and jogs",),
    "jumping jacks, side twists, squats, jog": ("a person does jumping jacks, side twists, squats and jogs",),
}


# Of takes that show several things one after another, what we cut out: {SS_TT: (from s, to s, action, caption)}.
PARTS = {
    "13_30": (0.0, 1.5, "jumping-jacks", "a person does jumping jacks"),
    "13_31": (22.8, 24.9, "jumping-jacks", "a person does jumping jacks"),
}


def split_of(stem: str) -> str:
    """train, val or test by a hash of the file's name: about 82, 6 and 12 %."""
    place = hashlib.sha256(stem.encode()).digest()[0] % 17
    return "test" if place < 2 else "val" if place == 2 else "train"


@lru_cache(maxsize=4)
def _descriptions(folder: Path) -> dict[str, str]:
    """{SS_TT: description}, from captions.tsv or CMU-INDEX.md in `folder` or a parent of it. Raises FormatError."""
    for place in (folder, *folder.parents):
        table, index = place / "captions.tsv", place / "CMU-INDEX.md"
        if table.is_file():
            with table.open(newline="", encoding="utf-8", errors="replace") as handle:
                rows = list(csv.reader(handle, delimiter="\t"))
            if not rows or rows[0][:2] != ["file", "description"]:
                raise FormatError(f"{table}: begins with {rows[:1]}; expected the columns file and description.")
            return {Path(row[0]).stem: row[1] for row in rows[1:] if len(row) > 1}
        if index.is_file():
            found = re.findall(r"(\d\d_\d\d)[\s|]+([^|\n]+)", index.read_text(encoding="utf-8", errors="replace"))
            return {stem: text.strip() for stem, text in found}
    return {}


def sentences(description: str) -> tuple[str, ...]:
    """Captions for a note of the index."""
    if description in SENTENCES:
        return SENTENCES[description]
    if description.startswith("dance - "):
        return (f"a person dances, {description[8:]}", "a person dances")
    return (f"a person: {description}",)


_ACTIONS = (  # the first that the note holds; the words of laban.data.corpora.folder's tables
    ("jumping jacks", "exercise"), ("jump", "jump"), ("climb", "climb"), ("swordplay", "slash"), ("box", "punch"),
    ("punch", "punch"), ("basketball", "basketball"), ("kick", "kick"), ("soccer", "kick"), ("sit on", "sit-down"),
    ("bend over", "pick-up"), ("traffic", "direct-traffic"), ("drink", "drink"), ("wash", "wash"), ("laugh", "laugh"),
    ("dance", "dance"), ("run", "run"), ("jog", "run"), ("walk", "walk"), ("tai chi", "tai-chi"),
)  # fmt: skip


def action_of(description: str) -> str:
    """One word for what the index's note says, by which clips are balanced; the note itself where none fits."""
    return next((action for words, action in _ACTIONS if words in description), description)


def clips(path: Path) -> list[Clip]:
    """The clip in a file and its mirror image, then those of its part in `PARTS`.

    Raises: FormatError if the index has no text for the file or the clip is under 0.85 s; other LabanErrors as
    the reader raises them.
    """
    description = _descriptions(path.parent).get(path.stem)
    if not description or description == "description":
        raise FormatError(f"{path.name}: neither captions.tsv nor CMU-INDEX.md describes it.")
    motion = bvh.read(path)
    motion = motion.crop((5 if motion.fps < 90 else 9) / motion.fps)
    joints = retarget(motion).resample(HUMANML.fps).joints()
    if len(joints) <= MINIMUM:
        raise FormatError(f"{path.name}: {len(joints)} frames at 20 fps; at least {MINIMUM + 1} are needed.")

    def pair(name: str, joints: np.ndarray, captions: tuple[str, ...], action: str) -> list[Clip]:
        return clip_pair(
            name,
            joints,
            captions,
            subject=path.stem[:2],
            source=path.name,
            split=split_of(path.stem),
            labels={"action": action, "content": description},
        )

    found = pair(path.stem, joints, sentences(description), action_of(description))
    if path.stem in PARTS:
        start, end, action, caption = PARTS[path.stem]
        part = joints[round(start * HUMANML.fps) : round(end * HUMANML.fps)]
        found += pair(f"{path.stem}#{action}", part, (caption,), action)
    return found


class Cmu(MotionSource):
    """The published folder or its archives."""

    name, licence, acknowledgement, archives = "cmu", LICENCE, ACKNOWLEDGEMENT, "cmu*.tar*"

    def items(self, root: Path, skipped: dict[str, str]) -> list[Path]:
        """One BVH per take: the 60-fps files where both rates are there. Sorted by name."""
        found: dict[str, Path] = {}
        for path in sorted(root.rglob("*.bvh"), key=lambda p: ("cmu-raw" in p.parts, str(p))):
            if _NAME.fullmatch(path.name):
                found.setdefault(path.stem, path)
        skipped |= {found[stem].name: reason for stem, reason in EXCLUDED.items() if stem in found}
        return [found[stem] for stem in sorted(found) if stem not in EXCLUDED]

    def clips(self, item: Path) -> list[Clip]:
        """The clip in a file, its mirror image, and stances, starts and stops cut out of it; see `clips`."""
        return with_backward(with_pieces(supported(clips(item))))
