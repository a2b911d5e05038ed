"""Routes in a clause: in place, circles, turns by degrees, zigzags, straight lines."""

from __future__ import annotations

import re

from laban.language.plan import Route
from laban.language.quantities import NUMBER, cut, number

_CLOCK = r"(?:clockwise|counter-?clockwise|anti-?clockwise)"
_SIDE = re.compile(rf"\b(?P<clock>{_CLOCK})\b|\b(?:to|towards?) (?:the|his|her|their|its) (?P<side>left|right)\b")
_BARE_SIDE = re.compile(r"\b(?P<side>left|right)(?:wards?)?\b(?! (?:hand|arm|leg|foot|side|knee|fist))")
_IN_PLACE = re.compile(r"\b(?:in place|on the spot|at the spot|on (?:a|the) treadmill)\b")
_CIRCLE = re.compile(
    rf"\b(?:around )?in (?:an? |the )?(?:small |large |big |wide |tight |little |full |complete |whole )*"
    rf"(?:(?P<clock>{_CLOCK}) )?(?:(?P<part>half|quarter)[ -])?(?P<what>circles?|semi-?circle|arc|ring)\b"
    rf"|\b(?P<n>{NUMBER}|a|an) (?:small |large |big |wide |full )*(?P<half>half[ -])?circles?\b"
)
_DEGREES = re.compile(r"\b(?:by |through |about |for )?(?P<n>\d+(?:\.\d+)?)[ -]?(?:degrees?|deg)\b")
_NAMED = re.compile(
    r"\b(?:does|do|makes?|performs?|takes?) (?:a|one) "
    r"(?P<part>quarter|half|full|complete|three-quarter|180 degree|90 degree|360 degree)[ -]turn\b"
    r"|\b(?:does|do|makes?|performs?|takes?) a u-turn\b"
)
_AROUND = re.compile(r"\bturn(?:s|ing)? (?:around|about|round|backwards?)\b")
_ZIGZAG = re.compile(r"\b(?:in )?(?:an? )?zig-?zags?(?: (?:pattern|line|path))?\b")
_STRAIGHT = re.compile(r"\b(?:in a straight line|in a line|straight (?:ahead|on|forwards?)|straight)\b")
_SHAPE = re.compile(
    r"\bin an? (?P<shape>figure[ -](?:of )?(?:eight|8)|square|triangle|spiral|rectangle|s-shape|s-curve|oval)\b"
)
PARTS = {"quarter": 90.0, "half": 180.0, "three-quarter": 270.0, "full": 360.0, "complete": 360.0}
PARTS |= {"90 degree": 90.0, "180 degree": 180.0, "360 degree": 360.0}


def take_side(text: str, bare: bool = True) -> tuple[str, str | None]:
    """Cut a side out: `to the left`, `clockwise`, with `bare` also `left`."""
    match = _SIDE.search(text) or (_BARE_SIDE.search(text) if bare else None)
    if match is None:
        return text, None
    return cut(text, match), _side_of(match)


def take_route(text: str, travels: bool, turns: bool, count: int | None) -> tuple[str, Route | None, str | None, bool]:
    """Cut a route out of a clause.

    Args:
        text: the words of the clause from the verb on.
        travels: the verb goes somewhere (walks, runs).
        turns: the clause turns (turns, spins), alone or beside travel.
        count: how often it is said to happen: `in a circle twice`.
    Returns: the text without it; the route, None where none is named; a shape that no route can be made of, or None;
        whether the count is used up.
    """
    shape = _SHAPE.search(text)
    if shape is not None and travels:
        return text, None, shape["shape"], False
    if travels and (match := _CIRCLE.search(text)):
        rest, side = take_side(cut(text, match))
        return rest, _circle(match, side, count), None, True
    if match := _NAMED.search(text):
        rest, side = take_side(cut(text, match))
        side = side or "left"
        degrees = PARTS[match["part"]] if match["part"] else 180.0
        return f"turns {side} {rest}", Route("turn", side, degrees), None, False
    if turns:
        return _turn(text, count)
    if travels and (match := _IN_PLACE.search(text)):
        return cut(text, match), Route("in_place"), None, False
    if travels and (match := _ZIGZAG.search(text)):
        return cut(text, match), Route("zigzag"), None, False
    if travels and (match := _STRAIGHT.search(text)):
        return cut(text, match), Route("straight"), None, False
    return text, None, None, False


def _turn(text: str, count: int | None) -> tuple[str, Route | None, str | None, bool]:
    around = _AROUND.search(text)
    if match := _DEGREES.search(text):
        rest = cut(text, match)
        degrees = float(match["n"])
        if around:  # "turns backward 180 degrees"
            rest, side = take_side(rest, bare=False)
            rest = re.sub(r"\b(turn(?:s|ing)?) (?:about|round|backwards?)\b", r"\1 around", rest)
            return rest, Route("turn", side or "left", degrees), None, False
        rest, side = take_side(rest)
        if re.search(r"\bspin|\btwirl|\brotat|\bwhirl", text) and side is None:
            return rest, Route("turn", "left", degrees), None, False
        side = side or "left"
        rest = re.sub(r"\b(turn(?:s|ing)?|rotates?|pivots?|swivels?|spins?)\b", rf"\1 {side}", rest, count=1)
        return rest, Route("turn", side, degrees), None, False
    if around:
        rest, side = take_side(text, bare=False)
        rest = re.sub(r"\b(turn(?:s|ing)?) (?:about|round|backwards?)\b", r"\1 around", rest)
        return rest, Route("turn", side or "left", 180.0 * (count or 1)), None, count is not None
    return text, None, None, False


def _circle(match: re.Match[str], side: str | None, count: int | None) -> Route:
    side = _clock(match["clock"]) if match["clock"] else side or "left"
    if match["n"]:
        turns = (1.0 if match["n"] in ("a", "an") else number(match["n"])) * (0.5 if match["half"] else 1.0)
    elif match["what"].startswith("semi") or match["part"] == "half":
        turns = 0.5
    elif match["what"] == "arc" or match["part"] == "quarter":
        turns = 0.25
    else:
        turns = 2.0 if match["what"] == "circles" else 1.0
    if count is not None:
        turns = turns * count if match["what"] != "circles" else float(count)
    return Route("circle", side, turns=turns)


def _side_of(match: re.Match[str]) -> str:
    clock = match.groupdict().get("clock")
    return _clock(clock) if clock else match["side"]


def _clock(word: str) -> str:
    return "left" if word.startswith(("counter", "anti")) else "right"
