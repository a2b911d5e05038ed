"""Does the model do what the sentence says? Judged from joints, by geometry (laban/metrics/control.py).

    python benchmarks/control.py [--model momask] [--data data/prepared] [--seeds 20] [--raw] [--json FILE]

20 seeds per phrase, lengths estimated by the model, for the label vocabulary (every caption phrase that the judge
has a rule for, without a style) and for benchmarks/paraphrases.json, 40 sentences that were committed before the
first training and share no content-word stem with any caption except left and right.

Beside every figure stand real held-out clips of the same label, and those of all splits since a few labels have
three held-out clips only, with 95 % Wilson intervals. Control rows: the same
judge on real clips with shuffled captions, on a statue (each clip's middle frame, frozen), and on a statue that
slides and turns along the real path.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from report import data_option, model_option, parser, run, share, table, wilson

PARAPHRASES = Path(__file__).with_name("paraphrases.json")

# The project's goals: name, the expectations that count, the share to reach (None: no share is asked for).
GOALS: tuple[tuple[str, tuple[str, ...], float | None], ...] = (
    ("named hand is the higher one", ("raise_left", "raise_right", "wave_left", "wave_right"), 0.95),
    ("both hands", ("raise_both", "wave_both"), 0.95),
    ("turns the named way, beyond 45 degrees", ("turn_left", "turn_right"), 0.90),
    ("walks at 0.4 to 1.8 m/s", ("walk",), 0.90),
    ("runs above 1.8 m/s", ("run",), 0.90),
    ("walks backward against its facing", ("walk_backward",), 0.90),
    ("goes to the named side", ("walk_left", "walk_right"), None),
    ("bows: the head goes down 20 cm", ("bow",), None),
)
PARAPHRASE_GOAL = 0.75
CONTROLS = ("shuffled", "statue", "sliding")


@dataclass
class Tally:
    """Hits and trials per expectation, and why trials failed."""

    hits: Counter[str] = field(default_factory=Counter)
    trials: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, expectation: str, joints: np.ndarray, fps: float) -> bool:
        from laban.metrics import control

        verdict = control.judge(expectation, joints, fps)
        self.trials[expectation] += 1
        self.hits[expectation] += verdict.ok
        if not verdict:
            kind = re.sub(r"-?\d[\d.]*", "#", verdict.reason)  # reasons alike but for their numbers
            self.reasons[expectation][kind] += 1
        return verdict.ok

    def over(self, expectations: Iterable[str]) -> tuple[int, int]:
        names = list(expectations)
        return sum(self.hits[n] for n in names), sum(self.trials[n] for n in names)

    def figures(self) -> dict[str, Any]:
        return {
            name: {"hits": self.hits[name], "of": total, "wilson": wilson(self.hits[name], total),
                   "reasons": dict(self.reasons[name])}
            for name, total in self.trials.items()
        }  # fmt: skip


def vocabulary() -> list[tuple[str, str]]:
    """(sentence, expectation) for every unstyled caption phrase that the judge has a rule for."""
    from laban.data.corpora.bandai_namco import captions
    from laban.metrics.control import CONTENTS

    return [(text, expect) for content, expect in CONTENTS.items() for text in captions(content, "normal")]


def labelled(corpus: Any, splits: tuple[str, ...]) -> list[tuple[str, np.ndarray]]:
    """(expectation, joints) of the real clips, not mirrored, whose label the judge has a rule for."""
    from laban.metrics.control import CONTENTS

    records = [r for split in splits for r in corpus.select(split, mirrored=False)]
    return [
        (CONTENTS[r.labels["content"]], np.array(corpus.joints(r)))
        for r in records
        if r.labels.get("content") in CONTENTS
    ]


def statue(joints: np.ndarray) -> np.ndarray:
    """The middle frame, frozen."""
    return np.repeat(joints[len(joints) // 2][None], len(joints), axis=0)


def sliding_statue(joints: np.ndarray) -> np.ndarray:
    """The middle frame, frozen, moved and turned along the clip's own path and facing."""
    from laban.metrics.control import facing
    from laban.motion import rotation

    forward = facing(joints)
    yaw = np.arctan2(forward[:, 0], forward[:, 2])
    middle = len(joints) // 2
    pose = joints[middle] - joints[middle, :1] * [1, 0, 1]
    turned = rotation.rotate(rotation.yaw(yaw - yaw[middle])[:, None], np.repeat(pose[None], len(joints), axis=0))
    return turned + joints[:, :1] * [1, 0, 1]


def main() -> tuple[dict[str, Any], bool, argparse.Namespace]:
    made = parser("control by text, judged from joints")
    data_option(made)
    model_option(made)
    made.add_argument("--seeds", type=int, default=20, help="motions per phrase")
    made.add_argument("--seed", type=int, default=0, help="of the first motion")
    made.add_argument("--seconds", type=float, help="length of every motion; estimated if not given")
    made.add_argument("--raw", action="store_true", help="without the clean-up that `laban generate` does")
    made.add_argument("--guidance", type=float, help="strength of the text; the model's own if not given")
    made.add_argument("--real-only", action="store_true", help="only real clips and control rows")
    made.add_argument("--paraphrases", type=Path, default=PARAPHRASES)
    options = made.parse_args()

    from laban.data.corpus import Corpus

    corpus = Corpus.open(options.data)
    clips = labelled(corpus, ("test",))
    shuffled = np.random.default_rng(options.seed).permutation(len(clips))
    tallies: dict[str, Tally] = {name: Tally() for name in ("real", "real, all", *CONTROLS)}
    for i, (expect, joints) in enumerate(clips):
        tallies["real"].add(expect, joints, corpus.fps)
        tallies["shuffled"].add(clips[shuffled[i]][0], joints, corpus.fps)
        tallies["statue"].add(expect, statue(joints), corpus.fps)
        tallies["sliding"].add(expect, sliding_statue(joints), corpus.fps)

    for expect, joints in labelled(corpus, ("train", "val", "test")):
        tallies["real, all"].add(expect, joints, corpus.fps)

    figures: dict[str, Any] = {"seeds": options.seeds, "real_clips": len(clips)}
    ok = True
    paraphrases: list[tuple[str, str, int]] = []
    if not options.real_only:
        vocabulary_rows, paraphrases = generate(options, tallies)
        figures["phrases"] = vocabulary_rows + paraphrases
        print(f"\n{options.model}, {options.seeds} seeds per phrase, {'raw' if options.raw else 'cleaned'}")
        print(table(["label vocabulary", "expects", "right"],
                    [[t, e, share(h, options.seeds)] for t, e, h in vocabulary_rows]))  # fmt: skip
        print()
        print(table(["paraphrases", "expects", "right"],
                    [[t, e, share(h, options.seeds)] for t, e, h in paraphrases]))  # fmt: skip

    names = [n for n in ("generated", "paraphrase", "real", "real, all", *CONTROLS) if n in tallies]
    rows, lines = [], []
    for title, expectations, limit in GOALS:
        rows.append([title, *(share(*tallies[n].over(expectations)) for n in names)])
        if "generated" in tallies and limit is not None:
            hits, total = tallies["generated"].over(expectations)
            reached = hits >= limit * total
            lines.append(f"{title}: {100 * hits / total:.1f}%, goal >= {100 * limit:.0f}%: "
                         f"{'ok' if reached else 'MISSED'}")  # fmt: skip
            ok = ok and reached
    every = [e for _, expectations, _ in GOALS for e in expectations]
    rows.append(["all", *(share(*tallies[n].over(every)) for n in names)])
    print(f"\nhits/trials, share, 95% Wilson interval; real: {len(clips)} held-out clips")
    print(table(["", *names], rows))
    if "paraphrase" in tallies:
        hits, total = tallies["paraphrase"].over(every)
        reached = hits >= PARAPHRASE_GOAL * total
        lines.append(f"paraphrases, all: {100 * hits / total:.1f}%, goal >= {100 * PARAPHRASE_GOAL:.0f}%: "
                     f"{'ok' if reached else 'MISSED'}")  # fmt: skip
        ok = ok and reached
    for name in names:
        worst = [f"{e} {n}x: {why}" for e in tallies[name].reasons for why, n in tallies[name].reasons[e].items()]
        if name in ("generated", "paraphrase", "real") and worst:
            print(f"why {name} failed: " + "; ".join(sorted(worst)))
    print("\n".join(lines))
    figures["rows"] = {name: tally.figures() for name, tally in tallies.items()}
    return figures, ok, options


def generate(
    options: argparse.Namespace, tallies: dict[str, Tally]
) -> tuple[list[tuple[str, str, int]], list[tuple[str, str, int]]]:
    """Fill the tallies "generated" and "paraphrase"; per phrase (text, expectation, hits)."""
    from tqdm import tqdm

    import laban
    from laban.systems.requests import TextRequest

    system: Any = laban.load(options.model)
    told = [(entry["text"], entry["expect"]) for entry in json.loads(options.paraphrases.read_text())]
    extra = {} if options.guidance is None else {"guidance": options.guidance}
    results: dict[str, list[tuple[str, str, int]]] = {}
    for name, phrases in (("generated", vocabulary()), ("paraphrase", told)):
        tallies[name], results[name] = Tally(), []
        for number, (text, expect) in enumerate(tqdm(phrases, desc=name, unit="phrase", disable=None)):
            motions = system.generate(
                [TextRequest(text, options.seconds)] * options.seeds,
                seed=options.seed,
                first_index=number * options.seeds,  # no two phrases of a list share their noise
                clean=not options.raw,
                **extra,
            )
            hits = sum(tallies[name].add(expect, m.joints(), m.fps) for m in motions)
            results[name].append((text, expect, hits))
    return results["generated"], results["paraphrase"]


if __name__ == "__main__":
    run(main)
