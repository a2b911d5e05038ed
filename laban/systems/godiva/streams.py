"""The two ways in which a token sees what came before it, each for whole videos at once and token by token.

`GodivaStream` is the paper's: layers along time, row and column in turn, each strictly before the token. It never
sees the upper right of its own frame nor the lower right of earlier ones: only (<=i, <=j, <=l).
`FullStream` sees every earlier token: unmasked layers inside completed frames and completed rows, whose results are
shifted by one frame and one row before they reach the tokens that follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from laban.nn.sparse3d import Axis, AxisCache, AxisLayer, Reach
from laban.systems.godiva.config import DecoderConfig

Grid = tuple[int, int, int]


class Steps(Protocol):
    """Incremental decoding of one batch, in raster order: `hidden` of a place, then `put` its token, then the next."""

    def hidden(self, place: Grid) -> Tensor:
        """(B, D) of place (l, i, j); every earlier place has been put."""

    def put(self, place: Grid, token: Tensor) -> None:
        """Take in the embedded token (B, D) at a place."""


class GodivaStream(nn.Module):
    """Source: GODIVA, Eq. 10 with its strict "<". Deviation: the paper's Eq. 11 also says "<=", which inputs shifted by
    one in raster order would give; but these would show a token its previous frame one column to the left, against
    Figure 2. Here the stream holds no token, and keys and values are made of stream and token, so "<" holds exactly.
    """

    def __init__(self, config: DecoderConfig, grid: Grid) -> None:
        super().__init__()
        d, axes = config.width, config.axes
        self.grid = grid
        self.layers = nn.ModuleList(
            AxisLayer(d, config.heads, config.feedforward * d, axes[n % len(axes)], "before")
            for n in range(config.layers)
        )

    def forward(self, start: Tensor, tokens: Tensor, words: Tensor, valid: Tensor) -> Tensor:
        """Args:
            start: (L, h, w, D) what a place begins with.
            tokens: (B, L, h, w, D).
        Returns: (B, L, h, w, D).
        """
        x = start.expand_as(tokens)
        for layer in self.layers:
            x = layer(x, tokens, words, valid)
        return x

    def begin(self, start: Tensor, words: Tensor, valid: Tensor) -> Steps:
        """Caches for one batch."""
        return _GodivaSteps(self, start, words, valid)


class _GodivaSteps:
    def __init__(self, stream: GodivaStream, start: Tensor, words: Tensor, valid: Tensor) -> None:
        self.layers: list[AxisLayer] = list(stream.layers)  # type: ignore[arg-type]
        self.start, self.batch = start, len(words)
        self.text = [layer.text(words, valid) for layer in self.layers]
        d = words.shape[-1]
        self.caches = [AxisCache(self.batch, layer.heads, stream.grid, d, words) for layer in self.layers]
        self.inputs: list[Tensor] = []

    def hidden(self, place: Grid) -> Tensor:
        x = self.start[place].expand(self.batch, 1, -1)
        self.inputs = []
        for layer, cache, text in zip(self.layers, self.caches, self.text, strict=True):
            self.inputs.append(x)
            x = layer.step(x, *cache.line(layer.axis, *place), text)
        return x[:, 0]

    def put(self, place: Grid, token: Tensor) -> None:
        for layer, cache, x in zip(self.layers, self.caches, self.inputs, strict=True):
            cache.put(place, *layer.keys(x[:, 0] + token))


class FullStream(nn.Module):
    """Three streams: frames (T up to here, R and C unmasked), rows (R unmasked, C up to here), tokens (R before).

    Of every 6 layers 3 belong to frames, 2 to rows and 1 to tokens, so their number can equal GodivaStream's; and most
    of them run once per frame or row, not once per token.
    Source: Axial Transformers (Ho et al. 2019), outer, upper and inner decoders. Deviations: three axes instead of
    two; keys of stream and token in the inner one, as in GodivaStream; text in every layer.
    """

    def __init__(self, config: DecoderConfig, grid: Grid) -> None:
        super().__init__()
        d = config.width
        self.grid = grid

        def stack(kinds: Sequence[tuple[Axis, Reach]]) -> nn.ModuleList:
            kept = [kind for kind in kinds if kind[0] in config.axes]
            count = config.layers * len(kinds) // 6
            return nn.ModuleList(
                AxisLayer(d, config.heads, config.feedforward * d, *kept[n % len(kept)]) for n in range(count)
            )

        self.frames = stack([("T", "upto"), ("R", "all"), ("C", "all")])
        self.rows = stack([("R", "all"), ("C", "upto")])
        self.inner = stack([("R", "before")])
        self.norm_frames = nn.LayerNorm(d)
        self.norm_rows = nn.LayerNorm(d)
        self.from_frames = nn.Linear(d, d)
        self.from_rows = nn.Linear(d, d)
        self.first_frame = nn.Parameter(torch.zeros(d))  # stands for the frame before the first
        self.first_row = nn.Parameter(torch.zeros(d))  # stands for the row above the first

    def forward(self, start: Tensor, tokens: Tensor, words: Tensor, valid: Tensor) -> Tensor:
        """Args:
            start: (L, h, w, D) what a place begins with.
            tokens: (B, L, h, w, D).
        Returns: (B, L, h, w, D).
        """
        x = tokens
        for layer in self.frames if tokens.shape[1] > 1 else ():  # of a single frame nothing sees them
            x = layer(x, None, words, valid)
        before = shifted(self.from_frames(self.norm_frames(x)), 1, self.first_frame)
        x = tokens + before
        for layer in self.rows:
            x = layer(x, None, words, valid)
        above = shifted(self.from_rows(self.norm_rows(x)), 2, self.first_row)
        x = start + before + above
        for layer in self.inner:
            x = layer(x, tokens, words, valid)
        return x

    def begin(self, start: Tensor, words: Tensor, valid: Tensor) -> Steps:
        """Caches for one batch."""
        return _FullSteps(self, start, words, valid)


def shifted(x: Tensor, axis: int, first: Tensor) -> Tensor:
    """(B, L, h, w, D) moved by one place along an axis (1: frames, 2: rows), `first` (D,) where nothing came before."""
    rest = x.narrow(axis, 0, x.shape[axis] - 1)
    return torch.cat([first.to(x.dtype).expand_as(x.narrow(axis, 0, 1)), rest], axis)


class _FullSteps:
    """Frames are taken in when their last token is put, rows likewise; only the inner layers run for every token."""

    def __init__(self, stream: FullStream, start: Tensor, words: Tensor, valid: Tensor) -> None:
        self.stream, self.start, self.words, self.valid = stream, start, words, valid
        self.batch, d = len(words), words.shape[-1]
        self.grid = _, height, width = stream.grid
        self.row_layers: list[AxisLayer] = list(stream.rows)  # type: ignore[arg-type]
        self.frame_layers: list[AxisLayer] = list(stream.frames)  # type: ignore[arg-type]
        self.inner_layers: list[AxisLayer] = list(stream.inner)  # type: ignore[arg-type]

        def caches(layers: Sequence[AxisLayer], grid: Grid) -> list[AxisCache]:
            return [AxisCache(self.batch, layer.heads, grid, d, words) for layer in layers]

        self.frame_caches = caches(self.frame_layers, stream.grid)
        self.row_caches = caches(self.row_layers, (1, height, width))
        self.inner_caches = caches(self.inner_layers, (1, 1, width))
        self.text = {id(layer): layer.text(words, valid) for layer in (*self.row_layers, *self.inner_layers)}
        self.frame_text = [layer.text(words, valid) for layer in self.frame_layers]
        self.before = stream.first_frame.expand(self.batch, height, width, d)
        self.above = stream.first_row.expand(self.batch, width, d)
        self.tokens = words.new_zeros(self.batch, height, width, d)
        self.inputs: list[Tensor] = []

    def hidden(self, place: Grid) -> Tensor:
        _, i, j = place
        x = (self.start[place] + self.before[:, i, j] + self.above[:, j])[:, None]
        self.inputs = []
        for layer, cache in zip(self.inner_layers, self.inner_caches, strict=True):
            self.inputs.append(x)
            x = layer.step(x, *cache.line("R", 0, 0, j), self.text[id(layer)])
        return x[:, 0]

    def put(self, place: Grid, token: Tensor) -> None:
        l, i, j = place  # noqa: E741
        self.tokens[:, i, j] = token
        for layer, cache, x in zip(self.inner_layers, self.inner_caches, self.inputs, strict=True):
            cache.put((0, 0, j), *layer.keys(x[:, 0] + token))
        if j == self.grid[2] - 1:
            if i < self.grid[1] - 1:
                self._row(i)
            else:
                self.above = self.stream.first_row.expand_as(self.above)
                if l < self.grid[0] - 1:
                    self._frame(l)

    def _row(self, i: int) -> None:
        """The row i is complete: what the row below sees of it and of those above."""
        every = slice(None)
        x = self.tokens[:, i] + self.before[:, i]  # (B, w, D)
        for layer, cache in zip(self.row_layers, self.row_caches, strict=True):
            text = self.text[id(layer)]
            if layer.axis == "R":
                x = layer(x[:, None, None], None, self.words, self.valid)[:, 0, 0]
                continue
            cache.put((0, i, every), *layer.keys(x))
            k, v = (t[:, :, 0, : i + 1].transpose(2, 3) for t in (cache.keys, cache.values))  # (B, H, w, i + 1, d)
            x = layer.step(x, k, v, text)
        self.above = self.stream.from_rows(self.stream.norm_rows(x))

    def _frame(self, l: int) -> None:  # noqa: E741
        """The frame l is complete: what the next frame sees of it and of those before."""
        every = slice(None)
        x = self.tokens  # (B, h, w, D)
        for layer, cache, text in zip(self.frame_layers, self.frame_caches, self.frame_text, strict=True):
            if layer.axis != "T":
                x = layer(x[:, None], None, self.words, self.valid)[:, 0]
                continue
            cache.put((l, every, every), *layer.keys(x))
            k, v = (t[:, :, : l + 1].permute(0, 1, 3, 4, 2, 5).flatten(2, 3) for t in (cache.keys, cache.values))
            x = layer.step(x.flatten(1, 2), k, v, text).reshape(x.shape)
        self.before = self.stream.from_frames(self.stream.norm_frames(x))
