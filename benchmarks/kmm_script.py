"""Does each line of a script do what it says, and do the seams hold? Judged from joints, by geometry.

    python benchmarks/kmm_script.py [--model kmm] [--data data/prepared] [--scripts 24] [--lines 8] [--json FILE]

Scripts are drawn at random, from a seed, out of the label vocabulary of benchmarks/control.py: compositions that no
training sequence holds. A line lasts 3 to 7 s. The rows:

- "KMM": each line's frames, judged by laban/metrics/control.py; "side" is the share of lines with a named side in which
  that side is the one at work (net yaw, way aside, length of the wrists' paths; chance is one half).
- "KMM, flipped": the same motion judged for the other side: what a coin would also get right stands here.
- "MoMask, single": MoMask's motion for the same text and length, one at a time: what a line is compared with.
- "real, joined": held-out clips joined by data/synthesis/compose.py, each stretch judged by its label: the ceiling.

Cost: both systems on the same texts, lengths, machine and threads; MoMask's lines of a script at once, and one at a
time as a script is performed.

Seams: 30 frames around each; beside them windows of real held-out clips and, as a control, clips put end to end with
no transition at all (placed and turned to fit, but not blended).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from control import GOALS, Tally, vocabulary
from report import data_option, goal, model_option, parser, run, share, table


@dataclass
class Cost:
    """CPU seconds of generation without clean-up of feet, all threads, and the seconds of motion that were made."""

    busy: float = 0.0
    seconds: float = 0.0

    @contextmanager
    def spent(self) -> Iterator[list[Any]]:
        """Times what is inside; the motions that it makes go into the list."""
        begin, made = time.process_time(), []
        yield made
        self.busy += time.process_time() - begin
        self.seconds += sum(motion.seconds for motion in made)


def cost_table(system: Any, rival: Any, costs: dict[str, Cost], right: dict[str, tuple[int, int]]) -> str:
    """Parameters, cost and lines that do what they say, of both systems on the same texts and lengths."""
    import torch

    def millions(owner: Any, stage: str, without: str = " ") -> float:
        named = owner.module(stage).named_parameters()
        return sum(p.numel() for name, p in named if not name.startswith(without)) / 1e6

    rows = []
    for name, cost in costs.items():
        owner = system if name == "KMM" else rival
        base, rest = millions(owner, "masked", "align."), millions(owner, "residual")
        rows.append([
            name, f"{base:.2f}", f"{rest:.2f}", f"{base + rest:.2f}", f"{cost.busy / cost.seconds:.4f}",
            share(*right[name]) if name in right else "-",
        ])  # fmt: skip
    head = ["", "base M", "residual M", "both", "CPU s per s", "lines right"]
    said = "cost: parameters used in generation, on the same tokenizer; CPU without clean-up of feet, {} thread{}"
    count = torch.get_num_threads()
    return said.format(count, "s" * (count != 1)) + "\n" + table(head, rows)


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("scripts: control per line, and seams")
    data_option(made)
    model_option(made)
    made.set_defaults(model="kmm")
    made.add_argument("--scripts", type=int, default=24)
    made.add_argument("--lines", type=int, default=8)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--guidance", type=float)
    made.add_argument("--raw", action="store_true")
    made.add_argument("--momask", default="momask", help="what single clips are compared with; '' for nothing")
    options = made.parse_args()

    import laban
    from laban.data.corpus import Corpus
    from laban.data.synthesis.compose import compose
    from laban.metrics import composition
    from laban.metrics.control import CONTENTS
    from laban.motion import cleanup, humanml
    from laban.systems.requests import TextRequest

    corpus = Corpus.open(options.data)
    rng = np.random.default_rng(options.seed)
    system: Any = laban.load(options.model)
    extra = {} if options.guidance is None else {"guidance": options.guidance}
    phrases = vocabulary()
    names = ["KMM", "MoMask, single", "real, joined"] if options.momask else ["KMM", "real, joined"]
    tallies = {name: Tally() for name in names}
    sides = {name: [0, 0] for name in [*names, "KMM, flipped"]}
    by_place = [[0, 0] for _ in range(options.lines)]
    windows: dict[str, list[np.ndarray]] = {"KMM": [], "cut": []}
    rival: Any = laban.load(options.momask) if options.momask else None

    costs = {name: Cost() for name in ("KMM", "MoMask, single", "MoMask, one at a time")}

    def judged(name: str, expect: str, joints: np.ndarray) -> bool:
        if expect in composition.SIDED:
            right = composition.right_side(expect, joints, corpus.fps)
            sides[name][0] += right
            sides[name][1] += 1
            if name == "KMM":
                sides["KMM, flipped"][0] += not right
                sides["KMM, flipped"][1] += 1
        return tallies[name].add(expect, joints, corpus.fps)

    for number in range(options.scripts):
        picks = [phrases[i] for i in rng.integers(len(phrases), size=options.lines)]
        seconds = np.round(rng.uniform(3, 7, options.lines), 1)
        lines = [f"{text} @{s}" for (text, _), s in zip(picks, seconds, strict=True)]
        with costs["KMM"].spent() as spent:
            motion = system.compose(lines, options.seed, index=number, **extra)
            spent.append(motion)
        motion = motion if options.raw else cleanup.clean(motion)
        joints = motion.joints()
        seams = [round(s.start * motion.fps) for s in motion.segments[1:]]
        windows["KMM"].append(composition.windows(joints, seams))
        for place, (segment, (_, expect)) in enumerate(zip(motion.segments, picks, strict=True)):
            part = joints[round(segment.start * motion.fps) : round(segment.end * motion.fps)]
            by_place[place][0] += judged("KMM", expect, part)
            by_place[place][1] += 1
        if rival is not None:
            requests = [TextRequest(text, float(s)) for (text, _), s in zip(picks, seconds, strict=True)]
            first = number * options.lines
            with costs["MoMask, single"].spent() as spent:
                singles = rival.generate(requests, options.seed, first_index=first)
                spent += singles
            for single, (_, expect) in zip(singles, picks, strict=True):
                clip = single if options.raw else cleanup.clean(single)
                judged("MoMask, single", expect, clip.joints())
            with costs["MoMask, one at a time"].spent() as spent:
                spent += [rival.generate([r], options.seed, first_index=first + i)[0] for i, r in enumerate(requests)]

    held = [r for r in corpus.select("test", mirrored=False) if r.labels.get("content") in CONTENTS]
    weights = np.full(len(held), 1 / len(held))
    for _ in range(options.scripts):
        real = compose(corpus, held, weights, 800, rng)
        joints = humanml.decode(real.features.astype(np.float64))
        for stretch in real.stretches:
            if stretch.end - stretch.start >= 20:
                part = joints[stretch.start : stretch.end]
                judged("real, joined", CONTENTS[stretch.record.labels["content"]], part)
    clips = [np.asarray(corpus.joints(r), np.float64) for r in corpus.select("test", mirrored=False)]
    windows["real"] = [composition.inside(clips, rng, 500)]
    for _ in range(100):
        a, b = (np.asarray(corpus.features(held[i]), np.float64) for i in rng.integers(len(held), size=2))
        windows["cut"].append(composition.windows(humanml.decode(np.concatenate([a, b])), [len(a)]))

    rows = []
    for title, expectations, _ in GOALS:
        rows.append([title, *(share(*tallies[n].over(expectations)) for n in names)])
    every = [e for _, expectations, _ in GOALS for e in expectations]
    rows.append(["all", *(share(*tallies[n].over(every)) for n in names)])
    print(f"{options.scripts} scripts of {options.lines} lines, seed {options.seed}: lines that do what they say")
    print(table(["", *names], rows))
    print()
    print(table(["the named side is at work", "share"], [[n, share(*v)] for n, v in sides.items()]))
    print("by place in the script: " + " ".join(share(*v) for v in by_place))
    for name in names:
        worst = [f"{e} {n}x: {why}" for e in tallies[name].reasons for why, n in tallies[name].reasons[e].items()]
        print(f"why {name} failed: " + "; ".join(sorted(worst, key=lambda w: w)))
    print()
    stacked = {name: np.concatenate(v) for name, v in windows.items()}
    measures = {name: composition.seam_measures(w, corpus.fps) for name, w in stacked.items()}
    curve = np.abs(np.diff(stacked["real"], n=3, axis=1)).sum(-1).max(-1)
    seam_rows = []
    for name, m in measures.items():
        pj, auj = composition.peak_and_area(stacked[name], float(curve.mean()))
        seam_rows.append([
            name, str(len(m.jerk)), f"{np.median(m.jerk):.3f}", f"{np.percentile(m.jerk, 95):.3f}", f"{pj:.4f}",
            f"{auj:.3f}", f"{np.median(m.root_change):.2f}", f"{m.root_change.max():.2f}", f"{m.foot_step.max():.2f}",
        ])  # fmt: skip
    head = ["windows of 30 frames", "n", "peak jerk", "95 %", "PJ", "AUJ", "root dv m/s", "largest", "foot step m"]
    print(table(head, seam_rows))
    got, of = tallies["KMM"].over(every)
    hits, total = sides["KMM"]
    if rival is not None:
        print(f"\n{cost_table(system, rival, costs, {n: t.over(every) for n, t in tallies.items()})}")
    lines_ = [goal("side accuracy", hits / max(1, total), 0.90, at_least=True)]
    if rival is not None:
        their, count = tallies["MoMask, single"].over(every)
        lines_.append(goal("lines against MoMask's single clips", got / of - their / count, -0.05, at_least=True))
    ratio = np.median(measures["KMM"].jerk) / np.median(measures["real"].jerk)
    high = np.percentile(measures["KMM"].jerk, 95) / np.percentile(measures["real"].jerk, 95)
    lines_ += [
        goal("peak jerk at seams of real inside clips, median", ratio, 2.0, "x"),
        goal("the same, 95th percentile", high, 2.0, "x"),
        goal("largest change of root speed at a seam, of the largest real",
             measures["KMM"].root_change.max() / measures["real"].root_change.max(), 1.0, "x"),
        goal("largest foot step at a seam, of the largest real",
             measures["KMM"].foot_step.max() / measures["real"].foot_step.max(), 1.0, "x"),
    ]  # fmt: skip
    print("\n".join(text for text, _ in lines_))
    figures = {
        "lines": {n: t.figures() for n, t in tallies.items()}, "sides": sides, "by_place": by_place,
        "seams": dict(zip(measures, seam_rows, strict=True)),
        "cost": {name: [c.busy, c.seconds] for name, c in costs.items()},
    }  # fmt: skip
    return figures, all(ok for _, ok in lines_), options


if __name__ == "__main__":
    run(main)
