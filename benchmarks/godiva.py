"""Does a generated video show the digit and the motion that its caption names?

    python benchmarks/godiva.py --data data/mnist.tar [--model godiva] [--judges runs/judges] [--floor RUN] [--clip DIR]

The tables of `laban evaluate godiva` beside the goals: digit >= 90 %, motion >= 90 %, joint >= 85 % of 500 seen pairs;
reconstructions within one point of real videos. With --clip also CLIPSIM and RM by a real CLIP. --tokens says where
the nats are, --ranked what choosing among samples gives.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from report import goal, parser, run, table


def options() -> argparse.Namespace:
    made = parser("text to video: digits and motions")
    made.add_argument("--data", type=Path, default=Path("data/mnist.tar"), help="MNIST, a .tar or a folder")
    made.add_argument("--model", default="godiva", help="shipped weights by name, or a checkpoint folder")
    made.add_argument("--judges", type=Path, help="folder to keep the judges in, or to take them from")
    made.add_argument("--floor", help="a model that was trained without captions (--set text.dropout=1.0)")
    made.add_argument("--clip", type=Path, help="folder with a real CLIP, for CLIPSIM and RM")
    made.add_argument("--videos", type=int, default=500, help="generated videos of seen pairs; others take 2/5 of it")
    made.add_argument("--split", default="test", choices=("test", "val"), help="of the digits of real videos")
    made.add_argument("--quick", action="store_true", help="seen pairs only")
    made.add_argument("--tokens", action="store_true", help="only: what empty cells and digits cost, frame by frame")
    made.add_argument("--ranked", type=int, metavar="N", help="only: the best of N samples by our score, of --videos")
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--top-k", type=int, help="codes that may be drawn; by default the model's")
    made.add_argument("--temperature", type=float, help="by default the model's")
    made.add_argument("--guidance", type=float, help="by default the model's")
    return made.parse_args()


def tokens(system: Any, source: Any, given: argparse.Namespace) -> dict[str, Any]:
    """Nats of the cells with something in them and of the empty ones, in the first frame and in later ones."""
    import torch

    from laban.data.corpora.mnist import caption
    from laban.systems.godiva import evaluation

    rng, pairs = np.random.default_rng(given.seed), source.pairs(seen=True)
    asked = evaluation.spread(pairs, given.videos)
    videos, captions = evaluation.real(source, rng, [[pair] for pair in asked], given.split)
    other = [caption([((d + 1 + int(rng.integers(9))) % 10, m)]) for d, m in asked]
    n, (frames, height, width) = len(videos), system.config.grid
    cells = videos[..., 0].reshape(n, frames, height, -1, width, videos.shape[3] // width)
    full = torch.from_numpy(cells.max((3, 5)) > 0)
    with torch.no_grad():
        codes = system.encode(system.normalise(system.tensor(videos)))
        right, wrong = (system.decoder.nll(codes, *system.words(told)) for told in (captions, other))
    found = {"codes of empty cells": len(codes[~full].unique()), "codes of others": len(codes[full].unique())}
    for name, part in (("first frame", slice(0, 1)), ("a later frame", slice(1, None))):
        for kind, mask in (("full", full), ("empty", ~full)):
            found[f"{name}, {kind} cells"] = float((right * mask)[:, part].sum((2, 3)).mean())
    found["first frame, what another digit's caption costs"] = float((wrong - right)[:, 0].sum((1, 2)).mean())
    print(f"{n} videos of the split {given.split}; nats per frame")
    print("\n".join(f"{name}: {value:.4g}" for name, value in found.items()))
    return found


def ranked(system: Any, source: Any, judges: Any, given: argparse.Namespace) -> dict[str, Any]:
    """Single samples, and the best of N by our own score, which is no CLIP."""
    from laban.data.corpora.mnist import caption
    from laban.systems.godiva import evaluation

    pairs = source.pairs(seen=True)
    order = np.random.default_rng(given.seed).permutation(len(pairs))
    asked = evaluation.spread([pairs[n] for n in order], given.videos)
    videos, captions = evaluation.real(source, np.random.default_rng(given.seed), [[p] for p in asked], given.split)
    right = 0
    for video, (digit, motion) in zip(videos, asked, strict=True):
        scores = system.rate(np.repeat(video[None], 10, 0), [caption([(d, motion)]) for d in range(10)])
        right += int(scores.argmax()) == digit
    repeated = [c for c in captions for _ in range(given.ranked)]
    made = evaluation.generated(system, repeated, given.seed)
    best = system.rate(made, repeated).reshape(-1, given.ranked).argmax(1)
    seen = judges.single(made)
    rows = [
        evaluation.singles("single samples", seen, [p for p in asked for _ in range(given.ranked)]),
        evaluation.singles("best by score", [seen[k * given.ranked + b] for k, b in enumerate(best)], asked),
    ]
    print(f"the score picks the right one of ten digits for {right} of {len(asked)} real videos")
    print(table(("of " + str(given.ranked), "digit", "motion", "joint"), [row.cells() for row in rows]))
    return {"picks": right, **{row.name: row.facts() for row in rows}}


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    given = options()
    import laban
    from laban.data.corpora.mnist import MovingDigits
    from laban.metrics.video import clipsim, relative_matching
    from laban.systems.godiva import evaluation
    from laban.systems.requests import Trial

    system: Any = laban.load(given.model)
    source = MovingDigits.open(given.data, system.config.digits)
    if given.tokens:
        return tokens(system, source, given), True, given
    judges = evaluation.judges_of(source, given.judges)
    draw = {k: getattr(given, k) for k in ("top_k", "temperature", "guidance") if getattr(given, k) is not None}
    print(f"{given.model}, weights {str(system.provenance.hash)[:16]}: draws {draw or system.config.sampling}")
    if given.ranked:
        return ranked(system, source, judges, given), True, given
    floor: Any = laban.load(given.floor) if given.floor else None
    start = time.process_time()
    trial = Trial(given.videos, given.seed, given.quick)
    judgement = evaluation.judged(system, source, judges, trial, split=given.split, floor=floor, options=draw)
    facts = judgement.facts
    print("\n".join(evaluation.lines(facts)))
    print(f"{time.process_time() - start:.0f} s of CPU in all")
    if given.clip:
        from laban.condition.clip_towers import open_clip

        clip = open_clip(given.clip)
        sim, best = (clipsim(clip, judgement.captions, videos) for videos in (judgement.generated, judgement.real))
        print(f"CLIPSIM generated {100 * sim.mean():.2f}, real {100 * best.mean():.2f}; ", end="")
        print(f"RM {100 * relative_matching(sim, best):.2f} (mean of ratios)")
    checks = [goal(*found) for found in evaluation.goals(facts)]
    print("\n".join(line for line, _ in checks))
    return {"weights": system.provenance.hash, **facts}, all(ok for _, ok in checks), given


if __name__ == "__main__":
    run(main)
