"""The paper's Table 1 at the scale of a laptop: layers along fewer axes, 6 against 12, both masks; bf16; no captions.

    python benchmarks/godiva_ablation.py --data data/mnist.tar --tokenizer RUN --out runs/ablation [--steps 3000]

Every variant is a `tiny` decoder trained for equal steps on the same tokens (the tokenizer of RUN) with seeds 0 and 1.
Run it again after an interruption: finished runs stay and a cut-off one goes on where it stood. It prints what is
finished; --only VARIANT trains one. Printed: nats per token of real test videos, and the joint accuracy of
generated ones with its Wilson interval over both seeds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from godiva import generated, judges_of, real, spread
from report import parser, run, share, table

FAITHFUL = ("decoder.mask=godiva",)
VARIANTS: dict[str, tuple[str, ...]] = {
    "godiva, 6 layers": FAITHFUL,
    "godiva, 12 layers": (*FAITHFUL, "decoder.layers=12"),
    "without temporal": (*FAITHFUL, "decoder.axes=('R','C')"),
    "without row": (*FAITHFUL, "decoder.axes=('T','C')"),
    "without column": (*FAITHFUL, "decoder.axes=('T','R')"),
    "axial_full, 6 layers": (),
    "axial_full, bf16": (),
    "without captions": ("text.dropout=1.0",),  # a floor, and what `godiva.py --free` takes
}
PRECISION = {"axial_full, bf16": "bf16"}
SHARED = ("prefixes=()", "digits.doubles=0.0")  # whole videos of one digit, as in the paper's training


def train(name: str, seed: int, given: argparse.Namespace) -> Path:
    """Train one decoder, or go on with it. Returns: its folder, a checkpoint that loads."""
    import torch

    from laban.systems.godiva.system import Godiva
    from laban.train import loop

    folder: Path = given.out / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}"
    start = Godiva.load(given.tokenizer)
    settings = [*SHARED, *VARIANTS[name], f"decoder_schedule.steps={given.steps}", *given.set]
    for field in ("halvings", "width", "blocks", "code_width", "codes"):  # the tokenizer's own
        settings.append(f"coder.{field}={getattr(start.config.coder, field)}")
    config, _ = Godiva.configured("tiny", settings)
    source = Godiva.open_data(given.data, config)
    torch.manual_seed(seed)
    system = Godiva.create(config, source)
    system.provenance.data, system.provenance.licence = source.names, source.licences[0]
    quick = loop.Options(
        stages=("tokenizer", "score"), init=given.tokenizer, steps=0, seed=seed, preview=False, quiet=True,
        validate_every=0,
    )  # fmt: skip
    if not (folder / "state" / "score.json").is_file():  # both are taken as they are, in no steps
        loop.run(system, source, folder, quick)  # type: ignore[arg-type]
    options = loop.Options(
        stages=("decoder",), seed=seed, preview=False, quiet=not given.bar, checkpoint_seconds=60,
        precision=PRECISION.get(name, "32"),
    )  # fmt: skip
    loop.run(system, source, folder, options)  # type: ignore[arg-type]
    return folder


def measure(folder: Path, source: Any, judges: Any, given: argparse.Namespace) -> dict[str, Any]:
    """Nats per token of real test videos and hits of generated ones; kept beside the weights."""
    note = folder / f"measured-{given.videos}.json"
    if note.is_file():
        return json.loads(note.read_text())
    import laban

    system: Any = laban.load(folder)
    rng = np.random.default_rng(0)
    asked = spread(source.pairs(True), given.videos)
    videos, captions = real(source, rng, [[pair] for pair in asked])
    nll = system.likelihood(videos, captions)
    found = judges.single(generated(system, captions, 0))
    facts = {
        "nll": float(nll.mean()),
        "joint": sum(a == b for a, b in zip(found, asked, strict=True)),
        "digit": sum(a[0] == b[0] for a, b in zip(found, asked, strict=True)),
        "motion": sum(a[1] == b[1] for a, b in zip(found, asked, strict=True)),
        "n": len(asked),
        "minutes": json.loads((folder / "state" / "decoder.json").read_text())["seconds"] / 60,
        "parameters": sum(p.numel() for p in system.decoder.parameters()),
    }
    note.write_text(json.dumps(facts))
    return facts


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
    made.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="for every variant")
    made.add_argument("--bar", action="store_true", help="a progress bar")
    given = made.parse_args()
    from laban.data.digits import MovingDigits

    source = MovingDigits.open(given.data)
    judges = judges_of(source, given.judges or given.out / "judges")
    rows, figures = [], {}
    for name in VARIANTS:
        found = []
        for seed in given.seeds:
            folder = given.out / f"{name.replace(', ', '-').replace(' ', '-')}-{seed}"
            if not given.only or name in given.only:
                folder = train(name, seed, given)
            if (folder / "state" / "decoder.json").is_file():
                found.append(measure(folder, source, judges, given))
                print(f"{name}, seed {seed}: {found[-1]}", flush=True)
        figures[name] = found
        total = sum(f["n"] for f in found)
        cells = [share(sum(f[k] for f in found), total) for k in ("digit", "motion", "joint")]
        nll = " ".join(f"{f['nll']:.4f}" for f in found) or "-"
        minutes = " ".join(f"{f['minutes']:.1f}" for f in found) or "-"
        rows.append([name, f"{found[0]['parameters'] / 1e6:.2f} M" if found else "-", minutes, nll, *cells])
    print(f"{given.steps} steps each")
    print(table(("variant", "parameters", "minutes", "nats per token, by seed", "digit", "motion", "joint"), rows))
    return {"steps": given.steps, "variants": figures}, all(figures.values()), given


if __name__ == "__main__":
    run(main)
