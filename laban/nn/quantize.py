"""Residual vector quantization with codebooks kept by moving averages."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from laban.nn.config import TokenizerConfig
from laban.nn.sampling import gumbel

RUNNING = ("code_sum", "code_count")  # names of a codebook's moving averages


@dataclass
class Quantized:
    """What the quantizer returns.

    latents: (B, N, D) the sum of code rows, gradient passed straight through.
    codes: (B, N, Q) int64, -1 where a layer was dropped.
    commit: scalar, mean over active layers of |residual - code|^2.
    perplexity: scalar, mean over active layers, of the codes used in this batch.
    """

    latents: Tensor
    codes: Tensor
    commit: Tensor
    perplexity: Tensor


class Codebook(nn.Module):
    """K rows of width D. All that training needs (sums, counts, started) is in buffers, so a saved state
    resumes exactly. The released code keeps them out of its checkpoints and starts its codebooks anew.
    """

    codes: Tensor
    code_sum: Tensor
    code_count: Tensor
    started: Tensor

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        k, d = config.codes, config.code_width
        self.register_buffer("codes", torch.zeros(k, d))
        self.register_buffer("code_sum", torch.zeros(k, d))
        self.register_buffer("code_count", torch.ones(k))
        self.register_buffer("started", torch.zeros((), dtype=torch.bool))

    def distances(self, x: Tensor) -> Tensor:
        """(M, D) -> (M, K) squared distances to every code."""
        return (x * x).sum(-1, keepdim=True) - 2.0 * x @ self.codes.T + (self.codes * self.codes).sum(-1)

    def costs(self, x: Tensor) -> Tensor:
        """(M, D) -> (M, K): squared distances, and what a code's rarity costs where the configuration has a rate."""
        if self.config.rate == 0:
            return self.distances(x)
        share = (self.code_count / self.code_count.sum())[:, None]
        spread = (share * (self.codes - (share * self.codes).sum(0)).square()).sum()
        return self.distances(x) - self.config.rate * spread * share[:, 0].clamp_min(1e-6).log()

    def nearest(self, x: Tensor) -> Tensor:
        """(M, D) -> (M,) int64, the codes of least cost."""
        return self.costs(x).argmin(-1)

    def draw(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """(M, D) -> (M,) int64, a code for each row ~ softmax(-cost / temperature)."""
        costs = self.costs(x)
        if self.config.sample_temperature == 0:
            return costs.argmin(-1)
        noise = gumbel(tuple(costs.shape), generator, costs.device)
        return (noise - costs / self.config.sample_temperature).argmax(-1)

    @torch.no_grad()
    def start(self, x: Tensor, generator: torch.Generator | None) -> None:
        """Takes the first K vectors of the first batch as codes, one use each."""
        self.codes.copy_(self._rows(x, generator))
        self.code_sum.copy_(self.codes)
        self.code_count.fill_(1.0)
        self.started.fill_(True)

    @torch.no_grad()
    def update(self, x: Tensor, index: Tensor, generator: torch.Generator | None) -> None:
        """One step of the moving averages, then replacement of unused codes by vectors of the batch."""
        config = self.config
        count = torch.bincount(index, minlength=config.codes).to(x.dtype)
        total = torch.zeros_like(self.code_sum).index_add_(0, index, x)
        self.code_sum.lerp_(total, 1.0 - config.decay)
        self.code_count.lerp_(count, 1.0 - config.decay)
        used = (self.code_count >= config.reset_below)[:, None]
        fresh = self._rows(x, generator)
        self.codes.copy_(torch.where(used, self.code_sum / self.code_count[:, None].clamp_min(1e-8), fresh))
        if config.reset_restarts:
            self.code_sum.copy_(torch.where(used, self.code_sum, fresh))
            self.code_count.copy_(torch.where(used[:, 0], self.code_count, torch.ones_like(self.code_count)))

    def _rows(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """(M, D) -> (K, D): rows of the batch in order; a short batch is tiled with small noise.

        With reset_restarts the rows are drawn at random instead: the first rows of a batch are neighbours
        in one clip, and would make near-duplicate codes.
        """
        k, d = self.codes.shape
        if len(x) < k:
            x = x.repeat(-(-k // len(x)), 1)
            noise = torch.randn(x.shape, generator=generator, device=_where(generator, x)).to(x)
            x = x + noise * (0.01 / d**0.5)
        if self.config.reset_restarts:
            order = torch.randperm(len(x), generator=generator, device=_where(generator, x)).to(x.device)
            return x[order[:k]]
        return x[:k]


class ResidualQuantizer(nn.Module):
    """Q codebooks, each on what the ones before it left over.

    Source: MoMask (Guo et al., CVPR 2024), section on residual quantization, and its released behaviour:
    codes drawn at random in training, quantize dropout, loss averaged over active layers.
    Deviation: the straight-through gradient, see TokenizerConfig.gradient.
    """

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(Codebook(config) for _ in range(config.quantizers))

    def forward(self, latents: Tensor, generator: torch.Generator | None = None) -> Quantized:
        """Quantizes (B, N, D). In training codes are drawn, codebooks move and layers may be dropped.

        Args:
            latents: (B, N, D) from the encoder.
            generator: where training's randomness comes from; unused in eval mode.
        """
        # Always float32: under bf16 autocast distances of two or three digits would choose the codes.
        with torch.autocast(latents.device.type, enabled=False):
            return self._quantize(latents.float(), generator)

    def _quantize(self, latents: Tensor, generator: torch.Generator | None) -> Quantized:
        config = self.config
        b, n, d = latents.shape
        active = config.quantizers
        if self.training and config.quantize_dropout > 0:
            dice = torch.rand(2, generator=generator, device=_where(generator, latents)).tolist()
            if dice[0] < config.quantize_dropout:
                active = 1 + min(int(dice[1] * config.quantizers), config.quantizers - 1)
        rest = latents.reshape(-1, d)
        total = torch.zeros_like(rest)
        codes = torch.full((b * n, config.quantizers), -1, dtype=torch.int64, device=latents.device)
        commits: list[Tensor] = []
        perplexities: list[Tensor] = []
        for q in range(active):
            book = self.layers[q]
            assert isinstance(book, Codebook)
            still = rest.detach()
            if self.training and not bool(book.started):
                book.start(still, generator)
            with torch.no_grad():
                index = book.draw(still, generator) if self.training else book.nearest(still)
                rows = F.embedding(index, book.codes)
            if self.training:
                book.update(still, index, generator)
            commits.append(F.mse_loss(rest, rows))
            with torch.no_grad():
                share = torch.bincount(index, minlength=config.codes) / len(index)
                perplexities.append(torch.exp(-(share * (share + 1e-7).log()).sum()))
            codes[:, q] = index
            total = total + (rest + (rows - rest).detach() if config.gradient == "compat" else rows)
            rest = rest - rows
        if config.gradient == "single":
            flat = latents.reshape(-1, d)
            total = flat + (total - flat).detach()
        return Quantized(
            latents=total.reshape(b, n, d),
            codes=codes.reshape(b, n, config.quantizers),
            commit=torch.stack(commits).mean(),
            perplexity=torch.stack(perplexities).mean(),
        )

    def tables(self) -> Tensor:
        """(Q, K, D) the rows of every codebook."""
        return torch.stack([book.codes for book in self.layers if isinstance(book, Codebook)])

    def decode(self, codes: Tensor) -> Tensor:
        """(B, N, q <= Q) int64 codes, -1 = nothing -> (B, N, D) sums of code rows."""
        total: Tensor | None = None
        for q in range(codes.shape[-1]):
            book = self.layers[q]
            assert isinstance(book, Codebook)
            index = codes[..., q]
            rows = F.embedding(index.clamp_min(0), book.codes) * (index >= 0)[..., None]
            total = rows if total is None else total + rows
        assert total is not None
        return total


def _where(generator: torch.Generator | None, x: Tensor) -> torch.device:
    return x.device if generator is None else generator.device
