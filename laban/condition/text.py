"""Text conditioning: the encoder interface, and the small encoder that ships with the package."""

from __future__ import annotations

import hashlib
import json
import lzma
import threading
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from laban.condition.student import Student, StudentConfig, unpack
from laban.condition.wordpiece import WordPiece
from laban.errors import InputError, WeightsError

WEIGHTS = Path(__file__).resolve().parent.parent / "weights" / "text"
FILES = ("config.json", "text.safetensors", "vocab.txt")
DAMAGE = (ValueError, TypeError, KeyError, RuntimeError, EOFError, lzma.LZMAError)  # what a bad file raises
MAX_CHARACTERS = 2000  # characters
REMEMBERED = 4096  # texts whose features are kept


@dataclass(frozen=True)
class TextFeatures:
    """Features of B texts.

    pooled: (B, D) float32, unit length.
    tokens: (B, L, Dt) float32, about unit RMS per dimension, zero where not valid.
    valid: (B, L) bool, True where a token is real.
    known: (B,) float32, the fraction of the words that look like English words.
    """

    pooled: Tensor
    tokens: Tensor
    valid: Tensor
    known: Tensor


class TextEncoder(Protocol):
    """What a system needs of a text encoder; `fingerprint` names the weights in passports."""

    width: int
    token_width: int
    fingerprint: str

    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """Features of each text; InputError for a text that cannot be encoded."""
        ...


class SmallTextEncoder:
    """Laban's own encoder, distilled from all-MiniLM-L6-v2 (see docs/text.md); runs on the CPU.

    The features of a text do not depend on the other texts of the call, and are remembered.
    """

    def __init__(self, student: Student, tokenizer: WordPiece, fingerprint: str) -> None:
        self.student = student.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.fingerprint = fingerprint
        self.width = student.config.pooled
        self.token_width = student.config.tokens
        self._memory: OrderedDict[str, tuple[Tensor, Tensor, float]] = OrderedDict()
        self._lock = threading.Lock()  # of the memory: a service encodes from several threads

    @classmethod
    def load(cls, folder: Path | str | None = None) -> SmallTextEncoder:
        """Load an encoder.

        Args:
            folder: with config.json, text.safetensors and vocab.txt; None: the weights of the package.
        Raises: WeightsError if a file is missing, damaged, or does not fit the others.
        """
        folder = WEIGHTS if folder is None else Path(folder)
        for name in FILES:
            if not (folder / name).is_file():
                raise WeightsError(
                    f"text encoder: {folder / name} is missing; expected {', '.join(FILES)}; reinstall laban"
                )
        digest = hashlib.sha256()
        for name in FILES:
            digest.update((folder / name).read_bytes())
        try:
            config = StudentConfig(**json.loads((folder / "config.json").read_text("utf-8")))
            tokenizer = WordPiece.read(folder / "vocab.txt")
            student = Student(config)
            tensors = safetensors.torch.load_file(folder / "text.safetensors")
            student.load_state_dict(unpack(tensors))
        except (*DAMAGE, safetensors.SafetensorError) as error:
            reason = " ".join(str(error).split())[:160]
            raise WeightsError(f"text encoder: {folder} cannot be loaded ({reason}); reinstall laban") from error
        if len(tokenizer.pieces) != config.vocabulary:
            raise WeightsError(
                f"text encoder: {folder}/vocab.txt has {len(tokenizer.pieces)} pieces, "
                f"expected {config.vocabulary}; reinstall laban"
            )
        return cls(student, tokenizer, digest.hexdigest())

    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """Encode texts.

        Args:
            texts: B prompts in English. More than 64 word pieces are cut, with a warning.
        Returns: TextFeatures with L = the longest text's number of pieces.
        Raises: InputError for an empty prompt, or one of more than 2,000 characters, or no prompt at all.
        """
        if isinstance(texts, str):
            raise InputError("text encoder: got one string, expected a list of prompts; write [prompt]")
        if not len(texts):
            raise InputError("text encoder: got no prompt, expected at least one")
        for text in texts:
            if not isinstance(text, str):
                raise InputError(f"prompt: got {type(text).__name__}, expected a string")
            if len(text) > MAX_CHARACTERS:
                raise InputError(
                    f"prompt: {len(text)} characters, expected at most {MAX_CHARACTERS}; describe one action per prompt"
                )
        with self._lock:
            found = {t: self._memory[t] for t in texts if t in self._memory}
        new = [t for t in dict.fromkeys(texts) if t not in found]
        for start in range(0, len(new), 256):
            part = new[start : start + 256]
            found.update(zip(part, self._encode(part), strict=True))
        with self._lock:
            for text in dict.fromkeys(texts):
                self._memory[text] = found[text]
                self._memory.move_to_end(text)
            while len(self._memory) > REMEMBERED:
                self._memory.popitem(last=False)
        rows = [found[t] for t in texts]
        longest = max(len(tokens) for _, tokens, _ in rows)
        tokens = torch.zeros(len(rows), longest, self.token_width)
        valid = torch.zeros(len(rows), longest, dtype=torch.bool)
        for i, (_, row, _) in enumerate(rows):
            tokens[i, : len(row)] = row
            valid[i, : len(row)] = True
        known = torch.tensor([k for _, _, k in rows], dtype=torch.float32)
        return TextFeatures(torch.stack([p for p, _, _ in rows]), tokens, valid, known)

    @torch.no_grad()
    def _encode(self, texts: Sequence[str]) -> list[tuple[Tensor, Tensor, float]]:
        """Features of each text; texts of equal length run together, so that padding never changes a result."""
        ids = []
        for text in texts:
            row = self.tokenizer.encode(text)
            if not row:
                raise InputError("prompt: it is empty, expected a sentence such as 'a person walks forward'")
            if len(row) > self.student.config.length:
                warnings.warn(
                    f"prompt of {len(row)} word pieces cut to {self.student.config.length}: {text[:60]!r}…",
                    stacklevel=3,
                )
            ids.append(row[: self.student.config.length])
        result: list[tuple[Tensor, Tensor, float] | None] = [None] * len(texts)
        for length in sorted({len(row) for row in ids}):
            which = [i for i, row in enumerate(ids) if len(row) == length]
            batch = torch.tensor([ids[i] for i in which])
            pooled, tokens = self.student(batch, torch.ones_like(batch, dtype=torch.bool))
            for at, i in enumerate(which):
                known = self.tokenizer.understood(texts[i])
                result[i] = (pooled[at].float().clone(), tokens[at].float().clone(), known)
        return [r for r in result if r is not None]
