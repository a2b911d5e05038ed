"""A real CLIP from a local folder, for scores of pictures and texts. Needs the extra `clip`; nothing is downloaded.

Untested with real weights in this project: none are available here. The arithmetic around it is tested.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from laban.errors import InputError, WeightsError


class Clip:
    """Unit vectors of pictures and texts, by a CLIP in the layout of Hugging Face transformers."""

    def __init__(self, model: Any, processor: Any) -> None:
        self.model, self.processor = model, processor

    @classmethod
    def open(cls, folder: str | Path) -> Clip:
        """Open a folder with config.json, weights as safetensors, tokenizer and preprocessor.

        Raises: InputError if the extra is not installed or the folder is not there; WeightsError if it cannot be read.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder; expected a CLIP model as transformers stores it.")
        try:
            transformers = importlib.import_module("transformers")
        except ImportError:
            raise InputError("CLIP needs the extra 'clip'; install it: pip install 'laban[clip]'.") from None
        try:
            options = {"local_files_only": True}
            model = transformers.CLIPModel.from_pretrained(str(folder), use_safetensors=True, **options).eval()
            return cls(model, transformers.CLIPProcessor.from_pretrained(str(folder), **options))
        except (OSError, ValueError, KeyError) as error:
            raise WeightsError(f"{folder}: not a readable CLIP model ({str(error).splitlines()[0][:120]}).") from None

    def images(self, pixels: np.ndarray) -> np.ndarray:
        """(N, H, W, 3) uint8 -> (N, E) of length 1."""
        return self._embed(self.model.get_image_features, images=list(pixels), return_tensors="pt")

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """N texts -> (N, E) of length 1; CLIP reads 77 tokens at most."""
        return self._embed(
            self.model.get_text_features, text=list(texts), return_tensors="pt", padding=True, truncation=True
        )

    def _embed(self, features: Any, **inputs: Any) -> np.ndarray:
        import torch

        with torch.no_grad():
            found = features(**self.processor(**inputs))
        found = getattr(found, "pooler_output", found)
        rows = found.float().numpy()
        return rows / np.linalg.norm(rows, axis=-1, keepdims=True)
