"""CLIP text towers: the key maps of three layouts on random weights, the tokenizer, bad files."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from laban.condition.clip_text import BytePairs, ClipTextEncoder, TextTower
from laban.errors import InputError, LabanError, WeightsError

MERGES = [("t", "h"), ("th", "e</w>"), ("a", "</w>"), ("w", "a"), ("l", "k</w>"), ("wa", "lk</w>"), ("a", "l")]
SIZE = 512 + len(MERGES) + 2
TEXTS = ["a walk", "The  WALK, it's 2 a", "walk"]


def tower(quick: bool = True, seed: int = 0) -> TextTower:
    torch.manual_seed(seed)
    made = TextTower(SIZE, 12, 128, 96, 3, 40, quick=quick)
    with torch.no_grad():
        for p in made.parameters():
            p.normal_(0, 0.2)
    return made.eval()


def merges(folder: Path, name: str = "merges.txt") -> None:
    text = "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in MERGES)
    (folder / name).write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())


def hugging_face(made: TextTower) -> dict[str, torch.Tensor]:
    """The state of a tower under Hugging Face's names, written out by hand."""
    s = made.state_dict()
    out = {
        "text_model.embeddings.token_embedding.weight": s["token_embedding.weight"],
        "text_model.embeddings.position_embedding.weight": s["positional_embedding"],
        "text_model.embeddings.position_ids": torch.arange(12.0)[None],
        "text_model.final_layer_norm.weight": s["ln_final.weight"],
        "text_model.final_layer_norm.bias": s["ln_final.bias"],
        "text_projection.weight": s["text_projection"].T.contiguous(),
    }
    for i in range(3):
        old, new = f"transformer.resblocks.{i}.", f"text_model.encoder.layers.{i}."
        for kind in ("weight", "bias"):
            for j, k in enumerate("qkv"):
                out[f"{new}self_attn.{k}_proj.{kind}"] = s[f"{old}attn.in_proj_{kind}"][128 * j : 128 * j + 128].clone()
            for a, b in (("attn.out_proj", "self_attn.out_proj"), ("ln_1", "layer_norm1"), ("ln_2", "layer_norm2"),
                         ("mlp.c_fc", "mlp.fc1"), ("mlp.c_proj", "mlp.fc2")):  # fmt: skip
                out[f"{new}{b}.{kind}"] = s[f"{old}{a}.{kind}"]
    return out


class Scripted(torch.nn.Module):
    """OpenAI's archive: parameters in half, and three numbers among them."""

    def __init__(self, made: TextTower) -> None:
        super().__init__()
        self.token_embedding, self.ln_final, self.transformer = made.token_embedding, made.ln_final, torch.nn.Module()
        self.transformer.resblocks = made.transformer["resblocks"]
        self.positional_embedding, self.text_projection = made.positional_embedding, made.text_projection
        self.register_buffer("context_length", torch.tensor(12))

    def forward(self) -> torch.Tensor:
        return self.text_projection


def place(folder: Path, layout: str) -> tuple[Path, bool]:
    """Write random weights in a layout; the path to give, and whether QuickGELU is meant."""
    made = tower()
    openai = {k: v.clone() for k, v in made.state_dict().items()}
    openai |= {"visual.proj": torch.zeros(3, 3), "logit_scale": torch.ones(())}
    if layout.startswith("hf"):
        save_file(hugging_face(made), folder / "model.safetensors")
        act = "gelu" if layout == "hf gelu" else "quick_gelu"
        (folder / "config.json").write_text(json.dumps({"text_config": {"hidden_act": act}}))
        merges(folder)
        return folder, act == "quick_gelu"
    merges(folder, "bpe_simple_vocab_16e6.txt.gz")
    if layout == "openai":
        for block in made.transformer["resblocks"]:
            block.__class__ = torch.nn.Module
            block.mlp = torch.nn.Sequential()
            block.mlp.c_fc, block.mlp.c_proj = torch.nn.Linear(128, 96), torch.nn.Linear(96, 128)
        holder = Scripted(made)
        state = holder.state_dict()
        with torch.no_grad():
            for k, v in state.items():
                if k in openai:
                    v.copy_(openai[k])
        torch.jit.save(torch.jit.script(holder), folder / "ViT.pt")
        return folder / "ViT.pt", True
    if layout == "open_clip":
        torch.save({"state_dict": {f"module.{k}": v for k, v in openai.items()}, "epoch": 3}, folder / "x.pt")
    else:
        (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": {"quick_gelu": True}}))
        torch.save({k if k.startswith("visual") else f"text.{k}": v for k, v in openai.items()}, folder / "x.pt")
    return folder / "x.pt", layout == "open_clip quick"


@pytest.mark.parametrize("layout", ["hf", "hf gelu", "openai", "open_clip", "open_clip quick"])
def test_layouts(tmp_path, layout) -> None:
    path, quick = place(tmp_path, layout)
    encoder = ClipTextEncoder.load(path)
    assert (encoder.width, encoder.token_width) == (40, 128) and encoder.fingerprint.startswith("clip-")
    reference, found = tower(quick), encoder.encode(TEXTS)
    for i, text in enumerate(TEXTS):
        ids = torch.tensor([[SIZE - 2, *encoder.tokenizer.encode(text), SIZE - 1]])[:, :12]
        ids[0, -1] = SIZE - 1
        with torch.no_grad():
            pooled, tokens = reference(ids)
        assert torch.allclose(found.pooled[i], pooled[0], atol=2e-5)  # padding after the end token changes nothing
        assert torch.allclose(found.tokens[i][found.valid[i]], tokens[0], atol=2e-5)


def test_transformers_agrees(tmp_path) -> None:
    transformers = pytest.importorskip("transformers", reason="the clip extra is not installed")
    config = transformers.CLIPTextConfig(
        vocab_size=SIZE, hidden_size=128, intermediate_size=96, num_hidden_layers=3, num_attention_heads=2,
        max_position_embeddings=12, projection_dim=40, eos_token_id=SIZE - 1, bos_token_id=SIZE - 2, pad_token_id=0,
    )  # fmt: skip
    torch.manual_seed(1)
    theirs = transformers.CLIPTextModelWithProjection(config).eval()
    theirs.save_pretrained(tmp_path)
    merges(tmp_path)
    encoder = ClipTextEncoder.load(tmp_path)
    ids = torch.tensor([[SIZE - 2, *encoder.tokenizer.encode("the walk"), SIZE - 1]])
    with torch.no_grad():
        expected = theirs(input_ids=ids).text_embeds
    assert torch.allclose(encoder.encode(["the walk"]).pooled, expected, atol=1e-5)


def test_byte_pairs() -> None:
    pairs = BytePairs(MERGES)
    assert pairs.size == SIZE and pairs.index["!"] == 0 and pairs.index["!</w>"] == 256 and pairs.index["th"] == 512
    names = {v: k for k, v in pairs.index.items()}
    assert [names[i] for i in pairs.encode("The walk&amp;\n é")] == ["the</w>", "walk</w>", "&</w>", "Ã", "©</w>"]
    assert [names[i] for i in pairs.encode("al 12's")] == ["a", "l</w>", "1</w>", "2</w>", "'", "s</w>"]


class Bad:
    def __reduce__(self):
        return (os.system, ("touch called",))


def test_bad_files(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    path, _ = place(tmp_path, "open_clip")
    encoder = ClipTextEncoder.load(path)
    with pytest.raises(InputError, match="empty"):
        encoder.encode(["  "])
    (tmp_path / "bpe_simple_vocab_16e6.txt.gz").rename(tmp_path / "else")
    with pytest.raises(WeightsError, match=r"merges\.txt"):
        ClipTextEncoder.load(path)
    (tmp_path / "merges.txt").write_text("#version\na b\n")
    with pytest.raises(WeightsError, match="needs 7"):
        ClipTextEncoder.load(path)
    held = torch.load(path, weights_only=True)
    del held["state_dict"]["module.ln_final.bias"]
    torch.save(held, path)
    with pytest.raises(WeightsError, match=r"ln_final\.bias"):
        ClipTextEncoder.load(path)
    torch.save({"state_dict": Bad()}, path)
    with pytest.raises(WeightsError, match="refused"):
        ClipTextEncoder.load(path)
    path.write_bytes(b"no weights")
    for wrong in (path, tmp_path, tmp_path / "absent"):
        with pytest.raises(LabanError):
            ClipTextEncoder.load(wrong)
    assert not (tmp_path / "called").exists()
