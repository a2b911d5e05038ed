"""The text of a BVH file as plain data: `parse(bytes)` gives a `Layout`, whose numbers mean nothing yet.

There is no specification of BVH; the grammar here is what Biovision's files and their imitators share. Keywords
are taken in any case, white space and line ends are free, and a joint's name is the rest of its line (or what
stands before `{`), so that names may hold spaces and colons. Nothing here recurses, and nothing is allocated
before the declared sizes were compared with the data.
"""

from __future__ import annotations

import itertools
import math
import re
from array import array
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise

import numpy as np

from laban.errors import FormatError
from laban.motion.skeleton import MAX_JOINTS

MAX_BYTES = 128 * 2**20
MAX_NAME = 200
LONG_LINE = 2**20

CHANNELS = {
    name + kind: (kind == "rotation", axis) for axis, name in enumerate("xyz") for kind in ("position", "rotation")
}
_TOKEN = re.compile(r"[{}]|[^\s{}]+|\n")
_MOTION = re.compile(rb"^[ \t]*MOTION[ \t]*$", re.IGNORECASE | re.MULTILINE)
_FRAMES = re.compile(rb"\s*Frames[ \t]*:[ \t]*(\S+)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_FRAME_TIME = re.compile(rb"\s*Frame[ \t]+Time[ \t]*:[ \t]*(\S+)[ \t]*$", re.IGNORECASE | re.MULTILINE)


@dataclass
class Node:
    """One joint, or one End Site (`end`), as it stands in the file."""

    name: str
    parent: int
    end: bool = False
    offset: tuple[float, float, float] | None = None
    channels: tuple[tuple[bool, int], ...] = ()  # (is it a rotation, axis 0-2), in the order of the file
    declared: bool = False  # a CHANNELS line was seen
    first: int = 0  # column of the first channel


@dataclass
class Layout:
    """A BVH file in its own units: nodes parents first, `values` (T, channels), `frame_time` in seconds."""

    nodes: list[Node] = field(default_factory=list)
    values: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    frame_time: float = 0.0
    notes: tuple[str, ...] = ()  # what was mended


def parse(data: bytes, what: str) -> Layout:
    """Take a BVH file apart.

    Args:
        data: the file's bytes.
        what: how messages call it, normally the path.
    Raises: FormatError for anything that is not well-formed hierarchies with the motion that they declare.
    """
    if not data.strip():
        raise FormatError(f"{what}: the file is empty; a BVH file begins with HIERARCHY.")
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not data.lstrip()[:9].upper() == b"HIERARCHY":
        raise FormatError(f"{what}: not a BVH file: it begins with {data.lstrip()[:12]!r}, expected HIERARCHY.")
    motion = _MOTION.search(data)
    if motion is None:
        raise FormatError(f"{what}: there is no MOTION line; the file is truncated or not BVH.")
    try:
        header = data[: motion.start()].decode("utf-8")
    except UnicodeDecodeError:
        header = data[: motion.start()].decode("latin-1")
    nodes = _hierarchy(header, what)
    width = sum(len(n.channels) for n in nodes)
    values, frame_time, notes = _motion(data[motion.end() :], width, what)
    return Layout(nodes, values, frame_time, notes)


class _Tokens:
    """The words of the hierarchy, with the number of the line for messages."""

    def __init__(self, text: str, what: str) -> None:
        self._matches = _TOKEN.finditer(text)
        self.what = what
        self.line = 1

    def next(self, expected: str) -> str:
        for match in self._matches:
            token = match.group()
            if token != "\n":
                return token
            self.line += 1
        raise self.error(f"the hierarchy ends where {expected} was expected; the file is truncated")

    def rest_of_line(self) -> tuple[str, bool]:
        """The words up to the line's end, and whether an opening brace ended them."""
        words: list[str] = []
        for match in self._matches:
            token = match.group()
            if token == "\n":
                self.line += 1
                return " ".join(words), False
            if token == "{":
                return " ".join(words), True
            words.append(token)
            if len(words) > MAX_NAME:
                raise self.error(f"a name of more than {MAX_NAME} words")
        return " ".join(words), False

    def number(self, expected: str) -> float:
        token = self.next(expected)
        try:
            value = float(token)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or abs(value) > 1e9:
            raise self.error(f"{expected} is {token[:40]!r}; a finite number was expected")
        return value

    def error(self, message: str) -> FormatError:
        return FormatError(f"{self.what}: line {self.line}: {message}.")


def _hierarchy(text: str, what: str) -> list[Node]:
    tokens = _Tokens(text, what)
    tokens.next("HIERARCHY")
    nodes: list[Node] = []
    open_nodes: list[int] = []  # the stack of joints whose brace is still open
    columns = 0

    def begin(name: str, opened: bool, end: bool) -> None:
        if not name and not end:
            raise tokens.error("a joint without a name")
        if len(name) > MAX_NAME:
            raise tokens.error(f"a joint's name has {len(name)} letters; at most {MAX_NAME} are taken")
        if len(nodes) >= MAX_JOINTS:
            raise tokens.error(f"more than {MAX_JOINTS} joints; that is not a body")
        if not opened and (got := tokens.next("'{'")) != "{":
            raise tokens.error(f"{name or 'End Site'!r} is followed by {got[:40]!r}; '{{' was expected")
        if open_nodes and nodes[open_nodes[-1]].end:
            raise tokens.error("a joint inside an End Site")
        nodes.append(Node(name, open_nodes[-1] if open_nodes else -1, end))
        open_nodes.append(len(nodes) - 1)

    while True:
        if nodes and not open_nodes:  # the root is closed: only white space or a second root may follow
            try:
                token = tokens.next("")
            except FormatError:
                break
            if token.upper() == "ROOT":
                begin(*tokens.rest_of_line(), end=False)
                continue
            raise tokens.error(f"{token[:40]!r} after the hierarchy; MOTION was expected (one '}}' too many?)")
        token = tokens.next("ROOT" if not nodes else "'}'")
        word = token.upper()
        if word == "ROOT" and not nodes:
            begin(*tokens.rest_of_line(), end=False)
        elif not nodes:
            raise tokens.error(f"{token[:40]!r} stands where ROOT was expected")
        elif word == "JOINT":
            begin(*tokens.rest_of_line(), end=False)
        elif word == "END":
            rest, opened = tokens.rest_of_line()
            if rest.split()[:1] and rest.split()[0].upper() != "SITE":
                raise tokens.error(f"'End {rest[:40]}' where 'End Site' was expected")
            begin("", opened, end=True)
        elif word == "OFFSET":
            x, y, z = (tokens.number("an OFFSET value") for _ in range(3))
            if nodes[open_nodes[-1]].offset is not None:
                raise tokens.error(f"{nodes[open_nodes[-1]].name!r} has two OFFSET lines")
            nodes[open_nodes[-1]].offset = (x, y, z)
        elif word == "CHANNELS":
            node = nodes[open_nodes[-1]]
            if node.end or node.declared:
                raise tokens.error("CHANNELS in an End Site" if node.end else f"{node.name!r} has two CHANNELS lines")
            node.channels = _channels(tokens, node.name)
            node.declared, node.first = True, columns
            columns += len(node.channels)
        elif token == "}":
            node = nodes[open_nodes.pop()]
            if node.offset is None:
                raise tokens.error(f"{node.name or 'End Site'!r} has no OFFSET")
        else:
            raise tokens.error(f"unknown word {token[:40]!r}; OFFSET, CHANNELS, JOINT, End Site or '}}' was expected")
    return nodes


def _channels(tokens: _Tokens, name: str) -> tuple[tuple[bool, int], ...]:
    token = tokens.next("the number of channels")
    count = int(token) if token.isascii() and token.isdigit() and len(token) < 3 else -1
    if not 0 <= count <= 6:
        raise tokens.error(f"{name!r} declares {token[:40]!r} channels; 0 to 6 were expected")
    channels = []
    for _ in range(count):
        word = tokens.next("a channel")
        if word.lower() not in CHANNELS:
            raise tokens.error(f"{name!r}: unknown channel {word[:40]!r}; {count} of Xposition … Zrotation expected")
        channels.append(CHANNELS[word.lower()])
    positions = [axis for turn, axis in channels if not turn]
    turns = [axis for turn, axis in channels if turn]
    if len(set(positions)) < len(positions) or len(turns) > 3 or any(a == b for a, b in pairwise(turns)):
        raise tokens.error(f"{name!r} names a channel twice")
    return tuple(channels)


def _motion(block: bytes, width: int, what: str) -> tuple[np.ndarray, float, tuple[str, ...]]:
    frames_line = _FRAMES.match(block)
    time_line = _FRAME_TIME.match(block, frames_line.end()) if frames_line else None
    if frames_line is None or time_line is None:
        raise FormatError(f"{what}: MOTION must be followed by 'Frames: N' and 'Frame Time: S'; they are missing.")
    token = frames_line.group(1)
    frames = int(token) if token.isdigit() and len(token) < 12 else 0
    if frames < 1:
        raise FormatError(f"{what}: 'Frames: {_shown(token)}'; a whole number above 0 was expected.")
    try:
        frame_time = float(time_line.group(1))
    except ValueError:
        frame_time = math.nan
    if not 1e-5 <= frame_time <= 1e3:
        shown = _shown(time_line.group(1))
        raise FormatError(f"{what}: 'Frame Time: {shown}'; seconds between 0.00001 and 1000 were expected.")
    if width == 0:
        raise FormatError(f"{what}: no joint has a channel; there is no motion to read.")
    block = block[time_line.end() :]
    counts = array("I", filter(None, map(_count, BytesIO(block))))
    notes: tuple[str, ...] = ()
    if sum(counts) != frames * width and (whole := _whole_rows(counts, frames, width)):
        block = b"\n".join(itertools.islice((line for line in BytesIO(block) if line.strip()), whole))
        notes = (f"it says {frames} frames and has {len(counts)} rows; the {whole} whole ones were read",)
        frames, counts = whole, counts[:whole]
    if sum(counts) != frames * width:
        raise FormatError(
            f"{what}: {sum(counts)} numbers in {len(counts)} lines; {frames} frames of {width} channels need "
            f"{frames * width}. The file is truncated, or its Frames or CHANNELS lines are wrong."
        )
    if len(counts) == frames and any(count != width for count in counts):
        row = next(i for i, count in enumerate(counts) if count != width)
        raise FormatError(f"{what}: frame {row} has {counts[row]} numbers; {width} channels were declared.")
    try:
        values = np.fromstring(block, sep=" ")
    except ValueError:
        values = np.zeros(0)
    if values.size != frames * width:
        raise FormatError(f"{what}: the motion lines hold something that is not a number: {_culprit(block)}.")
    values = values.reshape(frames, width)
    bad = ~(np.abs(values) <= 1e9)
    if bad.any():
        frame, column = np.argwhere(bad)[0]
        raise FormatError(
            f"{what}: frame {frame}, channel {column} is {values[frame, column]}; finite numbers below 1e9 were "
            "expected. Repair or cut these frames."
        )
    return values, frame_time, notes


def _whole_rows(counts: array[int], frames: int, width: int) -> int:
    """How many rows can be used of those that do not match the declared frames: one frame a line, the last one cut."""
    whole = len(counts) - int(bool(counts) and counts[-1] != width)
    return min(whole, frames) if all(count == width for count in counts[:whole]) else 0


def _count(line: bytes) -> int:
    """How many words a line has; a line of megabytes is not taken apart into millions of objects."""
    if len(line) < LONG_LINE:
        return len(line.split())
    blank = np.frombuffer(line, np.uint8) <= ord(" ")
    return int(np.count_nonzero(blank[:-1] & ~blank[1:])) + int(not blank[0])


def _shown(token: bytes) -> str:
    return token[:40].decode("ascii", "backslashreplace")


def _culprit(block: bytes) -> str:
    for token in block.split():
        try:
            float(token)
        except ValueError:
            return repr(_shown(token))
    return "two numbers without a space between them"
