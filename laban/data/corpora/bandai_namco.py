"""The Bandai-Namco Research Motion Dataset 1 and 2: styled actions, 30 fps BVH, labels for captions.

Source: BandaiNamcoResearchInc/Bandai-Namco-Research-Motiondataset, CC BY-NC 4.0. A file is named
`dataset-{1|2}_{content}_{style}_{take}.bvh`. The clips carry a content and a style label and no text; the sentences
here say what the labels support and no more: no objects, places, counts or feelings beyond the style.
Splits: dataset-2 by take number, the same numbers in every content x style cell; dataset-1, where most cells have
one take, by style, three styles held out. A take and its mirror image stay together.
"""

from __future__ import annotations

import re
from pathlib import Path

from laban.data.clips import MINIMUM, clip_pair, supported, with_backward, with_pieces
from laban.data.corpora.source import MotionSource
from laban.data.corpus import Clip
from laban.errors import FormatError
from laban.io import bvh
from laban.motion.humanml import HUMANML
from laban.motion.retarget import retarget

LICENCE = "CC BY-NC 4.0"
ACKNOWLEDGEMENT = "Bandai-Namco Research Motion Dataset, Bandai Namco Research Inc., CC BY-NC 4.0 (non-commercial)."

# content -> the phrases that its clips support; the first is the plainest.
CONTENTS: dict[str, tuple[str, ...]] = {
    "walk": ("walks forward", "walks", "is walking forward"),
    "walk-back": ("walks backward", "is walking backward"),
    "walk-left": ("walks forward and to the left", "walks to the left"),
    "walk-right": ("walks forward and to the right", "walks to the right"),
    "walk-turn-left": ("walks and turns left", "walks forward and turns left", "turns left while walking"),
    "walk-turn-right": ("walks and turns right", "walks forward and turns right", "turns right while walking"),
    "run": ("runs", "runs forward", "is running"),
    "dash": ("dashes forward", "runs very fast"),
    "raise-up-left-hand": ("raises the left hand", "raises their left hand", "is raising the left hand"),
    "raise-up-right-hand": ("raises the right hand", "raises their right hand", "is raising the right hand"),
    "raise-up-both-hands": ("raises both hands", "raises both of their hands", "is raising both hands"),
    "wave-left-hand": ("waves the left hand", "waves with the left hand", "is waving the left hand"),
    "wave-right-hand": ("waves the right hand", "waves with the right hand", "is waving the right hand"),
    "wave-both-hands": ("waves both hands", "waves with both hands", "is waving both hands"),
    "bye": ("waves goodbye with the right hand",),
    "byebye": ("waves goodbye with both hands",),
    "bow": ("bows", "is bowing"),
    "guide": ("makes a guiding gesture with the right arm", "guides someone with a gesture of the right arm"),
    "call": ("calls",),
    "respond": ("responds",),
    "punch": ("punches", "throws a punch"),
    "kick": ("kicks",),
    "slash": ("slashes",),
    "dance-short": ("dances", "is dancing"),
}

STYLES: dict[str, tuple[str, ...]] = {
    "normal": ("",),
    "active": ("energetically", "in an active way"),
    "elderly": ("like an old person", "like an elderly person"),
    "old": ("like an old person", "like an elderly person"),
    "exhausted": ("exhausted", "in an exhausted way"),
    "tired": ("tiredly", "in a tired way"),
    "feminine": ("in a feminine manner", "in a feminine way"),
    "masculine": ("in a masculine manner", "in a masculine way"),
    "masculinity": ("in a masculine manner", "in a masculine way"),
    "youthful": ("like a young person", "in a youthful way"),
    "childish": ("like a child", "in a childish way"),
    "giant": ("like a giant",),
    "chimpira": ("like a street thug",),
    "musical": ("rhythmically", "in a musical way"),
    "not-confident": ("timidly", "without confidence"),
    "proud": ("proudly",),
    "angry": ("angrily",),
    "happy": ("happily",),
    "sad": ("sadly",),
}
MANNERS = {style: phrases[0] for style, phrases in STYLES.items()}
"""The plainest of them."""

TEST_TAKES = frozenset({5, 12, 19, 26})
VAL_TAKES = frozenset({8, 22})
# Held-out styles of dataset-1. Each has a sibling in dataset-2, so that its words stay known.
TEST_STYLES = frozenset({"active", "masculinity", "old"})

# Takes that turn the other way than their label says (net yaw of -88, -77, +259, +99 and +75 degrees).
MISLABELLED = frozenset(
    {
        "dataset-2_walk-turn-left_masculine_006", "dataset-2_walk-turn-left_masculine_007",
        "dataset-2_walk-turn-right_masculine_006", "dataset-2_walk-turn-right_masculine_007",
        "dataset-2_walk-turn-right_normal_004",
    }
)  # fmt: skip

_NAME = re.compile(r"dataset-([12])_([a-z-]+)_([a-z-]+)_(\d+)\.bvh")


def captions(content: str, style: str) -> tuple[str, ...]:
    """Every sentence for a content and a style label; the plainest first. Raises KeyError for unknown labels."""
    sentences = []
    for manner in STYLES[style]:
        for phrase in CONTENTS[content]:
            sentences.append(f"a person {phrase}, {manner}" if manner else f"a person {phrase}")
    return tuple(sentences)


def split_of(number: str, style: str, take: int) -> str:
    """train, val or test, from the file's name alone."""
    if number == "1":
        return "test" if style in TEST_STYLES else "train"
    return "test" if take in TEST_TAKES else "val" if take in VAL_TAKES else "train"


def clips(path: Path) -> list[Clip]:
    """The clip in a file and its mirror image.

    Raises: FormatError for an unknown label or a clip under 0.85 s; other LabanErrors as the reader raises them.
    """
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise FormatError(f"{path.name}: expected dataset-N_content_style_take.bvh.")
    number, content, style, take = match.groups()
    if content not in CONTENTS or style not in STYLES:
        raise FormatError(f"{path.name}: unknown content {content!r} or style {style!r}; no caption can be derived.")
    joints = retarget(bvh.read(path)).resample(HUMANML.fps).joints()
    if len(joints) <= MINIMUM:
        raise FormatError(f"{path.name}: {len(joints)} frames at 20 fps; at least {MINIMUM + 1} are needed.")
    return clip_pair(
        path.stem,
        joints,
        captions(content, style),
        subject=f"dataset-{number}",
        source=path.name,
        split=split_of(number, style, int(take)),
        labels={"action": content, "content": content, "style": style, "take": take},
    )


class BandaiNamco(MotionSource):
    """The published folder or its archives."""

    name, licence, acknowledgement, archives = "bandai-namco", LICENCE, ACKNOWLEDGEMENT, "bandai-namco-*.tar*"

    def items(self, root: Path, skipped: dict[str, str]) -> list[Path]:
        """The BVH files whose names follow the dataset's pattern, sorted by name."""
        found = sorted((p for p in root.rglob("dataset-*.bvh") if _NAME.fullmatch(p.name)), key=lambda p: p.name)
        skipped |= {p.name: "turns the other way than its label says" for p in found if p.stem in MISLABELLED}
        return [p for p in found if p.stem not in MISLABELLED]

    def clips(self, item: Path) -> list[Clip]:
        """The clip in a file, its mirror image, and stances, starts and stops cut out of it; see `clips`."""
        return with_backward(with_pieces(supported(clips(item)), MANNERS))
