"""CLIP's text tower from a local path, for models that read its features (released MoMask: ViT-B/32, 512).

Nothing is downloaded. A path is a Hugging Face folder (config.json, model.safetensors, merges.txt), or a file of OpenAI
(TorchScript .pt) or of open_clip (.pt, .bin, .safetensors), beside which the word pieces lie: merges.txt, or
bpe_simple_vocab_16e6.txt(.gz). Source: Radford et al. 2021 (CLIP) and the published key layouts.
The features are as CLIP gives them, not scaled to length one.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from torch import Tensor, nn

from laban.condition.text import TextFeatures
from laban.errors import InputError, WeightsError
from laban.io.torch_archives import first_line, load_restricted, tensors_of

HEAD = 64  # width of an attention head in every CLIP text tower
MERGES = ("merges.txt", "bpe_simple_vocab_16e6.txt", "bpe_simple_vocab_16e6.txt.gz")
LIMIT = 8 << 20  # bytes of a merges file
HF = (
    ("text_model.embeddings.token_embedding.weight", "token_embedding.weight"),
    ("text_model.embeddings.position_embedding.weight", "positional_embedding"),
    ("text_model.final_layer_norm.", "ln_final."), ("text_model.encoder.layers.", "transformer.resblocks."),
    (".self_attn.out_proj.", ".attn.out_proj."), (".layer_norm1.", ".ln_1."), (".layer_norm2.", ".ln_2."),
    (".mlp.fc1.", ".mlp.c_fc."), (".mlp.fc2.", ".mlp.c_proj."),
)  # fmt: skip


class Block(nn.Module):
    """Pre-norm transformer layer with a causal mask. Names are OpenAI's."""

    def __init__(self, width: int, feedforward: int, *, quick: bool) -> None:
        super().__init__()
        self.heads, self.quick = width // HEAD, quick
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, self.heads, batch_first=True)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, feedforward), "c_proj": nn.Linear(feedforward, width)})

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, D) -> (B, L, D)."""
        b, n, d = x.shape
        z = F.linear(self.ln_1(x), self.attn.in_proj_weight, self.attn.in_proj_bias)
        q, k, v = z.view(b, n, 3, self.heads, HEAD).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, n, d)
        x = x + self.attn.out_proj(y)
        h = self.mlp["c_fc"](self.ln_2(x))
        h = h * torch.sigmoid(1.702 * h) if self.quick else F.gelu(h)
        return x + self.mlp["c_proj"](h)


class TextTower(nn.Module):
    """Token ids to a feature, pooled at the end-of-text token."""

    def __init__(
        self, vocabulary: int, length: int, width: int, feedforward: int, layers: int, out: int, *, quick: bool
    ):
        super().__init__()
        self.token_embedding = nn.Embedding(vocabulary, width)
        self.positional_embedding = nn.Parameter(torch.zeros(length, width))
        self.transformer = nn.ModuleDict(
            {"resblocks": nn.ModuleList(Block(width, feedforward, quick=quick) for _ in range(layers))}
        )
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.zeros(width, out))

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """(B, L) ids, the end-of-text id being the highest -> (B, out), (B, L, D)."""
        x = self.token_embedding(ids) + self.positional_embedding[: ids.shape[1]]
        blocks = self.transformer["resblocks"]
        assert isinstance(blocks, nn.ModuleList)
        for block in blocks:
            x = block(x)
        x = self.ln_final(x)
        return x[torch.arange(len(x)), ids.argmax(-1)] @ self.text_projection, x


class BytePairs:
    """CLIP's tokenizer: lower case, byte pairs, words end in </w>. Ids follow from the merges alone."""

    def __init__(self, merges: Sequence[tuple[str, str]]) -> None:
        shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
        hidden = [b for b in range(256) if b not in shown]
        letters = {b: chr(b) for b in shown} | {b: chr(256 + i) for i, b in enumerate(hidden)}
        self.letters = letters
        ordered = [letters[b] for b in (*shown, *hidden)]
        pieces = [*ordered, *(x + "</w>" for x in ordered), *(a + b for a, b in merges), "<start>", "<end>"]
        self.index = {piece: i for i, piece in enumerate(pieces)}
        self.ranks = {pair: i for i, pair in enumerate(merges)}
        self.size, self.start, self.end = len(pieces), len(pieces) - 2, len(pieces) - 1

    @classmethod
    def read(cls, path: Path, vocabulary: int) -> BytePairs:
        """From a merges file; as many merges are taken as the vocabulary has room for."""
        try:
            if path.stat().st_size > LIMIT:
                raise WeightsError(f"{path}: is larger than {LIMIT >> 20} MiB, expected byte-pair merges.")
            opened = gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")
            with opened as file:
                lines = file.read(4 * LIMIT).decode("utf-8").splitlines()
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise WeightsError(f"{path}: cannot be read ({first_line(error)}); restore it.") from None
        pairs = [tuple(line.split()) for line in lines if line.strip() and not line.startswith(("#version", '"bpe'))]
        pairs = pairs[: max(vocabulary - 512 - 2, 0)]
        if any(len(p) != 2 for p in pairs) or len(pairs) != vocabulary - 514:
            raise WeightsError(
                f"{path}: has {len(pairs)} merges, a vocabulary of {vocabulary} needs {vocabulary - 514}. Give "
                "the file that came with the weights."
            )
        return cls([(p[0], p[1]) for p in pairs])

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without the ends."""
        text = re.sub(r"\s+", " ", html.unescape(html.unescape(text))).strip().lower()
        ids: list[int] = []
        for word in re.findall(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+", text):
            ids += [self.index[piece] for piece in self._pieces("".join(self.letters[b] for b in word.encode()))]
        return ids

    def _pieces(self, word: str) -> list[str]:
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            ranked = [
                (self.ranks.get(pair, len(self.ranks)), i) for i, pair in enumerate(zip(parts, parts[1:], strict=False))
            ]
            rank, _ = min(ranked)
            if rank == len(self.ranks):
                break
            merged, i = [], 0
            while i < len(parts):
                if i + 1 < len(parts) and self.ranks.get((parts[i], parts[i + 1])) == rank:
                    merged.append(parts[i] + parts[i + 1])
                    i += 2
                else:
                    merged.append(parts[i])
                    i += 1
            parts = merged
        return parts


class ClipTextEncoder:
    """A `TextEncoder` (see text.py) over CLIP. Word features are those of the last norm."""

    def __init__(self, tower: TextTower, tokenizer: BytePairs, fingerprint: str) -> None:
        self.tower = tower.eval().requires_grad_(False)
        self.tokenizer, self.fingerprint = tokenizer, fingerprint
        self.token_width, self.width = tower.text_projection.shape

    @classmethod
    def load(cls, path: str | Path) -> ClipTextEncoder:
        """From a folder or file, see the module.

        Raises: InputError if there is nothing; WeightsError for files that are missing, damaged or no CLIP.
        """
        path = Path(path)
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder. Give CLIP's weights.")
        tensors, quick = read_text_tower(path)
        tower = build(tensors, quick=quick, where=str(path))
        folder = path if path.is_dir() else path.parent
        merges = next((folder / name for name in MERGES if (folder / name).is_file()), None)
        if merges is None:
            raise WeightsError(f"{folder}: has none of {', '.join(MERGES)}; put the word pieces beside the weights.")
        total = hashlib.sha256(b"quick" if quick else b"gelu")
        for name in sorted(tensors):
            total.update(name.encode() + tensors[name].float().contiguous().numpy().tobytes())
        return cls(tower, BytePairs.read(merges, tower.token_embedding.num_embeddings), f"clip-{total.hexdigest()}")

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> TextFeatures:
        """Features of each text; what is beyond CLIP's 77 tokens is cut. InputError for no text or an empty one."""
        if isinstance(texts, str) or not len(texts) or not all(isinstance(t, str) and t.strip() for t in texts):
            raise InputError("clip: got no text or an empty one, expected a list of sentences.")
        longest = len(self.tower.positional_embedding)
        unique = list(dict.fromkeys(texts))
        rows = [[self.tokenizer.start, *self.tokenizer.encode(t)[: longest - 2], self.tokenizer.end] for t in unique]
        ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor(row)
        pooled, tokens = self.tower(ids)
        valid = torch.arange(ids.shape[1]) < torch.tensor([len(r) for r in rows])[:, None]
        known = torch.tensor([float(any(c.isalpha() for c in t)) for t in unique])
        at = torch.tensor([unique.index(t) for t in texts])
        return TextFeatures(pooled[at], (tokens * valid[..., None])[at], valid[at], known[at])


def read_text_tower(path: Path) -> tuple[dict[str, Tensor], bool]:
    """The text tower's tensors under OpenAI's names, float32, and whether its activation is QuickGELU."""
    quick: bool | None = None
    if path.is_dir():
        told = _json(path / "config.json") if (path / "config.json").is_file() else {}
        text = told.get("text_config") if isinstance(told.get("text_config"), dict) else told
        quick = (text or {}).get("hidden_act", "quick_gelu") == "quick_gelu" if told else None
        for name in (
            "model.safetensors",
            "open_clip_model.safetensors",
            "pytorch_model.bin",
            "open_clip_pytorch_model.bin",
        ):
            if (path / name).is_file():
                path = path / name
                break
        else:
            raise WeightsError(f"{path}: has no model.safetensors; give a folder with CLIP's weights.")
    beside = path.parent / "open_clip_config.json"
    if quick is None and beside.is_file():
        model = _json(beside).get("model_cfg")
        quick = bool(model.get("quick_gelu", False)) if isinstance(model, dict) else False
    state, scripted = _state(path)
    if any(name.startswith("text_model.") for name in state):
        state = from_hugging_face(state, path)
        quick = True if quick is None else quick  # CLIPTextConfig's default
    return text_part(state), scripted if quick is None else quick


def from_hugging_face(state: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Hugging Face's names and layout -> OpenAI's: queries, keys and values joined, the projection transposed."""
    out: dict[str, Tensor] = {}
    for name, value in state.items():
        if name == "text_projection.weight":
            out["text_projection"] = value.T.contiguous()
            continue
        if (
            not name.startswith("text_model.")
            or name.endswith("position_ids")
            or re.search(r"self_attn\.[kv]_proj", name)
        ):
            continue
        found = re.fullmatch(r"(.*)\.self_attn\.q_proj\.(weight|bias)", name)
        if found:
            trio = [f"{found[1]}.self_attn.{k}_proj.{found[2]}" for k in "qkv"]
            if any(n not in state for n in trio):
                raise WeightsError(f"{path}: {name} has no keys or values beside it. Restore the file.")
            value, name = torch.cat([state[n] for n in trio]), f"{found[1]}.attn.in_proj_{found[2]}"
        for old, new in HF:
            name = name.replace(old, new)
        out[name] = value
    return out


def text_part(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The text tower out of a whole CLIP with OpenAI's names, also nested as open_clip nests it; float32."""
    out = {}
    for name, value in state.items():
        for prefix in ("module.", "text."):
            name = name.removeprefix(prefix)
        if re.match(r"(token_embedding\.|positional_embedding$|transformer\.|ln_final\.|text_projection$)", name):
            out[name] = value.float()
    return out


def build(tensors: Mapping[str, Tensor], *, quick: bool, where: str) -> TextTower:
    """A tower whose sizes are those of the tensors. WeightsError if they are not CLIP's."""
    try:
        vocabulary, width = tensors["token_embedding.weight"].shape
        length, out = tensors["positional_embedding"].shape[0], tensors["text_projection"].shape[1]
        feedforward = tensors["transformer.resblocks.0.mlp.c_fc.weight"].shape[0]
        layers = len({name.split(".")[2] for name in tensors if name.startswith("transformer.resblocks.")})
        if width % HEAD or max(vocabulary, width, length, out, feedforward) > 1 << 20:
            raise ValueError(f"width {width}, expected a multiple of {HEAD}")
        tower = TextTower(vocabulary, length, width, feedforward, layers, out, quick=quick)
        tower.load_state_dict(dict(tensors))
    except (KeyError, IndexError, ValueError, RuntimeError, AttributeError) as error:
        said = " ".join(str(error).split())[:200]
        raise WeightsError(f"{where}: not the tensors of a CLIP text tower ({said}). Give CLIP's weights.") from None
    return tower


def _state(path: Path) -> tuple[dict[str, Tensor], bool]:
    """Named float tensors of a file, and whether it is a TorchScript archive (OpenAI's)."""
    if path.suffix == ".safetensors":
        try:
            held: Any = safetensors.torch.load_file(path)
        except (OSError, SafetensorError, ValueError) as error:
            raise WeightsError(f"{path}: damaged ({first_line(error)}); restore it.") from None
        return tensors_of({k: v for k, v in held.items() if v.is_floating_point()}, path, "it"), False
    if _scripted(path):
        try:  # an archive of code: reading its parameters can run what is in it, so only trusted files
            held = torch.jit.load(str(path), map_location="cpu").state_dict()
        except (RuntimeError, ValueError, OSError) as error:
            raise WeightsError(f"{path}: damaged ({first_line(error)}); restore it.") from None
        sizes = ("input_resolution", "context_length", "vocab_size")
        return tensors_of({k: v for k, v in held.items() if k not in sizes}, path, "it"), True
    content = load_restricted(path)
    held = content.get("state_dict", content)
    held = held if isinstance(held, dict) else {}
    held = {k: v for k, v in held.items() if not isinstance(v, Tensor) or v.is_floating_point()}
    return tensors_of(held, path, "state_dict"), False


def _scripted(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: cannot be read as JSON ({first_line(error)}); restore it.") from None
    return told if isinstance(told, dict) else {}
