"""The mirror image of a caption: left and right exchanged."""

from __future__ import annotations

import re

_SWAPS = {"left": "right", "right": "left", "clockwise": "counterclockwise", "counterclockwise": "clockwise"}
_SWAPS |= {"leftward": "rightward", "rightward": "leftward", "leftwards": "rightwards", "rightwards": "leftwards"}
_SWAPS |= {"lefts": "rights", "rights": "lefts"}
_WORD = re.compile(r"\b(" + "|".join(sorted(_SWAPS, key=len, reverse=True)) + r")\b", re.IGNORECASE)


def mirror(text: str) -> str:
    """The sentence for the mirrored motion: left and right exchanged, case kept."""

    def swap(match: re.Match[str]) -> str:
        word = match.group(0)
        other = _SWAPS[word.lower()]
        return other.upper() if word.isupper() else other.capitalize() if word[0].isupper() else other

    return _WORD.sub(swap, text)


def mirror_label(label: str) -> str:
    """A content label with left and right exchanged: walk-turn-left -> walk-turn-right."""
    return "-".join(_SWAPS.get(part, part) for part in label.split("-"))
