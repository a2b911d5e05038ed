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
    summary = system.training_data(corpus) or corpus.summary()
    lines = [
        f"# {system.name}, preset {p.preset}",
        "",
        f"Made with `laban train {system.name}`. {summary[0]}",
        "",
        *summary[1:],
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
