"""English word forms by rule, with the irregular verbs of `irregular.tsv`.

Source: the spelling rules of any school grammar (Quirk et al. 1985, A Comprehensive Grammar of the English Language,
sections 3.5 to 3.9 and 5.80), as far as short everyday verbs need them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
VOWELS = "aeiou"
PLURALS = {"feet": "foot", "men": "man", "women": "woman", "children": "child", "people": "person", "knives": "knife"}
PLURALS |= {"halves": "half", "teeth": "tooth", "loaves": "loaf", "buses": "bus", "squats": "squat", "shoes": "shoe"}


@cache
def irregular() -> dict[str, list[tuple[str, str, str]]]:
    """Base form -> (third person, gerund, past) of irregular verbs; `be` has two rows."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for line in (FOLDER / "irregular.tsv").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            base, third, gerund, past = line.split("\t")
            found.setdefault(base, []).append((third, gerund, past))
    return found


def third_person(base: str) -> str:
    """`walk` -> `walks`, `catch` -> `catches`, `carry` -> `carries`."""
    if base in irregular():
        return irregular()[base][0][0]
    if base.endswith("y") and base[-2:-1] not in VOWELS:
        return base[:-1] + "ies"
    return base + ("es" if base.endswith(("s", "sh", "ch", "x", "z", "o")) else "s")


def gerund(base: str) -> str:
    """`walk` -> `walking`, `wave` -> `waving`, `stop` -> `stopping`."""
    if base in irregular():
        return irregular()[base][0][1]
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")):
        return base[:-1] + "ing"
    return base + (base[-1] if _doubles(base) else "") + "ing"


def past(base: str) -> str:
    """`walk` -> `walked`, `wave` -> `waved`, `stop` -> `stopped`, `carry` -> `carried`."""
    if base in irregular():
        return irregular()[base][0][2]
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2:-1] not in VOWELS:
        return base[:-1] + "ied"
    return base + (base[-1] if _doubles(base) else "") + "ed"


def singular(noun: str) -> str:
    """`hands` -> `hand`, `feet` -> `foot`, `boxes` -> `box`, `glass` -> `glass`."""
    if noun in PLURALS:
        return PLURALS[noun]
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("ches", "shes", "xes", "sses")):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) and len(noun) > 3 else noun


def _doubles(base: str) -> bool:
    """One syllable that ends in consonant, vowel, consonant."""
    vowels = sum(a in VOWELS and (i == 0 or base[i - 1] not in VOWELS) for i, a in enumerate(base))
    return (
        vowels == 1
        and len(base) > 2
        and base[-1] not in VOWELS + "wxyh"
        and base[-2] in VOWELS
        and base[-3] not in VOWELS
    )
