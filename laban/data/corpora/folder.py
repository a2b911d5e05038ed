"""Any folder of motion files with captions: what a user trains on, and the form that the smaller corpora come in.

A folder holds motion files of any kind that Laban reads and, in it or in folders below, one or more `captions.tsv`
(tab-separated, UTF-8, one header line, no quoting). A row captions a stretch of a file beside the table:

    file        name of the motion file, relative to the table
    captions    one or more English sentences separated by `|`, the plainest first
    start_s, end_s   optional: seconds from the file's first frame; empty: the whole file
    action      optional: one word for the main action (clips are balanced by it); empty: the first caption
    subject, label, kind, licence, source_id   optional: who, the source's own name, captured or keyed, terms, origin
    in_place    optional: 1 for a walk or run whose travel was taken out; it is put back from the standing feet
    loop        optional: 1 where the last frame equals the first; short loops are repeated

Splits: by file of origin (`source_id` up to its first space, else `file`), from a hash of its name, within actions
that come from five files or more; rarer actions are for training alone, since one clip cannot be both learnt and
held out.
"""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from laban import formats
from laban.data.clips import clip_pair, supported, with_backward, with_pieces
from laban.data.corpora.bandai_namco import MANNERS
from laban.data.corpora.source import MotionSource, signature
from laban.data.corpus import Clip
from laban.data.cycles import lengthened, unsupported, with_travel
from laban.errors import FormatError, InputError
from laban.motion.humanml import HUMANML
from laban.motion.retarget import retarget

COLUMNS = (
    "file", "start_s", "end_s", "captions", "action", "label", "subject", "kind", "in_place", "loop", "licence",
    "source_id",
)  # fmt: skip
HELD_OUT = 5  # files of origin that an action needs before some are held out
TRAVELS = frozenset(
    {"walk", "run", "walk-back", "run-back", "run-side", "run-shoot", "run-slash", "crouch-walk", "carry"}
)


@dataclass(frozen=True)
class FolderRow:
    """A stretch of a motion file and its captions.

    Attributes:
        path: the motion file.
        start: seconds, or None for the file's own.
        end: seconds, or None for the file's own.
        captions: at least one.
    """

    path: Path
    table: Path
    number: int
    captions: tuple[str, ...]
    start: float | None = None
    end: float | None = None
    action: str = ""
    label: str = ""
    subject: str = "unknown"
    kind: str = ""
    in_place: bool = False
    loop: bool = False
    licence: str = ""
    source_id: str = ""

    @property
    def stem(self) -> str:
        """A name of its own within the folder: the table's folder, the file, and the stretch where there is one."""
        stretch = "" if self.start is None else f"@{self.start:g}"
        return f"{self.table.parent.name}/{self.path.stem}{stretch}"

    @property
    def name(self) -> str:
        """The same with the file's suffix, to be shown."""
        return f"{self.table.parent.name}/{self.path.name}, line {self.number}"

    @property
    def origin(self) -> str:
        """What the splits never part."""
        source = self.source_id.split(" ", 1)[0] if " frames " in self.source_id else ""
        return source or f"{self.table.parent.name}/{self.path.name}"


def tables(folder: Path) -> list[Path]:
    """Every captions.tsv in `folder` or below, sorted."""
    return sorted(folder.rglob("captions.tsv"))


def rows(folder: Path) -> list[FolderRow]:
    """All rows of all tables.

    Raises: FormatError, naming table and line, for a missing column, a file that is not there, a number that is none,
        or a row without a caption.
    """
    return [row for table in tables(folder) for row in _rows_of(table)]


def _rows_of(table: Path) -> Iterator[FolderRow]:
    with table.open(newline="", encoding="utf-8", errors="replace") as handle:
        reader = csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        columns = reader.fieldnames or []
        missing = {"file", "captions"} - set(columns)
        if missing:
            raise FormatError(
                f"{table}: no column {sorted(missing)[0]!r} in its first line; expected tab-separated columns, file "
                f"and captions at least, of {', '.join(COLUMNS)}."
            )
        unknown = [name for name in columns if name not in COLUMNS]
        if unknown:
            raise FormatError(f"{table}: unknown column {unknown[0]!r}; known: {', '.join(COLUMNS)}.")
        for number, cells in enumerate(reader, 2):
            yield _row(table, number, {k: (v or "").strip() for k, v in cells.items() if k})


def _row(table: Path, number: int, cells: dict[str, str]) -> FolderRow:
    where = f"{table}, line {number}"
    path = table.parent / cells["file"]
    if not path.resolve().is_relative_to(table.parent.resolve()):
        raise FormatError(f"{where}: the file {cells['file']!r} is not inside the table's folder.")
    if not path.is_file():
        raise FormatError(f"{where}: no such file {cells['file']!r}; expected one beside the table.")
    captions = tuple(dict.fromkeys(c.strip() for c in cells["captions"].split("|") if c.strip()))
    if not captions:
        raise FormatError(f"{where}: no caption for {cells['file']!r}; give at least one sentence.")
    start, end = (_seconds(where, name, cells.get(name, "")) for name in ("start_s", "end_s"))
    if end is not None and end <= (start or 0.0):
        raise FormatError(f"{where}: end_s {end:g} is not after start_s {start or 0.0:g}.")
    return FolderRow(
        path, table, number, captions, start or None, end,
        action=cells.get("action") or captions[0], label=cells.get("label", ""),
        subject=cells.get("subject") or "unknown", kind=cells.get("kind", ""),
        in_place=_flag(where, "in_place", cells), loop=_flag(where, "loop", cells),
        licence=cells.get("licence", ""), source_id=cells.get("source_id", ""),
    )  # fmt: skip


def _seconds(where: str, name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e6:
        raise FormatError(f"{where}: {name} is {text!r}; expected seconds from the file's first frame, 0 or more.")
    return value


def _flag(where: str, name: str, cells: dict[str, str]) -> bool:
    text = cells.get(name, "")
    if text not in ("", "0", "1"):
        raise FormatError(f"{where}: {name} is {text!r}; expected 0 or 1.")
    return text == "1"


def splits_of(every: list[FolderRow]) -> dict[str, str]:
    """{origin: train, val or test}, from hashes of the origins."""
    origins: dict[str, set[str]] = defaultdict(set)
    for row in every:
        origins[row.action].add(row.origin)
    rare = {row.origin for row in every if len(origins[row.action]) < HELD_OUT}
    return {row.origin: "train" if row.origin in rare else _split(row.origin) for row in every}


def _split(origin: str) -> str:
    place = hashlib.sha256(origin.encode()).digest()[0] % 17
    return "test" if place < 2 else "val" if place == 2 else "train"


def clips(row: FolderRow, split: str) -> list[Clip]:
    """The clip of a row and its mirror image, at 20 fps on the 22 joints.

    Clips shorter than a second are lengthened: loops by repetition, others by holding their ends. A walk or run
    `in_place` gets its travel back from its standing feet, and stays as it is under "in place" besides.

    Raises: FormatError where nothing is left of the stretch; other LabanErrors as the reader raises them.
    """
    motion = formats.read(row.path)
    if row.start is not None or row.end is not None:
        motion = motion.crop(row.start or 0.0, row.end)
    joints = retarget(motion).resample(HUMANML.fps).joints()
    if len(joints) < 6:
        raise FormatError(f"{row.stem}: {len(joints)} frames at 20 fps are no action.")
    variants = [(row.stem, joints, row.captions, row.action)]
    if row.in_place and row.action in TRAVELS:
        placed = (f"{row.stem}#in-place", joints, tuple(f"{c} in place" for c in row.captions), row.action)
        moved = with_travel(joints)
        variants = [placed]
        if unsupported(moved) < (0.25 if "walk" in row.action or row.action == "carry" else 0.6):
            variants.append((row.stem, moved, row.captions, row.action))
    found = []
    for identity, points, captions, action in variants:
        found += clip_pair(
            identity,
            lengthened(points, loop=row.loop or row.in_place),
            captions,
            subject=f"{row.table.parent.name}/{row.subject}",
            source=row.origin,
            split=split,
            labels={"action": action, "content": row.label, "kind": row.kind, "licence": row.licence},
        )
    return found


class Folder(MotionSource):
    """What `laban data prepare folder` reads; it is prepared under the folder's own name."""

    def __init__(self, src: Path) -> None:
        """Read the tables of a folder.

        Raises: InputError if there is none, or no row; FormatError as `rows` does.
        """
        super().__init__(src)
        if not src.is_dir() or not tables(src):
            raise InputError(
                f"data prepare: {src} holds no captions.tsv. Put one beside the motion files: tab-separated, first "
                "line file and captions, then a line per clip (docs/data.md)."
            )
        self.rows = rows(src)
        if not self.rows:
            raise InputError(f"data prepare: the captions.tsv in {src} has no line below its first.")
        self.name = src.resolve().name
        self.splits = splits_of(self.rows)
        self.licence = "; ".join(dict.fromkeys(row.licence for row in self.rows if row.licence)) or "not stated"

    def items(self, root: Path, skipped: dict[str, str]) -> list[FolderRow]:
        """One item per row; rows are left out for what their motion shows, not for their names."""
        return self.rows

    def clips(self, item: FolderRow) -> list[Clip]:
        """As the function `clips`, in the row's split, with stances, starts and stops cut out of it."""
        return with_backward(with_pieces(supported(clips(item, self.splits[item.origin])), MANNERS))

    def signature(self) -> str:
        """A cheap fingerprint: the tables' text, the files' sizes."""
        facts = [row.table.read_text(errors="replace") for row in self.rows if row.number == 2]
        return signature("".join(facts), sum(row.path.stat().st_size for row in self.rows))
