"""Agreement of the small text encoder with its teacher, on held-out sentences and on the development list."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from distil_actions import ACTION, SYNONYMS
from distil_everyday import CHECK, EVERYDAY, expanded
from distil_paraphrases import CONTENTS, PARAPHRASES, SIDES, bank
from distil_teacher import Teacher
from scipy.stats import spearmanr
from torch import Tensor

from laban.condition.text import SmallTextEncoder

Encode = Callable[[Sequence[str]], Tensor]


def similarity(a: Tensor, b: Tensor) -> tuple[float, float, float]:
    """(mean cosine, Spearman of the two similarity matrices, share of equal nearest neighbours)."""
    s, t = a @ a.T, b @ b.T
    upper = torch.triu_indices(len(a), len(a), 1)
    rank = spearmanr(s[upper[0], upper[1]].numpy(), t[upper[0], upper[1]].numpy()).statistic
    s.fill_diagonal_(-2), t.fill_diagonal_(-2)
    return float((a * b).sum(-1).mean()), float(rank), float((s.argmax(1) == t.argmax(1)).float().mean())


def nearest(encode: Encode) -> dict[str, float]:
    """Nearest-caption accuracy on the development list: content, style, left against right and its margin."""
    captions = bank()
    known = encode([c[0] for c in captions])
    scores = encode([p[0] for p in PARAPHRASES]) @ known.T
    best = [captions[i] for i in scores.argmax(1).tolist()]
    plain = scores[:, : len(CONTENTS)]
    content = [b[1] == p[1] for b, p in zip(best, PARAPHRASES, strict=True)]
    style = [b[2] == p[2] for b, p in zip(best, PARAPHRASES, strict=True) if p[2]]
    margins = [
        float(plain[i, p[1]] - plain[i, SIDES[p[1]]]) for i, p in enumerate(PARAPHRASES) if p[1] in SIDES
    ]  # fmt: skip
    alone = [int(plain[i].argmax()) == p[1] for i, p in enumerate(PARAPHRASES)]
    return {
        "content (320 captions)": sum(content) / len(content), "content (20 plain captions)": sum(alone) / len(alone),
        "style": sum(style) / len(style), "right side": sum(m > 0 for m in margins) / len(margins),
        "side margin, mean": sum(margins) / len(margins), "side margin, smallest": min(margins),
    }  # fmt: skip


def everyday(encode: Encode, lines: Sequence[tuple[str, str]]) -> list[tuple[str, str, str]]:
    """(text, nearest plain wording, right wordings) of every line of a list of distil_everyday."""
    plains = expanded(tuple(SYNONYMS))
    known = encode([f"a person {p}" for p in plains])
    best = (encode([line[0] for line in lines]) @ known.T).argmax(1).tolist()
    return [(text, plains[b], right) for b, (text, right) in zip(best, lines, strict=True)]


def by_action(found: Sequence[tuple[str, str, str]]) -> str:
    """`action right/all` of every action of a list, the worst first."""
    action = {plain.format(side=side): word for plain, word in ACTION.items() for side in ("left", "right")}
    rows: dict[str, list[bool]] = {}
    for _, plain, wanted in found:
        rows.setdefault(action[wanted.split("|")[0]], []).append(plain in wanted.split("|"))
    ranked = sorted(rows.items(), key=lambda row: (sum(row[1]) / len(row[1]), row[0]))
    return ", ".join(f"{word} {sum(hits)}/{len(hits)}" for word, hits in ranked)


def report(data: Any, folder: Path) -> None:
    """Print the agreement figures of docs/text.md (probe_text prints the others)."""
    student, teacher = SmallTextEncoder.load(folder), Teacher()
    size = (folder / "text.safetensors").stat().st_size
    print(f"text.safetensors {size / 1e6:.2f} MB, {len(student.tokenizer.pieces)} pieces")
    _, held = data.split()
    for source in ("wordnet", "word", "template", "action"):
        rows = [i for i in held if data.sources[i] == source][:1000]
        pooled = student.encode([data.texts[i] for i in rows]).pooled
        for name, wanted in (("teacher", data.raw), ("target", data.target)):
            cosine, rank, near = similarity(pooled, wanted[rows])
            print(f"held-out {source:8s} ({len(rows)}) against the {name}: "
                  f"cosine {cosine:.3f}, Spearman {rank:.3f}, same neighbour {near:.1%}")  # fmt: skip
    rows = [i for i in held if data.aligned[i]][:1000]
    features = student.encode([data.texts[i] for i in rows])
    wanted = torch.cat([
        torch.from_numpy(data.token_targets[data.offsets[i] : data.offsets[i + 1]] + data.shift[i]) for i in rows
    ])  # fmt: skip
    got = features.tokens[features.valid]
    explained = 1 - ((got - wanted) ** 2).sum() / ((wanted - wanted.mean(0)) ** 2).sum()
    print(f"held-out tokens ({len(wanted)}): variance explained {explained:.1%}")
    for name, encode in (
        ("teacher", lambda texts: teacher.encode(texts)[0]), ("student", lambda texts: student.encode(texts).pooled)
    ):  # fmt: skip
        figures = ", ".join(f"{k} {v:.3f}" for k, v in nearest(encode).items())
        print(f"development list ({len(PARAPHRASES)}), {name}: {figures}")
        for title, lines in (("everyday list", EVERYDAY), ("check list", CHECK)):
            found = everyday(encode, lines)
            right = sum(plain in wanted.split("|") for _, plain, wanted in found)
            print(f"{title} ({len(found)}), {name}: {right / len(found):.1%} right")
            for text, plain, wanted in found:
                if name == "student" and plain not in wanted.split("|"):
                    print(f"    {text!r}: {plain}, not {wanted}")
            if name == "student":
                print("    by action: " + by_action(found))
    torch.set_num_threads(1)
    texts = [f"{p[0]} again" for p in PARAPHRASES]
    student.encode(["warm up"])
    start = time.perf_counter()
    for text in texts:
        student.encode([text])
    print(f"one prompt: {(time.perf_counter() - start) / len(texts) * 1e3:.1f} ms on one core")
