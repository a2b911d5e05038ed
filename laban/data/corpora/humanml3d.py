"""HumanML3D and KIT-ML folders as their users have them: features, texts and split lists.

Layout: `new_joint_vecs/ID.npy` (T, 263 or 251), `texts/ID.txt` with lines `caption#tokens#start#end` (seconds;
0 and 0 mean the whole clip), `train.txt`, `val.txt`, `test.txt`, and `Mean.npy`, `Std.npy`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from laban.data.corpora.source import MotionSource, signature
from laban.data.corpus import SPLITS, Clip
from laban.errors import FormatError, InputError
from laban.motion.humanml import HUMANML, KIT, decode

LICENCE = "HumanML3D / KIT-ML: research use; the motions derive from AMASS or KIT"


@dataclass(frozen=True)
class Listed:
    """A name of a split list, with its features and its text."""

    split: str
    path: Path
    text: Path

    @property
    def name(self) -> str:
        """The file of its features."""
        return self.path.name

    @property
    def stem(self) -> str:
        """Its name in the list."""
        return self.path.stem


def _texts(path: Path) -> dict[tuple[float, float], list[str]]:
    """{(start, end) seconds: captions}; (0, 0) is the whole clip."""
    spans: dict[tuple[float, float], list[str]] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        fields = line.strip().split("#")
        if not fields[0]:
            continue
        times = [float(x) if x and not math.isnan(float(x)) else 0.0 for x in (fields[2:4] if len(fields) >= 4 else ())]
        span = (times[0], times[1]) if len(times) == 2 else (0.0, 0.0)
        spans.setdefault(span, []).append(fields[0].strip())
    return spans


class HumanML3D(MotionSource):
    """A HumanML3D folder."""

    name, licence, layout, resumes = "humanml3d", LICENCE, HUMANML, False

    def items(self, root: Path, skipped: dict[str, str]) -> list[Listed]:
        """What the split lists name and is there; the others are counted in `skipped`.

        Raises: InputError if the folder has no split list or no features.
        """
        lists = {s: root / f"{s}.txt" for s in SPLITS if (root / f"{s}.txt").is_file()}
        vectors = root / "new_joint_vecs"
        if not lists or not vectors.is_dir():
            raise InputError(
                f"{root}: expected new_joint_vecs/, texts/ and train.txt, val.txt, test.txt of {self.name}."
            )
        listed = [
            Listed(split, vectors / f"{name}.npy", root / "texts" / f"{name}.txt")
            for split, path in lists.items() for name in path.read_text("utf-8", "replace").split()
        ]  # fmt: skip
        found = [item for item in listed if item.path.is_file() and item.text.is_file()]
        if len(found) < len(listed):
            skipped[f"{len(listed) - len(found)} listed clips"] = "no features or no text in the folder"
        return found

    def clips(self, item: Listed) -> list[Clip]:
        """The clip, or its captioned parts. Raises: FormatError for broken ones."""
        try:
            features = np.load(item.path, allow_pickle=False).astype(np.float32)
            spans = _texts(item.text)
        except (ValueError, OSError, EOFError) as error:
            raise FormatError(str(error)) from None
        layout = self.layout
        if features.ndim != 2 or features.shape[1] != layout.width:
            raise FormatError(f"shape {features.shape}; expected (T, {layout.width})")
        if not np.isfinite(features).all():
            raise FormatError("holds NaN or infinity")
        found = []
        name = item.stem
        for (start, end), captions in spans.items():
            first, last = (int(start * layout.fps), int(end * layout.fps)) if end > start else (0, len(features))
            part = features[first:last]
            if len(part) < 2:
                continue
            whole = (start, end) == (0.0, 0.0)
            found.append(
                Clip(
                    id=name if whole else f"{name}@{start:g}-{end:g}",
                    subject="",
                    source=name.removeprefix("M"),
                    split=item.split,
                    captions=tuple(captions),
                    features=part,
                    joints=(decode(part, layout) * layout.unit).astype(np.float32),
                    mirror_of=name[1:] if name.startswith("M") else None,
                )
            )
        return found

    def statistics(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Released Mean.npy and Std.npy (W,), or None if the folder has none.

        Raises: FormatError if they are damaged or do not fit the layout.
        """
        paths = [self.src / name for name in ("Mean.npy", "Std.npy")]
        if not all(path.is_file() for path in paths):
            return None
        try:
            mean, std = (np.load(path, allow_pickle=False) for path in paths)
        except (OSError, EOFError, ValueError) as error:
            raise FormatError(f"{self.src}: Mean.npy or Std.npy is damaged ({error}). Copy them again.") from None
        width, name = self.layout.width, self.layout.name
        if mean.shape != (width,) or std.shape != (width,) or not (std > 0).all():
            raise FormatError(f"{self.src}: Mean.npy {mean.shape}, Std.npy {std.shape}; {name} needs ({width},).")
        return mean, std

    def signature(self) -> str:
        """The folder's place and the number of its arrays: reading thousands of files would take a while."""
        return signature(str(self.src.resolve()), len(list(self.src.rglob("*.npy"))) if self.src.is_dir() else 0)


class Kit(HumanML3D):
    """A KIT-ML folder, which is laid out as HumanML3D's."""

    name, layout = "kit", KIT
