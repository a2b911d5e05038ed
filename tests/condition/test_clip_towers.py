"""CLIP's folder: a small random one, loaded as the library itself loads it; bad folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from laban.condition.clip_towers import MEAN, STD, open_clip
from laban.errors import InputError, WeightsError

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("clip")
    letters = [chr(c) for c in range(97, 123)]
    pieces = [*letters, *(x + "</w>" for x in letters), "<|startoftext|>", "<|endoftext|>"]
    (place / "vocab.json").write_text(json.dumps({p: i for i, p in enumerate(pieces)}))
    (place / "merges.txt").write_text("#version: 0.2\n")
    shared = {"hidden_size": 32, "intermediate_size": 37, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**shared, "vocab_size": len(pieces), "bos_token_id": 52, "eos_token_id": 53, "max_position_embeddings": 20}
    config = transformers.CLIPConfig(
        text_config=text, vision_config={**shared, "image_size": 32, "patch_size": 8}, projection_dim=24
    )
    torch.manual_seed(0)
    transformers.CLIPModel(config).save_pretrained(place)
    return place


def test_features_are_the_library_s(folder: Path) -> None:
    clip = open_clip(folder)
    assert clip.width == 24 and len(clip.fingerprint) == 64
    texts = ["a walk", "b" * 60]
    found = clip.encode(texts)
    assert found.pooled.shape == (2, 24) and torch.isfinite(found.pooled).all()
    assert (clip.encode(texts[:1]).pooled - found.pooled[:1]).abs().max() < 1e-5  # padding changes nothing
    pictures = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    x = (torch.from_numpy(pictures).float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    with torch.no_grad():
        hidden = clip.model.vision_model(pixel_values=x.permute(0, 3, 1, 2)).pooler_output
        expected = clip.model.visual_projection(hidden)
    assert (clip.encode_images(pictures) - expected).abs().max() < 1e-5
    with pytest.raises(InputError):
        clip.encode([" "])


def test_bad_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lacks config\.json"):
        open_clip(tmp_path)
    for name in ("config.json", "model.safetensors", "vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"junk")
    with pytest.raises(WeightsError, match="cannot be loaded"):
        open_clip(tmp_path)
