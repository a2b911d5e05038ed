"""The evaluation of a system that has a protocol of its own (FACT, GODIVA), with the same files as every report."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from laban.evaluate.machine import machine, peak_megabytes
from laban.evaluate.protocols import OwnProtocol
from laban.io.atomic import replacing
from laban.systems.base import System
from laban.systems.requests import Trial
from laban.version import __version__
from laban.work import Progress, ignore


def evaluate(
    protocol: OwnProtocol, system: System, corpus: Any, out: Path, trial: Trial, *, progress: Progress = ignore,
    **special: Path,
) -> dict[str, Any]:  # fmt: skip
    """Run the system's protocol and write report.json, report.md and its pictures into `out`.

    Args:
        protocol: the system's, of `laban.evaluate.protocols`.
        system: what is scored.
        corpus: as `open_data` of the system gives it.
        out: the folder, made if absent.
        trial: how much of the protocol is run.
        progress: told of results that are ready.
        special: those of `protocol.options` that were given.
    Returns: what report.json holds.
    """
    run = protocol.load()
    out.mkdir(parents=True, exist_ok=True)
    found = run(system, corpus, out, trial, progress=lambda done, total: progress(done, total, "evaluate"), **special)
    p = system.provenance
    facts = {
        "laban": __version__,
        "machine": machine(),
        "peak_megabytes": peak_megabytes(),
        "settings": {**asdict(trial), **{k: str(v) for k, v in special.items()}},
        "data": {
            "corpora": list(corpus.names), "licence": "; ".join(corpus.licences), "fingerprint": corpus.fingerprint,
        },
        "system": {
            "name": system.name, "preset": p.preset, "weights": p.hash, "data": list(p.data), "licence": p.licence,
        },
        **found,
    }  # fmt: skip
    with replacing(out / "report.json") as temporary:
        temporary.write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n")
    with replacing(out / "report.md") as temporary:
        temporary.write_text(markdown(facts), encoding="utf-8")
    return facts


def markdown(facts: dict[str, Any]) -> str:
    """The whole report."""
    data, system, peak = facts["data"], facts["system"], facts["peak_megabytes"]
    head = [
        f"# Evaluation of {system['name']}",
        "",
        f"laban {facts['laban']} | {facts['machine']}",
        "",
        f"- Data: {', '.join(data['corpora'])} (fingerprint {data['fingerprint']}; {data['licence']}).",
        f"- Weights: {system['weights'][:16]}, trained on {', '.join(system['data'])}; {system['licence']}.",
        f"- Seed {facts['settings']['seed']}; peak memory {f'{peak:.0f} MB' if peak else 'unknown'}.",
        "",
    ]
    return "\n".join([*head, *facts["tables"]])
