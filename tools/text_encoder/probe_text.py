"""How well the text encoder's features carry to unseen wordings: the probe tables of docs/text.md.

    python tools/text_encoder/probe_text.py                                  # which features generalise
    python tools/text_encoder/probe_text.py --cmu SRC/cmu/captions.tsv --clips SRC/clips-*/*/captions.tsv

Everything is measured on the development list (distil_paraphrases), which was used to choose the conditioning.
The second table builds the corpus of the distillation, so it needs wordnet-base.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]
from distil_paraphrases import CONTENTS, PARAPHRASES, STYLES, bank  # noqa: E402

from laban.condition.text import SmallTextEncoder, TextFeatures  # noqa: E402

SEEDS = 3
STEPS = 300
HIDDEN = 128
QUERIES = 4
RARE = 20  # a word in fewer template sentences than this is rare


@dataclass(frozen=True)
class Row:
    """A line of the table: which features the probe sees, and the noise that training adds to each.

    pooled_noise: expected norm of the noise on the pooled unit vector. token_noise: standard deviation per dimension.
    """

    name: str
    pooled: bool
    tokens: bool
    pooled_noise: float = 0.0
    token_noise: float = 0.0


ROWS = (
    Row("pooled", True, False),
    Row("pooled, noise of norm 1", True, False, pooled_noise=1.0),
    Row(f"tokens, {QUERIES} attention queries", False, True),
    Row("tokens, noise of 1 per dimension", False, True, token_noise=1.0),
    Row("both, noise of 1", True, True, pooled_noise=1.0, token_noise=1.0),
)


class Probe(nn.Module):
    """Text features -> logits of the contents, then of the styles."""

    def __init__(self, row: Row, pooled: int, token: int) -> None:
        super().__init__()
        self.row = row
        self.pooled = nn.Linear(pooled, HIDDEN)
        self.value = nn.Linear(token, HIDDEN)
        self.key = nn.Linear(token, QUERIES)
        width = HIDDEN * (row.pooled + QUERIES * row.tokens)
        self.out = nn.Sequential(
            nn.GELU(), nn.Dropout(0.1), nn.Linear(width, HIDDEN), nn.GELU(),
            nn.Linear(HIDDEN, len(CONTENTS) + len(STYLES)),
        )  # fmt: skip

    def forward(self, pooled: Tensor, tokens: Tensor, valid: Tensor) -> Tensor:
        """(B, D) of unit length, (B, L, Dt), (B, L) bool -> (B, contents + styles)."""
        parts = []
        if self.row.pooled:
            parts.append(self.pooled(pooled * pooled.shape[1] ** 0.5))
        if self.row.tokens:
            weights = self.key(tokens).masked_fill(~valid[..., None], -1e9).softmax(1)
            parts.append((weights.transpose(1, 2) @ self.value(tokens)).flatten(1))
        return self.out(torch.cat(parts, 1))


def accuracy(content: Tensor, style: Tensor) -> tuple[float, float]:
    """Share of right contents over the list, and of right styles over the lines that name one."""
    contents = torch.tensor([p[1] for p in PARAPHRASES])
    styles = torch.tensor([STYLES.index(p[2]) for p in PARAPHRASES])
    named = styles > 0
    return float((content == contents).float().mean()), float((style == styles)[named].float().mean())


def trained(row: Row, known: TextFeatures, unseen: TextFeatures, seed: int) -> tuple[float, float]:
    """Content and style accuracy of a probe trained on the 320 captions."""
    torch.manual_seed(seed)
    content = torch.tensor([c[1] for c in bank()])
    style = torch.tensor([STYLES.index(c[2]) for c in bank()])
    width = known.pooled.shape[1]
    probe = Probe(row, width, known.tokens.shape[2])
    optimizer = torch.optim.AdamW(probe.parameters(), 2e-3, weight_decay=0.05)
    for _ in range(STEPS):
        pick = torch.randint(0, len(content), (128,))
        noise = torch.randn(len(pick), width) * row.pooled_noise / width**0.5
        pooled = functional.normalize(known.pooled[pick] + noise, dim=-1)
        tokens = known.tokens[pick]
        tokens = tokens + torch.randn_like(tokens) * row.token_noise
        logits = probe(pooled, tokens, known.valid[pick])
        loss = functional.cross_entropy(logits[:, : len(CONTENTS)], content[pick])
        loss = loss + functional.cross_entropy(logits[:, len(CONTENTS) :], style[pick])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    probe.eval()
    with torch.no_grad():
        logits = probe(unseen.pooled, unseen.tokens, unseen.valid)
    return accuracy(logits[:, : len(CONTENTS)].argmax(1), logits[:, len(CONTENTS) :].argmax(1))


def rare(known: TextFeatures, unseen: TextFeatures, cmu: Path, clips: list[Path]) -> None:
    """Print nearest-caption accuracy of lines with a word that is rare in the templates, and of the others."""
    import distil_corpus

    sentences = distil_corpus.build(distil_corpus.wordnet(), cmu, clips)
    count = Counter(w for s in sentences if s.plain for w in set(re.findall("[a-z]+", s.text.lower())))
    shared = {p[0] for p in PARAPHRASES} & {s.text for s in sentences}
    print(f"{len(shared)} of the {len(PARAPHRASES)} lines are in the corpus")
    best = (unseen.pooled @ known.pooled.T).argmax(1).tolist()
    captions = bank()
    for name, wanted in ((f"a word in fewer than {RARE} template sentences", True), ("template words only", False)):
        lines = [
            (captions[b], p)
            for b, p in zip(best, PARAPHRASES, strict=True)
            if any(count[w] < RARE for w in re.findall("[a-z]+", p[0].lower())) == wanted
        ]
        content = [found[1] == p[1] for found, p in lines]
        style = [found[2] == p[2] for found, p in lines if p[2]]
        print(
            f"{len(lines)} lines with {name}: content {sum(content) / len(content):.1%}, "
            f"style {sum(style) / len(style):.1%} of {len(style)}"
        )


def main() -> None:
    """Parse the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=None, help="folder of the encoder; the shipped one if absent")
    parser.add_argument("--cmu", type=Path, default=None, help="CMU captions.tsv, for the table of rare words")
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="captions.tsv of the clips, for the same")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    encoder = SmallTextEncoder.load(arguments.weights)
    known, unseen = encoder.encode([c[0] for c in bank()]), encoder.encode([p[0] for p in PARAPHRASES])
    print("| features | content | style |\n|---|---:|---:|")
    for row in ROWS:
        runs = [trained(row, known, unseen, seed) for seed in range(SEEDS)]
        content, style = (sum(column) / SEEDS for column in zip(*runs, strict=True))
        print(f"| {row.name} | {content:.2f} | {style:.2f} |", flush=True)
    weights = (unseen.pooled @ known.pooled.T / 0.05).softmax(1)
    content = torch.stack([weights[:, [c[1] == k for c in bank()]].sum(1) for k in range(len(CONTENTS))], 1)
    style = torch.stack([weights[:, [c[2] == s for c in bank()]].sum(1) for s in STYLES], 1)
    share = accuracy(content.argmax(1), style.argmax(1))
    print(f"| soft snapping to captions (τ = 0.05), no training | {share[0]:.2f} | {share[1]:.2f} |")
    if arguments.cmu:
        rare(known, unseen, arguments.cmu, arguments.clips)


if __name__ == "__main__":
    main()
