"""Scripts: lines of text with seconds, and where each line and each block of tokens begins. No torch."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from laban.errors import InputError
from laban.systems.requests import TextRequest
from laban.systems.sentences import check_sentence, read_lines

MAX_LINES = 10_000
MIN_SECONDS = 0.4
"""Of a line: two tokens."""


@dataclass(frozen=True)
class Line:
    """What happens for how long; `seed` instead of the script's for the draws of this line."""

    text: str
    seconds: float | None = None
    seed: int | None = None


_TAIL = re.compile(r"@\s*(\S*)\s*$")
_SEED = re.compile(r"#\s*seed\s*=?\s*(\S*)\s*$")


def parse_line(text: str, where: str) -> Line:
    """`a person walks forward @4`, or with a seed of its own: `a person walks forward @4 #seed 7`.

    Raises: InputError, naming `where`, for no text, no seconds after @, two lengths or seeds, a seed that is none, and
        for @ or # anywhere else: what was meant by it would be lost.
    """
    rest, seconds, seed = " ".join(text.split()), None, None
    while found := _SEED.search(rest) or _TAIL.search(rest):
        if found.re is _SEED:
            if not (found[1].isascii() and found[1].isdigit()):
                raise InputError(f"{where}: seed is {found[1]!r}, expected a whole number of 0 or more.")
            if seed is not None:
                raise InputError(
                    f"{where}: has more than one seed ({text.strip()!r}); give one #seed NUMBER at the end."
                )
            seed = int(found[1])
        else:
            try:
                given = float(found[1].removesuffix("s"))
            except ValueError:
                raise InputError(f"{where}: after @ stands {found[1]!r}, expected seconds, for example @4.") from None
            if seconds is not None:
                raise InputError(f"{where}: has more than one length ({text.strip()!r}); give one @SECONDS at the end.")
            seconds = given
        rest = rest[: found.start()].rstrip()
    if "@" in rest:
        raise InputError(
            f"{where}: has an @ before its end ({text.strip()[:80]!r}); give one @SECONDS, after the text, and another "
            "line for what happens next."
        )
    if "#" in rest:
        raise InputError(
            f"{where}: has a # in it ({text.strip()[:80]!r}); a seed is written '#seed 7' at the end, a comment is a "
            "line of a file that begins with #."
        )
    return checked_line(Line(rest, seconds, seed), where)


def checked_line(line: Line, where: str, longest: float = 600.0) -> Line:
    """The line, or InputError for no text, text that is none, or seconds out of range."""
    if not isinstance(line.text, str) or not line.text.strip():
        raise InputError(f"{where}: has no text; say what the person does, for example 'a person walks forward @4'.")
    check_sentence(line.text, where)
    if line.seconds is not None and not (math.isfinite(line.seconds) and MIN_SECONDS <= line.seconds <= longest):
        short = line.seconds < MIN_SECONDS
        raise InputError(
            f"{where}: lasts {line.seconds:g} s; expected {MIN_SECONDS:g} to {longest:g} s. "
            + ("Nobody can do it in less; give it a second or two." if short else "Write it as several lines.")
        )
    if line.seed is not None and (isinstance(line.seed, bool) or not isinstance(line.seed, int) or line.seed < 0):
        raise InputError(f"{where}: seed is {line.seed!r}, expected a whole number of 0 or more.")
    return line


def parse(texts: Sequence[str | Line]) -> list[Line]:
    """Lines given as texts, or as they are. Raises: InputError for none, too many, or a bad one."""
    lines = [
        parse_line(text, f"line {i}") if isinstance(text, str) else checked_line(text, f"line {i}")
        for i, text in enumerate(texts, start=1)
    ]
    return _counted(lines, "the script")


def read(path: Path) -> list[Line]:
    """A script file: one line each, blank lines and # comments skipped.

    Raises: InputError for a file that cannot be read or holds no line, or a bad line.
    """
    rows = read_lines(path, "A script has one line each: a person walks forward @4")
    return _counted([parse_line(row, where) for row, where in rows], str(path))


def _counted(lines: list[Line], where: str) -> list[Line]:
    if not lines:
        raise InputError(f"{where} is empty; give at least one line, for example 'a person walks forward @4'.")
    if len(lines) > MAX_LINES:
        raise InputError(f"{where} has {len(lines)} lines; expected at most {MAX_LINES}. Use several scripts.")
    return lines


@dataclass(frozen=True)
class Span:
    """A line, or an equal part of a long one, as tokens [start, stop) of the whole; `line` counts from 0."""

    line: int
    text: str
    start: int
    stop: int
    seed: int | None = None


def spans(lines: Iterable[Line], fps: float, stride: int, default: float, part: int) -> Iterator[Span]:
    """The spans of lines as they come; a line ends with the token that its last frame, counted from the first line
    on, falls into, so that no rounding adds up.
    """
    seconds, at = 0.0, 0
    for number, line in enumerate(lines):
        seconds += default if line.seconds is None else line.seconds
        stop = max(at + 1, -(-round(seconds * fps) // stride))
        pieces = -(-(stop - at) // part)
        cuts = [at + (stop - at) * i // pieces for i in range(pieces + 1)]
        for a, b in zip(cuts[:-1], cuts[1:], strict=True):
            yield Span(number, line.text, a, b, line.seed)
        at = stop


class Planner:
    """Blocks of tokens from spans that may still be arriving.

    A block ends where no seam is near, so that the tokens at a seam are made knowing both lines: the last place
    within `block` tokens that is `margin` from every seam; where lines are too short for that, the place that is
    farthest from one. To end a block the script must be known for `block + margin` tokens, or to its end.
    """

    def __init__(self, source: Iterator[Span], block: int, margin: int) -> None:
        self.source, self.block, self.margin = source, block, margin
        self.spans: list[Span] = []  # from the one that holds the next token on
        self.at = 0
        self.ended = False

    def next(self) -> tuple[int, int] | None:
        """[start, stop) of the next block, None when the script is over. `spans` then covers it."""
        self.spans = [s for s in self.spans if s.stop > self.at]
        while not self.ended and (not self.spans or self.spans[-1].stop < self.at + self.block + self.margin):
            span = next(self.source, None)
            if span is None:
                self.ended = True
            else:
                self.spans.append(span)
        if not self.spans:
            return None
        last = self.spans[-1].stop
        if self.ended and last <= self.at + self.block:
            stop = last
        else:
            seams = [s.stop for s in self.spans if s.stop > self.at and (s.stop < last or not self.ended)]

            def clear(place: int) -> int:
                return min(self.margin, *(abs(place - seam) for seam in seams), self.margin)

            smallest = max(1, self.block // 3)
            stop = max(range(self.at + smallest, min(self.at + self.block, last) + 1), key=lambda p: (clear(p), p))
        found = self.at, stop
        self.at = stop
        return found


def parsed(line: Line | TextRequest | str, number: int, longest: float) -> Line:
    """A line of a script, checked. Raises: InputError."""
    where = f"kmm: line {number}"
    if isinstance(line, TextRequest):
        line = Line(line.text, line.seconds)
    if isinstance(line, Line):
        return checked_line(line, where, longest)
    if isinstance(line, str):
        return checked_line(parse_line(line, where), where, longest)
    raise InputError(f"{where}: got a {type(line).__name__}, expected a Line or a text such as 'a person walks @4'.")


class Counted:
    """Checked lines as they come, and the frames of all of them so far. Raises: InputError for no line."""

    def __init__(self, script: Iterable[Line | TextRequest | str], longest: float, default: float, fps: float) -> None:
        if isinstance(script, str):
            raise InputError("kmm: the script is one string; give a list of lines, each such as 'a person walks @4'.")
        self.source, self.longest, self.default, self.fps = iter(script), longest, default, fps
        self.number, self.seconds = 0, 0.0
        self.first = next(self.source, None)
        if self.first is None:
            raise InputError("kmm: the script is empty; give at least one line.")

    @property
    def frames(self) -> int:
        """Frames of the lines so far."""
        return round(self.seconds * self.fps)

    def __iter__(self) -> Iterator[Line]:
        line: Line | TextRequest | str | None = self.first
        while line is not None:
            self.number += 1
            checked = parsed(line, self.number, self.longest)
            self.seconds += self.default if checked.seconds is None else checked.seconds
            yield checked
            line = next(self.source, None)
