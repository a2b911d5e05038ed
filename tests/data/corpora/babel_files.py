"""Label files of BABEL's form, made for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PATH = "BMLrub/rub018/rub018/0001_treadmill_poses.npz"


def label(text: str, start: float | None = None, end: float | None = None, *kinds: str) -> dict[str, Any]:
    """A label; of a whole recording if it has no times. The raw label is in capitals."""
    entry: dict[str, Any] = {"raw_label": text.upper(), "proc_label": text, "seg_id": "x", "act_cat": list(kinds)}
    return entry if start is None else entry | {"start_t": start, "end_t": end}


def sequence(*labels: dict, dur: float = 20.0, whole: tuple[dict, ...] = (), path: str = PATH) -> dict[str, Any]:
    """A sequence with labels of stretches, or only of the whole."""
    return {
        "babel_sid": 1, "url": "https://x", "feat_p": path, "dur": dur,
        "seq_ann": {"babel_lid": "l", "labels": list(whole) or [label("stuff")]},
        "frame_ann": {"babel_lid": "f", "labels": list(labels)} if labels else None,
    }  # fmt: skip


def write(path: Path, table: Any) -> Path:
    """The file, as json."""
    path.write_text(json.dumps(table))
    return path
