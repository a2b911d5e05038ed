"""The Bandai-Namco Research Motion Dataset 1 and 2: styled actions, 30 fps BVH, labels for captions.

Source: BandaiNamcoResearchInc/Bandai-Namco-Research-Motiondataset, CC BY-NC 4.0. A file is named
`dataset-{1|2}_{content}_{style}_{take}.bvh`.
Splits: dataset-2 by take number, the same numbers in every content x style cell; dataset-1, where most cells have
one take, by style, three styles held out. A take and its mirror image stay together.
"""

from __future__ import annotations

import re
from pathlib import Path

from laban.data.captions import CONTENTS, STYLES, captions
from laban.data.clips import MINIMUM, clip_pair
from laban.data.corpus import Clip
from laban.errors import FormatError
from laban.io import bvh
from laban.motion.humanml import HUMANML
from laban.motion.retarget import retarget

LICENCE = "CC BY-NC 4.0"
ACKNOWLEDGEMENT = "Bandai-Namco Research Motion Dataset, Bandai Namco Research Inc., CC BY-NC 4.0 (non-commercial)."
ARCHIVES = "bandai-namco-*.tar*"

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


def files(folder: Path) -> list[Path]:
    """The BVH files under `folder` whose names follow the dataset's pattern, sorted by name."""
    return sorted((p for p in folder.rglob("dataset-*.bvh") if _NAME.fullmatch(p.name)), key=lambda p: p.name)


def split_of(number: str, style: str, take: int) -> str:
    """train, val or test, from the file's name alone."""
    if number == "1":
        return "test" if style in TEST_STYLES else "train"
    return "test" if take in TEST_TAKES else "val" if take in VAL_TAKES else "train"


def excluded(path: Path) -> str | None:
    """Why a file is left out, or None."""
    return "turns the other way than its label says" if path.stem in MISLABELLED else None


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
        labels={"content": content, "style": style, "take": take},
    )
