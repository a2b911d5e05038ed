"""MotionCLIP on a prepared corpus: reconstruction, recognition, retrieval, controls, out-of-domain phrases, blends.

    python benchmarks/motionclip.py --data PREPARED [--model motionclip] [--confusion docs/motionclip-confusion.png]

Every table that docs/motionclip.md shows is printed here.
"""

from __future__ import annotations

import argparse
import fnmatch
import platform
import time
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

import laban
from laban.data.corpus import Corpus
from laban.io import scene
from laban.metrics import physics
from laban.metrics.retrieval import chance_at, recall_at
from laban.systems.motionclip import evaluation, space
from laban.systems.motionclip.compact import CompactAutoencoder
from laban.systems.motionclip.system import MotionCLIP

PHRASES = Path(__file__).with_name("out_of_domain.tsv")
KS = (1, 3, 5, 10)
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
    reconstruct(system, corpus, records)
    vectors = evaluation.directions(system, evaluation.clip_windows(system, corpus, records))
    recognise(system, corpus, records, vectors, options)
    retrieve(system, records, vectors, options.seed)
    out_of_domain(system, corpus, options.seed)
    blends(system, corpus, records, options.seed)
    print(f"{time.time() - begun:.0f} s")


def reconstruct(system, corpus, records) -> None:
    print("## Reconstruction, mm\n")
    print("| | seconds | windows | MPJPE | relative to the root | root | motion kept in the second half |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for seconds in (3.0, 6.0, system.config.max_frames / system.config.fps):
        row("whole decoder", seconds, evaluation.reconstruction(system, corpus, records, seconds))
    if isinstance(system.autoencoder, CompactAutoencoder):
        kept = {k: v.clone() for k, v in system.autoencoder.leave.state_dict().items()}
        for value in system.autoencoder.leave.parameters():
            value.data.zero_()
        row("principal components alone", 3.0, evaluation.reconstruction(system, corpus, records, 3.0))
        system.autoencoder.leave.load_state_dict(kept)
    print()


def row(name: str, seconds: float, r: dict[str, float]) -> None:
    if r["windows"]:
        print(
            f"| {name} | {seconds:g} | {r['windows']} | {r['mpjpe']:.1f} | {r['local']:.1f} | {r['root']:.1f} "
            f"| {r['moving']:.2f} |"
        )


def recognise(system, corpus, records, vectors, options) -> None:
    allowed = evaluation.frequent(corpus, options.least)
    count = Counter(r.labels["content"] for r in records)
    sets = {
        f"contents with at least {options.least} clips in the corpus": allowed,
        f"those with at least {options.least} clips in the split": {c for c in allowed if count[c] >= options.least},
    }
    print("## Recognition, macro-averaged\n\n| labels | classes | clips | top-1 | top-5 |\n|---|---:|---:|---:|---:|")
    first = None
    for name, members in sets.items():
        classes = {k: v for k, v in system.vocabulary["classes"].items() if k in members}
        keep = [i for i, r in enumerate(records) if r.labels["content"] in classes]
        if not keep:
            continue
        found = evaluation.recognition(system, vectors[keep], [records[i].labels["content"] for i in keep], classes)
        first = first or found
        print(f"| {name} | {len(classes)} | {len(keep)} | {found['top1']:.3f} | {found['top5']:.3f} |")
    style = evaluation.style_recognition(system, vectors, records, corpus)
    print(
        f"| styles, the content being known | {len(style['per_class'])} | {style['clips']} | {style['top1']:.3f} | |\n"
    )
    assert first is not None
    print("per content: " + ", ".join(f"{k} {v:.2f}" for k, v in first["per_class"].items()))
    print("per style: " + ", ".join(f"{k} {v:.2f}" for k, v in style["per_class"].items()) + "\n")
    if options.confusion is not None:
        confusion_plot(first["confusion"], first["names"], options.confusion)


def retrieve(system, records, vectors, seed) -> None:
    captions = [r.captions for r in records]
    known = set(system.vocabulary["phrases"])
    texts = system.text_directions([c[0] for c in captions])
    matches = np.array([[c[0] in own for own in captions] for c in captions])
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(texts))
    each = {c[0]: torch.from_numpy(rng.standard_normal(texts.shape[1])).float() for c in captions}
    noise = F.normalize(torch.stack([each[c[0]] for c in captions]), dim=-1)
    trained = [i for i, c in enumerate(captions) if c[0] in known]
    rows = {
        "text to motion, whole gallery": recall_at((texts @ vectors.T).numpy(), matches, KS),
        "captions of training only": recall_at((texts[trained] @ vectors.T).numpy(), matches[trained], KS),
        "control: captions shuffled among clips": recall_at((texts[order] @ vectors.T).numpy(), matches, KS),
        "control: a random vector per caption": recall_at((noise @ vectors.T).numpy(), matches, KS),
        "chance": chance_at(matches, KS),
    }
    print(f"## Retrieval among {len(records)} clips, {len(each)} captions; equal captions match\n")
    print("| | " + " | ".join(f"R@{k}" for k in KS) + " |\n|---|" + "---:|" * len(KS))
    for name, shares in rows.items():
        print(f"| {name} | " + " | ".join(f"{shares[k]:.3f}" for k in KS) + " |")
    print()


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
    face = scene.font(13)
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
