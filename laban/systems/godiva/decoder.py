"""The decoder: words and the tokens so far become a distribution of the next token."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from laban.nn import chunked
from laban.nn.sparse3d import initialise
from laban.systems.godiva.config import GodivaConfig
from laban.systems.godiva.streams import FullStream, GodivaStream, Grid, Steps
from laban.systems.godiva.words import SPECIAL


class Decoder(nn.Module):
    """Logits over the codes at every place, of the places before it.

    Source: GODIVA: codebook row -> Linear, learned positions, an embedding table for words with positions of its own,
    layers along time, row and column in turn, Linear to K. Deviations: pre-norm [I]; the codebook is brought to unit
    variance before the Linear (which absorbs it).
    """

    codebook: Tensor

    def __init__(self, config: GodivaConfig) -> None:
        super().__init__()
        c, d = config.decoder, config.decoder.width
        self.config = config
        self.grid = config.grid
        self.chunk = c.chunk
        self.register_buffer("codebook", torch.zeros(config.coder.codes, config.coder.code_width))
        self.words = nn.Embedding(len(SPECIAL) + len(config.text.words), d)
        self.word_places = nn.Embedding(config.text.max_words + 1, d)
        self.enter = nn.Linear(config.coder.code_width, d)
        frames, height, width = config.grid
        rows = (frames * height * width,) if c.positions == "table" else (frames, height, width)
        self.places = nn.ModuleList(nn.Embedding(n, d) for n in rows)
        self.start = nn.Parameter(torch.zeros(d))
        self.stream = (GodivaStream if c.mask == "godiva" else FullStream)(c, config.grid)
        self.norm = nn.LayerNorm(d)
        self.head = nn.Linear(d, config.coder.codes)
        initialise(self, c.layers, d)

    def take(self, codebook: Tensor) -> None:
        """Use the rows (K, d_B) of a trained codebook, scaled to unit variance over all of them."""
        with torch.no_grad():
            self.codebook.copy_((codebook - codebook.mean()) / codebook.std().clamp_min(1e-6))

    def positions(self) -> Tensor:
        """(L, h, w, D)."""
        parts: list[Tensor] = [part.weight for part in self.places]  # type: ignore[misc]
        if len(parts) == 1:
            return parts[0].reshape(*self.grid, -1)
        return parts[0][:, None, None] + parts[1][None, :, None] + parts[2][None, None, :]

    def text_rows(self, words: Tensor) -> Tensor:
        """(B, N) word ids -> (B, N, D)."""
        return self.words(words) + self.word_places.weight[: words.shape[1]]

    def embed(self, codes: Tensor) -> Tensor:
        """(...) int64 codes -> (..., D), without positions."""
        return self.enter(self.codebook[codes])

    def hidden(self, codes: Tensor, words: Tensor, valid: Tensor) -> Tensor:
        """What the head sees.

        Args:
            codes: (B, L', h, w) int64 of the first L' frames.
            words: (B, N) int64.
            valid: (B, N) bool, True where real.
        Returns: (B, L', h, w, D); place n depends on codes before n alone.
        """
        places = self.positions()[: codes.shape[1]]
        tokens = self.embed(codes) + places
        return self.norm(self.stream(places + self.start, tokens, self.text_rows(words), valid))

    def forward(self, codes: Tensor, words: Tensor, valid: Tensor) -> Tensor:
        """As `hidden`. Returns: (B, L', h, w, K) logits."""
        return self.head(self.hidden(codes, words, valid))

    def nll(self, codes: Tensor, words: Tensor, valid: Tensor) -> Tensor:
        """(B, L', h, w) negative log-likelihood of every token, nats."""
        hidden = self.hidden(codes, words, valid)
        flat = chunked.cross_entropy(hidden.flatten(0, -2), self.head, codes.flatten(), self.chunk)
        return flat.reshape(codes.shape)

    def begin(self, words: Tensor, valid: Tensor) -> Incremental:
        """Decoding of one batch, token by token."""
        return Incremental(self, words, valid)


class Incremental:
    """Caches of one batch. Call `logits` and `put` for every place in raster order."""

    def __init__(self, decoder: Decoder, words: Tensor, valid: Tensor) -> None:
        self.decoder = decoder
        self.places = decoder.positions()
        self.steps: Steps = decoder.stream.begin(self.places + decoder.start, decoder.text_rows(words), valid)

    def logits(self, place: Grid) -> Tensor:
        """(B, K) of a place."""
        return self.decoder.head(self.decoder.norm(self.steps.hidden(place)))

    def put(self, place: Grid, codes: Tensor) -> None:
        """Take in the codes (B,) of a place."""
        self.steps.put(place, self.decoder.embed(codes) + self.places[place])
