"""`laban data prepare`: a corpus as its owner publishes it becomes memory-mapped features. Resumable, idempotent."""

from __future__ import annotations

import contextlib
import json
import lzma
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from laban.data.corpora.registry import open_source
from laban.data.corpora.source import FilmSource, MotionSource
from laban.data.corpus import FORMAT, Clip, Record, write
from laban.data.shards import ShardWriter
from laban.errors import FormatError, InputError, LabanError
from laban.work import Progress, ignore, run


@dataclass(frozen=True)
class PrepareReport:
    """What `prepare` did: clips and hours written, files skipped with the reason, and whether it was done before."""

    corpus: str
    folder: str
    clips: int
    hours: float
    skipped: dict[str, str]
    already_done: bool


@dataclass(frozen=True)
class Settings:
    """Settings a corpus is prepared, as opposed to which.

    Attributes:
        workers: how many processes make the parts.
        shape: of films: frames, pixels and channels of a clip.
        most: of films that repeat themselves: at most so many per caption and split.
        progress: told of files or films that are done.
        check: called between them; may raise to end the work.
    """

    workers: int = 1
    shape: tuple[int, int, int] = (10, 64, 3)
    most: int = 60
    progress: Progress = ignore
    check: Callable[[], None] = ignore


def prepare(corpus: str, src: Path, dst: Path, settings: Settings | None = None) -> PrepareReport:
    """Prepare `corpus` from `src` (the published folder, an archive, or a folder of archives) into `dst/corpus`.

    "folder" is any folder of motion files and captions (`corpora.folder`); it is prepared into `dst/NAME`, NAME being
    its own. A broken file is skipped and named in the report. A run that was cut off continues where it stopped; a
    finished one is not done again unless the sources have changed. Films become shards of clips, from the beginning
    each time.

    Args:
        corpus: a name of `corpora.registry`.
        src: where its files are.
        dst: the folder of prepared corpora.
        settings: see Settings.
    Raises: InputError if the corpus is unknown or `src` holds none of its files.
    """
    source, settings = open_source(corpus, Path(src)), settings or Settings()
    folder = Path(dst) / source.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"data prepare: cannot make {folder} ({error.strerror}). Name another destination.") from None
    if isinstance(source, FilmSource):
        return _prepare_films(source, folder, settings)
    return _prepare_motions(source, folder, settings)


def _prepare_motions(source: MotionSource, folder: Path, settings: Settings) -> PrepareReport:
    stamp = source.signature()
    done = _finished(folder, stamp)
    if done is not None:
        return done
    skipped: dict[str, str] = {}
    reports: list[PrepareReport] = []

    def about(records: list[Record]) -> dict[str, Any]:
        hours = round(sum(r.length for r in records) / source.layout.fps / 3600, 3)
        reports.append(PrepareReport(source.name, str(folder), len(records), hours, skipped, False))
        return {"stamp": stamp, "acknowledgement": source.acknowledgement, "report": asdict(reports[0])}

    parts = folder / f"parts-{stamp}"
    with _unpacked(source) as root:
        items = source.items(root, skipped)
        if not items:
            raise InputError(f"data prepare: {source.src} holds no file of {source.name}.")
        clips = _clips(source, items, parts if source.resumes else None, skipped, settings)
        write(folder, source.name, source.licence, clips, stats=source.statistics(), about=about)
    shutil.rmtree(parts, ignore_errors=True)
    return reports[0]


def _clips(
    source: MotionSource, items: Sequence[Any], parts: Path | None, skipped: dict[str, str], settings: Settings
) -> Iterator[Clip]:
    """The clips of all items. With a folder for `parts`, each item's are kept there first, and those that are, read."""
    if parts is None:
        for number, item in enumerate(items):
            settings.progress(number, len(items), source.name)
            settings.check()
            try:
                yield from source.clips(item)
            except LabanError as error:
                skipped[item.name] = str(error)
        settings.progress(len(items), len(items), source.name)
        return
    parts.mkdir(exist_ok=True)
    pieces = [(parts / f"{item.stem.replace('/', '+')}.npz", item) for item in items]
    failures = run(
        partial(_save_part, source), pieces, settings.workers,
        progress=lambda done, total: settings.progress(done, total, source.name), check=settings.check,
    )  # fmt: skip
    for item, failure in zip(items, failures, strict=True):
        if failure is not None:
            skipped[item.name] = str(failure)
    for (part, _), failure in zip(pieces, failures, strict=True):
        if failure is None:
            yield from _load_part(part)


def _prepare_films(source: FilmSource, folder: Path, settings: Settings) -> PrepareReport:
    writer = ShardWriter(folder, source.name, source.licence, settings.shape)
    skipped: dict[str, str] = {}
    seconds = 0.0
    films = source.films(settings.shape, settings.most, skipped)
    for number, film in enumerate(films, start=1):
        settings.check()
        writer.add(film.split, film.pixels, film.captions, **film.facts)
        seconds += film.seconds
        settings.progress(number, None, source.name)
    if not writer.counts:
        first = "; ".join(f"{name}: {reason}" for name, reason in list(skipped.items())[:2]) or "it lists none"
        raise InputError(f"{source.src}: no clip of {source.name} could be used ({first}).")
    writer.close(**source.facts(skipped))
    return PrepareReport(
        source.name, str(folder), sum(writer.counts.values()), round(seconds / 3600, 3), skipped, False
    )


@contextlib.contextmanager
def _unpacked(source: MotionSource) -> Iterator[Path]:
    """The source itself if it has no archives or holds BVH files, else a temporary folder with them unpacked."""
    src = source.src
    if not source.archives or (src.is_dir() and next(src.rglob("*.bvh"), None) is not None):
        yield src
        return
    archives = sorted(src.glob(source.archives)) if src.is_dir() else [src]
    if not archives:
        raise InputError(f"data prepare: {src} holds neither BVH files nor an archive named {source.archives}.")
    with tempfile.TemporaryDirectory(prefix="laban-") as name:
        for archive in archives:
            try:
                _unpack(archive, Path(name))
            except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
                raise FormatError(f"{archive}: not a readable archive ({error}).") from None
        yield Path(name)


def _unpack(archive: Path, folder: Path) -> None:
    """The regular files of a tar; links are left out. extractall's `filter` is missing in Python 3.11.0 to 3.11.3.

    Raises: tarfile.TarError for names that lead out of the folder, before anything of them is written.
    """
    with tarfile.open(archive) as tar:
        for member in tar:
            target = (folder / member.name).resolve()
            if not target.is_relative_to(folder.resolve()):
                raise tarfile.TarError(f"{member.name!r} leads out of it")
            source = tar.extractfile(member) if member.isfile() else None
            if source is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                with source, target.open("wb") as out:
                    shutil.copyfileobj(source, out)


def _finished(folder: Path, stamp: str) -> PrepareReport | None:
    index = folder / "index.json"
    if not index.is_file():
        return None
    try:
        about = json.loads(index.read_text())
        if about.get("stamp") != stamp or about.get("format") != FORMAT:
            return None
        return PrepareReport(**{**about["report"], "already_done": True})
    except (ValueError, KeyError, TypeError):
        return None


def _save_part(source: MotionSource, item: Any, path: Path) -> None:
    arrays: dict[str, np.ndarray] = {}
    facts = []
    for i, clip in enumerate(source.clips(item)):
        arrays[f"features{i}"], arrays[f"joints{i}"] = clip.features, clip.joints
        facts.append({k: v for k, v in asdict(clip).items() if k not in ("features", "joints")})
    np.savez(path, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]


def _load_part(path: Path) -> list[Clip]:
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as data:
        facts = json.loads(str(data["facts"]))
        return [
            Clip(**{**f, "captions": tuple(f["captions"])}, features=data[f"features{i}"], joints=data[f"joints{i}"])
            for i, f in enumerate(facts)
        ]
