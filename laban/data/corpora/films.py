"""MSR-VTT and HowTo100M as their owners publish them, as shards of small captioned clips.

MSR-VTT: `train_val_videodatainfo.json` and `test_videodatainfo.json` with `videos` (video_id, split) and `sentences`
(video_id, caption), and the clips `VIDEO_ID.mp4` in any folder below; they are cut already.
HowTo100M: `caption.json`, {video_id: {"start": [s], "end": [s], "text": [...]}}, and films named by their id below.
It has no split: videos are dealt by a hash of their id, 98 % train, 1 % val, 1 % test.

A broken film is skipped and counted. How GODIVA takes frames is not stated; ours are spread evenly over a clip.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from laban.data.corpora.source import Film, FilmSource
from laban.errors import FormatError, InputError
from laban.io import frames

MSRVTT_SPLITS = {"train": "train", "validate": "val", "test": "test"}


@dataclass(frozen=True)
class Part:
    """A part of a film and its captions; end None: to the film's end."""

    film: Path
    captions: tuple[str, ...]
    split: str
    start: float = 0.0
    end: float | None = None


def msrvtt(src: Path) -> Iterator[Part | str]:
    """Every clip of the published lists that has a caption; a string says why one is left out."""
    lists = sorted(src.rglob("*videodatainfo*.json"))
    if not lists:
        raise InputError(f"{src}: no *_videodatainfo.json in it; expected MSR-VTT as published.")
    films = _films(src)
    for path in lists:
        about = _json(path)
        try:
            said: dict[str, list[str]] = {}
            for sentence in about["sentences"]:
                text = str(sentence["caption"]).strip()
                if text:
                    said.setdefault(sentence["video_id"], []).append(text)
            videos = [(str(v["video_id"]), str(v["split"])) for v in about["videos"]]
        except (KeyError, TypeError) as error:
            raise FormatError(f"{path}: not MSR-VTT's list ({error!r}); expected videos and sentences.") from None
        for name, split in videos:
            if split not in MSRVTT_SPLITS:
                yield f"{name}: split {split!r} is unknown"
            elif name not in films:
                yield f"{name}: the film is missing"
            elif name not in said:
                yield f"{name}: no caption"
            else:
                yield Part(films[name], tuple(said[name]), MSRVTT_SPLITS[split])


def howto100m(src: Path) -> Iterator[Part | str]:
    """Every narrated part of the films that are there, of a second or more; films that are absent are not named."""
    path = src / "caption.json"
    if not path.is_file():
        raise InputError(f"{src}: no caption.json in it; expected HowTo100M as published.")
    films = _films(src)
    about = _json(path)
    for name in sorted(set(films) & set(about)):
        said = about[name]
        try:
            rows = list(zip(said["start"], said["end"], said["text"], strict=True))
        except (KeyError, TypeError, ValueError) as error:
            yield f"{name}: captions are not start, end, text of one length ({error!r})"
            continue
        dealt = zlib.crc32(name.encode()) % 100
        split = "val" if dealt == 98 else "test" if dealt == 99 else "train"
        for start, end, text in rows:
            if isinstance(text, str) and text.strip() and float(end) - float(start) >= 1.0:
                yield Part(films[name], (text.strip(),), split, float(start), float(end))


class MsrVtt(FilmSource):
    """A folder with MSR-VTT's lists and clips."""

    name, licence = "msrvtt", "MSR-VTT: research use; the clips belong to their makers on YouTube"

    def parts(self) -> Iterator[Part | str]:
        """See `msrvtt`."""
        return msrvtt(self.src)

    def films(self, shape: tuple[int, int, int], most: int, skipped: dict[str, str]) -> Iterator[Film]:
        """The parts that can be cut; `most` is not used, since no caption is made up here."""
        for part in self.parts():
            if isinstance(part, str):
                name, _, reason = part.partition(": ")
                skipped[name] = reason
                continue
            place = part.film.name if part.end is None else f"{part.film.name} at {part.start:g} s"
            try:
                pixels = frames.cut(part.film, *shape, start=part.start, end=part.end)
            except FormatError as error:
                skipped[place] = str(error)
                continue
            seconds = 0.0 if part.end is None else part.end - part.start
            facts = {"source": part.film.name, "start": part.start, "end": part.end}
            yield Film(pixels, part.split, part.captions, seconds, facts)


class HowTo100M(MsrVtt):
    """A folder with HowTo100M's caption.json and films."""

    name, licence = "howto100m", "HowTo100M: research use; the films belong to their makers on YouTube"

    def parts(self) -> Iterator[Part | str]:
        """See `howto100m`."""
        return howto100m(self.src)


def _films(src: Path) -> dict[str, Path]:
    return {p.stem: p for p in sorted(src.rglob("*")) if p.suffix.lower() in frames.FILMS}


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda _: math.nan)
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not readable as JSON ({str(error)[:80]}); fetch it again.") from None
    if not isinstance(found, dict):
        raise FormatError(f"{path}: holds a {type(found).__name__}, expected an object.")
    return found
