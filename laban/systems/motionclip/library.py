"""Search a folder of motions by words: an index on disk, brought up to date at every use.

The index is one file, FOLDER/.laban/motionclip.npz: a unit vector per clip and per moment of a long clip, and for each
file its size and time of change. It belongs to the weights that made it.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from laban import formats
from laban.data.clips import canonical
from laban.errors import FormatError, InputError, LabanError, WeightsError
from laban.io.atomic import replacing
from laban.motion import kinematics
from laban.motion.motion import Motion
from laban.motion.retarget import retarget
from laban.motion.skeletons import HUMANML22
from laban.systems.capabilities import Embeds
from laban.systems.motionclip import representation
from laban.systems.motionclip.space import spans

FORMAT = 1
PLACE = Path(".laban") / "motionclip.npz"
SAVE_EVERY = 2000  # files between saved states of a long build
GROUP = 64  # files whose rotations and latents are found together


@dataclass(frozen=True)
class Match:
    """A clip, or the moment of it (seconds) that fits best, and the cosine of its vector."""

    path: Path
    start: float
    end: float
    score: float


@dataclass
class IndexReport:
    """What `update` did. `skipped`: file -> reason."""

    added: int = 0
    kept: int = 0
    removed: int = 0
    skipped: dict[str, str] = field(default_factory=dict)


class Library:
    """The index of a folder.

    Attributes:
        files: relative path -> {"size", "changed", "seconds"} or {"size", "changed", "problem"}.
        names: the files that have vectors, in the order of `owner`.
        owner (N,) int32 number of the file; times (N, 2) float32 seconds; vectors (N, G) float32 unit rows.
    """

    def __init__(self, folder: Path, weights: str, width: int) -> None:
        self.folder = folder
        self.weights = weights
        self.files: dict[str, dict[str, Any]] = {}
        self.names: list[str] = []
        self.owner = np.zeros(0, np.int32)
        self.times = np.zeros((0, 2), np.float32)
        self.vectors = np.zeros((0, width), np.float32)

    @classmethod
    def open(cls, folder: str | Path, system: Embeds, place: Path | None = None, *, rebuild: bool = False) -> Library:
        """The index that is there, or an empty one.

        Args:
            folder: of the clips.
            system: that encodes them.
            place: of the index; None: in the folder.
            rebuild: leave an old index unread.
        Raises: InputError if the folder is absent; WeightsError for an index of other weights; FormatError for a
            damaged one.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise InputError(f"{folder}: there is no such folder. Name one with BVH, GLB or NPZ files in it.")
        weights = system.provenance.hash or "untrained"
        library = cls(folder, weights, system.direction_width)
        path = place or folder / PLACE
        if path.exists() and not rebuild:
            library._read(path)
        return library

    def _read(self, path: Path) -> None:
        try:
            with path.open("rb") as raw, np.load(raw, allow_pickle=False) as held:
                about = json.loads(bytes(held["about"]))
                owner, times, vectors = held["owner"], held["times"], held["vectors"]
            if about["format"] != FORMAT:
                raise ValueError(f"format {about['format']}, this Laban reads {FORMAT}")
            files, names = dict(about["files"]), list(about["names"])
            fits = owner.ndim == 1 and times.shape == (len(owner), 2) and vectors.shape[:1] == owner.shape
            if not fits or (len(owner) and not 0 <= owner.min() <= owner.max() < len(names)):
                raise ValueError("its parts do not fit")
        except (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
            said = " ".join(str(error).split())[:120] or type(error).__name__
            raise FormatError(f"{path}: damaged index ({said}). Give --rebuild to make it anew.") from None
        if about["weights"] != self.weights or vectors.shape[1:] != self.vectors.shape[1:]:
            raise WeightsError(
                f"{path}: index of other weights ({str(about['weights'])[:12]}…, these are {self.weights[:12]}…); give "
                "--rebuild to make it anew, or the --model that made it."
            )
        self.files, self.names = files, names
        self.owner, self.times = owner.astype(np.int32), times.astype(np.float32)
        self.vectors = vectors.astype(np.float32)

    def save(self, place: Path | None = None) -> None:
        """Write the index. InputError if the folder cannot be written."""
        path = place or self.folder / PLACE
        about = {"format": FORMAT, "weights": self.weights, "files": self.files, "names": self.names}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as beside, beside.open("wb") as handle:
                np.savez(
                    handle, about=np.frombuffer(json.dumps(about).encode(), np.uint8), owner=self.owner,
                    times=self.times, vectors=self.vectors.astype(np.float16),
                )  # fmt: skip
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}); name a file with --index.") from None

    def update(
        self, system: Embeds, progress: Callable[[int, int], None] | None = None, place: Path | None = None
    ) -> IndexReport:
        """Bring the index up to date with the folder and save it: new and changed files in, vanished ones out.

        A file that cannot be read, is no humanoid, or changes while it is read is skipped and named.
        Raises: InputError if the folder has no motion file, or none that can be used.
        """
        now = dict(self._listed())
        if not now:
            raise InputError(f"{self.folder}: no BVH, GLB or NPZ file in it; name a folder with motions.")
        report = IndexReport()
        same = {n for n, stamp in now.items() if _stamp_of(self.files.get(n)) == stamp}
        gone = [n for n in self.files if n not in now]
        self._drop({n for n in self.files if n not in same})
        report.removed, report.kept = len(gone), len(same)
        todo = [n for n in now if n not in same]
        for at in range(0, len(todo), GROUP):
            self._add(system, todo[at : at + GROUP], report)
            if progress is not None:
                progress(min(at + GROUP, len(todo)), len(todo))
            if (at + GROUP) % SAVE_EVERY < GROUP:
                self.save(place)
        report.skipped = {n: f["problem"] for n, f in self.files.items() if "problem" in f}
        if not self.names:
            first = next(iter(report.skipped.items()))
            raise InputError(
                f"{self.folder}: none of its {len(now)} files can be used; the first, {first[0]}: {first[1]}"
            )
        if todo or gone:
            self.save(place)
        return report

    def search(self, vector: np.ndarray, top: int = 10) -> list[Match]:
        """The clips whose best moment fits a direction (G,) best, best first; one match per file.

        Raises: InputError for a vector that is not finite or has no length, or an empty index.
        """
        vector = np.asarray(vector, np.float32)
        size = float(np.linalg.norm(vector))
        if not np.isfinite(size) or size < 1e-6:
            raise InputError("search: the text or clip has no direction in the latent; say it in other words.")
        if not self.names:
            raise InputError(f"{self.folder}: its index is empty; update it first.")
        scores = self.vectors @ (vector / size)
        found: list[Match] = []
        seen: set[int] = set()
        wanted = min(len(scores), 8 * top)
        while True:
            best = np.argpartition(-scores, wanted - 1)[:wanted] if wanted < len(scores) else np.arange(len(scores))
            best = best[np.lexsort((best, -scores[best]))]
            for row in best:
                if (owner := int(self.owner[row])) not in seen:
                    seen.add(owner)
                    start, end = (float(t) for t in self.times[row])
                    found.append(Match(self.folder / self.names[owner], start, end, float(scores[row])))
                    if len(found) == top:
                        return found
            if wanted >= len(scores):
                return found
            wanted, found, seen = min(len(scores), 8 * wanted), [], set()

    def _listed(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Relative path and stamp of every motion file, in order of name. Hidden folders are passed over."""
        for folder, folders, files in os.walk(self.folder):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for name in sorted(files):
                path = Path(folder) / name
                if path.suffix.lower() in formats.READERS | formats.CHARACTER_READERS and not name.startswith("."):
                    stamp = _stamp(path)
                    if stamp is not None:
                        yield str(path.relative_to(self.folder)), stamp

    def _drop(self, names: set[str]) -> None:
        """Forget files and their vectors."""
        self.files = {n: f for n, f in self.files.items() if n not in names}
        kept = [i for i, n in enumerate(self.names) if n not in names]
        if len(kept) == len(self.names):
            return
        number = np.full(len(self.names), -1, np.int32)
        number[kept] = np.arange(len(kept))
        self.names = [self.names[i] for i in kept]
        rows = number[self.owner] >= 0
        self.owner, self.times, self.vectors = number[self.owner[rows]], self.times[rows], self.vectors[rows]

    def _add(self, system: Embeds, names: list[str], report: IndexReport) -> None:
        """Read a group of files and append their vectors."""
        clips: list[tuple[str, np.ndarray]] = []
        for name in names:
            path = self.folder / name
            before = _stamp(path)
            try:
                joints = joints_of(formats.read(path), system.config.fps)
                problem = None if _stamp(path) == before else "it changed while it was read"
            except (LabanError, OSError, MemoryError) as error:
                problem = " ".join(str(error).split()) or type(error).__name__
            size, changed = before or (-1, -1)
            self.files[name] = {"size": size, "changed": changed}
            if problem is None:
                clips.append((name, joints))
                self.files[name]["seconds"] = round(len(joints) / system.config.fps, 3)
            else:
                self.files[name]["problem"] = problem[:300]
        report.added += len(clips)
        if not clips:
            return
        found = representation.from_joints(np.concatenate([j for _, j in clips]), system.config.network.joints)
        windows, owners, times = [], [], []
        for frames, (name, joints) in zip(
            np.split(found, np.cumsum([len(j) for _, j in clips])[:-1]), clips, strict=True
        ):
            for a, b in spans(len(joints), system.config.fps, system.config.max_frames):
                windows.append(representation.rerooted(frames[a:b]))
                owners.append(len(self.names))
                times.append((a / system.config.fps, b / system.config.fps))
            self.names.append(name)
        vectors = system.directions(system.encode_windows(windows)).numpy()
        self.owner = np.concatenate([self.owner, np.array(owners, np.int32)])
        self.times = np.concatenate([self.times, np.array(times, np.float32)])
        self.vectors = np.concatenate([self.vectors, vectors.astype(np.float32)])


def joints_of(motion: Motion, fps: float) -> np.ndarray:
    """(T, 22, 3) canonical joints of any humanoid at `fps`."""
    motion = motion.resample(fps)
    if motion.skeleton != HUMANML22:
        motion = retarget(motion)
    return canonical(kinematics.forward(motion.skeleton, motion.rotations, motion.root))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _stamp_of(entry: dict[str, Any] | None) -> tuple[int, int] | None:
    return None if entry is None else (entry["size"], entry["changed"])
