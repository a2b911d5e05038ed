"""Do KMM's claims hold on real motion capture? A factorial of small models, resumable, with its table.

    python benchmarks/studies/kmm_experiment.py --data data/prepared --out runs/kmm-experiment [--seeds 2] [--steps 700]
    python benchmarks/studies/kmm_experiment.py --tiny --out /tmp/x      # a smoke run on the synthetic corpus, a minute

Every cell trains the base layer of a small KMM (equal steps; parameters equal to 5 %) and is judged on the same scripts
out of the label vocabulary, which no training sequence holds; the residual layers are one shared model. A cell that is
finished is not done again, one that was killed goes on.

Decided in advance: H1, hiding key frames beats hiding runs of the same lengths elsewhere, on
FID and on the named side. H2, the contrastive loss raises the share of right sides where there are no mirror images;
and with them? H3, quality falls more slowly along a script with key frames, and with a state-space model than with a
transformer. A difference is claimed where the interval of its paired differences over seeds leaves out zero.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the benchmarks, whose helpers these studies share

from baselines.trunks import equal_size
from kmm_contrasts import BASE, CELLS, Cell, report
from report import data_option, parser, run

PART = "kmm-experiment"  # of the page that --table writes into


def parameters(module: Any) -> int:
    return sum(p.numel() for p in module.parameters())


def configured(cell: Cell, base: Any, build: Any) -> Any:
    """The cell's configuration, other backbones in equal size."""
    made = replace(
        base,
        mask=replace(base.mask, kind=cell.mask, ratio=cell.ratio, share=0.5),
        align=replace(base.align, weight=cell.weight),
        mirrored=cell.mirrored,
    )
    if cell.backbone == "ssd":
        return made
    return replace(made, trunk=equal_size(made.trunk, cell.backbone))


def swapped(line: str) -> str:
    from laban.data.captions import mirror

    return mirror(line)


def judge(system: Any, corpus: Any, encoders: list[Any], real: list[np.ndarray], options: Any) -> dict[str, Any]:
    """All scores of one cell."""
    from control import vocabulary
    from kmm_encoders import scores

    from laban.data.clips import canonical
    from laban.metrics import composition
    from laban.metrics.control import judge as judged
    from laban.motion import humanml

    rng = np.random.default_rng(7)
    phrases = vocabulary()
    if options.tiny:
        phrases = [p for p in phrases if p[1] in ("wave_right", "walk", "bow", "walk_left")]
    hits = np.zeros((options.lines, 2))
    sides, flips = [0, 0], [0, 0]
    stretches, texts, windows = [], [], []
    for number in range(options.scripts):
        picks = [phrases[i] for i in rng.integers(len(phrases), size=options.lines)]
        seconds = np.round(rng.uniform(3, 6, options.lines), 1)
        lines = [f"{t} @{s}" for (t, _), s in zip(picks, seconds, strict=True)]
        motion = system.compose(lines, 0, index=number)
        other = system.compose([swapped(line) for line in lines], 0, index=number).joints()
        joints = motion.joints()
        windows.append(composition.windows(joints, [round(s.start * motion.fps) for s in motion.segments[1:]]))
        for place, (segment, (text, expect)) in enumerate(zip(motion.segments, picks, strict=True)):
            part = slice(round(segment.start * motion.fps), round(segment.end * motion.fps))
            hits[place] += [judged(expect, joints[part], motion.fps).ok, 1]
            if expect in composition.SIDED:
                right = composition.right_side(expect, joints[part], motion.fps)
                sides[0] += right
                sides[1] += 1
                mirrored = composition.side_of(expect, other[part], motion.fps) * composition.SIDED[expect] < 0
                flips[0] += right and mirrored
                flips[1] += 1
            stretches.append(humanml.features_of(canonical(joints[part])).astype(np.float32))
            texts.append(text)
    share = hits[:, 0] / np.maximum(hits[:, 1], 1)
    places = np.arange(options.lines)
    around = np.concatenate(windows)
    jerk = np.mean([np.abs(np.diff(r, n=3, axis=0)).sum(-1).max(-1).mean() for r in real])
    peak, area = composition.peak_and_area(around, float(jerk))
    found = {
        "side": sides[0] / max(1, sides[1]), "sided": sides[1], "flip": flips[0] / max(1, flips[1]),
        "lines": float(hits[:, 0].sum() / hits[:, 1].sum()), "by place": share.tolist(),
        "slope": float(np.polyfit(places, share, 1)[0]) if len(places) > 1 else 0.0, "PJ": peak, "AUJ": area,
    }  # fmt: skip
    for letter, (encoder, held) in zip("ab", encoders, strict=True):
        for name, value in scores(encoder, stretches, texts, held).items():
            found[f"{name} {letter}"] = value
    return found


def recall(system: Any, corpus: Any, config: Any, options: Any) -> dict[str, float]:
    """How well the label of the stretch k back is read from the scan's state, and from a state of this stretch alone.

    Ridge regression on a random projection of the state at the end of each stretch of real joined sequences.
    """
    import torch

    from laban.systems.kmm import data
    from laban.systems.kmm.networks import Conditions

    if config.trunk.backbone == "transformer":
        return {}
    hours = 0.01 if options.tiny else 0.5
    pools = {s: data.make_pool(corpus, s, config, system.frozen, hours, seed=5) for s in ("train", "test")}
    generator = torch.Generator().manual_seed(0)
    projection: Any = None
    rows: dict[str, list[Any]] = {}
    names = sorted({r.labels.get("content", "") for s in pools.values() for q in s for r in q.records})
    for split, pool in pools.items():
        for sequence in pool:
            ids = torch.from_numpy(sequence.codes[:, 0].astype(np.int64))[None]
            for reset in (False, True):
                state = None
                for i in range(len(sequence.records)):
                    a, b = int(sequence.starts[i]), int(sequence.starts[i + 1])
                    with torch.no_grad():
                        latent = system.masked.text.blank.expand(1, b - a, -1)
                        zero = torch.zeros(1, b - a, dtype=torch.int64)
                        _, state = system.masked(ids[:, a:b], Conditions(latent, zero, zero), None if reset else state)
                    flat = torch.cat([s.hidden.flatten() for s in state])
                    if projection is None:
                        projection = torch.randn(len(flat), 256, generator=generator) / len(flat) ** 0.5
                    for back in (0, 1, 2, 3):
                        if i >= back:
                            label = names.index(sequence.records[i - back].labels.get("content", ""))
                            key = f"{split} {'reset' if reset else 'carried'} {back}"
                            rows.setdefault(key, []).append(((flat @ projection).numpy(), label))
    found = {}
    for how in ("carried", "reset"):
        for back in (0, 1, 2, 3):
            parts = [rows.get(f"{s} {how} {back}", []) for s in ("train", "test")]
            if not all(parts):
                continue
            (x, y), (u, v) = ((np.stack([r for r, _ in p]), np.array([n for _, n in p])) for p in parts)
            mean, size = x.mean(0), x.std(0) + 1e-6
            x, u = (x - mean) / size, (u - mean) / size
            target = np.eye(len(names))[y]
            weights = np.linalg.solve(x.T @ x + 100.0 * np.eye(x.shape[1]), x.T @ (target - target.mean(0)))
            found[f"recall {how} {back}"] = float(((u @ weights + target.mean(0)).argmax(1) == v).mean())
    return found


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("KMM's claims, as a factorial")
    data_option(made)
    made.add_argument("--out", type=Path, default=Path("runs/kmm-experiment"))
    made.add_argument("--seeds", type=int, default=2)
    made.add_argument("--steps", type=int, default=700)
    made.add_argument("--width", type=int, default=192)
    made.add_argument("--scripts", type=int, default=10)
    made.add_argument("--lines", type=int, default=12)
    made.add_argument("--cells", type=int, help="only the first so many cells")
    made.add_argument("--minutes", type=float, default=math.inf, help="start no further cell after so many")
    made.add_argument("--table", type=Path, help="write the table into this page, between its marks")
    made.add_argument("--tiny", action="store_true", help="synthetic corpus, tiny models: proves the command")
    options = made.parse_args()

    import torch

    from laban import checkpoint
    from laban.data.clips import canonical
    from laban.data.corpus import Corpus
    from laban.data.synthesis import walkers
    from laban.errors import InputError
    from laban.evaluate import page
    from laban.motion import humanml
    from laban.systems.kmm.config import PRESETS
    from laban.systems.kmm.system import KMM
    from laban.train import loop

    torch.set_num_threads(max(1, torch.get_num_threads()))
    begun = time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.tiny:
        options.steps, options.scripts, options.lines, base = min(options.steps, 20), 3, 4, PRESETS["tiny"]
        where = options.out / "corpus"
        corpus = Corpus.open(where) if where.exists() else walkers.write(where, clips=32)
    else:
        corpus = Corpus.open(options.data)
        small = PRESETS["small"]
        trunk = replace(small.trunk, width=options.width, inner=options.width, heads=options.width // 64)
        base = replace(small, trunk=trunk, pool_hours=6.0)
    schedule = replace(base.masked_schedule, steps=options.steps, weight_ema=0.99)
    base = replace(
        base, masked_schedule=schedule, residual_schedule=replace(base.residual_schedule, steps=options.steps)
    )

    def build(config: Any) -> Any:
        return KMM(config, {"mean": corpus.mean, "std": corpus.std})

    def trained(config: Any, folder: Path, stage: str, seed: int) -> Any:
        torch.manual_seed(seed)
        system = build(config)
        system.share_sequences(owners[config.mirrored])
        system.provenance.data, system.provenance.licence = corpus.names, "; ".join(corpus.licences)
        loop.run(system, corpus, folder, loop.Options(
            stages=(stage,), seed=seed, preview=False, log_every=50, validate_every=0))  # fmt: skip
        return system

    owners = {flag: build(replace(base, mirrored=flag)) for flag in (True, False)}

    @cache
    def residual() -> Any:
        """The tensors of the residual model that all cells share; trained when the first cell needs them."""
        trained(replace(base, align=replace(base.align, weight=0.5)), options.out / "residual", "residual", 0)
        return checkpoint.load_stage(options.out / "residual", "residual")

    from kmm_encoders import Encoder

    probe = owners[True]
    held = [r for r in corpus.select("test", mirrored=False) if r.captions and r.length >= 40]
    real = [np.asarray(corpus.joints(r), np.float64) for r in held]
    reals = [humanml.features_of(canonical(j)).astype(np.float32) for j in real]
    encoders = []
    for seed in (11, 12):
        encoder = Encoder.trained(
            corpus, probe.text_encoder, options.out / f"encoder-{seed}.safetensors", seed, 30 if options.tiny else 500
        )
        encoders.append((encoder, encoder.motions(reals)))
    cells = CELLS[: options.cells]
    results: dict[str, dict[int, dict[str, Any]]] = {}
    for seed in range(options.seeds):
        for cell in cells:
            path = options.out / f"{cell.name}-{seed}.json"
            if not path.exists():
                if time.monotonic() - begun > 60 * options.minutes:
                    continue
                config = configured(cell, base, build)
                rest = residual()  # before the seed is set
                system = trained(config, options.out / f"{cell.name}-{seed}", "masked", seed)
                checkpoint.load_into(system.residual, rest, "the shared residual model")
                found = judge(system.eval(), corpus, encoders, real, options)
                if cell in (BASE, replace(BASE, backbone="causal")):
                    found |= recall(system, corpus, config, options)
                found["parameters"] = parameters(system.masked)
                path.write_text(json.dumps(found, indent=1) + "\n")
                print(f"{cell.name}, seed {seed}: side {found['side']:.2f}, lines {found['lines']:.2f}", flush=True)
            results.setdefault(cell.name, {})[seed] = json.loads(path.read_text())
    if not results:
        raise InputError(f"{options.out}: no cell is finished, and --minutes lets none begin.")
    text = report(results, encoders, options)
    print(text)
    if options.table:
        before = options.table.read_text(encoding="utf-8") if options.table.exists() else "# Results\n"
        options.table.write_text(page.replace_part(before, PART, text), encoding="utf-8")
        print(f"written: {options.table}")
    return {"cells": results}, True, options


if __name__ == "__main__":
    run(main)
