"""CLIP from a local folder: its text tower as a text encoder, its image tower for pictures. Nothing is downloaded.

The folder is one of the transformers library's: config.json, model.safetensors, vocab.json and merges.txt.
Source: Radford et al. 2021. Features are the raw projections, not brought to unit length, as MotionCLIP decodes them.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from laban.condition.text import MAX_CHARACTERS, TextFeatures
from laban.errors import InputError, WeightsError

MEAN = (0.48145466, 0.4578275, 0.40821073)  # of CLIP's training pictures, RGB
STD = (0.26862954, 0.26130258, 0.27577711)
NEEDS = ("config.json", "model.safetensors", "vocab.json", "merges.txt")


class ClipModel:
    """Both towers. A TextEncoder; `tokens` are not given to anyone, so they are empty."""

    def __init__(self, model: Any, tokenizer: Any, fingerprint: str) -> None:
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.fingerprint = fingerprint
        self.width = int(model.config.projection_dim)
        self.token_width = 0

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """Args: B texts; more than CLIP's 77 pieces are cut. Returns: pooled (B, W) raw. Raises: InputError."""
        if isinstance(texts, str) or not len(texts):
            raise InputError("clip: expected a list of at least one text.")
        for text in texts:
            if not isinstance(text, str) or not text.strip() or len(text) > MAX_CHARACTERS:
                raise InputError("prompt: it is empty or too long, expected a sentence such as 'a person walks'.")
        longest = self.model.config.text_config.max_position_embeddings
        given = self.tokenizer(list(texts), padding=True, truncation=True, max_length=longest, return_tensors="pt")
        found = self.model.get_text_features(**given)
        pooled = found if isinstance(found, Tensor) else found.pooler_output
        count = len(texts)
        return TextFeatures(
            pooled.float(), torch.zeros(count, 1, 0), torch.ones(count, 1, dtype=torch.bool), torch.ones(count)
        )

    @torch.no_grad()
    def encode_images(self, pictures: np.ndarray) -> Tensor:
        """(B, H, W, 3) uint8 -> (B, W) raw. Bicubic to CLIP's size, its mean and deviation."""
        size = self.model.config.vision_config.image_size
        shape = (size, size)
        rows = [np.asarray(Image.fromarray(p).resize(shape, Image.Resampling.BICUBIC)) for p in pictures]
        x = torch.from_numpy(np.stack(rows)).float() / 255
        x = (x - torch.tensor(MEAN)) / torch.tensor(STD)
        found = self.model.get_image_features(pixel_values=x.permute(0, 3, 1, 2))
        return (found if isinstance(found, Tensor) else found.pooler_output).float()


def open_clip(folder: str | Path) -> ClipModel:
    """CLIP from a local folder.

    Raises: InputError if the folder lacks a file or transformers is not installed; WeightsError if it is damaged.
    """
    folder = Path(folder)
    missing = [n for n in NEEDS if not (folder / n).is_file()]
    if missing:
        raise InputError(
            f"{folder}: lacks {', '.join(missing)}; expected CLIP's folder as the transformers library saves it "
            "(openai/clip-vit-base-patch32 for the released MotionCLIP)."
        )
    try:
        transformers = importlib.import_module("transformers")  # an extra, loaded only here
    except ImportError:
        raise InputError("clip: needs the transformers package; pip install 'laban[clip]'.") from None
    digest = hashlib.sha256()
    for name in NEEDS:
        digest.update((folder / name).read_bytes())
    try:
        json.loads((folder / "config.json").read_text(encoding="utf-8"))
        model = transformers.CLIPModel.from_pretrained(str(folder), local_files_only=True)
        tokenizer = transformers.CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:  # the library raises many kinds
        said = (" ".join(str(error).split()) or type(error).__name__)[:160]
        raise WeightsError(f"{folder}: CLIP cannot be loaded ({said}); restore the folder.") from None
    return ClipModel(model, tokenizer, digest.hexdigest())
