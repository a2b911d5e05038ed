"""The paper's Table 1 at the scale of a laptop: layers along fewer axes, 6 against 12, both masks; bf16; no captions.

    python benchmarks/studies/godiva_ablation.py --data MNIST.tar --tokenizer RUN --out runs/ablation [--steps 3000]

Every variant is a `tiny` decoder trained for equal steps on the same tokens (the tokenizer of RUN): all of them with
seed 0, then all with seed 1. Run it again after an interruption: finished runs stay and a cut-off one goes on where it
stood. --table trains nothing and prints what is finished. Printed: nats per token of real test videos, over all frames
and over all but the first, and how many generated ones the judges accept, with Wilson intervals over both seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the benchmarks, whose helpers these studies share

from report import parser, run

FAITHFUL = ("decoder.mask=godiva",)
VARIANTS: dict[str, tuple[str, ...]] = {
    "godiva, 6 layers": FAITHFUL,
    "godiva, 12 layers": (*FAITHFUL, "decoder.layers=12"),
    "without temporal": (*FAITHFUL, "decoder.axes=('R','C')"),
    "without row": (*FAITHFUL, "decoder.axes=('T','C')"),
    "without column": (*FAITHFUL, "decoder.axes=('T','R')"),
    "axial_full, 6 layers": (),
    "axial_full, bf16": (),
    "axial_full, no captions": ("text.dropout=1.0",),
}
PRECISION = {"axial_full, bf16": "bf16"}
# Whole videos of one digit and no guidance, as in the paper
SHARED = ("prefixes=()", "digits.doubles=0.0", "text.dropout=0.0", "sampling.guidance=1.0")


HEAD = ("variant", "parameters", "minutes", "nats per token, by seed", "of later frames", "digit", "motion", "joint")


def place(name: str, seed: int, given: argparse.Namespace) -> Path:
    """The folder of a model."""
    return given.out / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}"


def train(name: str, seed: int, given: argparse.Namespace) -> Path:
    """Train one decoder, or go on with it. Returns: its folder, a checkpoint that loads."""
    import torch

    from laban.commands.output import Bars
    from laban.systems.godiva.system import Godiva
    from laban.train import loop

    folder = place(name, seed, given)
    start = Godiva.load(given.tokenizer)
    settings = [*SHARED, *VARIANTS[name], f"decoder_schedule.steps={given.steps}", *given.set]
    # the tokenizer's own
    for field in ("halvings", "width", "blocks", "blocks_in", "padding", "code_width", "codes", "rate"):
        settings.append(f"coder.{field}={getattr(start.config.coder, field)}")
    config, _ = Godiva.configured("tiny", settings)
    source = Godiva.open_data(given.data, config)
    torch.manual_seed(seed)
    system = Godiva.create(config, source)
    system.provenance.data, system.provenance.licence = source.names, source.licences[0]
    quick = loop.Options(
        stages=("tokenizer", "score"), init=given.tokenizer, steps=0, seed=seed, preview=False,
        validate_every=0,
    )  # fmt: skip
    if not (folder / "state" / "score.json").is_file():  # both are taken as they are, in no steps
        loop.run(system, source, folder, quick)  # type: ignore[arg-type]
    options = loop.Options(
        stages=("decoder",), seed=seed, preview=False, checkpoint_seconds=60, progress=Bars(not given.bar, logged=True),
        precision=PRECISION.get(name, "32"),
    )  # fmt: skip
    loop.run(system, source, folder, options)  # type: ignore[arg-type]
    return folder


def measure(folder: Path, source: Any, judges: Any, given: argparse.Namespace) -> dict[str, Any]:
    """Nats per token of real test videos and hits of generated ones; kept beside the weights."""
    import laban
    from laban.systems.godiva import evaluation

    note = folder / f"measured-{given.videos}.json"
    if note.is_file():
        return json.loads(note.read_text())
    system: Any = laban.load(folder)
    asked = evaluation.spread(source.pairs(seen=True), given.videos)
    videos, captions = evaluation.real(source, np.random.default_rng(0), [[pair] for pair in asked])
    nll = system.likelihood(videos, captions)
    row = evaluation.singles("", judges.single(evaluation.generated(system, captions, 0)), asked)
    length = system.config.frames.count
    facts = {
        "nll": float(nll.mean()),
        "later": float((nll.mean() * length - system.likelihood(videos[:, :1], captions).mean()) / (length - 1)),
        **{"digit": row.digit, "motion": row.motion, "joint": row.joint, "n": row.total},
        "minutes": json.loads((folder / "state" / "decoder.json").read_text())["seconds"] / 60,
        "parameters": sum(p.numel() for p in system.decoder.parameters()),
    }
    note.write_text(json.dumps(facts))
    return facts


def table(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Markdown of what is measured: a row per variant, seeds side by side."""
    from laban.systems.godiva.evaluation import share

    rows = [HEAD, ("---",) * len(HEAD)]
    for name, runs in found.items():
        if runs:
            total = sum(f["n"] for f in runs)
            hits = [share(sum(f[k] for f in runs), total) for k in ("digit", "motion", "joint")]
            several = [
                " ".join(f"{f[k]:{kind}}" for f in runs)
                for k, kind in (("minutes", ".1f"), ("nll", ".4f"), ("later", ".4f"))
            ]
            rows.append((name, f"{runs[0]['parameters'] / 1e6:.2f} M", *several, *hits))
    return ["| " + " | ".join(row) + " |" for row in rows]


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("ablation of the decoder")
    made.add_argument("--data", type=Path, default=Path("data/mnist.tar"))
    made.add_argument("--tokenizer", type=Path, required=True, help="a finished run whose tokenizer is used")
    made.add_argument("--out", type=Path, default=Path("runs/ablation"))
    made.add_argument("--judges", type=Path, help="folder to keep the judges in, or to take them from")
    made.add_argument("--steps", type=int, default=3000)
    made.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    made.add_argument("--videos", type=int, default=120, help="generated per model")
    made.add_argument("--only", choices=VARIANTS, action="append", help="train these alone")
    made.add_argument("--table", action="store_true", help="train nothing, print what is finished")
    made.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="for every variant")
    made.add_argument("--bar", action="store_true", help="a progress bar")
    given = made.parse_args()

    from laban.data.corpora.mnist import MovingDigits
    from laban.systems.godiva.evaluation import judges_of

    source = MovingDigits.open(given.data)
    judges = judges_of(source, given.judges or given.out / "judges")
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in VARIANTS}
    for seed in given.seeds:
        for name in VARIANTS:
            if not given.table and (not given.only or name in given.only):
                train(name, seed, given)
            if (place(name, seed, given) / "state" / "decoder.json").is_file():
                found[name].append(measure(place(name, seed, given), source, judges, given))
                if not given.table:
                    print(f"{name}, seed {seed}: {found[name][-1]}", flush=True)
    said = " ".join(given.set) or "as the preset"
    print(f"\n{given.steps} steps each, {said}; {given.videos} videos of each model judged\n")
    print("\n".join(table(found)))
    complete = all(len(runs) == len(given.seeds) for runs in found.values())
    return {"steps": given.steps, "variants": found}, complete, given


if __name__ == "__main__":
    run(main)
