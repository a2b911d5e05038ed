"""Lengths, counts and tempo in a clause: found, cut out, and told as numbers."""

from __future__ import annotations

import re

_UNITS = "one two three four five six seven eight nine ten eleven twelve".split()
NUMBERS = {word: float(n) for n, word in enumerate(_UNITS, start=1)}
NUMBERS |= {"fifteen": 15.0, "twenty": 20.0, "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0}
NUMBERS |= {"a couple of": 2.0, "a few": 3.0, "several": 3.0, "a dozen": 12.0, "one and a half": 1.5}
NUMBERS |= {"half a": 0.5, "half an": 0.5, "a": 1.0, "an": 1.0, "a single": 1.0, "another": 1.0}
_WORDS = "|".join(sorted((w for w in NUMBERS if w not in ("a", "an", "another")), key=len, reverse=True))
NUMBER = rf"(?:\d+(?:\.\d+)?|{_WORDS})"
_ONE = r"(?:a|an|another)"
_UNIT = r"(?P<unit>seconds?|secs?|s|minutes?|mins?)"
_ABOUT = r"(?:about |around |exactly |roughly |at least |just |another |the )*"

_RANGE = rf"(?P<n>{NUMBER})(?: (?:to|or) (?P<m>{NUMBER}))?"
_LENGTHS = (
    re.compile(
        rf"\b(?:for|lasting|during|over|within) {_ABOUT}(?:{_RANGE}|(?P<one>{_ONE})) (?P<half>and a half )?{_UNIT}\b"
    ),
    re.compile(rf"(?<![\w.]){_RANGE} (?P<half>and a half )?(?P<one>(?!))?{_UNIT}\b(?: long)?"),
)
_WHILES = (
    (re.compile(r"\bfor (?:a|one|just a) (?:short |brief )?(?:moment|instant|bit)\b|\bbriefly\b"), 2.0),
    (re.compile(r"\bfor a short (?:time|while)\b"), 2.0),
    (re.compile(r"\bfor (?:a|some) (?:long )?(?:while|time)\b"), 6.0),
)  # fmt: skip
_COUNTS = (
    re.compile(rf"\b(?P<n>{NUMBER}) times(?: in a row)?\b"),
    re.compile(r"(?<!at )\b(?P<n>once|twice|thrice)\b(?! more)"),
)
_TEMPO = re.compile(
    r"\b(?P<very>very |really |extremely |incredibly |super )?"
    r"(?P<how>slowly|slow|slower|leisurely|quickly|quick|fast|faster|rapidly|swiftly|speedily|hurriedly)\b"
)
_MOTION = re.compile(r"\bin slow[ -]motion\b")
SLOW, VERY_SLOW, FAST, VERY_FAST, SLOW_MOTION = 0.75, 0.6, 1.25, 1.5, 0.5
STEP_SECONDS, SHORTEST_STEPS = 0.6, 0.8  # of a walking step, and of the shortest stretch of steps
WALKING, RUNNING = 1.2, 2.7  # m/s
_DISTANCE = re.compile(
    rf"\b(?:for |about )?(?P<n>{NUMBER}) (?P<unit>meters?|metres?|m|feet|foot|ft|yards?)\b"
    r"(?! (?:away|high|tall|wide|deep))"
)
_STEPS = re.compile(rf"\b(?P<n>{NUMBER}|{_ONE}) (?:big |small |quick |long |short |slow )?(?:steps?|paces?|strides?)\b")


def number(text: str) -> float:
    """`three`, `3`, `2.5`, `a couple of`, `half a` as a number."""
    return NUMBERS[text] if text in NUMBERS else float(text)


def cut(text: str, match: re.Match[str]) -> str:
    """The text without the match."""
    return f"{text[: match.start()]} {text[match.end() :]}"


def take_seconds(text: str) -> tuple[str, float | None]:
    """Cut a length out: `walks for 5 seconds` -> (`walks`, 5.0). None where none is named."""
    for pattern in _LENGTHS:
        if match := pattern.search(text):
            value = 1.0 if match["one"] else number(match["n"])
            value = (value + number(match["m"])) / 2 if match["m"] else value
            value += 0.5 if match["half"] else 0.0
            value *= 60.0 if match["unit"].startswith("min") else 1.0
            return cut(text, match), value or None
    for pattern, value in _WHILES:
        if match := pattern.search(text):
            return cut(text, match), value
    return text, None


def take_count(text: str) -> tuple[str, int | None]:
    """Cut a count out: `bows twice` -> (`bows`, 2)."""
    for pattern in _COUNTS:
        if match := pattern.search(text):
            found = {"once": 1.0, "twice": 2.0, "thrice": 3.0}.get(match["n"])
            return cut(text, match), max(1, round(number(match["n"]) if found is None else found))
    return text, None


def take_steps(text: str) -> tuple[str, float | None]:
    """Cut a count of steps out: `walks two steps backward` -> (`walks backward`, 1.2 seconds)."""
    match = _STEPS.search(text)
    if match is None:
        return text, None
    return cut(text, match), max(SHORTEST_STEPS, round(number(match["n"]) * STEP_SECONDS, 2))


def take_distance(text: str, runs: bool) -> tuple[str, float | None]:
    """Cut a distance out, as the seconds that it takes at a usual pace: `walks 3 meters` -> (`walks`, 2.5)."""
    match = _DISTANCE.search(text)
    if match is None:
        return text, None
    metres = number(match["n"]) * {"f": 0.3048, "y": 0.9144, "m": 1.0}[match["unit"][0]]
    return cut(text, match), max(SHORTEST_STEPS, round(metres / (RUNNING if runs else WALKING), 1))


def tempo_of(text: str) -> float | None:
    """The tempo that a clause names, None for the usual one. `slowly` and the like stay in the text."""
    match = _TEMPO.search(text)
    if match is None:
        return None
    if match["how"].startswith(("slow", "leisurely")):
        return VERY_SLOW if match["very"] else SLOW
    return VERY_FAST if match["very"] else FAST


def take_slow_motion(text: str) -> tuple[str, float | None]:
    """Cut `in slow motion` out."""
    match = _MOTION.search(text)
    return (text, None) if match is None else (cut(text, match), SLOW_MOTION)
