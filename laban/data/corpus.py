"""The prepared form of every corpus: memory-mapped arrays, a small index, statistics.

A prepared folder `DST/<corpus>/` holds `features.npy` (N, W) float32, `joints.npy` (N, J, 3) float32 canonical
joints in metres, `index.json` (records in order) and `stats.npz` (mean and std of the training split).
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from laban.data.rows import Rows
from laban.errors import FormatError, InputError
from laban.io.atomic import replacing
from laban.motion.humanml import Layout, layout_of

FORMAT = 1
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Record:
    """One clip: where it lies in the arrays, and what is known of it.

    Attributes:
        start: rows of the arrays.
        length: rows of the arrays.
        captions: what a person would say.
        labels: e.g. content and style.
        mirror_of: the id of the clip this is the mirror image of.
        source: file of origin; splits never part it.
    """

    id: str
    corpus: str
    subject: str
    source: str
    start: int
    length: int
    captions: tuple[str, ...]
    labels: dict[str, str] = field(default_factory=dict)
    licence: str = ""
    split: str = "train"
    mirror_of: str | None = None


class Corpus:
    """One or several prepared corpora, read through memory maps."""

    def __init__(self, parts: list[_Part]) -> None:
        self._parts = {part.name: part for part in parts}
        self.records: list[Record] = [record for part in parts for record in part.records]
        self.layout: Layout = parts[0].layout
        self.names = tuple(part.name for part in parts)
        self.licences = tuple(dict.fromkeys(part.licence for part in parts))
        self.mean, self.std = _statistics(parts)

    @classmethod
    def open(cls, folder: str | Path) -> Corpus:
        """All corpora prepared under `folder`, or the one that `folder` is.

        Raises: InputError if there is none, or if their layouts differ; FormatError if one is damaged.
        """
        folder = Path(folder)
        alone = (folder / "index.json").is_file()
        places = [folder] if alone else sorted(p.parent for p in folder.glob("*/index.json"))
        if not places:
            raise InputError(
                f"{folder}: no prepared corpus in it. Make one: laban data prepare bandai-namco SRC {folder}"
            )
        parts = [_Part(place) for place in places]
        if len({part.layout.name for part in parts}) > 1:
            found = ", ".join(f"{part.name} {part.layout.name}" for part in parts)
            raise InputError(f"{folder}: corpora of different layouts ({found}) do not mix. Open one of them.")
        return cls(parts)

    @property
    def fps(self) -> float:
        """Frames per second of every clip."""
        return self.layout.fps

    def features(self, record: Record) -> np.ndarray:
        """(T, W) float32, not normalised; a view of the memory map."""
        return self._parts[record.corpus].features[record.start : record.start + record.length]

    def joints(self, record: Record) -> np.ndarray:
        """(T, J, 3) float32 canonical joints in metres; a view of the memory map."""
        return self._parts[record.corpus].joints[record.start : record.start + record.length]

    def select(self, split: str, *, mirrored: bool = True) -> list[Record]:
        """The records of a split. Raises InputError for an unknown split."""
        if split not in SPLITS:
            raise InputError(f"split {split!r}: expected one of {', '.join(SPLITS)}.")
        return [r for r in self.records if r.split == split and (mirrored or r.mirror_of is None)]

    def captions(self) -> list[str]:
        """All different captions, sorted."""
        return sorted({c for r in self.records for c in r.captions})

    def summary(self) -> list[str]:
        """For the model card: how much there is to train on, then one line per corpus."""
        counts = {name: 0 for name in sorted({r.corpus for r in self.records})}
        frames = 0
        for record in self.select("train"):
            counts[record.corpus] += 1
            frames += record.length
        total = f"Trained on {sum(counts.values())} clips, {frames / self.fps / 3600:.2f} hours."
        return [total, *(f"- {name}: {n} training clips" for name, n in counts.items())]

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the indexes and statistics: two equal ones mean the same data."""
        digest = hashlib.sha256()
        for part in self._parts.values():
            digest.update((part.folder / "index.json").read_bytes())
            digest.update(part.mean.tobytes() + part.std.tobytes())
        return digest.hexdigest()[:16]


class _Part:
    """One prepared corpus on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            index = json.loads((folder / "index.json").read_text())
            if index["format"] != FORMAT:
                raise FormatError(f"{folder}: format {index['format']}, this Laban reads {FORMAT}. Prepare it again.")
            self.name: str = index["corpus"]
            self.licence: str = index["licence"]
            self.records = [Record(**{**r, "captions": tuple(r["captions"])}) for r in index["records"]]
            self.features = np.load(folder / "features.npy", mmap_mode="r")
            self.joints = np.load(folder / "joints.npy", mmap_mode="r")
            with (folder / "stats.npz").open("rb") as raw, np.load(raw) as stats:
                self.mean, self.std, self.count = stats["mean"], stats["std"], int(stats["count"])
            self.layout = layout_of(self.features.shape[1])
            rows = max((r.start + r.length for r in self.records), default=0)
        except FormatError:
            raise
        except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise FormatError(f"{folder}: damaged or unfinished corpus ({error}). Prepare it again.") from None
        if rows > len(self.features) or len(self.features) != len(self.joints):
            raise FormatError(f"{folder}: the index names {rows} rows, the arrays have fewer. Prepare it again.")


def _statistics(parts: list[_Part]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and std of the union, weighted by training frames; a corpus with released statistics keeps them."""
    if len(parts) == 1:
        return parts[0].mean, parts[0].std
    weights = np.array([max(part.count, 1) for part in parts], np.float64)
    weights /= weights.sum()
    mean = sum(w * part.mean.astype(np.float64) for w, part in zip(weights, parts, strict=True))
    square = sum(
        w * (part.std.astype(np.float64) ** 2 + (part.mean - mean) ** 2) for w, part in zip(weights, parts, strict=True)
    )
    std = group_average(np.sqrt(square), parts[0].layout)
    return np.asarray(mean, np.float32), np.asarray(std, np.float32)


def group_average(std: np.ndarray, layout: Layout) -> np.ndarray:
    """Standard deviations (W,) averaged inside each named group, as HumanML3D's released statistics are.

    Deviation: the released models further divide those of the root and the contacts by 25; training weights
    belong into a loss, so these are left as they are.
    """
    out = np.array(std, np.float64)
    for group in (
        layout.yaw_rate, layout.root_velocity, layout.root_height, layout.positions, layout.rotations,
        layout.velocities, layout.contacts,
    ):  # fmt: skip
        out[group] = max(float(out[group].mean()), 1e-4)
    return out


@dataclass
class Clip:
    """What a corpus module hands to the writer: joints (T, J, 3), features (T, W), and the record's facts."""

    id: str
    subject: str
    source: str
    split: str
    captions: tuple[str, ...]
    features: np.ndarray
    joints: np.ndarray
    labels: dict[str, str] = field(default_factory=dict)
    mirror_of: str | None = None


def write(
    folder: Path,
    corpus: str,
    licence: str,
    clips: Iterable[Clip],
    stats: tuple[np.ndarray, np.ndarray] | None = None,
    about: Callable[[list[Record]], dict[str, Any]] | None = None,
) -> Corpus:
    """Write clips as a prepared corpus, the index last, so that an interrupted write is seen as unfinished.

    The clips go to the disk one after another: memory holds one of them and the records.

    Args:
        folder: is made if absent.
        corpus: its name.
        licence: goes into every record.
        clips: each is asked for when those before it are written.
        stats: mean and std (W,) to keep as they are; by default those of the training split, group-averaged.
        about: of all records, asked at the end: facts on the making (counts, excluded files) that go into the index.
    Raises: InputError if there is no clip.
    """
    folder.mkdir(parents=True, exist_ok=True)
    records: list[Record] = []
    with replacing(folder / "features.npy") as features_file, replacing(folder / "joints.npy") as joints_file:
        with Rows(features_file) as features, Rows(joints_file) as joints:
            for clip in clips:
                if len(clip.features) != len(clip.joints):
                    raise ValueError(f"{clip.id}: {len(clip.features)} feature rows, {len(clip.joints)} joint rows")
                records.append(
                    Record(
                        clip.id, corpus, clip.subject, clip.source, features.count, len(clip.features),
                        tuple(clip.captions), clip.labels, licence, clip.split, clip.mirror_of,
                    )
                )  # fmt: skip
                features.append(clip.features)
                joints.append(clip.joints)
        if not records:
            raise InputError(f"{folder}: no clip could be used; nothing written.")
        train = [r for r in records if r.split == "train"] or records
        layout = layout_of(features.width)
        if stats is None:
            mean, std = features.statistics([(r.start, r.length) for r in train])
            stats, fixed = (mean, group_average(std, layout)), False
        else:
            fixed = True
        index = {
            "format": FORMAT, "corpus": corpus, "licence": licence, "fps": layout.fps, "layout": layout.name,
            **(about(records) if about else {}), "records": [asdict(r) for r in records],
        }  # fmt: skip
        (folder / "index.json").unlink(missing_ok=True)
    with replacing(folder / "stats.npz") as temporary:
        mean, std = (np.asarray(values, np.float32) for values in stats)
        np.savez(temporary, mean=mean, std=std, count=sum(r.length for r in train), fixed=fixed)
    with replacing(folder / "index.json") as temporary:
        temporary.write_text(json.dumps(index, indent=1))
    return Corpus.open(folder)
