"""What a model's data shows: its actions, with an example, the captions, minutes and licences; `vocabulary.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from laban.errors import InputError, WeightsError
from laban.io.atomic import replacing

NAME = "vocabulary.json"
FIELDS: dict[str, Any] = {"action": str, "example": str, "captions": list, "minutes": (int, float), "licences": list}


@dataclass(frozen=True)
class Row:
    """A captioned stretch of motion, as the training side has it.

    action: one normalised word for the main action, as in `actions.tsv`: walk, sit-down.
    captions: sentences, the plainest first.
    seconds: its length.
    licence: under which it may be used.
    """

    action: str
    captions: tuple[str, ...]
    seconds: float
    licence: str


@dataclass(frozen=True)
class Entry:
    """One action that the data shows.

    example: a sentence that the model was trained on.
    captions: all such sentences, the most frequent first.
    minutes: how much there is of it, without mirror images.
    licences: of the clips that show it.
    """

    action: str
    example: str
    captions: tuple[str, ...]
    minutes: float
    licences: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """The actions of the data, those with the most minutes first."""

    entries: tuple[Entry, ...]

    @cached_property
    def by_action(self) -> dict[str, Entry]:
        """Action -> entry."""
        return {entry.action: entry for entry in self.entries}

    @cached_property
    def captions(self) -> dict[str, str]:
        """Caption in lower case without a full stop -> its action: what the planner leaves whole."""
        return {said.lower().rstrip("."): entry.action for entry in self.entries for said in entry.captions}

    @classmethod
    def read(cls, folder: Path | str) -> Vocabulary:
        """Read `vocabulary.json` of a folder of weights, or the file itself.

        Raises: WeightsError for a file that is missing, is no JSON, or holds anything but entries in this form.
        """
        path = Path(folder)
        path = path / NAME if path.is_dir() else path
        try:
            rows = json.loads(path.read_text("utf-8"))
        except OSError:
            raise WeightsError(f"{path}: is missing; it lists what the model was trained on. Train again.") from None
        except ValueError as error:
            raise WeightsError(f"{path}: is no JSON ({error}). Restore the file that came with the weights.") from None
        if not isinstance(rows, list) or not rows:
            raise WeightsError(f"{path}: expected a list of actions. Restore the file that came with the weights.")
        found = cls(tuple(_entry(row, f"{path}, action {n}") for n, row in enumerate(rows, start=1)))
        if len(found.by_action) != len(found.entries):
            raise WeightsError(f"{path}: an action stands in it twice. Restore the file that came with the weights.")
        return found

    def write(self, folder: Path | str) -> None:
        """Write `vocabulary.json` into a folder. Raises: InputError if it cannot be written."""
        rows = [asdict(entry) for entry in self.entries]
        text = "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n"
        with replacing(Path(folder) / NAME) as path:
            path.write_text(text, "utf-8")


def build(rows: Iterable[Row]) -> Vocabulary:
    """The vocabulary of captioned clips. Mirror images are to be left out: they are no further minutes.

    Raises: InputError for no row, or one without an action, a caption, or a positive length.
    """
    counts: dict[str, dict[str, int]] = {}
    seconds: dict[str, float] = {}
    licences: dict[str, dict[str, None]] = {}
    for number, row in enumerate(rows, start=1):
        if not row.action or not row.captions or not all(row.captions) or not row.seconds > 0:
            raise InputError(f"vocabulary: row {number} ({row!r}) needs an action, captions and a length above 0.")
        said = counts.setdefault(row.action, {})
        for caption in row.captions:
            said[caption] = said.get(caption, 0) + 1
        seconds[row.action] = seconds.get(row.action, 0.0) + row.seconds
        licences.setdefault(row.action, {})[row.licence] = None
    if not counts:
        raise InputError("vocabulary: there is no captioned clip; give at least one row.")
    entries = []
    for action in sorted(counts, key=lambda a: (-seconds[a], a)):
        captions = tuple(sorted(counts[action], key=lambda c: (-counts[action][c], len(c), c)))
        minutes = round(seconds[action] / 60, 3)
        entries.append(Entry(action, captions[0], captions, minutes, tuple(sorted(licences[action]))))
    return Vocabulary(tuple(entries))


def _entry(row: Any, where: str) -> Entry:
    if not isinstance(row, dict) or set(row) != set(FIELDS):
        have = sorted(row) if isinstance(row, dict) else type(row).__name__
        raise WeightsError(f"{where}: has {have}, expected {', '.join(FIELDS)}.")
    for name, kind in FIELDS.items():
        if not isinstance(row[name], kind) or isinstance(row[name], bool):
            raise WeightsError(f"{where}: {name} is {row[name]!r}, which is not as expected.")
    for name in ("captions", "licences"):
        if not row[name] or not all(isinstance(text, str) and text for text in row[name]):
            raise WeightsError(f"{where}: {name} is to be a list of texts, and not empty.")
    if not row["action"] or not row["example"] or not row["minutes"] >= 0:
        raise WeightsError(f"{where}: action and example may not be empty, nor minutes be negative.")
    return Entry(row["action"], row["example"], tuple(row["captions"]), float(row["minutes"]), tuple(row["licences"]))
