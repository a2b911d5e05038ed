"""Which systems there are, and how a name or a folder becomes one. Imports no torch."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from laban.config import nearest
from laban.errors import InputError, WeightsError

if TYPE_CHECKING:
    from laban.systems.base import System

S = TypeVar("S", bound="System")

SYSTEMS: dict[str, str] = {
    "momask": "laban.systems.momask.system:MoMask",
    "motionclip": "laban.systems.motionclip.system:MotionCLIP",
    "kmm": "laban.systems.kmm.system:KMM",
    "fact": "laban.systems.fact.system:Fact",
    "godiva": "laban.systems.godiva.system:Godiva",
}
"""Name -> 'module:Class'. A new system is one line here."""

JUDGES: dict[str, str] = {
    "evaluator": "laban.systems.evaluator.system:Evaluator",
}
"""The same for what is trained to score motions and makes none."""

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
"""Folder of the shipped checkpoints, one folder per name."""


def resolve(name: str) -> type[System]:
    """The class of a registered system or judge. InputError names the known ones and the nearest."""
    known = SYSTEMS | JUDGES
    if name not in known:
        near = nearest(name, known)
        raise InputError(
            f"{name!r} is not a system; known: {', '.join(known)}; "
            + (f"did you mean {near!r}?" if near else "give one of them.")
        )
    module, _, attribute = known[name].partition(":")
    return getattr(importlib.import_module(module), attribute)


def locate(name_or_path: str | Path) -> Path:
    """The checkpoint folder of a shipped name or of a path.

    Raises: InputError for a name that is neither; WeightsError if the folder of a known name is not there.
    """
    text = str(name_or_path)
    if text in SYSTEMS or text in shipped():
        folder = WEIGHTS / text
        if folder.is_dir():
            return folder
        if not Path(text).is_dir():
            raise WeightsError(
                f"{text}: its weights are not in this installation ({folder} is missing); reinstall laban, "
                f"or train with laban train {text} and give the folder."
            )
    path = Path(name_or_path)
    if path.is_dir():
        return path
    if path.is_file():
        raise WeightsError(f"{path}: got a file, expected a checkpoint folder with config.json.")
    raise unknown_model(text)


def shipped() -> list[str]:
    """Names of the weights in this installation."""
    return sorted(p.parent.name for p in WEIGHTS.glob("*/stats.safetensors"))  # not the text encoder's folder


def unknown_model(text: str) -> InputError:
    """What is said of a name that is neither a model nor a folder."""
    known = list(dict.fromkeys([*SYSTEMS, *shipped()]))
    near = nearest(text, known)
    return InputError(
        f"{text!r} is neither a known model nor a folder; known: {', '.join(known)}; "
        + (f"did you mean {near!r}?" if near else "give one of them or the path of a checkpoint folder.")
    )


def load(name_or_path: str | Path, device: str = "cpu") -> System:
    """Open a shipped model by its name, or any checkpoint folder by its path.

    Args:
        name_or_path: for example `"momask"`, or the folder that `laban train --out` wrote.
        device: `cpu`, `cuda`, `mps` or `auto`.
    Raises: InputError for an unknown name or device; WeightsError for a missing or damaged checkpoint.
    """
    return open_folder(*kind_of(name_or_path), device)


def kind_of(name_or_path: str | Path) -> tuple[type[System], Path, dict[str, Any]]:
    """The class of a shipped model or of a checkpoint folder, the folder, and what its config.json holds.

    Raises: as `load`, as far as config.json says it.
    """
    from laban import checkpoint

    folder = locate(name_or_path)
    facts = checkpoint.read_config(folder)
    name = facts.get("system")
    if name not in SYSTEMS:
        raise WeightsError(
            f"{folder}/config.json: system is {name!r}, expected one of {', '.join(SYSTEMS)}; "
            "it may come from a newer laban."
        )
    return resolve(name), folder, facts


def open_folder(kind: type[S], folder: Path, facts: dict[str, Any], device: str) -> S:
    """The system of a folder that `kind_of` has looked into. Raises: as `load`."""
    return kind.load(folder, pick_device(device), facts)


def pick_device(device: str) -> str:
    """`auto` -> cuda when there is one. InputError for an unknown device or a CUDA that is not there."""
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.split(":")[0] not in ("cpu", "cuda", "mps"):
        raise InputError(f"device: got {device!r}, expected cpu, cuda, mps or auto.")
    if device.startswith("mps") and not torch.backends.mps.is_available():
        raise InputError("device: mps was asked for and torch sees no Apple GPU; use --device cpu.")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise InputError("device: cuda was asked for and torch sees no CUDA device; use --device cpu.")
    return device
