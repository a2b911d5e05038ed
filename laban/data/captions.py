"""Captions from labels, and their mirror images.

Bandai-Namco's clips carry a content and a style label and no text; the sentences here say what the labels
support and no more: no objects, places, counts or feelings beyond the style.
"""

from __future__ import annotations

import re

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

_SWAPS = {"left": "right", "right": "left", "clockwise": "counterclockwise", "counterclockwise": "clockwise"}
_SWAPS |= {"leftward": "rightward", "rightward": "leftward", "leftwards": "rightwards", "rightwards": "leftwards"}
_SWAPS |= {"lefts": "rights", "rights": "lefts"}
_WORD = re.compile(r"\b(" + "|".join(sorted(_SWAPS, key=len, reverse=True)) + r")\b", re.IGNORECASE)


def captions(content: str, style: str) -> tuple[str, ...]:
    """Every sentence for a content and a style label; the plainest first. Raises KeyError for unknown labels."""
    sentences = []
    for manner in STYLES[style]:
        for phrase in CONTENTS[content]:
            sentences.append(f"a person {phrase}, {manner}" if manner else f"a person {phrase}")
    return tuple(sentences)


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
