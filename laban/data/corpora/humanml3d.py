"""HumanML3D and KIT-ML folders as their users have them: features, texts and split lists.

Layout: `new_joint_vecs/ID.npy` (T, 263 or 251), `texts/ID.txt` with lines `caption#tokens#start#end` (seconds;
0 and 0 mean the whole clip), `train.txt`, `val.txt`, `test.txt`, and `Mean.npy`, `Std.npy`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from laban.data.corpus import SPLITS, Clip
from laban.errors import FormatError, InputError
from laban.motion.humanml import HUMANML, KIT, Layout, decode

LICENCE = "HumanML3D / KIT-ML: research use; the motions derive from AMASS or KIT"
LAYOUT_OF: dict[str, Layout] = {"humanml3d": HUMANML, "kit": KIT}


def statistics(src: Path, layout: Layout) -> tuple[np.ndarray, np.ndarray] | None:
    """Released Mean.npy and Std.npy (W,), or None if the folder has none.

    Raises: FormatError if they are damaged or do not fit the layout.
    """
    if not ((src / "Mean.npy").is_file() and (src / "Std.npy").is_file()):
        return None
    try:
        mean, std = (np.load(src / name, allow_pickle=False) for name in ("Mean.npy", "Std.npy"))
    except (OSError, EOFError, ValueError) as error:
        raise FormatError(f"{src}: Mean.npy or Std.npy is damaged ({error}). Copy them again.") from None
    if mean.shape != (layout.width,) or std.shape != (layout.width,) or not (std > 0).all():
        raise FormatError(f"{src}: Mean.npy {mean.shape}, Std.npy {std.shape}; {layout.name} needs ({layout.width},).")
    return mean, std


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


def clips(corpus: str, src: Path, skipped: dict[str, str], quiet: bool = False) -> Iterator[Clip]:
    """Every clip, or captioned part of one, that the split lists name; broken ones are noted in `skipped`.

    Raises: InputError if the folder has no split list or no features.
    """
    layout = LAYOUT_OF[corpus]
    lists = {s: src / f"{s}.txt" for s in SPLITS if (src / f"{s}.txt").is_file()}
    vectors = src / "new_joint_vecs"
    if not lists or not vectors.is_dir():
        raise InputError(f"{src}: expected new_joint_vecs/, texts/ and train.txt, val.txt, test.txt of {corpus}.")
    names = [(split, name) for split, path in lists.items() for name in path.read_text("utf-8", "replace").split()]
    missing = 0
    for split, name in tqdm(names, desc=corpus, unit="clip", disable=quiet, file=sys.stderr):
        path, text = vectors / f"{name}.npy", src / "texts" / f"{name}.txt"
        if not path.is_file() or not text.is_file():
            missing += 1
            continue
        try:
            features = np.load(path, allow_pickle=False).astype(np.float32)
            if features.ndim != 2 or features.shape[1] != layout.width:
                raise FormatError(f"shape {features.shape}; expected (T, {layout.width})")
            if not np.isfinite(features).all():
                raise FormatError("holds NaN or infinity")
            spans = _texts(text)
        except (ValueError, OSError, EOFError, FormatError) as error:
            skipped[path.name] = str(error)
            continue
        for (start, end), captions in spans.items():
            first, last = (int(start * layout.fps), int(end * layout.fps)) if end > start else (0, len(features))
            part = features[first:last]
            if len(part) < 2:
                continue
            whole = (start, end) == (0.0, 0.0)
            yield Clip(
                id=name if whole else f"{name}@{start:g}-{end:g}",
                subject="",
                source=name.removeprefix("M"),
                split=split,
                captions=tuple(captions),
                features=part,
                joints=(decode(part, layout) * layout.unit).astype(np.float32),
                mirror_of=name[1:] if name.startswith("M") else None,
            )
    if missing:
        skipped[f"{missing} listed clips"] = "no features or no text in the folder"
