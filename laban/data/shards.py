"""Clips in webdataset's layout, written and streamed: tar files whose members share a key, `KEY.png` and `KEY.json`.

A shard is read from its beginning to its end and never held whole, from a disk or from an address (http, https, file),
so a corpus may be larger than memory, and than the disk of one machine: a process trains on the shards of its list.
Ours hold a strip of frames (.png, lossless) and `{"captions": [...]}`; foreign ones may hold a film (.mp4, .webm, …)
and `.json` with captions or `.txt` with one per line. What cannot be used is skipped and counted.

The order: shards shuffled per round, samples shuffled within blocks of BLOCK. Its state (round, shard, block, place) is
saved with a run, so a killed run goes on with the next sample.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from laban.data.corpus import SPLITS
from laban.data.videos import Example, VideoSource, check_split
from laban.errors import FormatError, InputError
from laban.io import frames as pictures
from laban.io.atomic import replacing

INDEX, LIST = "shards.json", "shards.txt"
FORMAT = 1
BLOCK = 256  # samples shuffled together
_MAX_MEMBER_BYTES = 1 << 28  # bytes of one member
_SCAN = 20_000  # captions of foreign shards that are read for the vocabulary


def is_shards(path: Path) -> bool:
    """Whether a path holds shards: a folder with shards.json, shards.txt or .tar files, or a list ending in .txt."""
    if path.is_file():
        return path.suffix == ".txt"
    return (path / INDEX).is_file() or (path / LIST).is_file() or next(path.glob("*-*.tar"), None) is not None


class ShardWriter:
    """Writes samples of a corpus into `folder`, one series of shards per split; the index comes last.

    Args:
        name: of the corpus.
        licence: of the corpus.
        shape: (frames, size, channels) of every sample.
        per_shard: samples.
    """

    def __init__(
        self, folder: Path, name: str, licence: str, shape: tuple[int, int, int], per_shard: int = 1000
    ) -> None:
        self.folder, self.per_shard = folder, per_shard
        self.about: dict[str, Any] = {"format": FORMAT, "corpus": name, "licence": licence, "shape": list(shape)}
        self.counts: Counter[str] = Counter()
        self.captions: dict[str, None] = {}
        self._waiting: dict[str, list[tuple[str, np.ndarray, dict[str, Any]]]] = {}
        self._shards: dict[str, list[str]] = {split: [] for split in SPLITS}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / INDEX).unlink(missing_ok=True)
        for old in folder.glob("*-*.tar"):
            old.unlink()

    def add(self, split: str, pixels: np.ndarray, captions: Iterable[str], **facts: Any) -> None:
        """One sample: pixels (T, S, S, C) uint8, its captions, and JSON-able facts."""
        captions = list(captions)
        if list(pixels.shape[:2]) + [pixels.shape[-1]] != self.about["shape"]:
            raise ValueError(f"pixels {pixels.shape} do not have the corpus's shape {self.about['shape']}")
        rows = self._waiting.setdefault(check_split(split), [])
        rows.append((f"{self.counts[split]:08d}", pixels, {"captions": captions, **facts}))
        self.counts[split] += 1
        self.captions |= dict.fromkeys(captions)
        if len(rows) == self.per_shard:
            self._flush(split)

    def close(self, **facts: Any) -> None:
        """Write what waits, and the index. Raises InputError if there was nothing."""
        if not self.counts:
            raise InputError(f"{self.folder}: no clip could be used; nothing written.")
        for split in list(self._waiting):
            self._flush(split)
        words = sorted(self.captions) if len(self.captions) <= 50_000 else _one_of_each_word(self.captions)
        index = {**self.about, **facts, "counts": dict(self.counts), "shards": self._shards, "captions": words}
        with replacing(self.folder / INDEX) as beside:
            beside.write_text(json.dumps(index, indent=1))

    def _flush(self, split: str) -> None:
        rows = self._waiting.pop(split, [])
        if not rows:
            return
        name = f"{split}-{len(self._shards[split]):06d}.tar"
        with replacing(self.folder / name) as beside, tarfile.open(beside, "w") as tar:
            for key, frames, facts in rows:
                image = io.BytesIO()
                picture = frames.reshape(-1, *frames.shape[2:])  # one below the other
                Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(image, format="PNG")
                for suffix, data in (("png", image.getvalue()), ("json", json.dumps(facts).encode())):
                    member = tarfile.TarInfo(f"{key}.{suffix}")
                    member.size = len(data)
                    tar.addfile(member, io.BytesIO(data))
        self._shards[split].append(name)


def _one_of_each_word(captions: Iterable[str]) -> list[str]:
    kept: list[str] = []
    known: set[str] = set()
    for text in captions:
        words = set(text.lower().split())
        if not words <= known:
            known |= words
            kept.append(text)
    return kept


class ShardedVideos(VideoSource):
    """Clips streamed from shards.

    Args:
        shards: split -> addresses.
        shape: (frames, size, channels) that every clip is brought to.
    """

    def __init__(
        self, shards: Mapping[str, list[str]], shape: tuple[int, int, int], about: Mapping[str, Any] | None = None
    ) -> None:
        about = about or {}
        self.shards = {split: list(shards.get(split, [])) for split in SPLITS}
        self.frames, self.size, self.channels = shape
        self.names = (str(about.get("corpus", "shards")),)
        self.licences = (str(about.get("licence", "unknown: ask the owners of the clips")),)
        self.counts: dict[str, int] = dict(about.get("counts", {}))
        self.mean, self.std = np.full(shape[2], 0.5, np.float32), np.full(shape[2], 0.25, np.float32)
        self.skipped: Counter[str] = Counter()  # reason -> samples that could not be used
        self._captions: list[str] | None = about.get("captions")
        stamp = json.dumps([self.shards, shape, about.get("counts"), about.get("captions")], sort_keys=True)
        self._fingerprint = hashlib.sha256(stamp.encode()).hexdigest()[:16]

    @classmethod
    def open(cls, path: str | Path, frames: int, size: int, channels: int) -> ShardedVideos:
        """A folder that `laban data prepare` wrote, a folder of shards, or a list of shards, one address per line.

        In names, `val-` and `test-` mark these splits; every other shard is for training. Raises: InputError,
        FormatError.
        """
        path = Path(path)
        index = path / INDEX
        if index.is_file():
            try:
                about = json.loads(index.read_text())
                shards = {split: [str(path / name) for name in names] for split, names in about["shards"].items()}
                shape = tuple(int(n) for n in about["shape"])
                if about["format"] != FORMAT or len(shape) != 3:
                    raise ValueError(f"format {about['format']}, shape {shape}")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise FormatError(f"{index}: damaged ({error}); prepare the corpus again.") from None
            return cls(shards, shape, about)
        if path.is_dir() and not (path / LIST).is_file():
            names = [str(p) for p in sorted(path.glob("*.tar"))]
        else:
            file = path / LIST if path.is_dir() else path
            lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
            names = [n if "://" in n else str(file.parent / n) for n in lines if n and not n.startswith("#")]
        if not names:
            raise InputError(f"{path}: names no shard; expected .tar files, or their addresses one per line.")
        shards = {split: [n for n in names if _split_of(n) == split] for split in SPLITS}
        return cls(shards, (frames, size, channels))

    @property
    def fingerprint(self) -> str:
        """A hash of the list of shards and of the index; the clips themselves are not read."""
        return self._fingerprint

    def captions(self) -> list[str]:
        """Of the index; of foreign shards the first 20,000. Raises InputError if there is no caption at all."""
        if self._captions is None:
            found: dict[str, None] = {}
            for _, members in self._samples(self.shards["train"]):
                found |= dict.fromkeys(_captions(members))
                if len(found) >= _SCAN:
                    break
            self._captions = list(found)
        if not self._captions:
            raise InputError(f"{', '.join(self.names)}: no clip has a caption; text to video cannot be trained on it.")
        return self._captions

    def count(self, split: str) -> int:
        """Clips of a split as the index says; of foreign shards the number of shards."""
        return self.counts.get(check_split(split), 0) if self.counts else len(self.shards[split])

    def summary(self) -> list[str]:
        """For the model card."""
        unit = "clips" if self.counts else "shards"
        return [f"Trained on {self.count('train')} {unit} of {', '.join(self.names)}."]

    def stream(self, split: str) -> ShardStream:
        """Training examples. Raises InputError if the split is empty."""
        if not self.shards[check_split(split)]:
            raise InputError(f"{', '.join(self.names)}: split {split!r} has no shard; expected {split}-….tar files.")
        return ShardStream(self, split)

    def read(self, address: str) -> Iterator[Example]:
        """The usable clips of a shard in order; others are counted in `skipped`."""
        for key, members in self._samples([address]):
            captions = _captions(members)
            if not captions:
                self._skip("no caption", f"{address}: {key}")
                continue
            try:
                pixels = self._pixels(key, members)
            except FormatError as error:
                self._skip("broken or without frames", str(error))
                continue
            yield Example(pixels, captions[0], {"captions": captions, "key": key})

    def _pixels(self, key: str, members: Mapping[str, bytes]) -> np.ndarray:
        if "png" in members:
            try:
                image = np.asarray(Image.open(io.BytesIO(members["png"])).convert("L" if self.channels == 1 else "RGB"))
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                raise FormatError(f"{key}.png: not a readable picture ({error}).") from None
            height, width = image.shape[:2]
            if height % width or height // width < self.frames:
                raise FormatError(f"{key}.png: has {height}x{width} pixels, expected {self.frames} squares.")
            pixels = image.reshape(height // width, width, width, self.channels)[: self.frames]
            if width != self.size:
                pixels = np.stack(
                    [pictures.square(Image.fromarray(p.squeeze()), self.channels, self.size) for p in pixels]
                )
            return pixels
        film = next((members[s[1:]] for s in pictures.FILMS if s[1:] in members), None)
        if film is None:
            raise FormatError(f"{key}: has members {sorted(members)}, expected .png or a film.")
        return pictures.cut(io.BytesIO(film), self.frames, self.size, self.channels, name=key)

    def _skip(self, reason: str, detail: str) -> None:
        self.skipped[reason] += 1
        if self.skipped[reason] <= 3:  # in training every round would say it again
            print(f"laban: warning: skipped a clip ({reason}): {detail}", file=sys.stderr)

    def _samples(self, addresses: Iterable[str]) -> Iterator[tuple[str, dict[str, bytes]]]:
        """(key, suffix -> bytes) of shards, in order, one sample in memory at a time."""
        for address in addresses:
            with _opened(address) as file:
                try:
                    with tarfile.open(fileobj=file, mode="r|*") as tar:
                        key, members = "", dict[str, bytes]()
                        for member in tar:
                            if not member.isfile() or member.size > _MAX_MEMBER_BYTES:
                                continue
                            stem, _, suffix = member.name.rpartition("/")[2].partition(".")
                            if stem != key and members:
                                yield key, members
                                members = {}
                            data = tar.extractfile(member)
                            key, members[suffix.lower()] = stem, data.read() if data else b""
                        if members:
                            yield key, members
                except (tarfile.TarError, EOFError, OSError) as error:
                    self._skip("shard broken off", f"{address}: {error}")


class ShardStream:
    """Shards in a shuffled order, samples shuffled in blocks."""

    def __init__(self, source: ShardedVideos, split: str) -> None:
        self.source, self.addresses = source, source.shards[split]
        self._where = {"seed": -1, "shard": 0, "block": 0, "at": 0}
        self._block: list[Example] = []
        self._examples: Iterator[Example] | None = None
        self._barren = 0  # shards in a row that gave nothing

    def __call__(self, rng: np.random.Generator) -> Example:
        where = self._where
        if where["seed"] < 0:
            where["seed"] = int(rng.integers(2**31))
        if where["at"] >= len(self._block):
            self._next(rng)
        example = self._block[where["at"]]
        where["at"] += 1
        captions = example.labels["captions"]
        return Example(example.pixels, captions[int(rng.integers(len(captions)))], example.labels)

    def state(self) -> dict[str, Any]:
        """Where the next sample stands."""
        return dict(self._where)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state: the block it stands in is read again."""
        self._where = {k: int(state[k]) for k in self._where}
        self._block, self._examples = [], None
        if self._where["seed"] >= 0:
            self._open()
            for _ in range(self._where["block"]):
                self._read()
            self._block = self._shuffled(self._read())

    def _next(self, rng: np.random.Generator) -> None:
        where = self._where
        if self._examples is None:
            self._open()
        else:
            where["block"] += 1
        where["at"] = 0
        block = self._read()
        while not block:
            if where["block"] == 0:
                self._barren += 1
                if self._barren >= len(self.addresses):
                    said = ", ".join(f"{n} {reason}" for reason, n in self.source.skipped.items()) or "they are empty"
                    raise InputError(f"{', '.join(self.source.names)}: no shard holds a usable clip ({said}).")
            where["block"], where["shard"] = 0, where["shard"] + 1
            if where["shard"] == len(self.addresses):
                where["shard"], where["seed"] = 0, int(rng.integers(2**31))
            self._open()
            block = self._read()
        self._barren = 0
        self._block = self._shuffled(block)

    def _open(self) -> None:
        order = np.random.default_rng(self._where["seed"]).permutation(len(self.addresses))
        self._examples = self.source.read(self.addresses[order[self._where["shard"]]])

    def _read(self) -> list[Example]:
        assert self._examples is not None
        return list(islice(self._examples, BLOCK))

    def _shuffled(self, block: list[Example]) -> list[Example]:
        where = self._where
        order = np.random.default_rng([where["seed"], where["shard"], where["block"]]).permutation(len(block))
        return [block[n] for n in order]


def _split_of(address: str) -> str:
    name = address.rpartition("/")[2]
    return next((split for split in ("val", "test") if name.startswith(split)), "train")


def _captions(members: Mapping[str, bytes]) -> list[str]:
    """Of KEY.json ("captions", "caption" or "text") or KEY.txt; empty ones are left out."""
    found: Any = []
    if "json" in members:
        try:
            facts = json.loads(members["json"])
            found = next((facts[k] for k in ("captions", "caption", "text") if facts.get(k)), [])
        except (ValueError, AttributeError, RecursionError):
            return []
    elif "txt" in members:
        found = members["txt"].decode("utf-8", "replace").splitlines()
    if isinstance(found, str):
        rows = [found]
    elif isinstance(found, list):
        rows = found
    else:
        rows = []
    return [text.strip() for text in rows if isinstance(text, str) and text.strip()]


@contextmanager
def _opened(address: str) -> Iterator[IO[bytes]]:
    try:
        if "://" in address:
            if address.split("://")[0] not in ("http", "https", "file"):
                raise InputError(f"{address}: expected a path or an address of http, https or file.")
            with urllib.request.urlopen(address, timeout=60) as response:
                yield response
        else:
            with open(address, "rb") as file:
                yield file
    except (urllib.error.URLError, FileNotFoundError, PermissionError, TimeoutError) as error:
        raise InputError(f"{address}: the shard cannot be opened ({error}); correct the list of shards.") from None
