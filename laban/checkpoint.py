"""Checkpoint folders: config.json, <stage>.safetensors, stats.safetensors and README.md (the model card).

Only safetensors and JSON are read, nothing is ever unpickled. Every tensor file carries a digest of its own
content, so that damage inside the data is noticed, and `Checkpoint.hash` names all weights in a passport.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as pack_tensors
from torch import Tensor, nn

from laban.errors import InputError, WeightsError
from laban.io.atomic import replacing

FORMAT = 1
"""Version of the folder layout; a reader refuses a newer one."""

LIMIT = 4 << 30
"""Largest tensor file that is read, bytes."""


@dataclass(frozen=True)
class Checkpoint:
    """What a folder holds.

    stages: stage -> tensor name -> float32 (or integer) tensor. hash: hex sha256 over the tensor files.
    """

    config: dict[str, Any]
    stages: dict[str, dict[str, Tensor]]
    stats: dict[str, Tensor]
    hash: str


def save(
    folder: str | Path,
    config: Mapping[str, Any],
    tensors: Mapping[str, Mapping[str, Tensor]],
    stats: Mapping[str, Tensor],
    card: str | None = None,
    *,
    half: bool = False,
) -> None:
    """Write a checkpoint folder; each file is written beside and renamed.

    Args:
        folder: made if absent.
        config: JSON-able; the format version, the stages and the hash of the statistics are added.
        tensors: stage -> state_dict.
        stats: feature statistics, always stored as they are.
        card: the model card, Markdown; None leaves README.md alone.
        half: store floating tensors as fp16 (those that do not fit its range stay fp32).
    Raises: InputError if the folder cannot be written.
    """
    folder = Path(folder)
    write_config(folder, {**config, "stages": list(tensors)}, stats)
    for stage, state in tensors.items():
        save_stage(folder, stage, state, half=half)
    if card is not None:
        write_card(folder, card)


def write_config(folder: Path, config: Mapping[str, Any], stats: Mapping[str, Tensor]) -> None:
    """Write config.json and stats.safetensors."""
    _make(folder)
    _write(folder / "stats.safetensors", _pack(stats, half=False))
    facts = {"format": FORMAT, **config, "stats_hash": digest(stats)}
    _write(folder / "config.json", (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode())


def save_stage(folder: Path, stage: str, tensors: Mapping[str, Tensor], *, half: bool = False) -> None:
    """Write <stage>.safetensors."""
    _make(folder)
    _write(folder / f"{stage}.safetensors", _pack(tensors, half=half))


def write_card(folder: Path, card: str) -> None:
    """Write the model card, README.md."""
    _make(folder)
    _write(folder / "README.md", card.encode())


def load(folder: str | Path, config: Mapping[str, Any] | None = None) -> Checkpoint:
    """Read a checkpoint folder; fp16 tensors come back as float32. A stage without a file is left out.

    Args:
        folder: a checkpoint folder.
        config: what `read_config` said of it, if that was asked before.
    Raises: WeightsError naming the file that is missing, truncated, damaged or of a newer format.
    """
    folder = Path(folder)
    config = dict(read_config(folder) if config is None else config)
    stats, raw = _read(folder / "stats.safetensors")
    if digest(stats) != config.get("stats_hash"):
        raise WeightsError(f"{folder}: stats.safetensors is not the one that config.json names; restore both files.")
    total = hashlib.sha256(raw)
    stages = {}
    for stage in sorted(config["stages"]):
        path = folder / f"{stage}.safetensors"
        if path.exists():
            stages[stage], raw = _read(path)
            total.update(stage.encode() + raw)
    return Checkpoint(config, stages, stats, total.hexdigest())


def load_stage(folder: str | Path, stage: str) -> dict[str, Tensor]:
    """Read <stage>.safetensors alone. WeightsError as in `load`."""
    return _read(Path(folder) / f"{stage}.safetensors")[0]


def read_config(folder: str | Path) -> dict[str, Any]:
    """Read config.json alone. WeightsError if it is missing, not JSON, or of a newer format."""
    path = Path(folder) / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsError(f"{path}: missing; expected a checkpoint folder as laban train --out writes it.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: cannot be read as JSON ({_first(error)}); restore the file.") from None
    if not isinstance(config, dict) or not isinstance(config.get("stages"), list):
        raise WeightsError(f"{path}: has no list of stages; expected a checkpoint as laban train --out writes it.")
    if any(not isinstance(s, str) or Path(s).name != s for s in config["stages"]):
        raise WeightsError(f"{path}: stages are {config['stages']!r}, expected plain names.")
    if not isinstance(config.get("format"), int) or config["format"] > FORMAT:
        raise WeightsError(f"{path}: format is {config.get('format')!r}, this laban reads {FORMAT}; update laban.")
    return config


def load_into(module: nn.Module, tensors: Mapping[str, Tensor], where: str) -> None:
    """Copy `tensors` into `module`, every key and shape checked first.

    Raises: WeightsError naming `where` and the first key that is missing, left over, or of a wrong shape.
    """
    own = module.state_dict()
    for key, value in own.items():
        if key not in tensors:
            raise WeightsError(f"{where}: tensor {key!r} is missing; the file is of another model or version.")
        got = tensors[key]
        if got.shape != value.shape:
            raise WeightsError(
                f"{where}: tensor {key!r} has shape {tuple(got.shape)}, expected {tuple(value.shape)}; "
                "config.json and the weights do not belong together."
            )
        if got.is_floating_point() != value.is_floating_point():
            raise WeightsError(f"{where}: tensor {key!r} is {got.dtype}, expected {value.dtype}.")
    for key in tensors:
        if key not in own:
            raise WeightsError(f"{where}: tensor {key!r} is not part of this model; the file is of another model.")
    module.load_state_dict(dict(tensors))


def digest(tensors: Mapping[str, Tensor]) -> str:
    """Hex sha256 over names, types, shapes and values."""
    total = hashlib.sha256()
    for key in sorted(tensors):
        value = tensors[key].detach().cpu().contiguous()
        total.update(f"{key}|{value.dtype}|{tuple(value.shape)}|".encode())
        total.update(value.reshape(-1).view(torch.uint8).numpy().data if value.numel() else b"")
    return total.hexdigest()


def _pack(tensors: Mapping[str, Tensor], *, half: bool) -> bytes:
    stored = {}
    for key, value in tensors.items():
        value = value.detach().cpu()
        if half and value.is_floating_point():
            small = value.to(torch.float16)
            if torch.isfinite(small).all() or not torch.isfinite(value).all():
                value = small
        stored[key] = value.clone(memory_format=torch.contiguous_format)
    return pack_tensors(stored, metadata={"sha256": digest(stored)})  # one key: several have no fixed order


def _read(path: Path) -> tuple[dict[str, Tensor], bytes]:
    try:
        size = path.stat().st_size
        if size > LIMIT:
            raise WeightsError(f"{path}: is {size} bytes, expected at most {LIMIT}; it is not a laban checkpoint.")
        raw = path.read_bytes()
        if raw.startswith(b"version https://git-lfs"):
            raise WeightsError(f"{path}: is a git-lfs pointer, not the weights; run git lfs pull.")
        tensors = parse_tensors(raw)
        head = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    except FileNotFoundError:
        raise WeightsError(f"{path}: missing; restore the file, or train that stage.") from None
    except (OSError, SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise WeightsError(
            f"{path}: truncated or damaged ({_first(error)}); expected a safetensors file, restore it."
        ) from None
    expected = head.get("__metadata__", {}).get("sha256")
    if expected is not None and digest(tensors) != expected:
        raise WeightsError(f"{path}: damaged, its content does not match its own sha256; restore the file.")
    small = (torch.float16, torch.bfloat16)
    return {k: v.float() if v.dtype in small else v for k, v in tensors.items()}, raw


def _write(path: Path, content: bytes) -> None:
    try:
        with replacing(path) as beside:
            beside.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({_first(error)}); give a folder that can.") from None


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({_first(error)}); give a folder that can be written.") from None


def _first(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
