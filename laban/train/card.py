"""The model card of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from laban.train.state import StageFiles

if TYPE_CHECKING:
    from laban.data.corpus import Corpus
    from laban.systems.base import System


def model_card(system: System, corpus: Corpus, folder: Path) -> str:
    """Markdown: what was trained, on what, for how long, and with what validation losses."""
    p = system.provenance
    counts = {name: 0 for name in sorted({r.corpus for r in corpus.records})}
    frames = 0
    for record in corpus.select("train"):
        counts[record.corpus] += 1
        frames += record.length
    used = system.training_data(corpus) or [
        f"{sum(counts.values())} clips, {frames / corpus.fps / 3600:.2f} hours.",
        "",
        *[f"- {name}: {n} training clips" for name, n in counts.items()],
    ]
    lines = [
        f"# {system.name}, preset {p.preset}",
        "",
        f"Trained with `laban train {system.name}` on {used[0]}",
        *used[1:],
        "",
        f"Licence of the data: {p.licence or 'unknown'}.",
        "",
        "| stage | parameters | steps | minutes | validation loss |",
        "|---|---|---|---|---|",
    ]
    for stage in system.stages():
        found = StageFiles(folder, stage).finished()
        size = sum(x.numel() for x in system.module(stage).parameters()) / 1e6
        if found:
            loss = found["val"].get("loss")
            shown = "-" if loss is None else f"{loss:.4f}"
            lines.append(f"| {stage} | {size:.2f} M | {found['step']} | {found['seconds'] / 60:.1f} | {shown} |")
        else:
            lines.append(f"| {stage} | {size:.2f} M | not trained | | |")
    return "\n".join(lines) + "\n"
