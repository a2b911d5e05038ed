"""The timeline document: what an author asks for, in one strict and versioned JSON file.

Command line, Python, service and studio share it. Times are seconds from its start, lengths metres, Y up, +Z forward,
quaternions wxyz, headings radians about +Y. `notes` is the only free place; an unknown key anywhere else is an error
that names the nearest known one.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from laban.config import from_dict, to_dict
from laban.errors import InputError
from laban.io.atomic import replacing
from laban.motion import constraints
from laban.motion.constraints import LONGEST, MOST_ITEMS, Effector, Goals, PoseKey, RootPath
from laban.systems.sentences import MAX_CHARACTERS
from laban.work import ignore

VERSION = "1.0"
KEY = "laban_timeline"
LARGEST = 4 << 20  # bytes of a document
SHORTEST = 0.4  # seconds
SUFFIX = ".timeline.json"


@dataclass(frozen=True)
class Prompt:
    """What happens between two moments, in some parts of the body."""

    start: float
    end: float
    text: str
    id: str = ""
    parts: tuple[str, ...] = ("all",)
    seed: int | None = None
    locked: bool = False


@dataclass(frozen=True)
class Music:
    """A song that is danced to: `start` is the second of the song that is heard at `at`."""

    file: str
    sha256: str | None = None
    start: float = 0.0
    at: float = 0.0
    bpm: float | None = None
    lock_beats: bool = True


@dataclass(frozen=True)
class Source:
    """A motion file that the timeline begins with, from `at` on."""

    file: str
    sha256: str | None = None
    at: float = 0.0


@dataclass(frozen=True)
class Keep:
    """Frames of the source that stay as they are."""

    start: float
    end: float
    parts: tuple[str, ...] = ("all",)


@dataclass(frozen=True)
class Speed:
    """A stretch in which actions go faster (above 1) or slower; places stay."""

    start: float
    end: float
    rate: float


@dataclass(frozen=True)
class CharacterFile:
    """A rigged character to wear the motion, and its mapping file."""

    file: str
    map: str | None = None


@dataclass(frozen=True)
class Timeline:
    """The document; the fields are its keys.

    Attributes:
        length: seconds.
        fps: frames per second of the result.
        samples: candidates drawn, of which the best is finished.
        model: "auto", or weights that make motion from sentences.
        loop: None; "cycle": ends as it begins and can be repeated straight on; "turn": the same, and it may have
            turned.
        root: "travel"; "in_place": without the travel; "root_bone": a bone on the floor carries it (GLB).
    """

    length: float
    name: str = ""
    fps: float = 30.0
    seed: int = 0
    samples: int = 8
    best: int = 1
    model: str = "auto"
    character: CharacterFile | None = None
    prompts: tuple[Prompt, ...] = ()
    music: Music | None = None
    source: Source | None = None
    keep: tuple[Keep, ...] = ()
    poses: tuple[PoseKey, ...] = ()
    paths: tuple[RootPath, ...] = ()
    effectors: tuple[Effector, ...] = ()
    speed: tuple[Speed, ...] = ()
    loop: Literal["cycle", "turn"] | None = None
    root: Literal["travel", "in_place", "root_bone"] = "travel"
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def goals(self) -> Goals:
        """What is asked of places and poses."""
        return Goals(self.poses, self.paths, self.effectors)

    @property
    def whole(self) -> tuple[Prompt, ...]:
        """The prompts that act on the whole body, in order."""
        return tuple(sorted((p for p in self.prompts if "all" in p.parts), key=lambda p: p.start))

    @property
    def layers(self) -> tuple[Prompt, ...]:
        """The prompts that act on parts of the body, in order."""
        return tuple(sorted((p for p in self.prompts if "all" not in p.parts), key=lambda p: p.start))

    def record(self) -> dict[str, Any]:
        """JSON-able, as the file holds it."""
        found = {KEY: VERSION, **to_dict(self)}
        for key in found["poses"]:
            key["from"] = key.pop("source")
        return found

    @property
    def sha256(self) -> str:
        """Digest of the document's content, whatever its spacing."""
        return hashlib.sha256(json.dumps(self.record(), sort_keys=True).encode()).hexdigest()

    def write(self, path: str | Path) -> None:
        """Writes the document, whole or not at all."""
        with replacing(path) as file:
            file.write_text(json.dumps(self.record(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: str | Path, warn: Callable[[str], None] = ignore) -> Timeline:
        """The document of a file.

        Args:
            path: of the file.
            warn: told of keys that a later 1.x may have.
        Raises: InputError for a file that is absent, too large, no JSON, of another version, or whose content cannot
            be.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(f"{path}: there is no such file. A timeline is a JSON document, see docs/authoring.md.")
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path}: is larger than {LARGEST >> 20} MiB. Split the timeline.")
        try:
            values = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_no_constant)
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError, ValueError) as error:
            raise InputError(f"{path}: is no JSON ({error}). Expected an object with {KEY!r}: {VERSION!r}.") from None
        return parse(values, warn, f"{path}: ")


def parse(values: Any, warn: Callable[[str], None] = ignore, where: str = "timeline: ") -> Timeline:
    """A timeline from what JSON gave.

    Args:
        values: of the document.
        warn: told of keys that a later 1.x may have.
        where: what messages begin with.
    Raises: InputError, as `Timeline.read`.
    """
    if not isinstance(values, Mapping):
        raise InputError(f"{where}got a {type(values).__name__}; expected an object with {KEY!r}: {VERSION!r}.")
    values = dict(values)
    minor = _minor(values.pop(KEY, None), where)
    if isinstance(values.get("poses"), list):
        values["poses"] = [_renamed(pose) for pose in values["poses"]]
    if minor > int(VERSION.split(".")[1]):
        values = _pruned(Timeline, values, "", lambda key: warn(f"{where}{key} is of a later version; left out."))
    try:
        made = from_dict(Timeline, values)
    except InputError as error:
        raise InputError(where + str(error).removeprefix("config field ").removeprefix("config ")) from None
    return checked(made, where)


def _minor(version: Any, where: str) -> int:
    found = re.fullmatch(r"1\.(\d{1,3})", version) if isinstance(version, str) else None
    if found is None:
        raise InputError(
            f"{where}{KEY} is {version!r}; expected {VERSION!r}. Is this a timeline of this version of Laban?"
        )
    return int(found[1])


def _renamed(pose: Any) -> Any:
    """A pose with the key `from` as the field is called; `source` is no key of the document."""
    if not isinstance(pose, Mapping):
        return pose
    if "source" in pose:
        raise InputError("timeline: a pose has the key 'source'; did you mean 'from'?")
    return {("source" if key == "from" else key): value for key, value in pose.items()}


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _pruned(kind: type, values: Any, place: str, told: Callable[[str], None]) -> Any:
    """`values` without keys that a dataclass does not have."""
    if not isinstance(values, Mapping):
        return values
    hints, kept = get_type_hints(kind), {}
    for key, value in values.items():
        name = f"{place}.{key}" if place else str(key)
        if key not in hints:
            told(name)
            continue
        inner = _dataclass_in(hints[key])
        if inner is not None and isinstance(value, list):
            value = [_pruned(inner, each, f"{name}[{n}]", told) for n, each in enumerate(value)]
        elif inner is not None:
            value = _pruned(inner, value, name, told)
        kept[key] = value
    return kept


def _dataclass_in(hint: Any) -> type | None:
    if is_dataclass(hint) and isinstance(hint, type):
        return hint
    return (
        next((found for each in get_args(hint) if (found := _dataclass_in(each))), None) if get_origin(hint) else None
    )


# What a document must be


def checked(made: Timeline, where: str = "timeline: ") -> Timeline:
    """The same timeline. Raises: InputError that says what was found, what was expected, what to do."""
    if not (math.isfinite(made.length) and SHORTEST <= made.length <= LONGEST):
        raise InputError(f"{where}length is {made.length:g} s; expected {SHORTEST:g} to {LONGEST:g}.")
    for name, low, high in (("fps", 1, 240), ("seed", 0, 2**31 - 1), ("samples", 1, 64), ("best", 1, 1)):
        value = getattr(made, name)
        if not low <= value <= high:
            raise InputError(f"{where}{name} is {value:g}; expected {low} to {high}.")
    _check_stretches(made, where)
    _check_apart(made, where)
    if made.keep and made.source is None:
        raise InputError(f"{where}keep says which frames of a source stay, but there is no source. Name one.")
    for keep in made.keep:
        constraints.check_parts(keep.parts, f"{where}keep")
    constraints.checked(made.goals, made.length, where)
    ids = [p.id for p in made.prompts if p.id] + [g.id for g in made.goals.all if g.id]
    for name in ids:
        if ids.count(name) > 1:
            raise InputError(f"{where}the id {name!r} is used twice. Rename one.")
    return made


def _check_stretches(made: Timeline, where: str) -> None:
    for name in ("prompts", "keep", "speed"):
        group = getattr(made, name)
        if len(group) > MOST_ITEMS:
            raise InputError(f"{where}{name}: {len(group)} of them; expected at most {MOST_ITEMS}.")
        for number, each in enumerate(group):
            if not (0 <= each.start < each.end <= made.length + 1e-6):
                raise InputError(
                    f"{where}{name}[{number}]: from {each.start:g} to {each.end:g} s; expected a stretch within the "
                    f"{made.length:g} s, start before end."
                )
    for number, prompt in enumerate(made.prompts):
        _check_prompt(prompt, f"{where}prompts[{number}]")
    for number, speed in enumerate(made.speed):
        if not 0.5 <= speed.rate <= 2.0:
            raise InputError(f"{where}speed[{number}]: rate is {speed.rate:g}; expected 0.5 to 2.")


def _check_prompt(prompt: Prompt, place: str) -> None:
    constraints.check_parts(prompt.parts, place)
    if not prompt.text.strip() or not prompt.text.isprintable() or len(prompt.text) > MAX_CHARACTERS:
        raise InputError(
            f"{place}: text is {prompt.text[:60]!r}; expected a sentence of at most {MAX_CHARACTERS} characters."
        )
    if prompt.end - prompt.start < SHORTEST:
        raise InputError(f"{place}: lasts {prompt.end - prompt.start:g} s; expected {SHORTEST:g} or more.")
    if prompt.seed is not None and not 0 <= prompt.seed < 2**31:
        raise InputError(f"{place}: seed is {prompt.seed}; expected 0 or more.")


def _check_apart(made: Timeline, where: str) -> None:
    for one, two in pairwise(made.whole):
        if two.start < one.end - 1e-6:
            raise InputError(
                f"{where}prompts {one.text!r} (to {one.end:g} s) and {two.text!r} (from {two.start:g} s) overlap on "
                "the whole body; expected one after the other. Move one, or give it parts."
            )
    rows = sorted(made.speed, key=lambda s: s.start)
    for a, b in pairwise(rows):
        if b.start < a.end - 1e-6:
            raise InputError(
                f"{where}speed: stretches at {a.start:g} and {b.start:g} s overlap; expected one rate at a time."
            )
    layers = made.layers
    for n, first in enumerate(layers):
        for second in layers[n + 1 :]:
            if second.start < first.end - 1e-6 and set(first.parts) & set(second.parts):
                raise InputError(
                    f"{where}prompts {first.text!r} and {second.text!r} overlap on {', '.join(first.parts)}. Move one."
                )


# Files that a document names


def located(name: str, folder: Path, *, allow_outside: bool, sha256: str | None = None) -> Path:
    """A file that a document names.

    Args:
        name: as the document has it.
        folder: of the document.
        allow_outside: whether it may lie elsewhere.
        sha256: that the file must have.
    Raises: InputError for a file outside the folder, absent, or with other content.
    """
    path = (folder / name).resolve()
    if not allow_outside and not path.is_relative_to(folder.resolve()):
        raise InputError(
            f"{name}: lies outside the timeline's folder {folder}. Move it there, or give --allow-outside."
        )
    if not path.is_file():
        raise InputError(f"{name}: there is no such file beside the timeline, in {folder}.")
    if sha256 is not None and hashlib.sha256(path.read_bytes()).hexdigest() != sha256.lower():
        raise InputError(
            f"{name}: is another file than the timeline names (its SHA-256 differs). Restore it, or leave sha256 out."
        )
    return path


def only(made: Timeline, id_: str) -> Timeline:
    """The timeline with one goal or prompt alone made anew: other goals go. Raises: InputError for an unknown id."""
    names = [each.id for each in (*made.prompts, *made.goals.all) if each.id]
    constraints.known("id", id_, names, "--only")

    def mine(group: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(each for each in group if each.id == id_)

    return replace(made, poses=mine(made.poses), paths=mine(made.paths), effectors=mine(made.effectors))
