"""The paper's comparisons at this scale: next-frame against 20-frame supervision, causal against full attention, and
12 against 2 cross-modal layers. Trains each variant for the same number of steps, then scores it: `small` with the
paper's N of 20, and narrower, so that all five take about a quarter of an hour of one core.

Runs and their scores are kept in --out and go on where they stood.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the benchmarks, whose helpers these studies share

from report import data_option, parser, run, table

BASE = ("future=20", "supervised=20", "network.width=128", "network.heads=4", "network.feedforward=512",
        "loss.joints=0", "loss.velocity=0", "data.tracks=40", "sampling.block=10")  # fmt: skip
VARIANTS: dict[str, tuple[str, ...]] = {
    "N=20, full attention, 4 layers": (),
    "N=1": ("supervised=1", "sampling.block=1", "sampling.blend=0"),
    "causal attention": ("network.attention=causal",),
    "2 layers": ("network.cross_layers=2",),
    "12 layers": ("network.cross_layers=12",),
}


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser(__doc__ or "")
    data_option(made)
    made.add_argument("--out", type=Path, default=Path("runs/fact-comparisons"))
    made.add_argument("--steps", type=int, default=1500)
    made.add_argument("--dances", type=int, default=16, help="at least 4")
    made.add_argument("--frames", type=int, default=600)
    made.add_argument("--threads", type=int, default=1)
    options = made.parse_args()

    import torch

    import laban
    from laban.data.corpus import Corpus
    from laban.io.atomic import replacing
    from laban.systems.fact import evaluation
    from laban.systems.fact.config import SMALL
    from laban.systems.fact.system import Fact
    from laban.train import loop

    torch.set_num_threads(options.threads)
    corpus = Corpus.open(options.data)
    config = replace(SMALL, schedule=replace(SMALL.schedule, steps=options.steps))
    facts: dict[str, Any] = {"steps": options.steps, "variants": {}}
    rows = []
    given = None
    for number, (name, settings) in enumerate(VARIANTS.items()):
        folder = options.out / str(number)
        torch.manual_seed(0)
        system = Fact.create(config, corpus, (*BASE, *settings))
        system.provenance.preset = f"small, {name}"
        loop.run(system, corpus, folder, loop.Options(preview=False, validate_every=0, checkpoint_seconds=60))
        loaded = laban.load(folder)
        asked = [loaded.provenance.hash, options.dances, options.frames]
        scored = folder / "scores.json"
        kept = json.loads(scored.read_text()) if scored.is_file() else {}
        if kept.get("of") != asked:
            programme = evaluation.Programme(options.dances, options.frames)
            given = given or evaluation.songs(corpus, programme)
            found = evaluation.evaluate(loaded, corpus, programme, given=given)
            kept = {"of": asked, "found": found}
            with replacing(scored) as temporary:
                temporary.write_text(json.dumps(kept))
        found = kept["found"]
        one, shift = found["rows"]["made"], found["differences"]["made - shifted"]
        facts["variants"][name] = found
        rows.append(
            [name, f"{sum(p.numel() for p in loaded.module('dance').parameters()) / 1e6:.1f}", f"{one['fact']:.3f}",
             f"{shift['mean']:+.3f} [{shift['low']:+.3f}, {shift['high']:+.3f}]", f"{one['per_second']:.2f}",
             f"{one['speed']:.2f}", f"{one['frozen']:.2f}", f"{one['fid_k_fixed']:.1f}", f"{one['fid_g_fixed']:.1f}"]
        )  # fmt: skip
        print(
            table(["", "M", "FACT", "over shifted music", "kinematic/s", "m/s", "frozen", "FID_k", "FID_g"], rows),
            flush=True,
        )
    return facts, True, options


if __name__ == "__main__":
    run(main)
