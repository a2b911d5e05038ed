"""How well the latent reconstructs, recognises and retrieves, on a prepared corpus. See benchmarks/motionclip.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from laban.metrics.retrieval import recall_at
from laban.systems.motionclip import data, representation
from laban.systems.motionclip.system import MotionCLIP

if TYPE_CHECKING:
    from laban.data.corpus import Corpus, Record


def held_out(corpus: Corpus, split: str = "test") -> list[Record]:
    """The captioned clips of a split, without mirror images."""
    return [r for r in corpus.select(split, mirrored=False) if r.captions]


def clip_windows(system: MotionCLIP, corpus: Corpus, records: Sequence[Record]) -> list[np.ndarray]:
    """Each clip as one window; the middle of a clip that is longer than max_frames."""
    longest, out = system.config.max_frames, []
    for frames in data.frames_of(corpus, records, system.config):
        start = max(0, (len(frames) - longest) // 2)
        out.append(representation.rerooted(frames[start : start + longest]))
    return out


def directions(system: MotionCLIP, windows: Sequence[np.ndarray]) -> Tensor:
    """(N, G) unit vectors."""
    return system.directions(system.encode_windows(windows))


def reconstruction(system: MotionCLIP, corpus: Corpus, records: Sequence[Record], seconds: float) -> dict[str, float]:
    """Errors of windows of one length: {"mpjpe": mm with the way through the world, "local": mm relative to the root,
    "root": mm of the root, "moving": share of real joint speed that the second half keeps, "windows": count}.

    Windows follow each other without overlap; a clip that is too short has none.
    """
    size = round(seconds * system.config.fps)
    windows = []
    for frames in data.frames_of(corpus, records, system.config):
        windows += [representation.rerooted(frames[a : a + size]) for a in range(0, len(frames) - size + 1, size)]
    if not windows:
        return {"mpjpe": float("nan"), "windows": 0}
    latents = system.encode_windows(windows)
    sums, pace = np.zeros(3), np.zeros(2)
    for i, window in enumerate(windows):
        made = representation.to_motion(system.decode(latents[i : i + 1], [size])[0], system.config.fps).joints()
        real = representation.to_motion(window, system.config.fps).joints()
        apart = np.linalg.norm(made - real, axis=-1)
        local = np.linalg.norm((made - made[:, :1]) - (real - real[:, :1]), axis=-1)
        sums += [apart.mean(), local.mean(), apart[:, 0].mean()]
        half = size // 2
        pace += [np.linalg.norm(np.diff(j[half:], axis=0), axis=-1).mean() for j in (made, real)]
    mpjpe, local, root = 1000 * sums / len(windows)
    return {
        "mpjpe": float(mpjpe), "local": float(local), "root": float(root),
        "moving": float(pace[0] / max(pace[1], 1e-9)), "windows": len(windows),
    }  # fmt: skip


def recognition(system: MotionCLIP, vectors: Tensor, labels: Sequence[str], classes: dict[str, str]) -> dict[str, Any]:
    """Top-1 and top-5 of labels by cosine to the classes' phrases, averaged over classes, and the confusion counts.

    Args:
        system: the model, for the phrases' vectors.
        vectors: (N, G) unit rows.
        labels: N of the classes' names.
        classes: label -> phrase.
    Returns: {"top1", "top5": shares, macro; "per_class": name -> share; "confusion": (C, C) rows true; "names"}.
    """
    names = list(classes)
    texts = system.text_directions(list(classes.values()))
    order = (vectors @ texts.T).argsort(dim=-1, descending=True, stable=True).numpy()
    true = np.array([names.index(x) for x in labels])
    confusion = np.zeros((len(names), len(names)), int)
    np.add.at(confusion, (true, order[:, 0]), 1)
    present = sorted(set(true.tolist()))
    first = {i: float((order[true == i, 0] == i).mean()) for i in present}
    five = [float((order[true == i, :5] == i).any(1).mean()) for i in present]
    return {
        "top1": float(np.mean(list(first.values()))), "top5": float(np.mean(five)),
        "per_class": {names[i]: v for i, v in first.items()}, "confusion": confusion, "names": names,
    }  # fmt: skip


def style_recognition(system: MotionCLIP, vectors: Tensor, records: Sequence[Record], known: Corpus) -> dict[str, Any]:
    """Styles of clips whose content is known: among the captions of that content in every style it has in `known`.
    Two styles of one caption (elderly and old) are one.

    Returns: {"top1": macro over styles, "per_class", "clips"}.
    """
    phrases: dict[tuple[str, str], str] = {}
    for r in known.records:
        if r.mirror_of is None and "style" in r.labels and r.captions:
            phrases.setdefault((r.labels["content"], r.labels["style"]), r.captions[0])
    hits: dict[str, list[bool]] = {}
    for vector, r in zip(vectors, records, strict=True):
        if "style" not in r.labels:
            continue
        styles = sorted(s for c, s in phrases if c == r.labels["content"])
        texts = system.text_directions([phrases[r.labels["content"], s] for s in styles])
        answer = styles[int((texts @ vector).argmax())]
        right = phrases[r.labels["content"], answer] == phrases[r.labels["content"], r.labels["style"]]
        hits.setdefault(r.labels["style"], []).append(right)
    per = {s: float(np.mean(h)) for s, h in sorted(hits.items())}
    return {"top1": float(np.mean(list(per.values()))), "per_class": per, "clips": sum(map(len, hits.values()))}


def retrieval(
    texts: Tensor, vectors: Tensor, captions: Sequence[tuple[str, ...]], ks: Sequence[int]
) -> dict[int, float]:
    """Text to motion over the whole gallery: share of texts with a clip of equal captions among the first k.

    Args:
        texts: (N, G) unit rows, one per clip (its first caption).
        vectors: (N, G).
        captions: N sets; a clip answers a text if it has that caption too.
        ks: numbers of clips that are looked at.
    """
    said = [c[0] for c in captions]
    matches = np.array([[s in own for own in captions] for s in said])
    return recall_at((texts @ vectors.T).numpy(), matches, ks)


def frequent(corpus: Corpus, least: int) -> set[str]:
    """Content labels with at least `least` clips in all splits, mirror images not counted."""
    count = Counter(r.labels.get("content") for r in corpus.records if r.mirror_of is None)
    return {label for label, n in count.items() if label and n >= least}
