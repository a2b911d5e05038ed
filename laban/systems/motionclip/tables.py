"""Tables of the latent's scores: reconstruction, recognition, retrieval, with control rows.

`laban evaluate motionclip` puts them into its report, benchmarks/motionclip.py prints them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from laban.metrics.retrieval import chance_at, recall_at
from laban.systems.motionclip import evaluation
from laban.systems.motionclip.compact import CompactAutoencoder
from laban.systems.motionclip.system import MotionCLIP

if TYPE_CHECKING:
    from laban.data.corpus import Corpus, Record

KS = (1, 3, 5, 10)
LEAST = 15  # clips of a content in the corpus, for it to be a class


def latent_tables(system: MotionCLIP, corpus: Corpus, split: str, seed: int) -> list[str]:
    """Lines of Markdown. The controls: captions shuffled among clips, a random vector per caption, chance."""
    records = evaluation.held_out(corpus, split)
    vectors = evaluation.directions(system, evaluation.clip_windows(system, corpus, records))
    return [
        *reconstruction_lines(system, corpus, records),
        *recognition_lines(system, corpus, records, vectors, LEAST)[0],
        *retrieval_lines(system, records, vectors, seed),
    ]


def reconstruction_lines(system: MotionCLIP, corpus: Corpus, records: Sequence[Record]) -> list[str]:
    """Errors in mm at 3 s, 6 s and the longest; and of the principal components alone."""
    lines = ["## Reconstruction, mm", ""]
    lines.append("| | seconds | windows | MPJPE | relative to the root | root | motion kept in the second half |")
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    for seconds in (3.0, 6.0, system.config.max_frames / system.config.fps):
        lines += _row("whole decoder", seconds, evaluation.reconstruction(system, corpus, records, seconds))
    if isinstance(system.autoencoder, CompactAutoencoder):
        kept = {k: v.clone() for k, v in system.autoencoder.leave.state_dict().items()}
        for value in system.autoencoder.leave.parameters():
            value.data.zero_()
        found = evaluation.reconstruction(system, corpus, records, 3.0)
        system.autoencoder.leave.load_state_dict(kept)
        lines += _row("principal components alone", 3.0, found)
    return [*lines, ""]


def _row(name: str, seconds: float, r: dict[str, float]) -> list[str]:
    if not r["windows"]:
        return []
    return [
        f"| {name} | {seconds:g} | {r['windows']} | {r['mpjpe']:.1f} | {r['local']:.1f} | {r['root']:.1f} "
        f"| {r['moving']:.2f} |"
    ]


def recognition_lines(
    system: MotionCLIP, corpus: Corpus, records: Sequence[Record], vectors: Tensor, least: int
) -> tuple[list[str], dict[str, Any]]:
    """The tables, and what `evaluation.recognition` found among the larger set of classes (for a confusion plot)."""
    allowed = evaluation.frequent(corpus, least)
    count = Counter(r.labels["content"] for r in records)
    sets = {
        f"contents with at least {least} clips in the corpus": allowed,
        f"those with at least {least} clips in the split": {c for c in allowed if count[c] >= least},
    }
    lines = ["## Recognition, macro-averaged", "", "| labels | classes | clips | top-1 | top-5 |"]
    lines.append("|---|---:|---:|---:|---:|")
    first: dict[str, Any] = {}
    for name, members in sets.items():
        classes = {k: v for k, v in system.vocabulary["classes"].items() if k in members}
        keep = [i for i, r in enumerate(records) if r.labels["content"] in classes]
        if not keep:
            continue
        found = evaluation.recognition(system, vectors[keep], [records[i].labels["content"] for i in keep], classes)
        first = first or found
        lines.append(f"| {name} | {len(classes)} | {len(keep)} | {found['top1']:.3f} | {found['top5']:.3f} |")
    style = evaluation.style_recognition(system, vectors, records, corpus)
    known = len(style["per_class"])
    lines.append(f"| styles, the content being known | {known} | {style['clips']} | {style['top1']:.3f} | |")
    for what, shares in (("content", first.get("per_class", {})), ("style", style["per_class"])):
        lines += ["", f"per {what}: " + ", ".join(f"{k} {v:.2f}" for k, v in shares.items())]
    return [*lines, ""], first


def retrieval_lines(system: MotionCLIP, records: Sequence[Record], vectors: Tensor, seed: int) -> list[str]:
    """Text to motion over all the clips; equal captions match."""
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
    lines = [f"## Retrieval among {len(records)} clips, {len(each)} captions; equal captions match", ""]
    lines += ["| | " + " | ".join(f"R@{k}" for k in KS) + " |", "|---|" + "---:|" * len(KS)]
    for name, shares in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{shares[k]:.3f}" for k in KS) + " |")
    return [*lines, ""]
