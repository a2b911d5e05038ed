"""`laban data prepare`: a corpus as its owner publishes it becomes memory-mapped features. Resumable, idempotent."""

from __future__ import annotations

import contextlib
import hashlib
import json
import lzma
import shutil
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
from tqdm import tqdm

from laban.data.corpora import bandai_namco, cmu, films, humanml3d
from laban.data.corpus import FORMAT, Clip, write
from laban.data.synthesis import renders
from laban.errors import FormatError, InputError, LabanError
from laban.io.atomic import replacing

BVH_CORPORA: dict[str, ModuleType] = {"bandai-namco": bandai_namco, "cmu": cmu}
VIDEO_CORPORA = (*films.READERS, "renders")
CORPORA = (*BVH_CORPORA, *humanml3d.LAYOUT_OF, *VIDEO_CORPORA)


@dataclass(frozen=True)
class Report:
    """What `prepare` did: clips and hours written, files skipped with the reason, and whether it was done before."""

    corpus: str
    folder: str
    clips: int
    hours: float
    skipped: dict[str, str]
    already_done: bool


def prepare(
    corpus: str, src: Path, dst: Path, quiet: bool = False, shape: tuple[int, int, int] = (10, 64, 3), most: int = 60
) -> Report:
    """Prepare `corpus` from `src` (the published folder, an archive, or a folder of archives) into `dst/corpus`.

    A broken file is skipped and named in the report. A run that was cut off continues where it stopped; a
    finished one is not done again unless the sources have changed. Films become shards of clips of `shape` (frames,
    pixels, channels), from the beginning each time; of renders `most` per caption and split.
    Raises: InputError if the corpus is unknown or `src` holds none of its files.
    """
    if corpus not in CORPORA:
        raise InputError(f"data prepare: unknown corpus {corpus!r}; expected one of {', '.join(CORPORA)}.")
    src, folder = Path(src), Path(dst) / corpus
    if not src.exists():
        raise InputError(f"data prepare: {src} does not exist. Give the folder or archive that holds {corpus}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"data prepare: cannot make {folder} ({error.strerror}). Name another destination.") from None
    if corpus in VIDEO_CORPORA:
        make = partial(renders.prepare, most=most) if corpus == "renders" else partial(films.prepare, corpus)
        clips, seconds, skipped = make(src, folder, shape, quiet)
        return Report(corpus, str(folder), clips, round(seconds / 3600, 3), skipped, False)
    if corpus in humanml3d.LAYOUT_OF:
        return _prepare_humanml(corpus, src, folder, quiet)
    return _prepare_bvh(corpus, BVH_CORPORA[corpus], src, folder, quiet)


@contextlib.contextmanager
def _unpacked(src: Path, pattern: str) -> Iterator[Path]:
    """`src` itself if it is a folder with BVH files in it, else a temporary folder with its archives unpacked."""
    if src.is_dir() and next(src.rglob("*.bvh"), None) is not None:
        yield src
        return
    archives = sorted(src.glob(pattern)) if src.is_dir() else [src]
    if not archives:
        raise InputError(f"data prepare: {src} holds neither BVH files nor an archive named {pattern}.")
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


def _signature(sources: str, modified: int) -> str:
    return hashlib.sha256(f"{FORMAT} {sources} {modified}".encode()).hexdigest()[:16]


def _stamp(src: Path) -> str:
    """A cheap fingerprint of the sources: names and sizes."""
    files = [src] if src.is_file() else sorted(p for p in src.rglob("*") if p.is_file() and ".tar" in p.name)
    files = files or sorted(src.rglob("*.bvh"))
    listing = "\n".join(f"{p.name} {p.stat().st_size}" for p in files)
    return _signature(listing, len(files))


def _finished(folder: Path, stamp: str) -> Report | None:
    index = folder / "index.json"
    if not index.is_file():
        return None
    try:
        about = json.loads(index.read_text())
        if about.get("stamp") != stamp or about.get("format") != FORMAT:
            return None
        return Report(**{**about["report"], "already_done": True})
    except (ValueError, KeyError, TypeError):
        return None


def _prepare_bvh(corpus: str, module: ModuleType, src: Path, folder: Path, quiet: bool) -> Report:
    stamp = _stamp(src)
    done = _finished(folder, stamp)
    if done is not None:
        return done
    parts = folder / f"parts-{stamp}"
    skipped: dict[str, str] = {}
    kept: list[Path] = []
    with _unpacked(src, module.ARCHIVES) as place:
        paths = module.files(place)
        if not paths:
            raise InputError(f"data prepare: {src} holds no file of {corpus}.")
        parts.mkdir(exist_ok=True)
        for path in tqdm(paths, desc=corpus, unit="file", disable=quiet, file=sys.stderr):
            reason = module.excluded(path)
            part = parts / f"{path.stem}.npz"
            if reason is None and not part.exists():
                try:
                    _save_part(part, module.clips(path))
                except LabanError as error:
                    reason = str(error)
            if reason is not None:
                skipped[path.name] = reason
            else:
                kept.append(part)
    loaded = [clip for part in kept for clip in _load_part(part)]
    frames = sum(len(c.features) for c in loaded)
    report = Report(corpus, str(folder), len(loaded), round(frames / 20.0 / 3600, 3), skipped, False)
    about = {"stamp": stamp, "acknowledgement": module.ACKNOWLEDGEMENT, "report": asdict(report)}
    write(folder, corpus, module.LICENCE, loaded, about=about)
    for part in parts.iterdir():
        part.unlink()
    parts.rmdir()
    return report


def _save_part(path: Path, clips: list[Clip]) -> None:
    arrays: dict[str, np.ndarray] = {}
    facts = []
    for i, clip in enumerate(clips):
        arrays[f"features{i}"], arrays[f"joints{i}"] = clip.features, clip.joints
        facts.append({k: v for k, v in asdict(clip).items() if k not in ("features", "joints")})
    with replacing(path) as temporary:
        np.savez(temporary, facts=np.array(json.dumps(facts)), **arrays)  # type: ignore[arg-type]


def _load_part(path: Path) -> list[Clip]:
    with np.load(path) as data:
        facts = json.loads(str(data["facts"]))
        return [
            Clip(**{**f, "captions": tuple(f["captions"])}, features=data[f"features{i}"], joints=data[f"joints{i}"])
            for i, f in enumerate(facts)
        ]


def _prepare_humanml(corpus: str, src: Path, folder: Path, quiet: bool) -> Report:
    stamp = _signature(str(src.resolve()), len(list(src.rglob("*.npy"))) if src.is_dir() else 0)
    done = _finished(folder, stamp)
    if done is not None:
        return done
    skipped: dict[str, str] = {}
    loaded = list(humanml3d.clips(corpus, src, skipped, quiet))
    layout = humanml3d.LAYOUT_OF[corpus]
    frames = sum(len(c.features) for c in loaded)
    report = Report(corpus, str(folder), len(loaded), round(frames / layout.fps / 3600, 3), skipped, False)
    about = {"stamp": stamp, "report": asdict(report)}
    write(folder, corpus, humanml3d.LICENCE, loaded, stats=humanml3d.statistics(src, layout), about=about)
    return report
