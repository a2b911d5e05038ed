"""MotionCLIP on a prepared corpus: reconstruction, recognition, retrieval, controls, out-of-domain phrases, blends.

    python benchmarks/motionclip.py --data PREPARED [--model motionclip] [--confusion docs/motionclip-confusion.png]

Every table that docs/method/motionclip.md shows is printed here.
"""

from __future__ import annotations

import argparse
import fnmatch
import platform
import time
from datetime import date
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

import laban
from laban.data.corpus import Corpus
from laban.drawing.caption import font
from laban.metrics import physics
from laban.systems.motionclip import evaluation, space, tables
from laban.systems.motionclip.system import MotionCLIP

PHRASES = Path(__file__).with_name("out_of_domain.tsv")
BLENDS, STEPS = 20, 5


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, required=True)
    made.add_argument("--model", default="motionclip")
    made.add_argument("--split", default="test")
    made.add_argument("--least", type=int, default=15, help="clips that a content needs in the corpus")
    made.add_argument("--confusion", type=Path)
    made.add_argument("--seed", type=int, default=0)
    options = made.parse_args()
    torch.set_num_threads(1)
    begun = time.time()
    corpus = Corpus.open(options.data)
    system = laban.load(options.model)
    assert isinstance(system, MotionCLIP)
    records = evaluation.held_out(corpus, options.split)
    made_with = f"{platform.machine()}, 1 thread, torch {torch.__version__}; weights {str(system.provenance.hash)[:12]}"
    print(f"{date.today()}, {made_with}; split {options.split}: {len(records)} clips without mirror images\n")
    print("\n".join(tables.reconstruction_lines(system, corpus, records)))
    vectors = evaluation.directions(system, evaluation.clip_windows(system, corpus, records))
    lines, found = tables.recognition_lines(system, corpus, records, vectors, options.least)
    print("\n".join(lines))
    if options.confusion is not None:
        confusion_plot(found["confusion"], found["names"], options.confusion)
    print("\n".join(tables.retrieval_lines(system, records, vectors, options.seed)))
    out_of_domain(system, corpus, options.seed)
    blends(system, corpus, records, options.seed)
    print(f"{time.time() - begun:.0f} s")


def phrases() -> list[tuple[str, list[str]]]:
    lines = [x for x in PHRASES.read_text(encoding="utf-8").splitlines() if x and not x.startswith("#")]
    return [(p, a.split("|")) for p, a in (x.split("\t") for x in lines)]


def out_of_domain(system, corpus, seed) -> None:
    table = phrases()
    gallery = [r for r in corpus.records if r.mirror_of is None and r.captions]
    vectors = evaluation.directions(system, evaluation.clip_windows(system, corpus, gallery))
    labels = [r.labels["content"] for r in gallery]
    classes = system.vocabulary["classes"]
    rng = np.random.default_rng(seed)

    def judged(found: list[str], wanted: list[str]) -> bool:
        return any(fnmatch.fnmatchcase(x, w) for x in found for w in wanted)

    def retrieved(vector) -> list[str]:
        out: list[str] = []
        for i in torch.argsort(vectors @ vector, descending=True, stable=True).tolist():
            if labels[i] not in out:
                out.append(labels[i])
            if len(out) == 3:
                break
        return out

    def shuffled(text: str) -> str:
        words = text.split()
        return " ".join(words[i] for i in rng.permutation(len(words)))

    def generated(text: str) -> list[str]:
        motion = system.generate([laban.TextRequest(text)], seed=seed)[0]
        best: list[str] = []
        for g in space.recognise(system, motion, top=len(classes)):
            if g.phrase not in best:
                best.append(g.phrase)
            if len(best) == 3:
                break
        return [k for k, v in classes.items() if v in best]

    texts = [p for p, _ in table]
    plain = [retrieved(v) for v in system.text_directions(texts)]
    mixed = [retrieved(v) for v in system.text_directions([shuffled(t) for t in texts])]
    noise = [[retrieved(torch.from_numpy(rng.standard_normal(vectors.shape[1])).float()) for _ in texts]
             for _ in range(5)]  # fmt: skip
    made = [generated(t) for t in texts]
    share = lambda found: np.mean([judged(f, a) for f, (_, a) in zip(found, table, strict=True)])  # noqa: E731
    print(
        f"## {len(table)} phrases out of the training captions; an acceptable label among the first 3 of "
        f"{len(set(labels))}\n"
    )
    print("| | top-3 | top-1 |\n|---|---:|---:|")
    print(f"| retrieved | {share(plain):.3f} | {share([f[:1] for f in plain]):.3f} |")
    print(f"| generated, then recognised | {share(made):.3f} | |")
    print(f"| control: words in random order | {share(mixed):.3f} | {share([f[:1] for f in mixed]):.3f} |")
    random3, random1 = (np.mean([share([f[:k] for f in n]) for n in noise]) for k in (3, 1))
    print(f"| control: random text vectors, mean of 5 | {random3:.3f} | {random1:.3f} |\n")
    print("| phrase | retrieved | generated |\n|---|---|---|")
    for (phrase, wanted), found, own in zip(table, plain, made, strict=True):
        marks = ["yes" if judged(x, wanted) else "**no**" for x in (found, own)]
        print(f"| {phrase} | {marks[0]}: {'; '.join(found)} | {marks[1]} |")
    print()


def blends(system, corpus, records, seed) -> None:
    rng = np.random.default_rng(seed)
    fps, longest = system.config.fps, system.config.max_frames
    usable = [r for r in records if 40 <= r.length <= longest and r.labels["content"] in system.vocabulary["classes"]]
    real = physics.summary([np.asarray(corpus.joints(r)) for r in usable], fps)
    classes = system.vocabulary["classes"]
    rows: list[list[np.ndarray]] = [[] for _ in range(STEPS)]
    monotone, curves, insane, beyond = 0, [], 0, np.zeros(3, int)
    for _ in range(BLENDS):
        while True:
            a, b = (usable[int(i)] for i in rng.choice(len(usable), 2, replace=False))
            if classes[a.labels["content"]] != classes[b.labels["content"]]:
                break
        ends = [laban.Motion.from_joints(np.asarray(corpus.joints(r), np.float64), fps) for r in (a, b)]
        made = space.blend(system, *ends, steps=STEPS, clean=True)
        vectors = system.directions(system.encode(made))
        pair = {r.labels["content"]: classes[r.labels["content"]] for r in (a, b)}
        chance = space.scored(system, vectors, pair)[1][:, 1].numpy()
        curves.append(chance)
        monotone += bool((np.diff(chance) >= -0.02).all())
        own = np.array([measured(np.asarray(corpus.joints(r), np.float64), fps) for r in (a, b)])
        for k, motion in enumerate(made):
            found = measured(motion.joints(), fps)
            between = own[0] + (own[1] - own[0]) * k / (STEPS - 1)
            rows[k].append(np.concatenate([found, between]))
            limit = 2 * np.maximum(own.max(0), (real.skate, real.jerk, max(real.penetration, 0.005)))
            beyond += found > limit
            insane += bool((found > limit).any())
    print(f"## {BLENDS} random blends of {STEPS} steps between held-out clips of two contents\n")
    print(
        "| step | skate m/s | jerk m/s³ | penetration mm | mean probability of the second label |\n"
        "|---|---:|---:|---:|---:|"
    )
    for k in range(STEPS):
        made_skate, made_jerk, low, skate, jerk, _ = np.mean(rows[k], 0)
        mean = np.mean([c[k] for c in curves])
        print(f"| {k + 1} | {made_skate:.3f} ({made_skate / skate:.2f}x) | {made_jerk:.0f} ({made_jerk / jerk:.2f}x) | "
              f"{1000 * low:.1f} | {mean:.2f} |")  # fmt: skip
    print("x: against the step's place between the two real clips' own figures")
    print(
        f"\nmotions beyond 2x of real (the larger of their own two clips and the mean of all; 10 mm below the floor): "
        f"{insane} of {BLENDS * STEPS}; by skate {beyond[0]}, jerk {beyond[1]}, penetration {beyond[2]}"
    )
    print(f"the second label's probability against the first's never falls by more than 0.02: {monotone} of {BLENDS}\n")


def measured(joints: np.ndarray, fps: float) -> np.ndarray:
    """Skate m/s, jerk m/s³ and penetration m of a clip."""
    return np.array(
        [float(physics.skate(joints, fps)), float(physics.jerk(joints, fps)), float(physics.penetration(joints))]
    )


def confusion_plot(counts: np.ndarray, names: list[str], path: Path) -> None:
    """Rows are true classes, columns what was answered; shares of the row."""
    cell, margin = 34, 190
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = margin + cell * len(names) + 20
    image = Image.new("RGB", (size, size), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    face = font(13)
    for i, name in enumerate(names):
        draw.text((margin - 8, margin + cell * (i + 0.5)), name, font=face, fill=(30, 30, 40), anchor="rm")
        strip = Image.new("RGB", (margin - 10, cell), (255, 255, 255))
        ImageDraw.Draw(strip).text((2, cell / 2), name, font=face, fill=(30, 30, 40), anchor="lm")
        image.paste(strip.rotate(90, expand=True), (margin + cell * i, 2))
        for j in range(len(names)):
            share = float(shares[i, j])
            box = (margin + cell * j, margin + cell * i, margin + cell * (j + 1) - 2, margin + cell * (i + 1) - 2)
            shade = tuple(int(245 - share * (245 - c)) for c in (28, 84, 152))
            draw.rectangle(box, fill=shade)
            if counts[i, j]:
                draw.text(
                    ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), str(counts[i, j]), font=face, anchor="mm",
                    fill=(255, 255, 255) if share > 0.5 else (30, 30, 40),
                )  # fmt: skip
    image.save(path)


if __name__ == "__main__":
    main()
