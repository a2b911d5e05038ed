"""MoMask's released algorithm, written plainly: what the benchmarks and tests compare with.

One nn.Module per released file, with the released key names, so that a released state dict loads as it is. Nothing
is shared with laban/: torch's own nn.TransformerEncoder (sequence first, as the released position table's shape
(5000, 1, D) says), two forward passes per step, every clip padded to the longest, the head over every position, all
classes kept and filtered by scattering. Written from the published facts; the only liberty is that
the noise of the draws is a function that the caller passes, so that two programs can be given the same one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Noise = Callable[[int, int], Tensor]
"""(positions, classes) -> Gumbel noise (B, positions, classes)."""


@dataclass(frozen=True)
class Sizes:
    """What opt.txt says."""

    features: int = 263
    width: int = 512
    code_dim: int = 512
    codes: int = 512
    quantizers: int = 6
    down: int = 2
    depth: int = 3
    growth: int = 3
    latent: int = 384
    feedforward: int = 1024
    layers: int = 8
    heads: int = 6
    text: int = 512
    dropout: float = 0.2
    classes: int = 50  # of the length estimator


class Block(nn.Module):
    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(width, width, 3, 1, dilation, dilation)
        self.conv2 = nn.Conv1d(width, width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.dropout(self.conv2(F.relu(self.conv1(F.relu(x)))))


class Blocks(nn.Module):
    def __init__(self, s: Sizes) -> None:
        super().__init__()
        dilations = [s.growth**i for i in range(s.depth)][::-1]
        self.model = nn.Sequential(*(Block(s.width, d, s.dropout) for d in dilations))

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class Convolutions(nn.Module):
    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.model = nn.Sequential(*parts)


class Codebook(nn.Module):
    codebook: Tensor

    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.register_buffer("codebook", torch.randn(s.codes, s.code_dim))


class Quantizer(nn.Module):
    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Codebook(s) for _ in range(s.quantizers))

    def encode(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, Q): the nearest rows, layer after layer."""
        rest, codes = x, []
        for layer in self.layers:
            book: Any = layer.codebook
            distance = rest.pow(2).sum(-1, keepdim=True) - 2 * rest @ book.t() + book.pow(2).sum(-1)
            index = distance.argmin(-1)
            codes.append(index)
            rest = rest - F.embedding(index, book)
        return torch.stack(codes, -1)

    def rows(self, codes: Tensor) -> Tensor:
        """(B, N, Q), -1 = nothing -> (B, N, D), by gathering from books expanded to every position."""
        books = torch.stack([layer.codebook for layer in self.layers])  # (Q, K, D)
        b, _n, q = codes.shape
        gone = codes == -1
        index = codes.masked_fill(gone, 0).permute(2, 0, 1)[..., None].expand(-1, -1, -1, books.shape[-1])
        every = books[:, None].expand(q, b, *books.shape[1:])
        found = every.gather(2, index)
        return found.masked_fill(gone.permute(2, 0, 1)[..., None], 0.0).sum(0)


class RVQ(nn.Module):
    """`vq_model`: encoder.model.*, decoder.model.*, quantizer.layers.*.codebook."""

    def __init__(self, s: Sizes) -> None:
        super().__init__()
        w = s.width
        downs = [nn.Sequential(nn.Conv1d(w, w, 4, 2, 1), Blocks(s)) for _ in range(s.down)]
        ups = [
            nn.Sequential(Blocks(s), nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv1d(w, w, 3, 1, 1))
            for _ in range(s.down)
        ]
        self.encoder = Convolutions(
            nn.Conv1d(s.features, w, 3, 1, 1), nn.ReLU(), *downs, nn.Conv1d(w, s.code_dim, 3, 1, 1)
        )
        self.decoder = Convolutions(
            nn.Conv1d(s.code_dim, w, 3, 1, 1), nn.ReLU(), *ups, nn.Conv1d(w, w, 3, 1, 1), nn.ReLU(),
            nn.Conv1d(w, s.features, 3, 1, 1),
        )  # fmt: skip
        self.quantizer = Quantizer(s)

    def encode(self, motion: Tensor) -> Tensor:
        """(B, T, features) normalised -> (B, T / 4, Q)."""
        return self.quantizer.encode(self.encoder.model(motion.permute(0, 2, 1)).permute(0, 2, 1))

    def decode(self, codes: Tensor) -> Tensor:
        """(B, N, Q) -> (B, 4 N, features) normalised."""
        return self.decoder.model(self.quantizer.rows(codes).permute(0, 2, 1)).permute(0, 2, 1)


class InputProcess(nn.Module):
    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.poseEmbedding = nn.Linear(s.code_dim, s.latent)


class Positions(nn.Module):
    pe: Tensor

    def __init__(self, s: Sizes) -> None:
        super().__init__()
        pe = torch.zeros(5000, s.latent)
        place = torch.arange(5000, dtype=torch.float32)[:, None]
        rate = torch.exp(torch.arange(0, s.latent, 2).float() * (-math.log(10000.0) / s.latent))
        pe[:, 0::2], pe[:, 1::2] = torch.sin(place * rate), torch.cos(place * rate)
        self.register_buffer("pe", pe[:, None])
        self.dropout = nn.Dropout(s.dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(x + self.pe[: len(x)])


class Output(nn.Module):
    def __init__(self, s: Sizes, out: int) -> None:
        super().__init__()
        self.dense = nn.Linear(s.latent, s.latent)
        self.LayerNorm = nn.LayerNorm(s.latent, eps=1e-12)
        self.poseFinal = nn.Linear(s.latent, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.poseFinal(self.LayerNorm(F.gelu(self.dense(x))))


def trunk(s: Sizes) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(s.latent, s.heads, s.feedforward, s.dropout, activation="gelu")
    return nn.TransformerEncoder(layer, s.layers, enable_nested_tensor=False)


def padding(lengths: Tensor, most: int) -> Tensor:
    """(B, most) bool, True beyond the end."""
    return torch.arange(most)[None] >= lengths[:, None]


class Masked(nn.Module):
    """`t2m_transformer`."""

    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.codes = s.codes
        self.token_emb = nn.Embedding(s.codes + 2, s.code_dim)
        self.input_process = InputProcess(s)
        self.position_enc = Positions(s)
        self.seqTransEncoder = trunk(s)
        self.cond_emb = nn.Linear(s.text, s.latent)
        self.output_process = Output(s, s.codes)

    def forward(self, ids: Tensor, text: Tensor, pad: Tensor) -> Tensor:
        """(B, N) ids, (B, W) text, zeroed for none, (B, N) bool -> (B, N, K)."""
        x = self.input_process.poseEmbedding(self.token_emb(ids).permute(1, 0, 2))
        x = torch.cat([self.cond_emb(text)[None], self.position_enc(x)])
        pad = torch.cat([torch.zeros_like(pad[:, :1]), pad], 1)
        y = self.seqTransEncoder(x, src_key_padding_mask=pad)[1:]
        return self.output_process(y.permute(1, 0, 2))

    def guided(self, ids: Tensor, text: Tensor, pad: Tensor, scale: float) -> Tensor:
        told = self(ids, text, pad)
        if scale == 1:
            return told
        none = self(ids, torch.zeros_like(text), pad)
        return none + scale * (told - none)

    @torch.no_grad()
    def generate(
        self,
        text: Tensor,
        lengths: Tensor,
        steps: int,
        scale: float,
        noise: Noise,
        temperature: float = 1.0,
        tokens: Tensor | None = None,
        edit: Tensor | None = None,
    ) -> Tensor:
        """(B, N) ids, -1 beyond the end; with tokens and edit (B, N) only the marked positions are filled."""
        most = int(lengths.max())
        pad = padding(lengths, most)
        free = ~pad if edit is None else edit & ~pad
        ids = torch.full((len(text), most), self.codes) if tokens is None else tokens
        ids = torch.where(free, self.codes, torch.where(pad, self.codes + 1, ids))
        scores = torch.where(free, 0.0, 1e5)
        for t in torch.linspace(0, 1, steps):
            count = torch.round(torch.cos(t * math.pi * 0.5) * free.sum(-1)).clamp(min=1)
            rank = scores.argsort(-1).argsort(-1)
            masked = (rank < count[:, None]) & free
            ids = torch.where(masked, self.codes, ids)
            logits = self.guided(ids, text, pad, scale)
            drawn = draw(logits, temperature, noise(most, self.codes))
            ids = torch.where(masked, drawn, ids)
            sure = logits.softmax(-1).gather(2, drawn[..., None])[..., 0]
            scores = sure.masked_fill(~masked, 1e5)
        return torch.where(pad, -1, ids)


class Residual(nn.Module):
    """`res_transformer`, shared weights, unshared codebooks."""

    def __init__(self, s: Sizes) -> None:
        super().__init__()
        self.codes, self.quantizers = s.codes, s.quantizers
        self.input_process = InputProcess(s)
        self.position_enc = Positions(s)
        self.seqTransEncoder = trunk(s)
        self.quant_emb = nn.Linear(s.quantizers, s.latent)
        self.cond_emb = nn.Linear(s.text, s.latent)
        self.output_process = Output(s, s.code_dim)
        k, d = s.codes + 1, s.code_dim
        self.embed_proj_shared_weight = nn.Parameter(torch.randn(s.quantizers - 2, k, d) * 0.02)
        self.token_embed_weight_ = nn.Parameter(torch.randn(1, k, d) * 0.02)
        self.output_proj_weight_ = nn.Parameter(torch.randn(1, k, d) * 0.02)

    def tables(self) -> tuple[Tensor, Tensor]:
        shared = self.embed_proj_shared_weight
        return torch.cat([self.token_embed_weight_, shared]), torch.cat([shared, self.output_proj_weight_])

    def forward(self, below: Tensor, q: Tensor, text: Tensor, pad: Tensor) -> Tensor:
        """(B, N, D) sums, (B,) layers, (B, W), (B, N) bool -> (B, N, K + 1)."""
        x = self.position_enc(self.input_process.poseEmbedding(below.permute(1, 0, 2)))
        which = self.quant_emb(F.one_hot(q, self.quantizers).float())
        x = torch.cat([self.cond_emb(text)[None], which[None], x])
        pad = torch.cat([torch.zeros_like(pad[:, :2]), pad], 1)
        y = self.seqTransEncoder(x, src_key_padding_mask=pad)[2:].permute(1, 0, 2)
        return torch.einsum("bnd,bkd->bnk", self.output_process(y), self.tables()[1][q - 1])

    def sums(self, codes: Tensor, q: Tensor) -> Tensor:
        """(B, N, Q) padded ids -> (B, N, D) sums of the embeddings below layer q (B,)."""
        tables = self.tables()[0]
        rows = torch.stack([F.embedding(codes[..., j], tables[j]) for j in range(self.quantizers - 1)], -2)
        wanted = torch.arange(self.quantizers - 1)[None] < q[:, None]
        return (rows * wanted[:, None, :, None]).sum(-2)

    def guided(self, below: Tensor, q: Tensor, text: Tensor, pad: Tensor, scale: float) -> Tensor:
        told = self(below, q, text, pad)
        if scale == 1:
            return told
        none = self(below, q, torch.zeros_like(text), pad)
        return none + scale * (told - none)

    @torch.no_grad()
    def generate(
        self, base: Tensor, text: Tensor, lengths: Tensor, scale: float, noise: Noise, temperature: float = 1.0,
        pad_class: bool = True,
    ) -> Tensor:  # fmt: skip
        """(B, N) base ids -> (B, N, Q), -1 beyond the end and where the padding class was drawn."""
        most = int(lengths.max())
        pad = padding(lengths, most)
        layers = [torch.where(pad, self.codes, base)]
        below: Tensor | float = 0.0
        for q in range(1, self.quantizers):
            tables = self.tables()[0]
            index = layers[-1][..., None].expand(-1, -1, tables.shape[-1])
            below = below + tables[q - 1][None].expand(len(base), -1, -1).gather(1, index)
            logits = self.guided(below, torch.full((len(base),), q), text, pad, scale)
            if not pad_class:
                logits[..., self.codes] = float("-inf")
            drawn = draw(logits, temperature, noise(most, self.codes + 1))
            layers.append(torch.where(pad, self.codes, drawn))
        codes = torch.stack(layers, -1)
        return torch.where(codes == self.codes, -1, codes)


def draw(logits: Tensor, temperature: float, noise: Tensor, share: float = 0.9) -> Tensor:
    """One of the likeliest tenth of the classes at every position: the maximum of logits and noise."""
    count = math.ceil((1 - share) * logits.shape[-1])
    values, index = logits.topk(count, dim=-1)
    kept = torch.full_like(logits, float("-inf")).scatter(2, index, values)
    return (kept / temperature + noise).argmax(-1)


class Length(nn.Module):
    """`estimator`."""

    def __init__(self, s: Sizes) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for i, (a, b) in enumerate(((s.text, 512), (512, 256), (256, 128))):
            parts += [nn.Linear(a, b), nn.LayerNorm(b), nn.LeakyReLU(0.2)]
            parts += [nn.Dropout(0.2)] if i < 2 else []
        self.output = nn.Sequential(*parts, nn.Linear(128, s.classes))

    def forward(self, text: Tensor) -> Tensor:
        return self.output(text)


@dataclass
class Baseline:
    """The four networks of one folder, in evaluation mode."""

    sizes: Sizes
    vq: RVQ
    masked: Masked
    residual: Residual
    length: Length

    @classmethod
    def random(cls, sizes: Sizes, seed: int) -> Baseline:
        """Random weights; the heads are made lively, so that greedy tokens differ from one another."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            made = cls(sizes, RVQ(sizes), Masked(sizes), Residual(sizes), Length(sizes))
            with torch.no_grad():
                for network in (made.masked, made.residual):
                    network.output_process.poseFinal.weight.mul_(4)
                    network.cond_emb.weight.mul_(4)
                for layer in made.vq.quantizer.layers:
                    layer.codebook.mul_(0.1)  # as long as the latents of a random encoder: many codes are used
        for module in (made.vq, made.masked, made.residual, made.length):
            module.eval().requires_grad_(False)
        return made

    @torch.no_grad()
    def generate(
        self, text: Tensor, lengths: Sequence[int], steps: int, scale: float, residual_scale: float, noise: Noise,
        pad_class: bool = True,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Codes (B, N, Q) and features (B, 4 N, W), normalised, padding and all."""
        told = torch.as_tensor(list(lengths))
        base = self.masked.generate(text, told, steps, scale, noise)
        codes = self.residual.generate(base, text, told, residual_scale, noise, pad_class=pad_class)
        return codes, self.vq.decode(codes)
